"""The bytes of a leaf are those of docs/reference/audit-log.md, and say nothing of a person."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from identity.audit.leaf import EntryRow, leaf_bytes, leaf_hash_of, leaf_of

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "audit-log.md"
DETAILS_KEY = bytes(range(16))
ROW = EntryRow(
    entry_id=17,
    occurred_at=datetime(2026, 5, 1, 9, 30, 0, 250_000, tzinfo=UTC),
    caller="agency:tax",
    action="get_contact",
    outcome="available",
    citizen_key=b"\x11" * 16,
    msisdn_key=None,
    purpose="legal_notice",
    legal_basis="Luật 26/2023/QH15, điều 10",
    case_id="T-1",
    shown_from=None,
    fields="number",
    details='{"codes": ["A"]}',
)


def test_the_worked_vector_of_the_reference_is_what_the_code_makes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert leaf_bytes(leaf_of(ROW, DETAILS_KEY)).decode() in page
    assert leaf_hash_of(ROW, DETAILS_KEY).hex() in page


def test_a_leaf_holds_no_blind_index_and_no_details() -> None:
    said = leaf_bytes(leaf_of(replace(ROW, msisdn_key=b"\x12" * 16), DETAILS_KEY))
    for hidden in (b"11" * 16, b"12" * 16, b"codes"):
        assert hidden not in said


def test_marks_of_one_person_differ_from_entry_to_entry() -> None:
    one, other = leaf_of(ROW, DETAILS_KEY), leaf_of(replace(ROW, entry_id=18), DETAILS_KEY)
    assert one["citizen"] != other["citizen"]
    assert one["details"] != other["details"]


@pytest.mark.parametrize(
    "change",
    [
        {"entry_id": 18},
        {"occurred_at": datetime(2026, 5, 1, 9, 30, 0, 250_001, tzinfo=UTC)},
        {"caller": "agency:police"},
        {"action": "can_notify"},
        {"outcome": "not_available"},
        {"citizen_key": b"\x12" * 16},
        {"citizen_key": None, "msisdn_key": b"\x11" * 16},
        {"purpose": None},
        {"legal_basis": ""},
        {"case_id": None},
        {"shown_from": datetime(2026, 5, 1, tzinfo=UTC)},
        {"fields": None},
        {"details": "{}"},
    ],
)
def test_whatever_differs_has_another_leaf(change: dict[str, object]) -> None:
    other = replace(ROW, **change)  # type: ignore[arg-type] # fields by name
    assert leaf_hash_of(other, DETAILS_KEY) != leaf_hash_of(ROW, DETAILS_KEY)


def test_without_details_nothing_depends_on_their_key() -> None:
    bare = replace(ROW, details="{}")
    assert leaf_hash_of(bare, DETAILS_KEY) == leaf_hash_of(bare, b"other")
