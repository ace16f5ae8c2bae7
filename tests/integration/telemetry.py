"""A server that tells metrics and traces, and a receiver of traces on loopback."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import asked_until_there


class Receiver:
    """Takes spans by OTLP over HTTP, and keeps them with the bytes that they came in."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""
        self.answers = 200

    @property
    def spans(self) -> Sequence[Span]:
        """Every span that has come."""
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens during the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(receiver.answers)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched_when_quiet(address: str) -> str:
    """Metrics when no call is under way any more: who is refused knows it before the metrics do."""

    def fetched_if_quiet() -> str | None:
        told = fetched(address)
        families = {family.name: family for family in text_string_to_metric_families(told)}
        is_busy = any(sample.value for sample in families["subid_calls_under_way"].samples)
        return None if is_busy else told

    return asked_until_there(fetched_if_quiet, "a call is counted as under way for ever")


def fetched(address: str) -> str:
    """Metrics as Prometheus fetches them."""
    with urlopen(f"http://{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())
