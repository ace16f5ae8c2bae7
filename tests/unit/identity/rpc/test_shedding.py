"""The cheapest refusal says all that a refusal says, and one log line speaks for many."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
import structlog
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from identity.rpc.shedding import (
    LOG_EVERY_S,
    MUCH_PER_S,
    RETRIES_MEANT_PER_S,
    RETRY_MAX_S,
    RETRY_MIN_S,
    Shedding,
)

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


async def test_the_more_are_refused_the_later_they_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("identity.rpc.shedding.time.monotonic", lambda: now_s)
    shedding = Shedding()
    delays = []
    for count in (1, 10, 200, 5_000, 1):
        for _ in range(count):
            context = await refused(shedding)
        delays.append(retry_delay_s(context))
        now_s += LOG_EVERY_S
    # What is said in a second follows from how many were refused in the one before.
    assert delays == [RETRY_MIN_S, RETRY_MIN_S, RETRY_MIN_S, 200 / RETRIES_MEANT_PER_S, RETRY_MAX_S]


def test_much_is_refused_while_it_is_and_for_a_second_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 0.0
    monkeypatch.setattr("identity.rpc.shedding.time.monotonic", lambda: now_s)
    shedding = Shedding()
    shedding.refusal()  # begins a second
    for _ in range(MUCH_PER_S):
        shedding.refusal()
    assert not shedding.is_much_refused()
    shedding.refusal()
    assert shedding.is_much_refused()
    now_s += LOG_EVERY_S - 0.01
    assert shedding.is_much_refused()
    now_s += 0.02
    assert not shedding.is_much_refused()
    # The count is of each second: few in many seconds are not much.
    for _ in range(2 * MUCH_PER_S):
        now_s += LOG_EVERY_S / 10
        shedding.refusal()
        assert not shedding.is_much_refused()


def retry_delay_s(context: Context) -> float:
    ((_, packed),) = context.metadata
    delay = RetryInfo()
    assert Status.FromString(packed).details[1].Unpack(delay)
    return float(delay.retry_delay.ToTimedelta().total_seconds())
