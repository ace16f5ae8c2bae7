"""What operators did with their orders, counted.

Owns the queries: each goes over the orders, cases, complaints or reconciliations of some days, by
operator, and over nothing older or newer. Which figure is made of what is the domain's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from identity.domain.policy import CaseCause
from identity.domain.policy_book import Rules

Counts = Mapping[str, Any]
"""What was counted of one operator, by name."""

_BLOCKS = "('block_outgoing', 'suspend')"


def _within(instant: str, owner: str) -> str:
    """The days asked for, and whose rows."""
    return (
        f"{instant} >= :begin AND {instant} < :end"
        f" AND (CAST(:operator_id AS text) IS NULL OR {owner}.operator_id = :operator_id)"
    )


def _times(name: str, rows: str, *, seconds: str = "taken_s") -> str:
    """How fast some of the orders were executed; a percentile is one of the times themselves."""
    return (
        f" count(*) FILTER (WHERE {rows} AND is_executed) AS {name}_executed,"
        f" count(*) FILTER (WHERE {rows} AND is_late) AS {name}_late,"
        f" count(*) FILTER (WHERE {rows} AND is_late AND is_open) AS {name}_open_late,"
        f" count(*) FILTER (WHERE {rows} AND is_late AND NOT is_open AND NOT is_executed)"
        f"  AS {name}_overtaken_late,"
        f" percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY {seconds})"
        f" FILTER (WHERE {rows} AND is_executed) AS {name}_s"
    )


# What is overtaken within its time was neither done in time nor late; what is overtaken later was
# late. The event lies as long before the due time as the operator has: the duty counts from there.
_ORDERS = text(
    f"SELECT operator_id,{_times('orders', 'NOT is_notice')},{_times('notices', 'is_notice')},"  # noqa: S608 - put together from the conditions here, no input
    f"{_times('device_changes', 'is_device_change', seconds='event_s')},"
    " count(*) FILTER (WHERE is_block) AS blocks,"
    " count(*) FILTER (WHERE has_failed) AS failed,"
    " count(*) FILTER (WHERE has_failed OR is_executed) AS answered"
    " FROM (SELECT d.operator_id, d.kind = 'notify' AS is_notice,"
    f" d.kind IN {_BLOCKS} AS is_block, d.failure_count > 0 AS has_failed,"
    " d.state = 'executed' AS is_executed, d.state IN ('pending', 'leased') AS is_open,"
    " coalesce(d.executed_at, d.superseded_at,"
    "  CASE WHEN d.state IN ('pending', 'leased') THEN CAST(:now AS timestamptz) END)"
    "  > d.due_at AS is_late,"
    " CAST(extract(epoch FROM d.executed_at - d.created_at) AS double precision) AS taken_s,"
    " CAST(extract(epoch FROM d.executed_at - d.due_at + duty.within) AS double precision)"
    "  AS event_s,"
    " d.kind = 'block_outgoing' AND duty.within IS NOT NULL AND :cause = ANY (d.causes)"
    "  AS is_device_change"
    " FROM directive AS d LEFT JOIN unnest(CAST(:versions AS text[]), CAST(:tracks AS text[]),"
    "  CAST(:withins AS interval[])) AS duty (version, track, within)"
    "  ON duty.version = d.policy_version AND duty.track = d.track"
    f" WHERE {_within('d.created_at', 'd')}) AS ordered GROUP BY operator_id"
)
# Put back is what its own wave ordered to a milder state later on. A slice's orders are made when
# it is executed, and those that put them back when it is reverted: nothing else is looked at.
_REVERTS = text(
    "SELECT array_agg(DISTINCT wave_id) AS waves, min(reverted_at) AS since,"
    " max(reverted_at) AS until FROM wave_slice"
    " WHERE executed_at >= :begin AND executed_at < :end AND reverted_at IS NOT NULL"
)
_PUT_BACK = text(
    "SELECT b.operator_id, count(*) AS put_back FROM directive AS b"  # noqa: S608 - as above
    f" WHERE {_within('b.created_at', 'b')} AND b.kind IN {_BLOCKS}"
    " AND b.wave_id = ANY (CAST(:waves AS uuid[]))"
    " AND EXISTS (SELECT FROM directive AS r WHERE r.msisdn_key = b.msisdn_key"
    "  AND r.subscription_id = b.subscription_id AND r.wave_id = b.wave_id"
    "  AND r.position > b.position AND r.created_at >= :since AND r.created_at <= :until"
    "  AND (r.kind = 'restore' OR (b.kind = 'suspend' AND r.kind = 'block_outgoing')))"
    " GROUP BY b.operator_id"
)
# Each number is looked up by itself (LIMIT), and never among all that there are.
_CASES = text(
    "SELECT s.operator_id, count(*) AS ended, count(*) FILTER (WHERE e.state = 'cured') AS cured"  # noqa: S608 - as above
    " FROM enforcement_case AS e CROSS JOIN LATERAL (SELECT operator_id FROM subscription"
    "  WHERE msisdn_key = e.msisdn_key AND subscription_id = e.subscription_id LIMIT 1) AS s"
    f" WHERE {_within('e.closed_at', 's')} GROUP BY s.operator_id"
)
_COMPLAINTS = text(
    "SELECT c.operator_id, count(*) AS complaints FROM complaint AS c"  # noqa: S608 - as above
    f" WHERE {_within('c.filed_at', 'c')} GROUP BY c.operator_id"
)
_COMPARED = text(
    "SELECT DISTINCT ON (r.operator_id) r.operator_id, r.finished_at,"  # noqa: S608 - as above
    " r.drift_count + r.unreported_count AS drifted,"
    " r.compared_count + r.unreported_count AS held,"
    " CAST(sum(r.false_count) OVER of_operator AS bigint) AS falsified,"
    " CAST(sum(r.compared_count) OVER of_operator AS bigint) AS compared"
    f" FROM reconciliation AS r WHERE {_within('r.finished_at', 'r')}"
    " WINDOW of_operator AS (PARTITION BY r.operator_id)"
    " ORDER BY r.operator_id, r.finished_at DESC, r.request_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is counted.

    Attributes:
        begin: The first instant.
        end: The first one after.
        operator_id: Whose; None for everybody's.
    """

    begin: datetime
    end: datetime
    operator_id: str | None


