"""Links put right: what changes is written, told and kept in the history, and nothing else is."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

from identity.domain.caller import Role
from identity.domain.enforcement import DirectiveKind
from identity.domain.holder import PopulationRecord
from identity.domain.link import FieldResult, LinkState, agreed_link, not_found_link
from identity.domain.name_agreement import NameAgreement
from identity.domain.person_name import PersonName
from identity.domain.policy import CaseCause
from identity.domain.subscriber_update import News
from identity.domain.subscription import ServiceState, Subscription
from identity.services.relink import Relinked, relink
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction
from tests.unit.identity.makers import (
    FULL_NAME,
    NOW,
    OTHER_NAME,
    find,
    make_call,
    make_link,
    make_record,
    reference_of,
    store_citizen,
    store_number,
    store_primary,
)

LATER = NOW + timedelta(days=1)
CALL = make_call("register", role=Role.POPULATION, at=LATER)


def relink_all(uow: UnitOfWork, *items: Subscription) -> list[Relinked]:
    keys = {citizen_key(uow.sealer, item.claim.personal_id) for item in items}
    return list(
        relink(uow, CALL, uow.links.list_doubtful_of(keys), action=LinkAction.POPULATION_CHANGE)
    )


def history(uow: UnitOfWork, item: Subscription) -> list[tuple[str, str, str]]:
    return [
        (line.action, line.from_state.value, line.to_state.value)
        for line in uow.link_changes.list_of(*reference_of(uow, item))
    ]


def causes(uow: UnitOfWork, item: Subscription) -> list[CaseCause]:
    return [case.cause for case in uow.cases.list_open([item])[item.subscription_id]]


def rename(uow: UnitOfWork, record: PopulationRecord, name: str) -> None:
    uow.citizens.save_many([replace(record, full_name=PersonName(name))], at=LATER)


def test_what_stands_as_it_should_is_neither_written_nor_told(uow: UnitOfWork) -> None:
    record, primary = store_primary(uow)
    plain = store_number(uow, record, verified_at=None)
    unknown = store_number(uow, make_record(), link=not_found_link(), verified_at=None)
    dead = store_citizen(uow, deceased_on=date(2026, 1, 2))
    buried = store_number(uow, dead, link=agreed_link(is_deceased=True), verified_at=None)
    items = (primary, plain, unknown, buried)
    assert relink_all(uow, *items) == []
    for item in items:
        assert find(uow, item) == item
        assert history(uow, item) == []
        assert causes(uow, item) == []


def test_a_link_that_breaks_is_in_the_history_and_puts_the_number_on_the_ladder(
    uow: UnitOfWork,
) -> None:
    record = store_citizen(uow)
    items = [store_number(uow, record, verified_at=None) for _ in range(3)]
    rename(uow, record, OTHER_NAME)
    changed = relink_all(uow, *items)
    assert {each.claimed.subscription_id for each in changed} == {
        item.subscription_id for item in items
    }
    for item in items:
        after = find(uow, item)
        assert (after.link.state, after.updated_at) == (LinkState.MISMATCHED, LATER)
        assert after.link.full_name.result is FieldResult.MISMATCH
        assert history(uow, item) == [(LinkAction.POPULATION_CHANGE, "linked", "mismatched")]
        assert causes(uow, item) == [CaseCause.MISMATCHED]
    rename(uow, record, FULL_NAME)
    relink_all(uow, *items)
    for item in items:
        assert find(uow, item).link == agreed_link(is_deceased=False)
        assert history(uow, item)[1:] == [(LinkAction.POPULATION_CHANGE, "mismatched", "linked")]
        assert causes(uow, item) == [CaseCause.UNVERIFIED]


def test_another_mismatch_is_written_without_a_line_in_the_history(uow: UnitOfWork) -> None:
    record = store_citizen(uow, full_name=PersonName("Nguyen Thi Hoai Thuong"))
    item = store_number(
        uow,
        replace(record, full_name=PersonName(FULL_NAME)),
        link=make_link(LinkState.MISMATCHED),
        verified_at=None,
    )
    (changed,) = relink_all(uow, item)
    assert changed.link.full_name.agreement is NameAgreement.UNACCENTED
    assert find(uow, item).link == changed.link
    assert history(uow, item) == []
    assert relink_all(uow, item) == []


def test_a_verified_primary_whose_link_breaks_stays_verified_and_is_primary_no_more(
    uow: UnitOfWork,
) -> None:
    record, item = store_primary(uow)
    rename(uow, record, OTHER_NAME)
    relink_all(uow, item)
    after = find(uow, item)
    assert (after.verified_at, after.link.state) == (item.verified_at, LinkState.MISMATCHED)
    assert uow.primaries.find(record.personal_id) is None
    assert history(uow, item) == [(LinkAction.POPULATION_CHANGE, "linked", "mismatched")]
    assert causes(uow, item) == [CaseCause.MISMATCHED]


def test_a_number_blocked_for_a_link_that_is_right_now_is_given_back(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    items = [
        store_number(
            uow,
            record,
            link=make_link(LinkState.MISMATCHED),
            verified_at=NOW,
            service_state=ServiceState.OUTGOING_BLOCKED,
            applied_state=ServiceState.OUTGOING_BLOCKED,
        )
        for _ in range(2)
    ]
    relink_all(uow, *items)
    assert {find(uow, item).service_state for item in items} == {ServiceState.ACTIVE}
    leased = uow.directives.lease(
        items[0].operator_id, lease_id=uuid4(), expires_at=LATER, at=NOW, limit=99_999
    )
    ids = [item.subscription_id for item in items]
    ordered = {each.subscription_id: each.kind for each in leased if each.subscription_id in ids}
    assert ordered == dict.fromkeys(ids, DirectiveKind.RESTORE)
    assert causes(uow, items[0]) == []


def test_what_the_register_was_told_of_disowned_numbers_it_is_told_on(uow: UnitOfWork) -> None:
    """Also where nobody was verified, and many are settled at once."""
    record = store_citizen(uow)
    items = [store_number(uow, record, verified_at=None) for _ in range(3)]
    disowned = {reference_of(uow, item): News(is_disowned=True) for item in items[:2]}
    assert uow.subscriber_updates.note(disowned, at=NOW) == 2
    rename(uow, record, OTHER_NAME)
    relink_all(uow, *items)
    updates = uow.subscriber_updates.lease(
        lease_id=items[0].subscription_id, expires_at=LATER, at=NOW, limit=99_999
    )
    told = {
        each.subscription_id: (each.standing.link_state, each.changed_at)
        for each in updates
        if each.personal_id == record.personal_id
    }
    assert told == {item.subscription_id: (LinkState.MISMATCHED, LATER) for item in items[:2]}


def test_nobodys_claims_are_no_fault(uow: UnitOfWork) -> None:
    assert list(relink(uow, CALL, [], action=LinkAction.POPULATION_CHANGE)) == []
