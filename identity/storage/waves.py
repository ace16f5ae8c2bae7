"""Waves, their approvals and slices, and the counts that a preview and a stop are made of.

Owns the rows of `wave`, `wave_approval` and `wave_slice`, and what a wave left in the cases. Which
waves may be executed is the domain's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.policy import CaseCause, StepKind, Track
from identity.domain.wave import Aftermath, Rung, Wave, WaveCriteria, WavePreview, WaveState
from identity.storage.arrays import PACKED_REFERENCES, References, over_references
from identity.storage.conversions import storable
from identity.storage.due_cases import WaveReach
from identity.storage.enforcement_tables import wave, wave_approval, wave_slice
from identity.storage.subscriptions import RowKey

_REACH = """e.state = 'open' AND e.waits_for_wave AND e.next_due_at <= :at
  AND e.track = :track AND e.steps_taken = ANY (CAST(:steps AS integer[]))
  AND (CAST(:causes AS text[]) = '{}' OR e.cause = ANY (CAST(:causes AS text[])))
  AND (CAST(:operators AS text[]) = '{}' OR s.operator_id = ANY (CAST(:operators AS text[])))
  AND (CAST(:provinces AS text[]) = '{}' OR s.province_code = ANY (CAST(:provinces AS text[])))"""

# What a wave would meet, cut up by operator and province. Whether the holder keeps another number
# is a join across the distribution keys: a preview is a job.
_COUNT = text(
    f"""WITH waiting AS MATERIALIZED (
  SELECT s.msisdn_key, s.subscription_id, s.citizen_key, s.operator_id,
   coalesce(s.province_code, '') AS province_code,
   e.frozen_at IS NOT NULL OR (ladder.waits AND told.subscription_id IS NOT NULL)
    OR (p.citizen_key IS NOT NULL AND (NOT :has_primaries
     OR e.next_due_at + make_interval(secs => ladder.extra_s) > :at)) AS is_held,
   p.citizen_key IS NOT NULL AS is_primary, s.service_state = 'active' AS is_active,
   s.link_state = 'linked' AND s.verified_at >= CAST(:at AS timestamptz) - interval '1 day'
    AS is_recent
  FROM enforcement_case AS e JOIN subscription AS s USING (msisdn_key, subscription_id)
  JOIN unnest(CAST(:versions AS text[]), CAST(:extras_s AS float[]), CAST(:waits AS boolean[]))
   AS ladder (version, extra_s, waits) ON ladder.version = e.policy_version
  LEFT JOIN primary_number AS p
   ON p.citizen_key = s.citizen_key AND p.subscription_id = s.subscription_id
  LEFT JOIN (SELECT DISTINCT msisdn_key, subscription_id FROM directive
    WHERE state IN ('pending', 'leased') AND kind = 'notify') AS told
   ON told.msisdn_key = e.msisdn_key AND told.subscription_id = e.subscription_id
  WHERE {_REACH}),
 taken AS (SELECT * FROM waiting WHERE NOT is_held),
 lost AS (SELECT citizen_key, count(*) FILTER (WHERE is_active) AS numbers
  FROM taken GROUP BY citizen_key),
 left_dark AS (SELECT count(*) AS people FROM lost
  JOIN (SELECT h.citizen_key, count(*) AS numbers FROM holding AS h
   JOIN subscription AS o ON o.msisdn_key = h.msisdn_key AND o.subscription_id = h.subscription_id
   WHERE o.service_state = 'active' GROUP BY h.citizen_key) AS has USING (citizen_key)
  WHERE has.numbers <= lost.numbers)
 SELECT operator_id, province_code, count(*) FILTER (WHERE NOT is_held) AS numbers,
  count(*) FILTER (WHERE is_primary AND NOT is_held) AS primaries,
  count(*) FILTER (WHERE is_recent AND NOT is_held) AS recent,
  count(*) FILTER (WHERE is_held) AS held, (SELECT people FROM left_dark) AS people
 FROM waiting GROUP BY operator_id, province_code"""  # noqa: S608 - no input
)

# Keys are keyed digests, so the first of them are a sample.
_SAMPLE = text(
    "SELECT s.msisdn_key, s.subscription_id, s.claim_sealed FROM enforcement_case AS e"  # noqa: S608 - no input
    f" JOIN subscription AS s USING (msisdn_key, subscription_id) WHERE {_REACH}"
    " ORDER BY s.msisdn_key LIMIT :limit"
)

_AFTERMATH = text(
    "SELECT count(*) AS numbers, count(*) FILTER (WHERE e.state = 'cured') AS cured,"
    " (SELECT count(*) FROM complaint AS c WHERE c.filed_at >= :since"
    "  AND c.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR c.msisdn_key < :high)"
    "  AND EXISTS (SELECT FROM enforcement_case AS of WHERE of.msisdn_key = c.msisdn_key"
    "   AND of.subscription_id = c.subscription_id AND of.wave_id = :wave_id"
    # The planner does not see that these lie in the slice, too.
    "   AND of.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR of.msisdn_key < :high)))"
    "  AS complaints"
    " FROM enforcement_case AS e WHERE e.wave_id = :wave_id"
    " AND e.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR e.msisdn_key < :high)"
)

# Wherever the case stands by now: every rung from the wave's on stood upon the wave's.
_REVERT = over_references(
    lambda are: (
        "UPDATE enforcement_case AS e SET steps_taken = back.place, next_due_at = e.wave_due_at,"  # noqa: S608 - no input
        " waits_for_wave = back.waits, wave_id = NULL, wave_due_at = NULL"
        " FROM unnest(CAST(:versions AS text[]), CAST(:places AS integer[]),"
        "  CAST(:waits AS boolean[])) AS back (version, place, waits),"
        f" {PACKED_REFERENCES} AS n"
        f" WHERE {are('e')} AND e.wave_id = :wave_id"
        " AND e.state = 'open' AND e.policy_version = back.version"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneSlice:
    """A slice that was executed.

    Attributes:
        place: Which.
        executed_at: When.
        is_reverted: Whether it was put back.
    """

    place: int
    executed_at: datetime
    is_reverted: bool


@dataclass(frozen=True, slots=True)
class Waves:
    """The waves of one transaction."""

    connection: Connection

    def add(self, item: Wave) -> None:
        """Keep a wave that was tried dry."""
        self.connection.execute(
            insert(wave).values(
                wave_id=item.wave_id,
                criteria=asdict(item.criteria),
                state=item.state.value,
                creator=item.creator,
                created_at=item.created_at,
                preview=asdict(item.preview),
                round=item.round,
                slice_count=item.slice_count,
            )
        )

    def find(self, wave_id: UUID, *, lock: str = "") -> Wave | None:
        """A wave by its identifier.

        Args:
            wave_id: The wave.
            lock: `share` keeps it as it is, `update` keeps others from keeping it too; both until
                the transaction ends.
        """
        query = select(wave).where(wave.c.wave_id == wave_id)
        if lock:
            query = query.with_for_update(read=lock == "share")
        row = self.connection.execute(query).mappings().first()
        if row is None:
            return None
        approvers = self.connection.execute(
            select(wave_approval.c.approver)
            .where(wave_approval.c.wave_id == wave_id, wave_approval.c.round == row["round"])
            .order_by(wave_approval.c.approved_at, wave_approval.c.approver)
        ).scalars()
        totals = self.connection.execute(
            select(
                func.coalesce(func.sum(wave_slice.c.directive_count), 0).label("directives"),
                func.coalesce(func.sum(wave_slice.c.reverted_count), 0).label("reverted"),
                func.coalesce(func.array_agg(wave_slice.c.place), []).label("places"),
            ).where(wave_slice.c.wave_id == wave_id)
        ).one()
        return Wave(
            wave_id=wave_id,
            criteria=_criteria(row["criteria"]),
            state=WaveState(row["state"]),
            creator=row["creator"],
            created_at=row["created_at"],
            preview=WavePreview(**row["preview"]),
            approvers=tuple(approvers),
            round=row["round"],
            slice_count=row["slice_count"],
            done=frozenset(totals.places or ()),
            directive_count=int(totals.directives),
            reverted_count=int(totals.reverted),
            reason=row["reason"],
        )

    def approve(self, item: Wave, approver: str, *, at: datetime) -> None:
        """Keep an approval."""
        self.connection.execute(
            insert(wave_approval).values(
                wave_id=item.wave_id, round=item.round, approver=approver, approved_at=at
            )
        )

    def move(
        self, item: Wave, state: WaveState, *, reason: str = "", is_new_round: bool = False
    ) -> None:
        """Change where a wave stands."""
        self.connection.execute(
            update(wave)
            .where(wave.c.wave_id == item.wave_id)
            .values(state=state.value, reason=storable(reason), round=item.round + is_new_round)
        )

    def take(self, wave_id: UUID, place: int, *, at: datetime) -> bool:
        """Take a slice, until the transaction ends; False when somebody else has done it."""
        statement = insert(wave_slice).values(
            wave_id=wave_id, place=place, directive_count=0, executed_at=at
        )
        taken = self.connection.execute(
            statement.on_conflict_do_nothing().returning(wave_slice.c.place)
        )
        return taken.first() is not None

    def count(self, wave_id: UUID, place: int, *, directives: int) -> None:
        """Note what a slice taken in this transaction ordered."""
        self.connection.execute(_slice(wave_id, place).values(directive_count=directives))

    def done_slices(self, wave_id: UUID) -> Sequence[DoneSlice]:
        """What was executed, in its order."""
        query = (
            select(wave_slice.c.place, wave_slice.c.executed_at, wave_slice.c.reverted_at)
            .where(wave_slice.c.wave_id == wave_id)
            .order_by(wave_slice.c.executed_at, wave_slice.c.place)
        )
        return [
            DoneSlice(place=place, executed_at=at, is_reverted=reverted_at is not None)
            for place, at, reverted_at in self.connection.execute(query)
        ]

    def is_to_revert(self, wave_id: UUID, place: int) -> bool:
        """Whether nobody has put back a slice; nobody else does until the transaction ends."""
        query = select(wave_slice.c.reverted_at).where(
            wave_slice.c.wave_id == wave_id, wave_slice.c.place == place
        )
        return self.connection.execute(query.with_for_update()).scalar_one() is None

    def mark_reverted(self, wave_id: UUID, place: int, *, numbers: int, at: datetime) -> None:
        """Note that a slice was put back."""
        self.connection.execute(
            _slice(wave_id, place).values(reverted_at=at, reverted_count=numbers)
        )

    def put_back(self, wave_id: UUID, references: References, rungs: Mapping[str, Rung]) -> None:
        """Have the cases that a wave stepped stand where they stood before.

        Args:
            wave_id: The wave.
            references: Their subscriptions, at least one.
            rungs: Where that is, by version of the pack.
        """
        given = {
            "versions": list(rungs),
            "places": [rung.place for rung in rungs.values()],
            "waits": [rung.is_by_wave for rung in rungs.values()],
            "wave_id": wave_id,
        }
        self.connection.execute(_REVERT(references), {**references.parameters, **given})

    def preview(
        self, reach: WaveReach, ladders: Mapping[str, Track], *, at: datetime
    ) -> Sequence[Mapping[str, Any]]:
        """What waits for a wave, counted by operator and province.

        Args:
            reach: What it takes.
            ladders: The ladder that it steps, by version of the pack.
            at: What is due then or before.
        """
        # It goes through whole tables: nothing is looked up by itself, whatever the planner says.
        self.connection.execute(text("SET LOCAL enable_nestloop = off"))
        given = {
            **asdict(reach),
            "at": at,
            "versions": list(ladders),
            "extras_s": [each.primary_extra.total_seconds() for each in ladders.values()],
            "waits": [each.waits_for_notices for each in ladders.values()],
        }
        return [dict(row) for row in self.connection.execute(_COUNT, _listed(given)).mappings()]

    def sample(
        self, reach: WaveReach, *, at: datetime, limit: int
    ) -> Sequence[tuple[RowKey, bytes]]:
        """Some numbers that wait: the keys of their rows and their sealed claims."""
        given = {**asdict(reach), "at": at, "limit": limit}
        rows = self.connection.execute(_SAMPLE, _listed(given))
        return [((key, identity.bytes), sealed) for key, identity, sealed in rows]

    def aftermath(
        self, wave_id: UUID, *, since: datetime, low: bytes, high: bytes | None
    ) -> Aftermath:
        """What became of the numbers that a wave took in a range of keys."""
        given = {"wave_id": wave_id, "since": since, "low": low, "high": high}
        row = self.connection.execute(_AFTERMATH, given).one()
        return Aftermath(
            number_count=row.numbers, cured_count=row.cured, complaint_count=row.complaints
        )


def _slice(wave_id: UUID, place: int) -> Any:  # noqa: ANN401 - SQLAlchemy's Update
    return update(wave_slice).where(wave_slice.c.wave_id == wave_id, wave_slice.c.place == place)


def _listed(given: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}


def _criteria(stored: Mapping[str, Any]) -> WaveCriteria:
    return WaveCriteria(
        track=stored["track"],
        step=StepKind(stored["step"]),
        operators=tuple(stored["operators"]),
        province_codes=tuple(stored["province_codes"]),
        causes=tuple(CaseCause(cause) for cause in stored["causes"]),
        subscription_count_max=stored["subscription_count_max"],
        has_primaries=stored["has_primaries"],
    )
