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

INTERVAL_S = 2.0
"""Between two looks; each costs a file read, or a system call."""

LOOK_TIMEOUT_S = 10.0
"""A dependency that has not answered by then counts as lost: a disk that hangs never answers."""

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


@asynccontextmanager
async def watching_dependencies(
    dependencies: Iterable[Dependency], report: Report, *, interval_s: float = INTERVAL_S
) -> AsyncIterator[None]:
    """Watch each during the block, beside the others; a revival under way at its end is ended."""
    stopping = asyncio.Event()
    async with AsyncExitStack() as watches:
        for each in dependencies:
            watch = _Watch(each, report, interval_s)
            await watch.look()
            await watches.enter_async_context(_running(watch, stopping))
        try:
            yield
        finally:
            stopping.set()


class _Watch:
    """The watch over one dependency."""

    def __init__(self, dependency: Dependency, report: Report, interval_s: float) -> None:
        self._dependency = dependency
        self._report = report
        self._interval_s = interval_s
        self._is_there: bool | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not await is_set_within(stopping, self._interval_s):
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
        try:
            return await asyncio.wait_for(
                asyncio.to_thread(self._dependency.is_there), LOOK_TIMEOUT_S
            )
        except Exception:  # noqa: BLE001 - whatever it is, what depends on it fails by it
            return False

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
