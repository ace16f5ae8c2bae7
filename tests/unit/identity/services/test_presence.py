"""From a session at a counter to a token, and everything that must not come to one.

Findings of chip and face are given: how they are made is the biometrics library's.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from identity.audit.log import audit_entry
from identity.domain.agency import Access, Purpose, Right
from identity.domain.errors import (
    PurposeNotAllowedError,
    QuotaExceededError,
    RequestInvalidError,
    VerificationExpiredError,
    VerificationNotFoundError,
    VerificationUsedError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.presence import ChipLevel, PresenceState, TokenRefusedError
from identity.domain.verification import (
    ChipEvidence,
    FaceEvidence,
    VerdictReason,
    VerdictState,
    VerifiedAttempt,
)
from identity.policy_files import load_policy
from identity.security.service_signing import format_key_set, parse_key_set
from identity.services.call import Call
from identity.services.check_presence import check_presence
from identity.services.chip_nonces import derive_nonces
from identity.services.complete_verification import claim_session
from identity.services.presence import Presence, claim_presence, record_presence, start_presence
from identity.services.recompute_verdicts import recompute
from identity.services.signing_keys import presence_public_keys
from identity.services.subject_tokens import subject_token
from identity.services.verification_sessions import get_verification, read_nonces
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.tables import verification
from identity.storage.verifications import Claimant, PresenceSession
from tests.unit.identity.agency_makers import (
    LEGAL_BASIS,
    call_of,
    make_access,
    make_agency,
    make_grant,
    store_agency,
)
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    alone,
    make_chip,
    make_claim,
    make_face,
    make_personal_id,
    rules,
    store_citizen,
)

R = VerdictReason
CLAIMANT = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)


def store_counter(
    uow: UnitOfWork,
    *rights: Right,
    name: str | None = None,
    **given: Any,  # noqa: ANN401 - whatever the grant takes
) -> Call:
    """An agency that checks who stands at its counter; what it calls with."""
    # Without rights means without any here.
    usual = {"purpose": Purpose.IDENTITY_CHECK, "rights": frozenset(rights)}
    return call_of(store_agency(uow, make_grant(**usual | given), name=name))


def access_of(call: Call, **given: Any) -> Access:  # noqa: ANN401 - whatever the access takes
    """An access on the grounds of that grant."""
    caller = make_agency(name=call.caller.name)
    usual = {"at": call.at, "purpose": Purpose.IDENTITY_CHECK, "case_id": "file/7"}
    return make_access(caller, **usual | given)


@pytest.fixture
def agency(uow: UnitOfWork) -> Call:
    """An agency that may have everything that there is to have at a counter but the personal ID."""
    return store_counter(uow, Right.CHIP_PRESENCE, Right.FACE_PRESENCE)


@pytest.fixture
def person(uow: UnitOfWork) -> PopulationRecord:
    return store_citizen(uow, card_issued_on=date(2024, 6, 1))


def card_of(person: PopulationRecord) -> ChipEvidence:
    """An authentic card that signed the nonce, the person's current one."""
    chip = make_chip(make_claim(person))
    assert chip.holder is not None
    holder = replace(chip.holder, card_issued_on=date(2024, 6, 1))
    return replace(chip, holder=holder, is_active=True)


def start(uow: UnitOfWork, agency: Call, *, with_face: bool = False) -> PresenceSession:
    return start_presence(uow, agency, access_of(agency), with_face=with_face)


def present(
    uow: UnitOfWork, agency: Call, chip: ChipEvidence, face: FaceEvidence | None = None
) -> Presence:
    """Present evidence in a session of its own."""
    has_face = face is not None
    session = start(uow, agency, with_face=has_face)
    claim_presence(uow, agency, session.verification_id, CLAIMANT, has_probes=has_face)
    return record_presence(uow, agency, session, chip, face)


def read(uow: UnitOfWork, agency: Call, presence: Presence) -> dict[str, Any]:
    """What the token says, checked as an agency does."""
    assert presence.token is not None
    keys = parse_key_set(format_key_set(presence_public_keys(uow, at=NOW)))
    said = check_presence(presence.token, keys, audience=agency.caller.name, at=NOW)
    return {name: getattr(said, name) for name in said.__dataclass_fields__}


