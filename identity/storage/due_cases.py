"""Numbers with a step to take: which, and what makes two of them alike.

Owns the reading of due cases together with everything that the domain looks at when it takes their
steps, so that those that agree in all of it can be stepped as one. Locks what it reads. Knows no
ladder: whether a step is due is the domain's to say; this leaves out what cannot be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from identity.storage.arrays import PACKED_REFERENCES, References, over_references
from identity.storage.subscriptions import lock_all

KeyRange = tuple[bytes, bytes | None]
"""The least key of a range, and the first one behind it; None for no end."""

Place = tuple[datetime, UUID]
"""Where a reading of the clock's queue has come to: the due time and identifier of a case."""

# Full keys go out as they come in again: packed. Nothing here handles each of them.
_PACKED = (
    " string_agg(msisdn_key, '' ORDER BY msisdn_key, subscription_id) AS packed_keys,"
    " string_agg(uuid_send(subscription_id), '' ORDER BY msisdn_key, subscription_id) AS packed_ids"
)
_BY_CLOCK = text(
    "WITH due AS MATERIALIZED (SELECT msisdn_key, subscription_id, next_due_at, case_id"  # noqa: S608 - no input
    "  FROM enforcement_case"
    "  WHERE state = 'open' AND frozen_at IS NULL AND NOT waits_for_wave AND next_due_at <= :at"
    "  AND (next_due_at, case_id) > (CAST(:after_due AS timestamptz), CAST(:after_case AS uuid))"
    "  ORDER BY next_due_at, case_id LIMIT :limit)"
    " SELECT numbers.*, last.* FROM"
    f" (SELECT {_PACKED} FROM (SELECT DISTINCT msisdn_key, subscription_id FROM due) AS one)"
    "  AS numbers,"
    " (SELECT next_due_at, case_id FROM due ORDER BY next_due_at DESC, case_id DESC LIMIT 1)"
    "  AS last"
)
_WAITING = (
    " FROM enforcement_case AS e JOIN subscription AS s"
    "  ON s.msisdn_key = e.msisdn_key AND s.subscription_id = e.subscription_id"
    "  AND s.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR s.msisdn_key < :high)"
    " WHERE e.state = 'open' AND e.frozen_at IS NULL AND e.waits_for_wave AND e.next_due_at <= :at"
    " AND e.track = :track AND e.steps_taken = ANY (CAST(:steps AS integer[]))"
    " AND e.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR e.msisdn_key < :high)"
    # The planner does not see that these lie in the slice, too.
    " AND s.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR s.msisdn_key < :high)"
    " AND (CAST(:causes AS text[]) = '{}' OR e.cause = ANY (CAST(:causes AS text[])))"
    " AND (CAST(:operators AS text[]) = '{}' OR s.operator_id = ANY (CAST(:operators AS text[])))"
    " AND (CAST(:provinces AS text[]) = '{}' OR s.province_code = ANY (CAST(:provinces AS text[])))"
)
_BY_WAVE = text(
    f"SELECT {_PACKED} FROM (SELECT e.msisdn_key, e.subscription_id{_WAITING}) AS waiting"  # noqa: S608 - no input
)
# What is held would keep its place at the front, and no number behind it would ever be taken.
_FIRST_BY_WAVE = text(
    f"SELECT {_PACKED} FROM (SELECT e.msisdn_key, e.subscription_id{_WAITING}"  # noqa: S608 - no input
    " AND (:has_primaries OR NOT EXISTS (SELECT FROM primary_number AS p"
    "  WHERE p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id))"
    " AND NOT EXISTS (SELECT FROM directive AS d WHERE d.msisdn_key = e.msisdn_key"
    "  AND d.subscription_id = e.subscription_id"
    "  AND d.state IN ('pending', 'leased') AND d.kind = 'notify')"
    " ORDER BY e.next_due_at, e.case_id LIMIT :limit) AS waiting"
)
# A number has one open case on a ladder, and a wave steps one ladder.
_OF_WAVE = text(
    f"SELECT {_PACKED} FROM enforcement_case"  # noqa: S608 - no input
    " WHERE state = 'open' AND wave_id = :wave_id"
    " AND msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR msisdn_key < :high)"
)

