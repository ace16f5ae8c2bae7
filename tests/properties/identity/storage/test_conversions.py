"""What storage writes, it reads back: every pair of dump and load, and the two JSONB forms."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.domain.errors import FullNameMalformedError
from identity.domain.face_score import FaceScore
from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.input_digests import InputDigests
from identity.domain.link import (
    SCORE_MAX,
    FieldOutcome,
    FieldResult,
    FieldSource,
    Link,
    LinkState,
)
from identity.domain.name_agreement import NameAgreement
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.verification import (
    ChipEvidence,
    ChipHolder,
    Evidence,
    FaceEvidence,
    Verdict,
    VerdictReason,
    VerdictState,
    VerificationPolicy,
    decide,
)
from identity.storage.conversions import (
    Judged,
    dump_claim,
    dump_evidence,
    dump_record,
    link_fields,
    link_from,
    load_claim,
    load_evidence,
    load_record,
    outcome_fields,
    outcome_from,
    verdict_fields,
    verdict_from,
)

LETTERS = "aàạâậăặbcdđeệgĐỶÝƠƯkxyzÇñШあ"

personal_ids = st.text("0123456789", min_size=12, max_size=12).map(PersonalID)
words = st.text(LETTERS, min_size=1, max_size=8)
names = st.lists(words, min_size=1, max_size=5).map(lambda w: PersonName.parse(" ".join(w)))
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
maybe_days = st.none() | days
instants = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants naive bounds
digests = st.binary(min_size=32, max_size=32)
codes = st.lists(st.text("ABCDEFG_", min_size=1, max_size=12), max_size=4).map(tuple)

claims = st.builds(HolderClaim, personal_id=personal_ids, full_name=names, birth_date=days)
records = st.builds(
    PopulationRecord,
    personal_id=personal_ids,
    full_name=names,
    birth_date=days,
    sex=st.none() | st.sampled_from(Sex),
    deceased_on=maybe_days,
    card_issued_on=maybe_days,
)
outcomes = st.builds(
    FieldOutcome,
    result=st.sampled_from(FieldResult),
    source=st.sampled_from(FieldSource),
) | st.builds(
    FieldOutcome,
    result=st.just(FieldResult.MISMATCH),
    score=st.integers(0, SCORE_MAX),
    source=st.sampled_from(FieldSource),
    agreement=st.none() | st.sampled_from(sorted(set(NameAgreement) - {NameAgreement.EXACT})),
)
links = st.builds(
    Link,
    state=st.sampled_from(LinkState),
    personal_id=outcomes,
    full_name=outcomes,
    birth_date=outcomes,
)
chip_holders = st.builds(
    ChipHolder,
    personal_id=st.none() | personal_ids,
    full_name=st.none() | names,
    birth_date=maybe_days,
    card_issued_on=maybe_days,
)
inputs = st.builds(
    InputDigests,
    sod=digests,
    data_groups=st.dictionaries(st.integers(1, 16), digests, max_size=5),
    nonces=st.lists(digests, max_size=4).map(tuple),
    signatures=st.lists(digests, max_size=4).map(tuple),
    portrait=st.none() | digests,
)
chips = st.builds(
    ChipEvidence,
    is_authentic=st.booleans(),
    codes=codes,
    document_digest=st.none() | digests,
    holder=st.none() | chip_holders,
    is_undetermined=st.booleans(),
    is_active=st.booleans(),
    inputs=st.none() | inputs,
)
scores = st.builds(
    FaceScore,
    score_type=st.sampled_from(["distance", "cosine", "cohort_centred"]),
    value=st.floats(-2, 4),
    is_dissimilarity=st.booleans(),
    match_threshold=st.floats(-2, 2),
    review_threshold=st.none() | st.floats(-2, 2),
    cohort_digest=st.none() | digests.map(bytes.hex),
)
faces = st.builds(
    FaceEvidence,
    dissimilarity=st.none() | st.floats(0, 4, allow_nan=False),
    failure=st.none() | st.sampled_from(["NO_FACE", "REFERENCE_TOO_SMALL"]),
    model_digest=st.none() | digests.map(bytes.hex),
    probe_digests=st.lists(digests, max_size=3).map(tuple),
    score=st.none() | scores,
    operating_point_digest=st.none() | digests.map(bytes.hex),
)
evidence = st.builds(
    Evidence,
    claim=st.none() | claims,
    record=st.none() | records,
    chip=chips,
    face=st.none() | faces,
)
verdicts = st.builds(
    Verdict,
    state=st.sampled_from(VerdictState),
    reasons=st.lists(st.sampled_from(VerdictReason), unique=True).map(tuple),
    personal_id=outcomes,
    full_name=outcomes,
    birth_date=outcomes,
    face=outcomes,
    chip_codes=codes,
    acquisition_failure=st.none() | st.just("NO_FACE"),
    decided_at=instants,
    policy_version=st.just("vn-2026-04-15"),
    portrait_age_years=st.none() | st.integers(0, 60),
)


def through_jsonb(fields: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What PostgreSQL makes of it: key order is not kept."""
    return json.loads(json.dumps(fields, sort_keys=True))


