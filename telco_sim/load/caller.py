"""Calls as a client makes them that means to be answered.

Owns repeating a call under its own name until it is answered or patience ends, and the journal of
what was acknowledged. Knows the requests by their methods only.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message

from telco_sim.load.plan import Work
from telco_sim.wire import Refusal

ATTEMPT_TIMEOUT_S = 10.0
PAUSE_S = 0.2
"""Before the first repetition; each further one waits twice as long, up to PAUSE_MAX_S,
and any as long as the service asks for."""

PAUSE_MAX_S = 2.0

LATER_BY_AT_MOST = 1.5
"""Times the pause."""

_PASSING = frozenset(
    {
        "UNAVAILABLE",
        "RESOURCE_EXHAUSTED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        # What gRPC's client says of a connection that was reset under a call.
        "CANCELLED",
    }
)

Method = Callable[..., Any]
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    Attributes:
        work: What it is for.
        method: The stub's.
        request: What is sent.
        is_write: Whether the journal keeps it.
    """

    work: Work
    method: Method
    request: Message
    is_write: bool = False


@dataclass(slots=True, kw_only=True)
class Minute:
    """What came of the calls that began in one minute.

    Attributes:
        asked: Calls begun.
        times_ms: From the beginning of each to its answer, repetitions and all.
        refusals: Attempts that were refused, by reason, or by status where there is none.
        failures: Calls that were not answered at all, by the last of these.
    """

    asked: int = 0
    times_ms: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Journal:
    """What was acknowledged, to be looked for at the end.

    Attributes:
        acknowledged: Each write and its answer.
        in_doubt: Writes that were not answered.
    """

    acknowledged: list[tuple[Call, bytes]] = field(default_factory=list)
    in_doubt: list[Call] = field(default_factory=list)


async def insist(
    call: Call,
    *,
    patience_s: float,
    minute: Minute,
    journal: Journal,
    pause: Pause = asyncio.sleep,
) -> None:
    """Make a call until it is answered, and note what came of it.

    Args:
        call: The call.
        patience_s: For how long it is repeated.
        minute: Where times and refusals are noted.
        journal: Where a write is noted.
        pause: Waits between two attempts, so many seconds.
    """
    began_s = time.monotonic()
    minute.asked += 1
    pause_s = PAUSE_S
    while (
        refusal := await _attempt(call, minute=minute, journal=journal, began_s=began_s)
    ) is not None:
        told = refusal.reason or refusal.status
        minute.refusals[told] += 1
        if refusal.status not in _PASSING or time.monotonic() - began_s > patience_s:
            minute.failures[told] += 1
            if call.is_write:
                journal.in_doubt.append(call)
            return
        asked_s = refusal.retry_after.total_seconds() if refusal.retry_after else 0.0
        # Not all at the same moment: those who were refused together would come together.
        await pause(max(pause_s, asked_s) * random.uniform(1.0, LATER_BY_AT_MOST))
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


async def _attempt(
    call: Call, *, minute: Minute, journal: Journal, began_s: float
) -> Refusal | None:
    """Make it once; None when it was answered, or why it was not."""
    try:
        answer = await call.method(call.request, timeout=ATTEMPT_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        return Refusal.of(error)
    minute.times_ms.append(1000 * (time.monotonic() - began_s))
    if call.is_write:
        journal.acknowledged.append((call, answer.SerializeToString(deterministic=True)))
    return None
