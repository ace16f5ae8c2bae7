"""What a hot query may do: look at rows by an index, in the partition of its key, a few for each.

Owns the rules and tells what breaks them. Exceptions are the query's own (`plan_queries.py`), and
one that is no longer needed breaks the rules too.
"""

from collections.abc import Iterator, Sequence

from identity.bootstrap import METADATA
from tests.benchmarks.hot_query import HotQuery
from tests.benchmarks.plan_reading import Explained, Plan

_SMALL = frozenset(
    {
        "agency",
        "agency_grant",
        "contact_change",
        "contact_feed",
        "enforcement_clock",
        "face_cohort",
        "import_run",
        "link_run",
        "link_run_slice",
        "lookup_watch",
        "match_watch",
        "quality_day",
        "registry",
        "sealing_key",
        "verification_attempt",
    }
)

GROWING = frozenset(table.name for each in METADATA for table in each.sorted_tables) - _SMALL
"""Tables that grow with the population or with what is asked."""


def faults(hot: HotQuery, found: Sequence[Explained]) -> list[str]:
    """What a hot query should not do, in words; empty when all is well."""
    told: dict[str, None] = {}
    for each in found:
        for plan in (each.first, each.settled):
            told.update(dict.fromkeys(_faults_of(hot, plan)))
    return [*told, *_unused(hot, found)]


def _faults_of(hot: HotQuery, plan: Plan) -> Iterator[str]:
    if not hot.is_job:
        for table in sorted(plan.scanned() & GROWING):
            yield f"{table}: read from end to end"
    for table, partitions in plan.partitions().items():
        if len(partitions) > hot.key_count and table not in hot.crosses:
            yield f"{table}: looks into {len(partitions)} partitions for {hot.key_count} keys"
    for table, count in plan.read_counts().items():
        is_allowed = hot.is_job or table in hot.reads or table not in GROWING
        if count > hot.read_max * hot.key_count and not is_allowed:
            yield f"{table}: reads {count} rows for {hot.key_count} keys"


def _unused(hot: HotQuery, found: Sequence[Explained]) -> Iterator[str]:
    plans = [plan for each in found for plan in (each.first, each.settled)]
    for table in hot.crosses:
        if all(len(plan.partitions().get(table, ())) <= 1 for plan in plans):
            yield f"{table}: is said to be looked for in several partitions, and is not"
    for table in hot.reads:
        if all(plan.read_counts().get(table, 0) <= hot.read_max * hot.key_count for plan in plans):
            yield f"{table}: is said to be read more than returned, and is not"
