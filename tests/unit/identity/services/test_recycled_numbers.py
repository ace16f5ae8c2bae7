"""Recycled numbers: kept from everybody for a while, and then nothing of the past is left."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from identity.domain.caller import Role
from identity.domain.directive import AcknowledgementResult
from identity.domain.enforcement import DirectiveKind
from identity.domain.errors import NumberQuarantinedError, VerificationExpiredError
from identity.domain.holder import HolderClaim
from identity.domain.link import LinkState
from identity.domain.subscription import ServiceState, Subscription
from identity.services.apply_population_changes import Death, apply_population_changes
from identity.services.call import Call
from identity.services.complete_verification import claim_session
from identity.services.directives import Acknowledgement, acknowledge_directives
from identity.services.explain_subscription import explain_subscription
from identity.services.import_subscriptions import import_subscriptions
from identity.services.read_subscriptions import get_subscription, list_of_citizen
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.verification_sessions import start_verification
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork
from identity.storage.tables import metadata
from identity.storage.verifications import Claimant
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_claim,
    make_directive,
    make_operator,
    policy,
    store_citizen,
    store_number,
    unverified,
)

QUARANTINE = policy().numbers.quarantine
TICK = timedelta(microseconds=1)
CLAIMANT = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)


@pytest.fixture
def call() -> Call:
    return make_call(make_operator())


def later(call: Call, by: timedelta) -> Call:
    return replace(call, at=call.at + by)


def event(
    call: Call, kind: EventKind, item: Subscription, claim: HolderClaim | None = None
) -> SubscriptionEvent:
    return SubscriptionEvent(msisdn=item.msisdn, kind=kind, occurred_at=call.at, claim=claim)


def released(uow: UnitOfWork, call: Call) -> Subscription:
    """A number with a holder who was verified and had it as primary, given up."""
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(item, at=NOW)
    assert report_events(uow, call, [event(call, EventKind.RELEASE, item)]) == [""]
    return item


def answers(uow: UnitOfWork, call: Call, item: Subscription, claim: HolderClaim) -> list[str]:
    """What registering, importing and porting in are refused with, in this order."""
    row = index_row(uow.sealer, BookRow(msisdn=item.msisdn, claim=claim))
    try:
        with uow.connection.begin_nested() as tried:
            register_subscription(uow, call, item.msisdn, claim)
            tried.rollback()
        registered = ""
    except NumberQuarantinedError as error:
        registered = error.reason
    with uow.connection.begin_nested() as tried:
        errors = import_subscriptions(uow, call, [row]).row_errors
        tried.rollback()
    with uow.connection.begin_nested() as tried:
        (ported,) = report_events(uow, call, [event(call, EventKind.PORT_IN, item, claim)])
        tried.rollback()
    return [registered, errors[0].reason if errors else "", ported]


def test_a_released_number_is_kept_from_everybody_until_the_quarantine_ends(
    uow: UnitOfWork, call: Call
) -> None:
    item = released(uow, call)
    heir = make_claim(store_citizen(uow))
    for taker in (call, make_call(make_operator())):
        for claim in (item.claim, heir):
            for wait in (timedelta(0), QUARANTINE - TICK):
                kept = answers(uow, later(taker, wait), item, claim)
                assert kept == ["NUMBER_QUARANTINED"] * 3
    stranger = later(make_call(make_operator()), QUARANTINE)
    assert answers(uow, stranger, item, heir) == ["", "", ""]
    own = "REGISTRATION_REQUIRED"
    assert answers(uow, later(call, QUARANTINE), item, heir) == ["", own, own]


def test_the_refusal_says_until_when(uow: UnitOfWork, call: Call) -> None:
    item = released(uow, call)
    until = (call.at + QUARANTINE).isoformat(timespec="seconds")
    with pytest.raises(NumberQuarantinedError, match=until.replace("+", r"\+")):
        register_subscription(uow, call, item.msisdn, item.claim)


def test_a_ported_number_moves_at_once_and_to_nobody_else_where_it_came_from(
    uow: UnitOfWork, call: Call
) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    heir = make_claim(store_citizen(uow))
    report_events(uow, call, [event(call, EventKind.PORT_OUT, item)])
    assert answers(uow, make_call(make_operator()), item, item.claim) == ["", "", ""]
    assert answers(uow, call, item, heir) == ["NUMBER_QUARANTINED"] * 3
    own = "REGISTRATION_REQUIRED"
    assert answers(uow, call, item, item.claim) == ["", own, own]


def withdrawn(uow: UnitOfWork, call: Call) -> Subscription:
    """A number that was ordered terminated, and cut an hour later."""
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    item = unverified(item).ordered(ServiceState.TERMINATED, at=call.at)
    uow.subscriptions.save(item)
    order = make_directive(item, kind=DirectiveKind.TERMINATE)
    uow.directives.add_many([order])
    lease_id, cut = uuid4(), later(call, timedelta(hours=1))
    uow.directives.lease(
        call.caller.name,
        lease_id=lease_id,
        expires_at=cut.at + timedelta(hours=1),
        at=cut.at,
        limit=1,
    )
    done = Acknowledgement(directive_id=order.directive_id, is_executed=True, failure="")
    results = acknowledge_directives(uow, cut, lease_id, [done])
    assert results == [AcknowledgementResult.ACCEPTED]
    return item


def test_a_withdrawn_number_comes_back_to_its_holder_and_to_nobody_else(
    uow: UnitOfWork, call: Call
) -> None:
    item = withdrawn(uow, call)
    heir = make_claim(store_citizen(uow))
    cut = later(call, timedelta(hours=1))
    for wait in (timedelta(0), QUARANTINE - TICK):
        now = later(cut, wait)
        stranger = replace(make_call(make_operator()), at=now.at)
        assert answers(uow, now, item, heir) == ["NUMBER_QUARANTINED"] * 3
        assert answers(uow, stranger, item, item.claim) == ["NUMBER_QUARANTINED"] * 3
        own = "REGISTRATION_REQUIRED"
        assert answers(uow, now, item, item.claim) == ["", own, own]
    assert answers(uow, later(cut, QUARANTINE), item, heir)[0] == ""


def test_registering_the_former_holder_and_letting_go_again_does_not_shake_off_the_quarantine(
    uow: UnitOfWork, call: Call
) -> None:
    item = withdrawn(uow, call)
    now = later(call, timedelta(hours=2))
    register_subscription(uow, now, item.msisdn, item.claim)
    assert report_events(uow, now, [event(now, EventKind.RELEASE, item)]) == [""]
    heir = make_claim(store_citizen(uow))
    assert answers(uow, now, item, heir) == ["NUMBER_QUARANTINED"] * 3


def test_a_number_that_was_registered_and_never_served_is_free_at_once(
    uow: UnitOfWork, call: Call
) -> None:
    claim = make_claim(store_citizen(uow))
    item = store_number(
        uow,
        store_citizen(uow),
        operator_id=call.caller.name,
        service_state=ServiceState.INACTIVE,
        applied_state=ServiceState.INACTIVE,
        verified_at=None,
    )
    report_events(uow, call, [event(call, EventKind.RELEASE, item)])
    assert answers(uow, call, item, claim)[0] == ""


def eventful(uow: UnitOfWork, call: Call) -> tuple[Subscription, HolderClaim]:
    """A number with a past in every table, and the number's holder."""
    record = store_citizen(uow)
    item = store_number(uow, record, operator_id=call.caller.name)
    uow.primaries.set(item, at=NOW)
    report_events(uow, call, [event(call, EventKind.DEVICE_CHANGE, item)])
    start_verification(uow, call, item.msisdn, None)
    authority = make_call(make_operator(), role=Role.POPULATION)
    apply_population_changes(uow, authority, [Death(record.personal_id, NOW.date())])
    return item, item.claim


