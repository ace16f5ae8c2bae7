"""Take the evidence of a verification, judge it, and do what follows from the verdict.

Owns the three steps and what each transaction holds: the session is taken (once, for one request),
chip and face are examined outside any transaction, the verdict and its effects are stored together.
A crash in between loses nothing that was answered: the same request goes on where it was.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from biometrics.chip.proof import ACTIVE
from biometrics.chip.report import CheckResult, ChipCode, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import ActiveEvidence, ChipFiles, verify_chip
from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import admit
from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import DAY_ZONE
from identity.domain.errors import (
    FieldViolation,
    MalformedValueError,
    RequestInvalidError,
    SubscriptionNotFoundError,
    VerificationExpiredError,
    VerificationNotFoundError,
    VerificationUsedError,
)
from identity.domain.input_digests import InputDigests
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.domain.verification import (
    ChipEvidence,
    ChipHolder,
    Evidence,
    FaceEvidence,
    Verdict,
    VerdictState,
    VerifiedAttempt,
    decide,
)
from identity.services.call import Call, score_names
from identity.services.chip_nonces import Challenge
from identity.services.probe_use import with_replay
from identity.services.settle_subscriptions import settle_subscription
from identity.services.throttling import settle_attempt, take_attempt
from identity.services.verification_sessions import is_for_citizen
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.face_references import FaceReference
from identity.storage.probes import ProbeUse
from identity.storage.verifications import Claimant, OpenedSession, Session, SessionState

_Session = TypeVar("_Session", bound=OpenedSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What was presented, as it came.

    Attributes:
        sod: EF.SOD.
        data_groups: Data groups by their number.
        active_signatures: The card's answers to the nonces: none, one or four.
        probes: Live photographs.
    """

    sod: bytes = field(repr=False)
    data_groups: Mapping[int, bytes] = field(repr=False)
    active_signatures: tuple[bytes, ...] = field(repr=False)
    probes: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedChip:
    """Findings of the chip, with the portrait that faces are compared with."""

    evidence: ChipEvidence
    portrait: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The verdict, and the subscription after it."""

    verdict: Verdict
    subscription: Subscription


class ChipExaminer(Protocol):
    """`examine_chip` with the trust store in force."""

    def __call__(
        self, challenge: Challenge, presented: Presented, *, profile: str, at: datetime
    ) -> ExaminedChip:
        """Authenticate a chip by a trust profile."""
        ...


def refuse_oversized(probes: Sequence[bytes]) -> None:
    """Refuse photographs that are too large, by their headers, before anything is decoded.

    Raises:
        RequestInvalidError: Any of more than 8 MiB or 8 megapixels.
    """
    violations = tuple(
        FieldViolation(
            field=f"probe_photographs[{index}]",
            reason="IMAGE_TOO_LARGE",
            description="at most 8 MiB and 8 megapixels",
        )
        for index, probe in enumerate(probes)
        if admit(probe) is AcquisitionFailure.IMAGE_TOO_LARGE
    )
    if violations:
        raise RequestInvalidError(violations)


def claim_session(
    uow: UnitOfWork, call: Call, verification_id: UUID, claimant: Claimant
) -> Session:
    """Take the session for one request.

    Raises:
        VerificationNotFoundError: No such session, or somebody else's.
        VerificationUsedError: Another request has it.
        VerificationExpiredError: Its time ran out.
        VerificationThrottledError: Attempts failed of late; says when to come again.
        VerificationChannelClosedError: Too many did, through this channel.
    """
    session = uow.verifications.find(verification_id, lock=True)
    if session is not None and not is_for_citizen(uow, call, session):
        session = None
    claimed = claim_found(uow, call, session, claimant)
    # The same request, come again, was counted when it came first.
    if claimed.state is SessionState.PENDING:
        take_attempt(uow, call, claimed)
    return claimed


def claim_found(
    uow: UnitOfWork, call: Call, session: _Session | None, claimant: Claimant
) -> _Session:
    """Take a session of either kind, as it was found, for one request.

    Raises:
        VerificationNotFoundError: No such session, or somebody else's.
        VerificationUsedError: Another request has it.
        VerificationExpiredError: Its time ran out.
    """
    if session is None or session.caller != str(call.caller):
        raise VerificationNotFoundError("you have no such session")
    if uow.verifications.claim(session, claimant, at=call.at):
        return session
    if session.state is SessionState.PENDING and session.expires_at <= call.at:
        raise VerificationExpiredError("the session's time ran out: start another")
    raise VerificationUsedError("the session has served its one use: start another")


def examine_chip(
    challenge: Challenge, presented: Presented, *, trust: TrustProfile, at: datetime
) -> ExaminedChip:
    """Authenticate the chip against this session's challenge."""
    files = ChipFiles(sod=presented.sod, data_groups=presented.data_groups)
    active = None if challenge.fault else _active_evidence(challenge, presented.active_signatures)
    # A card's last day ends when the day does where cards are issued, not in UTC.
    report = verify_chip(files, trust=trust, at=at.astimezone(DAY_ZONE), active=active)
    is_authentic = report.verdict is ChipVerdict.AUTHENTIC
    # Undetermined as well is what nobody can read: no anchor, say. That is no case for a person.
    is_undetermined = report.verdict is ChipVerdict.UNDETERMINED and report.citizen is not None
    is_readable = is_authentic or is_undetermined
    portrait = None if report.portrait is None or not is_readable else report.portrait.image
    evidence = ChipEvidence(
        is_authentic=is_authentic,
        codes=_codes(report, challenge),
        document_digest=report.document_digest,
        holder=_holder(report) if is_readable else None,
        is_undetermined=is_undetermined,
        is_active=_is_active(report),
        inputs=_digests(challenge, presented, portrait),
    )
    return ExaminedChip(evidence=evidence, portrait=portrait)


