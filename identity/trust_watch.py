"""Take up changes of the trust directory while the service runs, and say how the store stands.

Owns when the directory is looked at, when the store is written to the log, and what health says of
it. Knows no certificate: it is handed what to ask and whom to tell.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from identity.supervisor import is_set_within

INTERVAL_S = 2.0
"""Between two looks at the names, sizes and times of some files: a new revocation list works within
seconds, and looking costs far below a millisecond."""

LOG_INTERVAL_S = 24 * 3600.0
"""The ages of lists and anchors are counted in days."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustWatch:
    """What to ask and whom to tell.

    Attributes:
        reload: Takes what changed; says whether another store is in force.
        write_log: Writes ages and ends to the log.
        can_pass: Whether any document could pass now.
        report: Told whenever the answer to that is another, and once in the beginning.
        interval_s: Seconds between two looks.
        log_interval_s: Seconds between two reports in the log.
    """

    reload: Callable[[], bool]
    write_log: Callable[[], None]
    can_pass: Callable[[], bool]
    report: Callable[[bool], Awaitable[None]]
    interval_s: float = INTERVAL_S
    log_interval_s: float = LOG_INTERVAL_S


@asynccontextmanager
async def watching_trust(watch: TrustWatch) -> AsyncIterator[None]:
    """Watch during the block."""
    can_pass = watch.can_pass()
    watch.write_log()
    await watch.report(can_pass)
    stopping = asyncio.Event()
    task = asyncio.create_task(_watch(watch, stopping, can_pass=can_pass))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _watch(watch: TrustWatch, stopping: asyncio.Event, *, can_pass: bool) -> None:
    loop = asyncio.get_running_loop()
    logged_at = loop.time()
    while not await is_set_within(stopping, watch.interval_s):
        try:
            is_new = await asyncio.to_thread(watch.reload)
            if is_new:
                _log.info("trust store exchanged")
            if is_new or loop.time() - logged_at >= watch.log_interval_s:
                logged_at = loop.time()
                await asyncio.to_thread(watch.write_log)
            now_can_pass = await asyncio.to_thread(watch.can_pass)
        except Exception as error:  # noqa: BLE001 - whatever it is, the store in force stays, and the watch goes on
            _log.error("trust directory not looked at", type=type(error).__name__)
            continue
        if now_can_pass != can_pass:
            can_pass = now_can_pass
            await watch.report(can_pass)
