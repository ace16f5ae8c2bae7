"""The cheapest refusal says all that a refusal says, and one log line speaks for many."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
import structlog
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from identity.rpc.shedding import Shedding

TIMES = 50


class Aborted(Exception):  # noqa: N818 - what gRPC's own context raises
    """Ends a call, as gRPC does it."""


class Context:
    """Remembers how it was ended."""

    async def abort(
        self, code: grpc.StatusCode, details: str, metadata: Sequence[tuple[str, bytes]]
    ) -> None:
        """End the call."""
        self.code, self.details, self.metadata = code, details, metadata
        raise Aborted


class Unread:
    """A body that nobody may read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("a refused body is not read")


async def refused(shedding: Shedding) -> Context:
    context = Context()
    behaviour: Any = shedding.handler.stream_unary
    with pytest.raises(Aborted):
        await behaviour(Unread(), context)
    return context


async def test_a_refusal_says_why_and_when_to_come_again() -> None:
    context = await refused(Shedding())
    assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    info, retry = ErrorInfo(), RetryInfo()
    ((_, packed),) = context.metadata
    reason, delay = Status.FromString(packed).details
    assert reason.Unpack(info)
    assert delay.Unpack(retry)
    assert (info.reason, info.domain) == ("OVERLOADED", "subid")
    assert info.metadata["correlation_id"]
    assert retry.retry_delay.seconds == 1


async def test_one_line_speaks_for_many_refusals_and_is_found_by_each() -> None:
    shedding = Shedding()
    with structlog.testing.capture_logs() as logs:
        refusals = [await refused(shedding) for _ in range(TIMES)]
    # A slow machine may begin another second; it never writes a line for each.
    assert 1 <= len(logs) < TIMES
    ids = [line["correlation_id"] for line in logs]
    for each in refusals:
        ((_, packed),) = each.metadata
        info = ErrorInfo()
        Status.FromString(packed).details[0].Unpack(info)
        assert info.metadata["correlation_id"] in ids
