"""The clock at the edge: a real one is not moved, a simulated one only forward."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Engine

from biometrics.chip.report import ChipReport
from identity.domain.calendar_date import day_of
from identity.domain.caller import Caller, Role
from identity.domain.errors import (
    ClockBackwardsError,
    InstantInFutureError,
    WaveNotFoundError,
    WaveNotReadyError,
)
from identity.domain.policy_book import PolicyBook
from identity.domain.settlement import Change
from identity.rpc.edge import Edge
from identity.rpc.enforcement_servicer import EnforcementServicer
from identity.rpc.wave_servicer import WaveServicer
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.clock import Clock, SimulatedClock, SystemClock
from identity.services.execute_wave import execute_slices
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.settle_subscriptions import settle_subscription
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import wave_service_pb2 as wave_pb
from tests.integration.wire import new_id
from tests.unit.identity.makers import (
    actions,
    make_operator,
    policies,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.wave_country import empty, make_country


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def edge(database: Database, clock: Clock, threads: ThreadPoolExecutor) -> Edge:
    def no_chip(*_arguments: object, **_options: object) -> ChipReport:
        raise AssertionError("enforcement examines no chip")

    return Edge(
        transactions=Transactions(database),
        clock=clock,
        examine_chip=no_chip,  # type: ignore[arg-type] # it is never called
        faces=FacePool(make_face_setup(models_directory=Path()), worker_count=1),
        threads=threads,
    )


def servicer(
    database: Database, clock: Clock, threads: ThreadPoolExecutor, book: PolicyBook | None = None
) -> EnforcementServicer:
    return EnforcementServicer(edge(database, clock, threads), book or policies())


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


def test_days_that_nobody_ran_are_not_run_one_after_another_in_a_minute(
    quiet_engine: Engine, vault: Vault, threads: ThreadPoolExecutor
) -> None:
    empty(quiet_engine)
    now = datetime.now(UTC)
    edge = servicer(Database(quiet_engine, vault), SystemClock(), threads)
    for age in (timedelta(days=60), timedelta(hours=1, seconds=1)):
        with pytest.raises(ClockBackwardsError, match="hour ago"):
            edge.AdvanceEnforcement(request(now - age), call_at(now))
    as_of = now - timedelta(minutes=59)
    run = edge.AdvanceEnforcement(request(as_of), call_at(now))
    assert run.as_of_time.ToDatetime(UTC) == as_of


def test_a_run_of_another_day_follows_the_rules_of_that_day(
    quiet_engine: Engine, vault: Vault, threads: ThreadPoolExecutor
) -> None:
    empty(quiet_engine)
    database = Database(quiet_engine, vault)
    now = datetime.now(UTC)
    then = now + timedelta(days=3)
    clock = SimulatedClock(now)
    book = with_a_stricter_pack(from_=then)
    with database.transaction() as uow:
        item = store_number(uow, store_citizen(uow), verified_at=None)
        settle_subscription(uow, call_at(now), item, Change(before=item.service_state))
    run = servicer(database, clock, threads, book).AdvanceEnforcement(request(then), call_at(now))
    assert run.as_of_time.ToDatetime(UTC) == then
    with database.transaction() as uow:
        (case,) = uow.cases.list_open([item])[item.subscription_id]
    assert case.policy_version == "later"


def with_a_stricter_pack(*, from_: datetime) -> PolicyBook:
    """The shipped packs, and a retroactive one from a day on."""
    shipped = policies().packs
    first = next(pack for pack in shipped if "T2" in pack.tracks)
    tracks = {name: replace(each, policy_version="later") for name, each in first.tracks.items()}
    later = replace(
        first, version="later", effective_on=day_of(from_), is_retroactive=True, tracks=tracks
    )
    return PolicyBook([*shipped, later])


def test_a_run_as_of_a_day_without_rules_is_refused_as_too_early(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ClockBackwardsError, match="no rules"):
        servicer(database, SystemClock(), threads).AdvanceEnforcement(
            request(datetime(2026, 4, 1, tzinfo=UTC)), call_at(now)
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


def test_what_goes_in_parts_is_on_record_when_it_is_refused(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    now = datetime.now(UTC)
    call = replace(call_at(now), caller=Caller(Role.REGULATOR, make_operator()))
    here = edge(database, SystemClock(), threads)
    waves, enforcement = WaveServicer(here), EnforcementServicer(here, policies())
    wave_id = new_id()
    execution = wave_pb.ExecuteWaveRequest(request_id=new_id(), wave_id=wave_id, slice_count_max=1)
    revert = wave_pb.RevertWaveRequest(request_id=new_id(), wave_id=wave_id, reason="a mistake")
    with pytest.raises(WaveNotFoundError):
        waves.ExecuteWave(execution, call)
    with pytest.raises(WaveNotFoundError):
        waves.RevertWave(revert, call)
    with pytest.raises(InstantInFutureError):
        enforcement.AdvanceEnforcement(request(now + timedelta(seconds=1)), call)
    with database.transaction() as uow:
        assert actions(uow.connection, call.caller) == [
            ("subid.v1.ExecuteWaveRequest", "WAVE_NOT_FOUND"),
            ("subid.v1.RevertWaveRequest", "WAVE_NOT_FOUND"),
            ("subid.v1.AdvanceEnforcementRequest", "INSTANT_IN_FUTURE"),
        ]


def test_a_copy_that_comes_too_late_gets_the_answer_of_the_one_that_was_quicker(
    database: Database, threads: ThreadPoolExecutor
) -> None:
    now = datetime.now(UTC)
    here, call, asked = edge(database, SystemClock(), threads), call_at(now), request(now)
    given = pb.AdvanceEnforcementResponse(step_count=3)

    def too_late() -> None:
        here.answer_once(asked, call, lambda _uow: given, pb.AdvanceEnforcementResponse)
        raise WaveNotReadyError("the other copy has ended it")

    def never(_uow: UnitOfWork, _done: None) -> pb.AdvanceEnforcementResponse:
        raise AssertionError("it was answered already")

    response = pb.AdvanceEnforcementResponse
    assert here.answer_in_parts(asked, call, too_late, never, response) == given


def test_a_wave_that_was_cut_off_after_its_last_slice_is_answered_by_the_same_request(
    quiet_engine: Engine, vault: Vault, threads: ThreadPoolExecutor
) -> None:
    country = make_country(quiet_engine, vault)
    wave = country.approved()
    waves = WaveServicer(edge(country.transactions.database, SystemClock(), threads))
    asked = wave_pb.ExecuteWaveRequest(
        request_id=new_id(), wave_id=str(wave.wave_id), slice_count_max=9
    )
    execute_slices(country.transactions, country.call(), wave.wave_id, slice_count_max=9)
    first = waves.ExecuteWave(asked, country.call())
    assert first.wave.state == wave_pb.WAVE_STATE_COMPLETED
    assert waves.ExecuteWave(asked, country.call()) == first
    asked.request_id = new_id()
    with pytest.raises(WaveNotReadyError):
        waves.ExecuteWave(asked, country.call())
