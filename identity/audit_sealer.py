"""Seal the audit log while the service runs.

Owns when: twice a second, and at once again while there is more. Each server tries; the database
lets one at a time. Knows no key and no table: it is handed what to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from identity.supervisor import is_set_within

INTERVAL_S = 0.5
"""Between two looks: an entry is to be under a signed head within a second."""

_log = structlog.get_logger("subid")


@dataclass(slots=True, kw_only=True)
class AuditSealer:
    """What to do, and how it went.

    Attributes:
        seal: Seals some entries; says whether there may be more.
        interval_s: Seconds between two looks.
        failure: What stood in the way at the last look; None where nothing did.
    """

    seal: Callable[[], bool]
    interval_s: float = INTERVAL_S
    failure: str | None = None


@asynccontextmanager
async def sealing(sealer: AuditSealer) -> AsyncIterator[None]:
    """Seal during the block; what is under way at its end is waited for."""
    stopping = asyncio.Event()
    # Once before anybody asks, so that there is a head; a backlog is not waited for.
    await _seal_some(sealer)
    task = asyncio.create_task(_keep_sealing(sealer, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _keep_sealing(sealer: AuditSealer, stopping: asyncio.Event) -> None:
    is_more = False
    while is_more or not await is_set_within(stopping, sealer.interval_s):
        is_more = await _seal_some(sealer) and not stopping.is_set()


async def _seal_some(sealer: AuditSealer) -> bool:
    """Seal once; whether there may be more. What stands in the way is said once, not each time."""
    before = sealer.failure
    try:
        is_more = await asyncio.to_thread(sealer.seal)
    except Exception as error:  # noqa: BLE001 - whatever it is, entries wait, and the next look tries again
        sealer.failure = type(error).__name__
        if sealer.failure != before:
            _log.error("audit log is not sealed", type=sealer.failure)
        return False
    sealer.failure = None
    if before is not None:
        _log.info("audit log is sealed again")
    return is_more
