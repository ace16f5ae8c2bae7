"""Measuring all books at once, and keeping what was measured.

Owns the rows of `quality_day` and the one query that counts: it reads each table once, locks
nothing that a writer needs, and decrypts nothing. It groups subscriptions by citizen, so it crosses
the distribution key of `subscription`: a job for once a day. What the counts mean is the domain's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, delete, func, insert, select, text

from identity.domain.anomalies import AnomalyKind
from identity.domain.link import FieldResult, LinkState
from identity.domain.provinces import UNKNOWN_PROVINCE
from identity.domain.quality import BookCounts, Figures, QualityPolicy, QualityReport, RowCounts
from identity.domain.subscription import REACHABLE_STATES, ServiceState
from identity.storage.quality_tables import quality_day

_ALL = ""
"""Stands in a row of `quality_day` for all operators, or all provinces."""

_WORK_MEMORY = "64MB"
"""For each sort and hash of the measuring transaction; more than that goes to disk."""

_ROW_COUNTS: Mapping[str, str] = MappingProxyType(
    {
        "row_count": "true",
        **{f"{state}_count": f"link_state = '{state}'" for state in LinkState},
        "full_name_mismatched_count": "is_full_name_mismatched",
        "birth_date_mismatched_count": "is_birth_date_mismatched",
        "verified_count": "is_verified",
        "absent_count": "is_absent",
        "unconfirmed_count": "is_unconfirmed",
        "duplicated_count": "is_duplicated",
        "complete_count": "has_activated_on AND has_point_of_sale AND has_province",
        "activated_on_missing_count": "NOT has_activated_on",
        "point_of_sale_missing_count": "NOT has_point_of_sale",
        "province_missing_count": "NOT has_province",
        "alive_count": "link_state IN ('linked', 'mismatched')"
        " AND NOT is_absent AND NOT is_unconfirmed",
    }
)
"""Each count of `RowCounts`, and which rows of `held` it counts."""

_PERSON_COUNTS: Mapping[str, str] = MappingProxyType(
    {
        "person_count": "true",
        "plural_person_count": "number_count > 1",
        "agreeing_person_count": "number_count > 1 AND known_count = number_count"
        " AND first_holder = last_holder",
        "reachable_person_count": "is_reachable",
        "primary_person_count": "has_primary",
    }
)
"""The counts of people in `BookCounts`, and which people each counts."""

_PERSON = (
    "{sum}({number}) AS number_count, {sum}({known}) AS known_count,"
    " min({first}) AS first_holder, max({last}) AS last_holder,"
    " bool_or(is_reachable) AS is_reachable, bool_or(has_primary) AS has_primary"
)


def _counted(counts: Mapping[str, str]) -> str:
    return ", ".join(f"count(*) FILTER (WHERE {rows}) AS {name}" for name, rows in counts.items())


def _zeros(counts: Mapping[str, str]) -> str:
    return ", ".join("0" for _ in counts)


def _summed(counts: Mapping[str, str]) -> str:
    return ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in counts)


def _fields(counts: Iterable[str], *, of: str) -> str:
    return ", ".join(f"'{name}', coalesce({of}.{name}, 0)" for name in counts)


def _field_differs(field: str) -> str:
    return (
        f"link_state = '{LinkState.MISMATCHED}'"
        f" AND link_fields #>> '{{{field},result}}' IS DISTINCT FROM '{FieldResult.MATCH}'"
    )


# An operator's callers call no other import than that of subscriptions. Eight bytes of a keyed
# digest tell two holders of one personal ID apart; a row without a digest agrees with nobody.
MEASURE: TextClause = text(
    f"""
    WITH snapshot AS (
      SELECT substr(caller, 10) AS operator_id, max(began_at) AS began_at,
        max(completed_at) AS completed_at
      FROM import_run
      WHERE caller LIKE 'operator:%' AND is_snapshot AND completed_at IS NOT NULL
      GROUP BY caller
    ), refused AS (
      SELECT substr(batch.caller, 10) AS operator_id,
        coalesce(sum(jsonb_array_length(batch.result -> 'row_errors')), 0)::bigint AS refused_count
      FROM import_batch AS batch
        LEFT JOIN snapshot ON snapshot.operator_id = substr(batch.caller, 10)
      WHERE batch.caller LIKE 'operator:%'
        AND batch.created_at >= coalesce(snapshot.began_at, '-infinity')
      GROUP BY batch.caller
    ), held AS MATERIALIZED (
      SELECT subscription.operator_id, citizen_key, link_state,
        coalesce(nullif(province_code, ''), :unknown_province) AS province_code,
        {_field_differs("full_name")} AS is_full_name_mismatched,
        {_field_differs("birth_date")} AS is_birth_date_mismatched,
        verified_at IS NOT NULL AS is_verified,
        absent_since IS NOT NULL AS is_absent,
        absent_since IS NULL AND created_at < :confirmed_since
          AND coalesce(snapshot.completed_at < :confirmed_since, true) AS is_unconfirmed,
        coalesce(row_number() OVER (
          PARTITION BY subscription.operator_id, citizen_key
          ORDER BY created_at, subscription.subscription_id
        ) > CAST(:numbers_max AS bigint), false) AS is_duplicated,
        activated_on IS NOT NULL AS has_activated_on,
        coalesce(point_of_sale, '') <> '' AS has_point_of_sale,
        coalesce(nullif(province_code, ''), :unknown_province) <> :unknown_province
          AS has_province,
        link_state = '{LinkState.LINKED}' AND verified_at IS NOT NULL
          AND service_state = ANY (CAST(:reachable_states AS text[])) AS is_reachable,
        primary_id IS NOT NULL AS has_primary,
        CASE WHEN length(holder_digest) >= 8
          THEN ('x' || encode(substr(holder_digest, 1, 8), 'hex'))::bit(64)::bigint
        END AS holder
      FROM subscription
        LEFT JOIN snapshot ON snapshot.operator_id = subscription.operator_id
        LEFT JOIN (SELECT subscription_id AS primary_id FROM primary_number) AS chosen
          ON chosen.primary_id = subscription.subscription_id
      WHERE service_state <> '{ServiceState.TERMINATED}'
    ), cell AS (
      SELECT operator_id, province_code, {_counted(_ROW_COUNTS)}
      FROM held GROUP BY operator_id, province_code
      UNION ALL
      SELECT operator_id, :unknown_province, {_zeros(_ROW_COUNTS)} FROM refused
    ), part AS (
      SELECT coalesce(operator_id, :all) AS operator_id,
        coalesce(province_code, :all) AS province_code, {_summed(_ROW_COUNTS)}
      FROM cell GROUP BY CUBE (operator_id, province_code)
    ), person AS MATERIALIZED (
      SELECT operator_id, citizen_key,
        {_PERSON.format(sum="count", number="*", known="holder", first="holder", last="holder")}
      FROM held GROUP BY operator_id, citizen_key
    ), citizen AS (
      SELECT {
        _PERSON.format(
            sum="sum",
            number="number_count",
            known="known_count",
            first="first_holder",
            last="last_holder",
        )
    }
      FROM person GROUP BY citizen_key
    ), people AS (
      SELECT operator_id, {_counted(_PERSON_COUNTS)} FROM person GROUP BY operator_id
      UNION ALL
      SELECT :all, {_counted(_PERSON_COUNTS)} FROM citizen
    ), refusals AS (
      SELECT coalesce(operator_id, :all) AS operator_id,
        coalesce(sum(refused_count), 0)::bigint AS refused_count
      FROM refused GROUP BY ROLLUP (operator_id)
    )
    SELECT part.operator_id, part.province_code,
      jsonb_build_object({_fields(_ROW_COUNTS, of="part")}) AS row_counts,
      CASE WHEN part.province_code = :all THEN jsonb_build_object(
        'refused_count', coalesce(refusals.refused_count, 0),
        {_fields(_PERSON_COUNTS, of="people")}
      ) END AS book_counts
    FROM part
      LEFT JOIN people ON people.operator_id = part.operator_id AND part.province_code = :all
      LEFT JOIN refusals ON refusals.operator_id = part.operator_id AND part.province_code = :all
    WHERE part.province_code = :all OR part.row_count > 0
    ORDER BY part.operator_id, part.province_code
    """  # noqa: S608 - put together from names and conditions above, no input
)
"""Counts all books as they stand; a row a part, in two JSON documents."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The measurements of one transaction."""

    connection: Connection

    def measure(
        self, policy: QualityPolicy, *, numbers_max: int | None, at: datetime
    ) -> tuple[Figures, ...]:
        """Count everything as it stands.

        Args:
            policy: How long a snapshot counts.
            numbers_max: Numbers that a person has at an operator before each further one counts
                as duplicated; None counts none.
            at: The present.

        Returns:
            The parts in the order of `QualityReport.figures`.
        """
        self.connection.execute(
            select(func.set_config("work_mem", _WORK_MEMORY, True))  # for this transaction only
        )
        rows = self.connection.execute(
            MEASURE, measure_parameters(policy, numbers_max, at)
        ).mappings()
        return _in_order(_figures(row) for row in rows)

    def has(self, day: date) -> bool:
        """Whether a day was measured."""
        query = select(quality_day.c.day).where(quality_day.c.day == day).limit(1)
        return self.connection.execute(query).scalar() is not None

    def take_turn(self) -> bool:
        """Whether nobody else is measuring now; until the transaction ends nobody will.

        An advisory lock: it keeps a second measurement off, and no writer.
        """
        query = text("SELECT pg_try_advisory_xact_lock(hashtext('subid.quality'))")
        return bool(self.connection.execute(query).scalar_one())

    def record(self, day: date, figures: Sequence[Figures], *, at: datetime) -> None:
        """Keep a measurement as that of its day, in the place of an earlier one."""
        self.connection.execute(delete(quality_day).where(quality_day.c.day == day))
        rows = [
            {
                "day": day,
                "operator_id": each.operator_id or _ALL,
                "province_code": each.province_code or _ALL,
                "measured_at": at,
                "row_counts": asdict(each.rows),
                "book_counts": None if each.book is None else asdict(each.book),
                "anomaly_counts": None if each.anomalies is None else dict(each.anomalies),
            }
            for each in figures
        ]
        self.connection.execute(insert(quality_day), rows)

    def last_day(self, *, until: date | None = None) -> date | None:
        """The last day that was measured, or the last until one."""
        query = select(func.max(quality_day.c.day))
        if until is not None:
            query = query.where(quality_day.c.day <= until)
        return self.connection.execute(query).scalar()

    def report(self, day: date, *, trend_since: date, operator_id: str | None) -> QualityReport:
        """The measurement of a day that has one, with those of the days before.

        Args:
            day: The day.
            trend_since: The first day of the trend.
            operator_id: Whose rows are wanted; None for everybody's.
        """
        query = select(quality_day).where(quality_day.c.day == day)
        if operator_id is not None:
            query = query.where(quality_day.c.operator_id == operator_id)
        rows = self.connection.execute(query).mappings().all()
        return QualityReport(
            day=day,
            measured_at=self._measured_at(day),
            figures=_in_order(_figures(row) for row in rows),
            trend=self.trend(since=trend_since, until=day, operator_id=operator_id),
        )

    def trend(
        self, *, since: date, until: date, operator_id: str | None = None
    ) -> tuple[tuple[date, Figures], ...]:
        """Whole books on the days that were measured, oldest first."""
        query = select(quality_day).where(
            quality_day.c.day.between(since, until), quality_day.c.province_code == _ALL
        )
        if operator_id is not None:
            query = query.where(quality_day.c.operator_id == operator_id)
        query = query.order_by(quality_day.c.day, quality_day.c.operator_id)
        rows = self.connection.execute(query).mappings()
        return tuple((row["day"], _figures(row)) for row in rows)

    def _measured_at(self, day: date) -> datetime:
        query = select(func.max(quality_day.c.measured_at)).where(quality_day.c.day == day)
        measured_at: datetime = self.connection.execute(query).scalar_one()
        return measured_at


