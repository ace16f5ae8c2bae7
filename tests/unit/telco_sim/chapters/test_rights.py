"""A service that keeps no lock and hides who looked is noticed."""

from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1.agency_pb2 import PURPOSE_SERVICE_DELIVERY
from subid.v1.citizen_service_pb2 import ACCESS_KIND_CHANGE, ACCESS_KIND_READ, Access
from telco_sim.agencies import LEGAL_BASIS, grounds_of
from telco_sim.chapters.rights import export_data, keep_from_person, lock_choices, read_accesses
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding


def access(action: str, *, case_id: str = "") -> Access:
    return Access(
        access_time=Timestamp(),
        caller="agency:agency",
        kind=ACCESS_KIND_CHANGE if action == "send_notification" else ACCESS_KIND_READ,
        action=action,
        purpose=PURPOSE_SERVICE_DELIVERY,
        legal_basis=LEGAL_BASIS,
        case_id=case_id,
    )


def look(world: World, *, case_id: str = "") -> None:
    grounds = grounds_of(PURPOSE_SERVICE_DELIVERY, case_id=case_id)
    world.agency.contact(next(iter(world.primaries)), grounds)


def test_a_lock_that_locks_nothing_is_noticed(world: World) -> None:
    lock_choices(world)
    assert not finding(world, Invariant.LOCK_HOLDS).holds


def test_looks_that_are_hidden_are_noticed(world: World) -> None:
    look(world)
    read_accesses(world)
    keep_from_person(world)
    assert not finding(world, Invariant.ACCESSES_SHOWN).holds
    assert finding(world, Invariant.EMBARGO_ENDS).broken_count == 2


def test_looks_that_are_shown_in_order_are_in_order(world: World, country: Country) -> None:
    look(world, case_id="A-1")
    look(world, case_id="A-2")
    # The newest first, and what others did is theirs.
    country.accesses = [
        access("get_contact", case_id="A-2"),
        Access(caller="citizen-app:citizen-app", action="set_lock", kind=ACCESS_KIND_CHANGE),
        access("get_contact", case_id="A-1"),
    ]
    read_accesses(world)
    assert finding(world, Invariant.ACCESSES_SHOWN).holds
    country.accesses.reverse()
    read_accesses(world)
    assert not finding(world, Invariant.ACCESSES_SHOWN).holds


def test_an_export_that_leaves_out_who_looked_is_noticed(world: World, country: Country) -> None:
    personal_id = next(iter(world.primaries))
    told = {"caller": "agency:agency", "action": "get_contact", "case_id": None}
    country.offices.export = {"personal_id": personal_id, "accesses": [told]}
    look(world)
    export_data(world)
    assert finding(world, Invariant.EXPORT_IS_OWN).holds
    look(world)
    export_data(world)
    assert not finding(world, Invariant.EXPORT_IS_OWN).holds
