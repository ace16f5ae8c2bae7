"""Comparisons of every claim with the records: which slices of one are done.

Owns the rows of `link_run` and `link_run_slice`, and what a slice is: a range of keys. Keys are
blind indexes, spread evenly, so equal ranges hold about as many numbers.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.storage.bulk_tables import link_run, link_run_slice

_PREFIX_BYTES = 4
_ESTIMATE = text(
    "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0) FROM pg_partition_tree('subscription') AS t"
    " JOIN pg_class AS c ON c.oid = t.relid WHERE t.isleaf"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRun:
    """One run.

    Attributes:
        run_id: Its identifier.
        slice_count: How many slices it has.
        done: Those that are done.
    """

    run_id: UUID
    slice_count: int
    done: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTotals:
    """What a run came to."""

    compared_count: int
    changed_count: int


def slice_bounds(place: int, *, of: int) -> tuple[bytes, bytes | None]:
    """The first key of a slice and the first after it; None at the end of all."""
    space = 1 << 8 * _PREFIX_BYTES
    low = (place * space // of).to_bytes(_PREFIX_BYTES, "big")
    if place + 1 == of:
        return low, None
    return low, ((place + 1) * space // of).to_bytes(_PREFIX_BYTES, "big")


@dataclass(frozen=True, slots=True)
class LinkRuns:
    """The runs, in one transaction."""

    connection: Connection

    def estimate_subscriptions(self) -> int:
        """About how many subscriptions there are, as the planner knows it; 0 before it does."""
        return int(self.connection.execute(_ESTIMATE).scalar_one())

    def begin(self, run_id: UUID, *, slice_count: int, at: datetime) -> LinkRun:
        """The run that is under way; a new one where there is none."""
        statement = insert(link_run).values(run_id=run_id, slice_count=slice_count, began_at=at)
        under_way = select(link_run.c.run_id, link_run.c.slice_count).where(
            link_run.c.completed_at.is_(None)
        )
        run = None
        while run is None:  # one that stood in the way may have been completed since
            self.connection.execute(statement.on_conflict_do_nothing())
            run = self.connection.execute(under_way).first()
        done = self.connection.execute(
            select(link_run_slice.c.slice).where(link_run_slice.c.run_id == run.run_id)
        )
        return LinkRun(
            run_id=run.run_id, slice_count=run.slice_count, done=frozenset(done.scalars())
        )

    def take(self, run_id: UUID, place: int) -> bool:
        """Take a slice, until the transaction ends; False when another process has done it."""
        statement = insert(link_run_slice).values(
            run_id=run_id, slice=place, compared_count=0, changed_count=0
        )
        taken = self.connection.execute(
            statement.on_conflict_do_nothing().returning(link_run_slice.c.slice)
        )
        return taken.first() is not None

    def count(self, run_id: UUID, place: int, totals: LinkTotals) -> None:
        """Note what came of a slice taken in this transaction."""
        self.connection.execute(
            update(link_run_slice)
            .where(link_run_slice.c.run_id == run_id, link_run_slice.c.slice == place)
            .values(compared_count=totals.compared_count, changed_count=totals.changed_count)
        )

    def complete(self, run_id: UUID, *, at: datetime) -> bool:
        """Every slice is done; False when another process has said so."""
        completed = self.connection.execute(
            update(link_run)
            .where(link_run.c.run_id == run_id, link_run.c.completed_at.is_(None))
            .values(completed_at=at)
            .returning(link_run.c.run_id)
        )
        return completed.first() is not None

    def totals(self, run_id: UUID) -> LinkTotals:
        """What its slices came to."""
        totals = self.connection.execute(
            select(
                func.coalesce(func.sum(link_run_slice.c.compared_count), 0).label("compared"),
                func.coalesce(func.sum(link_run_slice.c.changed_count), 0).label("changed"),
            ).where(link_run_slice.c.run_id == run_id)
        ).one()
        return LinkTotals(compared_count=int(totals.compared), changed_count=int(totals.changed))
