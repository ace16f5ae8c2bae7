"""Bad input of every kind to every method: refused with the field at fault, never a bug.

Owns the tables of what is wrong with each field. Each case breaks one thing of a request that is
otherwise well formed.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.caller import Role
from identity.domain.errors import RequestInvalidError
from identity.services.complete_verification import refuse_oversized
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.agency_service_pb2 import Grant
from subid.v1.date_pb2 import Date
from subid.v1.wave_service_pb2 import RevertWaveRequest, StopWaveRequest
from tests.integration.conftest import ActAs, Connect
from tests.integration.contract import BIRTH_DATE, METHODS, PERSONAL_ID, allowed_role, example
from tests.integration.scene import Scene
from tests.integration.wire import Refused, method_key, method_path, new_id, send
from tests.integration.writes import Write, revert_wave, stop_wave

CALLER = "bad-input"
METHOD_OF = {method_key(method): method for method in METHODS}

BAD_IDENTIFIERS = ("", "x", "0" * 36, f"{'0' * 8}-0000-0000-0000-00000000000\x00", "é" * 36)
BAD_NUMBERS = ("", "9" * 33, "not a number", "0912345678\x00", "+14155550100", "٠٩١٢٣٤٥٦٧٨", "\x00")
BAD_PERSONAL_IDS = (
    *("12345678901", "1234567890123", "12345678901a", "00109012345 ", "\x00" * 12),
    *("00109012345\u0663", "\uff10\uff10\uff11090123456", "001090123456\n", "001090123456\x00"),
)
EXAMPLE_HOLDER = subscription_pb.HolderClaim(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)
LONG_NUMBER = f"Law 26, for {PERSONAL_ID}"
BAD_NAMES = ("", " ", "x" * 101, "Nguyễn\x00Văn", "12345", "\u202e", "a\nb", "x" * 100_000)
BAD_DATES = (
    (Date(year=2023, month=2, day=30), ""),
    (Date(year=2023, month=2, day=29), ""),
    (Date(year=2023, month=4, day=31), ""),
    (Date(year=1899, month=1, day=1), ".year"),
    (Date(year=2200, month=1, day=1), ".year"),
    (Date(year=-1, month=1, day=1), ".year"),
    (Date(year=2023, month=13, day=1), ".month"),
    (Date(year=2023, month=1, day=32), ".day"),
    (Date(year=2023, month=1, day=-(2**31)), ".day"),
)
BAD_INSTANTS = (
    Timestamp(seconds=-62_135_596_801),  # the year 0
    Timestamp(seconds=292_277_026_596 * 31_556_952 // 10),
    Timestamp(seconds=2**63 - 1),
    Timestamp(seconds=-(2**63)),
    Timestamp(seconds=253_402_300_800),  # the year 10,000
    Timestamp(seconds=253_402_300_799),  # a second before it: no step could be due after it
    Timestamp(seconds=1_770_000_000, nanos=-1),
    Timestamp(seconds=1_770_000_000, nanos=2**31 - 1),
)
BAD_DURATIONS = (
    Duration(),
    Duration(seconds=3601),
    Duration(seconds=-1),
    Duration(seconds=2**62),
    Duration(seconds=-(2**63)),
    Duration(seconds=5, nanos=-5),
    Duration(seconds=5, nanos=2**31 - 1),
)
WITH_REQUEST_ID = tuple(m for m in METHODS if "request_id" in m.input_type.fields_by_name)


UNBOUNDED_BATCHES = "EnforcementService/ReconcileServiceState"
"""Out of sequence before it is out of bounds."""
NOTHING_TO_GET_WRONG = {"VerificationService/GetPresenceKeys", "AuditService/GetTreeHead"}
"""Take a request without fields, or with a yes or no."""
GOOD_AFTER_ALL = {
    ("CitizenService/SetPrimaryNumber", "verification_id", ""),  # means without one
    ("CitizenService/SetFallbackNumbers", "verification_id", ""),  # the same
    # Its tokens are names of templates, and these could be such.
    *(("NotificationService/ListTemplates", "page_token", name) for name in ("x", "-" * 32)),
    (UNBOUNDED_BATCHES, "batch_index", 1_000_001),
}
"""What is bad in fields of that name elsewhere."""


def _cases() -> Iterator[tuple[str, str, object, str]]:
    """Method, path that is broken, the bad value, path that must be named."""
    for method in METHODS:
        names = method.input_type.fields_by_name
        key = method_key(method)
        bad: dict[str, Sequence[object]] = {
            "request_id": BAD_IDENTIFIERS,
            "import_id": BAD_IDENTIFIERS,
            "verification_id": BAD_IDENTIFIERS,
            "wave_id": BAD_IDENTIFIERS,
            "dispute_id": BAD_IDENTIFIERS,
            "arrangement_id": BAD_IDENTIFIERS,
            "notification_id": BAD_IDENTIFIERS,
            "guardian_personal_id": BAD_PERSONAL_IDS,
            "child_personal_id": BAD_PERSONAL_IDS,
            "employee_personal_id": BAD_PERSONAL_IDS,
            "acting_personal_id": [text for text in BAD_PERSONAL_IDS if text],
            "organisation_code": ("", "1", "010010910", "01001091066", "0100109106-1", PERSONAL_ID),
            "document_digest": (b"", bytes(31), bytes(33)),
            "lease_id": BAD_IDENTIFIERS,
            "msisdn": BAD_NUMBERS,
            "personal_id": BAD_PERSONAL_IDS,
            "page_size": (-1, -(2**31)),
            "page_token": ("x", "0" * 201, "é" * 32, "\x00" * 32, "-" * 32),
            "batch_index": (-1, 1_000_001),
        }
        for name, values in bad.items():
            for value in values if name in names else ():
                if (key, name, value) not in GOOD_AFTER_ALL:
                    yield key, name, value, name
    yield from _cases_of_holders()
    yield from _cases_of_lists()
    yield from _cases_of_changes()
    yield from _cases_of_enforcement()
    yield from _cases_of_waves_and_disputes()
    yield from _cases_of_compliance()
    yield from _cases_of_agencies()
    yield from _cases_of_audit()
    yield from _cases_of_notifications()
    yield from _cases_of_days()


def _cases_of_days() -> Iterator[tuple[str, str, object, str]]:
    for day, part in BAD_DATES:
        yield "QualityService/GetReport", "day", day, f"day{part}"
        for field in ("first_day", "last_day"):
            yield "ComplianceService/GetKpis", field, day, f"{field}{part}"
    for month in (0, 13, -1):
        yield "ComplianceService/GetMonthlyScore", "month", month, "month"
    for year in (0, 1999, 2200, 9999, -(2**31)):
        yield "ComplianceService/GetMonthlyScore", "year", year, "year"
    for number in (-1, 367):
        yield "QualityService/GetReport", "trend_days", number, "trend_days"


def _cases_of_audit() -> Iterator[tuple[str, str, object, str]]:
    for name in ("old_size", "new_size"):
        yield "AuditService/GetConsistencyProof", name, -1, name
    for key in ("AuditService/GetReceipt", "AuditService/GetInclusionProof"):
        yield key, "entry_id", 0, "entry_id"


def _cases_of_agencies() -> Iterator[tuple[str, str, object, str]]:
    laws = ("", "ab", "x" * 201, "Law\x0026", "a\nb", "\x7f\x7f\x7f", LONG_NUMBER)
    for method in METHODS:
        key, names = method_key(method), method.input_type.fields_by_name
        if "grounds" in names:
            yield key, "grounds", None, "grounds"
            for purpose in (0, 99, -1):
                yield key, "grounds.purpose", purpose, "grounds.purpose"
            for law in laws:
                yield key, "grounds.legal_basis", law, "grounds.legal_basis"
            for file in ("x" * 65, "a b", "\x00", "tệp", "F-001090123456"):
                yield key, "grounds.case_id", file, "grounds.case_id"
            for instant in BAD_INSTANTS:
                yield key, "grounds.shown_time", instant, "grounds.shown_time"
        if key.startswith("AgencyService/") and "name" in names:
            for name in ("", "A", "a b", "-a", "x" * 64, "thuế", "a\x00"):
                yield key, "name", name, "name"
    register = "AgencyService/RegisterAgency"
    good: dict[str, Any] = {
        "purpose": "PURPOSE_LEGAL_NOTICE",
        "legal_bases": ["Law 26"],
        "rights": ["RIGHT_NUMBER"],
    }
    yield register, "grants", [], "grants"
    yield register, "grants", [Grant(**good), Grant(**good)], "grants"
    for field, value, place in (
        ("purpose", 0, "purpose"),
        ("legal_bases", [], "legal_bases"),
        ("legal_bases", [LONG_NUMBER], "legal_bases[0]"),
        ("legal_bases", ["Law 26"] * 2, "legal_bases"),
        ("rights", [], "rights"),
        ("rights", [1, 1], "rights"),
        ("rights", [1, 99], "rights[1]"),
        ("people_per_day_max", -1, "people_per_day_max"),
    ):
        yield register, "grants", [Grant(**good | {field: value})], f"grants[0].{place}"


def _cases_of_notifications() -> Iterator[tuple[str, str, object, str]]:
    for text in ("x", "-1", "1" * 19, "\x00"):
        yield "ContactService/WatchContactChanges", "position", text, "position"
    register = "NotificationService/RegisterTemplate"
    for name in ("", "Come", "a b", "x" * 65, "tệp", "a\x00"):
        yield register, "name", name, "name"
        yield "NotificationService/SendNotification", "template", name, "template"
    for text in ("", "x" * 269, "a\nb", "\x00"):
        yield register, "text_vi", text, "text_vi"
        yield register, "text_en", text, "text_en"
    for number in (0, 269, -1):
        yield register, "urgency", number, "urgency"
        yield register, "length_max", number, "length_max"
    statistics = "NotificationService/GetNotificationStatistics"
    for field in ("first_date", "last_date"):
        yield statistics, field, None, field
        for day, part in BAD_DATES:
            yield statistics, field, day, f"{field}{part}"
    pull = "NotificationService/PullMessages"
    yield from ((pull, "message_count_max", number, "message_count_max") for number in (0, 1_001))
    yield from ((pull, "lease_duration", duration, "lease_duration") for duration in BAD_DURATIONS)


def _cases_of_holders() -> Iterator[tuple[str, str, object, str]]:
    register = "SubscriptionService/RegisterSubscription"
    yield register, "holder", None, "holder"
    yield register, "holder.birth_date", None, "holder.birth_date"
    for text in ("", *BAD_PERSONAL_IDS):
        yield register, "holder.personal_id", text, "holder.personal_id"
    for text in BAD_NAMES:
        yield register, "holder.full_name", text, "holder.full_name"
    for day, part in BAD_DATES:
        yield register, "holder.birth_date", day, f"holder.birth_date{part}"


def _cases_of_lists() -> Iterator[tuple[str, str, object, str]]:
    listing = "SubscriptionService/ListSubscriptions"
    yield listing, "link_states", [0], "link_states[0]"
    yield listing, "link_states", [1, 99], "link_states[1]"
    yield listing, "link_states", [1] * 9, "link_states"
    batch = "ContactService/BatchGetContacts"
    yield batch, "personal_ids", [], "personal_ids"
    yield batch, "personal_ids", [PERSONAL_ID, PERSONAL_ID], "personal_ids"
    yield batch, "personal_ids", [f"{n:012d}" for n in range(1001)], "personal_ids"
    for text in BAD_PERSONAL_IDS:
        yield batch, "personal_ids", [PERSONAL_ID, text], "personal_ids[1]"
    yield "PopulationService/ImportPopulation", "records", [], "records"
    record = population_pb.PopulationRecord()
    yield "PopulationService/ImportPopulation", "records", [record] * 5001, "records"
    yield "SubscriptionService/ImportSubscriptions", "rows", [], "rows"
    row = subscription_pb.SubscriptionRow()
    yield "SubscriptionService/ImportSubscriptions", "rows", [row] * 5001, "rows"


def _cases_of_changes() -> Iterator[tuple[str, str, object, str]]:
    apply = "PopulationService/ApplyPopulationChanges"
    change = population_pb.PopulationChange
    day = Date(year=2024, month=1, day=1)
    yield apply, "changes", [], "changes"
    yield apply, "changes", [change()], "changes[0].change"
    death = change(death=population_pb.Death(personal_id=PERSONAL_ID, deceased_on=day))
    yield apply, "changes", [death] * 1001, "changes"
    for text in ("", *BAD_PERSONAL_IDS):
        bad_death = change(death=population_pb.Death(personal_id=text, deceased_on=day))
        yield apply, "changes", [death, bad_death], "changes[1].death.personal_id"
        bad_card = change(new_card=population_pb.NewCard(personal_id=text, issued_on=day))
        yield apply, "changes", [bad_card], "changes[0].new_card.personal_id"
    for bad_day, part in BAD_DATES:
        bad_death = change(death=population_pb.Death(personal_id=PERSONAL_ID, deceased_on=bad_day))
        yield apply, "changes", [bad_death], f"changes[0].death.deceased_on{part}"
        bad_card = change(
            new_card=population_pb.NewCard(personal_id=PERSONAL_ID, issued_on=bad_day)
        )
        yield apply, "changes", [bad_card], f"changes[0].new_card.issued_on{part}"
    no_day = change(death=population_pb.Death(personal_id=PERSONAL_ID))
    yield apply, "changes", [no_day], "changes[0].death.deceased_on"
    yield apply, "changes", [change(birth=population_pb.Birth())], "changes[0].birth.record"
    for field, value, part in _bad_record_fields():
        record = _record(field, value)
        birth = change(birth=population_pb.Birth(record=record))
        yield apply, "changes", [death, birth], f"changes[1].birth.record.{field}{part}"
        correction = change(correction=population_pb.Correction(record=record))
        yield apply, "changes", [correction], f"changes[0].correction.record.{field}{part}"


def _bad_record_fields() -> Iterator[tuple[str, Any, str]]:
    yield from (("personal_id", text, "") for text in ("", *BAD_PERSONAL_IDS))
    yield from (("full_name", text, "") for text in BAD_NAMES)
    yield from (("sex", number, "") for number in (3, 99, -1))
    yield "birth_date", None, ""
    for field in ("birth_date", "deceased_on", "card_issued_on"):
        yield from ((field, day, part) for day, part in BAD_DATES)


def _record(field: str, value: object) -> population_pb.PopulationRecord:
    record = population_pb.PopulationRecord(
        personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
    )
    set_at(record, field, value)
    return record


def _cases_of_updates() -> Iterator[tuple[str, str, object, str]]:
    pull = "PopulationService/PullSubscriberUpdates"
    for number in (0, -1, 4_001):
        yield pull, "update_count_max", number, "update_count_max"
    for duration in BAD_DURATIONS:
        yield pull, "lease_duration", duration, "lease_duration"
    acknowledge = "PopulationService/AcknowledgeSubscriberUpdates"
    first = "acknowledgements[0]"
    for text in BAD_IDENTIFIERS:
        yield acknowledge, "lease_id", text, "lease_id"
        yield acknowledge, f"{first}.subscription_id", text, f"{first}.subscription_id"
    for text in ("", PERSONAL_ID[1:], f"{PERSONAL_ID}0", f"{PERSONAL_ID[:-1]}x"):
        yield acknowledge, f"{first}.personal_id", text, f"{first}.personal_id"
    for number in (0, -1):
        yield acknowledge, f"{first}.sequence", number, f"{first}.sequence"
    yield acknowledge, "acknowledgements", [], "acknowledgements"


def _cases_of_waves_and_disputes() -> Iterator[tuple[str, str, object, str]]:
    preview = "WaveService/PreviewWave"
    yield preview, "criteria", None, "criteria"
    for text in ("", "T 2", "x" * 41):
        yield preview, "criteria.track", text, "criteria.track"
    for number in (0, 1, 5, 99):
        yield preview, "criteria.step", number, "criteria.step"
    yield preview, "criteria.operators", ["x"] * 101, "criteria.operators"
    for name in ("", "x\x00", "North", "x" * 64, "-x", "x\n", PERSONAL_ID + " "):
        yield preview, "criteria.operators", ["x", name], "criteria.operators[1]"
    yield preview, "criteria.province_codes", ["1"], "criteria.province_codes[0]"
    yield preview, "criteria.subscription_count_max", -1, "criteria.subscription_count_max"
    for number in (0, 101, -1):
        yield "WaveService/ExecuteWave", "slice_count_max", number, "slice_count_max"
    for method in ("WaveService/StopWave", "WaveService/RevertWave"):
        for text in ("", "x" * 201, LONG_NUMBER):
            yield method, "reason", text, "reason"
    for text in BAD_PERSONAL_IDS:
        claimant = "claimant_personal_id"
        yield "DisputeService/OpenDispute", claimant, text, claimant
    evidence = "DisputeService/AddEvidence"
    yield evidence, "evidence", [], "evidence"
    yield evidence, "evidence[0].kind", 0, "evidence[0].kind"
    yield evidence, "evidence[0].document_digest", bytes(31), "evidence[0].document_digest"
    for number in (0, 99):
        yield "DisputeService/DecideDispute", "decision", number, "decision"


def _cases_of_compliance() -> Iterator[tuple[str, str, object, str]]:
    kpis = "ComplianceService/GetKpis"
    for day, part in BAD_DATES:
        for name in ("first_day", "last_day"):
            yield kpis, name, day, f"{name}{part}"
    score = "ComplianceService/GetMonthlyScore"
    for number in (1999, 2200, 0):
        yield score, "year", number, "year"
    for number in (0, 13, -1):
        yield score, "month", number, "month"
    case = "EnforcementService/OpenCase"
    for number in (0, 1, 99):
        yield case, "cause", number, "cause"
    for text in ("", "x" * 101):
        yield case, "case_reference", text, "case_reference"
    states = "EnforcementService/ReconcileServiceState"
    yield states, "states[0].service_state", 0, "states[0].service_state"
    yield states, "states[0].msisdn", "", "states[0].msisdn"


def _cases_of_enforcement() -> Iterator[tuple[str, str, object, str]]:
    for instant in BAD_INSTANTS:
        yield "EnforcementService/AdvanceEnforcement", "as_of_time", instant, "as_of_time"
    pull = "EnforcementService/PullDirectives"
    for number in (0, -1, 10_001):
        yield pull, "directive_count_max", number, "directive_count_max"
    for duration in BAD_DURATIONS:
        yield pull, "lease_duration", duration, "lease_duration"
    acknowledge = "EnforcementService/AcknowledgeDirectives"
    first = "acknowledgements[0]"
    for text in BAD_IDENTIFIERS:
        yield acknowledge, f"{first}.directive_id", text, f"{first}.directive_id"
    for number in (0, 99):
        yield acknowledge, f"{first}.outcome", number, f"{first}.outcome"
    yield acknowledge, f"{first}.failure", "x" * 201, f"{first}.failure"
    yield acknowledge, "acknowledgements", [], "acknowledgements"
    yield from _cases_of_updates()
    report = "SubscriptionService/ReportEvents"
    yield report, "events", [], "events"
    yield report, "events[0].occur_time", None, "events[0].occur_time"
    yield report, "events[0].msisdn", "", "events[0].msisdn"
    yield report, "events[0].msisdn", "9" * 33, "events[0].msisdn"
    for number in (0, 99):
        yield report, "events[0].kind", number, "events[0].kind"
    complete = "VerificationService/CompleteVerification"
    yield complete, "chip_files", None, "chip_files"
    for name, most in (("sod", 16_384), ("dg1", 256), ("dg2", 262_144)):
        yield complete, f"chip_files.{name}", b"", f"chip_files.{name}"
        yield complete, f"chip_files.{name}", bytes(most + 1), f"chip_files.{name}"
    for name in ("dg13", "dg14", "dg15"):
        yield complete, f"chip_files.{name}", bytes(8193), f"chip_files.{name}"
    signature = "active_authentication_signature"
    yield complete, signature, bytes(1025), signature
    yield complete, "probe_photographs", [], "probe_photographs"
    yield complete, "probe_photographs", [b"x"] * 6, "probe_photographs"
    yield complete, "probe_photographs", [b"x", b""], "probe_photographs[1]"
    oversized = bytes(8 * 1024 * 1024 + 1)
    yield complete, "probe_photographs", [b"x", oversized], "probe_photographs[1]"
    yield complete, "probe_photographs", [b"x", png_header(4000, 2001)], "probe_photographs[1]"


_PART = re.compile(r"([a-z0-9_]+)(?:\[(\d+)\])?")


def set_at(message: Any, path: str, value: object) -> None:  # noqa: ANN401 - any message
    """Set, replace or (None) clear the field at a path such as `events[0].msisdn`."""
    *parents, last = path.split(".")
    for parent in parents:
        name, index = _PART.fullmatch(parent).groups()  # type: ignore[union-attr] # our own paths
        message = getattr(message, name) if index is None else getattr(message, name)[int(index)]
    message.ClearField(last)
    if isinstance(value, list):
        getattr(message, last).extend(value)
    elif isinstance(value, Message):
        getattr(message, last).CopyFrom(value)
    elif value is not None:
        setattr(message, last, value)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds nothing: decoding it could only fail."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


CASES = tuple(_cases())


def refusal_of(connect_as: Connect, method: MethodDescriptor, *requests: Message) -> Refused | None:
    """Send to a method as somebody who may call it."""
    try:
        send(connect_as(allowed_role(method), CALLER), method, requests)
    except grpc.RpcError as error:
        return Refused.of(error)
    return None


def _case_id(case: tuple[str, str, object, str]) -> str:
    key, path, value, _ = case
    shown = f"{len(value)} bytes" if isinstance(value, bytes) else ascii(value)
    return f"{key}-{path}-{' '.join(shown.split())[:40]}"


@pytest.mark.parametrize("case", CASES, ids=_case_id)
def test_bad_input_is_refused_with_the_field_at_fault(
    connect_as: Connect, case: tuple[str, str, object, str]
) -> None:
    key, path, value, at_fault = case
    method = METHOD_OF[key]
    request = example(method)
    set_at(request, path, value)
    refusal = refusal_of(connect_as, method, request)
    assert refusal is not None
    assert refusal.status == "INVALID_ARGUMENT", refusal
    assert at_fault in refusal.fields, refusal
    assert set(refusal.fields) <= {at_fault, *_below(at_fault)}, refusal
    assert refusal.reason
    assert refusal.correlation_id
    assert refusal.domain == "subid"


def _below(field: str) -> set[str]:
    """A list that is refused as a whole may also have its elements named."""
    return {f"{field}[{index}]" for index in range(5001)}


def test_every_method_is_tried() -> None:
    assert {key for key, *_ in CASES} == set(METHOD_OF) - NOTHING_TO_GET_WRONG


@pytest.mark.parametrize("write", [stop_wave, revert_wave])
def test_a_reason_with_a_character_that_no_column_takes_is_kept_without_it(
    scene: Scene, write: Callable[[Scene], Write]
) -> None:
    request = write(scene).request
    assert isinstance(request, StopWaveRequest | RevertWaveRequest)
    request.reason = "too\x00many"
    waves = scene.regulator.waves
    method = waves.StopWave if isinstance(request, StopWaveRequest) else waves.RevertWave
    assert method(request).wave.reason == "too\ufffdmany"


def test_every_fault_of_a_request_is_named_at_once(connect_as: Connect) -> None:
    request = subscription_pb.RegisterSubscriptionRequest(
        request_id=new_id(),
        msisdn="0912345678",
        holder=subscription_pb.HolderClaim(
            personal_id="1", full_name="1", birth_date=Date(year=2023, month=2, day=30)
        ),
    )
    method = METHOD_OF["SubscriptionService/RegisterSubscription"]
    refusal = refusal_of(connect_as, method, request)
    assert refusal is not None
    assert dict(refusal.violations) == {
        "holder.personal_id": "PERSONAL_ID_MALFORMED",
        "holder.full_name": "FULL_NAME_MALFORMED",
        "holder.birth_date": "DATE_IMPOSSIBLE",
    }


@pytest.mark.parametrize("method", METHODS, ids=method_key)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff\xff\xff", id="no message"),
        pytest.param(b"\x0a\x7f\x00", id="cut short"),
        pytest.param(b"\x0c", id="an end without a beginning"),
    ],
)
def test_a_body_that_is_no_message_is_the_callers_fault(
    connect_as: Connect, method: MethodDescriptor, body: bytes
) -> None:
    refusal = _refusal_of_body(connect_as, method, body)
    assert refusal.status == "INVALID_ARGUMENT", refusal
    assert refusal.reason == "REQUEST_INVALID"


def _refusal_of_body(connect_as: Connect, method: MethodDescriptor, body: bytes) -> Refused:
    channel = connect_as(allowed_role(method), CALLER)
    path = method_path(method)
    is_stream = method.client_streaming
    call: Any = channel.stream_unary(path) if is_stream else channel.unary_unary(path)
    with pytest.raises(grpc.RpcError) as caught:
        call(iter([body]) if is_stream else body, timeout=20)
    return Refused.of(caught.value)


@pytest.mark.parametrize(
    "method",
    [each for each in METHODS if any(f.type == f.TYPE_STRING for f in each.input_type.fields)],
    ids=method_key,
)
def test_text_that_is_not_utf8_is_the_callers_fault(
    connect_as: Connect, method: MethodDescriptor
) -> None:
    field = next(f for f in method.input_type.fields if f.type == f.TYPE_STRING)
    body = bytes([field.number << 3 | 2, 2, 0xC3, 0x28])
    refusal = _refusal_of_body(connect_as, method, body)
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")


def test_a_photograph_is_refused_by_its_header_before_it_is_decoded() -> None:
    # A decoder that tried would find no pixels; only the header can have been read.
    with pytest.raises(RequestInvalidError) as caught:
        refuse_oversized([png_header(2000, 2000), png_header(65_000, 65_000)])
    (violation,) = caught.value.violations
    assert (violation.field, violation.reason) == ("probe_photographs[1]", "IMAGE_TOO_LARGE")


def test_a_message_beyond_all_limits_is_refused_by_its_size(connect_as: Connect) -> None:
    method = METHOD_OF["VerificationService/CompleteVerification"]
    request = example(method)
    set_at(request, "probe_photographs", [bytes(8 * 1024 * 1024)] * 3)
    refusal = refusal_of(connect_as, method, request)
    assert refusal is not None
    assert refusal.status == "RESOURCE_EXHAUSTED"


def test_a_second_batch_out_of_bounds_is_refused_as_the_first_is(connect_as: Connect) -> None:
    method = METHOD_OF["PopulationService/ImportPopulation"]
    first, second = example(method), example(method)
    set_at(second, "records", [])
    set_at(second, "batch_index", 1)
    refusal = refusal_of(connect_as, method, first, second)
    assert refusal is not None
    assert (refusal.status, refusal.fields) == ("INVALID_ARGUMENT", ("records",))


BAD_PLACES = (
    *(("point_of_sale", text) for text in (" ", "a b", "Đà-Nẵng", "a\x00", "a\n", "x" * 65, "=1")),
    *(
        ("province_code", text)
        for text in ("1", "001", "A1", " 1", "\u0660\u0661", "01\n", "-1", "\x00\x00")
    ),
)


def test_a_row_with_a_bad_place_of_contract_is_refused_alone_with_its_field(act_as: ActAs) -> None:
    request = subscription_pb.ImportSubscriptionsRequest(request_id=new_id())
    for index, (field, text) in enumerate((*BAD_PLACES, ("province_code", "01"))):
        row = request.rows.add(msisdn=f"03{index:08d}")
        row.holder.CopyFrom(EXAMPLE_HOLDER)
        setattr(row, field, text)
    answer = act_as(Role.OPERATOR, "bad-places").subscriptions.ImportSubscriptions(iter([request]))
    told = [(each.row_index, each.field, each.reason) for each in answer.summary.row_errors]
    assert told == [
        (index, field, f"{field.upper()}_MALFORMED") for index, (field, _) in enumerate(BAD_PLACES)
    ]
    assert answer.summary.received_count - answer.summary.rejected_count == 1


@pytest.mark.parametrize("token", ["9" * 200, "18446744073709551616", "0"])
def test_a_page_after_any_batch_however_far_is_an_empty_one(act_as: ActAs, token: str) -> None:
    """Anybody can count: such a token is well formed, and says nothing of another's import."""
    page = act_as(Role.OPERATOR, CALLER).subscriptions.ListSubscriptionImportErrors(
        subscription_pb.ListSubscriptionImportErrorsRequest(import_id=new_id(), page_token=token)
    )
    assert (list(page.row_errors), page.next_page_token) == ([], "")


