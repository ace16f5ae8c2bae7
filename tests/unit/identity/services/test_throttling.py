"""Verifications that fail again and again, and who waits for it: not the true holder elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from identity.domain.caller import Role
from identity.domain.errors import VerificationChannelClosedError, VerificationThrottledError
from identity.domain.holder import PopulationRecord
from identity.domain.subscription import Subscription
from identity.domain.throttle import Attempts
from identity.domain.verification import FaceEvidence, VerdictState
from identity.services.call import Call
from identity.services.complete_verification import claim_session, record_verdict
from identity.services.throttling import take_attempt
from identity.services.transactions import Transactions
from identity.services.verification_sessions import start_verification
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.verifications import Claimant, Session
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_chip,
    make_face,
    make_session,
    store_citizen,
    store_number,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
def holder(uow: UnitOfWork) -> PopulationRecord:
    return store_citizen(uow)


@pytest.fixture
def number(uow: UnitOfWork, holder: PopulationRecord) -> Subscription:
    return store_number(uow, holder)


def shop(number: Subscription, *, at: datetime = NOW) -> Call:
    return make_call(number.operator_id, at=at)


def app(number: Subscription, *, at: datetime = NOW) -> Call:
    call = make_call("vneid", role=Role.CITIZEN_APP, at=at)
    return replace(call, citizen=number.claim.personal_id)


def attempt(
    uow: UnitOfWork, call: Call, number: Subscription, face: FaceEvidence | None = None
) -> VerdictState:
    """A whole verification; by default with somebody else's face."""
    is_app = call.caller.role is Role.CITIZEN_APP
    session = start_verification(
        uow, call, number.msisdn, number.claim.personal_id if is_app else None
    )
    claimant = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
    claim_session(uow, call, session.verification_id, claimant)
    done = record_verdict(uow, call, session, make_chip(number.claim), face or make_face(0.55))
    return done.verdict.state


def fail(uow: UnitOfWork, call: Call, number: Subscription, *, times: int) -> None:
    for _ in range(times):
        assert attempt(uow, call, number) is VerdictState.NOT_VERIFIED


def set_count(uow: UnitOfWork, number: Subscription, channel: str, count: int) -> None:
    session = make_session(uow, number)
    uow.attempts.hold([session.citizen_key], channel)
    failed = Attempts(failed_count=count, last_at=NOW)
    uow.attempts.save({session.citizen_key: failed}, channel)


def test_after_five_failures_the_next_attempt_waits(uow: UnitOfWork, number: Subscription) -> None:
    fail(uow, shop(number), number, times=5)
    with pytest.raises(VerificationThrottledError) as refusal:
        attempt(uow, shop(number, at=NOW + 29 * SECOND), number)
    assert refusal.value.retry_after_s == 1
    later = shop(number, at=NOW + 30 * SECOND)
    assert attempt(uow, later, number) is VerdictState.NOT_VERIFIED
    with pytest.raises(VerificationThrottledError) as refusal:
        attempt(uow, later, number)
    assert refusal.value.retry_after_s == 60


def test_failures_in_a_shop_do_not_keep_the_holder_out_of_the_app(
    uow: UnitOfWork, number: Subscription
) -> None:
    fail(uow, shop(number), number, times=5)
    assert attempt(uow, app(number), number, make_face()) is VerdictState.VERIFIED
    # Once the holder is verified, the shop is open again as well.
    assert attempt(uow, shop(number), number) is VerdictState.NOT_VERIFIED


def test_a_closed_app_is_opened_by_a_verification_in_a_shop(
    uow: UnitOfWork, number: Subscription
) -> None:
    set_count(uow, number, "citizen-app", 50)
    with pytest.raises(VerificationChannelClosedError):
        attempt(uow, app(number, at=NOW + timedelta(days=1)), number)
    assert attempt(uow, shop(number), number, make_face()) is VerdictState.VERIFIED
    assert attempt(uow, app(number), number, make_face()) is VerdictState.VERIFIED


def test_failures_at_one_number_count_for_the_holders_others(
    uow: UnitOfWork, holder: PopulationRecord, number: Subscription
) -> None:
    other = store_number(uow, holder, operator_id=number.operator_id)
    fail(uow, shop(number), number, times=5)
    with pytest.raises(VerificationThrottledError):
        attempt(uow, shop(other), other)


def test_failures_at_a_number_stay_with_it_when_it_has_another_holder(
    uow: UnitOfWork, number: Subscription
) -> None:
    fail(uow, shop(number), number, times=5)
    session = make_session(uow, number, citizen_key=b"\x07" * 16)
    with pytest.raises(VerificationThrottledError):
        take_attempt(uow, shop(number), session)


def test_a_photograph_without_a_face_is_given_back(uow: UnitOfWork, number: Subscription) -> None:
    blank = replace(make_face(), dissimilarity=None, failure="NO_FACE")
    fail(uow, shop(number), number, times=4)
    for _ in range(3):
        done = attempt(uow, shop(number), number, blank)
        assert done is VerdictState.FAILURE_TO_ACQUIRE
    fail(uow, shop(number), number, times=1)
    with pytest.raises(VerificationThrottledError):
        attempt(uow, shop(number), number)


def test_the_same_request_come_again_is_one_attempt(uow: UnitOfWork, number: Subscription) -> None:
    fail(uow, shop(number), number, times=3)
    call = shop(number)
    session = start_verification(uow, call, number.msisdn, None)
    claimant = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
    for _ in range(4):
        claim_session(uow, call, session.verification_id, claimant)
    fail(uow, call, number, times=1)
    with pytest.raises(VerificationThrottledError):
        attempt(uow, call, number)


def test_of_many_attempts_at_once_on_two_servers_no_more_are_let_in(
    database: Database, database_url: str
) -> None:
    other = connect(database_url)
    servers = [Transactions(database), Transactions(Database(other, database.sealer))]
    number, sessions = servers[0].run(_open_ten)

    def take(place: int) -> bool:
        try:
            servers[place % 2].run(lambda uow: take_attempt(uow, shop(number), sessions[place]))
        except VerificationThrottledError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        let_in = list(threads.map(take, range(len(sessions))))
    other.dispose()
    assert let_in.count(True) == 5


def _open_ten(uow: UnitOfWork) -> tuple[Subscription, list[Session]]:
    number = store_number(uow, store_citizen(uow))
    return number, [make_session(uow, number) for _ in range(10)]
