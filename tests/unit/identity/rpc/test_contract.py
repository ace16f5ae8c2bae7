"""The contract walked from its descriptors: limits, identifiers, permissions, reasons.

Owns the promises that hold for every method and every field, so that a new one cannot be added
without them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from buf.validate import validate_pb2
from identity.domain.errors import leaves
from identity.rpc.errors import STATUS_CODES
from identity.rpc.limits import (
    DEEP_MESSAGE_BYTES_MAX,
    LARGE_METHODS,
    SMALL_MESSAGE_BYTES_MAX,
    check,
    form_of,
)
from identity.rpc.server import SERVICES
from identity.security.permissions import permissions
from subid.v1 import (
    agency_pb2,
    agency_service_pb2,
    arrangement_service_pb2,
    audit_service_pb2,
    citizen_service_pb2,
    compliance_service_pb2,
    contact_service_pb2,
    dispute_service_pb2,
    enforcement_service_pb2,
    imports_pb2,
    kyc_service_pb2,
    match_service_pb2,
    notification_service_pb2,
    population_service_pb2,
    privacy_service_pb2,
    quality_service_pb2,
    subscription_pb2,
    subscription_service_pb2,
    verification_service_pb2,
    wave_service_pb2,
)
from tests.integration.contract import METHODS, example
from tests.integration.wire import method_key

FIELD_RULES: Any = validate_pb2.field
ONEOF_RULES: Any = validate_pb2.oneof
"""protovalidate's options; their stubs are of another make than protobuf's."""

PROJECT_ROOT = Path(__file__).resolve().parents[4]
ERRORS_PAGE = PROJECT_ROOT / "docs" / "reference" / "errors.md"

FILES = (
    agency_pb2,
    agency_service_pb2,
    arrangement_service_pb2,
    audit_service_pb2,
    citizen_service_pb2,
    compliance_service_pb2,
    contact_service_pb2,
    dispute_service_pb2,
    enforcement_service_pb2,
    imports_pb2,
    kyc_service_pb2,
    match_service_pb2,
    notification_service_pb2,
    population_service_pb2,
    privacy_service_pb2,
    quality_service_pb2,
    subscription_pb2,
    subscription_service_pb2,
    verification_service_pb2,
    wave_service_pb2,
)

CHECKED_BY_THE_DOMAIN = {
    # Rows and holders are checked field by field, so that one broken row does not stop an import;
    # tests/integration/test_bad_input.py sends bad values of each.
    "subid.v1.PopulationRecord.personal_id",
    "subid.v1.PopulationRecord.full_name",
    "subid.v1.PopulationRecord.sex",
    "subid.v1.PopulationRecord.birth_date",
    "subid.v1.PopulationRecord.deceased_on",
    "subid.v1.PopulationRecord.card_issued_on",
    "subid.v1.SubscriptionRow.msisdn",
    "subid.v1.SubscriptionRow.holder",
    "subid.v1.SubscriptionRow.activated_on",
    "subid.v1.SubscriptionRow.point_of_sale",
    "subid.v1.SubscriptionRow.province_code",
    "subid.v1.HolderClaim.personal_id",
    "subid.v1.HolderClaim.full_name",
    "subid.v1.HolderClaim.birth_date",
    "subid.v1.RecordClaim.personal_id",
    "subid.v1.RecordClaim.full_name",
    "subid.v1.RecordClaim.birth_date",
    # Optional, one of four attributes; a day that is none is refused by the method.
    "subid.v1.MatchIdentityRequest.birth_date",
    # Needed by two of six kinds of event: the event answers for itself.
    "subid.v1.SubscriptionEvent.holder",
    # May be absent; what it may be depends on the clock.
    "subid.v1.AdvanceEnforcementRequest.as_of_time",
    # May be absent; what it may be depends on the clock and on the directive.
    "subid.v1.Acknowledgement.execute_time",
    # May be absent; what it may be depends on the clock.
    "subid.v1.SendNotificationRequest.expire_time",
    # Optional; each of its own fields has limits, and a day that is none is refused by the method.
    "subid.v1.GetReportRequest.day",
    # Optional; the latest embargo depends on the clock.
    "subid.v1.Grounds.shown_time",
    "subid.v1.GetKpisRequest.first_day",
    "subid.v1.GetKpisRequest.last_day",
}

DIGEST_BYTES = 32
"""Of SHA-256: a template has hundreds."""

READS = ("Get", "List", "BatchGet", "CanNotify", "Explain", "Check", "Watch")


def message_types(root: Descriptor) -> Iterator[Descriptor]:
    """A message and every message of ours inside it, each once."""
    seen: dict[str, Descriptor] = {}
    waiting = [root]
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or message.file.package != "subid.v1":
            continue
        seen[message.full_name] = message
        waiting.extend(f.message_type for f in message.fields if f.message_type is not None)
    return iter(seen.values())


REQUEST_FIELDS = sorted(
    {
        field.full_name: field
        for method in METHODS
        for message in message_types(method.input_type)
        for field in message.fields
    }.items()
)


def has_limit(field: FieldDescriptor) -> bool:
    """Whether protovalidate bounds the field, alone or as one of a oneof that must be set.

    A single yes or no is bounded by what it is.
    """
    if field.type == field.TYPE_BOOL and not field.is_repeated:
        return True
    if field.GetOptions().HasExtension(FIELD_RULES):
        return True
    oneof = field.containing_oneof
    return oneof is not None and oneof.GetOptions().HasExtension(ONEOF_RULES)


def is_write(method: MethodDescriptor) -> bool:
    return not method.name.startswith(READS)


@pytest.mark.parametrize(
    "field", [f for _, f in REQUEST_FIELDS], ids=[n for n, _ in REQUEST_FIELDS]
)
def test_every_field_of_a_request_has_a_limit(field: FieldDescriptor) -> None:
    assert has_limit(field) != (field.full_name in CHECKED_BY_THE_DOMAIN)


def test_what_the_domain_checks_is_still_in_the_contract() -> None:
    assert {name for name, _ in REQUEST_FIELDS} >= CHECKED_BY_THE_DOMAIN


@pytest.mark.parametrize(
    "field",
    [f for _, f in REQUEST_FIELDS if f.type in {f.TYPE_STRING, f.TYPE_BYTES} and has_limit(f)],
    ids=lambda field: field.full_name,
)
def test_every_string_and_every_image_has_a_largest_size(field: FieldDescriptor) -> None:
    rules = field.GetOptions().Extensions[FIELD_RULES]
    if field.is_repeated:
        assert rules.repeated.max_items
        rules = rules.repeated.items
    kind = rules.bytes if field.type == field.TYPE_BYTES else rules.string
    bounded_pattern = re.compile(r"^\^\(?(\[[^\]]+\]\{[0-9,]+\})\)?\??\$$")
    assert (
        kind.max_len
        or kind.len
        or (
            field.type == field.TYPE_STRING
            and (kind.uuid or bounded_pattern.match(kind.pattern) is not None)
        )
    )


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_every_repeated_field_has_a_largest_number(method: MethodDescriptor) -> None:
    for message in message_types(method.input_type):
        for field in message.fields:
            if field.is_repeated:
                rules = field.GetOptions().Extensions[FIELD_RULES]
                assert 0 < rules.repeated.max_items <= 10_000, field.full_name


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_a_large_request_has_lists_at_its_top_only(method: MethodDescriptor) -> None:
    # On the wire identity.rpc.limits counts there, and nowhere deeper: what has lists in a message
    # must be small, and has none in the messages of that one.
    deeper = [m for m in message_types(method.input_type) if m is not method.input_type]
    if any(field.is_repeated for message in deeper for field in message.fields):
        assert form_of(method_key(method)).bytes_max <= DEEP_MESSAGE_BYTES_MAX
    below = [f.message_type for f in method.input_type.fields if f.message_type is not None]
    for inner in (field.message_type for message in below for field in message.fields):
        for message in message_types(inner) if inner is not None else ():
            assert not [field.full_name for field in message.fields if field.is_repeated]


def bytes_max(message: Descriptor) -> int:
    """How many bytes a message can take that keeps every limit, at most: 4 for a character."""
    return sum(8 + bytes_of_field(field) for field in message.fields)


def bytes_of_field(field: FieldDescriptor) -> int:
    rules = field.GetOptions().Extensions[FIELD_RULES]
    count: int = 1
    if field.is_repeated:
        count, rules = rules.repeated.max_items, rules.repeated.items
    if field.message_type is not None:
        return count * (8 + bytes_max(field.message_type))
    if field.type == field.TYPE_BYTES:
        return count * (8 + int(rules.bytes.max_len))
    if field.type == field.TYPE_STRING:
        return count * (8 + 4 * int(rules.string.max_len or 100))
    return count * 10


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_what_keeps_every_limit_is_not_too_large(method: MethodDescriptor) -> None:
    if method.name in {"CompleteVerification", "CompletePresence"}:
        return  # Five photographs of the largest size are not allowed together; a page says so.
    assert bytes_max(method.input_type) <= form_of(method_key(method)).bytes_max


def test_only_methods_that_need_it_may_send_much() -> None:
    by_key = {method_key(method): method for method in METHODS}
    needing = {k for k, m in by_key.items() if bytes_max(m.input_type) > SMALL_MESSAGE_BYTES_MAX}
    imports = {
        key
        for key, method in by_key.items()
        if method.client_streaming and not method.server_streaming
    }
    assert needing | imports == LARGE_METHODS


NONCES = {
    f"subid.v1.{message}.{name}"
    for message in ("StartVerificationResponse", "StartPresenceResponse")
    for name in ("chip_nonce", "further_chip_nonces")
}
OTHER_OCTETS = {
    *("subid.v1.Contact.relay_token", "subid.v1.GetExportResponse.chunk"),
    *("subid.v1.AuditKey.public_key", "subid.v1.AuditKey.handover"),
    *("subid.v1.GetInclusionProofResponse.leaf_hash", "subid.v1.GetInclusionProofResponse.hashes"),
    "subid.v1.GetConsistencyProofResponse.hashes",
}
"""A random token; the JSON of an export, whose own tests look for faces in it; hashes, keys and
signatures of the audit log."""


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_every_write_and_no_read_has_a_request_id(method: MethodDescriptor) -> None:
    field = method.input_type.fields_by_name.get("request_id")
    assert (field is not None) == is_write(method)
    if field is not None:
        assert field.number == 1
        assert field.GetOptions().Extensions[FIELD_RULES].string.uuid


def test_every_method_has_a_request_and_a_response_of_its_own() -> None:
    used = [m.input_type.full_name for m in METHODS] + [m.output_type.full_name for m in METHODS]
    assert len(used) == len(set(used))


def test_the_permission_table_covers_the_contract_and_nothing_else() -> None:
    assert set(permissions()) == {method_key(method) for method in METHODS}


def test_the_server_serves_every_service_of_the_contract() -> None:
    declared = {
        service.full_name for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
    }
    assert {service.full_name for service in SERVICES} == declared


def test_every_file_of_the_contract_is_walked() -> None:
    on_disk = {path.name for path in (PROJECT_ROOT / "protos" / "subid" / "v1").glob("*.proto")}
    walked = {Path(file.DESCRIPTOR.name).name for file in FILES}
    assert on_disk == walked | {"date.proto", "localized_text.proto"}


def test_every_enumeration_begins_with_unspecified() -> None:
    enumerations = [e for file in FILES for e in file.DESCRIPTOR.enum_types_by_name.values()]
    assert enumerations
    for enumeration in enumerations:
        assert enumeration.values_by_number[0].name.endswith("_UNSPECIFIED")


def test_no_response_has_room_for_a_template_or_a_score_of_a_face() -> None:
    for method in METHODS:
        for message in message_types(method.output_type):
            for field in message.fields:
                is_known = field.full_name in NONCES | OTHER_OCTETS
                is_digest = field.GetOptions().Extensions[FIELD_RULES].bytes.len == DIGEST_BYTES
                assert field.type != field.TYPE_BYTES or is_known or is_digest, field.full_name
                is_of_words = message.file.name.endswith("notification_service.proto")
                assert is_of_words or "template" not in field.name
                is_kpi = message.file.name.endswith("compliance_service.proto")
                is_score = field.type in {field.TYPE_FLOAT, field.TYPE_DOUBLE}
                assert is_kpi or not is_score, field.full_name


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_every_method_has_an_example_within_its_limits(method: MethodDescriptor) -> None:
    check(example(method))


def test_every_leaf_has_a_status_and_a_reason_of_its_own() -> None:
    assert set(STATUS_CODES) == set(leaves())
    reasons = [leaf.reason for leaf in leaves()]
    assert len(reasons) == len(set(reasons))
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]", reason) for reason in reasons)
    assert not {grpc.StatusCode.OK, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN} & set(
        STATUS_CODES.values()
    )


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.reason)
def test_the_errors_page_tells_of_every_reason(leaf: type) -> None:
    page = ERRORS_PAGE.read_text(encoding="utf-8")
    assert f"`{leaf.reason}`" in page  # type: ignore[attr-defined] # every leaf has one, see above
