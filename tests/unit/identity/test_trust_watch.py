"""The watch over the trust directory: reloads, writes the log, tells health what has changed."""

import asyncio
from dataclasses import dataclass, field, replace

from structlog.testing import capture_logs

from identity.trust_watch import TrustWatch, watching_trust

AT_ONCE_S = 0.001


@dataclass
class Directory:
    """A trust directory that can be changed and broken."""

    is_changed: bool = False
    is_broken: bool = False
    can_pass: bool = False
    logged: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)
    looks: "asyncio.Queue[None]" = field(default_factory=asyncio.Queue)
    reports: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)

    def reload(self) -> bool:
        """Take up a change, or trip over it."""
        if self.is_broken:
            self.is_broken = False
            raise OSError("no such device")
        was_changed, self.is_changed = self.is_changed, False
        return was_changed

    def watch(self, loop: asyncio.AbstractEventLoop) -> TrustWatch:
        """What the watch is given; it looks and writes the log from another thread."""

        def reload() -> bool:
            loop.call_soon_threadsafe(self.looks.put_nowait, None)
            return self.reload()

        def write_log() -> None:
            loop.call_soon_threadsafe(self.logged.put_nowait, self.can_pass)

        return TrustWatch(
            reload=reload,
            write_log=write_log,
            can_pass=lambda: self.can_pass,
            report=self.reports.put,
            interval_s=AT_ONCE_S,
        )


def test_a_change_is_logged_and_told_and_the_first_state_as_well() -> None:
    async def live() -> None:
        directory = Directory()
        async with watching_trust(directory.watch(asyncio.get_running_loop())):
            assert await asyncio.wait_for(directory.reports.get(), 10) is False
            assert await asyncio.wait_for(directory.logged.get(), 10) is False
            for _ in range(3):
                await asyncio.wait_for(directory.looks.get(), 10)
            assert directory.logged.empty()  # nothing has changed, and a report is due once a day
            directory.can_pass = directory.is_changed = True
            assert await asyncio.wait_for(directory.reports.get(), 10) is True
            assert await asyncio.wait_for(directory.logged.get(), 10) is True
        assert directory.reports.empty()

    asyncio.run(live())


def test_a_directory_that_cannot_be_looked_at_does_not_end_the_watch() -> None:
    async def live() -> None:
        directory = Directory(is_broken=True)
        async with watching_trust(directory.watch(asyncio.get_running_loop())):
            assert await asyncio.wait_for(directory.reports.get(), 10) is False
            directory.can_pass = True
            assert await asyncio.wait_for(directory.reports.get(), 10) is True

    with capture_logs() as logs:
        asyncio.run(live())
    assert [each["type"] for each in logs if each["log_level"] == "error"] == ["OSError"]


def test_ages_are_logged_every_so_often() -> None:
    async def live() -> None:
        directory = Directory()
        watch = directory.watch(asyncio.get_running_loop())
        async with watching_trust(replace(watch, log_interval_s=AT_ONCE_S)):
            logged = [await asyncio.wait_for(directory.logged.get(), 10) for _ in range(3)]
        # Nothing changes: a watch that wrote at the start and at changes only would write once,
        # and the second wait would run out.
        assert logged == [False, False, False]
        assert directory.reports.qsize() == 1

    asyncio.run(live())
