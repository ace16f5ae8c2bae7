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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSealer:
    """What to do.

    Attributes:
        seal: Seals some entries; says whether there may be more.
        interval_s: Seconds between two looks.
    """

    seal: Callable[[], bool]
    interval_s: float = INTERVAL_S


@asynccontextmanager
async def sealing(sealer: AuditSealer) -> AsyncIterator[None]:
    """Seal during the block; what is under way at its end is waited for."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_keep_sealing(sealer, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _keep_sealing(sealer: AuditSealer, stopping: asyncio.Event) -> None:
    failure: str | None = None
    while not await is_set_within(stopping, sealer.interval_s):
        now = await _seal_all(sealer, stopping)
        # Said once, not twice a second.
        if now is not None and now != failure:
            _log.error("audit log is not sealed", type=now)
        if now is None and failure is not None:
            _log.info("audit log is sealed again")
        failure = now


async def _seal_all(sealer: AuditSealer, stopping: asyncio.Event) -> str | None:
    """Seal until there is no more; what stood in the way, if anything."""
    try:
        while await asyncio.to_thread(sealer.seal) and not stopping.is_set():
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, entries wait, and the next look tries again
        return type(error).__name__
    return None
