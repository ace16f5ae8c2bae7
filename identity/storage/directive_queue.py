"""Which of an operator's directives go next: the oldest, and those of one number in their order.

Owns the choice and its cost, which grows with what is asked for and not with what is open, out or
done. Three partial indexes of `directive` hold nothing else: what is ready, by its place; what is
out, by when it comes back; what is open of a number. An order that must wait for one before it
bears the end of that one's lease and stands with what is out. Knows nothing of what is ordered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, text

from identity.storage.arrays import Reference
from identity.storage.operator_news import Topic, telling

# The states are spelled out as in the indexes: the planner must see that these hold what is asked.
# Each number is looked for by itself (LATERAL), and never among all that is open or out.
_CANDIDATES = text(
    "WITH ready AS (SELECT * FROM directive"
    " WHERE operator_id = :operator_id AND state = 'pending' AND lease_expires_at IS NULL"
    " ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED),"
    " returned AS (SELECT * FROM directive WHERE operator_id = :operator_id"
    " AND state IN ('pending', 'leased') AND lease_expires_at <= :at"
    " ORDER BY lease_expires_at, position LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " SELECT * FROM ready UNION ALL SELECT * FROM returned ORDER BY position"
)
_NUMBERS = text(
    "SELECT DISTINCT msisdn_key, subscription_id FROM directive"
    " WHERE directive_id = ANY (CAST(:ids AS uuid[])) AND operator_id = :operator_id"
)
# Known ones as a set (NOT IN a query): each in an array of 10,000 is looked for from its beginning.
_FIRST_OTHERS = text(
    "SELECT other.* FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS number (key, id)"
    " CROSS JOIN LATERAL (SELECT * FROM directive"
    " WHERE msisdn_key = number.key AND subscription_id = number.id"
    " AND state IN ('pending', 'leased')"
    " AND directive_id NOT IN (SELECT unnest(CAST(:known AS uuid[])))"
    " ORDER BY position LIMIT 1) AS other"
)
_LOCK = text(
    "SELECT held.* FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS one (key, id)"
    " CROSS JOIN LATERAL (SELECT * FROM directive"
    " WHERE msisdn_key = one.key AND directive_id = one.id"
    " AND state IN ('pending', 'leased') FOR UPDATE SKIP LOCKED) AS held"
)
_HAND_OUT = text(
    "UPDATE directive SET state = 'leased', lease_id = :lease_id, lease_expires_at = :expires_at,"
    " handed_at = coalesce(handed_at, CAST(:at AS timestamptz))"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS one (key, id)"
    " WHERE directive.msisdn_key = one.key AND directive.directive_id = one.id"
)
_MAKE_WAIT = text(
    "UPDATE directive SET state = 'pending', lease_id = NULL, lease_expires_at = left_over.ends_at"
    " FROM (SELECT free.*, number.ends_at"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:ends AS timestamptz[]))"
    " AS number (key, id, ends_at)"
    " CROSS JOIN LATERAL (SELECT msisdn_key, directive_id FROM directive"
    " WHERE msisdn_key = number.key AND subscription_id = number.id"
    " AND state IN ('pending', 'leased')"
    " AND (lease_expires_at IS NULL OR lease_expires_at <= :at)"
    " FOR UPDATE SKIP LOCKED) AS free) AS left_over"
    " WHERE directive.msisdn_key = left_over.msisdn_key"
    " AND directive.directive_id = left_over.directive_id"
)
_OUT_UNTIL = text(
    "SELECT number.key, number.id, out.ends_at"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS number (key, id)"
    " CROSS JOIN LATERAL (SELECT max(lease_expires_at) AS ends_at FROM directive"
    " WHERE msisdn_key = number.key AND subscription_id = number.id"
    " AND state IN ('pending', 'leased')) AS out"
    " WHERE out.ends_at IS NOT NULL"
)
_LET_GO = text(
    telling(
        Topic.DIRECTIVE,
        "UPDATE directive SET lease_expires_at = NULL"
        " FROM (SELECT waiting.*"
        " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS number (key, id)"
        " CROSS JOIN LATERAL (SELECT msisdn_key, directive_id FROM directive"
        " WHERE msisdn_key = number.key AND subscription_id = number.id"
        " AND state = 'pending' AND lease_expires_at IS NOT NULL FOR UPDATE) AS waiting) AS behind"
        " WHERE directive.msisdn_key = behind.msisdn_key"
        " AND directive.directive_id = behind.directive_id",
    )
)
_NEXT_AT = text(
    "SELECT CASE WHEN EXISTS (SELECT FROM directive WHERE operator_id = :operator_id"
    " AND state = 'pending' AND lease_expires_at IS NULL) THEN CAST(:at AS timestamptz)"
    " ELSE (SELECT min(lease_expires_at) FROM directive WHERE operator_id = :operator_id"
    " AND state IN ('pending', 'leased') AND lease_expires_at IS NOT NULL) END"
)


@dataclass(frozen=True, slots=True)
class DirectiveQueue:
    """What waits to be handed out, in one transaction."""

    connection: Connection

    def take(
        self, operator_id: str, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[RowMapping]:
        """Lease an operator's next directives; rows of `directive` as they were, in their order.

        What others hold at this moment is passed over, and so is what follows it.
        """
        # Pulls of one operator take turns: a later one would pass over what an earlier one is
        # about to lease, and hand out the order that follows it.
        turn = func.pg_advisory_xact_lock(func.hashtext("subid.lease"), func.hashtext(operator_id))
        self.connection.execute(select(turn))
        while candidates := self._candidates(operator_id, at=at, limit=limit):
            others = self._first_others(candidates)
            held = self._lock(others)
            rows = [*candidates, *(row for row in held if not _is_out(row, at))]
            taken = _first_of_each(rows, others)[:limit]
            ends = {_number(row): row["lease_expires_at"] for row in held if _is_out(row, at)}
            left = {_number(row) for row in others} | _numbers_beside(candidates, taken)
            ends |= {_number(row): expires_at for row in taken if _number(row) in left}
            self._hand_out(taken, lease_id=lease_id, expires_at=expires_at, at=at)
            has_moved = self._make_wait(ends, at=at)
            # Again while those in front only had to step aside: there may be others behind them.
            if taken or not has_moved:
                return taken
        return []

    def numbers_of(self, operator_id: str, ids: Iterable[UUID]) -> Sequence[Reference]:
        """The numbers of an operator's directives, whatever became of them."""
        given = {"operator_id": operator_id, "ids": list(ids)}
        return [(key, identity) for key, identity in self.connection.execute(_NUMBERS, given)]

    def out_until(self, numbers: Iterable[Reference]) -> Mapping[Reference, datetime]:
        """When what is out of some numbers comes back: new orders for them wait until then."""
        rows = self.connection.execute(_OUT_UNTIL, _listed(numbers))
        return {(key, identity): ends_at for key, identity, ends_at in rows}

    def next_at(self, operator_id: str, *, at: datetime) -> datetime | None:
        """When an operator has something to lease: at once, or when a lease ends; or never yet."""
        given = {"operator_id": operator_id, "at": at}
        found: datetime | None = self.connection.execute(_NEXT_AT, given).scalar()
        return found

    def let_go(self, numbers: Iterable[Reference]) -> None:
        """Have what waits behind orders of some numbers wait no longer, unless it must anew."""
        self.connection.execute(_LET_GO, _listed(numbers))

    def _candidates(self, operator_id: str, *, at: datetime, limit: int) -> Sequence[RowMapping]:
        given = {"operator_id": operator_id, "at": at, "limit": limit}
        return self.connection.execute(_CANDIDATES, given).mappings().all()

    def _first_others(self, candidates: Sequence[RowMapping]) -> Sequence[RowMapping]:
        """Of each candidate's number the first open order that is no candidate."""
        known = [row["directive_id"] for row in candidates]
        given = {**_listed({_number(row) for row in candidates}), "known": known}
        return self.connection.execute(_FIRST_OTHERS, given).mappings().all()

    def _lock(self, rows: Sequence[RowMapping]) -> Sequence[RowMapping]:
        """Those of some open orders that nobody has, as they are now."""
        if not rows:
            return rows
        return self.connection.execute(_LOCK, _listed(map(_identity, rows))).mappings().all()

    def _hand_out(
        self, rows: Iterable[RowMapping], *, lease_id: UUID, expires_at: datetime, at: datetime
    ) -> None:
        given = {"lease_id": lease_id, "expires_at": expires_at, "at": at}
        self.connection.execute(_HAND_OUT, {**_listed(map(_identity, rows)), **given})

    def _make_wait(self, ends: Mapping[Reference, datetime], *, at: datetime) -> bool:
        """Move what is left of numbers that are out behind it; whether there was any."""
        if not ends:
            return False
        given = {**_listed(ends), "ends": list(ends.values()), "at": at}
        return self.connection.execute(_MAKE_WAIT, given).rowcount > 0