@given(claims)
def test_a_claim_comes_back(claim: HolderClaim) -> None:
    assert load_claim(dump_claim(claim)) == claim


def _is_name(text: str) -> bool:
    try:
        PersonName(text)
    except FullNameMalformedError:
        return False
    return True


any_name = st.text(max_size=30).filter(_is_name).map(PersonName) | names
any_claim = st.builds(HolderClaim, personal_id=personal_ids, full_name=any_name, birth_date=days)


@given(any_claim)
def test_a_claim_is_written_as_json_writes_it(claim: HolderClaim) -> None:
    fields = {
        "personal_id": claim.personal_id.value,
        "full_name": claim.full_name.value,
        "birth_date": claim.birth_date.isoformat(),
    }
    expected = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    assert dump_claim(claim) == expected
    assert load_claim(expected) == claim


@given(records)
def test_a_record_comes_back(record: PopulationRecord) -> None:
    assert load_record(dump_record(record)) == record


@given(records, records)
def test_records_are_written_alike_exactly_when_they_are_alike(
    one: PopulationRecord, other: PopulationRecord
) -> None:
    assert (dump_record(one) == dump_record(other)) is (one == other)


@given(outcomes)
def test_a_field_outcome_comes_back(outcome: FieldOutcome) -> None:
    assert outcome_from(through_jsonb(outcome_fields(outcome))) == outcome


@given(outcomes)
def test_what_was_stored_before_agreements_is_still_read(outcome: FieldOutcome) -> None:
    fields = outcome_fields(outcome)
    fields.pop("agreement", None)
    assert outcome_from(through_jsonb(fields)) == replace(outcome, agreement=None)


@given(links)
def test_a_link_comes_back_from_its_two_columns(link: Link) -> None:
    assert link_from(link.state.value, through_jsonb(link_fields(link))) == link


@settings(max_examples=60)
@given(evidence, verdicts)
def test_evidence_comes_back_to_the_last_bit(stored: Evidence, verdict: Verdict) -> None:
    octets = dump_evidence(stored, verdict)
    judged = Judged(at=verdict.decided_at, policy_version=verdict.policy_version)
    assert load_evidence(octets) == (stored, judged)


@settings(max_examples=60)
@given(verdicts)
def test_a_verdict_comes_back_from_its_two_columns(verdict: Verdict) -> None:
    fields = through_jsonb(verdict_fields(verdict))
    assert verdict_from(fields, decided_at=verdict.decided_at) == verdict


@settings(max_examples=60)
@given(evidence)
def test_a_verdict_is_stored_without_the_data_it_was_reached_from(stored: Evidence) -> None:
    policy = VerificationPolicy(
        version="vn", face_dissimilarity_max=0.4, session_lifetime=timedelta(minutes=10)
    )
    at = datetime(2026, 5, 1, tzinfo=UTC)
    verdict = decide(stored, policy, at=at, score_names=lambda _one, _other: 50)
    text = json.dumps(verdict_fields(verdict), ensure_ascii=False)
    people = [stored.claim, stored.record, stored.chip.holder]
    for person in people:
        if person is not None and person.personal_id is not None:
            assert person.personal_id.value not in text
        if person is not None and person.birth_date is not None:
            assert person.birth_date.isoformat() not in text


@settings(max_examples=60)
@given(evidence, faces, verdicts)
def test_what_was_stored_before_operating_points_is_still_read(
    stored: Evidence, face: FaceEvidence, verdict: Verdict
) -> None:
    chip = replace(stored.chip, is_active=False, inputs=None)
    old_face = replace(face, score=None, operating_point_digest=None)
    old = replace(stored, chip=chip, face=old_face)
    document = json.loads(dump_evidence(old, verdict))
    del document["face"]["score"], document["chip"]["is_active"]
    del document["face"]["operating_point_digest"], document["chip"]["inputs"]
    del document["judged"]
    assert load_evidence(json.dumps(document).encode()) == (old, None)
    fields = verdict_fields(verdict)
    del fields["portrait_age_years"]
    loaded = verdict_from(through_jsonb(fields), decided_at=verdict.decided_at)
    assert loaded == replace(verdict, portrait_age_years=None)
