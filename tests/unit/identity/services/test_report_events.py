"""Events: what each kind does, and the reason with which each that does not fit is refused."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from identity.domain.directive import Directive
from identity.domain.enforcement import DirectiveKind, open_case
from identity.domain.errors import FieldViolation, RequestInvalidError
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call
from identity.services.disown_subscription import disown_subscription
from identity.services.report_events import (
    EVENT_AGE_MAX,
    EventKind,
    SubscriptionEvent,
    report_events,
)
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    make_record,
    store_citizen,
    store_number,
    store_orders,
    track_for,
)

AN_HOUR_AGO = NOW - timedelta(hours=1)
OWN_KINDS = [kind for kind in EventKind if kind is not EventKind.PORT_IN]


@pytest.fixture
def call() -> Call:
    return make_call(make_operator())


@pytest.fixture
def number(uow: UnitOfWork, call: Call) -> Subscription:
    """A verified number that is its holder's primary."""
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(item, at=NOW)
    return item


def event(
    kind: EventKind, item: Subscription, *, at: datetime = AN_HOUR_AGO, is_named: bool = True
) -> SubscriptionEvent:
    return SubscriptionEvent(
        msisdn=item.msisdn, kind=kind, occurred_at=at, claim=item.claim if is_named else None
    )


def causes(uow: UnitOfWork, item: Subscription) -> list[CaseCause]:
    return [case.cause for case in uow.cases.list_open([item])[item.subscription_id]]


def open_orders(uow: UnitOfWork, call: Call) -> list[Directive]:
    at = NOW + timedelta(minutes=1)
    leased = uow.directives.lease(
        call.caller.name,
        lease_id=uuid4(),
        expires_at=at + timedelta(minutes=1),
        at=at,
        limit=99,
    )
    return [each.directive for each in leased]


def test_a_device_change_warns_and_blocks_at_once_within_two_hours_of_the_event(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    assert report_events(uow, call, [event(EventKind.DEVICE_CHANGE, number)]) == [""]
    assert find(uow, number).service_state is ServiceState.OUTGOING_BLOCKED
    assert causes(uow, number) == [CaseCause.DEVICE_CHANGE]
    orders = open_orders(uow, call)
    assert [order.kind for order in orders] == [DirectiveKind.NOTIFY, DirectiveKind.BLOCK_OUTGOING]
    assert {order.due_at for order in orders} == {AN_HOUR_AGO + timedelta(hours=2)}
    # A one-way block still lets the citizen be called.
    assert uow.primaries.find(number.claim.personal_id) is not None


def test_a_device_change_does_not_take_a_block_whose_notice_has_not_come(
    uow: UnitOfWork, call: Call
) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name, verified_at=None)
    track = track_for(CaseCause.UNVERIFIED)
    waiting = open_case(item, CaseCause.UNVERIFIED, track, identity=uuid4(), at=AN_HOUR_AGO)
    blocked = replace(item, service_state=ServiceState.OUTGOING_BLOCKED)
    uow.subscriptions.save(blocked)
    uow.cases.save_many([(replace(waiting, steps_taken=6), item)])
    store_orders(uow, item, DirectiveKind.NOTIFY)
    assert report_events(uow, call, [event(EventKind.DEVICE_CHANGE, item)]) == [""]
    assert find(uow, item).service_state is ServiceState.OUTGOING_BLOCKED
    assert [order.kind for order in open_orders(uow, call)] == [DirectiveKind.NOTIFY] * 2


@pytest.mark.parametrize("state", [ServiceState.ACTIVE, ServiceState.SUSPENDED])
def test_the_block_after_a_device_change_says_whether_it_is_the_last_number(
    uow: UnitOfWork, call: Call, number: Subscription, state: ServiceState
) -> None:
    holder = replace(make_record(), personal_id=number.claim.personal_id)
    store_number(uow, holder, service_state=state)
    report_events(uow, call, [event(EventKind.DEVICE_CHANGE, number)])
    is_last = state is not ServiceState.ACTIVE
    assert {order.is_last_number for order in open_orders(uow, call)} == {is_last}


