"""A service whose receipts prove something else, or nothing, is noticed."""

from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1.agency_pb2 import PURPOSE_SERVICE_DELIVERY
from subid.v1.citizen_service_pb2 import Access
from telco_sim.agencies import grounds_of
from telco_sim.chapters.proofs import keep_receipts
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import finding
from tests.unit.telco_sim.sealed_receipts import FIRST_KEY, LEAF, sealed_receipt


def look(world: World, country: Country) -> str:
    """An agency looks, and the person is shown it."""
    personal_id = next(iter(world.primaries))
    world.agency.contact(personal_id, grounds_of(PURPOSE_SERVICE_DELIVERY))
    country.accesses = [
        Access(
            access_time=Timestamp(),
            entry_id=7,
            **{name: LEAF[name] for name in ("action", "caller", "outcome")},
        )
    ]
    return personal_id


def test_receipts_that_prove_what_is_listed_hold(world: World, country: Country) -> None:
    look(world, country)
    country.receipt, country.audit_key = sealed_receipt(LEAF), FIRST_KEY
    keep_receipts(world)
    assert finding(world, Invariant.RECEIPT_PROVES).holds


def test_receipts_of_something_else_are_noticed(world: World, country: Country) -> None:
    look(world, country)
    country.audit_key = FIRST_KEY
    for other in ({"outcome": "not_available"}, {"entry_id": "8"}, {"caller": "agency:other"}):
        country.receipt = sealed_receipt({**LEAF, **other})
        keep_receipts(world)
    assert finding(world, Invariant.RECEIPT_PROVES).broken_count == 3


def test_receipts_that_prove_nothing_or_name_the_person_are_noticed(
    world: World, country: Country
) -> None:
    personal_id = look(world, country)
    keep_receipts(world)
    country.audit_key = FIRST_KEY
    country.receipt = sealed_receipt({**LEAF, "case_id": personal_id})
    keep_receipts(world)
    assert finding(world, Invariant.RECEIPT_PROVES).broken_count == 2