def test_an_event_with_a_bad_value_answers_for_itself(act_as: ActAs) -> None:
    bad_events = [
        _event(msisdn="not a number"),
        _event(msisdn="0912345678\x00"),
        _event(holder=subscription_pb.HolderClaim()),
        _event(
            holder=subscription_pb.HolderClaim(
                personal_id=PERSONAL_ID, full_name="A", birth_date=Date(year=2023, month=2, day=30)
            )
        ),
        *(_event(occur_time=instant) for instant in BAD_INSTANTS),
    ]
    request = subscription_pb.ReportEventsRequest(request_id=new_id(), events=bad_events)
    answer = act_as(Role.OPERATOR, CALLER).subscriptions.ReportEvents(request)
    assert [result.event_index for result in answer.results] == list(range(len(bad_events)))
    reasons = [result.reason for result in answer.results]
    assert reasons[:4] == [
        "MSISDN_MALFORMED",
        "MSISDN_MALFORMED",
        "PERSONAL_ID_MALFORMED",
        "DATE_IMPOSSIBLE",
    ]
    assert set(reasons[4:]) == {"DATE_IMPOSSIBLE"}


def _event(**fields: Any) -> subscription_pb.SubscriptionEvent:  # noqa: ANN401 - any field
    event = subscription_pb.SubscriptionEvent(
        msisdn="0912345678",
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_TRANSFER,
        occur_time=Timestamp(seconds=1_770_000_000),
    )
    for name, value in fields.items():
        set_at(event, name, value)
    return event