# What is open of each number, cases and notices, comes together first: a join of the two goes wrong
# where the planner believes in few of either. It has joined 20,000 with 20,000 by comparing each
# with each.
#
# A person's numbers stand under other keys: to count them is a join across the distribution keys,
# as jobs may make. Only the verified can have a primary number, so nobody else is looked up.
_ALIKE = over_references(
    lambda are: (
        "WITH open AS MATERIALIZED ("  # noqa: S608 - no input
        "SELECT key, id, string_agg(climb, ';' ORDER BY opened_at, track) COLLATE \"C\" AS climbs,"
        " bool_and(climb IS NOT NULL) AS is_notified FROM ("
        "SELECT e.msisdn_key AS key, e.subscription_id AS id, e.opened_at, e.track,"
        " concat_ws('|', e.track, e.cause, e.policy_version, e.steps_taken, e.next_due_at <= :at,"
        "  e.frozen_at IS NULL, e.wave_id) AS climb"
        f" FROM {PACKED_REFERENCES} AS n JOIN enforcement_case AS e ON {are('e')}"
        " WHERE e.state = 'open'"
        " UNION ALL SELECT d.msisdn_key, d.subscription_id, NULL, NULL, NULL"
        f" FROM {PACKED_REFERENCES} AS n JOIN directive AS d ON {are('d')}"
        " WHERE d.state IN ('pending', 'leased') AND d.kind = 'notify'"
        ") AS each GROUP BY key, id HAVING count(climb) > 0),"
        " numbers AS (SELECT s.msisdn_key, s.subscription_id, s.service_state, s.link_state,"
        " s.verified_at IS NOT NULL AS is_verified, n.climbs, n.is_notified,"
        " width_bucket(s.activated_on, CAST(:days AS date[])) AS activated,"
        " s.verified_at IS NOT NULL AND (SELECT count(*) FROM primary_number AS p"
        "  WHERE p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id) > 0"
        "  AS is_primary,"
        " (SELECT count(*) FROM holding AS h JOIN subscription AS o"
        "   ON o.msisdn_key = h.msisdn_key AND o.subscription_id = h.subscription_id"
        "  WHERE h.citizen_key = s.citizen_key AND h.subscription_id <> s.subscription_id"
        "  AND o.service_state = 'active') = 0 AS is_last_number"
        f" FROM open AS n JOIN subscription AS s ON {are('s')})"
        f" SELECT is_primary, is_last_number, is_verified, is_notified, {_PACKED} FROM numbers"
        " GROUP BY service_state, link_state, climbs, activated,"
        " is_primary, is_last_number, is_verified, is_notified"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveReach:
    """Which cases a wave takes; empty lists take all.

    Attributes:
        track: The ladder.
        steps: How many rungs are behind a case that waits, one for each pack with that ladder.
        causes: Names of causes.
        operators: Names of operators.
        provinces: Codes of provinces.
        has_primaries: Whether primary numbers are taken too.
    """

    track: str
    steps: tuple[int, ...]
    causes: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    has_primaries: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNumbers:
    """Numbers that may have a step to take, and that agree in all that the domain looks at.

    Attributes:
        references: Their full keys, at least one.
        is_primary: They are their holders' primary numbers.
        is_last_number: Their holders have no other number in service both ways.
        is_verified: Their holders were verified.
        is_notified: No notice of their cases is still on its way.
    """

    references: References
    is_primary: bool
    is_last_number: bool
    is_verified: bool
    is_notified: bool


@dataclass(frozen=True, slots=True)
class DueCases:
    """Due cases, in one transaction.

    `days` parts numbers that are alike in all else: those whose contract began before such a day,
    and those whose began on it or later.
    """

    connection: Connection

    def list_by_clock(
        self, at: datetime, *, after: Place, limit: int, days: Sequence[date]
    ) -> tuple[Sequence[DueNumbers], Place | None]:
        """The numbers of the next due cases, locked; and where to go on from.

        Args:
            at: Cases due then or before, that no wave and no dispute holds.
            after: Where the last reading came to.
            limit: Cases read, those longest due first.
            days: Days that part contracts, in their order.

        Returns:
            The numbers, and the place of the last case; None when there was none.
        """
        given = {"at": at, "after_due": after[0], "after_case": after[1], "limit": limit}
        row = self.connection.execute(_BY_CLOCK, given).first()
        if row is None:
            return [], None
        return self._alike(row, at, days), (row.next_due_at, row.case_id)

    def list_by_wave(
        self,
        reach: WaveReach,
        at: datetime,
        *,
        keys: KeyRange,
        limit: int | None,
        days: Sequence[date],
    ) -> Sequence[DueNumbers]:
        """The numbers in a range of keys that wait for a wave, locked.

        Args:
            reach: Which.
            at: Cases due then or before.
            keys: The range.
            limit: The most numbers, those longest due first of those that nothing holds; None for
                all, and who holds what is for others to ask.
            days: Days that part contracts, in their order.
        """
        given = {
            "at": at,
            "track": reach.track,
            "steps": list(reach.steps),
            "causes": list(reach.causes),
            "operators": list(reach.operators),
            "provinces": list(reach.provinces),
            "low": keys[0],
            "high": keys[1],
        }
        query = _BY_WAVE
        if limit is not None:
            query, given = (
                _FIRST_BY_WAVE,
                {**given, "limit": limit, "has_primaries": reach.has_primaries},
            )
        return self._in_range(self.connection.execute(query, given).one(), at, days)

    def list_of_wave(
        self, wave_id: UUID, at: datetime, *, keys: KeyRange, days: Sequence[date]
    ) -> Sequence[DueNumbers]:
        """The numbers in a range of keys whose open cases a wave has stepped, locked."""
        given = {"wave_id": wave_id, "low": keys[0], "high": keys[1]}
        return self._in_range(self.connection.execute(_OF_WAVE, given).one(), at, days)

    def _in_range(self, row: Row[Any], at: datetime, days: Sequence[date]) -> Sequence[DueNumbers]:
        return self._alike(row, at, days, is_range=True)

    def _alike(
        self, row: Row[Any], at: datetime, days: Sequence[date], *, is_range: bool = False
    ) -> Sequence[DueNumbers]:
        if not row.packed_keys:
            return []
        references = References(row.packed_keys, row.packed_ids, is_range)
        # Locked first: what is read then of their cases is as it stays.
        lock_all(self.connection, references)
        rows = self.connection.execute(
            _ALIKE(references), {**references.parameters, "at": at, "days": list(days)}
        )
        return [
            DueNumbers(
                references=References(row.packed_keys, row.packed_ids, is_range),
                is_primary=row.is_primary,
                is_last_number=row.is_last_number,
                is_verified=row.is_verified,
                is_notified=row.is_notified,
            )
            for row in rows
        ]
