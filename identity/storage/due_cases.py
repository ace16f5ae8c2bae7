"""Numbers with a step to take: which, and what makes two of them alike.

Owns the reading of due cases together with everything that the domain looks at when it takes their
steps, so that those that agree in all of it can be stepped as one. Locks what it reads. Knows no
ladder: whether a step is due is the domain's to say; this leaves out what cannot be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from identity.storage.arrays import PACKED_REFERENCES, packed

Reference = tuple[bytes, UUID]
"""Full key of a subscription: the key of its number, and its identifier."""

Place = tuple[datetime, UUID]
"""Where a reading of the clock's queue has come to: the due time and identifier of a case."""

_BY_CLOCK = text(
    "SELECT msisdn_key, subscription_id, next_due_at, case_id FROM enforcement_case"
    " WHERE state = 'open' AND frozen_at IS NULL AND NOT waits_for_wave AND next_due_at <= :at"
    " AND (next_due_at, case_id) > (CAST(:after_due AS timestamptz), CAST(:after_case AS uuid))"
    " ORDER BY next_due_at, case_id LIMIT :limit"
)
_BY_WAVE = text(
    "SELECT DISTINCT e.msisdn_key, e.subscription_id"
    " FROM enforcement_case AS e JOIN subscription AS s USING (msisdn_key, subscription_id)"
    " WHERE e.state = 'open' AND e.frozen_at IS NULL AND e.waits_for_wave AND e.next_due_at <= :at"
    " AND e.track = :track AND e.steps_taken = ANY (CAST(:steps AS integer[]))"
    " AND e.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR e.msisdn_key < :high)"
    # The planner does not see that these lie in the slice, too.
    " AND s.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR s.msisdn_key < :high)"
    " AND (CAST(:causes AS text[]) = '{}' OR e.cause = ANY (CAST(:causes AS text[])))"
    " AND (CAST(:operators AS text[]) = '{}' OR s.operator_id = ANY (CAST(:operators AS text[])))"
    " AND (CAST(:provinces AS text[]) = '{}' OR s.province_code = ANY (CAST(:provinces AS text[])))"
    " LIMIT :limit"
)
_OF_WAVE = text(
    "SELECT DISTINCT msisdn_key, subscription_id FROM enforcement_case"
    " WHERE state = 'open' AND wave_id = :wave_id"
    " AND msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR msisdn_key < :high)"
)

