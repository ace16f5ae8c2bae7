"""Whatever the evidence: verified exactly when nothing is wrong, and the same every time."""

import math
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from identity.domain.face_score import FaceScore
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import FieldResult
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
from tests.unit.identity.domain.samples import EVIDENCE, FACE, NOW, VERIFICATION_POLICY

# Few values each, the right one first, so that whole and spoilt evidence both come up often.
ids = st.sampled_from([PersonalID("001085012345")] * 4 + [PersonalID("001085012346")])
names = st.sampled_from([PersonName("Lê Hòa")] * 3 + [PersonName("LÊ HOÀ"), PersonName("Lê Hóa")])
days = st.sampled_from([date(1985, 3, 1)] * 4 + [date(1985, 1, 3)])
issue_days = st.sampled_from([date(2021, 7, 1)] * 3 + [date(2016, 1, 1), None])
distances = st.sampled_from([0.0, 0.25, 0.39]) | st.floats(allow_nan=True, allow_infinity=True)

claims = st.builds(HolderClaim, personal_id=ids, full_name=names, birth_date=days)
records = st.builds(
    PopulationRecord,
    personal_id=ids,
    full_name=names,
    birth_date=days,
    deceased_on=st.sampled_from([None, None, None, date(2026, 1, 1)]),
    card_issued_on=issue_days,
)
holders = st.builds(
    ChipHolder,
    personal_id=ids,
    full_name=names,
    birth_date=days,
    card_issued_on=issue_days,
)
chips = st.builds(
    ChipEvidence,
    is_authentic=st.sampled_from([True, True, True, False]),
    codes=st.just(()),
    document_digest=st.just(bytes(32)),
    holder=st.one_of(holders, holders, holders, st.none()),
    is_undetermined=st.sampled_from([False, False, True]),
    is_active=st.sampled_from([True, True, False]),
)
faces = st.builds(
    FaceEvidence,
    dissimilarity=st.one_of(distances, distances, st.none()),
    failure=st.sampled_from([None, None, None, "NO_FACE"]),
    model_digest=st.just("ab" * 32),
)
evidences = st.one_of(
    st.just(EVIDENCE),
    st.builds(
        Evidence,
        claim=st.one_of(claims, claims, st.none()),
        record=st.one_of(records, records, records, st.none()),
        chip=chips,
        face=st.one_of(faces, faces, st.none()),
    ),
)


def judge(evidence: Evidence, policy: VerificationPolicy = VERIFICATION_POLICY) -> Verdict:
    return decide(evidence, policy, at=NOW, score_names=fuzz.ratio)


def agrees(evidence: Evidence) -> bool:
    """Everything that must hold, told once more in other words."""
    claim, record, holder = evidence.claim, evidence.record, evidence.chip.holder
    if record is None or holder is None or holder.full_name is None:
        return False
    sides = [side for side in (claim, record, holder) if side is not None]
    card = holder.card_issued_on or date.min
    return (
        evidence.chip.is_authentic
        and len({side.personal_id for side in sides}) == 1
        and len({side.birth_date for side in sides}) == 1
        and len({side.full_name.key for side in sides if side.full_name is not None}) == 1
        and record.deceased_on is None
        and (record.card_issued_on is None or card >= record.card_issued_on)
        and is_the_person(evidence)
    )


def is_the_person(evidence: Evidence) -> bool:
    """The face is the card's; where none was asked for, the card is no copy."""
    if evidence.face is None:
        return evidence.chip.is_active
    distance = evidence.face.dissimilarity
    is_close = distance is not None and 0 <= distance < VERIFICATION_POLICY.face_dissimilarity_max
    return evidence.face.failure is None and is_close


@given(evidences)
def test_verified_means_that_everything_holds_and_nothing_less(evidence: Evidence) -> None:
    assert (judge(evidence).state is VerdictState.VERIFIED) == agrees(evidence)


@given(evidences)
def test_the_state_follows_from_the_reasons_and_none_is_said_twice(evidence: Evidence) -> None:
    judged = judge(evidence)
    order = list(VerdictReason)
    assert sorted(judged.reasons, key=order.index) == list(judged.reasons)
    assert len(set(judged.reasons)) == len(judged.reasons)
    expected = VerdictState.NOT_VERIFIED
    if not judged.reasons:
        expected = VerdictState.VERIFIED
    elif set(judged.reasons) - {VerdictReason.CHIP_UNDETERMINED} == {
        VerdictReason.FACE_NOT_ACQUIRED
    }:
        expected = VerdictState.FAILURE_TO_ACQUIRE
    elif set(judged.reasons) <= {
        VerdictReason.CHIP_UNDETERMINED,
        VerdictReason.CHIP_MAY_BE_COPY,
    }:
        expected = VerdictState.REVIEW
    assert judged.state is expected


@given(evidences, st.timedeltas(timedelta(0), timedelta(days=36_500)))
def test_of_the_same_evidence_nothing_but_the_age_of_the_portrait_changes_with_time(
    evidence: Evidence, later: timedelta
) -> None:
    first = judge(evidence)
    assert judge(evidence) == first
    again = decide(evidence, VERIFICATION_POLICY, at=NOW + later, score_names=fuzz.ratio)
    age_years = first.portrait_age_years
    assert replace(again, decided_at=NOW, portrait_age_years=age_years) == first
    assert (again.portrait_age_years or 0) >= (age_years or 0)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0.01, 0.6))
def test_a_face_matches_only_at_a_real_distance_below_the_threshold(
    distance: float, threshold: float
) -> None:
    policy = replace(VERIFICATION_POLICY, face_dissimilarity_max=threshold)
    evidence = replace(EVIDENCE, face=replace(FACE, dissimilarity=distance))
    is_match = judge(evidence, policy).face.result is FieldResult.MATCH
    assert is_match == (math.isfinite(distance) and distance >= 0 and distance < threshold)


scores = st.builds(
    FaceScore,
    score_type=st.just("a score"),
    value=st.just(0.0),
    is_dissimilarity=st.booleans(),
    match_threshold=st.floats(0.05, 0.6),
)
SEVERITY = [FieldResult.MATCH, FieldResult.UNDECIDED, FieldResult.MISMATCH]


@given(
    scores,
    st.none() | st.floats(0, 0.5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([4, None]),
)
def test_of_two_scores_the_better_one_is_never_judged_worse(
    score: FaceScore, slack: float | None, one: float, other: float, years: int | None
) -> None:
    direction = 1 if score.is_dissimilarity else -1
    if slack is not None:
        score = replace(score, review_threshold=score.match_threshold + direction * slack)
    policy = replace(VERIFICATION_POLICY, portrait_review_after_years=years)
    better, worse = sorted((one, other), key=lambda value: direction * value)

    def severity(value: float) -> int:
        face = replace(
            FACE,
            dissimilarity=value if score.is_dissimilarity else 0.3,
            score=replace(score, value=value),
        )
        return SEVERITY.index(judge(replace(EVIDENCE, face=face), policy).face.result)

    assert severity(better) <= severity(worse)


@given(evidences, st.floats(0, 2), st.floats(0, 2))
def test_a_closer_face_is_never_judged_worse(evidence: Evidence, one: float, other: float) -> None:
    near, far = sorted((one, other))
    face = replace(evidence.face or FACE, failure=None)
    judged_near = judge(replace(evidence, face=replace(face, dissimilarity=near)))
    judged_far = judge(replace(evidence, face=replace(face, dissimilarity=far)))
    assert set(judged_near.reasons) <= set(judged_far.reasons)
