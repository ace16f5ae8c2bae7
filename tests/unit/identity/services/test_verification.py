"""From an opened session to a verdict and what follows from it, and judged again years later.

Findings of chip and face are given: how they are made is the biometrics library's.
"""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import delete, select, update

from biometrics.chip.trust import TrustProfile
from identity.domain.caller import Role
from identity.domain.enforcement import DirectiveKind, Run
from identity.domain.errors import (
    RequestInvalidError,
    SubscriptionNotFoundError,
    VerificationExpiredError,
    VerificationNotFoundError,
    VerificationUsedError,
)
from identity.domain.face_score import FaceScore
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause, PolicyPack
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.verification import VerdictReason, VerdictState
from identity.policy_files import load_policy
from identity.services.call import Call
from identity.services.chip_nonces import Challenge
from identity.services.complete_verification import (
    Completed,
    ExaminedChip,
    Presented,
    claim_session,
    examine_chip,
    record_verdict,
    refuse_oversized,
)
from identity.services.recompute_verdicts import recompute
from identity.services.settle_subscriptions import settle_subscription
from identity.services.verification_sessions import get_verification, start_verification
from identity.storage.database import UnitOfWork
from identity.storage.face_references import FaceReference
from identity.storage.tables import verification
from identity.storage.verifications import Claimant, Session, SessionState
from tests.unit.identity.makers import (
    NOW,
    actions,
    alone,
    find,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_link,
    make_msisdn,
    make_operator,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
)

CLAIMANT = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def call() -> Call:
    return make_call(make_operator())


@pytest.fixture
def number(uow: UnitOfWork, call: Call) -> Subscription:
    """A new number that waits for its holder."""
    return store_number(
        uow,
        store_citizen(uow),
        operator_id=call.caller.name,
        service_state=ServiceState.INACTIVE,
        applied_state=ServiceState.INACTIVE,
        verified_at=None,
    )


@pytest.fixture
def session(uow: UnitOfWork, call: Call, number: Subscription) -> Session:
    return start_verification(uow, call, number.msisdn, None)


def complete(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription, distance: float = 0.2
) -> Completed:
    """The evidence of the right person with the right card."""
    claim_session(uow, call, session.verification_id, CLAIMANT)
    later = replace(call, at=LATER)
    return record_verdict(uow, later, session, make_chip(number.claim), make_face(distance))


def test_a_session_is_the_openers_and_lasts_as_long_as_the_policy_says(
    uow: UnitOfWork, call: Call, number: Subscription, session: Session
) -> None:
    assert session.expires_at == NOW + rules().verification.session_lifetime
    assert session.nonce_expires_at == NOW + rules().verification.nonce_lifetime
    assert get_verification(uow, call, session.verification_id) == session
    start_verification(uow, call, number.msisdn, None)
    assert actions(uow.connection, call.caller) == [
        ("start_verification", "opened"),
        ("get_verification", "pending"),
        ("start_verification", "opened"),
    ]


def test_a_session_is_opened_by_the_operator_or_for_the_holder_only(
    uow: UnitOfWork, number: Subscription
) -> None:
    app = make_call("vneid", role=Role.CITIZEN_APP)
    holder = number.claim.personal_id
    assert start_verification(uow, app, number.msisdn, holder).caller == "citizen-app:vneid"
    refused = [
        (app, number.msisdn, make_personal_id()),
        (app, number.msisdn, None),
        (app, make_msisdn(), holder),
        (make_call(make_operator()), number.msisdn, None),
        (make_call(make_operator()), number.msisdn, holder),
    ]
    for caller, msisdn, personal_id in refused:
        with pytest.raises(SubscriptionNotFoundError):
            start_verification(uow, caller, msisdn, personal_id)


def test_a_terminated_number_opens_no_session(uow: UnitOfWork, call: Call) -> None:
    ended = store_number(
        uow,
        store_citizen(uow),
        operator_id=call.caller.name,
        service_state=ServiceState.TERMINATED,
    )
    with pytest.raises(SubscriptionNotFoundError):
        start_verification(uow, call, ended.msisdn, None)


