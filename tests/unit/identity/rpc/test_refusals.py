"""What a caller can be refused for at will has one line a second; all else a line each."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
import structlog

from identity.domain.errors import (
    CertificateRefusedError,
    DomainError,
    OverloadedError,
    PermissionRefusedError,
    RateLimitedError,
    SubscriptionNotFoundError,
)
from identity.rpc.refusals import Refusals

Lines = list[MutableMapping[str, Any]]


async def told(error: DomainError, *, times: int, callers: int = 1) -> Lines:
    """What is logged of so many refusals of each caller, until nothing more is."""
    refusals = Refusals(every_s=0.0)
    with structlog.testing.capture_logs() as lines:
        for _ in range(times):
            for number in range(callers):
                watch = refusals.watch("ContactService/GetContact")
                watch.caller = f"agency:{number}"
                watch.refusal(error)
        for _ in range(5):
            await asyncio.sleep(0)
    return lines


@pytest.mark.parametrize(
    "error",
    [
        CertificateRefusedError("revoked"),
        PermissionRefusedError("not yours"),
        RateLimitedError("often"),
        OverloadedError("many"),
    ],
)
async def test_refusals_at_the_door_are_counted_for_each_caller(error: DomainError) -> None:
    lines = await told(error, times=100, callers=2)
    assert [(each["event"], each["caller"], each.get("count")) for each in lines] == [
        ("refused", "agency:0", None),
        ("refused", "agency:1", None),
        ("refused again", "agency:0", 99),
        ("refused again", "agency:1", 99),
    ]
    assert lines[0]["correlation_id"] == lines[2]["correlation_id"]
    assert {each["reason"] for each in lines} == {error.reason}


async def test_other_refusals_have_a_line_each() -> None:
    lines = await told(SubscriptionNotFoundError("unknown"), times=3)
    assert [each["event"] for each in lines] == ["refused"] * 3
    assert len({each["correlation_id"] for each in lines}) == 3


async def test_who_was_refused_once_is_forgotten() -> None:
    refusals = Refusals(every_s=0.0)
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            refusals.watch("ContactService/GetContact").refusal(RateLimitedError("often"))
            for _ in range(5):
                await asyncio.sleep(0)
    assert [each["event"] for each in lines] == ["refused", "refused"]
