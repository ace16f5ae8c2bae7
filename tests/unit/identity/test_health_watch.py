"""The watch over dependencies: each is told when it is lost, brought back, and told again."""

import asyncio
import threading
from dataclasses import dataclass, field

from identity.health_watch import Dependency, Pace, watching_dependencies

AT_ONCE = Pace(interval_s=0.001)


@dataclass
class Thing:
    """Something that can be lost, and comes back after some attempts."""

    is_there: bool = True
    fault: Exception | None = None
    attempts_needed: int = 1
    attempts: int = 0
    reports: "asyncio.Queue[tuple[str, bool]]" = field(default_factory=asyncio.Queue)

    def ask(self) -> bool:
        """Whether it is there, or a fault."""
        if self.fault is not None:
            raise self.fault
        return self.is_there

    async def revive(self) -> None:
        """Come back, after some attempts."""
        self.attempts += 1
        if self.attempts < self.attempts_needed:
            raise RuntimeError("not yet")
        self.is_there = True

    async def report(self, name: str, is_there: bool) -> None:  # noqa: FBT001 - what is reported
        """Keep what was told."""
        await self.reports.put((name, is_there))

    async def told(self) -> tuple[str, bool]:
        """What is told next."""
        return await asyncio.wait_for(self.reports.get(), 10)


async def test_what_is_lost_is_told_and_told_again_when_it_is_back() -> None:
    thing = Thing()
    dependency = Dependency(name="disk", is_there=thing.ask)
    async with watching_dependencies([dependency], thing.report, pace=AT_ONCE):
        assert await thing.told() == ("disk", True)
        thing.is_there = False
        assert await thing.told() == ("disk", False)
        thing.is_there = True
        assert await thing.told() == ("disk", True)
        thing.fault = OSError("no such device")
        assert await thing.told() == ("disk", False)
        assert thing.attempts == 0


async def test_what_can_be_revived_is_revived_until_it_is_there() -> None:
    thing = Thing(is_there=False, attempts_needed=3)
    dependency = Dependency(name="faces", is_there=thing.ask, revive=thing.revive)
    async with watching_dependencies([dependency], thing.report, pace=AT_ONCE):
        assert await thing.told() == ("faces", False)
        assert await thing.told() == ("faces", True)
    assert thing.attempts == 3


async def test_what_is_there_all_the_while_is_told_once() -> None:
    thing, other = Thing(), Thing(is_there=False)
    dependencies = [
        Dependency(name="keys", is_there=thing.ask),
        Dependency(name="faces", is_there=other.ask, revive=other.revive),
    ]
    async with watching_dependencies(dependencies, thing.report, pace=AT_ONCE):
        told = [await thing.told() for _ in range(3)]
    assert sorted(told) == [("faces", False), ("faces", True), ("keys", True)]
    assert thing.reports.empty()


async def test_one_that_hangs_is_told_and_asked_no_second_time_until_it_answers() -> None:
    thing, may_answer = Thing(), threading.Event()
    asked: list[None] = []

    def hang() -> bool:
        asked.append(None)
        return may_answer.wait(60)

    dependency = Dependency(name="disk", is_there=hang)
    pace = Pace(interval_s=0.001, timeout_s=0.001)
    async with watching_dependencies([dependency], thing.report, pace=pace):
        assert await thing.told() == ("disk", False)
        assert len(asked) <= 1
        may_answer.set()
        assert await thing.told() == ("disk", True)
