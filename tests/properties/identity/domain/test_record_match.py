"""Whatever is compared: nothing is said that was not asked, and a score only where it belongs."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.holder import PopulationRecord, Sex
from identity.domain.kyc import IdentityClaim, compare_identity
from identity.domain.link import FieldResult
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.record_match import (
    FieldMatch,
    PersonMatch,
    RecordClaim,
    compare_record,
    unavailable_match,
)
from identity.services.call import score_names

IDS = st.sampled_from([PersonalID("001085012345"), PersonalID("001085012346")])
NAMES = st.sampled_from(
    [
        PersonName(n)
        for n in ("Lê Văn An", "Le Van An", "An Lê Văn", "Lê Văn Ân", "Trần Bảo", "L. V. An")
    ]
)
DAYS = st.sampled_from([date(1985, 3, 1), date(1985, 1, 3), date(1986, 3, 1)])
RECORDS = st.builds(
    PopulationRecord,
    personal_id=IDS,
    full_name=NAMES,
    birth_date=DAYS,
    sex=st.sampled_from([None, *Sex]),
    deceased_on=st.sampled_from([None, date(2020, 1, 1)]),
    merged_into=st.sampled_from([None, PersonalID("001085012399")]),
)
CLAIMS = st.builds(
    RecordClaim, personal_id=IDS, full_name=st.none() | NAMES, birth_date=st.none() | DAYS
).filter(lambda claim: claim.full_name is not None or claim.birth_date is not None)


@given(CLAIMS, st.none() | RECORDS)
def test_an_agency_is_told_nothing_that_it_did_not_give(
    claim: RecordClaim, record: PopulationRecord | None
) -> None:
    for match in (compare_record(claim, record, score_names=score_names), unavailable_match(claim)):
        assert (match.full_name is FieldMatch.NOT_GIVEN) == (claim.full_name is None)
        assert (match.birth_date is FieldMatch.NOT_GIVEN) == (claim.birth_date is None)
        has_score = match.full_name in {FieldMatch.SIMILAR, FieldMatch.DIFFERENT}
        assert (match.full_name_score is not None) == has_score
        if match.personal_id is not PersonMatch.KNOWN:
            given_fields = {match.full_name, match.birth_date}
            assert given_fields <= {FieldMatch.NOT_GIVEN, FieldMatch.NOT_AVAILABLE}


@given(CLAIMS, RECORDS, st.sampled_from([None, date(2021, 1, 1)]))
def test_the_answer_depends_on_name_and_birth_date_alone(
    claim: RecordClaim, record: PopulationRecord, deceased_on: date | None
) -> None:
    other = replace(record, sex=Sex.MALE, deceased_on=deceased_on, card_issued_on=deceased_on)
    assert compare_record(claim, record, score_names=score_names) == compare_record(
        claim, other, score_names=score_names
    )


ATTRIBUTES: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "personal_id": st.none() | IDS,
        "full_name": st.none() | NAMES,
        "birth_date": st.none() | DAYS,
        "sex": st.sampled_from([None, *Sex]),
    }
).filter(lambda fields: any(value is not None for value in fields.values()))


@given(ATTRIBUTES, st.none() | RECORDS)
def test_an_operator_is_told_of_what_it_gave_with_a_score_at_a_false_name_only(
    fields: dict[str, object], record: PopulationRecord | None
) -> None:
    outcomes = compare_identity(
        IdentityClaim(**fields),  # type: ignore[arg-type] # each of its own type
        record,
        score_names=score_names,
    )
    assert set(outcomes) == {name for name, value in fields.items() if value is not None}
    for name, outcome in outcomes.items():
        is_false_name = name == "full_name" and outcome.result is FieldResult.MISMATCH
        assert (outcome.score is not None) == is_false_name
        if record is None:
            assert outcome.result is FieldResult.NOT_AVAILABLE
