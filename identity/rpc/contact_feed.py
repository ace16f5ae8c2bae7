"""Who watches the feed of changed contacts on one server, and what each has still to be told.

Owns the watchers and how much may wait for each. A watcher to whom nothing is told costs nothing
but a place on the event loop. Lives on the event loop: nothing here is safe for threads. Knows no
database: `contact_relay.py` brings what has happened.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from identity.domain.errors import DomainError, OverloadedError, WatcherTooSlowError
from identity.services.contact_changes import Passage
from identity.storage.contact_changes import Hint

WATCHERS_MAX = 2_000
"""Watches under way on one server; each holds a connection of its agency."""

WAITING_MAX = 10_000
"""Hints that wait for one watcher: some 2 MiB. Whoever is slower is ended, and reads on from its
last position when it can."""

ANSWER_MAX = 1_000
"""Hints of one response."""

POSITION_EVERY_S = 3_600.0
"""A watcher to whom nothing is told is told a new position so often: it could not resume from one
that is older than everything that is kept."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One watch.

    Attributes:
        agency: Whose it is.
        since: It is handed everything after this position.
        waiting: What it has still to be told.
        bell: Rings when there is something.
        refusal: Why it is told no more, once it is not.
    """

    agency: str
    since: int
    waiting: list[Hint] = field(default_factory=list)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: DomainError | None = None

    def hand(self, hints: Sequence[Hint], *, waiting_max: int) -> None:
        """Have something wait for it."""
        if self.refusal is not None:
            return
        if len(self.waiting) + len(hints) > waiting_max:
            self.refuse(WatcherTooSlowError("more has changed than may wait: watch again"))
        else:
            self.waiting.extend(hints)
            self.bell.set()

    def refuse(self, error: DomainError) -> None:
        """Tell it no more, not even what waits for it."""
        self.refusal = error
        self.waiting.clear()
        self.bell.set()


class ContactFeed:
    """Everybody who watches on one server."""

    def __init__(
        self,
        *,
        watchers_max: int = WATCHERS_MAX,
        waiting_max: int = WAITING_MAX,
        position_every_s: float = POSITION_EVERY_S,
    ) -> None:
        self._watchers_max = watchers_max
        self._waiting_max = waiting_max
        self._position_every_s = position_every_s
        self._watchers: dict[str, set[Watcher]] = defaultdict(set)
        self._is_over = False
        self.last: int | None = None
        """What everybody was handed up to; None while nobody has said where the feed is."""

    def hand_out(self, passage: Passage, *, after: int | None) -> bool:
        """Hand the next part of the feed to those whom it concerns.

        Args:
            passage: It.
            after: Where it begins.

        Returns:
            Whether it was the next part; otherwise it must be read again.
        """
        if after != self.last:
            return False
        self.last = passage.last
        by_agency: dict[str, list[Hint]] = defaultdict(list)
        for hint in passage.hints:
            if hint.agency in self._watchers:
                by_agency[hint.agency].append(hint)
        for agency, hints in by_agency.items():
            for watcher in self._watchers[agency]:
                watcher.hand(hints, waiting_max=self._waiting_max)
        return True

    @property
    def agencies(self) -> Collection[str]:
        """Who watches."""
        return tuple(self._watchers)

    def refuse(self, refusals: Mapping[str, DomainError]) -> None:
        """End the watches of agencies, each as it is told to."""
        for agency, error in refusals.items():
            for watcher in self._watchers.get(agency, ()):
                watcher.refuse(error)

    def end(self) -> None:
        """End all watches, and have none begin: each is told what waits for it."""
        self._is_over = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.bell.set()

    @contextmanager
    def watching(self, agency: str, *, last: int) -> Iterator[Watcher]:
        """Watch during the block.

        Args:
            agency: Whose watch it is.
            last: Where the feed is, for the case that nobody has said so yet.

        Raises:
            OverloadedError: As many watch as may.
        """
        if sum(map(len, self._watchers.values())) >= self._watchers_max:
            raise OverloadedError(f"at most {self._watchers_max} watches are under way")
        if self.last is None:
            self.last = last
        watcher = Watcher(agency, since=self.last)
        if self._is_over:
            watcher.bell.set()
        self._watchers[agency].add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[agency].remove(watcher)
            if not self._watchers[agency]:
                del self._watchers[agency]

    async def passages(self, watcher: Watcher) -> AsyncIterator[Passage]:
        """What is handed to a watcher, as it comes; from time to time only how far the feed is.

        Ends when the server stops.

        Raises:
            WatcherTooSlowError: More came than may wait for it.
            PurposeNotAllowedError: Its agency may watch no more.
        """
        while True:
            is_rung = await _rings(watcher.bell, self._position_every_s)
            watcher.bell.clear()
            while watcher.waiting:
                yield self._next(watcher)
            if watcher.refusal is not None:
                raise watcher.refusal
            if self._is_over:
                return
            if not is_rung and self.last is not None:
                yield Passage(hints=(), last=self.last)

    def _next(self, watcher: Watcher) -> Passage:
        hints = watcher.waiting[:ANSWER_MAX]
        del watcher.waiting[:ANSWER_MAX]
        # When nothing waits any more, it has everything that anybody was handed.
        is_all = not watcher.waiting and self.last is not None
        return Passage(hints=hints, last=self.last if is_all else hints[-1].position)  # type: ignore[arg-type] # not None where it is all


async def _rings(bell: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(bell.wait(), seconds)
    except TimeoutError:
        return False
    return True