def test_a_second_device_change_opens_no_second_case(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    events = [event(EventKind.DEVICE_CHANGE, number)] * 2
    assert report_events(uow, call, events) == ["", ""]
    assert causes(uow, number) == [CaseCause.DEVICE_CHANGE]
    assert len(open_orders(uow, call)) == 2


def test_a_device_change_of_an_inactive_number_is_refused(uow: UnitOfWork, call: Call) -> None:
    item = store_number(
        uow,
        store_citizen(uow),
        operator_id=call.caller.name,
        service_state=ServiceState.INACTIVE,
        verified_at=None,
    )
    assert report_events(uow, call, [event(EventKind.DEVICE_CHANGE, item)]) == ["EVENT_INVALID"]
    assert find(uow, item) == item
    assert actions(uow.connection, call.caller) == [("report_device_change", "EVENT_INVALID")]


def test_a_sim_swap_is_noted_and_nothing_else(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    assert report_events(uow, call, [event(EventKind.SIM_SWAP, number)]) == [""]
    assert find(uow, number) == replace(number, sim_swapped_at=AN_HOUR_AGO, updated_at=NOW)
    assert causes(uow, number) == []
    assert uow.primaries.find(number.claim.personal_id) is not None


def test_a_sim_swap_told_of_late_does_not_hide_a_later_one(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    old = event(EventKind.SIM_SWAP, number, at=NOW - timedelta(days=80))
    assert report_events(uow, call, [event(EventKind.SIM_SWAP, number), old]) == ["", ""]
    assert find(uow, number).sim_swapped_at == AN_HOUR_AGO


@pytest.mark.parametrize("kind", [EventKind.PORT_OUT, EventKind.RELEASE])
def test_a_number_that_leaves_ends_here_with_all_that_hung_on_it(
    uow: UnitOfWork, call: Call, number: Subscription, kind: EventKind
) -> None:
    disown_subscription(uow, make_call(), number.claim.personal_id, number.msisdn)
    store_orders(uow, number, DirectiveKind.RESTORE)
    assert report_events(uow, call, [event(kind, number)]) == [""]
    ended = find(uow, number)
    assert (ended.service_state, ended.applied_state) == (ServiceState.TERMINATED,) * 2
    assert causes(uow, number) == []
    assert uow.primaries.find(number.claim.personal_id) is None
    assert uow.subscriptions.find_in_service(number.msisdn) is None
    assert open_orders(uow, call) == []


def test_a_blocked_number_is_released_and_not_ported(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    """At its new operator it would be in service again, with nobody verified for it."""
    port_out, release = event(EventKind.PORT_OUT, number), event(EventKind.RELEASE, number)
    events = [event(EventKind.DEVICE_CHANGE, number), port_out]
    assert report_events(uow, call, events) == ["", "EVENT_INVALID"]
    assert find(uow, number).service_state is ServiceState.OUTGOING_BLOCKED
    assert report_events(uow, call, [release]) == [""]


def test_a_number_that_was_told_of_its_block_is_not_ported(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    """From operator to operator its clock would begin anew for ever."""
    disown_subscription(uow, make_call(), number.claim.personal_id, number.msisdn)
    (case,) = uow.cases.list_open([number])[number.subscription_id]
    uow.cases.save_many([(replace(case, steps_taken=1), number)])
    assert report_events(uow, call, [event(EventKind.PORT_OUT, number)]) == ["EVENT_INVALID"]
    assert find(uow, number).service_state is ServiceState.ACTIVE


def test_a_ported_number_starts_anew_at_its_new_operator(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    report_events(uow, call, [event(EventKind.PORT_OUT, number)])
    taker = make_call(make_operator())
    assert report_events(uow, taker, [event(EventKind.PORT_IN, number)]) == [""]
    item = uow.subscriptions.find_in_service(number.msisdn)
    assert item is not None
    assert item.subscription_id != number.subscription_id
    assert (item.operator_id, item.claim) == (taker.caller.name, number.claim)
    assert (item.service_state, item.applied_state) == (ServiceState.ACTIVE,) * 2
    assert (item.link.state, item.verified_at) == (LinkState.LINKED, None)
    assert causes(uow, item) == [CaseCause.UNVERIFIED]
    assert uow.primaries.find(number.claim.personal_id) is None
    old = uow.subscriptions.find_of_operator(number.msisdn, call.caller.name)
    assert old is not None
    assert old.service_state is ServiceState.TERMINATED


def test_a_number_cannot_be_ported_in_before_it_was_ported_out(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    taker = make_call(make_operator())
    for porter in (taker, call):
        reasons = report_events(uow, porter, [event(EventKind.PORT_IN, number)])
        assert reasons == ["NUMBER_IN_SERVICE_ELSEWHERE"]
    assert find(uow, number) == number
    assert actions(uow.connection, taker.caller) == [
        ("report_port_in", "NUMBER_IN_SERVICE_ELSEWHERE")
    ]


def test_a_transfer_names_a_new_holder_who_must_be_verified(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    claim = make_claim(store_citizen(uow))
    transfer = replace(event(EventKind.TRANSFER, number), claim=claim)
    assert report_events(uow, call, [transfer]) == [""]
    item = find(uow, number)
    assert (item.claim, item.verified_at, item.updated_at) == (claim, None, NOW)
    assert (item.link.state, item.service_state) == (LinkState.LINKED, ServiceState.ACTIVE)
    assert causes(uow, item) == [CaseCause.UNVERIFIED]
    assert uow.primaries.find(number.claim.personal_id) is None
    assert uow.primaries.find(claim.personal_id) is None
    held = uow.subscriptions.list_of_citizen(claim.personal_id, after=None, limit=9)
    assert [each.subscription_id for each in held] == [item.subscription_id]


def test_a_transfer_to_the_holder_takes_no_verification_away(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    assert report_events(uow, call, [event(EventKind.TRANSFER, number)]) == ["EVENT_INVALID"]
    assert find(uow, number) == number
    assert uow.primaries.find(number.claim.personal_id) is not None


@pytest.mark.parametrize("kind", [EventKind.TRANSFER, EventKind.PORT_IN])
def test_a_change_of_holder_without_a_holder_is_refused(
    uow: UnitOfWork, call: Call, number: Subscription, kind: EventKind
) -> None:
    nameless = event(kind, number, is_named=False)
    assert report_events(uow, call, [nameless]) == ["EVENT_INVALID"]
    assert find(uow, number) == number


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_another_operators_number_and_one_that_does_not_exist_answer_alike(
    uow: UnitOfWork, number: Subscription, kind: EventKind
) -> None:
    stranger = make_call(make_operator())
    foreign = event(kind, number)
    unknown = replace(foreign, msisdn=make_msisdn())
    reasons = report_events(uow, stranger, [foreign, unknown])
    assert reasons == ["SUBSCRIPTION_NOT_FOUND"] * 2
    assert find(uow, number) == number
    assert (
        actions(uow.connection, stranger.caller)
        == [(f"report_{kind.value}", "SUBSCRIPTION_NOT_FOUND")] * 2
    )


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_a_number_that_has_ended_takes_no_event(
    uow: UnitOfWork, call: Call, number: Subscription, kind: EventKind
) -> None:
    events = [event(EventKind.RELEASE, number), event(kind, number)]
    assert report_events(uow, call, events) == ["", "SUBSCRIPTION_NOT_FOUND"]


@pytest.mark.parametrize("kind", list(EventKind))
def test_an_event_has_to_be_of_the_last_ninety_days(
    uow: UnitOfWork, call: Call, number: Subscription, kind: EventKind
) -> None:
    tick = timedelta(microseconds=1)
    events = [
        event(kind, number, at=NOW + tick),
        event(kind, number, at=NOW - EVENT_AGE_MAX - tick),
    ]
    assert report_events(uow, call, events) == ["INSTANT_IN_FUTURE", "EVENT_INVALID"]
    assert find(uow, number) == number
    assert actions(uow.connection, call.caller) == [
        (f"report_{kind.value}", "INSTANT_IN_FUTURE"),
        (f"report_{kind.value}", "EVENT_INVALID"),
    ]


def test_the_bounds_themselves_are_taken(uow: UnitOfWork, call: Call, number: Subscription) -> None:
    events = [event(EventKind.SIM_SWAP, number, at=at) for at in (NOW, NOW - EVENT_AGE_MAX)]
    assert report_events(uow, call, events) == ["", ""]


def test_each_event_answers_for_itself_and_each_leaves_its_entry(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    violation = FieldViolation(field="msisdn", reason="MSISDN_MALFORMED", description="too long")
    malformed = RequestInvalidError((violation,))
    events: list[SubscriptionEvent | RequestInvalidError] = [
        event(EventKind.SIM_SWAP, number),
        malformed,
        event(EventKind.PORT_IN, number),
        event(EventKind.RELEASE, number),
        event(EventKind.PORT_IN, number),
    ]
    assert report_events(uow, call, events) == [
        "",
        "MSISDN_MALFORMED",
        "NUMBER_IN_SERVICE_ELSEWHERE",
        "",
        "NUMBER_QUARANTINED",
    ]
    assert actions(uow.connection, call.caller) == [
        ("report_sim_swap", "applied"),
        ("report_port_in", "NUMBER_IN_SERVICE_ELSEWHERE"),
        ("report_release", "applied"),
        ("report_port_in", "NUMBER_QUARANTINED"),
    ]


def test_a_sim_swap_demands_a_verification_where_the_pack_says_so(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    t1 = call.rules.tracks["T1"]
    tracks = {**call.rules.tracks, "T1": replace(t1, causes=t1.causes | {CaseCause.SIM_SWAP})}
    strict = replace(call, rules=replace(call.rules, tracks=tracks))
    assert report_events(uow, strict, [event(EventKind.SIM_SWAP, number)]) == [""]
    swapped = find(uow, number)
    assert swapped.sim_swapped_at == AN_HOUR_AGO
    assert swapped.service_state is ServiceState.OUTGOING_BLOCKED
    assert causes(uow, number) == [CaseCause.SIM_SWAP]
    orders = open_orders(uow, call)
    assert {order.due_at for order in orders} == {AN_HOUR_AGO + timedelta(hours=2)}


def test_a_transfer_stands_in_the_history_of_the_link_even_between_two_linked_holders(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    claim = make_claim(store_citizen(uow))
    report_events(uow, call, [replace(event(EventKind.TRANSFER, number), claim=claim)])
    key = uow.sealer.blind_index("msisdn", number.msisdn.value)
    (line,) = uow.link_changes.list_of(key, number.subscription_id)
    assert (line.action, line.changed_at) == (LinkAction.NEW_HOLDER, NOW)
    assert (line.from_state, line.to_state) == (LinkState.LINKED,) * 2
