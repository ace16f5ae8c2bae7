"""Whether what the service depends on is there: asked all the while it runs, told over health.

Owns when each dependency is asked and when its answer is passed on. Knows none of them: it is
handed what to ask, how to bring it back where that can be done, and whom to tell. The database has
a watch of its own (`identity.supervisor`), because all calls depend on it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from identity.supervisor import is_set_within

_log = structlog.get_logger("subid")

Report = Callable[[str, bool], Awaitable[None]]
"""Told the name of a dependency, and whether it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing that the service needs.

    Attributes:
        name: What health calls it, behind `subid.`.
        is_there: Asked in a thread; what it raises counts as no.
        revive: Brings it back where the service can; what it raises waits for the next look.
    """

    name: str
    is_there: Callable[[], bool]
    revive: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often dependencies are asked.

    Attributes:
        interval_s: Seconds between two looks; each costs a file read, or a system call.
        timeout_s: One that has not answered by then counts as lost: a disk that hangs never does.
    """

    interval_s: float = 2.0
    timeout_s: float = 10.0


USUAL_PACE = Pace()


@asynccontextmanager
async def watching_dependencies(
    dependencies: Iterable[Dependency], report: Report, *, pace: Pace = USUAL_PACE
) -> AsyncIterator[None]:
    """Watch each during the block, beside the others.

    A look or a revival that is under way at its end is waited for.
    """
    stopping = asyncio.Event()
    async with AsyncExitStack() as watches:
        for each in dependencies:
            watch = _Watch(each, report, pace)
            await watch.look()
            await watches.enter_async_context(_running(watch, stopping))
        try:
            yield
        finally:
            stopping.set()


class _Watch:
    """The watch over one dependency."""

    def __init__(self, dependency: Dependency, report: Report, pace: Pace) -> None:
        self._dependency = dependency
        self._report = report
        self._pace = pace
        self._is_there: bool | None = None
        self._asking: asyncio.Task[bool] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not await is_set_within(stopping, self._pace.interval_s):
            await self.look()
            if not self._is_there and not stopping.is_set():
                await self._revive()

    async def look(self) -> None:
        """Ask once, and tell if the answer is another."""
        name = self._dependency.name
        is_there = await self._asked()
        if is_there == self._is_there:
            return
        if self._is_there is not None or not is_there:
            _log.warning("dependency is back" if is_there else "dependency is lost", name=name)
        self._is_there = is_there
        await self._report(name, is_there)

    async def _asked(self) -> bool:
        # A look that hangs is waited for again: others sent after it would take all threads.
        if self._asking is None:
            self._asking = asyncio.create_task(asyncio.to_thread(self._dependency.is_there))
        answered, _ = await asyncio.wait({self._asking}, timeout=self._pace.timeout_s)
        if not answered:
            return False
        asked, self._asking = self._asking, None
        # Whatever it raises, what depends on it fails by it.
        return asked.exception() is None and asked.result()

    async def _revive(self) -> None:
        if self._dependency.revive is None:
            return
        try:
            await self._dependency.revive()
        except Exception as error:  # noqa: BLE001 - the next look tries again
            name = self._dependency.name
            _log.warning("dependency does not start yet", name=name, type=type(error).__name__)


@asynccontextmanager
async def _running(watch: _Watch, stopping: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await task
