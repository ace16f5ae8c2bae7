"""How fast contacts are looked up, against what gRPC itself costs."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from statistics import median

import grpc

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.storage.database import UnitOfWork
from subid.v1 import agency_pb2, contact_service_pb2, contact_service_pb2_grpc
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.running import Target, fill_with_citizens, personal_ids, running_target
from tests.benchmarks.server_process import EMPTY_METHOD

CONCURRENCY = 64
"""Calls in flight: an agency's busy server."""

LEGAL_BASIS = "Law 26/2023/QH15, art. 10"
GROUNDS = agency_pb2.Grounds(purpose=agency_pb2.PURPOSE_SERVICE_DELIVERY, legal_basis=LEGAL_BASIS)
ASKING = Caller(Role.AGENCY, "benchmark")

ROUND_S = 2.0
ROUNDS = 7
"""Rounds of each kind, in turn, so that a slow moment of the machine hits both."""

BATCH_SIZE = 1_000

Ask = Callable[[], Awaitable[object]]


def get_contact() -> Benchmark:
    """Throughput of GetContact against an empty unary method on the same server."""
    with running_target(fill_with_citizens_and_agency) as target:
        empty, contact, times_ms = asyncio.run(_compare_with_empty(target))
    return benchmark(
        "get_contact",
        ratio=median(c / e for c, e in zip(contact, empty, strict=True)),
        goal=0.7,
        times_ms=times_ms,
        notes=(
            f"GetContact {median(contact):.0f}/s of an empty method's {median(empty):.0f}/s, at "
            f"least; each look-up audited; {CONCURRENCY} in flight"
        ),
    )


def batch_get_contacts() -> Benchmark:
    """People per second of BatchGetContacts against GetContact: one caller, one call at a time."""
    with running_target(fill_with_citizens_and_agency) as target:
        single, batch, times_ms = asyncio.run(_compare_with_batch(target))
    return benchmark(
        "batch_get_contacts",
        ratio=median(b / s for b, s in zip(batch, single, strict=True)),
        goal=20,
        times_ms=times_ms,
        notes=(
            f"people/s of BatchGetContacts({BATCH_SIZE}) {median(batch):.0f} against GetContact "
            f"{median(single):.0f}, at least; one call in flight each"
        ),
    )


def fill_with_citizens_and_agency(uow: UnitOfWork) -> None:
    """Citizens with a primary number each, and an agency that may have their numbers."""
    fill_with_citizens(uow)
    grant = Grant(
        purpose=Purpose.SERVICE_DELIVERY,
        legal_bases=frozenset({LEGAL_BASIS}),
        rights=frozenset({Right.NUMBER}),
        people_per_day_max=1_000_000_000,
    )
    agency = Agency(name=ASKING.name, is_active=True, grants=[grant])
    uow.agencies.save(agency, by="benchmark", at=datetime.now(UTC))


async def _compare_with_empty(target: Target) -> tuple[list[float], list[float], list[float]]:
    async with _channel(target) as channel:
        call_empty: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            EMPTY_METHOD
        )
        ask_contact = _ask_contact(channel)
        times_ms: list[float] = []
        await _throughput(ask_contact, CONCURRENCY, [])  # warm-up
        empty, contact = [], []
        for _ in range(ROUNDS):
            empty.append(await _throughput(lambda: call_empty(b""), CONCURRENCY, []))
            contact.append(await _throughput(ask_contact, CONCURRENCY, times_ms))
    return empty, contact, times_ms


async def _compare_with_batch(target: Target) -> tuple[list[float], list[float], list[float]]:
    async with _channel(target) as channel:
        ask_contact = _ask_contact(channel)
        ask_batch = _ask_batch(channel)
        times_ms: list[float] = []
        await _throughput(ask_batch, 1, [])  # warm-up
        single, batch = [], []
        for _ in range(ROUNDS):
            single.append(await _throughput(ask_contact, 1, []))
            batch.append(BATCH_SIZE * await _throughput(ask_batch, 1, times_ms))
    return single, batch, times_ms


def _channel(target: Target) -> grpc.aio.Channel:
    credentials = target.credentials(ASKING)
    return grpc.aio.secure_channel(target.address, credentials)


def _ask_contact(channel: grpc.aio.Channel) -> Ask:
    stub = contact_service_pb2_grpc.ContactServiceStub(channel)
    people = personal_ids()
    generator = random.Random(1)

    def ask() -> Awaitable[object]:
        request = contact_service_pb2.GetContactRequest(
            personal_id=generator.choice(people),
            grounds=GROUNDS,
        )
        answer: Awaitable[object] = stub.GetContact(request)
        return answer

    return ask


def _ask_batch(channel: grpc.aio.Channel) -> Ask:
    stub = contact_service_pb2_grpc.ContactServiceStub(channel)
    people = personal_ids()
    generator = random.Random(2)

    def ask() -> Awaitable[object]:
        request = contact_service_pb2.BatchGetContactsRequest(
            personal_ids=generator.sample(people, BATCH_SIZE),
            grounds=GROUNDS,
        )
        answer: Awaitable[object] = stub.BatchGetContacts(request)
        return answer

    return ask


async def _throughput(ask: Ask, concurrency: int, times_ms: list[float]) -> float:
    """Calls per second over a round; the time of each is added to `times_ms`."""
    ends_at = time.perf_counter() + ROUND_S
    counts = await asyncio.gather(*[_ask_until(ends_at, ask, times_ms) for _ in range(concurrency)])
    return sum(counts) / ROUND_S


async def _ask_until(ends_at: float, ask: Ask, times_ms: list[float]) -> int:
    count = 0
    while (began_at := time.perf_counter()) < ends_at:
        await ask()
        times_ms.append(1000 * (time.perf_counter() - began_at))
        count += 1
    return count
