"""A service that gives every agency every number is noticed."""

from subid.v1.contact_service_pb2 import CONTACT_STATUS_AVAILABLE, Contact
from telco_sim.chapters.agencies import ask_in_other_forms, lose_primary, stand_at_counter
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding


def test_a_number_that_is_given_to_who_may_have_a_token_is_noticed(world: World) -> None:
    ask_in_other_forms(world)
    forms = finding(world, Invariant.FORM_AS_GRANTED)
    assert not forms.holds
    assert "a masked contact" in forms.details[0]
    assert world.agencies["agency-writer"].msisdns


def test_masked_numbers_and_tokens_are_told_from_others(world: World, country: Country) -> None:
    personal_id, msisdn = next(iter(world.primaries.items()))
    masked = Contact(status=CONTACT_STATUS_AVAILABLE, masked_msisdn=f"+84 ••• ••• {msisdn[-3:]}")
    country.offices.contacts[personal_id] = masked
    ask_in_other_forms(world)
    seen = finding(world, Invariant.FORM_AS_GRANTED)
    # Of this person the mask is right, and as a token it is wrong; all others have no number.
    assert all("msisdn" in each for each in seen.details)
    assert seen.broken_count < seen.check_count


def test_an_agency_that_is_not_told_of_a_lost_number_is_noticed(world: World) -> None:
    first = world.verified[0]
    other = world.operator_other_than(first.operator)
    second = next(iter(other.lines.values()))
    second.holder = first.holder
    world.primaries[first.holder.personal_id] = second.msisdn
    lose_primary(world)
    assert not finding(world, Invariant.CHANGES_HINTED).holds
    assert not finding(world, Invariant.CONTACT_IS_PRIMARY).holds
    assert world.fallbacks == {first.holder.personal_id: first.msisdn}


def test_a_token_for_another_agency_proves_nothing(world: World, country: Country) -> None:
    stand_at_counter(world)
    present = finding(world, Invariant.PRESENCE_IS_PROVED)
    assert "AUDIENCE_MISMATCH" in present.details[0]
    country.offices.audience = world.agency.name
    stand_at_counter(world)
    assert finding(world, Invariant.PRESENCE_IS_PROVED).broken_count == 1
