"""A network against the registry: what is found, what stands again, what is counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from identity.domain.drift import DriftKind
from identity.domain.enforcement import DirectiveKind
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.services.directives import hand_out, pull_directives
from identity.services.reconcile_service_state import UNREPORTED_MAX
from identity.storage.database import UnitOfWork
from identity.storage.enforcement_tables import reconciliation
from identity.storage.reconciliations import Counts
from identity.storage.tables import directive
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_operator,
    make_subscription,
    reference_of,
)
from tests.unit.identity.services.networks import Past, order, report, somebody_elses, store

ACTIVE, BLOCKED = ServiceState.ACTIVE, ServiceState.OUTGOING_BLOCKED
SUSPENDED, TERMINATED = ServiceState.SUSPENDED, ServiceState.TERMINATED
LATER = NOW + timedelta(hours=5)


@pytest.fixture
def operator() -> str:
    return make_operator()


def acknowledged(state: ServiceState) -> Past:
    return Past(ordered=state, applied=state, acknowledged=state)


def counted(uow: UnitOfWork, operator: str) -> dict[str, Any]:
    query = select(reconciliation).where(reconciliation.c.operator_id == operator)
    return dict(uow.connection.execute(query).mappings().one())


def test_a_network_that_obeys_is_counted_and_nothing_is_ordered(
    uow: UnitOfWork, operator: str
) -> None:
    items = [store(uow, operator, acknowledged(state)) for state in (ACTIVE, BLOCKED, SUSPENDED)]
    call = make_call(operator, at=LATER)
    states = [(item, item.service_state) for item in items]
    found = report(uow, call, states, request_id=uuid4(), is_last=True)
    assert (found.drifts, found.unreported, found.unreported_count) == ((), (), 0)
    row = counted(uow, operator)
    assert (row["compared_count"], row["drift_count"], row["false_count"]) == (3, 0, 0)
    assert (row["began_at"], row["finished_at"]) == (LATER, LATER)
    assert pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives == ()
    assert actions(uow.connection, call.caller)[0] == ("reconcile_service_state", "compared")


def test_a_false_acknowledgement_is_found_and_the_order_stands_again_with_its_reason(
    uow: UnitOfWork, operator: str
) -> None:
    item = store(uow, operator, acknowledged(SUSPENDED))
    call = make_call(operator, at=LATER)
    found = report(uow, call, [(item, ACTIVE)], request_id=uuid4())
    (drift,) = found.drifts
    assert (drift.kind, drift.ordered) == (DriftKind.NOT_APPLIED, SUSPENDED)
    assert find(uow, item).applied_state is ACTIVE
    assert counted(uow, operator)["false_count"] == 1
    (again,) = pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives
    given = again.directive
    assert (given.directive_id, given.kind) == (drift.directive_id, DirectiveKind.SUSPEND)
    assert given.causes == (CaseCause.UNVERIFIED,)
    track = hand_out(call, again).track
    assert track is not None
    assert (given.created_at, given.due_at) == (LATER, LATER + track.execute_within)


def test_a_number_stricter_than_ordered_is_restored(uow: UnitOfWork, operator: str) -> None:
    item = store(uow, operator, Past(ordered=ACTIVE, applied=ACTIVE))
    call = make_call(operator, at=LATER)
    (drift,) = report(uow, call, [(item, SUSPENDED)], request_id=uuid4()).drifts
    assert drift.kind is DriftKind.STRICTER_THAN_ORDERED
    (again,) = pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives
    assert (again.directive.kind, again.directive.causes) == (DirectiveKind.RESTORE, ())
    assert again.directive.due_at == LATER + timedelta(hours=2)
    assert counted(uow, operator)["false_count"] == 0


def test_an_order_that_is_open_is_enough(uow: UnitOfWork, operator: str) -> None:
    item = store(uow, operator, acknowledged(BLOCKED))
    item = replace(item, service_state=SUSPENDED)
    uow.subscriptions.save(item)
    order(uow, item, SUSPENDED)
    call = make_call(operator, at=LATER)
    (drift,) = report(uow, call, [(item, ACTIVE)], request_id=uuid4()).drifts
    assert (drift.kind, drift.directive_id) == (DriftKind.NOT_APPLIED, None)
    assert len(pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives) == 1


def test_nobody_is_blocked_again_without_a_reason(uow: UnitOfWork, operator: str) -> None:
    """As of a registry that was filled before orders were kept with their packs."""
    item = make_subscription(operator_id=operator, service_state=BLOCKED, applied_state=BLOCKED)
    uow.subscriptions.save(item)
    call = make_call(operator, at=LATER)
    (drift,) = report(uow, call, [(item, ACTIVE)], request_id=uuid4()).drifts
    assert (drift.kind, drift.directive_id) == (DriftKind.NOT_APPLIED, None)
    assert pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives == ()


def nobodys(_uow: UnitOfWork, _operator: str) -> Subscription:
    return somebody_elses()


def anothers(uow: UnitOfWork, _operator: str) -> Subscription:
    item = somebody_elses(make_operator())
    uow.subscriptions.save(item)
    return item


def released(uow: UnitOfWork, operator: str) -> Subscription:
    item = make_subscription(operator_id=operator)
    item = item.ended(SubscriptionEnd.RELEASED, at=NOW)
    uow.subscriptions.save(item)
    return item


@pytest.mark.parametrize("make", [nobodys, anothers, released])
def test_what_the_operator_has_not_looks_like_what_nobody_has(
    uow: UnitOfWork, operator: str, make: Callable[[UnitOfWork, str], Subscription]
) -> None:
    item = make(uow, operator)
    call = make_call(operator, at=LATER)
    (drift,) = report(uow, call, [(item, ACTIVE)], request_id=uuid4()).drifts
    assert drift.kind is DriftKind.UNKNOWN_NUMBER
    assert (drift.ordered, drift.directive_id) == (None, None)
    assert report(uow, call, [(item, TERMINATED)], request_id=uuid4()).drifts == ()
    left = uow.connection.execute(
        select(directive.c.kind).where(directive.c.subscription_id == item.subscription_id)
    )
    assert left.all() == []
    if make is not nobodys:
        assert find(uow, item) == item


def test_a_number_withdrawn_by_order_that_is_still_served_is_ordered_withdrawn_again(
    uow: UnitOfWork, operator: str
) -> None:
    item = store(uow, operator, acknowledged(TERMINATED))
    call = make_call(operator, at=LATER)
    (drift,) = report(uow, call, [(item, ACTIVE)], request_id=uuid4()).drifts
    assert drift.kind is DriftKind.NOT_APPLIED
    pulled = pull_directives(uow, call, duration=timedelta(hours=1), limit=9).directives
    assert [each.directive.kind for each in pulled] == [DirectiveKind.TERMINATE]
    assert find(uow, item).ended_at == item.ended_at
    report(uow, call, [(item, TERMINATED)], request_id=uuid4())
    ended = find(uow, item)
    assert (ended.applied_state, ended.ended_at) == (TERMINATED, LATER)
    assert counted_twice(uow, operator) == [1, 0]


def counted_twice(uow: UnitOfWork, operator: str) -> list[int]:
    query = select(reconciliation.c.drift_count).where(reconciliation.c.operator_id == operator)
    return sorted(uow.connection.execute(query).scalars(), reverse=True)


def test_what_was_not_reported_is_named_after_the_last_batch(
    uow: UnitOfWork, operator: str
) -> None:
    reported = store(uow, operator, acknowledged(ACTIVE))
    missing = store(uow, operator, acknowledged(SUSPENDED))
    for state in (ServiceState.INACTIVE, TERMINATED):  # not in service: nothing to report
        store(
            uow,
            operator,
            acknowledged(TERMINATED) if state is TERMINATED else Past(ordered=state, applied=state),
        )
    call, request_id = make_call(operator, at=LATER), uuid4()
    first = report(uow, call, [(reported, ACTIVE)], request_id=request_id)
    assert (first.unreported, first.unreported_count) == ((), 0)
    new = make_subscription(operator_id=operator, created_at=LATER)  # came in meanwhile
    uow.subscriptions.save(new)
    last = report(uow, call, [], request_id=request_id, batch_index=1, is_last=True)
    (found,) = last.unreported
    assert (found.reference, found.ordered) == (reference_of(uow, missing), SUSPENDED)
    assert uow.reconciliations.numbers_of([found.reference]) == {
        missing.subscription_id: missing.msisdn
    }
    assert (last.unreported_count, last.counts.compared, last.counts.drifts) == (1, 1, 0)
    assert counted(uow, operator)["unreported_count"] == 1
    assert find(uow, missing) == missing
    assert UNREPORTED_MAX == 10_000


def test_of_many_that_were_not_reported_the_first_are_named_and_all_are_counted(
    uow: UnitOfWork, operator: str
) -> None:
    items = [store(uow, operator, acknowledged(ACTIVE)) for _ in range(3)]
    run = uow.import_runs.begin(operator, uuid4(), method="m", is_snapshot=True, at=LATER)
    named, count = uow.reconciliations.unreported(
        operator, import_id=run.import_id, began_at=LATER, limit=2
    )
    keys = sorted(reference_of(uow, item)[0] for item in items)
    assert ([each.reference[0] for each in named], count) == (keys[:2], 3)


def test_counts_add_up_over_the_batches(uow: UnitOfWork, operator: str) -> None:
    call, request_id = make_call(operator, at=LATER), uuid4()
    for index in range(3):
        lie = store(uow, operator, acknowledged(BLOCKED))
        truth = store(uow, operator, acknowledged(ACTIVE))
        states = [(lie, ACTIVE), (truth, ACTIVE)]
        found = report(uow, call, states, request_id=request_id, batch_index=index)
        assert (found.counts.compared, found.counts.drifts) == (2 * index + 2, index + 1)
        assert found.counts.false == index + 1


def test_a_number_counts_once_however_often_it_is_named(uow: UnitOfWork, operator: str) -> None:
    """Or else a network would make its drift as small a share as it likes."""
    call, request_id = make_call(operator, at=LATER), uuid4()
    truth = store(uow, operator, acknowledged(ACTIVE))
    lie = store(uow, operator, acknowledged(SUSPENDED))
    # No order helps against a number that was never verified and is served.
    wild = store(uow, operator, Past(ordered=ServiceState.INACTIVE, applied=ACTIVE))
    network = [(truth, ACTIVE), (lie, ACTIVE), (wild, ACTIVE)]
    for index in range(3):
        found = report(uow, call, network, request_id=request_id, batch_index=index)
    assert [each.place for each in found.drifts] == [2]
    assert found.counts == Counts(compared=3, drifts=2, false=1)


@pytest.mark.parametrize("make", [nobodys, anothers, released])
def test_a_number_that_is_neither_had_nor_served_counts_nowhere(
    uow: UnitOfWork, operator: str, make: Callable[[UnitOfWork, str], Subscription]
) -> None:
    call = make_call(operator, at=LATER)
    made_up = [(make(uow, operator), state) for state in (TERMINATED, ServiceState.INACTIVE)]
    served = (make(uow, operator), ACTIVE)
    found = report(uow, call, [*made_up, served], request_id=uuid4())
    assert found.counts == Counts(compared=1, drifts=1, false=0)
