"""The state of a link follows from its fields, whatever they are."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import (
    FieldResult,
    FieldSource,
    LinkState,
    agreed_link,
    compare_holder,
    compare_names,
    not_found_link,
)
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID

# Few values each, so that equal and different ones both come up often.
personal_ids = st.sampled_from([PersonalID("001085012345"), PersonalID("001085012346")])
full_names = st.sampled_from(
    [PersonName(text) for text in ("Lê Hòa", "LÊ HOÀ", "Le Hoa", "Lê Hóa", "Trần Bảo", "阮文安")]
)
days = st.sampled_from([date(1985, 3, 1), date(1985, 1, 3)])

claims = st.builds(HolderClaim, personal_id=personal_ids, full_name=full_names, birth_date=days)
records = st.builds(
    PopulationRecord,
    personal_id=personal_ids,
    full_name=full_names,
    birth_date=days,
    deceased_on=st.none() | st.just(date(2020, 1, 1)),
)


@given(claims, st.none() | records)
def test_the_state_follows_from_record_and_fields(
    claim: HolderClaim, record: PopulationRecord | None
) -> None:
    link = compare_holder(claim, record, score_names=fuzz.ratio)
    results = {link.personal_id.result, link.full_name.result, link.birth_date.result}
    assert (link.state is LinkState.NOT_FOUND) == (record is None)
    assert (link.state is LinkState.DECEASED) == bool(record and record.deceased_on)
    if link.state is LinkState.LINKED:
        assert results == {FieldResult.MATCH}
    if link.state is LinkState.MISMATCHED:
        assert FieldResult.MISMATCH in results


@given(claims, records)
def test_a_field_matches_exactly_when_both_sides_are_the_same(
    claim: HolderClaim, record: PopulationRecord
) -> None:
    link = compare_holder(claim, record, score_names=fuzz.ratio)
    for outcome, is_same in (
        (link.personal_id, claim.personal_id == record.personal_id),
        (link.full_name, claim.full_name.key == record.full_name.key),
        (link.birth_date, claim.birth_date == record.birth_date),
    ):
        assert (outcome.result is FieldResult.MATCH) == is_same
        assert outcome.source is FieldSource.POPULATION_RECORD


@given(full_names, full_names)
def test_a_name_is_scored_exactly_when_it_differs_and_both_ways_alike(
    one: PersonName, other: PersonName
) -> None:
    source = FieldSource.CLAIM
    outcome = compare_names(one, other, source=source, score_names=fuzz.ratio)
    assert compare_names(other, one, source=source, score_names=fuzz.ratio) == outcome
    assert (outcome.score is not None) == (outcome.result is FieldResult.MISMATCH)
    assert outcome.score is None or 0 <= outcome.score <= 99


@given(claims)
def test_only_the_personal_id_is_said_to_mismatch_when_nobody_has_it(claim: HolderClaim) -> None:
    link = compare_holder(claim, None, score_names=fuzz.ratio)
    assert link.personal_id.result is FieldResult.MISMATCH
    assert {link.full_name.result, link.birth_date.result} == {FieldResult.NOT_AVAILABLE}


@given(claims, st.none() | records)
def test_a_link_that_needs_no_comparing_is_the_one_that_comparing_finds(
    claim: HolderClaim, record: PopulationRecord | None
) -> None:
    link = compare_holder(claim, record, score_names=fuzz.ratio)
    is_not_found = link == not_found_link()
    assert is_not_found is (record is None)
    is_agreed = record is not None and (
        (claim.personal_id, claim.full_name.key, claim.birth_date)
        == (record.personal_id, record.full_name.key, record.birth_date)
    )
    is_deceased = record is not None and record.deceased_on is not None
    assert (link == agreed_link(is_deceased=is_deceased)) is is_agreed
    assert link != agreed_link(is_deceased=not is_deceased)
