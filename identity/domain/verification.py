"""The verdict: four fields, one pure function of evidence and policy.

Owns what must hold before anybody is called verified. Knows nothing of how a chip is read or a
face compared: it is told findings. Evidence holds all that a verdict depends on, so a stored
verdict can be recomputed years later with `decide`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.calendar_date import day_of, whole_years
from identity.domain.face_score import FaceScore, FaceZone
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.input_digests import InputDigests
from identity.domain.link import (
    FieldOutcome,
    FieldResult,
    FieldSource,
    NameScorer,
    compare_dates,
    compare_names,
    compare_personal_ids,
)
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.probe_replay import ProbeReplay

NONCE_LIFETIME = timedelta(seconds=120)
"""Time to read a card and send what it said; a phone needs some ten seconds for the reading."""

TRUST_PROFILE = "vn-cccd"
"""The chip ID cards of Viet Nam."""


class VerdictState(StrEnum):
    """How a verification ended."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    FAILURE_TO_ACQUIRE = "failure_to_acquire"
    REVIEW = "review"
    """A person must look: nothing speaks against the holder but a doubtful face, or a check of the
    chip that could not be made."""


class VerdictReason(StrEnum):
    """What speaks against a verification. Append-only: stored verdicts hold these names."""

    CHIP_NOT_AUTHENTIC = "CHIP_NOT_AUTHENTIC"
    PERSONAL_ID_MISMATCH = "PERSONAL_ID_MISMATCH"
    FULL_NAME_MISMATCH = "FULL_NAME_MISMATCH"
    BIRTH_DATE_MISMATCH = "BIRTH_DATE_MISMATCH"
    RECORD_NOT_FOUND = "RECORD_NOT_FOUND"
    HOLDER_DECEASED = "HOLDER_DECEASED"
    CARD_SUPERSEDED = "CARD_SUPERSEDED"
    FACE_NON_MATCH = "FACE_NON_MATCH"
    FACE_NOT_ACQUIRED = "FACE_NOT_ACQUIRED"
    FACE_UNDECIDED = "FACE_UNDECIDED"
    PORTRAIT_AGED = "PORTRAIT_AGED"
    CHIP_UNDETERMINED = "CHIP_UNDETERMINED"
    RECORD_MERGED = "RECORD_MERGED"
    CHIP_MAY_BE_COPY = "CHIP_MAY_BE_COPY"
    PROBE_REPLAYED = "PROBE_REPLAYED"
    PROBE_OF_ANOTHER_PERSON = "PROBE_OF_ANOTHER_PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipHolder:
    """What an authenticated chip says of its holder; a field that it lacks is None."""

    personal_id: PersonalID | None
    full_name: PersonName | None
    birth_date: date | None = field(repr=False)
    card_issued_on: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipEvidence:
    """Findings of chip authentication.

    Attributes:
        is_authentic: Every mandatory check succeeded.
        codes: Codes of the checks that did not succeed, in their order.
        document_digest: Identity of the card (SHA-256), None when it could not be established.
        holder: Contents of the data groups that the state's signature covers; None when the chip
            is neither authentic nor undetermined.
        is_undetermined: No check failed, one that counts could not be made (no current revocation
            list, say), and the state's signature covers what the chip says.
        is_active: The chip signed this session's nonce: it is no copy of its files. False also in
            evidence from before it was recorded.
        inputs: Digests of what was examined; None in evidence from before they were kept.
    """

    is_authentic: bool
    codes: tuple[str, ...]
    document_digest: bytes | None
    holder: ChipHolder | None
    is_undetermined: bool = False
    is_active: bool = False
    inputs: InputDigests | None = None

    @property
    def is_readable(self) -> bool:
        """Whether what the chip says is the state's word."""
        return self.is_authentic or self.is_undetermined


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceEvidence:
    """Findings of the face comparison.

    Attributes:
        dissimilarity: Distance of probe and reference, >= 0; None when nothing was compared.
        failure: Why a face could not be taken, such as `NO_FACE`; None when both were.
        model_digest: SHA-256 (hex) of the network that made the templates.
        probe_digests: SHA-256 of each photograph.
        probe_looks: What each looks like, as bits that a copy shares; empty when nothing was
            compared, and in evidence from before.
        score: What is judged; None when nothing was compared, and in evidence from before
            operating points, which is judged by its distance alone.
        replay: How a photograph was used before; None where none was, and in evidence from before
            that was looked at.
        operating_point_digest: SHA-256 (hex) of the operating point as its file says it, which the
            thresholds of the score come from; None without one, and from before it was kept.
    """

    dissimilarity: float | None
    failure: str | None
    model_digest: str | None
    probe_digests: tuple[bytes, ...] = ()
    score: FaceScore | None = None
    replay: ProbeReplay | None = None
    probe_looks: tuple[bytes, ...] = ()
    operating_point_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a verdict depends on, besides the policy.

    Attributes:
        claim: Who an operator's contract names; None where no number is concerned.
        record: Whom the register knows.
        chip: Findings of the chip.
        face: Findings of the face; None where the card alone was asked for.
    """

    claim: HolderClaim | None
    record: PopulationRecord | None
    chip: ChipEvidence
    face: FaceEvidence | None

    @property
    def has_other_side(self) -> bool:
        """Whether there is anything that the chip's word can be compared with."""
        return self.claim is not None or self.record is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulatedRates:
    """Error rates that a regulation demands of the comparison of faces.

    Attributes:
        far_max: Highest false accept rate, 0 < value < 1.
        frr_max: The false reject rate stays below this, 0 < value < 1.
    """

    far_max: float
    frr_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPolicy:
    """Settings of a policy pack that a verdict depends on.

    Attributes:
        version: The pack's name and date.
        face_dissimilarity_max: Where distances are judged, a face matches below this one only,
            whatever the operating point allows; what it lets through besides is in doubt when it
            has a zone of doubt. 0 < value < 2.
        session_lifetime: How long a session stays open.
        nonce_lifetime: How long after the session was opened the card's answer to its nonce
            counts; never longer than the session.
        trust_profile: Name of the trust profile that cards are judged by.
        keep_evidence_for: How long evidence is kept after the verdict; longer where a number in
            service is verified by it. None: as long as the person's data are.
        portrait_review_after_years: From this age of the portrait on, a face that does not match
            it goes to a person; None: never.
        regulated: Rates without proof of which the service does not start; None: no such demand.
    """

    version: str
    face_dissimilarity_max: float
    session_lifetime: timedelta
    portrait_review_after_years: int | None = None
    regulated: RegulatedRates | None = None
    nonce_lifetime: timedelta = NONCE_LIFETIME
    trust_profile: str = TRUST_PROFILE
    keep_evidence_for: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judged evidence."""

    state: VerdictState
    reasons: tuple[VerdictReason, ...]
    personal_id: FieldOutcome
    full_name: FieldOutcome
    birth_date: FieldOutcome
    face: FieldOutcome
    chip_codes: tuple[str, ...]
    acquisition_failure: str | None
    decided_at: datetime
    policy_version: str
    portrait_age_years: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAttempt:
    """Proof that a subscription's holder was verified; it cannot be made from any other verdict.

    Raises:
        ValueError: The verdict is not VERIFIED, or no face was compared.
    """

    verification_id: UUID
    subscription_id: UUID
    verdict: Verdict

    def __post_init__(self) -> None:
        if self.verdict.state is not VerdictState.VERIFIED:
            raise ValueError(f"a verdict that is {self.verdict.state} proves nothing")
        if self.verdict.face.result is not FieldResult.MATCH:
            raise ValueError("a card alone proves nothing of who holds a number")


def decide(
    evidence: Evidence, policy: VerificationPolicy, *, at: datetime, score_names: NameScorer
) -> Verdict:
    """Judge the evidence.

    VERIFIED needs all of:
        1. The chip is authentic.
        2. Its personal ID equals the claim's, where there is one, and the population record's.
        3. So does its name.
        4. So does its birth date.
        5. The record stands, its person lives, and the card is the current one.
        6. The live face matches the portrait in the chip; where no face is asked for, the chip
           has shown that it is no copy.
        7. No photograph was used in a session before.
    When all hold but the sixth, and the face is doubtful and not another's, a person must look; so
    when all hold but the first, and no check of the chip failed though one could not be made.
    The caller owes: that the chip findings come from this session's nonce and these files.
    """
    fields = _compare_fields(evidence, score_names)
    age_years = _portrait_age_years(evidence.chip, at=at)
    face = _judge_face(evidence.face, policy, portrait_age_years=age_years)
    reasons = tuple(_reasons(evidence, fields, face))
    return Verdict(
        state=_state(reasons),
        reasons=reasons,
        personal_id=fields.personal_id,
        full_name=fields.full_name,
        birth_date=fields.birth_date,
        face=face.outcome,
        chip_codes=evidence.chip.codes,
        acquisition_failure=None if evidence.face is None else evidence.face.failure,
        decided_at=at,
        policy_version=policy.version,
        portrait_age_years=age_years,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    personal_id: FieldOutcome
    full_name: FieldOutcome
    birth_date: FieldOutcome


_ABSENT = FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=FieldSource.CHIP)
_NO_HOLDER = ChipHolder(personal_id=None, full_name=None, birth_date=None)


def _compare_fields(evidence: Evidence, score_names: NameScorer) -> _Fields:
    chip = evidence.chip.holder or _NO_HOLDER
    sides = [(evidence.claim, FieldSource.CLAIM), (evidence.record, FieldSource.POPULATION_RECORD)]
    known = [(side, source) for side, source in sides if side is not None]
    return _Fields(
        personal_id=_worst(
            compare_personal_ids(chip.personal_id, side.personal_id, source=source)
            for side, source in known
        ),
        full_name=_worst(
            compare_names(chip.full_name, side.full_name, source=source, score_names=score_names)
            for side, source in known
        ),
        birth_date=_worst(
            compare_dates(chip.birth_date, side.birth_date, source=source) for side, source in known
        ),
    )


def _worst(outcomes: Iterable[FieldOutcome]) -> FieldOutcome:
    """A difference to either side decides, then a missing field; else it is the chip's word."""
    compared = list(outcomes)
    if not compared:
        return _ABSENT
    for result in (FieldResult.MISMATCH, FieldResult.NOT_AVAILABLE):
        for outcome in compared:
            if outcome.result is result:
                return outcome
    return FieldOutcome(result=FieldResult.MATCH, source=FieldSource.CHIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    outcome: FieldOutcome
    is_spared_for_age: bool = False


_RESULTS = {
    FaceZone.MATCH: FieldResult.MATCH,
    FaceZone.REVIEW: FieldResult.UNDECIDED,
    FaceZone.NON_MATCH: FieldResult.MISMATCH,
}


def _judge_face(
    face: FaceEvidence | None, policy: VerificationPolicy, *, portrait_age_years: int | None
) -> _Face:
    if face is None or face.failure is not None or face.dissimilarity is None:
        return _Face(outcome=_ABSENT)
    zone = _zone(face, face.dissimilarity, policy)
    spared_years = policy.portrait_review_after_years
    is_aged = (
        spared_years is not None
        and portrait_age_years is not None
        and portrait_age_years >= spared_years
    )
    is_spared = is_aged and zone is FaceZone.NON_MATCH
    result = FieldResult.UNDECIDED if is_spared else _RESULTS[zone]
    outcome = FieldOutcome(result=result, source=FieldSource.CHIP)
    return _Face(outcome=outcome, is_spared_for_age=is_spared)


def _zone(face: FaceEvidence, dissimilarity: float, policy: VerificationPolicy) -> FaceZone:
    # Written so that NaN and a distance below zero, which a fault alone makes, never match.
    is_close = 0 <= dissimilarity < policy.face_dissimilarity_max
    if face.score is None:
        return FaceZone.MATCH if is_close else FaceZone.NON_MATCH
    score = face.score
    # The pack's distance binds every operating point on distances; other scores have other units.
    if score.zone is not FaceZone.MATCH or not score.is_dissimilarity or is_close:
        return score.zone
    # Never further from a match than a face that is less alike and in doubt.
    is_sound = dissimilarity >= 0 and score.review_threshold is not None
    return FaceZone.REVIEW if is_sound else FaceZone.NON_MATCH


def _portrait_age_years(chip: ChipEvidence, *, at: datetime) -> int | None:
    """Whole years since the card, and with it the portrait, was issued."""
    issued_on = None if chip.holder is None else chip.holder.card_issued_on
    if issued_on is None or not chip.is_readable:
        return None
    return whole_years(issued_on, on=day_of(at))


_REPLAYS = {
    ProbeReplay.SAME_PERSON: VerdictReason.PROBE_REPLAYED,
    ProbeReplay.OTHER_PERSON: VerdictReason.PROBE_OF_ANOTHER_PERSON,
}


def _reasons(evidence: Evidence, fields: _Fields, face: _Face) -> Iterator[VerdictReason]:
    chip = evidence.chip
    if chip.is_readable:
        if evidence.has_other_side:
            yield from _field_reasons(fields)  # 2, 3, 4
    else:
        # What such a chip says was not compared: the answer would tell a forger what to mend.
        yield VerdictReason.CHIP_NOT_AUTHENTIC  # 1
    if evidence.record is not None:
        yield from _life_reasons(evidence.record, chip.holder)  # 5
    elif chip.is_readable or evidence.claim is not None:
        yield VerdictReason.RECORD_NOT_FOUND
    if chip.is_readable:
        if evidence.face is not None:
            yield from _face_reasons(face)  # 6
        if not chip.is_authentic:
            yield VerdictReason.CHIP_UNDETERMINED  # 1
        if evidence.face is None and not chip.is_active:
            yield VerdictReason.CHIP_MAY_BE_COPY  # 6
        if evidence.face is not None and evidence.face.replay is not None:
            yield _REPLAYS[evidence.face.replay]  # 7


def _field_reasons(fields: _Fields) -> Iterator[VerdictReason]:
    if fields.personal_id.result is not FieldResult.MATCH:
        yield VerdictReason.PERSONAL_ID_MISMATCH
    if fields.full_name.result is not FieldResult.MATCH:
        yield VerdictReason.FULL_NAME_MISMATCH
    if fields.birth_date.result is not FieldResult.MATCH:
        yield VerdictReason.BIRTH_DATE_MISMATCH


def _life_reasons(record: PopulationRecord, holder: ChipHolder | None) -> Iterator[VerdictReason]:
    if record.merged_into is not None:
        yield VerdictReason.RECORD_MERGED
    if record.deceased_on is not None:
        yield VerdictReason.HOLDER_DECEASED
    if record.card_issued_on is None or holder is None:
        return
    # A card that does not say when it was issued cannot show that it is the current one.
    if holder.card_issued_on is None or holder.card_issued_on < record.card_issued_on:
        yield VerdictReason.CARD_SUPERSEDED


def _face_reasons(face: _Face) -> Iterator[VerdictReason]:
    if face.outcome.result is FieldResult.MISMATCH:
        yield VerdictReason.FACE_NON_MATCH
    elif face.outcome.result is FieldResult.NOT_AVAILABLE:
        yield VerdictReason.FACE_NOT_ACQUIRED
    elif face.outcome.result is FieldResult.UNDECIDED:
        yield VerdictReason.FACE_UNDECIDED
        if face.is_spared_for_age:
            yield VerdictReason.PORTRAIT_AGED


_FOR_A_PERSON = frozenset(
    {
        VerdictReason.FACE_UNDECIDED,
        VerdictReason.PORTRAIT_AGED,
        VerdictReason.CHIP_UNDETERMINED,
        VerdictReason.CHIP_MAY_BE_COPY,
    }
)


def _state(reasons: tuple[VerdictReason, ...]) -> VerdictState:
    if not reasons:
        return VerdictState.VERIFIED
    # A poor photograph decides nothing by itself; beside a false document it saves nobody.
    if set(reasons) - {VerdictReason.CHIP_UNDETERMINED} == {VerdictReason.FACE_NOT_ACQUIRED}:
        return VerdictState.FAILURE_TO_ACQUIRE
    # Likewise, a doubtful face or chip is worth a person's time only when all else is in order.
    if _FOR_A_PERSON.issuperset(reasons):
        return VerdictState.REVIEW
    return VerdictState.NOT_VERIFIED
