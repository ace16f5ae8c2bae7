"""Nonces: made anew from what they are tied to, used once, of no use to anybody else."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from identity.domain.caller import Role
from identity.domain.errors import (
    DomainError,
    VerificationExpiredError,
    VerificationNotFoundError,
    VerificationUsedError,
)
from identity.domain.subscription import Subscription
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.chip_nonces import (
    NONCE_BYTES,
    NONCE_COUNT,
    NonceFault,
    derive_nonces,
    digest_nonce,
    read_challenge,
)
from identity.services.complete_verification import claim_session
from identity.services.verification_sessions import read_nonces, start_verification
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.tables import verification
from identity.storage.verifications import Claimant, Session
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_operator,
    policy,
    store_citizen,
    store_number,
)

LIFETIME = policy().verification.nonce_lifetime


@pytest.fixture
def call() -> Call:
    return make_call(make_operator())


@pytest.fixture
def number(uow: UnitOfWork, call: Call) -> Subscription:
    return store_number(uow, store_citizen(uow), operator_id=call.caller.name)


@pytest.fixture
def session(uow: UnitOfWork, call: Call, number: Subscription) -> Session:
    return start_verification(uow, call, number.msisdn, None)


def claimant() -> Claimant:
    return Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)


def test_four_nonces_are_made_for_a_session_and_made_alike_again(
    uow: UnitOfWork, session: Session
) -> None:
    nonces = read_nonces(uow, session.verification_id)
    assert nonces == derive_nonces(uow.sealer, session)
    assert [len(nonce) for nonce in nonces] == [NONCE_BYTES] * NONCE_COUNT
    assert len(set(nonces)) == NONCE_COUNT == 4
    assert session.nonce_digest == digest_nonce(uow.sealer, nonces[0])


@pytest.mark.parametrize(
    "change",
    [
        {"verification_id": uuid4()},
        {"caller": "operator:somebody-else"},
        {"subscription_id": uuid4()},
        {"citizen_key": b"\x07" * 16},
        {"nonce_expires_at": NOW + timedelta(days=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_nonce_is_tied_to_session_caller_subscription_citizen_and_expiry(
    uow: UnitOfWork, session: Session, change: dict[str, Any]
) -> None:
    mine = derive_nonces(uow.sealer, session)
    others = derive_nonces(uow.sealer, replace(session, **change))
    assert not set(mine) & set(others)


def test_nobody_without_the_key_can_make_a_nonce(uow: UnitOfWork, session: Session) -> None:
    stranger = Vault(generate_key_ring())
    assert not set(derive_nonces(uow.sealer, session)) & set(derive_nonces(stranger, session))


def test_no_nonce_is_stored(uow: UnitOfWork, session: Session) -> None:
    row = uow.connection.execute(
        text("SELECT v::text FROM verification AS v WHERE verification_id = :id"),
        {"id": session.verification_id},
    ).scalar_one()
    assert session.nonce_digest.hex() in row
    for nonce in derive_nonces(uow.sealer, session):
        assert nonce.hex() not in row


def test_an_expiry_that_is_put_off_in_the_database_makes_another_nonce(
    uow: UnitOfWork, session: Session
) -> None:
    signed = read_nonces(uow, session.verification_id)[0]
    put_off = update(verification).where(verification.c.verification_id == session.verification_id)
    uow.connection.execute(put_off.values(nonce_expires_at=NOW + timedelta(days=1)))
    found = uow.verifications.find(session.verification_id)
    assert found is not None
    challenge = read_challenge(uow, found, b"", at=NOW)
    assert challenge.nonces[0] != signed
    assert challenge.fault is NonceFault.UNKNOWN


@pytest.mark.parametrize(
    ("late", "fault"),
    [
        (timedelta(microseconds=-1), None),
        (timedelta(), NonceFault.EXPIRED),
        (timedelta(minutes=1), NonceFault.EXPIRED),
    ],
)
def test_an_answer_counts_until_its_nonce_expires(
    uow: UnitOfWork, session: Session, late: timedelta, fault: NonceFault | None
) -> None:
    nonce = derive_nonces(uow.sealer, session)[0]
    for named in (nonce, b""):
        challenge = read_challenge(uow, session, named, at=NOW + LIFETIME + late)
        assert challenge.fault is fault
        assert challenge.nonces == derive_nonces(uow.sealer, session)


def test_an_answer_that_came_in_time_goes_on_after_a_crash(
    uow: UnitOfWork, call: Call, session: Session
) -> None:
    first = claimant()
    claim_session(uow, call, session.verification_id, first)
    later = replace(call, at=NOW + LIFETIME + timedelta(minutes=1))
    again = claim_session(uow, later, session.verification_id, first)
    assert read_challenge(uow, again, b"", at=later.at).fault is None


def test_a_nonce_that_was_used_is_told_from_one_that_never_was(
    uow: UnitOfWork, call: Call, number: Subscription, session: Session
) -> None:
    used = derive_nonces(uow.sealer, session)[0]
    claim_session(uow, call, session.verification_id, claimant())
    new = start_verification(uow, call, number.msisdn, None)
    assert read_challenge(uow, new, used, at=NOW).fault is NonceFault.REUSED
    assert read_challenge(uow, new, b"\x00" * 8, at=NOW).fault is NonceFault.UNKNOWN
    assert read_challenge(uow, new, used[:7], at=NOW).fault is NonceFault.UNKNOWN


def test_the_nonce_of_another_session_of_ones_own_is_of_no_use(
    uow: UnitOfWork, call: Call, number: Subscription, session: Session
) -> None:
    open_one = derive_nonces(uow.sealer, session)[0]
    new = start_verification(uow, call, number.msisdn, None)
    assert read_challenge(uow, new, open_one, at=NOW).fault is NonceFault.UNKNOWN
    late = NOW + LIFETIME
    assert read_challenge(uow, new, open_one, at=late).fault is NonceFault.EXPIRED


def test_a_nonce_stolen_from_another_operator_is_as_unknown_as_none(
    uow: UnitOfWork, call: Call, session: Session
) -> None:
    thief = make_call(make_operator())
    own = store_number(uow, store_citizen(uow), operator_id=thief.caller.name)
    opened = start_verification(uow, thief, own.msisdn, None)
    stolen = derive_nonces(uow.sealer, session)[0]
    assert read_challenge(uow, opened, stolen, at=NOW).fault is NonceFault.UNKNOWN
    # Used or late, it is not even told that somebody had it.
    claim_session(uow, call, session.verification_id, claimant())
    assert read_challenge(uow, opened, stolen, at=NOW + LIFETIME).fault is NonceFault.UNKNOWN
    with pytest.raises(VerificationNotFoundError):
        claim_session(uow, thief, session.verification_id, claimant())
    app = make_call(thief.caller.name, role=Role.CITIZEN_APP)
    with pytest.raises(VerificationNotFoundError):
        claim_session(uow, app, session.verification_id, claimant())


def test_a_session_that_ran_out_takes_its_nonce_along(
    uow: UnitOfWork, call: Call, session: Session
) -> None:
    late = replace(call, at=session.expires_at)
    with pytest.raises(VerificationExpiredError):
        claim_session(uow, late, session.verification_id, claimant())


def test_of_two_servers_that_race_for_one_nonce_one_gets_it(
    database: Database, vault: Vault, race: Callable[[Sequence[Callable[[], Any]]], list[Any]]
) -> None:
    call = make_call(make_operator())
    with database.transaction() as uow:
        number = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
        session = start_verification(uow, call, number.msisdn, None)
    url = database.engine.url.render_as_string(hide_password=False)
    servers = [Database(connect(url), vault) for _ in range(2)]

    def complete(server: Database, by: Claimant) -> type[DomainError] | NonceFault | None:
        try:
            with server.transaction() as uow:
                claimed = claim_session(uow, call, session.verification_id, by)
                return read_challenge(uow, claimed, b"", at=NOW).fault
        except DomainError as error:
            return type(error)

    attempts = [partial(complete, servers[place % 2], claimant()) for place in range(8)]
    answers = race(attempts)
    for server in servers:
        server.engine.dispose()
    assert answers.count(None) == 1
    assert answers.count(VerificationUsedError) == 7
