"""Compare every claim in the registry with the records.

What a change of a record does for its own citizen by itself, done for all.

Owns the job: slices, in parallel, each in a transaction of its own, so that a run that is cut off
goes on where it stood. For after a restored backup, a changed rule, a new kind of digest.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from identity.audit.log import AuditEntry, append
from identity.services.call import COMMAND_LINE, Call
from identity.services.relink import relink
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import LinkRun, LinkTotals, slice_bounds

SLICE_SUBSCRIPTIONS = 20_000
"""About as many in a slice: enough that a transaction costs nothing beside them, few enough that
what is held meanwhile (their citizens, from changes of their records) is held for some seconds."""

WORKERS_MAX = 2
"""Slices at a time: one keeps a core of the database busy, and half of one here."""

Progress = Callable[[int, int], None]
"""Told how many slices of how many are done."""


def link_registry(
    transactions: Transactions,
    call: Call,
    *,
    workers: int = WORKERS_MAX,
    progress: Progress = lambda _done, _of: None,
) -> LinkTotals:
    """Compare all claims; goes on with a run that was cut off.

    Args:
        transactions: The registry.
        call: The circumstances.
        workers: Slices at a time.
        progress: Told of each slice that is done.

    Returns:
        How many claims were compared and how many links changed, over the whole run.
    """
    run = transactions.run(lambda uow: _begin(uow, call))
    progress(len(run.done), run.slice_count)
    missing = [place for place in range(run.slice_count) if place not in run.done]
    with ThreadPoolExecutor(workers) as threads:
        slices = [
            threads.submit(transactions.run, partial(_link_slice, call, run, place))
            for place in missing
        ]
        try:
            for done, each in enumerate(as_completed(slices), start=len(run.done) + 1):
                each.result()
                progress(done, run.slice_count)
        finally:
            threads.shutdown(cancel_futures=True)
    return transactions.run(lambda uow: _complete(uow, call, run))


def _begin(uow: UnitOfWork, call: Call) -> LinkRun:
    count = uow.link_runs.estimate_subscriptions()
    slice_count = max(1, -(-count // SLICE_SUBSCRIPTIONS))
    return uow.link_runs.begin(call.new_id(), slice_count=slice_count, at=call.at)


def _link_slice(call: Call, run: LinkRun, place: int, uow: UnitOfWork) -> None:
    if not uow.link_runs.take(run.run_id, place):
        return
    low, high = slice_bounds(place, of=run.slice_count)
    uow.citizens.hold_all_still()
    claims = uow.links.list_doubtful_in(low, high)
    changed = relink(uow, call, claims, action="link_registry")
    totals = LinkTotals(compared_count=uow.links.count_in(low, high), changed_count=len(changed))
    uow.link_runs.count(run.run_id, place, totals)
    # With the slice: a run that is never completed has changed links all the same.
    append(uow.connection, [_entry(call, "link_slice", "compared", totals)])


def _complete(uow: UnitOfWork, call: Call, run: LinkRun) -> LinkTotals:
    is_first = uow.link_runs.complete(run.run_id, at=call.at)
    totals = uow.link_runs.totals(run.run_id)
    if is_first:  # otherwise another process that worked at the same run has written it down
        append(uow.connection, [_entry(call, "link_registry", "completed", totals)])
    return totals


def _entry(call: Call, action: str, outcome: str, totals: LinkTotals) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=COMMAND_LINE,
        action=action,
        outcome=outcome,
        details={"compared": totals.compared_count, "changed": totals.changed_count},
    )
