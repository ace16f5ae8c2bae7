"""What an agency is told of its own record, and when that looks like guessing."""

from dataclasses import replace
from datetime import date

import pytest

from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.record_match import (
    EXACT_MATCH,
    FieldMatch,
    MatchPolicy,
    PersonMatch,
    RecordClaim,
    RecordMatch,
    compare_record,
    unavailable_match,
)
from identity.services.call import score_names

CLAIM = RecordClaim(
    personal_id=PersonalID("001085012345"),
    full_name=PersonName("Nguyễn Thị Hòa"),
    birth_date=date(1985, 3, 1),
)
RECORD = PopulationRecord(
    personal_id=CLAIM.personal_id,
    full_name=PersonName("NGUYỄN THỊ HOÀ"),
    birth_date=date(1985, 3, 1),
)


def compare(claim: RecordClaim, record: PopulationRecord | None = RECORD) -> RecordMatch:
    return compare_record(claim, record, score_names=score_names)


def test_case_and_where_a_tone_stands_do_not_count() -> None:
    assert compare(CLAIM) == EXACT_MATCH
    assert (EXACT_MATCH.outcome, EXACT_MATCH.is_failed) == ("exact", False)


@pytest.mark.parametrize(
    "name", ["Nguyen Thi Hoa", "Nguyễn Thị Hoa", "Hòa Nguyễn Thị", "N. T. Hòa"]
)
def test_a_name_that_people_write_otherwise_is_similar_and_has_a_score(name: str) -> None:
    match = compare(replace(CLAIM, full_name=PersonName(name)))
    assert match.full_name is FieldMatch.SIMILAR
    assert match.full_name_score is not None
    assert (match.outcome, match.is_failed) == ("similar", False)


def test_another_name_is_different_however_alike() -> None:
    match = compare(replace(CLAIM, full_name=PersonName("Nguyễn Thị Hoàn")))
    assert match.full_name is FieldMatch.DIFFERENT
    assert match.full_name_score == 98
    assert (match.outcome, match.is_failed) == ("different", True)


@pytest.mark.parametrize(
    ("day", "result"),
    [
        (date(1985, 1, 3), FieldMatch.SIMILAR),
        (date(1985, 3, 2), FieldMatch.DIFFERENT),
        (date(1958, 3, 1), FieldMatch.DIFFERENT),
    ],
)
def test_of_days_only_day_and_month_exchanged_are_similar(day: date, result: FieldMatch) -> None:
    match = compare(replace(CLAIM, birth_date=day))
    assert match.birth_date is result
    assert match.full_name_score is None


def test_of_a_field_that_was_not_given_nothing_is_said() -> None:
    nameless = compare(replace(CLAIM, full_name=None))
    assert (nameless.full_name, nameless.birth_date) == (FieldMatch.NOT_GIVEN, FieldMatch.EXACT)
    dayless = compare(replace(CLAIM, birth_date=None))
    assert (dayless.full_name, dayless.birth_date) == (FieldMatch.EXACT, FieldMatch.NOT_GIVEN)


def test_nobody_and_a_retired_personal_id_are_the_same() -> None:
    merged = replace(RECORD, merged_into=PersonalID("001085012346"))
    assert compare(CLAIM, merged) == compare(CLAIM, None)
    unknown = compare(replace(CLAIM, birth_date=None), None)
    assert unknown == RecordMatch(
        personal_id=PersonMatch.UNKNOWN,
        full_name=FieldMatch.NOT_AVAILABLE,
        birth_date=FieldMatch.NOT_GIVEN,
    )
    assert (unknown.outcome, unknown.is_failed) == ("unknown", True)


def test_that_somebody_has_died_is_not_told() -> None:
    assert compare(CLAIM, replace(RECORD, deceased_on=date(2020, 1, 1))) == EXACT_MATCH


def test_of_the_restricted_nothing_is_available_and_nothing_failed() -> None:
    match = unavailable_match(CLAIM)
    assert {match.full_name, match.birth_date} == {FieldMatch.NOT_AVAILABLE}
    assert (match.outcome, match.is_failed) == ("not_available", False)


@pytest.mark.parametrize(
    ("full_name", "score"),
    [(FieldMatch.EXACT, 90), (FieldMatch.SIMILAR, None), (FieldMatch.DIFFERENT, 100)],
)
def test_a_score_stands_at_what_is_not_the_same_and_nowhere_else(
    full_name: FieldMatch, score: int | None
) -> None:
    with pytest.raises(ValueError, match="score"):
        replace(EXACT_MATCH, full_name=full_name, full_name_score=score)


@pytest.mark.parametrize(
    ("people", "failed", "is_guessing"),
    [(199, 199, False), (200, 100, False), (200, 101, True), (5_000, 2_500, False)],
)
def test_guessing_is_a_share_of_enough_people(people: int, failed: int, is_guessing: bool) -> None:  # noqa: FBT001 - an expectation
    policy = MatchPolicy(failed_share_max=0.5, judged_from=200)
    assert policy.is_guessing(people_count=people, failed_count=failed) == is_guessing


def test_what_was_given_is_named_and_a_birth_date_hidden() -> None:
    assert CLAIM.given == "birth_date,full_name,personal_id"
    assert replace(CLAIM, full_name=None).given == "birth_date,personal_id"
    assert replace(CLAIM, birth_date=None).given == "full_name,personal_id"
    assert "1985" not in repr(CLAIM)
