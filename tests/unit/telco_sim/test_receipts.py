"""The simulator believes a receipt that the log has signed, and no other."""

import json

import pytest

from telco_sim.receipts import ReceiptError, open_receipt
from tests.unit.telco_sim.sealed_receipts import FIRST_KEY, LEAF, SECOND_KEY, sealed_receipt


@pytest.mark.parametrize("is_rotated", [False, True])
def test_a_receipt_proves_its_leaf(is_rotated: bool) -> None:  # noqa: FBT001 - a case
    assert open_receipt(sealed_receipt(LEAF, is_rotated=is_rotated), FIRST_KEY) == LEAF


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("leaf", {**LEAF, "outcome": "not_available"}),
        ("leaf", "nothing"),
        ("leaf_index", 1),
        ("leaf_index", 3),
        ("inclusion_proof", []),
        ("inclusion_proof", ["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwg="]),
        ("checkpoint", "nothing"),
        ("keys", []),
    ],
)
def test_a_receipt_with_a_changed_part_proves_nothing(member: str, value: object) -> None:
    document = json.loads(sealed_receipt(LEAF, is_rotated=True))
    assert open_receipt(json.dumps(document), FIRST_KEY)
    document[member] = value
    with pytest.raises(ReceiptError):
        open_receipt(json.dumps(document), FIRST_KEY)


def test_another_first_key_or_none_proves_nothing() -> None:
    for key in (SECOND_KEY, b""):
        with pytest.raises(ReceiptError):
            open_receipt(sealed_receipt(LEAF), key)
    with pytest.raises(ReceiptError):
        open_receipt("AUDIT_ENTRY_NOT_FOUND", FIRST_KEY)
