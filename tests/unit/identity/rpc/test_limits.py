"""What one message may be: size, number of elements, rules, and the paths of fields."""

import tracemalloc

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.domain.errors import RequestInvalidError
from identity.rpc.errors import status_of
from identity.rpc.limits import (
    DEEP_MESSAGE_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    SMALL_MESSAGE_BYTES_MAX,
    STRAY_FIELDS_MAX,
    UNCOUNTED_BYTES_MAX,
    check,
    read,
)
from subid.v1 import (
    agency_pb2,
    agency_service_pb2,
    contact_service_pb2,
    enforcement_service_pb2,
    population_service_pb2,
    subscription_pb2,
)
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import wave_service_pb2 as wave_pb
from subid.v1.date_pb2 import Date
from tests.integration.contract import METHODS, example
from tests.integration.wire import method_key, new_id

SECRET = "001090123456 Nguyễn Thị Thử +84912345678"  # noqa: S105 - what must not be told

GET_CONTACT = "ContactService/GetContact"
BATCH_GET = "ContactService/BatchGetContacts"
COMPLETE = "VerificationService/CompleteVerification"
IMPORT = "SubscriptionService/ImportSubscriptions"
LIST = "SubscriptionService/ListSubscriptions"


def faults(request: Message) -> list[tuple[str, str]]:
    with pytest.raises(RequestInvalidError) as caught:
        check(request)
    return [(each.field, each.reason) for each in caught.value.violations]


def faults_of_body(method: str, body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(RequestInvalidError) as caught:
        read(method, body)
    return [(each.field, each.reason) for each in caught.value.violations]


def test_a_field_inside_a_list_inside_a_message_has_its_whole_path() -> None:
    change = population_service_pb2.PopulationChange(
        death=population_service_pb2.Death(
            personal_id="1", deceased_on=Date(year=2024, month=13, day=1)
        )
    )
    good = population_service_pb2.PopulationChange(
        new_card=population_service_pb2.NewCard(
            personal_id="001090123456", issued_on=Date(year=2024, month=1, day=1)
        )
    )
    request = population_service_pb2.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[good, good, change]
    )
    assert faults(request) == [
        ("changes[2].death.personal_id", "STRING_PATTERN"),
        ("changes[2].death.deceased_on.month", "INT32_GTE_LTE"),
    ]


def test_an_element_of_a_list_of_values_has_its_index() -> None:
    request = contact_service_pb2.BatchGetContactsRequest(
        personal_ids=["001090123456", "1"],
        grounds=agency_pb2.Grounds(purpose=agency_pb2.PURPOSE_LEGAL_NOTICE, legal_basis="Law"),
    )
    assert faults(request) == [("personal_ids[1]", "STRING_PATTERN")]


def test_a_message_that_must_be_there_is_named() -> None:
    request = subscription_pb.RegisterSubscriptionRequest(request_id=new_id(), msisdn="0912345678")
    assert faults(request) == [("holder", "REQUIRED")]


def test_a_oneof_that_must_be_set_is_named() -> None:
    request = population_service_pb2.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[population_service_pb2.PopulationChange()]
    )
    assert faults(request) == [("changes[0].change", "REQUIRED")]


def test_rows_of_an_import_are_left_to_the_domain() -> None:
    check(
        population_service_pb2.ImportPopulationRequest(
            request_id=new_id(),
            records=[population_service_pb2.PopulationRecord(birth_date=Date(year=1))],
        )
    )


def test_no_description_of_a_fault_repeats_the_value() -> None:
    request = enforcement_service_pb2.ExplainSubscriptionRequest(msisdn=SECRET, personal_id=SECRET)
    with pytest.raises(RequestInvalidError) as caught:
        check(request)
    told = str(status_of(caught.value, correlation_id="c"))
    assert not any(word in told for word in SECRET.split())


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x7f\x00", b"\x0c"])
def test_a_body_that_is_no_message_names_no_field(body: bytes) -> None:
    assert faults_of_body(GET_CONTACT, body) == [("", "MESSAGE_MALFORMED")]


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_a_request_within_its_limits_is_read_as_it_was_sent(method: object) -> None:
    request = example(method)  # type: ignore[arg-type] # descriptors of upb have no stubs
    assert read(method_key(method), request.SerializeToString()) == request  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    ("method", "element", "field", "count"),
    [
        pytest.param(COMPLETE, b"\x2a\x00", "probe_photographs", 300_000, id="photographs"),
        pytest.param(COMPLETE, b"\x2a\x00", "probe_photographs", 6, id="few photographs"),
        pytest.param(BATCH_GET, b"\x0a\x00", "personal_ids", 400_000, id="personal IDs"),
        pytest.param(IMPORT, b"\x1a\x00", "rows", 10_000_000, id="rows"),
    ],
)
def test_a_list_that_is_too_long_is_named_alone(
    method: str, element: bytes, field: str, count: int
) -> None:
    body = element * count
    tracemalloc.start()
    assert faults_of_body(method, body) == [(field, "REPEATED_MAX_ITEMS")]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A server of other tests may run in this process and allocate meanwhile; elements that were
    # read one by one would take from 10 to 500 MB.
    assert peak_bytes < 4 * 1024 * 1024


