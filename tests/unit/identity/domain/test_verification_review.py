"""Three zones of a face: a match verifies, a doubtful one goes to a person, another is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from rapidfuzz import fuzz

from identity.domain.face_score import FaceScore, FaceZone
from identity.domain.link import FieldResult
from identity.domain.verification import (
    Evidence,
    FaceEvidence,
    Verdict,
    VerdictReason,
    VerdictState,
    VerificationPolicy,
    decide,
)
from tests.unit.identity.domain.samples import (
    CHIP,
    CHIP_HOLDER,
    EVIDENCE,
    FACE,
    NOW,
    RECORD,
    VERIFICATION_POLICY,
)

CENTRED = FaceScore(
    score_type="cohort_centred",
    value=0.5,
    is_dissimilarity=False,
    match_threshold=0.3,
    review_threshold=0.2,
    cohort_digest="ab" * 32,
)
DISTANCE = FaceScore(
    score_type="distance",
    value=0.2,
    is_dissimilarity=True,
    match_threshold=0.35,
    review_threshold=0.45,
)


def scored(score: FaceScore) -> Evidence:
    distance = score.value if score.is_dissimilarity else FACE.dissimilarity
    return replace(EVIDENCE, face=replace(FACE, score=score, dissimilarity=distance))


def judge(
    evidence: Evidence, policy: VerificationPolicy = VERIFICATION_POLICY, *, at: datetime = NOW
) -> Verdict:
    return decide(evidence, policy, at=at, score_names=fuzz.ratio)


@pytest.mark.parametrize(
    ("score", "zone"),
    [
        (replace(CENTRED, value=0.3), FaceZone.MATCH),
        (replace(CENTRED, value=0.2999), FaceZone.REVIEW),
        (replace(CENTRED, value=0.2), FaceZone.REVIEW),
        (replace(CENTRED, value=0.1999), FaceZone.NON_MATCH),
        (replace(CENTRED, value=0.2999, review_threshold=None), FaceZone.NON_MATCH),
        (replace(DISTANCE, value=0.35), FaceZone.MATCH),
        (replace(DISTANCE, value=0.3501), FaceZone.REVIEW),
        (replace(DISTANCE, value=0.4501), FaceZone.NON_MATCH),
        (replace(DISTANCE, value=float("nan")), FaceZone.NON_MATCH),
        (replace(CENTRED, value=float("nan")), FaceZone.NON_MATCH),
    ],
)
def test_a_score_lies_in_one_zone_and_a_threshold_belongs_to_the_better_one(
    score: FaceScore, zone: FaceZone
) -> None:
    assert score.zone is zone


@pytest.mark.parametrize("score", [CENTRED, DISTANCE])
def test_a_match_of_any_score_verifies(score: FaceScore) -> None:
    judged = judge(scored(score))
    assert (judged.state, judged.reasons) == (VerdictState.VERIFIED, ())


@pytest.mark.parametrize("score", [replace(CENTRED, value=0.25), replace(DISTANCE, value=0.44)])
def test_a_doubtful_face_goes_to_a_person_and_proves_nothing(score: FaceScore) -> None:
    judged = judge(scored(score))
    assert judged.state is VerdictState.REVIEW
    assert judged.reasons == (VerdictReason.FACE_UNDECIDED,)
    assert judged.face.result is FieldResult.UNDECIDED
    assert judged.face.score is None


@pytest.mark.parametrize("score", [replace(CENTRED, value=0.1), replace(DISTANCE, value=0.5)])
def test_anothers_face_is_refused(score: FaceScore) -> None:
    judged = judge(scored(score))
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.reasons == (VerdictReason.FACE_NON_MATCH,)


def test_a_doubtful_face_beside_anything_else_is_refused() -> None:
    evidence = replace(
        scored(replace(CENTRED, value=0.25)),
        record=replace(RECORD, deceased_on=date(2026, 1, 1)),
    )
    judged = judge(evidence)
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.reasons == (VerdictReason.HOLDER_DECEASED, VerdictReason.FACE_UNDECIDED)


def test_a_looser_operating_point_on_distances_does_not_loosen_the_policy() -> None:
    loose = replace(DISTANCE, match_threshold=0.6, review_threshold=0.7)
    far = VERIFICATION_POLICY.face_dissimilarity_max
    assert judge(scored(replace(loose, value=far - 0.01))).state is VerdictState.VERIFIED
    # In doubt where the point has a zone of doubt: less alike faces are in doubt, too.
    assert judge(scored(replace(loose, value=far))).state is VerdictState.REVIEW
    assert judge(scored(replace(loose, value=0.65))).state is VerdictState.REVIEW
    without = replace(loose, review_threshold=None)
    assert judge(scored(replace(without, value=far))).state is VerdictState.NOT_VERIFIED


@pytest.mark.parametrize("distance", [-0.1, float("-inf"), float("nan")])
def test_a_distance_that_a_fault_alone_makes_is_a_non_match(distance: float) -> None:
    judged = judge(scored(replace(DISTANCE, value=distance)))
    assert judged.reasons == (VerdictReason.FACE_NON_MATCH,)


def test_a_failed_capture_is_judged_as_one_whatever_its_score() -> None:
    evidence = scored(CENTRED)
    assert evidence.face is not None
    failed = replace(evidence, face=replace(evidence.face, failure="NO_FACE"))
    assert judge(failed).state is VerdictState.FAILURE_TO_ACQUIRE


def with_card_of(issued_on: date | None, score: FaceScore) -> Evidence:
    holder = replace(CHIP_HOLDER, card_issued_on=issued_on)
    record = replace(RECORD, card_issued_on=None)
    return replace(scored(score), chip=replace(CHIP, holder=holder), record=record)


@pytest.mark.parametrize(
    ("issued_on", "age_years"),
    [
        (date(2026, 5, 4), 0),
        (date(2016, 5, 5), 9),
        (date(2016, 5, 4), 10),
        (date(2012, 2, 29), 14),
        (date(2026, 5, 5), 0),
        (None, None),
    ],
)
def test_the_age_of_the_portrait_is_in_the_verdict(
    issued_on: date | None, age_years: int | None
) -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    assert judge(with_card_of(issued_on, CENTRED), at=at).portrait_age_years == age_years


def test_a_year_of_a_portrait_is_over_at_midnight_in_viet_nam() -> None:
    evening, midnight = (datetime(2026, 5, 3, hour, tzinfo=UTC) for hour in (16, 17))
    ages = [
        judge(with_card_of(date(2016, 5, 4), CENTRED), at=at).portrait_age_years
        for at in (evening, midnight)
    ]
    assert ages == [9, 10]


def test_a_false_chip_tells_no_age() -> None:
    evidence = with_card_of(date(2016, 5, 4), CENTRED)
    false = replace(evidence, chip=replace(evidence.chip, is_authentic=False))
    assert judge(false).portrait_age_years is None


@pytest.mark.parametrize(
    ("years", "state"), [(10, VerdictState.REVIEW), (11, VerdictState.NOT_VERIFIED)]
)
def test_a_policy_may_have_a_person_look_at_an_old_portrait(
    years: int, state: VerdictState
) -> None:
    policy = replace(VERIFICATION_POLICY, portrait_review_after_years=years)
    evidence = with_card_of(date(2016, 1, 1), replace(CENTRED, value=0.0))
    judged = judge(evidence, policy)
    assert judged.state is state
    aged = (VerdictReason.FACE_UNDECIDED, VerdictReason.PORTRAIT_AGED)
    is_spared = state is VerdictState.REVIEW
    assert judged.reasons == (aged if is_spared else (VerdictReason.FACE_NON_MATCH,))


def test_an_old_portrait_that_matches_is_verified_and_one_in_doubt_is_merely_that() -> None:
    policy = replace(VERIFICATION_POLICY, portrait_review_after_years=1)
    assert judge(with_card_of(date(2016, 1, 1), CENTRED), policy).state is VerdictState.VERIFIED
    doubtful = judge(with_card_of(date(2016, 1, 1), replace(CENTRED, value=0.25)), policy)
    assert doubtful.reasons == (VerdictReason.FACE_UNDECIDED,)


def undetermined(evidence: Evidence) -> Evidence:
    """The same, with a chip of which one check could not be made."""
    chip = replace(evidence.chip, is_authentic=False, is_undetermined=True, codes=("CRL_STALE",))
    return replace(evidence, chip=chip)


def test_a_chip_that_could_not_be_checked_throughout_goes_to_a_person() -> None:
    judged = judge(undetermined(with_card_of(date(2026, 1, 1), CENTRED)))
    assert judged.state is VerdictState.REVIEW
    assert judged.reasons == (VerdictReason.CHIP_UNDETERMINED,)
    assert judged.chip_codes == ("CRL_STALE",)
    # Who looks must know how old the portrait is.
    assert judged.portrait_age_years == 0


def test_such_a_chip_excuses_neither_another_face_nor_another_person() -> None:
    evidence = undetermined(with_card_of(date(2026, 1, 1), replace(CENTRED, value=0.0)))
    judged = judge(evidence)
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.reasons == (VerdictReason.FACE_NON_MATCH, VerdictReason.CHIP_UNDETERMINED)
    silent = replace(evidence, chip=replace(evidence.chip, holder=None))
    assert judge(silent).state is VerdictState.NOT_VERIFIED


def test_beside_a_doubtful_face_it_is_still_for_a_person_and_without_a_face_it_is_nothing() -> None:
    doubtful = undetermined(with_card_of(date(2026, 1, 1), replace(CENTRED, value=0.25)))
    assert judge(doubtful).state is VerdictState.REVIEW
    missing = FaceEvidence(dissimilarity=None, failure="NO_FACE", model_digest=None)
    assert judge(replace(doubtful, face=missing)).state is VerdictState.FAILURE_TO_ACQUIRE
