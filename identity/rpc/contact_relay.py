"""Brings what has changed from the database to those who watch on one server.

Owns when the feed is passed on, read and pruned, and when those who watch are looked at again: when
news come, of contacts or of agencies, once for everybody, and never because time has passed. Every
server does it, whether anybody watches there or not: whoever is away must find it later.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from identity.domain.errors import DomainError
from identity.domain.policy_book import PolicyBook
from identity.rpc.edge import Edge
from identity.services.contact_changes import (
    Passage,
    forget_old,
    pass_on,
    read_feed,
    watch_refusals,
)

PAUSE_S = 0.1
"""Between two looks: what changes meanwhile goes together, and look-ups of contacts wait for a
transaction of this at most so often."""

RETRY_S = 2.0
"""Until the next look after one that failed: nobody tells of the same change twice."""

PRUNE_EVERY_S = 3_600.0

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What came of one look: the next part of the feed, and who may not have it any more."""

    passage: Passage
    refusals: Mapping[str, DomainError]
    is_left: bool


class ContactRelay:
    """Of one server. Belongs to one event loop.

    Args:
        edge: The service.
        policies: The rules, each in its time.
        pause_s: Between two looks.
        retry_s: After one that failed.
    """

    def __init__(
        self,
        edge: Edge,
        policies: PolicyBook,
        *,
        pause_s: float = PAUSE_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._edge = edge
        self._policies = policies
        self._pause_s = pause_s
        self._retry_s = retry_s
        self._is_due = False
        self._task: asyncio.Task[None] | None = None
        self._prunes_at = 0.0

    def wake(self, _told: str | None) -> None:
        """Have it look: something has changed, or may have."""
        self._is_due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._is_due:
            self._is_due = False
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, it looks again
                _log.warning("changed contacts wait", type=type(error).__name__)
                self._is_due = True
                await asyncio.sleep(self._retry_s)
            else:
                await asyncio.sleep(self._pause_s)

    async def _look(self) -> None:
        feed = self._edge.feed
        after = feed.last
        found = await self._edge.in_thread(partial(self._next, after, feed.agencies))
        feed.refuse(found.refusals)
        is_next = feed.hand_out(found.passage, after=after)
        # The first look only finds out where the feed is.
        self._is_due |= found.is_left or found.passage.has_more or not is_next
        now = asyncio.get_running_loop().time()
        if now >= self._prunes_at:
            self._prunes_at = now + PRUNE_EVERY_S
            await self._edge.in_thread(self._prune)

    def _next(self, after: int | None, agencies: Collection[str]) -> _Found:
        run = self._edge.transactions.run
        # Transactions of their own: what is told is committed, look-ups wait for the first one
        # only, and whoever was suspended before something is told is told none of it.
        is_left = run(partial(pass_on, at=self._edge.clock.now()))
        passage = run(partial(read_feed, after=after))
        refusals = run(partial(watch_refusals, agencies=agencies)) if agencies else {}
        return _Found(passage=passage, refusals=refusals, is_left=is_left)

    def _prune(self) -> None:
        at = self._edge.clock.now()
        kept = self._policies.at(at).contact_feed.kept
        while self._edge.transactions.run(partial(forget_old, kept=kept, at=at)):
            pass
