"""A service that loses messages, or tells that they arrived, is noticed."""

from subid.v1.agency_pb2 import PURPOSE_LEGAL_NOTICE, PURPOSE_SERVICE_DELIVERY
from telco_sim.chapters.letters import destination, write_letters
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_world import finding


def test_messages_that_never_arrive_and_are_said_to_have_are_noticed(world: World) -> None:
    write_letters(world)
    reach = finding(world, Invariant.MESSAGES_REACH)
    assert reach.broken_count > 10
    assert not finding(world, Invariant.LETTERS_COUNTED).holds
    assert not finding(world, Invariant.OBJECTION_HOLDS).holds
    assert world.objectors == set()


def test_a_legal_notice_goes_to_the_primary_number_and_to_no_other(world: World) -> None:
    personal_id, primary = next(iter(world.primaries.items()))
    world.fallbacks["001090999999"] = "+84912345678"
    world.objectors.add(personal_id)
    service, legal = PURPOSE_SERVICE_DELIVERY, PURPOSE_LEGAL_NOTICE
    assert destination(world, personal_id, service) == ""
    assert destination(world, personal_id, legal) == primary
    assert destination(world, "001090999999", service) == "+84912345678"
    assert destination(world, "001090999999", legal) == ""
