"""Saying "not mine", and being told why a number is on the ladder."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.domain.caller import Role
from identity.domain.enforcement import Run
from identity.domain.errors import SubscriptionNotFoundError
from identity.domain.policy import CaseCause, StepKind
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call
from identity.services.disown_subscription import disown_subscription
from identity.services.explain_subscription import explain_subscription
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_call,
    make_msisdn,
    make_operator,
    make_personal_id,
    store_citizen,
    store_number,
)


def app() -> Call:
    return make_call(make_operator(), role=Role.CITIZEN_APP)


@pytest.fixture
def number(uow: UnitOfWork) -> Subscription:
    return store_number(uow, store_citizen(uow), operator_id=make_operator())


def test_a_disowned_number_is_on_the_ladder_for_that_from_now_on(
    uow: UnitOfWork, number: Subscription
) -> None:
    call = app()
    due_at = disown_subscription(uow, call, number.claim.personal_id, number.msisdn)
    (case,) = uow.cases.list_open([number])[number.subscription_id]
    assert (case.cause, case.track, case.opened_at) == (CaseCause.DISOWNED, "T3", NOW)
    assert case.next_due_at == NOW
    assert due_at == NOW + timedelta(days=5)
    assert actions(uow.connection, call.caller) == [("disown_subscription", "case_opened")]


def test_disowning_again_opens_nothing_new_and_restarts_no_clock(
    uow: UnitOfWork, number: Subscription
) -> None:
    disown_subscription(uow, app(), number.claim.personal_id, number.msisdn)
    before = uow.cases.list_open([number])
    later = replace(app(), at=NOW + timedelta(days=3))
    disown_subscription(uow, later, number.claim.personal_id, number.msisdn)
    assert uow.cases.list_open([number]) == before


def test_a_number_that_stands_on_the_same_ladder_already_is_told_the_clock_of_that(
    uow: UnitOfWork, number: Subscription
) -> None:
    """Where a pack puts both causes on one ladder there is one case, of the first cause."""
    t2, t3 = (app().rules.tracks[name] for name in ("T2", "T3"))
    merged = replace(t2, causes=t2.causes | t3.causes)
    tracks = {"T1": app().rules.tracks["T1"], "T2": merged}
    call = replace(app(), rules=replace(app().rules, tracks=tracks))
    item = replace(number, verified_at=None)
    settle_subscription(uow, call, item, Change(before=item.service_state))
    later = replace(call, at=NOW + timedelta(days=2))
    due_at = disown_subscription(uow, later, item.claim.personal_id, item.msisdn)
    assert due_at == NOW + timedelta(days=5)
    assert len(uow.cases.list_open([item])[item.subscription_id]) == 1


def test_a_number_is_disowned_by_its_claimed_holder_only(
    uow: UnitOfWork, number: Subscription
) -> None:
    call = app()
    refused = [
        (make_personal_id(), number.msisdn),
        (store_citizen(uow).personal_id, number.msisdn),
        (number.claim.personal_id, make_msisdn()),
    ]
    for personal_id, msisdn in refused:
        with pytest.raises(SubscriptionNotFoundError):
            disown_subscription(uow, call, personal_id, msisdn)
    assert uow.cases.list_open([number])[number.subscription_id] == []


def test_a_number_that_has_ended_cannot_be_disowned(uow: UnitOfWork, number: Subscription) -> None:
    uow.subscriptions.save(number.ordered(ServiceState.TERMINATED, at=NOW))
    with pytest.raises(SubscriptionNotFoundError):
        disown_subscription(uow, app(), number.claim.personal_id, number.msisdn)


def test_an_explanation_says_what_is_ordered_why_and_what_comes_next(
    uow: UnitOfWork, number: Subscription
) -> None:
    operator = make_call(number.operator_id)
    change = Change(
        before=number.service_state,
        cause=CaseCause.DEVICE_CHANGE,
        cause_at=NOW,
        run=Run(),
    )
    settle_subscription(uow, operator, number, change)
    disown_subscription(uow, app(), number.claim.personal_id, number.msisdn)
    explanation = explain_subscription(uow, operator, number.msisdn, None)
    assert explanation is not None
    assert explanation.service_state is ServiceState.OUTGOING_BLOCKED
    told = [(each.case.cause, each.next_step, each.next_step_at) for each in explanation.cases]
    assert told == [
        (CaseCause.DISOWNED, StepKind.NOTIFY, NOW),
        (CaseCause.DEVICE_CHANGE, StepKind.SUSPEND, NOW + timedelta(days=30)),
    ]
    assert all(each.track.citation and each.track.cure for each in explanation.cases)
    assert actions(uow.connection, operator.caller)[-1] == ("explain_subscription", "explained")


def test_a_case_at_the_end_of_its_ladder_has_no_next_step_and_comes_last(
    uow: UnitOfWork, number: Subscription
) -> None:
    call = app()
    disown_subscription(uow, call, number.claim.personal_id, number.msisdn)
    (case,) = uow.cases.list_open([number])[number.subscription_id]
    uow.cases.save_many([(replace(case, steps_taken=6, next_due_at=None), number)])
    change = Change(before=number.service_state, cause=CaseCause.DEVICE_CHANGE, cause_at=NOW)
    settle_subscription(uow, call, number, change)
    explanation = explain_subscription(uow, call, number.msisdn, number.claim.personal_id)
    assert explanation is not None
    assert [(each.case.track, each.next_step) for each in explanation.cases] == [
        ("T1", StepKind.NOTIFY),
        ("T3", None),
    ]


def test_a_primary_number_is_told_its_extra_time(uow: UnitOfWork, number: Subscription) -> None:
    call = app()
    disown_subscription(uow, call, number.claim.personal_id, number.msisdn)
    uow.primaries.set(number, at=NOW)
    (case,) = uow.cases.list_open([number])[number.subscription_id]
    due_at = NOW + timedelta(days=1)
    moved = replace(case, track="T2", steps_taken=5, next_due_at=due_at)
    uow.cases.save_many([(moved, number)])
    explanation = explain_subscription(uow, call, number.msisdn, number.claim.personal_id)
    assert explanation is not None
    (told,) = explanation.cases
    assert told.next_step is StepKind.BLOCK_OUTGOING
    assert told.next_step_at == due_at + told.track.primary_extra > due_at


def test_nobody_is_reached_through_a_number_that_they_disowned(
    uow: UnitOfWork, number: Subscription
) -> None:
    uow.primaries.set(number, at=NOW)
    disown_subscription(uow, app(), number.claim.personal_id, number.msisdn)
    assert uow.primaries.find(number.claim.personal_id) is None


def test_all_is_well_has_no_cases(uow: UnitOfWork, number: Subscription) -> None:
    explanation = explain_subscription(uow, make_call(number.operator_id), number.msisdn, None)
    assert explanation is not None
    assert (explanation.service_state, list(explanation.cases)) == (ServiceState.ACTIVE, [])


def test_who_may_know_is_told_and_nobody_else(uow: UnitOfWork, number: Subscription) -> None:
    holder = number.claim.personal_id
    regulator = make_call(make_operator(), role=Role.REGULATOR)
    told = [
        (make_call(number.operator_id), None),
        (regulator, None),
        (app(), holder),
    ]
    for call, personal_id in told:
        assert explain_subscription(uow, call, number.msisdn, personal_id) is not None
    untold = [
        (make_call(make_operator()), number.msisdn, None),
        (make_call(make_operator()), number.msisdn, holder),
        (app(), number.msisdn, make_personal_id()),
        (app(), number.msisdn, None),
        (app(), make_msisdn(), holder),
        (regulator, make_msisdn(), None),
    ]
    for call, msisdn, personal_id in untold:
        assert explain_subscription(uow, call, msisdn, personal_id) is None
        assert actions(uow.connection, call.caller)[-1] == ("explain_subscription", "not_found")


def test_an_operator_is_told_of_its_own_past_and_not_of_the_numbers_present(
    uow: UnitOfWork, number: Subscription
) -> None:
    uow.subscriptions.save(number.ordered(ServiceState.TERMINATED, at=NOW))
    store_number(uow, store_citizen(uow), msisdn=number.msisdn, operator_id=make_operator())
    past = explain_subscription(uow, make_call(number.operator_id), number.msisdn, None)
    assert past is not None
    assert past.service_state is ServiceState.TERMINATED
    assert explain_subscription(uow, app(), number.msisdn, number.claim.personal_id) is None
