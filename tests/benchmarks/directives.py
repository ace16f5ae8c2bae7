"""What orders cost on their way to operators and back, and what operators cost that have none.

Owns the two runs. Everything is on the wire but the orders themselves, which a statement makes: how
they come about is `enforcement.py`'s. The clients are processes of their own: as threads of one a
directive takes them twice the processor time (17 to 22 µs, not 9 to 10; n = 20,000).
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import grpc
from sqlalchemy import text

from identity import bootstrap
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.security.certificates import load_or_create_authority
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import enforcement_service_pb2_grpc
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.operator_client import Drained, OperatorClient
from tests.benchmarks.processor_time import ProcessorTime, processor_time
from tests.benchmarks.registry import empty_target, fill
from tests.benchmarks.running import Target

OPERATORS = tuple(f"operator-{number}" for number in range(4))
ORDERS = 400_000
LEASE = 10_000
"""The most that a pull may ask for."""

RATE_GOAL = 20_000

IDLE_OPERATORS = 200
IDLE_S = 60
"""Two pulls of the longest wait, and six looks of each."""

IDLE_GOAL = 0.01
"""Of one core."""

_WAIT_S = 30

_ORDER = text(
    "INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind, causes,"
    " policy_version, track, upcoming_kind, upcoming_at, state, created_at, due_at)"
    " SELECT msisdn_key, gen_random_uuid(), subscription_id, operator_id, :kind, '{unverified}',"
    " 'vn-2026-04-15', 'T2', 'suspend', CAST(:at AS timestamptz) + interval '60 days', 'pending',"
    " :at, CAST(:at AS timestamptz) + interval '1 day' FROM subscription ORDER BY subscription_id"
)


def directives(orders: int = ORDERS) -> Benchmark:
    """Directives a second that four operators pull and acknowledge at once, of 20,000."""
    with empty_target() as target:
        for place, name in enumerate(OPERATORS):
            share = orders // len(OPERATORS)
            fill(target, place * share, share, operator=Caller(Role.OPERATOR, name))
        notices = _round(target, "notify")
        blocks = _round(target, "block_outgoing")
    pulls = [each for one in blocks.drained for each in one.pulls_s]
    acknowledgements = [each for one in blocks.drained for each in one.acknowledgements_s]
    return benchmark(
        "directives",
        ratio=blocks.rate / RATE_GOAL,
        goal=1,
        times_ms=[1000 * each for each in [*pulls, *acknowledgements]],
        notes=(
            f"{blocks.rate:.0f} blocks/s pulled and acknowledged, signed, by {len(OPERATORS)}"
            f" operators at once in leases of up to {LEASE}, of {RATE_GOAL}, at least"
            f" ({blocks.cost}); notices with their words {notices.rate:.0f}/s ({notices.cost})"
        ),
    )


def idle_operators(operators: int = IDLE_OPERATORS, seconds: float = IDLE_S) -> Benchmark:
    """What waiting pulls of operators without orders take of a core, more than no operators."""
    with empty_target() as target:
        asyncio.run(_wait(target, OPERATORS, 1))  # what is loaded at first use
        without = [_share(target, seconds / 2)]
        waiting = asyncio.run(_share_while_waiting(target, operators, seconds))
        without.append(_share(target, seconds / 2))
    nobody = sum(without) / len(without)
    return benchmark(
        "idle_operators",
        ratio=waiting - nobody,
        goal=IDLE_GOAL,
        times_ms=[1000 * seconds],
        notes=(
            f"of one core, server and database together, that {operators} operators take who wait"
            f" for directives and get none: {100 * waiting:.2f} % against {100 * nobody:.2f} %"
            f" with nobody there, in {seconds:.0f} s, at most"
        ),
        is_at_most=True,
    )


class _Round:
    """What one emptying of all queues took.

    Attributes:
        drained: What each operator did.
        rate: Directives a second, of all together.
        cost: What each directive took of a core, in words.
    """

    def __init__(self, drained: Sequence[Drained], seconds: float, taken: ProcessorTime) -> None:
        count = sum(each.count for each in drained)
        clients_s = sum(each.cpu_s for each in drained)
        self.drained = drained
        self.rate = count / seconds
        self.cost = (
            f"each {1e6 * taken.server_s / count:.0f} µs of the server,"
            f" {1e6 * taken.database_s / count:.0f} of PostgreSQL,"
            f" {1e6 * clients_s / count:.0f} of its client"
        )


def _round(target: Target, kind: str) -> _Round:
    """Order something of every number, and have it executed."""
    ordered = _order(target, kind)
    clients = [_client(target, name) for name in OPERATORS]
    with _processes() as processes:
        before = processor_time(target)
        began_at = time.perf_counter()
        drained = list(processes.map(OperatorClient.drain, clients))
        seconds = time.perf_counter() - began_at
        taken = processor_time(target) - before
    if sum(each.count for each in drained) != ordered:
        raise AssertionError("every order is executed once")
    return _Round(drained, seconds, taken)


@contextmanager
def _processes() -> Iterator[ProcessPoolExecutor]:
    """A process for each operator, ready."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(OPERATORS), mp_context=spawn) as processes:
        list(processes.map(time.sleep, [1] * len(OPERATORS)))
        yield processes