def test_a_packed_list_that_is_too_long_is_named_alone() -> None:
    states = [subscription_pb2.LINK_STATE_LINKED] * 1_000_000
    request = subscription_pb.ListSubscriptionsRequest(link_states=states)
    body = request.SerializeToString()
    assert faults_of_body(LIST, body) == [("link_states", "REPEATED_MAX_ITEMS")]


def test_a_batch_of_the_largest_number_of_rows_is_read() -> None:
    row = subscription_pb.SubscriptionRow(msisdn="0912345678" * 3)
    request = subscription_pb.ImportSubscriptionsRequest(request_id=new_id(), rows=[row] * 5000)
    body = request.SerializeToString()
    assert len(body) > UNCOUNTED_BYTES_MAX
    assert read(IMPORT, body) == request


def test_a_list_in_a_part_of_a_request_is_counted_before_its_elements_are_looked_at() -> None:
    """Otherwise each of them would be held against its own rule, and told of."""
    request = wave_pb.PreviewWaveRequest(
        request_id=new_id(), criteria=wave_pb.WaveCriteria(track="T2", operators=[""] * 60_000)
    )
    body = request.SerializeToString()
    assert faults_of_body("WaveService/PreviewWave", body) == [
        ("criteria.operators", "REPEATED_MAX_ITEMS")
    ]


def test_a_list_in_an_element_is_counted_before_its_elements_are_looked_at() -> None:
    grants = [pb_grant(["Law 26, art. 10"]), pb_grant([""] * 60_000)]
    request = agency_service_pb2.RegisterAgencyRequest(
        request_id=new_id(), name="tax", grants=grants
    )
    body = request.SerializeToString()
    assert len(body) < DEEP_MESSAGE_BYTES_MAX
    assert faults_of_body("AgencyService/RegisterAgency", body) == [
        ("grants[1].legal_bases", "REPEATED_MAX_ITEMS")
    ]


def pb_grant(legal_bases: list[str]) -> agency_service_pb2.Grant:
    return agency_service_pb2.Grant(
        purpose=agency_pb2.PURPOSE_LEGAL_NOTICE,
        legal_bases=legal_bases,
        rights=[agency_service_pb2.RIGHT_NUMBER],
    )


def test_fields_beyond_the_contract_are_few() -> None:
    padding = b"\x1a\x80\x80\x04" + bytes(UNCOUNTED_BYTES_MAX)  # a long legal_basis
    stray = b"\xf8\x07\x00"  # field 127, a varint
    few = faults_of_body(GET_CONTACT, padding + stray * (STRAY_FIELDS_MAX - 1))
    assert "MESSAGE_MALFORMED" not in {reason for _, reason in few}
    many = faults_of_body(GET_CONTACT, padding + stray * (STRAY_FIELDS_MAX + 3))
    assert many == [("", "MESSAGE_MALFORMED")]


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_a_body_beyond_its_size_is_refused_unread(method: object) -> None:
    key = method_key(method)  # type: ignore[arg-type] # descriptors of upb have no stubs
    large = {COMPLETE, IMPORT, "PopulationService/ImportPopulation"}
    large |= {"EnforcementService/AcknowledgeDirectives", "MatchService/MatchRecords"}
    large |= {"VerificationService/CompletePresence"}
    most = MESSAGE_BYTES_MAX if key in large else SMALL_MESSAGE_BYTES_MAX
    deep = {"WaveService/PreviewWave", "AgencyService/RegisterAgency"}
    most = DEEP_MESSAGE_BYTES_MAX if key in deep else most
    assert faults_of_body(key, bytes(most + 1)) == [("", "MESSAGE_TOO_LARGE")]
    assert ("", "MESSAGE_TOO_LARGE") not in faults_of_body(key, bytes(most))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_large_body_is_read_otherwise_than_refused_or_right(tail: bytes) -> None:
    body = bytes([0x1A, 0x80, 0x80, 0x04]) + b"x" * UNCOUNTED_BYTES_MAX + tail
    with pytest.raises(RequestInvalidError):
        read(GET_CONTACT, body)


@pytest.mark.parametrize(
    ("legal_basis", "is_taken"),
    [
        ("Law 26/2023/QH15, art. 10", True),
        ("Decree 147/2024, 12345678", True),
        ("001090123456", False),
        ("for 001090123456", False),
        ("call +84912345678", False),
        ("123456789", False),
        ("\uff10\uff10\uff11\uff10\uff19\uff10\uff11\uff12\uff13", False),
    ],
)
def test_a_legal_basis_holds_no_long_number(legal_basis: str, *, is_taken: bool) -> None:
    grounds = agency_pb2.Grounds(purpose=agency_pb2.PURPOSE_LEGAL_NOTICE, legal_basis=legal_basis)
    one = contact_service_pb2.GetContactRequest(personal_id="001090123456", grounds=grounds)
    many = contact_service_pb2.BatchGetContactsRequest(
        personal_ids=["001090123456"], grounds=grounds
    )
    for request in (one, many):
        if is_taken:
            check(request)
        else:
            assert faults(request) == [("grounds.legal_basis", "LEGAL_BASIS_LONG_NUMBER")]
