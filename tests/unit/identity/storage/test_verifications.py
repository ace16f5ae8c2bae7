"""Verification sessions: used once, by one request, which may go on after a crash."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import verification
from identity.storage.verifications import Claimant, Session, SessionState
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_evidence,
    make_face,
    make_session,
    store_citizen,
    store_number,
)

FIRST = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)


def open_session(uow: UnitOfWork, **given: Any) -> Session:  # noqa: ANN401 - any field
    return make_session(uow, store_number(uow, store_citizen(uow)), **given)


def test_a_session_comes_back_as_it_was_opened(uow: UnitOfWork) -> None:
    session = open_session(uow)
    assert uow.verifications.find(session.verification_id) == session
    assert uow.verifications.find(uuid4()) is None


def test_a_session_is_taken_once(uow: UnitOfWork) -> None:
    session = open_session(uow)
    assert uow.verifications.claim(session, FIRST, at=NOW)
    taken = uow.verifications.find(session.verification_id)
    assert taken == replace(session, state=SessionState.PROCESSING)
    other = Claimant(request_id=uuid4(), body_digest=FIRST.body_digest)
    assert not uow.verifications.claim(session, other, at=NOW)


def test_the_same_request_goes_on_after_a_crash(uow: UnitOfWork) -> None:
    session = open_session(uow)
    assert uow.verifications.claim(session, FIRST, at=NOW)
    assert uow.verifications.claim(session, FIRST, at=NOW)
    # A verdict that was under way when the time ran out is still owed.
    assert uow.verifications.claim(session, FIRST, at=session.expires_at.replace(hour=23))


def test_the_same_request_with_other_evidence_does_not_go_on(uow: UnitOfWork) -> None:
    session = open_session(uow)
    uow.verifications.claim(session, FIRST, at=NOW)
    assert not uow.verifications.claim(session, replace(FIRST, body_digest=b"\x02" * 32), at=NOW)


def test_the_digest_of_the_evidence_is_stored_under_a_key(uow: UnitOfWork, vault: Vault) -> None:
    session = open_session(uow)
    uow.verifications.claim(session, FIRST, at=NOW)
    query = select(verification.c.completing_digest).where(
        verification.c.verification_id == session.verification_id
    )
    stored = uow.connection.execute(query).scalar_one()
    assert stored == vault.blind_index("request", FIRST.body_digest.hex())


@pytest.mark.parametrize(("minute", "is_taken"), [(39, True), (40, False), (41, False)])
def test_a_session_is_taken_before_its_time_runs_out_only(
    uow: UnitOfWork,
    minute: int,
    is_taken: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    session = open_session(uow)
    assert session.expires_at.minute == 40
    assert uow.verifications.claim(session, FIRST, at=NOW.replace(minute=minute)) is is_taken


def test_a_completed_session_is_over_also_for_its_own_request(uow: UnitOfWork) -> None:
    session = open_session(uow)
    uow.verifications.claim(session, FIRST, at=NOW)
    evidence = make_evidence(store_citizen(uow))
    uow.verifications.complete(session, evidence, judge(evidence))
    assert not uow.verifications.claim(session, FIRST, at=NOW)
    done = uow.verifications.find(session.verification_id)
    assert done is not None
    assert (done.state, done.verdict) == (SessionState.COMPLETED, judge(evidence))


def test_evidence_and_verdict_come_back_as_they_were(uow: UnitOfWork) -> None:
    evidence = [
        make_evidence(store_citizen(uow)),
        replace(make_evidence(store_citizen(uow)), face=make_face(0.5), record=None),
    ]
    for item in evidence:
        session = open_session(uow)
        uow.verifications.claim(session, FIRST, at=NOW)
        uow.verifications.complete(session, item, judge(item))
    stored = uow.stored_verdicts.list_after(None, limit=10_000)
    kept = [(each.evidence, each.verdict) for each in stored]
    for item in evidence:
        assert (item, judge(item)) in kept


def test_evidence_moved_to_another_session_does_not_open(uow: UnitOfWork) -> None:
    sessions = [open_session(uow) for _ in range(2)]
    for session in sessions:
        evidence = make_evidence(store_citizen(uow))
        uow.verifications.complete(session, evidence, judge(evidence))
    rows = verification.c.verification_id
    sealed = uow.connection.execute(
        select(verification.c.evidence_sealed).where(rows == sessions[0].verification_id)
    ).scalar_one()
    uow.connection.execute(
        update(verification)
        .where(rows == sessions[1].verification_id)
        .values(evidence_sealed=sealed)
    )
    stored = {
        each.verification_id: each for each in uow.stored_verdicts.list_after(None, limit=10_000)
    }
    first, second = (stored[each.verification_id] for each in sessions)
    assert first.evidence is not None
    assert (second.evidence, second.judged, second.erased_at) == (None, None, None)


def test_of_many_requests_one_gets_the_session(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    with database.transaction() as uow:
        session = open_session(uow)

    def claim(claimant: Claimant) -> bool:
        with database.transaction() as uow:
            return uow.verifications.claim(session, claimant, at=NOW)

    claimants = [Claimant(request_id=uuid4(), body_digest=b"\x03" * 32) for _ in range(8)]
    answers = race([partial(claim, claimant) for claimant in claimants])
    assert sorted(answers) == [False] * 7 + [True]
    winner = claimants[answers.index(True)]
    assert claim(winner)
