"""Whatever the service is told about people is kept, and nothing else of a request."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

import subid.v1
from subid.v1 import date_pb2, population_service_pb2, verification_service_pb2
from telco_sim.recording import (
    PERSONAL_FIELDS,
    REFUSED_FILE,
    PersonalKind,
    Recording,
    Told,
    read_told,
    told_in,
)

OF_NOBODY = frozenset(
    {
        # Names that the service or a caller made up for things.
        *("arrangement_id", "change_id", "data_request_id", "directive_id", "dispute_id"),
        *("import_id", "lease_id", "message_id", "notification_id", "page_token", "position"),
        *("relay_token", "request_id", "subscription_id", "verification_id", "wave_id"),
        # Who asks, what for, and in which words.
        *("agency", "caller", "case_id", "case_reference", "failure", "legal_bases"),
        *("legal_basis", "name"),
        *("operators", "organisation_code", "place", "point_of_sale", "province_code"),
        *("province_codes", "reason", "template", "text_en", "text_vi", "track", "value"),
        # Keys, digests and signatures: none says whose.
        *("active_authentication_signature", "chip_nonce", "dg14", "dg15", "document_digest"),
        *("checkpoint", "further_active_authentication_signatures", "signature", "sod"),
    }
)
"""Fields of requests that hold text or octets and nothing of a person."""


def fields_below(descriptor: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if descriptor.full_name in seen:
        return
    seen.add(descriptor.full_name)
    for field in descriptor.fields:
        yield field
        if field.message_type is not None:
            yield from fields_below(field.message_type, seen)


def test_every_field_of_every_request_is_somebodys_or_nobodys() -> None:
    seen: set[str] = set()
    names = set()
    for module in iter_modules(subid.v1.__path__):
        if module.name.endswith("_pb2"):
            found = import_module(f"subid.v1.{module.name}").DESCRIPTOR.services_by_name
            for service in found.values():
                for method in service.methods:
                    for field in fields_below(method.input_type, seen):
                        if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
                            names.add(field.name)
    assert names
    assert names - OF_NOBODY - set(PERSONAL_FIELDS) == set()
    assert OF_NOBODY & set(PERSONAL_FIELDS) == set()


POPULATION = population_service_pb2.ImportPopulationRequest(
    request_id="3f1f",
    records=[
        population_service_pb2.PopulationRecord(
            personal_id="079190012345",
            full_name="Nguyễn Văn Ví Dụ",
            birth_date=date_pb2.Date(year=1990, month=1, day=2),
        )
    ],
)


@pytest.mark.parametrize(
    ("request_message", "expected"),
    [
        (
            POPULATION,
            [
                Told(kind=PersonalKind.PERSONAL_ID, value="079190012345"),
                Told(kind=PersonalKind.NAME, value="Nguyễn Văn Ví Dụ"),
                Told(kind=PersonalKind.BIRTH_DATE, value="1990-01-02", whose="Nguyễn Văn Ví Dụ"),
            ],
        ),
        (
            verification_service_pb2.CompleteVerificationRequest(
                verification_id="77",
                chip_files=verification_service_pb2.ChipFiles(sod=b"sod", dg1=b"one", dg2=b"two"),
                probe_photographs=[b"first", b"second"],
            ),
            [
                Told(kind=PersonalKind.MACHINE_READABLE_ZONE, value=b"one"),
                Told(kind=PersonalKind.IMAGE, value=b"two"),
                Told(kind=PersonalKind.IMAGE, value=b"first"),
                Told(kind=PersonalKind.IMAGE, value=b"second"),
            ],
        ),
        (verification_service_pb2.GetVerificationRequest(verification_id="77"), []),
    ],
)
def test_what_is_personal_in_a_request_is_found_however_deep(
    request_message: Message, expected: list[Told]
) -> None:
    assert sorted(map(Told.to_line, told_in(request_message))) == sorted(
        map(Told.to_line, expected)
    )


def test_a_recording_is_read_as_it_was_written_each_thing_once(tmp_path: Path) -> None:
    recording = Recording()
    for _ in range(2):
        recording.heard_request(POPULATION)
    recording.write(tmp_path / "record")
    assert sorted(map(Told.to_line, read_told(tmp_path / "record"))) == sorted(
        map(Told.to_line, told_in(POPULATION))
    )
    assert (tmp_path / "record" / REFUSED_FILE).read_bytes() == b""
