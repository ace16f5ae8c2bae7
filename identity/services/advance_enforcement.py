"""Run the clock of the enforcement ladder up to an instant.

Owns the run: what is due is settled in slices, citizens' primary numbers after all others. The
instant up to which it ran is kept, so that time never goes backwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.errors import ClockBackwardsError
from identity.domain.settlement import Change, Settlement
from identity.services.call import Call
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key

SLICE_SIZE = 1_000
"""Subscriptions settled at a time: bounds the memory of a run, not its length."""

Reference = tuple[bytes, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementRun:
    """What one run did."""

    step_count: int
    directive_count: int
    ran_until: datetime


def advance_enforcement(uow: UnitOfWork, call: Call) -> EnforcementRun:
    """Take every step that is due at `call.at`.

    Raises:
        ClockBackwardsError: A run reached a later instant already.
    """
    ran_until = uow.cases.ran_until(lock=True)
    if ran_until is not None and call.at < ran_until:
        raise ClockBackwardsError("enforcement has run up to a later instant already")
    due = uow.cases.list_due(call.at)
    # All at once and in key order, as everybody locks; the slices below follow another order.
    uow.subscriptions.lock(due)
    primaries = uow.primaries.held_by(subscription_id for _, subscription_id in due)
    others_first = sorted(due, key=lambda reference: reference[1] in primaries)
    run = EnforcementRun(step_count=0, directive_count=0, ran_until=call.at)
    for start in range(0, len(others_first), SLICE_SIZE):
        run = _add(run, _settle(uow, call, others_first[start : start + SLICE_SIZE], primaries))
    uow.cases.set_ran_until(call.at)
    append(uow.connection, [_run_entry(call, run)])
    return run


def _settle(
    uow: UnitOfWork, call: Call, references: Sequence[Reference], primaries: frozenset[UUID]
) -> list[Settlement]:
    found = uow.subscriptions.find_by_reference(references)
    items = sorted(found, key=lambda item: item.subscription_id in primaries)
    changes = {
        item.subscription_id: Change(
            before=item.service_state,
            is_primary=item.subscription_id in primaries,
            is_clock_run=True,
        )
        for item in items
    }
    settlements = settle_subscriptions(uow, call, items, changes)
    append(
        uow.connection,
        [_step_entry(uow, call, done) for done in settlements if done.step_count],
    )
    return settlements


def _add(run: EnforcementRun, settlements: Sequence[Settlement]) -> EnforcementRun:
    return EnforcementRun(
        step_count=run.step_count + sum(done.step_count for done in settlements),
        directive_count=run.directive_count + sum(len(done.directives) for done in settlements),
        ran_until=run.ran_until,
    )


def _step_entry(uow: UnitOfWork, call: Call, done: Settlement) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="enforce",
        outcome=done.subscription.service_state.value,
        msisdn_key=msisdn_key(uow.sealer, done.subscription.msisdn),
        details={"causes": [case.cause.value for case in done.cases]},
    )


def _run_entry(call: Call, run: EnforcementRun) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="advance_enforcement",
        outcome="ran",
        details={"steps": run.step_count, "directives": run.directive_count},
    )
