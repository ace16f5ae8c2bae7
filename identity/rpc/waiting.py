"""Who waits for something to pull, and who wakes them.

Owns the waits. One costs nothing while it lasts but a place on the event loop, and each operator
has few for each thing that there is to pull, so that idle pulls keep nobody out. Lives on the event
loop: nothing here is safe for threads. Knows neither what is pulled nor how news of it come.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from identity.domain.errors import OverloadedError

WAITS_MAX = 8
"""Waits of one operator for one thing under way on one server: one for each of its own machines.
They are a fraction of the calls that one caller may have (`identity.rpc.load`)."""

RECHECK_S = 10.0
"""A wait looks again after so long at the latest, whether it was woken or not: one small query for
an idle operator. What was missed while a connection was lost is found then, and a lease whose end
lies in simulated time."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[_Answer]):
    """What came of one look.

    Attributes:
        answer: What was found; None for nothing yet.
        again_in_s: When there may be something without anybody telling; None when that is not
            known.
    """

    answer: _Answer | None
    again_in_s: float | None = None


class Waiting:
    """Everybody who waits on one server."""

    def __init__(self, *, waits_max: int = WAITS_MAX, recheck_s: float = RECHECK_S) -> None:
        self._waits_max = waits_max
        self._recheck_s = recheck_s
        self._bells: dict[Hashable, set[asyncio.Event]] = defaultdict(set)
        self._is_over = False

    def wake(self, desk: Hashable | None) -> None:
        """Have the waits at a desk look again; None wakes everybody."""
        for each in list(self._bells) if desk is None else (desk,):
            for bell in self._bells.get(each, ()):
                bell.set()

    def end(self) -> None:
        """End all waits, and have none begin: each answers with what there is."""
        self._is_over = True
        self.wake(None)

    async def wait(
        self,
        desk: Hashable,
        look: Callable[[bool], Awaitable[Look[_Answer]]],
        *,
        wait_s: float,
    ) -> _Answer:
        """Look until there is something, or the time is over.

        Args:
            desk: Whose wait it is, and for what.
            look: Looks; told whether it is for the last time, when it must have an answer.
            wait_s: How long to wait at most, in real time.

        Raises:
            OverloadedError: As many waits are under way at the desk as may be.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait_s
        with self._bell(desk) as bell:
            while True:
                left_s = 0.0 if self._is_over else ends_at - loop.time()
                # Before looking: what comes while it looks must not be slept through.
                bell.clear()
                found = await look(left_s <= 0)
                if found.answer is not None:
                    return found.answer
                again_s = self._recheck_s if found.again_in_s is None else found.again_in_s
                await _rings(bell, min(left_s, again_s, self._recheck_s))

    @contextmanager
    def _bell(self, desk: Hashable) -> Iterator[asyncio.Event]:
        bells = self._bells[desk]
        if len(bells) >= self._waits_max:
            raise OverloadedError(f"one operator has at most {self._waits_max} pulls waiting")
        bell = asyncio.Event()
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.remove(bell)
            if not bells:
                del self._bells[desk]


async def _rings(bell: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(bell.wait(), max(seconds, 0.0))
    except TimeoutError:
        return
