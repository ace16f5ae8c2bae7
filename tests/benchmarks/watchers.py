"""What agencies cost that watch for changed contacts while nothing changes.

Owns the run. Each watcher is an agency of its own on a connection of its own, as they would be.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import grpc

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.storage.database import UnitOfWork
from subid.v1 import contact_service_pb2 as pb
from subid.v1 import contact_service_pb2_grpc
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.processor_time import processor_time
from tests.benchmarks.running import Target, running_target

WATCHERS = 1_000
IDLE_S = 60.0
GOAL = 0.05
"""Of one core."""

_AT_ONCE = 20
"""Connections made at a time."""

_LEGAL_BASIS = "Law 26/2023/QH15, art. 10"


def idle_watchers(watchers: int = WATCHERS, seconds: float = IDLE_S) -> Benchmark:
    """What idle watches take of a core, more than no watches."""
    names = [f"idle-{number}" for number in range(watchers)]

    def register(uow: UnitOfWork) -> None:
        grant = Grant(
            purpose=Purpose.SERVICE_DELIVERY,
            legal_bases=frozenset({_LEGAL_BASIS}),
            rights=frozenset({Right.CONTACT_CHANGES}),
            people_per_day_max=1_000,
        )
        for name in names:
            agency = Agency(name=name, is_active=True, grants=(grant,))
            uow.agencies.save(agency, by="regulator:benchmark", at=datetime.now(UTC))

    with running_target(register) as target:
        before = _share(target, seconds / 2)
        waiting = asyncio.run(_share_while_watching(target, names, seconds))
        nobody = (before + _share(target, seconds / 2)) / 2
    return benchmark(
        "idle_watchers",
        ratio=waiting - nobody,
        goal=GOAL,
        times_ms=[1000 * seconds],
        notes=(
            f"of one core, server and database together, that {watchers} agencies take that watch"
            f" while nothing changes: {100 * waiting:.2f} % against {100 * nobody:.2f} % with"
            f" nobody there, in {seconds:.0f} s, at most"
        ),
        is_at_most=True,
    )


def _share(target: Target, seconds: float) -> float:
    """What a target takes of a core while nobody calls."""
    before = processor_time(target)
    time.sleep(seconds)
    return (processor_time(target) - before).total_s / seconds


async def _share_while_watching(target: Target, names: list[str], seconds: float) -> float:
    async with AsyncExitStack() as watching:
        turn = asyncio.Semaphore(_AT_ONCE)
        watches = await asyncio.gather(*(_watch(target, name, turn, watching) for name in names))
        await asyncio.sleep(seconds / 6)  # connections are made, and what that left is done
        before, began_at = processor_time(target), time.perf_counter()
        await asyncio.sleep(seconds)
        taken, passed_s = processor_time(target) - before, time.perf_counter() - began_at
        if any(watch.done() for watch in watches):
            raise AssertionError("every watch is under way")
    return taken.total_s / passed_s


_Watch = grpc.aio.UnaryStreamCall[pb.WatchContactChangesRequest, pb.WatchContactChangesResponse]


async def _watch(
    target: Target, name: str, turn: asyncio.Semaphore, watching: AsyncExitStack
) -> _Watch:
    """Begin a watch that goes on until the block ends."""
    async with turn:
        credentials = target.credentials(Caller(Role.AGENCY, name))
        channel = grpc.aio.secure_channel(target.address, credentials)
        await watching.enter_async_context(channel)
        stub = contact_service_pb2_grpc.ContactServiceStub(channel)
        watch: _Watch = stub.WatchContactChanges(pb.WatchContactChangesRequest())
        await watch.read()
        return watch