def test_nobody_else_reads_or_takes_a_session(uow: UnitOfWork, session: Session) -> None:
    stranger = make_call(make_operator())
    for verification_id in (session.verification_id, uuid4()):
        with pytest.raises(VerificationNotFoundError):
            get_verification(uow, stranger, verification_id)
        with pytest.raises(VerificationNotFoundError):
            claim_session(uow, stranger, verification_id, CLAIMANT)
    assert actions(uow.connection, stranger.caller) == []


def test_a_session_serves_one_request(uow: UnitOfWork, call: Call, session: Session) -> None:
    assert claim_session(uow, call, session.verification_id, CLAIMANT) == session
    with pytest.raises(VerificationUsedError):
        claim_session(uow, call, session.verification_id, replace(CLAIMANT, request_id=uuid4()))
    again = claim_session(uow, call, session.verification_id, CLAIMANT)
    assert again == replace(session, state=SessionState.PROCESSING)


def test_a_session_that_ran_out_serves_nobody(
    uow: UnitOfWork, call: Call, session: Session
) -> None:
    late = replace(call, at=session.expires_at)
    with pytest.raises(VerificationExpiredError):
        claim_session(uow, late, session.verification_id, CLAIMANT)


def test_a_verified_holder_activates_the_number(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    completed = complete(uow, call, session, number)
    assert completed.verdict.state is VerdictState.VERIFIED
    item = find(uow, number)
    assert item == completed.subscription
    assert (item.service_state, item.verified_at) == (ServiceState.ACTIVE, LATER)
    assert item.applied_state is ServiceState.INACTIVE
    (order,) = uow.directives.lease(
        call.caller.name, lease_id=uuid4(), expires_at=LATER, at=NOW, limit=9
    )
    assert order.directive.kind is DirectiveKind.RESTORE
    done = get_verification(uow, call, session.verification_id)
    assert (done.state, done.verdict) == (SessionState.COMPLETED, completed.verdict)
    assert actions(uow.connection, call.caller)[1:] == [
        ("complete_verification", "verified"),
        ("get_verification", "completed"),
    ]
    with pytest.raises(VerificationUsedError):
        claim_session(uow, call, session.verification_id, CLAIMANT)


def test_another_face_leaves_the_number_as_it_is(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    completed = complete(uow, call, session, number, distance=0.55)
    assert completed.verdict.state is VerdictState.NOT_VERIFIED
    assert completed.verdict.reasons == (VerdictReason.FACE_NON_MATCH,)
    assert find(uow, number) == number
    assert actions(uow.connection, call.caller)[-1] == ("complete_verification", "not_verified")


def test_a_poor_photograph_is_no_verdict_on_the_person(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    claim_session(uow, call, session.verification_id, CLAIMANT)
    face = replace(make_face(), dissimilarity=None, failure="NO_FACE")
    completed = record_verdict(uow, call, session, make_chip(number.claim), face)
    assert completed.verdict.state is VerdictState.FAILURE_TO_ACQUIRE
    assert find(uow, number) == number


def test_a_verification_cures_every_case_and_is_noted_on_the_primary(
    uow: UnitOfWork, call: Call
) -> None:
    item = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(item, at=NOW)
    for cause in (CaseCause.DEVICE_CHANGE, CaseCause.DISOWNED):
        change = Change(
            before=ServiceState.ACTIVE,
            cause=cause,
            cause_at=NOW,
            is_primary=True,
            run=Run(),
        )
        item = settle_subscription(uow, call, item, change).subscription
    assert item.service_state is ServiceState.OUTGOING_BLOCKED
    session = start_verification(uow, call, item.msisdn, None)
    cured = complete(uow, call, session, item).subscription
    assert cured.service_state is ServiceState.ACTIVE
    assert uow.cases.list_open([item])[item.subscription_id] == []
    primary = uow.primaries.find(item.claim.personal_id)
    assert primary is not None
    assert (primary.verified_at, primary.set_at) == (LATER, NOW)


def test_a_number_that_changed_hands_meanwhile_is_judged_by_its_new_holder(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    claim = make_claim(store_citizen(uow))
    uow.subscriptions.save(number.transferred_to(claim, make_link(), at=NOW))
    completed = complete(uow, call, session, number)
    assert completed.verdict.state is VerdictState.NOT_VERIFIED
    assert VerdictReason.PERSONAL_ID_MISMATCH in completed.verdict.reasons


def test_nobody_is_verified_by_a_nonce_that_was_made_for_an_earlier_holder(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    claim = make_claim(store_citizen(uow))
    transferred = number.transferred_to(claim, make_link(), at=NOW)
    uow.subscriptions.save(transferred)
    with pytest.raises(VerificationExpiredError):
        complete(uow, call, session, transferred)
    assert find(uow, number).verified_at is None


def test_a_number_that_ended_meanwhile_gets_no_verdict(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    uow.subscriptions.save(number.ordered(ServiceState.TERMINATED, at=NOW))
    with pytest.raises(SubscriptionNotFoundError):
        complete(uow, call, session, number)


def test_the_dead_and_the_unknown_are_never_verified(uow: UnitOfWork, call: Call) -> None:
    dead = store_citizen(uow, deceased_on=date(2026, 4, 1))
    unknown = make_claim()
    expected = [VerdictReason.HOLDER_DECEASED, VerdictReason.RECORD_NOT_FOUND]
    for claim, reason in zip((make_claim(dead), unknown), expected, strict=True):
        item = replace(
            store_number(uow, dead, operator_id=call.caller.name, verified_at=None),
            claim=claim,
            link=make_link(LinkState.NOT_FOUND),
        )
        uow.subscriptions.save(item)
        opened = start_verification(uow, call, item.msisdn, None)
        assert complete(uow, call, opened, item).verdict.reasons == (reason,)


def test_a_chip_that_is_no_chip_is_a_finding() -> None:
    trust = TrustProfile.from_certificates(name="t", country="VN", certificates=[], crls=[])
    challenge = Challenge(nonces=(bytes(8),) * 4)
    presented = Presented(
        sod=b"no SOD", data_groups={1: b"no DG1"}, active_signatures=(), probes=(b"probe",)
    )
    examined = examine_chip(challenge, presented, trust=trust, at=datetime.now(UTC))
    assert not examined.evidence.is_authentic
    assert examined.evidence.codes
    assert (examined.evidence.holder, examined.portrait) == (None, None)


@pytest.mark.parametrize(
    ("answer", "is_active"), [("aa_sig_good", True), ("aa_sig_other_nonce", False), (None, False)]
)
def test_a_chip_is_no_copy_when_it_signed_the_nonce(
    shared_data: Path,
    answer: str | None,
    is_active: bool,  # noqa: FBT001 - a case
) -> None:
    folder = shared_data / "chip" / "synthetic_cccd"
    trust = TrustProfile.from_certificates(
        name="vn-cccd",
        country="VNM",
        certificates=[(folder / "csca_lab_vn.der").read_bytes()],
        crls=[(folder / "crl_lab_vn.crl").read_bytes()],
    )
    signature = () if answer is None else ((folder / f"{answer}.bin").read_bytes(),)
    presented = Presented(
        sod=(folder / "00_good.sod.bin").read_bytes(),
        data_groups={n: (folder / f"DG{n}.bin").read_bytes() for n in (1, 2, 13, 14, 15)},
        active_signatures=signature,
        probes=(),
    )
    challenge = Challenge(nonces=((folder / "aa_nonce.bin").read_bytes(),) * 4)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    examined = examine_chip(challenge, presented, trust=trust, at=at)
    chip = examined.evidence
    assert (chip.is_active, chip.is_authentic) == (is_active, is_active)
    inputs = chip.inputs
    assert inputs is not None
    assert inputs.sod == sha256(presented.sod)
    assert inputs.data_groups == {n: sha256(each) for n, each in presented.data_groups.items()}
    assert inputs.signatures == tuple(sha256(each) for each in signature)
    assert inputs.nonces == tuple(sha256(challenge.nonces[0]) for _ in signature)
    portrait = examined.portrait
    assert inputs.portrait == (None if portrait is None else sha256(portrait))


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_photographs_are_refused_by_their_size_before_they_are_decoded() -> None:
    file = io.BytesIO()
    Image.new("L", (4000, 3000)).save(file, "PNG")
    small = io.BytesIO()
    Image.new("L", (40, 30)).save(small, "PNG")
    refuse_oversized([small.getvalue(), b"not an image"])
    with pytest.raises(RequestInvalidError) as caught:
        refuse_oversized([small.getvalue(), file.getvalue(), b"\xff\xd8" + bytes(9 * 2**20)])
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("probe_photographs[1]", "IMAGE_TOO_LARGE"),
        ("probe_photographs[2]", "IMAGE_TOO_LARGE"),
    ]


def test_stored_verdicts_come_out_the_same_again_and_a_forged_one_does_not(
    uow: UnitOfWork, call: Call, number: Subscription
) -> None:
    sessions = [start_verification(uow, call, number.msisdn, None) for _ in range(3)]
    for session, distance in zip(sessions, (0.2, 0.5, 0.2), strict=True):
        complete(uow, call, session, number, distance)
    asked: list[str] = []

    def load(version: str) -> PolicyPack:
        asked.append(version)
        return pack()

    before = recompute(alone(uow), load, at=NOW)
    assert (before.verdict_count >= 3, before.difference_count) == (True, 0)
    assert asked == [pack().version]
    forge = update(verification).where(
        verification.c.verification_id == sessions[1].verification_id
    )
    stored = uow.connection.execute(
        select(verification.c.verdict).where(
            verification.c.verification_id == sessions[1].verification_id
        )
    ).scalar_one()
    uow.connection.execute(forge.values(verdict=stored | {"state": "verified", "reasons": []}))
    after = recompute(alone(uow), lambda _version: pack(), at=NOW)
    assert (after.verdict_count, after.difference_count) == (before.verdict_count, 1)


def pack() -> PolicyPack:
    return load_policy(rules().verification.version)


def reference() -> FaceReference:
    return FaceReference(
        template=b"template", model_digest="c0ffee", portrait=b"portrait", card_issued_on=None
    )


def test_a_verified_citizens_reference_is_enrolled(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    claim_session(uow, call, session.verification_id, CLAIMANT)
    chip = make_chip(number.claim)
    record_verdict(uow, call, session, chip, make_face(), reference=reference())
    assert uow.face_references.find(number.claim.personal_id) == reference()


@pytest.mark.parametrize("value", [0.5, 0.38])
def test_nobody_else_is_enrolled_and_a_person_in_doubt_activates_nothing(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription, value: float
) -> None:
    # Committed by others, sealed with other keys; back when this is rolled back.
    uow.connection.execute(delete(verification).where(verification.c.state == "completed"))
    claim_session(uow, call, session.verification_id, CLAIMANT)
    score = FaceScore(
        score_type="distance",
        value=value,
        is_dissimilarity=True,
        match_threshold=0.35,
        review_threshold=0.45,
    )
    face = replace(make_face(value), score=score)
    completed = record_verdict(
        uow, call, session, make_chip(number.claim), face, reference=reference()
    )
    in_doubt = value < 0.45
    expected = VerdictState.REVIEW if in_doubt else VerdictState.NOT_VERIFIED
    assert completed.verdict.state is expected
    assert find(uow, number) == number
    assert uow.face_references.find(number.claim.personal_id) is None
    stored = get_verification(uow, call, session.verification_id)
    assert stored.verdict == completed.verdict
    assert recompute(alone(uow), lambda _version: pack(), at=NOW).difference_count == 0


def test_a_verdict_from_before_the_portraits_age_was_recorded_still_comes_out_the_same(
    uow: UnitOfWork, call: Call, session: Session, number: Subscription
) -> None:
    # As above.
    uow.connection.execute(delete(verification).where(verification.c.state == "completed"))
    claim_session(uow, call, session.verification_id, CLAIMANT)
    chip = make_chip(number.claim)
    assert chip.holder is not None
    aged = replace(chip, holder=replace(chip.holder, card_issued_on=date(2021, 7, 1)))
    completed = record_verdict(uow, call, session, aged, make_face())
    assert completed.verdict.portrait_age_years == 4
    row = verification.c.verification_id == session.verification_id
    stored = uow.connection.execute(select(verification.c.verdict).where(row)).scalar_one()
    del stored["portrait_age_years"]
    uow.connection.execute(update(verification).where(row).values(verdict=stored))
    assert recompute(alone(uow), lambda _version: pack(), at=NOW).difference_count == 0


def test_nothing_of_a_chip_or_a_face_shows_in_their_text_form() -> None:
    secret = b"secret"
    presented = Presented(
        sod=secret, data_groups={2: secret}, active_signatures=(secret,), probes=(secret,)
    )
    examined = ExaminedChip(evidence=make_chip(make_claim()), portrait=secret)
    assert "secret" not in repr(presented) + repr(examined)
