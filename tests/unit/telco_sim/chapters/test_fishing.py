"""A service that lets agencies fish is noticed."""

from subid.v1.contact_service_pb2 import CONTACT_STATUS_NOT_AVAILABLE, Contact
from telco_sim.agencies import FISHER, STRANGER
from telco_sim.chapters.fishing import fish, guess, judge_agencies, people_without, use_quota_up
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding


def test_numbers_that_fishers_get_are_noticed(world: World) -> None:
    fish(world)
    judge_agencies(world)
    assert not finding(world, Invariant.FISHERS_LEARN_NOTHING).holds
    got = {each.agency: each.number_count for each in world.agency_records}
    assert (got[FISHER], got[STRANGER]) == (1, 1)


def test_one_who_is_told_from_all_others_is_noticed(world: World, country: Country) -> None:
    told_apart = people_without(world, 25)[0]
    country.offices.contacts[told_apart] = Contact(status=CONTACT_STATUS_NOT_AVAILABLE)
    fish(world)
    # Twice by the fisher who may ask, and once each by the two who may not.
    assert world.agencies[FISHER].told_apart_count == 3
    assert world.agencies[STRANGER].told_apart_count == 1
    judge_agencies(world)
    records = {each.agency: each.told_apart_count for each in world.agency_records}
    assert records[FISHER] == 3


def test_guesses_without_end_are_noticed(world: World) -> None:
    guess(world)
    stopped = finding(world, Invariant.GUESSERS_ARE_STOPPED)
    assert "400 records compared" in stopped.details[0]


def test_a_quota_without_end_is_noticed(world: World) -> None:
    use_quota_up(world)
    quota = finding(world, Invariant.QUOTA_HOLDS)
    assert quota.broken_count == quota.check_count == 2
    assert "asked again after None" in quota.details[0]
