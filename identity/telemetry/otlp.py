"""Where spans are sent: a receiver of OTLP over HTTP.

Owns the sending. Knows no span's content. Imported only where traces are wanted: its libraries
speak HTTP, which nothing else of the service does.
"""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

EXPORT_TIMEOUT_S = 5.0
"""How long a receiver may take over one batch; a stop waits for the last one."""

_log = structlog.get_logger("subid")


def to_endpoint(endpoint: str) -> SpanProcessor:
    """Sends spans to a receiver, in batches.

    Args:
        endpoint: The whole URL, such as `http://127.0.0.1:4318/v1/traces`.
    """
    # It writes lines of its own, which are no JSON; what fails is told by `_Told`.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    return BatchSpanProcessor(_Told(OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)))


class _Told(SpanExporter):
    """An exporter whose failures are told in our log, once until it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails != self._fails:
            self._fails = fails
            _log.warning("traces are not taken" if fails else "traces are taken again")
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()
