"""The clock at the edge: a real one is not moved, a simulated one only forward."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from biometrics.chip.report import ChipReport
from identity.domain.caller import Caller, Role
from identity.domain.errors import ClockBackwardsError, InstantInFutureError
from identity.rpc.edge import Edge
from identity.rpc.enforcement_servicer import EnforcementServicer
from identity.services.call import Call
from identity.services.clock import Clock, SimulatedClock, SystemClock
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.transactions import Transactions
from identity.storage.database import Database
from subid.v1 import enforcement_service_pb2 as pb
from tests.integration.wire import new_id
from tests.unit.identity.makers import policies


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def servicer(database: Database, clock: Clock, threads: ThreadPoolExecutor) -> EnforcementServicer:
    def no_chip(*_arguments: object, **_options: object) -> ChipReport:
        raise AssertionError("enforcement examines no chip")

    edge = Edge(
        transactions=Transactions(database),
        clock=clock,
        examine_chip=no_chip,  # type: ignore[arg-type] # it is never called
        faces=FacePool(make_face_setup(models_directory=Path()), worker_count=1),
        threads=threads,
    )
    return EnforcementServicer(edge, policies())


def call_at(instant: datetime) -> Call:
    caller = Caller(Role.REGULATOR, "regulator")
    return Call(caller=caller, at=instant, rules=policies().at(instant))


def request(as_of: datetime) -> pb.AdvanceEnforcementRequest:
    instant = Timestamp()
    instant.FromDatetime(as_of)
    return pb.AdvanceEnforcementRequest(request_id=new_id(), as_of_time=instant)


def test_a_real_clock_takes_no_instant_after_now(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(InstantInFutureError):
        servicer(database, SystemClock(), threads).AdvanceEnforcement(
            request(now + timedelta(seconds=1)), call_at(now)
        )


def test_a_run_that_finds_its_clock_moved_further_is_told_so(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    now = datetime.now(UTC)
    clock = SimulatedClock(now)
    late = call_at(clock.now())
    clock.move_to(now + timedelta(hours=2))  # another run, in the meantime
    with pytest.raises(ClockBackwardsError):
        servicer(database, clock, threads).AdvanceEnforcement(
            request(now + timedelta(hours=1)), late
        )
    assert clock.now() == now + timedelta(hours=2)