def entries(uow: UnitOfWork, agency: Call) -> list[tuple[Any, ...]]:
    columns = ("action", "outcome", "citizen_key", "purpose", "legal_basis", "case_id", "fields")
    query = select(*(audit_entry.c[name] for name in columns))
    own = query.where(audit_entry.c.caller == str(agency.caller)).order_by(audit_entry.c.entry_id)
    return [tuple(row) for row in uow.connection.execute(own)]


def test_a_card_alone_makes_a_token_for_this_agency_and_these_grounds(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    told = present(uow, agency, card_of(person))
    assert (told.state, told.verdict.reasons) == (PresenceState.PRESENT, ())
    said = read(uow, agency, told)
    key = citizen_key(uow.sealer, person.personal_id)
    session_id = said.pop("verification_id")
    assert uow.verifications.find_presence(UUID(session_id)) is not None
    assert said == {
        "audience": agency.caller.name,
        "subject": subject_token(uow.sealer, agency.caller.name, key),
        "issued_at": NOW,
        "expires_at": NOW + timedelta(minutes=5),
        "methods": ("chip",),
        "level": ChipLevel.ACTIVE,
        "purpose": Purpose.IDENTITY_CHECK,
        "case_id": "file/7",
        "policy_version": rules().verification.version,
    }


def test_card_and_face_are_told_apart_from_the_card_alone(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    told = present(uow, agency, replace(card_of(person), is_active=False), make_face())
    assert told.state is PresenceState.PRESENT
    said = read(uow, agency, told)
    assert (said["methods"], said["level"]) == (("chip", "face"), ChipLevel.PASSIVE)


def test_two_agencies_know_one_person_by_two_names(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    other = store_counter(uow, Right.CHIP_PRESENCE)
    subjects = [
        read(uow, call, present(uow, call, card_of(person)))["subject"]
        for call in (agency, agency, other)
    ]
    assert subjects[0] == subjects[1] != subjects[2]
    for subject in subjects:
        assert person.personal_id.value not in subject


def test_the_personal_id_is_told_where_the_grant_says_so(
    uow: UnitOfWork, person: PopulationRecord
) -> None:
    call = store_counter(uow, Right.CHIP_PRESENCE, Right.PERSONAL_ID)
    told = present(uow, call, card_of(person))
    assert read(uow, call, told)["subject"] == person.personal_id.value
    key = citizen_key(uow.sealer, person.personal_id)
    assert entries(uow, call)[-1][2:] == (
        *(key, "identity_check", LEGAL_BASIS, "file/7", "chip_presence,personal_id"),
    )


def test_no_name_and_no_date_is_told(uow: UnitOfWork, person: PopulationRecord) -> None:
    call = store_counter(uow, Right.FACE_PRESENCE, Right.PERSONAL_ID)
    said = json.dumps(
        read(uow, call, present(uow, call, card_of(person), make_face())), default=str
    )
    for secret in (person.full_name.value, person.birth_date.isoformat(), "2024-06-01"):
        assert secret not in said


def test_who_was_there_is_written_down_in_the_transaction_of_the_answer(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    present(uow, agency, card_of(person))
    present(uow, agency, card_of(person), make_face(0.9))
    key = citizen_key(uow.sealer, person.personal_id)
    grounds = ("identity_check", LEGAL_BASIS, "file/7")
    assert entries(uow, agency) == [
        ("start_presence", "opened", None, *grounds, None),
        ("complete_presence", "present", key, *grounds, "chip_presence"),
        ("start_presence", "opened", None, *grounds, None),
        ("complete_presence", "not_present", key, *grounds, "face_presence"),
    ]


def test_an_embargo_is_kept_to_the_end(uow: UnitOfWork, person: PopulationRecord) -> None:
    call = store_counter(uow, Right.CHIP_PRESENCE, Right.EMBARGO)
    shown_from = NOW + timedelta(days=30)
    session = start_presence(uow, call, access_of(call, shown_from=shown_from), with_face=False)
    claim_presence(uow, call, session.verification_id, CLAIMANT, has_probes=False)
    found = uow.verifications.find_presence(session.verification_id)
    assert found is not None
    record_presence(uow, call, found, card_of(person), None)
    query = select(audit_entry.c.shown_from).where(audit_entry.c.caller == str(call.caller))
    assert uow.connection.execute(query).scalars().all() == [shown_from, shown_from]


def without_holder(person: PopulationRecord) -> ChipEvidence:
    codes = ("TRUST_ANCHOR_NOT_FOUND",)
    return replace(card_of(person), is_authentic=False, holder=None, codes=codes)


def undetermined(person: PopulationRecord) -> ChipEvidence:
    codes = ("CRL_MISSING",)
    return replace(card_of(person), is_authentic=False, is_undetermined=True, codes=codes)


def with_name(person: PopulationRecord) -> ChipEvidence:
    chip = card_of(person)
    assert chip.holder is not None
    return replace(chip, holder=replace(chip.holder, full_name=PersonName(OTHER_NAME)))


def without_id(person: PopulationRecord) -> ChipEvidence:
    chip = card_of(person)
    assert chip.holder is not None
    return replace(chip, holder=replace(chip.holder, personal_id=None))


def of_before(person: PopulationRecord) -> ChipEvidence:
    chip = card_of(person)
    assert chip.holder is not None
    return replace(chip, holder=replace(chip.holder, card_issued_on=date(2020, 1, 1)))


def copied(person: PopulationRecord) -> ChipEvidence:
    return replace(card_of(person), is_active=False)


NOT_PRESENT, INCONCLUSIVE = PresenceState.NOT_PRESENT, PresenceState.INCONCLUSIVE
REFUSED = {
    "not authentic": (without_holder, None, (NOT_PRESENT, R.CHIP_NOT_AUTHENTIC)),
    "undetermined": (undetermined, None, (INCONCLUSIVE, R.CHIP_UNDETERMINED)),
    "another's name": (with_name, None, (NOT_PRESENT, R.FULL_NAME_MISMATCH)),
    "no personal ID": (without_id, None, (NOT_PRESENT, R.RECORD_NOT_FOUND)),
    "old card": (of_before, None, (NOT_PRESENT, R.CARD_SUPERSEDED)),
    "perhaps a copy": (copied, None, (INCONCLUSIVE, R.CHIP_MAY_BE_COPY)),
    "another's face": (card_of, make_face(0.9), (NOT_PRESENT, R.FACE_NON_MATCH)),
    "no face": (
        card_of,
        FaceEvidence(dissimilarity=None, failure="NO_FACE", model_digest=None),
        (INCONCLUSIVE, R.FACE_NOT_ACQUIRED),
    ),
}


@pytest.mark.parametrize(("make", "face", "end"), REFUSED.values(), ids=REFUSED)
def test_whatever_is_wrong_makes_no_token(
    uow: UnitOfWork,
    agency: Call,
    person: PopulationRecord,
    make: Callable[[PopulationRecord], ChipEvidence],
    face: FaceEvidence | None,
    end: tuple[PresenceState, VerdictReason],
) -> None:
    told = present(uow, agency, make(person), face)
    assert (told.state, *told.verdict.reasons) == end
    assert told.token is None
    assert entries(uow, agency)[-1][1] == end[0].value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"deceased_on": date(2026, 1, 1)}, R.HOLDER_DECEASED),
        ({"merged_into": make_personal_id()}, R.RECORD_MERGED),
        ({"card_issued_on": date(2025, 1, 1)}, R.CARD_SUPERSEDED),
        ({"full_name": PersonName(OTHER_NAME)}, R.FULL_NAME_MISMATCH),
        ({"birth_date": date(1950, 1, 1)}, R.BIRTH_DATE_MISMATCH),
    ],
)
def test_the_population_record_decides_the_rest(
    uow: UnitOfWork,
    agency: Call,
    person: PopulationRecord,
    change: Mapping[str, Any],
    reason: VerdictReason,
) -> None:
    uow.citizens.save_many([replace(person, **change)], at=NOW)
    told = present(uow, agency, card_of(person))
    assert (told.state, told.verdict.reasons) == (PresenceState.NOT_PRESENT, (reason,))
    assert told.token is None


