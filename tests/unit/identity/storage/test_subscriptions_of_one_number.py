"""Two subscriptions of one number: what is written for one of them leaves the other alone."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from sqlalchemy import select

from identity.domain.enforcement import Case, DirectiveKind, open_case
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.arrays import References
from identity.storage.database import UnitOfWork
from identity.storage.tables import directive, enforcement_case
from tests.unit.identity.makers import (
    NOW,
    find,
    make_directive,
    make_subscription,
    references_of,
    store_orders,
    track_for,
)


class Pair(NamedTuple):
    """A number that was withdrawn and one that was given out anew, under the same digits."""

    before: Subscription
    now: Subscription
    cases: dict[Subscription, Case]

    def references(self, uow: UnitOfWork) -> References:
        """The full key of the one in service."""
        return references_of(uow, self.now)


@pytest.fixture
def pair(uow: UnitOfWork) -> Pair:
    before = make_subscription(
        service_state=ServiceState.TERMINATED, applied_state=ServiceState.ACTIVE, verified_at=None
    )
    now = make_subscription(msisdn=before.msisdn, operator_id=before.operator_id, verified_at=None)
    cases = {}
    for item in (before, now):
        uow.subscriptions.save(item)
        track = track_for(CaseCause.UNVERIFIED)
        cases[item] = open_case(
            item, CaseCause.UNVERIFIED, track, identity=item.subscription_id, at=NOW
        )
    uow.cases.save_many((case, item) for item, case in cases.items())
    return Pair(before, now, cases)


def case_of(uow: UnitOfWork, item: Subscription) -> Case:
    (case,) = uow.cases.list_open([item])[item.subscription_id]
    return case


def test_a_state_is_written_for_the_one_that_is_named(uow: UnitOfWork, pair: Pair) -> None:
    references = pair.references(uow)
    uow.subscriptions.order_alike(references, ServiceState.SUSPENDED, at=NOW)
    uow.subscriptions.apply_alike(references, ServiceState.OUTGOING_BLOCKED, at=NOW)
    now = find(uow, pair.now)
    assert (now.service_state, now.applied_state) == (
        ServiceState.SUSPENDED,
        ServiceState.OUTGOING_BLOCKED,
    )
    assert find(uow, pair.before) == pair.before


def test_a_case_is_stepped_and_changed_of_the_one_that_is_named(
    uow: UnitOfWork, pair: Pair
) -> None:
    references, case = pair.references(uow), pair.cases[pair.now]
    uow.cases.step_alike(replace(case, steps_taken=3), references)
    uow.cases.change_alike(replace(case, cause=CaseCause.MISMATCHED), references)
    assert (case_of(uow, pair.now).steps_taken, case_of(uow, pair.now).cause) == (
        3,
        CaseCause.MISMATCHED,
    )
    assert case_of(uow, pair.before) == pair.cases[pair.before]


def test_orders_are_made_and_overtaken_of_the_one_that_is_named(
    uow: UnitOfWork, pair: Pair
) -> None:
    for item in (pair.before, pair.now):
        store_orders(uow, item, DirectiveKind.SUSPEND)
    references = pair.references(uow)
    uow.directives.supersede(references, [DirectiveKind.SUSPEND], at=NOW)
    uow.directives.add_alike(make_directive(pair.now, kind=DirectiveKind.RESTORE), references)
    query = select(directive.c.subscription_id, directive.c.kind, directive.c.state)
    both = [pair.before.subscription_id, pair.now.subscription_id]
    found = uow.connection.execute(query.where(directive.c.subscription_id.in_(both)))
    assert {tuple(row) for row in found} == {
        (pair.before.subscription_id, "suspend", "pending"),
        (pair.now.subscription_id, "suspend", "superseded"),
        (pair.now.subscription_id, "restore", "pending"),
    }


def test_a_case_is_opened_for_the_one_that_is_named(uow: UnitOfWork, pair: Pair) -> None:
    case = open_case(
        pair.now,
        CaseCause.DISOWNED,
        track_for(CaseCause.DISOWNED),
        identity=pair.now.subscription_id,
        at=NOW,
    )
    uow.cases.open_alike(case, pair.references(uow))
    query = select(enforcement_case.c.subscription_id).where(
        enforcement_case.c.track == case.track,
        enforcement_case.c.subscription_id.in_([each.subscription_id for each in pair.cases]),
    )
    assert list(uow.connection.scalars(query)) == [pair.now.subscription_id]
