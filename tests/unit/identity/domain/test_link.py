"""When two fields agree, and which state of the link follows."""

import dataclasses
from datetime import date

import pytest
from rapidfuzz import fuzz

from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import (
    FieldOutcome,
    FieldResult,
    FieldSource,
    LinkState,
    compare_dates,
    compare_holder,
    compare_names,
    compare_personal_ids,
)
from identity.domain.name_agreement import NameAgreement
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID

SOURCE = FieldSource.POPULATION_RECORD
MATCH = FieldOutcome(result=FieldResult.MATCH, source=SOURCE)
MISMATCH = FieldOutcome(result=FieldResult.MISMATCH, source=SOURCE)
NOT_AVAILABLE = FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=SOURCE)

CLAIM = HolderClaim(
    personal_id=PersonalID("001085012345"),
    full_name=PersonName("Nguyễn Thị Hòa"),
    birth_date=date(1985, 3, 1),
)
RECORD = PopulationRecord(
    personal_id=CLAIM.personal_id,
    full_name=PersonName("NGUYỄN THỊ HOÀ"),
    birth_date=CLAIM.birth_date,
)


def unused_scorer(_one: str, _other: str) -> float:
    raise AssertionError("names that match, or are missing, are not scored")


def test_a_claim_that_agrees_in_every_field_is_linked() -> None:
    link = compare_holder(CLAIM, RECORD, score_names=unused_scorer)
    assert link.state is LinkState.LINKED
    assert (link.personal_id, link.full_name, link.birth_date) == (MATCH, MATCH, MATCH)


def test_another_birth_date_is_a_mismatch_of_that_field_alone() -> None:
    record = dataclasses.replace(RECORD, birth_date=date(1985, 1, 3))
    link = compare_holder(CLAIM, record, score_names=unused_scorer)
    assert link.state is LinkState.MISMATCHED
    assert (link.personal_id, link.full_name, link.birth_date) == (MATCH, MATCH, MISMATCH)


def test_another_name_is_a_mismatch_with_its_score() -> None:
    record = dataclasses.replace(RECORD, full_name=PersonName("Nguyễn Thị Hoa"))
    link = compare_holder(CLAIM, record, score_names=fuzz.ratio)
    assert link.state is LinkState.MISMATCHED
    assert link.full_name == FieldOutcome(
        result=FieldResult.MISMATCH, score=99, source=SOURCE, agreement=NameAgreement.UNACCENTED
    )
    assert (link.personal_id, link.birth_date) == (MATCH, MATCH)


@pytest.mark.parametrize(
    ("text", "agreement"),
    [
        ("NGUYEN THI HOA", NameAgreement.UNACCENTED),
        ("Nguyễn Thị Hóa", NameAgreement.ACCENTS_DIFFER),
        ("Hoà Nguyễn Thị", NameAgreement.REORDERED),
        ("N. T. Hoà", NameAgreement.INITIALS),
        ("Nguyễn Hoà", NameAgreement.DIFFERENT),
    ],
)
def test_nobody_is_linked_on_less_than_the_full_name(text: str, agreement: NameAgreement) -> None:
    claim = dataclasses.replace(CLAIM, full_name=PersonName(text))
    link = compare_holder(claim, RECORD, score_names=fuzz.ratio)
    assert link.state is LinkState.MISMATCHED
    assert link.full_name.result is FieldResult.MISMATCH
    assert link.full_name.agreement is agreement
    assert link.full_name.score is not None


def test_a_comparison_outside_a_link_tells_no_agreement() -> None:
    outcome = compare_names(
        CLAIM.full_name,
        PersonName("NGUYEN THI HOA"),
        source=FieldSource.CLAIM,
        score_names=fuzz.ratio,
    )
    assert outcome.agreement is None


def test_the_record_of_another_personal_id_is_a_mismatch() -> None:
    record = dataclasses.replace(RECORD, personal_id=PersonalID("001085012346"))
    link = compare_holder(CLAIM, record, score_names=unused_scorer)
    assert link.state is LinkState.MISMATCHED
    assert link.personal_id == MISMATCH


def test_a_personal_id_that_nobody_has_is_not_found() -> None:
    link = compare_holder(CLAIM, None, score_names=unused_scorer)
    assert link.state is LinkState.NOT_FOUND
    assert link.personal_id == MISMATCH
    assert (link.full_name, link.birth_date) == (NOT_AVAILABLE, NOT_AVAILABLE)


def test_a_person_who_has_died_is_deceased_when_every_field_agrees() -> None:
    record = dataclasses.replace(RECORD, deceased_on=date(2020, 1, 1))
    link = compare_holder(CLAIM, record, score_names=unused_scorer)
    assert link.state is LinkState.DECEASED
    assert (link.personal_id, link.full_name, link.birth_date) == (MATCH, MATCH, MATCH)