def test_a_person_whom_the_register_does_not_know_is_not_present_and_is_written_down(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    unknown = replace(person, personal_id=make_personal_id())
    told = present(uow, agency, card_of(unknown))
    assert (told.state, told.verdict.reasons) == (NOT_PRESENT, (R.RECORD_NOT_FOUND,))
    assert entries(uow, agency)[-1][2] == citizen_key(uow.sealer, unknown.personal_id)


def test_a_chip_that_says_nothing_names_nobody(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    present(uow, agency, without_holder(person))
    assert entries(uow, agency)[-1][2] is None


@pytest.mark.parametrize(
    ("rights", "with_face"),
    [
        ((), False),
        ((Right.FACE_PRESENCE,), False),
        ((Right.CHIP_PRESENCE,), True),
        ((Right.NUMBER, Right.PERSONAL_ID), False),
        ((Right.NUMBER, Right.PERSONAL_ID), True),
    ],
)
def test_card_and_face_take_a_right_each(
    uow: UnitOfWork,
    rights: tuple[Right, ...],
    with_face: bool,  # noqa: FBT001 - a case
) -> None:
    call = store_counter(uow, *rights)
    with pytest.raises(PurposeNotAllowedError):
        start(uow, call, with_face=with_face)
    assert entries(uow, call) == []


def test_an_agency_that_nobody_registered_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(PurposeNotAllowedError):
        start(uow, call_of(make_agency()))


def test_each_session_counts_as_one_person_and_its_end_does_not(
    uow: UnitOfWork, person: PopulationRecord
) -> None:
    call = store_counter(uow, Right.CHIP_PRESENCE, people_per_day_max=2)
    for _ in range(2):
        assert present(uow, call, card_of(person)).state is PresenceState.PRESENT
    with pytest.raises(QuotaExceededError) as caught:
        start(uow, call)
    assert caught.value.retry_after_s == pytest.approx(7.5 * 3_600)  # 16:30 in Viet Nam


@pytest.mark.parametrize("rights", [(), (Right.FACE_PRESENCE,), (Right.NUMBER,)])
def test_a_grant_that_was_withdrawn_covers_no_answer(
    uow: UnitOfWork, agency: Call, person: PopulationRecord, rights: tuple[Right, ...]
) -> None:
    claimed, open_one = start(uow, agency), start(uow, agency)
    claim_presence(uow, agency, claimed.verification_id, CLAIMANT, has_probes=False)
    store_counter(uow, *rights, name=agency.caller.name)
    with pytest.raises(PurposeNotAllowedError):
        record_presence(uow, agency, claimed, card_of(person), None)
    with pytest.raises(PurposeNotAllowedError):
        claim_presence(uow, agency, open_one.verification_id, CLAIMANT, has_probes=False)


def test_a_session_is_its_agencys_and_of_no_other_kind(uow: UnitOfWork, agency: Call) -> None:
    session = start(uow, agency)
    stranger = store_counter(uow, Right.CHIP_PRESENCE)
    with pytest.raises(VerificationNotFoundError):
        claim_presence(uow, stranger, session.verification_id, CLAIMANT, has_probes=False)
    with pytest.raises(VerificationNotFoundError):
        claim_presence(uow, agency, uuid4(), CLAIMANT, has_probes=False)
    assert uow.verifications.find(session.verification_id) is None
    for call in (agency, stranger):
        with pytest.raises(VerificationNotFoundError):
            claim_session(uow, call, session.verification_id, CLAIMANT)
        with pytest.raises(VerificationNotFoundError):
            get_verification(uow, call, session.verification_id)
    claim_presence(uow, agency, session.verification_id, CLAIMANT, has_probes=False)


def test_a_session_serves_one_request_in_its_time(uow: UnitOfWork, agency: Call) -> None:
    session = start(uow, agency)
    late = replace(agency, at=session.expires_at)
    with pytest.raises(VerificationExpiredError):
        claim_presence(uow, late, session.verification_id, CLAIMANT, has_probes=False)
    claim_presence(uow, agency, session.verification_id, CLAIMANT, has_probes=False)
    claim_presence(uow, late, session.verification_id, CLAIMANT, has_probes=False)
    other = replace(CLAIMANT, request_id=uuid4())
    with pytest.raises(VerificationUsedError):
        claim_presence(uow, agency, session.verification_id, other, has_probes=False)


@pytest.mark.parametrize(
    ("with_face", "reason"), [(False, "PHOTOGRAPH_NOT_ASKED_FOR"), (True, "PHOTOGRAPH_MISSING")]
)
def test_photographs_belong_to_sessions_with_the_face_and_use_up_no_other(
    uow: UnitOfWork,
    agency: Call,
    with_face: bool,  # noqa: FBT001 - a case
    reason: str,
) -> None:
    session = start(uow, agency, with_face=with_face)
    with pytest.raises(RequestInvalidError) as caught:
        claim_presence(uow, agency, session.verification_id, CLAIMANT, has_probes=not with_face)
    assert [each.reason for each in caught.value.violations] == [reason]
    claim_presence(uow, agency, session.verification_id, CLAIMANT, has_probes=with_face)


def test_nonces_are_tied_to_the_grounds_of_the_session(uow: UnitOfWork, agency: Call) -> None:
    session = start(uow, agency)
    nonces = read_nonces(uow, session.verification_id)
    assert nonces == derive_nonces(uow.sealer, session)
    assert len(set(nonces)) == 4
    for change in (
        {"with_face": True},
        {"purpose": Purpose.LEGAL_NOTICE},
        {"case_id": "file/8"},
        {"legal_basis": "Law 2"},
        {"shown_from": NOW},
    ):
        other = replace(session, grounds=replace(session.grounds, **change))
        assert not set(nonces) & set(derive_nonces(uow.sealer, other))


def test_a_row_without_number_and_without_grounds_cannot_be_stored(
    uow: UnitOfWork, agency: Call
) -> None:
    session = start(uow, agency)
    this = verification.c.verification_id == session.verification_id
    with pytest.raises(Exception, match="ck_verification_number_or_presence"):
        uow.connection.execute(update(verification).where(this).values(subscription_id=uuid4()))


def test_a_card_alone_never_verifies_the_holder_of_a_number(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    told = present(uow, agency, card_of(person))
    assert told.verdict.state is VerdictState.VERIFIED
    with pytest.raises(ValueError, match="a card alone"):
        VerifiedAttempt(verification_id=uuid4(), subscription_id=uuid4(), verdict=told.verdict)


def test_nobody_is_enrolled_at_a_counter(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    present(uow, agency, card_of(person), make_face())
    assert uow.face_references.find(person.personal_id) is None


def test_evidence_of_counters_is_kept_and_judged_the_same_again(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    before = recompute(alone(uow), load_policy, at=NOW)
    present(uow, agency, card_of(person))
    present(uow, agency, card_of(person), make_face())
    for make, face, *_ in REFUSED.values():
        present(uow, agency, make(person), face)
    after = recompute(alone(uow), load_policy, at=NOW)
    assert after.verdict_count - before.verdict_count == 2 + len(REFUSED)
    assert after.difference_count == before.difference_count


def test_a_token_counts_for_as_long_as_the_pack_says(
    uow: UnitOfWork, agency: Call, person: PopulationRecord
) -> None:
    policy = replace(agency.rules.presence, token_lifetime=timedelta(seconds=30))
    call = replace(agency, rules=replace(agency.rules, presence=policy))
    told = present(uow, call, card_of(person))
    assert told.token is not None
    keys = parse_key_set(format_key_set(presence_public_keys(uow, at=NOW)))
    said = check_presence(told.token, keys, audience=call.caller.name, at=NOW)
    assert said.expires_at == NOW + timedelta(seconds=30)
    late = said.expires_at + timedelta(seconds=60)
    with pytest.raises(TokenRefusedError, match="EXPIRED"):
        check_presence(told.token, keys, audience=call.caller.name, at=late)