def _digests(challenge: Challenge, presented: Presented, portrait: bytes | None) -> InputDigests:
    groups = sorted(presented.data_groups.items())
    return InputDigests(
        sod=_sha256(presented.sod),
        data_groups={number: _sha256(content) for number, content in groups},
        nonces=_each_sha256(challenge.nonces[: len(presented.active_signatures)]),
        signatures=_each_sha256(presented.active_signatures),
        portrait=None if portrait is None else _sha256(portrait),
    )


def _each_sha256(contents: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(_sha256(content) for content in contents)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _active_evidence(challenge: Challenge, signatures: tuple[bytes, ...]) -> ActiveEvidence | None:
    if not signatures:
        return None
    nonces = challenge.nonces[: len(signatures)]
    try:
        return ActiveEvidence.joined(nonces, signatures)
    except ValueError:
        # Answers of several lengths are no answers of one key: told by their length.
        return ActiveEvidence(nonce=nonces[0], signature=b"".join(signatures))


def record_verdict(
    uow: UnitOfWork,
    call: Call,
    session: Session,
    chip: ChipEvidence,
    face: FaceEvidence,
    *,
    reference: FaceReference | None = None,
) -> Completed:
    """Judge, store evidence and verdict, and settle the subscription.

    Args:
        uow: The transaction.
        call: The circumstances.
        session: The session that was claimed.
        chip: Findings of the chip.
        face: Findings of the face.
        reference: Enrolled when the verdict is VERIFIED, and only then.

    Raises:
        SubscriptionNotFoundError: The subscription ended while the evidence was examined.
        VerificationExpiredError: The number has another holder than the session was opened for.
    """
    face = with_replay(uow, call, face, _use(uow, call, session, chip))
    item = _subscription(uow, session)
    record = uow.citizens.find(item.claim.personal_id)
    evidence = Evidence(claim=item.claim, record=record, chip=chip, face=face)
    verdict = decide(evidence, call.rules.verification, at=call.at, score_names=score_names)
    if verdict.state is not VerdictState.NOT_VERIFIED:
        _refuse_another_holder(uow, session, item)
    uow.verifications.complete(session, evidence, verdict)
    settle_attempt(uow, call, session, verdict)
    if verdict.state is VerdictState.VERIFIED:
        attempt = VerifiedAttempt(
            verification_id=session.verification_id,
            subscription_id=session.subscription_id,
            verdict=verdict,
        )
        item = _activate(uow, call, item, attempt)
        if reference is not None:
            uow.face_references.save(item.claim.personal_id, reference, at=call.at)
    append(uow.connection, [_entry(uow, call, item, verdict)])
    return Completed(verdict=verdict, subscription=item)


def _use(uow: UnitOfWork, call: Call, session: Session, chip: ChipEvidence) -> ProbeUse:
    """The photographs are of whoever holds the card; of nobody else than the holder otherwise."""
    person = None if chip.holder is None else chip.holder.personal_id
    key = session.citizen_key if person is None else citizen_key(uow.sealer, person)
    return ProbeUse(citizen_key=key, verification_id=session.verification_id, at=call.at)


def _subscription(uow: UnitOfWork, session: Session) -> Subscription:
    reference = (session.msisdn_key, session.subscription_id)
    for item in uow.subscriptions.find_by_reference([reference], lock=True):
        if item.is_in_service:
            return item
    raise SubscriptionNotFoundError("the subscription is no longer in service")


def _refuse_another_holder(uow: UnitOfWork, session: Session, item: Subscription) -> None:
    """A nonce is tied to the citizen it was made for: whoever came after starts anew."""
    if citizen_key(uow.sealer, item.claim.personal_id) != session.citizen_key:
        raise VerificationExpiredError("the number has another holder since: start another")


def _activate(
    uow: UnitOfWork, call: Call, item: Subscription, attempt: VerifiedAttempt
) -> Subscription:
    change = Change(before=item.service_state, is_cured=True)
    settled = settle_subscription(uow, call, item.verified_by(attempt), change).subscription
    uow.primaries.confirm_verified(settled)
    uow.fallbacks.confirm_verified(settled)
    return settled


def _is_active(report: ChipReport) -> bool:
    """Whether the chip signed the nonce; the library has no other way to show it is no copy."""
    return any(
        check.name == ACTIVE and check.result is CheckResult.SUCCESSFUL for check in report.checks
    )


def _codes(report: ChipReport, challenge: Challenge) -> tuple[str, ...]:
    """Codes of the checks that did not succeed, an answer that came to nothing by its nonce."""
    codes = (
        check.code
        for check in report.checks
        if check.result is not CheckResult.SUCCESSFUL and check.code is not None
    )
    named = (
        challenge.fault if challenge.fault and code is ChipCode.AA_REQUIRED else code
        for code in codes
    )
    return tuple(dict.fromkeys(code.value for code in named))


def _holder(report: ChipReport) -> ChipHolder:
    """What the chip says of its holder; a field that no citizen could have is a missing one."""
    citizen = report.citizen
    if citizen is None:
        return ChipHolder(personal_id=None, full_name=None, birth_date=None)
    return ChipHolder(
        personal_id=_personal_id(citizen.personal_id),
        full_name=_full_name(citizen.full_name),
        birth_date=citizen.born_on,
        card_issued_on=citizen.issued_on,
    )


def _personal_id(text: str | None) -> PersonalID | None:
    try:
        return None if text is None else PersonalID.parse(text)
    except MalformedValueError:
        return None


def _full_name(text: str | None) -> PersonName | None:
    try:
        return None if text is None else PersonName.parse(text)
    except MalformedValueError:
        return None


def _entry(uow: UnitOfWork, call: Call, item: Subscription, verdict: Verdict) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="complete_verification",
        outcome=verdict.state.value,
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        details={
            "reasons": [reason.value for reason in verdict.reasons],
            "policy": verdict.policy_version,
        },
    )
