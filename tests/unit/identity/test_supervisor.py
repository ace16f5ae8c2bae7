"""The watch over the database: tells when it is lost, has it revived, tells when it is back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from identity.domain.errors import OverloadedError, StorageUnavailableError
from identity.state_directory import StateError
from identity.supervisor import Watch, watching

AT_ONCE_S = 0.001


@dataclass
class Server:
    """A database server that can be killed and comes back after some attempts."""

    attempts_needed: int = 1
    attempts: int = 0
    fault: Exception | None = None
    lost: Exception = field(default_factory=lambda: StorageUnavailableError("gone"))

    def ping(self) -> None:
        """Answer, or not."""
        if self.fault is not None:
            raise self.fault

    def kill(self) -> None:
        """No longer answer."""
        self.fault = self.lost

    def revive(self) -> None:
        """Answer again, after some attempts."""
        self.attempts += 1
        if self.attempts < self.attempts_needed:
            raise StateError("not yet")
        self.fault = None


def watch_over(server: Server) -> tuple[Watch, "asyncio.Queue[bool]"]:
    reports: asyncio.Queue[bool] = asyncio.Queue()
    watch = Watch(ping=server.ping, report=reports.put, revive=server.revive, interval_s=AT_ONCE_S)
    return watch, reports


@pytest.mark.parametrize("attempts", [1, 4])
@pytest.mark.parametrize("lost", [StorageUnavailableError("gone"), ValueError("unheard of")])
def test_a_lost_database_is_told_revived_and_told_again(attempts: int, lost: Exception) -> None:
    async def live() -> None:
        server = Server(attempts_needed=attempts, lost=lost)
        watch, reports = watch_over(server)
        async with watching(watch):
            for _ in range(2):
                server.attempts = 0
                server.kill()
                assert await asyncio.wait_for(reports.get(), 10) is False
                assert await asyncio.wait_for(reports.get(), 10) is True
                assert server.attempts == attempts
        assert reports.empty()

    asyncio.run(live())


def looks(server: Server, count: int) -> tuple[Callable[[], None], asyncio.Event]:
    """The server's ping, and an event that is set after some looks."""
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()
    made = iter(range(count - 1))

    def ping() -> None:
        if next(made, None) is None:
            loop.call_soon_threadsafe(seen.set)
        server.ping()

    return ping, seen


@pytest.mark.parametrize("fault", [None, OverloadedError("no connection came free")])
def test_a_database_that_answers_or_is_busy_is_left_alone(fault: Exception | None) -> None:
    async def live() -> None:
        server = Server(fault=fault)
        _, reports = watch_over(server)
        ping, seen = looks(server, 5)
        watch = Watch(ping=ping, report=reports.put, revive=server.revive, interval_s=AT_ONCE_S)
        async with watching(watch):
            await asyncio.wait_for(seen.wait(), 10)
        assert (server.attempts, reports.empty()) == (0, True)

    asyncio.run(live())


def test_one_lost_connection_is_no_lost_database() -> None:
    async def live() -> None:
        server = Server()
        faults = iter([StorageUnavailableError("this connection was ended")])
        _, reports = watch_over(server)
        ping, seen = looks(server, 5)

        def first_fails() -> None:
            ping()
            for fault in faults:
                raise fault

        watch = Watch(
            ping=first_fails, report=reports.put, revive=server.revive, interval_s=AT_ONCE_S
        )
        async with watching(watch):
            await asyncio.wait_for(seen.wait(), 10)
        assert (server.attempts, reports.empty()) == (0, True)

    asyncio.run(live())
