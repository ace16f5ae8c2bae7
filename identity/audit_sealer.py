"""Seal the audit log while the service runs.

Owns when: twice a second, and at once again while there is more; and when entries have waited for
too long, whoever was to seal them. Each server tries; the database lets one at a time. Knows no key
and no table: it is handed what to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from identity.supervisor import is_set_within

INTERVAL_S = 0.5
"""Between two looks: an entry is to be under a signed head within a second."""

STALLED_AFTER_S = 10.0
"""An entry that waits for longer is told of. A head each second is demanded; nine more are what a
batch of 20,000 takes on a slow disk, and the longest transactions of a service at work."""

STALLED = "SealingStalled"
"""The failure of a log whose entries wait, although nothing was refused."""

_log = structlog.get_logger("subid")


@dataclass(slots=True, kw_only=True)
class AuditSealer:
    """What to do, and how it went.

    Attributes:
        seal: Seals some entries; says whether there may be more.
        waits_s: For how many seconds an entry is known to wait, by a clock that nobody sets.
        interval_s: Seconds between two looks.
        stalled_after_s: Seconds that an entry, or a look, may take.
        failure: What stood in the way at the last look; None where nothing did.
    """

    seal: Callable[[], bool]
    waits_s: Callable[[], float]
    interval_s: float = INTERVAL_S
    stalled_after_s: float = STALLED_AFTER_S
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
    """Seal once; whether there may be more."""
    look = asyncio.create_task(asyncio.to_thread(sealer.seal))
    ended, _ = await asyncio.wait({look}, timeout=sealer.stalled_after_s)
    if not ended:
        # It hangs, on a table that somebody has locked: nobody else would tell.
        _tell(sealer, STALLED)
    try:
        is_more = await look
    except Exception as error:  # noqa: BLE001 - whatever it is, entries wait, and the next look tries again
        _tell(sealer, type(error).__name__)
        return False
    _tell(sealer, STALLED if sealer.waits_s() > sealer.stalled_after_s else None)
    return is_more


def _tell(sealer: AuditSealer, failure: str | None) -> None:
    """Keep what stands in the way; it is said once, not each time, and so is its end."""
    before, sealer.failure = sealer.failure, failure
    if failure is not None and failure != before:
        _log.error("audit log is not sealed", type=failure)
    if failure is None and before is not None:
        _log.info("audit log is sealed again")