@dataclass(frozen=True, slots=True)
class Compliance:
    """The counts, in one transaction; each by operator, without those who have none."""

    connection: Connection

    def orders(self, reach: Reach, *, now: datetime, rules: Rules) -> Mapping[str, Counts]:
        """Orders that were made, as they stand at `now`."""
        duties = [
            (*key, track.execute_within)
            for key, track in rules.known_tracks.items()
            if CaseCause.DEVICE_CHANGE in track.causes
        ]
        given = {
            "versions": [version for version, _, _ in duties],
            "tracks": [name for _, name, _ in duties],
            "withins": [within for _, _, within in duties],
            "cause": CaseCause.DEVICE_CHANGE.value,
        }
        return self._count(_ORDERS, reach, now=now, **given)

    def put_back(self, reach: Reach) -> Mapping[str, Counts]:
        """Blocks that were ordered by waves and put back with them, by now."""
        bounds = {"begin": reach.begin, "end": reach.end}
        reverts = self.connection.execute(_REVERTS, bounds).mappings().one()
        return {} if reverts["waves"] is None else self._count(_PUT_BACK, reach, **reverts)

    def ended_cases(self, reach: Reach) -> Mapping[str, Counts]:
        """Cases that ended."""
        return self._count(_CASES, reach)

    def complaints(self, reach: Reach) -> Mapping[str, Counts]:
        """Complaints that were filed."""
        return self._count(_COMPLAINTS, reach)

    def reconciliations(self, reach: Reach) -> Mapping[str, Counts]:
        """The last reconciliation that was finished, and what all of them found."""
        return self._count(_COMPARED, reach)

    def _count(self, query: TextClause, reach: Reach, **given: Any) -> Mapping[str, Counts]:  # noqa: ANN401 - parameters
        rows = self.connection.execute(query, asdict(reach) | given).mappings()
        return {row["operator_id"]: dict(row) for row in rows}
