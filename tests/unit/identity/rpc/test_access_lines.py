"""A line of a history on the wire says what the audit log says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from identity.audit.history import ShownEntry
from identity.domain.agency import Purpose
from identity.rpc.access_lines import response
from identity.services.list_accesses import AccessPage
from subid.v1 import agency_pb2
from subid.v1 import citizen_service_pb2 as pb

LOOK = ShownEntry(
    entry_id=7,
    occurred_us=1_777_627_800_999_999,
    caller="agency:tax",
    action="get_contact",
    outcome="available",
    fields="masked_number,number",
    purpose="legal_notice",
    legal_basis="Law 26/2023/QH15, art. 10",
    case_id="case-1",
)
PAGE = AccessPage(entries=[LOOK], withheld_count=3, next_before=7)


def test_a_look_of_an_agency_is_told_whole() -> None:
    told = response(PAGE)
    (line,) = told.accesses
    assert (told.withheld_count, told.next_page_token) == (3, "7")
    at = datetime(2026, 5, 1, 9, 30, 0, 999_999, tzinfo=UTC)
    assert line.access_time.ToDatetime(UTC) == at
    assert (line.caller, line.kind, line.action) == (
        *("agency:tax", pb.ACCESS_KIND_READ, "get_contact"),
    )
    assert (line.outcome, list(line.fields)) == ("available", ["masked_number", "number"])
    assert (line.purpose, line.case_id) == (agency_pb2.PURPOSE_LEGAL_NOTICE, "case-1")
    assert line.legal_basis == LOOK.legal_basis


def test_a_change_has_no_grounds() -> None:
    change = LOOK._replace(
        action="relink", fields=None, purpose=None, legal_basis=None, case_id=None
    )
    told = response(replace(PAGE, entries=[change], next_before=None))
    (line,) = told.accesses
    assert line.kind == pb.ACCESS_KIND_CHANGE
    assert (list(line.fields), line.purpose, line.legal_basis, line.case_id) == ([], 0, "", "")
    assert told.next_page_token == ""


@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_has_its_name_on_the_wire(purpose: Purpose) -> None:
    (line,) = response(replace(PAGE, entries=[LOOK._replace(purpose=purpose.value)])).accesses
    assert agency_pb2.Purpose.Name(line.purpose) == f"PURPOSE_{purpose.value.upper()}"
