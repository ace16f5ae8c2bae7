"""Where metrics can be fetched: a port of their own, over HTTP.

Owns the port. Knows no metric.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server


@contextmanager
def exposed(registry: CollectorRegistry, address: str) -> Iterator[str]:
    """Serve metrics during the block.

    Args:
        registry: The metrics.
        address: `host:port`; port 0 takes a free one.

    Yields:
        The address that they are served on.

    Raises:
        OSError: It cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), addr=host.strip("[]"), registry=registry)
    except OSError as error:
        raise OSError(f"cannot serve metrics on {address}: {error.strerror}") from error
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
