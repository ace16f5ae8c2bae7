"""What can be said of a number and its holder, and what cannot."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from identity.domain.holder import PopulationRecord
from identity.domain.kyc import (
    IdentityClaim,
    NumberPast,
    Stint,
    beginning_of,
    compare_identity,
    is_changed_since,
    is_held_since,
    is_recycled,
    latest_change,
)
from identity.domain.link import FieldResult
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID, Sex
from identity.services.call import score_names

RECORD = PopulationRecord(
    personal_id=PersonalID("001085012345"),
    full_name=PersonName("Nguyễn Thị Hòa"),
    birth_date=date(1985, 3, 1),
    sex=Sex.FEMALE,
)
TOLD_AT = datetime(2025, 6, 15, 5, tzinfo=UTC)
PRESENT = Stint(
    is_same_holder=True, created_at=TOLD_AT, activated_on=None, ended_at=None, is_continued=True
)
SIGNED = replace(PRESENT, activated_on=date(2020, 1, 1))


def results(claim: IdentityClaim, record: PopulationRecord | None = RECORD) -> dict[str, object]:
    outcomes = compare_identity(claim, record, score_names=score_names)
    return {name: (outcome.result, outcome.score) for name, outcome in outcomes.items()}


def test_each_attribute_that_is_given_is_compared_and_no_other() -> None:
    claim = IdentityClaim(full_name=PersonName("NGUYỄN THỊ HOÀ"), sex=Sex.MALE)
    assert results(claim) == {
        "full_name": (FieldResult.MATCH, None),
        "sex": (FieldResult.MISMATCH, None),
    }
    other = IdentityClaim(
        personal_id=PersonalID("001085012346"),
        full_name=PersonName("Nguyễn Thị Hoàn"),
        birth_date=date(1985, 3, 1),
    )
    assert results(other) == {
        "personal_id": (FieldResult.MISMATCH, None),
        "full_name": (FieldResult.MISMATCH, 98),
        "birth_date": (FieldResult.MATCH, None),
    }


def test_what_the_register_does_not_have_is_not_available() -> None:
    assert results(IdentityClaim(sex=Sex.MALE), replace(RECORD, sex=None)) == {
        "sex": (FieldResult.NOT_AVAILABLE, None)
    }
    claim = IdentityClaim(personal_id=RECORD.personal_id, birth_date=RECORD.birth_date)
    nothing = (FieldResult.NOT_AVAILABLE, None)
    assert results(claim, None) == {"personal_id": nothing, "birth_date": nothing}


def test_nothing_given_is_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="at least one"):
        IdentityClaim()


def test_a_reported_change_counts_and_is_recent_or_not() -> None:
    changed_at = TOLD_AT + timedelta(days=1)
    assert latest_change(changed_at, PRESENT) == changed_at
    assert is_changed_since(changed_at, PRESENT, since=changed_at) is True
    assert is_changed_since(changed_at, PRESENT, since=changed_at + timedelta(hours=1)) is False


def test_without_a_change_only_the_time_that_the_registry_knows_is_a_no() -> None:
    assert is_changed_since(None, PRESENT, since=TOLD_AT) is False
    assert is_changed_since(None, PRESENT, since=TOLD_AT - timedelta(seconds=1)) is None
    # The contract is older than what is known of it: anything may have changed in between.
    assert latest_change(None, SIGNED) is None
    assert is_changed_since(None, SIGNED, since=TOLD_AT - timedelta(days=1)) is None


def test_a_contract_known_from_its_first_day_is_the_last_change() -> None:
    first_day = replace(PRESENT, activated_on=date(2025, 6, 15))
    assert latest_change(None, first_day) == beginning_of(date(2025, 6, 15))
    assert is_changed_since(None, first_day, since=TOLD_AT - timedelta(days=9)) is True


def test_who_has_had_it_since_the_contract_has_tenure() -> None:
    past = NumberPast(present=SIGNED)
    assert is_held_since(past, date(2020, 1, 1)) is True
    assert is_held_since(past, date(2019, 12, 31)) is False
    assert is_recycled(past, date(2020, 1, 1)) is False
    # Nobody knows whose it was before the contract.
    assert is_recycled(past, date(2019, 12, 31)) is None


def test_without_the_day_of_the_contract_the_time_before_is_unknown() -> None:
    past = NumberPast(present=PRESENT)
    assert is_held_since(past, date(2025, 6, 16)) is True
    assert is_held_since(past, date(2025, 6, 1)) is None
    assert is_recycled(past, date(2025, 6, 1)) is None


def test_another_persons_time_ends_every_tenure_before_it() -> None:
    left_at = TOLD_AT - timedelta(days=30)
    other = replace(
        SIGNED, is_same_holder=False, ended_at=left_at, created_at=left_at, is_continued=False
    )
    past = NumberPast(present=PRESENT, earlier=(other,))
    assert is_recycled(past, date(2025, 5, 1)) is True
    assert is_recycled(past, date(2025, 7, 1)) is False
    assert is_held_since(past, date(2025, 5, 1)) is False


def test_a_transfer_is_a_new_holder_though_the_contract_is_older() -> None:
    past = NumberPast(present=SIGNED, new_holder_at=TOLD_AT + timedelta(days=10))
    assert is_recycled(past, date(2025, 6, 20)) is True
    assert is_recycled(past, date(2025, 6, 30)) is False
    assert is_held_since(past, date(2021, 1, 1)) is False
    assert is_held_since(past, date(2025, 6, 30)) is True


def test_who_takes_a_number_along_keeps_its_tenure() -> None:
    before = replace(SIGNED, ended_at=TOLD_AT)
    past = NumberPast(present=PRESENT, earlier=(before,))
    assert is_held_since(past, date(2020, 1, 1)) is True
    assert is_recycled(past, date(2020, 1, 1)) is False
    gone = NumberPast(present=PRESENT, earlier=(replace(before, is_continued=False),))
    assert is_held_since(gone, date(2020, 1, 1)) is None
