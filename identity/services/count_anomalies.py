"""Count what is odd about the numbers in service and their holders, by kind and operator.

Owns the job: a slice of the numbers at a time, each in a transaction of its own, so that memory is
bounded and nothing is kept from anybody for long. Each record is opened once for each of its
numbers. Only counts leave it.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from identity.domain.anomalies import AnomalyKind, HolderPolicy, holder_anomalies
from identity.domain.quality import day_of
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import slice_bounds

SLICE_SUBSCRIPTIONS = 20_000
"""About as many in a slice, as when the registry is linked."""

AnomalyCounts = Mapping[str, Mapping[AnomalyKind, int]]
"""By operator and kind; a kind that is not there was not found."""


def count_anomalies(
    transactions: Transactions, policy: HolderPolicy, *, at: datetime
) -> AnomalyCounts:
    """Count all of them.

    Args:
        transactions: The registry.
        policy: The bounds.
        at: The present, for ages.

    Returns:
        Numbers in service, by operator and kind. Not of one instant: books change meanwhile.
    """
    size = transactions.run(lambda uow: uow.link_runs.estimate_subscriptions())
    slice_count = max(1, -(-size // SLICE_SUBSCRIPTIONS))
    counts: dict[str, Counter[AnomalyKind]] = {}
    for place in range(slice_count):
        bounds = slice_bounds(place, of=slice_count)
        _add(counts, transactions.run(partial(_count_slice, policy, bounds, at)))
    _add(counts, transactions.run(lambda uow: uow.anomalies.count_above_bounds(policy)))
    return counts


def _count_slice(
    policy: HolderPolicy, bounds: tuple[bytes, bytes | None], at: datetime, uow: UnitOfWork
) -> AnomalyCounts:
    counts: dict[str, Counter[AnomalyKind]] = {}
    for operator_id, claim, record in uow.anomalies.holders_in(*bounds):
        counts.setdefault(operator_id, Counter()).update(
            holder_anomalies(claim, record, policy, on=day_of(at))
        )
    return counts


def _add(counts: dict[str, Counter[AnomalyKind]], more: AnomalyCounts) -> None:
    for operator_id, kinds in more.items():
        counts.setdefault(operator_id, Counter()).update(kinds)
