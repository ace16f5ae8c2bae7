"""Metrics are fetched over HTTP, from a port of their own."""

import socket
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Gauge

from identity.telemetry.exposition import exposed


def test_metrics_are_served_during_the_block_and_not_after_it() -> None:
    registry = CollectorRegistry()
    Gauge("subid_one", "One.", registry=registry).set(3)
    with exposed(registry, "127.0.0.1:0") as address:
        with urlopen(f"http://{address}/metrics", timeout=10) as answer:
            assert "subid_one 3.0" in answer.read().decode()
        host, _, port = address.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=10)


def test_an_address_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(OSError, match=f"cannot serve metrics on {address}: Address already"),
            exposed(CollectorRegistry(), address),
        ):
            pass
