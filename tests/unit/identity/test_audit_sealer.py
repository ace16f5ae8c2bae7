"""The log is sealed before the first call and ever after; what stands in the way is said once."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from identity.audit_sealer import STALLED, AuditSealer, sealing


class Sealing:
    """Answers that are prepared; after them there is nothing to do."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.left = list(answers)
        self.is_done = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> bool:
        """Seal once."""
        if not self.left:
            self._loop.call_soon_threadsafe(self.is_done.set)
            return False
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def sealer_of(
    *,
    seal: Callable[[], bool],
    interval_s: float,
    waits_s: float = 0.0,
    stalled_after_s: float = 60.0,
) -> AuditSealer:
    return AuditSealer(
        seal=seal,
        waits_s=lambda: waits_s,
        interval_s=interval_s,
        stalled_after_s=stalled_after_s,
    )


async def run(seal: Callable[[], bool], is_done: asyncio.Event) -> None:
    async with sealing(sealer_of(seal=seal, interval_s=0.001)):
        await is_done.wait()


async def test_it_seals_before_anybody_is_let_in() -> None:
    seal = Sealing(False, False)
    async with sealing(sealer_of(seal=seal, interval_s=3_600)):
        assert len(seal.left) == 1


async def test_while_there_is_more_it_does_not_wait() -> None:
    seal = Sealing(False, True, True, True)
    async with sealing(sealer_of(seal=seal, interval_s=0.001)):
        await seal.is_done.wait()
    assert seal.left == []


@pytest.mark.parametrize("failures", [1, 3])
async def test_what_stands_in_the_way_is_said_once_and_so_is_its_end(failures: int) -> None:
    seal = Sealing(False, *[RuntimeError("secret")] * failures)
    with capture_logs() as logs:
        await run(seal, seal.is_done)
    assert [each["event"] for each in logs] == [
        "audit log is not sealed",
        "audit log is sealed again",
    ]
    assert logs[0]["type"] == "RuntimeError"
    assert "secret" not in str(logs)


async def test_it_tells_whether_something_stands_in_the_way() -> None:
    sealer = sealer_of(seal=Sealing(RuntimeError("secret")), interval_s=3_600)
    async with sealing(sealer):
        assert sealer.failure == "RuntimeError"
    seal = Sealing(RuntimeError("secret"), False)
    sealer = sealer_of(seal=seal, interval_s=0.001)
    async with sealing(sealer):
        await seal.is_done.wait()
    assert sealer.failure is None


async def test_entries_that_wait_for_too_long_are_told_of_although_nothing_was_refused() -> None:
    for waits_s, failure in ((60.0, None), (60.1, STALLED)):
        sealer = sealer_of(seal=Sealing(False), interval_s=3_600, waits_s=waits_s)
        with capture_logs() as logs:
            async with sealing(sealer):
                assert sealer.failure == failure
        assert [each["type"] for each in logs] == ([STALLED] if failure else [])


async def test_a_look_that_hangs_is_told_of_before_it_ends() -> None:
    is_let_go = threading.Event()
    sealer = sealer_of(seal=lambda: not is_let_go.wait(), interval_s=3_600, stalled_after_s=0.01)

    async def seal_once() -> None:
        async with sealing(sealer):
            pass

    under_way = asyncio.create_task(seal_once())
    while sealer.failure is None:  # noqa: ASYNC110 - a failure is no event
        await asyncio.sleep(0)
    assert (sealer.failure, under_way.done()) == (STALLED, False)
    is_let_go.set()
    await under_way
    assert sealer.failure is None
