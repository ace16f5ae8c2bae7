"""What operators did with their orders, counted.

Owns the queries: each goes over the orders, cases or reconciliations of some days, by operator, and
over nothing older. Which figure is made of what is the domain's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from identity.domain.policy_book import Rules

_ORDERS = text(
    "SELECT d.operator_id,"
    " count(*) FILTER (WHERE d.kind <> 'notify' AND d.executed_at IS NOT NULL) AS executed,"
    " count(*) FILTER (WHERE d.kind <> 'notify' AND d.executed_at > d.due_at) AS executed_late,"
    " count(*) FILTER (WHERE d.kind <> 'notify' AND d.state IN ('pending', 'leased')"
    "  AND d.due_at < :now) AS open_late,"
    " percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP ("
    "  ORDER BY CAST(extract(epoch FROM d.executed_at - d.created_at) AS double precision))"
    "  FILTER (WHERE d.kind <> 'notify' AND d.executed_at IS NOT NULL) AS order_s,"
    " count(*) FILTER (WHERE d.kind = 'notify' AND d.executed_at IS NOT NULL) AS told,"
    " count(*) FILTER (WHERE d.kind = 'notify' AND (d.executed_at > d.due_at OR"
    "  (d.state IN ('pending', 'leased') AND d.due_at < :now))) AS told_late,"
    " percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP ("
    "  ORDER BY CAST(extract(epoch FROM d.executed_at - d.created_at) AS double precision))"
    "  FILTER (WHERE d.kind = 'notify' AND d.executed_at IS NOT NULL) AS notice_s,"
    " count(*) FILTER (WHERE e.is_device) AS moved,"
    " count(*) FILTER (WHERE e.is_device AND d.executed_at > d.due_at) AS moved_late,"
    " percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY CAST(extract(epoch FROM"
    "  d.executed_at - d.due_at + e.within) AS double precision)) FILTER (WHERE e.is_device)"
    "  AS moved_s,"
    " count(*) FILTER (WHERE d.kind IN ('block_outgoing', 'suspend')) AS blocks,"
    " count(*) FILTER (WHERE d.kind = 'restore' AND d.wave_id IS NOT NULL) AS reverted,"
    " count(*) FILTER (WHERE d.failure_count > 0) AS failed,"
    " count(*) FILTER (WHERE d.failure_count > 0 OR d.state IN ('leased', 'executed')) AS handed"
    " FROM directive AS d"
    # The event lies as long before the due time as the operator has: the duty counts from it.
    " CROSS JOIN LATERAL (SELECT d.kind = 'block_outgoing' AND d.executed_at IS NOT NULL"
    "  AND duty.within IS NOT NULL AND d.causes[1] = 'device_change' AS is_device, duty.within"
    "  FROM (SELECT max(t.within) AS within FROM unnest(CAST(:versions AS text[]),"
    "   CAST(:tracks AS text[]), CAST(:withins AS interval[])) AS t (version, track, within)"
    "   WHERE t.version = d.policy_version AND t.track = d.track) AS duty) AS e"
    " WHERE d.created_at >= :begin AND d.created_at < :end"
    " GROUP BY d.operator_id"
)
_CASES = text(
    "SELECT s.operator_id, count(*) AS ended, count(*) FILTER (WHERE e.state = 'cured') AS cured"
    " FROM enforcement_case AS e JOIN subscription AS s USING (msisdn_key, subscription_id)"
    " WHERE e.closed_at >= :begin AND e.closed_at < :end GROUP BY s.operator_id"
)
_COMPLAINTS = text(
    "SELECT operator_id, count(*) AS complaints FROM complaint"
    " WHERE filed_at >= :begin AND filed_at < :end GROUP BY operator_id"
)
_COMPARED = text(
    "SELECT DISTINCT ON (operator_id) operator_id, finished_at, compared_count, drift_count,"
    " sum(false_count) OVER operator AS false_count,"
    " sum(compared_count) OVER operator AS all_compared"
    " FROM reconciliation WHERE finished_at >= :begin AND finished_at < :end"
    " WINDOW operator AS (PARTITION BY operator_id)"
    " ORDER BY operator_id, finished_at DESC"
)


@dataclass(frozen=True, slots=True)
class Compliance:
    """The counts, in one transaction."""

    connection: Connection

    def orders(
        self, begin: datetime, end: datetime, *, now: datetime, rules: Rules
    ) -> Sequence[Mapping[str, Any]]:
        """Orders made from `begin` until `end`, by operator, as they stand at `now`."""
        duties = [(*key, track.execute_within) for key, track in rules.known_tracks.items()]
        given = {
            "versions": [version for version, _, _ in duties],
            "tracks": [name for _, name, _ in duties],
            "withins": [within for _, _, within in duties],
        }
        return self._read(_ORDERS, {"begin": begin, "end": end, "now": now, **given})

    def ended_cases(self, begin: datetime, end: datetime) -> Sequence[Mapping[str, Any]]:
        """Cases that ended, by operator."""
        return self._read(_CASES, {"begin": begin, "end": end})

    def complaints(self, begin: datetime, end: datetime) -> Sequence[Mapping[str, Any]]:
        """Complaints, by operator."""
        return self._read(_COMPLAINTS, {"begin": begin, "end": end})

    def reconciliations(self, begin: datetime, end: datetime) -> Sequence[Mapping[str, Any]]:
        """The last reconciliation of each operator, and what all of them found."""
        return self._read(_COMPARED, {"begin": begin, "end": end})

    def _read(self, query: Any, given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - a text()
        return [dict(row) for row in self.connection.execute(query, given).mappings()]
