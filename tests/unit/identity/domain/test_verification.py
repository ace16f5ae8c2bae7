"""The verdict: every single thing that speaks against it, alone and together."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from rapidfuzz import fuzz

from identity.domain.link import FieldOutcome, FieldResult, FieldSource
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.probe_replay import ProbeReplay
from identity.domain.verification import (
    Evidence,
    FaceEvidence,
    Verdict,
    VerdictReason,
    VerdictState,
    VerifiedAttempt,
    decide,
)
from tests.unit.identity.domain.samples import (
    CHIP,
    CHIP_HOLDER,
    CLAIM,
    EVIDENCE,
    FACE,
    NOW,
    RECORD,
    SUBSCRIPTION_ID,
    VERIFICATION_POLICY,
    verdict,
)

R = VerdictReason
OTHER_ID = PersonalID("001085012346")
OTHER_NAME = PersonName("Nguyễn Thị Hoa")
OTHER_DAY = date(1985, 1, 3)
ISSUED_ON = date(2021, 7, 1)
CHIP_MATCH = FieldOutcome(result=FieldResult.MATCH, source=FieldSource.CHIP)
MAX = VERIFICATION_POLICY.face_dissimilarity_max


def with_holder(**changes: Any) -> Evidence:  # noqa: ANN401 - the fields differ in type
    return replace(EVIDENCE, chip=replace(CHIP, holder=replace(CHIP_HOLDER, **changes)))


def with_record(**changes: Any) -> Evidence:  # noqa: ANN401 - the fields differ in type
    return replace(EVIDENCE, record=replace(RECORD, **changes))


def with_claim(**changes: Any) -> Evidence:  # noqa: ANN401 - the fields differ in type
    return replace(EVIDENCE, claim=replace(CLAIM, **changes))


def with_face(**changes: Any) -> Evidence:  # noqa: ANN401 - the fields differ in type
    return replace(EVIDENCE, face=replace(FACE, **changes))


def at_distance(dissimilarity: float) -> Verdict:
    return verdict(with_face(dissimilarity=dissimilarity))


def test_evidence_that_is_right_in_every_respect_is_verified() -> None:
    judged = verdict()
    assert (judged.state, judged.reasons) == (VerdictState.VERIFIED, ())
    outcomes = {judged.personal_id, judged.full_name, judged.birth_date, judged.face}
    assert outcomes == {CHIP_MATCH}
    assert (judged.decided_at, judged.policy_version) == (NOW, VERIFICATION_POLICY.version)
    assert (judged.chip_codes, judged.acquisition_failure) == ((), None)


# One thing wrong each, with the one reason that must follow. Every reason is here but those that a
# person decides on (test_verification_review).
SPOILT = {
    "chip": (replace(EVIDENCE, chip=replace(CHIP, is_authentic=False)), R.CHIP_NOT_AUTHENTIC),
    "chip's ID": (with_holder(personal_id=OTHER_ID), R.PERSONAL_ID_MISMATCH),
    "chip without ID": (with_holder(personal_id=None), R.PERSONAL_ID_MISMATCH),
    "record's ID": (with_record(personal_id=OTHER_ID), R.PERSONAL_ID_MISMATCH),
    "claim's ID": (with_claim(personal_id=OTHER_ID), R.PERSONAL_ID_MISMATCH),
    "chip's name": (with_holder(full_name=OTHER_NAME), R.FULL_NAME_MISMATCH),
    "chip without name": (with_holder(full_name=None), R.FULL_NAME_MISMATCH),
    "record's name": (with_record(full_name=OTHER_NAME), R.FULL_NAME_MISMATCH),
    "claim's name": (with_claim(full_name=OTHER_NAME), R.FULL_NAME_MISMATCH),
    "chip's day": (with_holder(birth_date=OTHER_DAY), R.BIRTH_DATE_MISMATCH),
    "chip without day": (with_holder(birth_date=None), R.BIRTH_DATE_MISMATCH),
    "record's day": (with_record(birth_date=OTHER_DAY), R.BIRTH_DATE_MISMATCH),
    "claim's day": (with_claim(birth_date=OTHER_DAY), R.BIRTH_DATE_MISMATCH),
    "no record": (replace(EVIDENCE, record=None), R.RECORD_NOT_FOUND),
    "dead": (with_record(deceased_on=date(2026, 1, 1)), R.HOLDER_DECEASED),
    "merged": (with_record(merged_into=OTHER_ID), R.RECORD_MERGED),
    "old card": (with_holder(card_issued_on=date(2021, 6, 30)), R.CARD_SUPERSEDED),
    "undated card": (with_holder(card_issued_on=None), R.CARD_SUPERSEDED),
    "another face": (with_face(dissimilarity=0.9), R.FACE_NON_MATCH),
    "no face": (with_face(dissimilarity=None, failure="NO_FACE"), R.FACE_NOT_ACQUIRED),
    "replayed": (with_face(replay=ProbeReplay.SAME_PERSON), R.PROBE_REPLAYED),
    "another's photograph": (
        with_face(replay=ProbeReplay.OTHER_PERSON),
        R.PROBE_OF_ANOTHER_PERSON,
    ),
    "nothing compared": (with_face(dissimilarity=None), R.FACE_NOT_ACQUIRED),
}


def test_every_reason_is_tried() -> None:
    for_a_person = {R.FACE_UNDECIDED, R.PORTRAIT_AGED, R.CHIP_UNDETERMINED, R.CHIP_MAY_BE_COPY}
    assert {reason for _, reason in SPOILT.values()} == set(R) - for_a_person


@pytest.mark.parametrize(("evidence", "reason"), SPOILT.values(), ids=SPOILT.keys())
def test_one_thing_wrong_gives_its_one_reason_and_no_verification(
    evidence: Evidence, reason: VerdictReason
) -> None:
    judged = verdict(evidence)
    assert judged.reasons == (reason,)
    is_poor_capture = reason is R.FACE_NOT_ACQUIRED
    expected = VerdictState.FAILURE_TO_ACQUIRE if is_poor_capture else VerdictState.NOT_VERIFIED
    assert judged.state is expected


def test_everything_wrong_at_once_is_said_at_once_in_a_fixed_order() -> None:
    evidence = Evidence(
        claim=CLAIM,
        record=replace(RECORD, deceased_on=date(2026, 1, 1)),
        chip=replace(
            CHIP,
            is_authentic=False,
            codes=("SOD_SIGNATURE_INVALID",),
            holder=replace(
                CHIP_HOLDER,
                personal_id=OTHER_ID,
                full_name=OTHER_NAME,
                birth_date=OTHER_DAY,
                card_issued_on=date(2016, 1, 1),
            ),
        ),
        face=replace(FACE, dissimilarity=1.1),
    )
    judged = verdict(evidence)
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.chip_codes == ("SOD_SIGNATURE_INVALID",)
    assert judged.reasons == (
        R.CHIP_NOT_AUTHENTIC,
        R.HOLDER_DECEASED,
        R.CARD_SUPERSEDED,
    )
    genuine = replace(evidence, chip=replace(evidence.chip, is_authentic=True))
    assert verdict(genuine).reasons == (
        *(R.PERSONAL_ID_MISMATCH, R.FULL_NAME_MISMATCH, R.BIRTH_DATE_MISMATCH),
        *(R.HOLDER_DECEASED, R.CARD_SUPERSEDED, R.FACE_NON_MATCH),
    )


def test_a_chip_that_is_not_authentic_says_nothing_of_its_holder() -> None:
    judged = verdict(replace(EVIDENCE, chip=replace(CHIP, is_authentic=False, holder=None)))
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.reasons == (R.CHIP_NOT_AUTHENTIC,)
    results = {judged.personal_id.result, judged.full_name.result, judged.birth_date.result}
    assert results == {FieldResult.NOT_AVAILABLE}


def test_an_authentic_chip_without_a_holder_verifies_nobody() -> None:
    assert verdict(replace(EVIDENCE, chip=replace(CHIP, holder=None))).reasons == (
        *(R.PERSONAL_ID_MISMATCH, R.FULL_NAME_MISMATCH, R.BIRTH_DATE_MISMATCH),
    )


OF_PHOTOGRAPHS = {
    R.FACE_NON_MATCH,
    R.FACE_NOT_ACQUIRED,
    R.PROBE_REPLAYED,
    R.PROBE_OF_ANOTHER_PERSON,
}


@pytest.mark.parametrize("reason", sorted({r for _, r in SPOILT.values()} - OF_PHOTOGRAPHS))
def test_a_poor_capture_beside_anything_else_is_no_mere_failure_to_acquire(
    reason: VerdictReason,
) -> None:
    evidence = next(evidence for evidence, known in SPOILT.values() if known is reason)
    face = FaceEvidence(dissimilarity=None, failure="TOO_DARK", model_digest=None)
    judged = verdict(replace(evidence, face=face))
    assert judged.state is VerdictState.NOT_VERIFIED
    face_reasons = () if reason is R.CHIP_NOT_AUTHENTIC else (R.FACE_NOT_ACQUIRED,)
    assert judged.reasons == (reason, *face_reasons)
    assert judged.acquisition_failure == "TOO_DARK"


def test_a_failed_capture_is_not_a_match_even_with_a_distance() -> None:
    judged = verdict(with_face(dissimilarity=0.0, failure="MULTIPLE_FACES"))
    assert judged.state is VerdictState.FAILURE_TO_ACQUIRE
    assert judged.face.result is FieldResult.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("distance", "is_match"),
    [
        *((0.0, True), (-0.0, True), (0.3999999999999999, True)),
        *((MAX, False), (0.4000000000000001, False), (2.0, False)),
    ],
)
def test_a_face_matches_below_the_threshold_and_not_at_it(
    distance: float,
    is_match: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    judged = at_distance(distance)
    assert (judged.face.result is FieldResult.MATCH) == is_match
    assert (judged.state is VerdictState.VERIFIED) == is_match


@pytest.mark.parametrize(
    "distance", [float("nan"), -float("nan"), float("inf"), -float("inf"), -1e-9, -1.0]
)
def test_a_distance_that_cannot_be_is_never_a_match(distance: float) -> None:
    judged = at_distance(distance)
    assert judged.state is VerdictState.NOT_VERIFIED
    assert judged.reasons == (R.FACE_NON_MATCH,)


def test_a_threshold_that_is_no_number_matches_nobody() -> None:
    policy = replace(VERIFICATION_POLICY, face_dissimilarity_max=float("nan"))
    judged = decide(EVIDENCE, policy, at=NOW, score_names=fuzz.ratio)
    assert judged.reasons == (R.FACE_NON_MATCH,)


def test_a_face_never_carries_its_score() -> None:
    assert at_distance(0.41).face.score is None
    assert at_distance(0.39).face.score is None


@pytest.mark.parametrize(
    ("on_card", "in_record", "is_superseded"),
    [
        (ISSUED_ON, ISSUED_ON, False),
        (ISSUED_ON - timedelta(days=1), ISSUED_ON, True),
        (ISSUED_ON + timedelta(days=1), ISSUED_ON, False),
        (None, ISSUED_ON, True),
        (ISSUED_ON, None, False),
        (None, None, False),
    ],
)
def test_a_card_older_than_the_current_one_or_undated_is_superseded(
    on_card: date | None,
    in_record: date | None,
    is_superseded: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    evidence = replace(
        with_holder(card_issued_on=on_card), record=replace(RECORD, card_issued_on=in_record)
    )
    judged = verdict(evidence)
    assert judged.reasons == ((R.CARD_SUPERSEDED,) if is_superseded else ())


@pytest.mark.parametrize(
    ("evidence", "source"),
    [
        (with_claim(full_name=OTHER_NAME), FieldSource.CLAIM),
        (with_record(full_name=OTHER_NAME), FieldSource.POPULATION_RECORD),
        (with_holder(full_name=OTHER_NAME), FieldSource.CLAIM),
    ],
)
def test_a_mismatch_says_with_which_side_and_a_name_how_alike(
    evidence: Evidence, source: FieldSource
) -> None:
    outcome = verdict(evidence).full_name
    assert outcome == FieldOutcome(result=FieldResult.MISMATCH, score=99, source=source)


def test_a_difference_to_the_record_is_not_hidden_by_a_claim_that_agrees() -> None:
    outcome = verdict(with_record(birth_date=OTHER_DAY)).birth_date
    assert outcome == FieldOutcome(
        result=FieldResult.MISMATCH, source=FieldSource.POPULATION_RECORD
    )


def test_a_claim_and_a_record_that_agree_do_not_outvote_the_chip() -> None:
    evidence = replace(
        EVIDENCE,
        claim=replace(CLAIM, personal_id=OTHER_ID),
        record=replace(RECORD, personal_id=OTHER_ID),
    )
    assert verdict(evidence).reasons == (R.PERSONAL_ID_MISMATCH,)


def test_without_a_record_the_fields_are_compared_with_the_claim() -> None:
    judged = verdict(replace(with_claim(birth_date=OTHER_DAY), record=None))
    assert judged.reasons == (R.BIRTH_DATE_MISMATCH, R.RECORD_NOT_FOUND)
    assert judged.personal_id == CHIP_MATCH


@pytest.mark.parametrize(("evidence", "reason"), SPOILT.values(), ids=SPOILT.keys())
def test_nothing_but_a_verification_proves_anything(
    evidence: Evidence, reason: VerdictReason
) -> None:
    judged = verdict(evidence)
    assert reason in judged.reasons
    with pytest.raises(ValueError, match="proves nothing"):
        VerifiedAttempt(
            verification_id=UUID(int=2), subscription_id=SUBSCRIPTION_ID, verdict=judged
        )


def test_a_verification_is_proof_and_the_proof_cannot_be_moved() -> None:
    attempt = VerifiedAttempt(
        verification_id=UUID(int=2), subscription_id=SUBSCRIPTION_ID, verdict=verdict()
    )
    with pytest.raises(FrozenInstanceError):
        attempt.subscription_id = UUID(int=3)  # type: ignore[misc] # its refusal is the point


@pytest.mark.parametrize(
    ("state", "reasons"),
    [(state, ()) for state in VerdictState if state is not VerdictState.VERIFIED],
)
def test_the_state_decides_and_not_a_lack_of_reasons(
    state: VerdictState, reasons: tuple[VerdictReason, ...]
) -> None:
    judged = replace(verdict(), state=state, reasons=reasons)
    with pytest.raises(ValueError, match="proves nothing"):
        VerifiedAttempt(
            verification_id=UUID(int=2), subscription_id=SUBSCRIPTION_ID, verdict=judged
        )


def test_evidence_hides_the_person_when_it_is_written_to_a_log() -> None:
    text = repr(EVIDENCE.claim) + repr(EVIDENCE.record)
    assert CLAIM.personal_id.value not in text
    assert "Hòa" not in text
    assert "1985" not in text


def test_what_a_chip_says_is_hidden_as_well() -> None:
    text = repr(EVIDENCE.chip.holder)
    assert CLAIM.personal_id.value not in text
    assert "Hoà" not in text
    assert "1985" not in text


def test_a_verdict_holds_no_personal_data() -> None:
    text = repr(verdict(with_record(full_name=OTHER_NAME, birth_date=OTHER_DAY)))
    assert not any(secret in text for secret in (CLAIM.personal_id.value, "Nguy", "1985"))
    assert {field.name for field in fields(Verdict)} >= {"personal_id", "full_name", "face"}
