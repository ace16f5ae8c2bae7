"""What is judged is judged to its end, and takes a place of its caller's share until then."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError, VerificationNotFoundError
from identity.rpc.judging import Examined, Judging, SessionUse
from identity.rpc.load import CallerLoad, Shares
from identity.rpc.waiting import Waiting
from identity.services.clock import SystemClock
from identity.storage.database import Database, UnitOfWork
from identity.storage.verifications import Claimant, Session
from subid.v1 import verification_service_pb2 as pb
from tests.integration.wire import new_id
from tests.unit.identity.makers import make_call
from tests.unit.identity.rpc.test_directive_pull import make_edge

LOUD, QUIET = Caller(Role.OPERATOR, "loud"), Caller(Role.OPERATOR, "quiet")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def claim(_uow: UnitOfWork, _claimant: Claimant) -> Session:
    raise VerificationNotFoundError("no such session")


def record(
    _uow: UnitOfWork, _session: Session, _found: Examined
) -> pb.CompleteVerificationResponse:
    raise AssertionError("no session, no verdict")


USE = SessionUse(claim=claim, record=record, response_type=pb.CompleteVerificationResponse)


async def judged(judging: Judging, load: CallerLoad, *, caller: Caller = LOUD) -> None:
    """One call, as the guard surrounds it."""
    request = pb.CompleteVerificationRequest(request_id=new_id())
    with load.hold(caller, is_stream=False):
        await judging.judge(request, make_call(caller.name, at=datetime.now(UTC)), USE)


async def test_a_caller_that_goes_away_keeps_its_place_until_what_it_began_has_ended(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    judging = Judging(make_edge(database, SystemClock(), threads, Waiting()))
    load, may_go_on = CallerLoad(Shares(calls_max=1)), threading.Event()
    threads.submit(may_go_on.wait)
    others = asyncio.all_tasks()
    try:
        call = asyncio.create_task(judged(judging, load))
        await asyncio.sleep(0)  # it runs until it waits for its work, which has begun by then
        (work,) = asyncio.all_tasks() - others - {call}
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        assert not work.done()
        with pytest.raises(OverloadedError):
            await judged(judging, load)
        with load.hold(QUIET, is_stream=False):
            pass
    finally:
        may_go_on.set()
    await asyncio.wait({work})
    with pytest.raises(VerificationNotFoundError):
        await judged(judging, load)
