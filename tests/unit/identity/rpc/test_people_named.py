"""Every personal ID that a request names by itself is found, whatever the field is called."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from identity.rpc.people_named import people_named
from subid.v1 import arrangement_service_pb2 as arrangement_pb
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import dispute_service_pb2 as dispute_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from tests.integration.contract import METHODS
from tests.integration.wire import method_key

ONE, OTHER = "001090123456", "001220654321"

Path = tuple[str, ...]


def paths(described: Any) -> Iterator[Path]:  # noqa: ANN401 - descriptors of upb have no stubs
    """Where a request may name one person: every text with a personal ID in its name."""
    for field in described.fields:
        if field.is_repeated:
            continue
        if field.message_type is not None:
            yield from ((field.name, *rest) for rest in paths(field.message_type))
        elif field.type == field.TYPE_STRING and "personal_id" in field.name:
            yield (field.name,)


def naming(message: Message, path: Path, value: str) -> None:
    *parts, name = path
    for part in parts:
        message = getattr(message, part)
    setattr(message, name, value)


PLACES = [
    pytest.param(method, path, id=f"{method_key(method)}:{'.'.join(path)}")
    for method in METHODS
    for path in paths(method.input_type)
]


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_whoever_is_named_anywhere_is_found(method: Any, path: Path) -> None:  # noqa: ANN401 - as above
    request = GetMessageClass(method.input_type)()
    assert people_named(request) == frozenset()
    naming(request, path, ONE)
    assert people_named(request) == {ONE}


def test_the_walk_knows_the_ways_in_which_people_are_named() -> None:
    found = {"/".join(place.values[1]) for place in PLACES}  # type: ignore[arg-type] # the path
    assert found >= {
        "personal_id",
        "claimant_personal_id",
        "guardian_personal_id",
        "child_personal_id",
        "employee_personal_id",
        "acting_personal_id",
        "holder/personal_id",
    }


def test_of_two_people_both_are_found() -> None:
    proposal = arrangement_pb.ProposeGuardianshipRequest(
        guardian_personal_id=ONE, child_personal_id=OTHER
    )
    assert people_named(proposal) == {ONE, OTHER}
    assert people_named(dispute_pb.OpenDisputeRequest(claimant_personal_id=OTHER)) == {OTHER}


def test_lists_are_counted_elsewhere() -> None:
    holder = subscription_pb.HolderClaim(personal_id=ONE)
    events = subscription_pb.ReportEventsRequest(
        events=[subscription_pb.SubscriptionEvent(holder=holder)]
    )
    assert people_named(events) == frozenset()
    assert people_named(contact_pb.BatchGetContactsRequest(personal_ids=[ONE])) == frozenset()