def measure_parameters(
    policy: QualityPolicy, numbers_max: int | None, at: datetime
) -> dict[str, Any]:
    """What `MEASURE` is told, as `Quality.measure` takes it."""
    return {
        "all": _ALL,
        "unknown_province": UNKNOWN_PROVINCE,
        "confirmed_since": at - policy.snapshot_age_max,
        "numbers_max": numbers_max,
        "reachable_states": sorted(state.value for state in REACHABLE_STATES),
    }


def _figures(row: RowMapping) -> Figures:
    book, anomalies = row["book_counts"], row.get("anomaly_counts")
    return Figures(
        operator_id=row["operator_id"] or None,
        province_code=row["province_code"] or None,
        rows=RowCounts.from_fields(row["row_counts"]),
        book=None if book is None else BookCounts.from_fields(book),
        anomalies=(
            None
            if anomalies is None
            else {kind: int(anomalies.get(kind.value, 0)) for kind in AnomalyKind}
        ),
    )


def _in_order(figures: Iterable[Figures]) -> tuple[Figures, ...]:
    """All operators, then operators, then provinces, then each operator's provinces."""
    return tuple(
        sorted(
            figures,
            key=lambda each: (
                each.province_code is not None,
                each.operator_id is not None,
                each.operator_id or "",
                each.province_code or "",
            ),
        )
    )