def _order(target: Target, kind: str) -> int:
    """Order the same of every number; how many there are."""
    with bootstrap.open_database(Settings(state=target.state)) as database:
        with database.engine.begin() as connection:
            at = datetime.now(UTC)
            ordered = connection.execute(_ORDER, {"kind": kind, "at": at}).rowcount
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("VACUUM ANALYZE directive, subscription"))
            connection.execute(text("CHECKPOINT"))
    return ordered


def _client(target: Target, name: str) -> OperatorClient:
    now = datetime.now(UTC)
    authority = load_or_create_authority(target.state / "certificates", at=now)
    issued = authority.issue_caller(Caller(Role.OPERATOR, name), at=now)
    return OperatorClient(
        address=target.address,
        authority=authority.certificate_pem,
        certificate=issued.certificate,
        private_key=issued.private_key,
        batch_size=LEASE,
    )


def _share(target: Target, seconds: float) -> float:
    """What a target takes of a core while nobody calls."""
    before = processor_time(target)
    time.sleep(seconds)
    return (processor_time(target) - before).total_s / seconds


async def _share_while_waiting(target: Target, operators: int, seconds: float) -> float:
    """What it takes while operators wait, who are there already."""
    names = [f"idle-{number}" for number in range(operators)]
    waiting = asyncio.create_task(_wait(target, names, seconds + 2 * _WAIT_S))
    await asyncio.sleep(_WAIT_S)  # connections are made, and pulls no longer end together
    before, began_at = processor_time(target), time.perf_counter()
    await asyncio.sleep(seconds)
    taken, passed_s = processor_time(target) - before, time.perf_counter() - began_at
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return taken.total_s / passed_s


async def _wait(target: Target, names: Sequence[str], seconds: float) -> None:
    """Have operators wait for directives, pull after pull."""
    ends_at = time.monotonic() + seconds
    await asyncio.gather(*(_wait_as(target, name, ends_at) for name in names))


async def _wait_as(target: Target, name: str, ends_at: float) -> None:
    credentials = target.credentials(Caller(Role.OPERATOR, name))
    async with grpc.aio.secure_channel(target.address, credentials) as channel:
        stub = enforcement_service_pb2_grpc.EnforcementServiceStub(channel)
        while (left_s := ends_at - time.monotonic()) > 0:
            request = pb.PullDirectivesRequest(request_id=str(uuid4()), directive_count_max=LEASE)
            request.wait_duration.FromSeconds(min(_WAIT_S, int(left_s)))
            lease = await stub.PullDirectives(request)
            if lease.directives:
                raise AssertionError("nobody has ordered anything")
