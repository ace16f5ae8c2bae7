"""Through whose number people are reached: their own first, a guardian's where a child has none."""

import pytest
from sqlalchemy import event

from identity.audit.log import read_about_citizen
from identity.domain.agency import Purpose, Right
from identity.domain.contact import ContactStatus
from identity.domain.holder import PopulationRecord
from identity.services.get_contacts import Contact, get_contacts
from identity.services.reach import Reached, reach
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.restrictions import Restriction
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
    store_primary,
)
from tests.unit.identity.services.households import TODDLER, Household


@pytest.fixture
def home(uow: UnitOfWork) -> Household:
    """A guardian with a primary number, and a child without one."""
    guardian, _ = store_primary(uow)
    home = Household(uow=uow, guardian=guardian, child=store_citizen(uow, birth_date=TODDLER))
    home.agreed()
    return home


def reached(uow: UnitOfWork, *keys: bytes, is_even: bool = False) -> dict[bytes, Reached]:
    return dict(reach(uow, keys, rules().arrangements, at=NOW, is_even=is_even))


def key_of(uow: UnitOfWork, person: PopulationRecord) -> bytes:
    return citizen_key(uow.sealer, person.personal_id)


def contact(uow: UnitOfWork, person: PopulationRecord, *, purpose: Purpose) -> Contact:
    agency = store_agency(uow, make_grant(Right.NUMBER, purpose=purpose))
    (answer,) = get_contacts(uow, [make_question(agency, person.personal_id)])
    assert isinstance(answer, list)
    return answer[0]


@pytest.mark.parametrize("is_even", [False, True])
def test_a_child_without_a_number_is_reached_through_its_guardian(
    uow: UnitOfWork, home: Household, *, is_even: bool
) -> None:
    child, guardian = key_of(uow, home.child), key_of(uow, home.guardian)
    found = reached(uow, child, guardian, is_even=is_even)
    assert found[child].number.subscription_id == found[guardian].number.subscription_id
    assert found[child].holder_key == found[guardian].holder_key == guardian
    assert (found[child].number.is_fallback, found[guardian].number.is_fallback) == (True, False)


@pytest.mark.parametrize("is_even", [False, True])
def test_a_childs_own_number_comes_before_its_guardians(
    uow: UnitOfWork, home: Household, *, is_even: bool
) -> None:
    own = store_number(uow, home.child)
    uow.primaries.set(own, at=NOW)
    child = key_of(uow, home.child)
    found = reached(uow, child, is_even=is_even)[child]
    assert (found.number.subscription_id, found.holder_key) == (own.subscription_id, child)
    assert not found.number.is_fallback


def test_nobody_else_is_reached_through_anybody(uow: UnitOfWork, home: Household) -> None:
    stranger = store_citizen(uow)
    unknown = citizen_key(uow.sealer, make_personal_id())
    assert reached(uow, key_of(uow, stranger), unknown) == {}
    assert reached(uow) == {}
    del home  # only its number is there to be given


def test_both_see_that_the_guardians_number_was_asked_for(uow: UnitOfWork, home: Household) -> None:
    agency = store_agency(uow, make_grant(Right.NUMBER))
    question = make_question(agency, home.child.personal_id)
    (answer,) = get_contacts(uow, [question])
    assert isinstance(answer, list)
    assert answer[0].status is ContactStatus.DEGRADED
    assert answer[0].msisdn is not None
    assert actions(uow.connection, question.access.caller) == [("get_contact", "degraded")] * 2


@pytest.mark.parametrize(
    ("wish", "reachable_for"),
    [
        (Restriction(is_restricted=True), {Purpose.PUBLIC_SAFETY}),
        (
            Restriction(objected_purposes=frozenset({Purpose.SERVICE_DELIVERY})),
            {Purpose.PUBLIC_SAFETY, Purpose.LEGAL_NOTICE},
        ),
    ],
)
def test_a_guardians_wishes_hold_for_the_guardians_number(
    uow: UnitOfWork, home: Household, wish: Restriction, reachable_for: set[Purpose]
) -> None:
    guardian = key_of(uow, home.guardian)
    uow.restrictions.hold(guardian, at=NOW)
    uow.restrictions.save(guardian, wish, at=NOW)
    purposes = (Purpose.SERVICE_DELIVERY, Purpose.LEGAL_NOTICE, Purpose.PUBLIC_SAFETY)
    found = {each: contact(uow, home.child, purpose=each).status for each in purposes}
    degraded = {each for each, status in found.items() if status is ContactStatus.DEGRADED}
    assert degraded == reachable_for
    # Of what was given of the guardian's, and of nothing else, there is a record of the guardian's.
    told = read_about_citizen(uow.connection, guardian)
    asked = {each.purpose for each in told if each.action == "get_contact"}
    assert asked == {each.value for each in reachable_for}


def test_evenly_the_same_is_asked_whoever_has_a_number(uow: UnitOfWork, home: Household) -> None:
    people = [home.guardian, store_citizen(uow), store_primary(uow)[0]]
    heard: list[list[str]] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard[-1].append(statement)

    event.listen(uow.connection, "before_cursor_execute", hear)
    for person in people:
        heard.append([])
        reached(uow, key_of(uow, person), is_even=True)
    event.remove(uow.connection, "before_cursor_execute", hear)
    assert [each for each in heard if each != heard[0]] == []
    assert heard[0]
