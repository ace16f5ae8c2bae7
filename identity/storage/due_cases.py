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

from sqlalchemy import Connection, text

Reference = tuple[bytes, UUID]
"""Full key of a subscription: the key of its number, and its identifier."""

Place = tuple[datetime, UUID]
"""Where a reading of the clock's queue has come to: the due time and identifier of a case."""

_BY_CLOCK = """SELECT msisdn_key, subscription_id, next_due_at, case_id FROM enforcement_case
 WHERE state = 'open' AND frozen_at IS NULL AND NOT waits_for_wave AND next_due_at <= :at
  AND (next_due_at, case_id) > (CAST(:after_due AS timestamptz), CAST(:after_case AS uuid))
 ORDER BY next_due_at, case_id LIMIT :limit"""

_BY_WAVE = """SELECT e.msisdn_key, e.subscription_id, e.next_due_at, e.case_id
 FROM enforcement_case AS e JOIN subscription AS o USING (msisdn_key, subscription_id)
 WHERE e.state = 'open' AND e.frozen_at IS NULL AND e.waits_for_wave AND e.next_due_at <= :at
  AND e.track = :track AND e.steps_taken = ANY (CAST(:steps AS integer[]))
  AND e.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR e.msisdn_key < :high)
  AND (CAST(:causes AS text[]) = '{}' OR e.cause = ANY (CAST(:causes AS text[])))
  AND (CAST(:operators AS text[]) = '{}' OR o.operator_id = ANY (CAST(:operators AS text[])))
  AND (CAST(:provinces AS text[]) = '{}' OR o.province_code = ANY (CAST(:provinces AS text[])))
 LIMIT :limit"""

# A person's numbers stand under other keys: the last line is a join across the distribution keys,
# as jobs may make. Only the verified can have a primary number, so nobody else is looked up.
_ROWS = """, told AS (SELECT DISTINCT d.msisdn_key, d.subscription_id, d.track
   FROM directive AS d JOIN due USING (msisdn_key, subscription_id)
   WHERE d.state IN ('pending', 'leased') AND d.kind = 'notify'),
 climbs AS (SELECT e.msisdn_key, e.subscription_id, string_agg(concat_ws('|', e.track, e.cause,
    e.policy_version, e.steps_taken, e.next_due_at <= :at, e.frozen_at IS NULL,
    told.track IS NULL), ';' ORDER BY e.opened_at, e.track) AS kinds
   FROM enforcement_case AS e
   JOIN (SELECT DISTINCT msisdn_key, subscription_id FROM due) AS due
    USING (msisdn_key, subscription_id)
   LEFT JOIN told ON told.msisdn_key = e.msisdn_key AND told.subscription_id = e.subscription_id
    AND told.track = e.track
   WHERE e.state = 'open' GROUP BY e.msisdn_key, e.subscription_id)
 SELECT s.msisdn_key, s.subscription_id, s.service_state, s.link_state,
  s.verified_at IS NOT NULL AS is_verified, s.activated_on, climbs.kinds,
  s.verified_at IS NOT NULL AND EXISTS (SELECT FROM primary_number AS p
   WHERE p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id) AS is_primary,
  NOT EXISTS (SELECT FROM holding AS h
   JOIN subscription AS o ON o.msisdn_key = h.msisdn_key AND o.subscription_id = h.subscription_id
   WHERE h.citizen_key = s.citizen_key AND h.subscription_id <> s.subscription_id
    AND o.service_state = 'active') AS is_last_number
 FROM subscription AS s JOIN climbs USING (msisdn_key, subscription_id)
 ORDER BY s.msisdn_key FOR UPDATE OF s"""

_OF_WAVE = """SELECT e.msisdn_key, e.subscription_id FROM enforcement_case AS e
 WHERE e.state = 'open' AND e.wave_id = :wave_id
  AND e.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR e.msisdn_key < :high)"""

_CLOCK_ROWS = text(f"WITH due AS MATERIALIZED ({_BY_CLOCK}){_ROWS}")
_CLOCK_END = text(
    f"SELECT next_due_at, case_id FROM ({_BY_CLOCK}) AS due"  # noqa: S608 - no input
    " ORDER BY next_due_at DESC, case_id DESC LIMIT 1"
)
_WAVE_ROWS = text(f"WITH due AS MATERIALIZED ({_BY_WAVE}){_ROWS}")


_STEPPED_ROWS = text(f"WITH due AS MATERIALIZED ({_OF_WAVE}){_ROWS}")


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
        """The numbers of the next due cases, earliest first, locked; and where to go on from.

        Args:
            at: Cases due then or before, that no wave and no dispute holds.
            after: Where the last reading came to.
            limit: Cases read.

        Returns:
            The numbers, and the place of the last case; None when there was none.
        """
        given = {"at": at, "after_due": after[0], "after_case": after[1], "limit": limit}
        end = self.connection.execute(_CLOCK_END, given).first()
        if end is None:
            return [], None
        rows = self.connection.execute(_CLOCK_ROWS, given)
        return [_number(row) for row in rows], (end.next_due_at, end.case_id)

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
        return [_number(row) for row in self.connection.execute(_WAVE_ROWS, given)]

    def list_of_wave(
        self, wave_id: UUID, at: datetime, *, low: bytes, high: bytes | None
    ) -> Sequence[DueNumber]:
        """The numbers in a range of keys whose open cases a wave has stepped, locked."""
        given = {"wave_id": wave_id, "at": at, "low": low, "high": high}
        return [_number(row) for row in self.connection.execute(_STEPPED_ROWS, given)]


def _number(row: Any) -> DueNumber:  # noqa: ANN401 - a row of columns by name
    return DueNumber(
        reference=(row.msisdn_key, row.subscription_id),
        is_primary=row.is_primary,
        is_last_number=row.is_last_number,
        is_verified=row.is_verified,
        is_notified=not any(climb.endswith("|f") for climb in row.kinds.split(";")),
        activated_on=row.activated_on,
        likeness=(row.service_state, row.link_state, row.kinds),
    )
