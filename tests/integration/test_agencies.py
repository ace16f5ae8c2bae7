"""The regulator and its agencies, over the wire: what is granted is what is answered."""

import pytest

from identity.domain.caller import Role
from subid.v1 import agency_pb2, agency_service_pb2
from subid.v1 import contact_service_pb2 as contact_pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.scene import LEGAL_BASIS, Scene, grounds
from tests.integration.wire import Stubs, new_id, refused

DAY_S = 24 * 60 * 60


def asked(*personal_ids: str) -> contact_pb.BatchGetContactsRequest:
    return contact_pb.BatchGetContactsRequest(personal_ids=personal_ids, grounds=grounds())


def strangers(scene: Scene, count: int) -> list[str]:
    return [scene.people.citizen().personal_id for _ in range(count)]


def limited(scene: Scene, people_per_day_max: int) -> tuple[str, Stubs]:
    name = f"agency-{new_id()[:8]}"
    return name, scene.register_agency(name, people_per_day_max=people_per_day_max)


def test_a_quota_is_used_up_and_says_until_when(scene: Scene) -> None:
    name, agency = limited(scene, 5)
    agency.contacts.BatchGetContacts(asked(*strangers(scene, 3)))
    refusal = refused(agency.contacts.BatchGetContacts, asked(*strangers(scene, 3)))
    assert (refusal.status, refusal.reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
    assert refusal.retry_after_s is not None
    assert 0 < refusal.retry_after_s <= DAY_S
    can = contact_pb.CanNotifyRequest(personal_ids=strangers(scene, 2), grounds=grounds())
    assert list(agency.contacts.CanNotify(can).can_notify) == [False, False]
    one = contact_pb.GetContactRequest(personal_id=strangers(scene, 1)[0], grounds=grounds())
    assert refused(agency.contacts.GetContact, one).reason == "QUOTA_EXCEEDED"
    seen = scene.regulator.agencies.GetAgency(agency_service_pb2.GetAgencyRequest(name=name))
    uses = {use.purpose: use.people_count for use in seen.uses_today}
    assert uses.pop(agency_pb2.PURPOSE_LEGAL_NOTICE) == 5
    assert set(uses.values()) == {0}
    assert seen.updater == "regulator:regulator"


def test_a_suspended_agency_is_refused_until_it_is_resumed(scene: Scene) -> None:
    name, agency = limited(scene, 100)
    request = asked(*strangers(scene, 1))
    agency.contacts.BatchGetContacts(request)
    suspension = agency_service_pb2.SuspendAgencyRequest(request_id=new_id(), name=name)
    suspended = scene.regulator.agencies.SuspendAgency(suspension).agency
    assert suspended.state == agency_service_pb2.AGENCY_STATE_SUSPENDED
    assert len(suspended.grants) == len(agency_pb2.Purpose.keys()) - 1
    refusal = refused(agency.contacts.BatchGetContacts, request)
    assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")
    resumption = agency_service_pb2.ResumeAgencyRequest(request_id=new_id(), name=name)
    scene.regulator.agencies.ResumeAgency(resumption)
    agency.contacts.BatchGetContacts(request)


def test_who_is_not_registered_is_refused_in_the_same_words(scene: Scene) -> None:
    request = asked(*strangers(scene, 1))
    _, registered = limited(scene, 100)
    other_law = asked(*strangers(scene, 1))
    other_law.grounds.legal_basis = f"{LEGAL_BASIS} "
    messages = {
        refused(scene.act_as(Role.AGENCY, "nobody").contacts.BatchGetContacts, request).message,
        refused(registered.contacts.BatchGetContacts, other_law).message,
    }
    assert len(messages) == 1
    unknown = agency_service_pb2.GetAgencyRequest(name="nobody")
    assert refused(scene.regulator.agencies.GetAgency, unknown).reason == "AGENCY_NOT_FOUND"


def test_agencies_are_listed_page_by_page(scene: Scene) -> None:
    names = {limited(scene, 1)[0] for _ in range(3)}
    found: list[str] = []
    request = agency_service_pb2.ListAgenciesRequest(page_size=2)
    while True:
        page = scene.regulator.agencies.ListAgencies(request)
        found += [agency.name for agency in page.agencies]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    assert names <= set(found)
    assert found == sorted(found)


@pytest.mark.parametrize("token", ["00", "0000000000", "41", "2d", "zz", "\u0663\u0663", "616"])
def test_a_page_token_that_was_never_given_out_is_refused(scene: Scene, token: str) -> None:
    request = agency_service_pb2.ListAgenciesRequest(page_token=token)
    refusal = refused(scene.regulator.agencies.ListAgencies, request)
    assert refusal.status == "INVALID_ARGUMENT"
    assert refusal.fields == ("page_token",)


def test_each_form_of_a_number_is_given_to_whom_it_is_granted(
    scene: Scene, faces: tuple[PhotographedPerson, ...]
) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    request = contact_pb.GetContactRequest(
        personal_id=subscriber.citizen.personal_id, grounds=grounds()
    )
    forms = {
        right: scene.register_agency(f"agency-{new_id()[:8]}", right).contacts.GetContact(request)
        for right in ("RIGHT_NUMBER", "RIGHT_MASKED_NUMBER", "RIGHT_RELAY_TOKEN")
    }
    number, masked, relay = (answer.contact for answer in forms.values())
    assert number.msisdn == subscriber.msisdn
    assert masked.masked_msisdn == f"+84 ••• ••• {subscriber.msisdn[-3:]}"
    assert len(relay.relay_token) == 16
    assert relay.HasField("relay_expire_time")
    assert [each.WhichOneof("number") for each in (number, masked, relay)] == [
        "msisdn",
        "masked_msisdn",
        "relay_token",
    ]
    assert len({each.subject_token for each in (number, masked, relay)}) == 3
    digits = subscriber.msisdn.removeprefix("+84")
    assert not any(digits.encode() in each.SerializeToString() for each in (masked, relay))
