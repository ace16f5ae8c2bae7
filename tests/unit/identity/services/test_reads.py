"""Reading subscriptions, contacts and primaries: who sees what, and the entry each read leaves."""

import pytest

from identity.audit.log import read_about_citizen
from identity.domain.caller import Role
from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState
from identity.services.call import Call
from identity.services.primary_number import get_primary_number, set_primary_number
from identity.services.read_subscriptions import (
    get_subscription,
    list_of_citizen,
    list_of_operator,
)
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_call,
    make_link,
    make_msisdn,
    make_operator,
    store_citizen,
    store_number,
    store_primary,
)


def app() -> Call:
    return make_call(make_operator(), role=Role.CITIZEN_APP)


def test_an_operator_reads_its_own_number_with_what_hangs_on_it(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(item, at=NOW)
    change = Change(before=item.service_state, cause=CaseCause.DEVICE_CHANGE, cause_at=NOW)
    settle_subscription(uow, call, item, change)
    view = get_subscription(uow, call, item.msisdn)
    assert view is not None
    assert view.subscription == item
    assert (view.has_open_case, view.is_primary) == (True, True)
    assert actions(uow.connection, call.caller) == [("get_subscription", "found")]
    entries = read_about_citizen(uow.connection, uow.primaries.key_of(item.claim.personal_id))
    assert [entry.action for entry in entries] == ["get_subscription"]


def test_anothers_number_and_an_unknown_one_look_and_are_recorded_alike(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    foreign = store_number(uow, store_citizen(uow))
    assert get_subscription(uow, call, foreign.msisdn) is None
    assert get_subscription(uow, call, make_msisdn()) is None
    assert actions(uow.connection, call.caller) == [("get_subscription", "not_found")] * 2
    key = uow.primaries.key_of(foreign.claim.personal_id)
    assert read_about_citizen(uow.connection, key) == ()


def test_an_operators_pages_are_whole_and_each_person_read_is_on_record(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    records = [store_citizen(uow) for _ in range(5)]
    items = [store_number(uow, r, operator_id=call.caller.name) for r in records]
    after, seen, sizes = None, [], []
    while True:
        page = list_of_operator(uow, call, after=after, limit=2, link_states=())
        seen += [view.subscription.subscription_id for view in page.views]
        sizes.append(len(page.views))
        after = page.next_after
        if after is None:
            break
    assert seen == sorted(item.subscription_id for item in items)
    assert sizes == [2, 2, 1]
    assert actions(uow.connection, call.caller) == [("list_subscriptions", "read")] * 5
    for record in records:
        key = uow.primaries.key_of(record.personal_id)
        assert len(read_about_citizen(uow.connection, key)) == 1


def test_a_page_that_is_just_full_is_the_last(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    for _ in range(2):
        store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    page = list_of_operator(uow, call, after=None, limit=2, link_states=())
    assert (len(page.views), page.next_after) == (2, None)
    none = list_of_operator(uow, make_call(make_operator()), after=None, limit=2, link_states=())
    assert (list(none.views), none.next_after) == ([], None)


def test_pages_can_be_narrowed_to_link_states(uow: UnitOfWork) -> None:
    call = make_call(make_operator())
    for state in LinkState:
        store_number(uow, store_citizen(uow), operator_id=call.caller.name, link=make_link(state))
    wanted = [LinkState.NOT_FOUND]
    page = list_of_operator(uow, call, after=None, limit=9, link_states=wanted)
    assert [view.subscription.link.state for view in page.views] == wanted


def test_a_citizen_sees_own_numbers_everywhere_and_nobody_elses(uow: UnitOfWork) -> None:
    call = app()
    record, primary = store_primary(uow)
    second = store_number(uow, record, operator_id=make_operator(), verified_at=None)
    store_number(uow, record, service_state=ServiceState.TERMINATED)
    store_primary(uow)
    first_page = list_of_citizen(uow, call, record.personal_id, after=None, limit=1)
    assert first_page.next_after is not None
    second_page = list_of_citizen(
        uow, call, record.personal_id, after=first_page.next_after, limit=1
    )
    assert second_page.next_after is None
    views = {
        view.subscription.subscription_id: view.is_primary
        for view in (*first_page.views, *second_page.views)
    }
    assert views == {primary.subscription_id: True, second.subscription_id: False}
    assert actions(uow.connection, call.caller) == [("list_own_subscriptions", "read")] * 2


def test_setting_and_reading_a_primary_number(uow: UnitOfWork) -> None:
    call = app()
    record = store_citizen(uow)
    assert get_primary_number(uow, call, record.personal_id).primary is None
    item = store_number(uow, record)
    marked = set_primary_number(uow, call, record.personal_id, item.msisdn).primary
    assert marked is not None
    assert get_primary_number(uow, call, record.personal_id).primary == marked
    assert (marked.msisdn, marked.set_at, marked.verified_at) == (
        item.msisdn,
        NOW,
        item.verified_at,
    )
    assert actions(uow.connection, call.caller) == [
        ("get_primary_number", "none"),
        ("set_primary_number", "set"),
        ("post_tiding", "primary_changed"),
        ("get_primary_number", "read"),
    ]


@pytest.mark.parametrize(
    "flaw",
    [
        {"verified_at": None},
        {"link": make_link(LinkState.MISMATCHED)},
        {"link": make_link(LinkState.DECEASED)},
        {"service_state": ServiceState.INACTIVE},
        {"service_state": ServiceState.OUTGOING_BLOCKED},
        {"service_state": ServiceState.SUSPENDED},
        {"service_state": ServiceState.TERMINATED},
    ],
    ids=["unverified", "mismatched", "dead", "inactive", "blocked", "suspended", "terminated"],
)
def test_only_a_verified_number_in_service_both_ways_becomes_primary(
    uow: UnitOfWork, flaw: dict[str, object]
) -> None:
    record, primary = store_primary(uow)
    item = store_number(uow, record, **flaw)
    with pytest.raises(PrimaryNotEligibleError):
        set_primary_number(uow, app(), record.personal_id, item.msisdn)
    kept = uow.primaries.find(record.personal_id)
    assert kept is not None
    assert kept.msisdn == primary.msisdn


def test_somebody_elses_number_and_an_unknown_one_are_refused_alike(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    foreign = store_number(uow, store_citizen(uow))
    messages = set()
    for msisdn in (foreign.msisdn, make_msisdn()):
        with pytest.raises(PrimaryNotEligibleError) as caught:
            set_primary_number(uow, app(), record.personal_id, msisdn)
        messages.add(str(caught.value))
    assert len(messages) == 1
