"""What anomalies are counted from: numbers with their holders, and how many anybody has.

Owns the reading. Knows no rule about a holder: it hands out records and claims, opened one by one.
Bounds on how many are counted in SQL, where the counts are; a test holds them to the domain's. Like
all comparisons of claims with records it crosses both distribution keys: a job.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause, text

from identity.domain.anomalies import AnomalyKind, HolderPolicy
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.storage.citizens import open_record
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_claim

_HOLDERS = text(
    "SELECT s.operator_id, s.msisdn_key, s.subscription_id, c.citizen_key, c.record_sealed,"
    " CASE WHEN c.citizen_key IS NULL THEN s.claim_sealed END AS claim_sealed"
    " FROM subscription AS s LEFT JOIN citizen AS c ON c.citizen_key = s.citizen_key"
    " WHERE s.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR s.msisdn_key < :high)"
    " AND s.service_state <> 'terminated'"
)

# A bound that is not set is null, and nothing is above null. Each column is named for its kind.
_ABOVE_CAPS = text(
    "WITH held AS (SELECT citizen_key, operator_id, count(*) AS n FROM subscription"
    "  WHERE service_state <> 'terminated' GROUP BY citizen_key, operator_id),"
    " person AS (SELECT operator_id, n, sum(n) OVER (PARTITION BY citizen_key) AS total FROM held)"
    " SELECT operator_id,"
    " coalesce(sum(n) FILTER (WHERE total > CAST(:person_max AS bigint)), 0)::bigint"
    "  AS person_above_cap,"
    " coalesce(sum(n) FILTER (WHERE n > CAST(:operator_max AS bigint)), 0)::bigint"
    "  AS person_above_operator_cap"
    " FROM person GROUP BY operator_id"
)

# What a point of sale started counts whether or not it is still in service; what is reported is.
_ABOVE_BOUND = text(
    "WITH started AS (SELECT operator_id, count(*) AS n,"
    "  count(*) FILTER (WHERE service_state <> 'terminated') AS in_service FROM subscription"
    "  WHERE point_of_sale <> '' AND activated_on IS NOT NULL"
    "  GROUP BY operator_id, point_of_sale, activated_on)"
    " SELECT operator_id, coalesce(sum(in_service), 0)::bigint"
    "  AS point_of_sale_above_bound"
    " FROM started WHERE n > CAST(:day_max AS bigint) GROUP BY operator_id"
)


# Of both people: nobody can tell by the photograph alone whose it is.
_PROBES_OF_TWO = text(
    "SELECT operator_id, count(*) FILTER (WHERE citizen_key IN"
    "  (SELECT citizen_key FROM probe_conflict))::bigint AS probe_of_two_people"
    " FROM subscription WHERE service_state <> 'terminated' GROUP BY operator_id"
)


@dataclass(frozen=True, slots=True)
class Anomalies:
    """The numbers of one transaction, as anomalies are counted from them."""

    connection: Connection
    sealer: Sealer

    def holders_in(
        self, low: bytes, high: bytes | None
    ) -> Iterator[tuple[str, HolderClaim, PopulationRecord | None]]:
        """Operator, claim and record of each number in service whose key lies in a range.

        Where there is a record the claim is the record's own: nothing else of it is looked at.
        """
        for row in self.connection.execute(_HOLDERS, {"low": low, "high": high}):
            if row.citizen_key is None:
                place = (row.msisdn_key, row.subscription_id.bytes)
                yield row.operator_id, open_claim(self.sealer, row.claim_sealed, place), None
                continue
            record = open_record(self.sealer, row.record_sealed, row.citizen_key)
            yield row.operator_id, _claim_of(record), record

    def count_above_bounds(self, policy: HolderPolicy) -> Mapping[str, Mapping[AnomalyKind, int]]:
        """By operator, numbers of people, or points of sale on a day, that are above a bound.

        With them the numbers of people of whom one photograph was used for somebody else.
        """
        caps = {
            "person_max": policy.numbers_per_person_max,
            "operator_max": policy.numbers_per_operator_max,
        }
        found: dict[str, dict[AnomalyKind, int]] = {}
        self._count(_ABOVE_CAPS, caps, found)
        self._count(_PROBES_OF_TWO, {}, found)
        self._count(_ABOVE_BOUND, {"day_max": policy.numbers_per_point_of_sale_day_max}, found)
        return found

    def _count(
        self,
        query: TextClause,
        bounds: Mapping[str, Any],
        found: dict[str, dict[AnomalyKind, int]],
    ) -> None:
        for row in self.connection.execute(query, bounds).mappings():
            counts = {AnomalyKind(name): n for name, n in row.items() if name != "operator_id"}
            found.setdefault(row["operator_id"], {}).update(counts)


def _claim_of(record: PopulationRecord) -> HolderClaim:
    return HolderClaim(
        personal_id=record.personal_id, full_name=record.full_name, birth_date=record.birth_date
    )
