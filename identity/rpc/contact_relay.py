"""Brings what has changed from the database to those who watch on one server.

Owns when the feed is passed on, read and pruned: when news come, once for everybody, and never
because time has passed. Every server does it, whether anybody watches there or not: whoever is away
must find it later.
"""

import asyncio
from contextlib import suppress
from functools import partial

import structlog

from identity.domain.policy_book import PolicyBook
from identity.rpc.edge import Edge
from identity.services.contact_changes import Passage, forget_old, pass_on, read_feed

PAUSE_S = 0.1
"""Between two looks: what changes meanwhile goes together, and look-ups of contacts wait for a
transaction of this at most so often."""

RETRY_S = 2.0
"""Until the next look after one that failed: nobody tells of the same change twice."""

PRUNE_EVERY_S = 3_600.0

_log = structlog.get_logger("subid")


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
        after = self._edge.feed.last
        is_left, passage = await self._edge.in_thread(partial(self._next, after))
        is_next = self._edge.feed.hand_out(passage, after=after)
        # The first look only finds out where the feed is.
        self._is_due |= is_left or passage.has_more or not is_next
        now = asyncio.get_running_loop().time()
        if now >= self._prunes_at:
            self._prunes_at = now + PRUNE_EVERY_S
            await self._edge.in_thread(self._prune)

    def _next(self, after: int | None) -> tuple[bool, Passage]:
        run = self._edge.transactions.run
        # Two transactions: what is told is committed, and look-ups wait for the first one only.
        is_left = run(partial(pass_on, at=self._edge.clock.now()))
        return is_left, run(partial(read_feed, after=after))

    def _prune(self) -> None:
        at = self._edge.clock.now()
        kept = self._policies.at(at).contact_feed.kept
        while self._edge.transactions.run(partial(forget_old, kept=kept, at=at)):
            pass