# Each of these goes by keys alone, so that no plan hangs on what the planner believes of cases: it
# has joined 20,000 with 20,000 of them by comparing each with each.
#
# A person's numbers stand under other keys: to count them is a join across the distribution keys,
# as jobs may make. Only the verified can have a primary number, so nobody else is looked up.
_NUMBERS = text(
    "SELECT s.msisdn_key, s.subscription_id, s.service_state, s.link_state,"  # noqa: S608 - no input
    " s.verified_at IS NOT NULL AS is_verified, s.activated_on,"
    " s.verified_at IS NOT NULL AND (SELECT count(*) FROM primary_number AS p"
    "  WHERE p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id) > 0"
    "  AS is_primary,"
    " (SELECT count(*) FROM holding AS h JOIN subscription AS o"
    "   ON o.msisdn_key = h.msisdn_key AND o.subscription_id = h.subscription_id"
    "  WHERE h.citizen_key = s.citizen_key AND h.subscription_id <> s.subscription_id"
    "  AND o.service_state = 'active') = 0 AS is_last_number"
    f" FROM {PACKED_REFERENCES} AS n JOIN subscription AS s"
    "  ON s.msisdn_key = n.key AND s.subscription_id = n.id"
    " ORDER BY s.msisdn_key FOR UPDATE OF s"
)
_CLIMBS = text(
    "SELECT e.subscription_id, string_agg(concat_ws('|', e.track, e.cause, e.policy_version,"  # noqa: S608 - no input
    "  e.steps_taken, e.next_due_at <= :at, e.frozen_at IS NULL, e.wave_id), ';'"
    "  ORDER BY e.opened_at, e.track) AS climbs"
    f" FROM {PACKED_REFERENCES} AS n JOIN enforcement_case AS e"
    "  ON e.msisdn_key = n.key AND e.subscription_id = n.id"
    " WHERE e.state = 'open' GROUP BY e.subscription_id"
)
_UNDELIVERED = text(
    "SELECT d.subscription_id"  # noqa: S608 - no input
    f" FROM {PACKED_REFERENCES} AS n JOIN directive AS d"
    "  ON d.msisdn_key = n.key AND d.subscription_id = n.id"
    " WHERE d.state IN ('pending', 'leased') AND d.kind = 'notify'"
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
    """

    track: str
    steps: tuple[int, ...]
    causes: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNumber:
    """A number that may have a step to take.

    Attributes:
        reference: Its full key.
        is_primary: It is its holder's primary number.
        is_last_number: Its holder has no other number in service both ways.
        is_verified: Its holder was verified.
        is_notified: No notice of its cases is still on its way.
        activated_on: The first day of its contract.
        likeness: Equal for numbers that agree in all else that the domain looks at.
    """

    reference: Reference
    is_primary: bool
    is_last_number: bool
    is_verified: bool
    is_notified: bool
    activated_on: date | None
    likeness: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueCases:
    """Due cases, in one transaction."""

    connection: Connection

    def list_by_clock(
        self, at: datetime, *, after: Place, limit: int
    ) -> tuple[Sequence[DueNumber], Place | None]:
        """The numbers of the next due cases, locked; and where to go on from.

        Args:
            at: Cases due then or before, that no wave and no dispute holds.
            after: Where the last reading came to.
            limit: Cases read, those longest due first.

        Returns:
            The numbers, and the place of the last case; None when there was none.
        """
        given = {"at": at, "after_due": after[0], "after_case": after[1], "limit": limit}
        rows = self.connection.execute(_BY_CLOCK, given).all()
        if not rows:
            return [], None
        references = dict.fromkeys((row.msisdn_key, row.subscription_id) for row in rows)
        return self._numbers(list(references), at), (rows[-1].next_due_at, rows[-1].case_id)

    def list_by_wave(
        self, reach: WaveReach, at: datetime, *, low: bytes, high: bytes | None, limit: int
    ) -> Sequence[DueNumber]:
        """The numbers in a range of keys that wait for a wave, locked."""
        given = {
            "at": at,
            "track": reach.track,
            "steps": list(reach.steps),
            "causes": list(reach.causes),
            "operators": list(reach.operators),
            "provinces": list(reach.provinces),
            "low": low,
            "high": high,
            "limit": limit,
        }
        rows = self.connection.execute(_BY_WAVE, given)
        return self._numbers([(key, identity) for key, identity in rows], at)

    def list_of_wave(
        self, wave_id: UUID, at: datetime, *, low: bytes, high: bytes | None
    ) -> Sequence[DueNumber]:
        """The numbers in a range of keys whose open cases a wave has stepped, locked."""
        rows = self.connection.execute(_OF_WAVE, {"wave_id": wave_id, "low": low, "high": high})
        return self._numbers([(key, identity) for key, identity in rows], at)

    def _numbers(self, references: Sequence[Reference], at: datetime) -> Sequence[DueNumber]:
        if not references:
            return []
        given = packed(references)
        # Locked first: what is read then of their cases is as it stays.
        rows = self.connection.execute(_NUMBERS, given).all()
        climbs = {
            row.subscription_id: row.climbs
            for row in self.connection.execute(_CLIMBS, {**given, "at": at})
        }
        undelivered = set(self.connection.execute(_UNDELIVERED, given).scalars())
        return [
            DueNumber(
                reference=(row.msisdn_key, row.subscription_id),
                is_primary=row.is_primary,
                is_last_number=row.is_last_number,
                is_verified=row.is_verified,
                is_notified=row.subscription_id not in undelivered,
                activated_on=row.activated_on,
                likeness=(row.service_state, row.link_state, climbs[row.subscription_id]),
            )
            for row in rows
            if row.subscription_id in climbs
        ]
