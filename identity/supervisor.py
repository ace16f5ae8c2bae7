"""Whether the service can answer, asked all the while it runs.

Owns the watch over the database: it says over health when calls cannot be answered, has a killed
embedded server started again, and says when they can be answered once more. Knows neither server:
it is handed what to ask, whom to tell and how to revive.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from identity.domain.errors import OverloadedError, StorageUnavailableError

INTERVAL_S = 3.0
"""Between two looks: far below the time that an operator takes to notice by itself."""

LOOK_TIMEOUT_S = 12.0
"""A database that has not answered by then is taken for lost; above the pool's own waiting time
and that of a new connection together."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to ask, whom to tell, how to revive.

    Attributes:
        ping: Asks the database; raises StorageUnavailableError when it is not there.
        report: Told whenever calls can be answered again, or no longer.
        revive: Starts a killed database server again; raises an exception when it does not start.
        interval_s: Seconds between two looks.
    """

    ping: Callable[[], None]
    report: Callable[[bool], Awaitable[None]]
    revive: Callable[[], None]
    interval_s: float = INTERVAL_S


@asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[None]:
    """Watch during the block; a revival that is under way at its end is waited for."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_watch(watch, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _watch(watch: Watch, stopping: asyncio.Event) -> None:
    is_serving = True
    while not await is_set_within(stopping, watch.interval_s):
        is_reachable = await _is_reachable(watch)
        if is_reachable != is_serving:
            is_serving = is_reachable
            _log.warning("database is back" if is_serving else "database is lost")
            await watch.report(is_serving)
        if not is_serving:
            await _revive(watch)


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, so many seconds at most; tell whether it came."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _is_reachable(watch: Watch) -> bool:
    # Twice: the first may fail on a pooled connection that was lost, and renews the pool.
    return await _answers(watch.ping) or await _answers(watch.ping)


async def _answers(ping: Callable[[], None]) -> bool:
    try:
        await asyncio.wait_for(asyncio.to_thread(ping), LOOK_TIMEOUT_S)
    except OverloadedError:
        return True  # it works so hard that no connection was free
    except (StorageUnavailableError, TimeoutError):
        return False
    except Exception as error:  # noqa: BLE001 - whatever it is, calls fail by it, and the watch goes on
        _log.warning("database does not answer", type=type(error).__name__)
        return False
    return True


async def _revive(watch: Watch) -> None:
    try:
        await asyncio.to_thread(watch.revive)
    except Exception as error:  # noqa: BLE001 - the next look tries again
        _log.warning("database does not start yet", type=type(error).__name__)