def test_a_new_holder_inherits_nothing_of_the_old_one(uow: UnitOfWork, call: Call) -> None:
    item, former = eventful(uow, call)
    session = start_verification(uow, call, item.msisdn, None)
    report_events(uow, call, [event(call, EventKind.RELEASE, item)])
    now = later(call, QUARANTINE)
    heir = store_citizen(uow)
    new = register_subscription(uow, now, item.msisdn, make_claim(heir))

    ids = {item.subscription_id, new.subscription_id}
    assert len(ids) == 2
    rows = {
        (table.name, identity): uow.connection.execute(
            select(func.count()).select_from(table).where(table.c.subscription_id == identity)
        ).scalar_one()
        for table in metadata.sorted_tables
        if "subscription_id" in table.c
        for identity in ids
    }
    of_new = {
        name for (name, identity), n in rows.items() if n and identity != item.subscription_id
    }
    of_old = {
        name for (name, identity), n in rows.items() if n and identity == item.subscription_id
    }
    assert of_new == {"subscription", "holding"}
    assert of_old.isdisjoint({"holding", "primary_number"})

    view = get_subscription(uow, now, item.msisdn)
    assert view is not None
    assert view.subscription == new
    assert (new.verified_at, new.sim_swapped_at, new.link.state) == (None, None, LinkState.LINKED)
    assert (view.is_primary, new.service_state) == (False, ServiceState.INACTIVE)
    explained = explain_subscription(uow, now, item.msisdn, None)
    assert explained is not None
    assert list(explained.cases) == []
    assert list(explained.link_history) == []
    app = make_call("vneid", role=Role.CITIZEN_APP, at=now.at)
    assert list_of_citizen(uow, app, former.personal_id, after=None, limit=9).views == []
    assert uow.primaries.find(former.personal_id) is None
    assert uow.primaries.find(heir.personal_id) is None
    orders = uow.directives.lease(
        call.caller.name,
        lease_id=uuid4(),
        expires_at=now.at + timedelta(hours=1),
        at=now.at,
        limit=99,
    )
    assert list(orders) == []
    with pytest.raises(VerificationExpiredError):
        claim_session(uow, now, session.verification_id, CLAIMANT)