@pytest.mark.parametrize("deceased_on", [None, date(2026, 1, 1)])
def test_a_retired_personal_id_is_a_mismatch_whatever_else_agrees(
    deceased_on: date | None,
) -> None:
    record = dataclasses.replace(
        RECORD, merged_into=PersonalID("001085012346"), deceased_on=deceased_on
    )
    link = compare_holder(CLAIM, record, score_names=unused_scorer)
    assert link.state is LinkState.MISMATCHED
    assert link.personal_id.result is FieldResult.MISMATCH
    assert (link.full_name.result, link.birth_date.result) == (FieldResult.MATCH,) * 2


def test_a_person_who_has_died_is_deceased_when_fields_differ() -> None:
    record = dataclasses.replace(RECORD, birth_date=date(1985, 1, 3), deceased_on=date(2020, 1, 1))
    link = compare_holder(CLAIM, record, score_names=unused_scorer)
    assert link.state is LinkState.DECEASED
    assert link.birth_date == MISMATCH


def test_names_that_differ_in_accents_alone_score_99_and_do_not_match() -> None:
    outcome = compare_names(
        PersonName("Đặng Thị Hoà"),
        PersonName("DANG THI HOA"),
        source=FieldSource.CHIP,
        score_names=fuzz.ratio,
    )
    assert outcome == FieldOutcome(result=FieldResult.MISMATCH, score=99, source=FieldSource.CHIP)


@pytest.mark.parametrize(
    ("similarity", "score"), [(0, 0), (0.9, 0), (50.5, 50), (98.99, 98), (99.9, 99), (100, 99)]
)
def test_a_score_is_rounded_down_and_never_reaches_100(similarity: float, score: int) -> None:
    outcome = compare_names(
        PersonName("An"),
        PersonName("Bình"),
        source=SOURCE,
        score_names=lambda _one, _other: similarity,
    )
    assert outcome.score == score


@pytest.mark.parametrize("similarity", [-0.1, 100.1, float("nan"), float("inf")])
def test_a_scorer_outside_its_range_is_a_bug_and_not_an_outcome(similarity: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        compare_names(
            PersonName("An"),
            PersonName("Bình"),
            source=SOURCE,
            score_names=lambda _one, _other: similarity,
        )


def test_a_missing_side_is_not_available() -> None:
    name, day = CLAIM.full_name, CLAIM.birth_date
    assert compare_names(name, None, source=SOURCE, score_names=unused_scorer) == NOT_AVAILABLE
    assert compare_names(None, name, source=SOURCE, score_names=unused_scorer) == NOT_AVAILABLE
    assert compare_dates(day, None, source=SOURCE) == NOT_AVAILABLE
    assert compare_dates(None, day, source=SOURCE) == NOT_AVAILABLE
    assert compare_personal_ids(CLAIM.personal_id, None, source=SOURCE) == NOT_AVAILABLE
    assert compare_personal_ids(None, CLAIM.personal_id, source=SOURCE) == NOT_AVAILABLE


def test_two_missing_sides_are_not_a_match() -> None:
    assert compare_dates(None, None, source=SOURCE) == NOT_AVAILABLE


@pytest.mark.parametrize("source", list(FieldSource))
def test_an_outcome_says_where_the_other_side_came_from(source: FieldSource) -> None:
    assert compare_dates(CLAIM.birth_date, CLAIM.birth_date, source=source).source is source


@pytest.mark.parametrize("result", [FieldResult.MATCH, FieldResult.NOT_AVAILABLE])
def test_only_a_mismatch_carries_a_score(result: FieldResult) -> None:
    with pytest.raises(ValueError, match="only a mismatch"):
        FieldOutcome(result=result, score=50, source=SOURCE)


@pytest.mark.parametrize("score", [-1, 100])
def test_a_score_outside_0_to_99_cannot_be(score: int) -> None:
    with pytest.raises(ValueError, match="0 to 99"):
        FieldOutcome(result=FieldResult.MISMATCH, score=score, source=SOURCE)


@pytest.mark.parametrize(
    "result", [result for result in FieldResult if result is not FieldResult.MISMATCH]
)
def test_only_a_mismatch_carries_an_agreement(result: FieldResult) -> None:
    with pytest.raises(ValueError, match="only a mismatch"):
        FieldOutcome(result=result, agreement=NameAgreement.UNACCENTED, source=SOURCE)


def test_a_mismatch_never_agrees_exactly() -> None:
    with pytest.raises(ValueError, match="are a match"):
        FieldOutcome(result=FieldResult.MISMATCH, agreement=NameAgreement.EXACT, source=SOURCE)