def _first_of_each(
    rows: Iterable[RowMapping], others: Iterable[RowMapping]
) -> Sequence[RowMapping]:
    """Orders in their order, of each number up to the first one that is not at hand."""
    stops = {_number(row): row["position"] for row in others}
    ordered = sorted(rows, key=lambda row: row["position"])
    return [row for row in ordered if row["position"] <= stops.get(_number(row), row["position"])]


def _numbers_beside(rows: Iterable[RowMapping], taken: Iterable[RowMapping]) -> set[Reference]:
    """Numbers of those rows that were not taken."""
    taken_ids = {row["directive_id"] for row in taken}
    return {_number(row) for row in rows if row["directive_id"] not in taken_ids}


def _is_out(row: RowMapping, at: datetime) -> bool:
    ends_at = row["lease_expires_at"]
    return ends_at is not None and ends_at > at


def _number(row: RowMapping) -> Reference:
    return row["msisdn_key"], row["subscription_id"]


def _identity(row: RowMapping) -> tuple[bytes, UUID]:
    return row["msisdn_key"], row["directive_id"]


def _listed(pairs: Iterable[tuple[bytes, UUID]]) -> dict[str, Any]:
    listed = list(pairs)
    return {"keys": [key for key, _ in listed], "ids": [identity for _, identity in listed]}
