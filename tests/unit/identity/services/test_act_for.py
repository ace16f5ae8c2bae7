"""Who may do for another what that other may do, and what stands on record of it."""

from dataclasses import replace

import pytest

from identity.audit.log import read_about_citizen
from identity.domain.arrangement import GuardianAct, comes_of_age_at
from identity.domain.personal_id import PersonalID
from identity.services.act_for import may_act_for
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import make_personal_id, store_citizen
from tests.unit.identity.services.households import TODDLER, Household, household


@pytest.fixture
def home(uow: UnitOfWork) -> Household:
    """A guardian of a small child."""
    made = household(uow)
    made.agreed()
    return made


def may(home: Household, actor: PersonalID | None, subject: PersonalID) -> bool:
    return may_act_for(home.uow, home.app, actor, subject, act=GuardianAct.SET_LOCK)


def recorded(home: Household, personal_id: PersonalID) -> list[tuple[str, object, bool]]:
    """How often somebody acted for this citizen, or this one for others: outcome, act, by which."""
    key = citizen_key(home.uow.sealer, personal_id)
    return [
        (each.outcome, each.details["act"], "arrangement" in each.details)
        for each in read_about_citizen(home.uow.connection, key)
        if each.action == "act_for"
    ]


def test_everybody_acts_for_themselves_and_nothing_more_is_recorded(home: Household) -> None:
    child = home.child.personal_id
    assert may(home, None, child)
    assert may(home, child, child)
    assert recorded(home, child) == []


def test_a_guardian_acts_for_the_child_and_both_can_see_it(home: Household) -> None:
    assert may(home, home.guardian.personal_id, home.child.personal_id)
    for person in (home.child, home.guardian):
        assert recorded(home, person.personal_id) == [("allowed", "set_lock", True)]


def test_nobody_else_acts_for_the_child_nor_the_child_for_the_guardian(home: Household) -> None:
    child, guardian = home.child.personal_id, home.guardian.personal_id
    stranger = store_citizen(home.uow).personal_id
    assert not may(home, stranger, child)
    assert not may(home, make_personal_id(), child)
    assert not may(home, child, guardian)
    assert recorded(home, child) == [("refused", "set_lock", False)] * 2
    assert recorded(home, stranger) == []


def test_acting_for_somebody_who_is_not_there_is_refused_and_recorded_alike(
    home: Household,
) -> None:
    guardian = home.guardian.personal_id
    for subject in (store_citizen(home.uow).personal_id, make_personal_id()):
        assert not may(home, guardian, subject)
        assert recorded(home, subject) == [("refused", "set_lock", False)]


def test_it_ends_with_the_arrangement_and_on_the_birthday(home: Household) -> None:
    guardian, child = home.guardian.personal_id, home.child.personal_id
    now, home.at = home.at, comes_of_age_at(TODDLER, home.app.rules.arrangements)
    assert not may(home, guardian, child)
    home.at = now
    assert may(home, guardian, child)
    (kept,) = home.listed(home.child)
    home.end(kept.arrangement.arrangement_id)
    assert not may(home, guardian, child)


def test_a_pack_says_what_a_guardian_may_do(home: Household) -> None:
    call = home.app
    policy = replace(call.rules.arrangements, guardian_acts=frozenset({GuardianAct.SET_LOCK}))
    strict = replace(call, rules=replace(call.rules, arrangements=policy))
    people = (home.guardian.personal_id, home.child.personal_id)
    assert may_act_for(home.uow, strict, *people, act=GuardianAct.SET_LOCK)
    assert not may_act_for(home.uow, strict, *people, act=GuardianAct.LIST_CHOICES)
