"""Operators who register numbers at a rate of their own, whether they are answered or not.

Owns the cheapest client that does so: a process for each, bodies made before, answers not read.
Knows no registry.
"""

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

import grpc

from subid.v1 import subscription_service_pb2 as pb
from subid.v1.date_pb2 import Date
from tests.benchmarks.running import CITIZEN_COUNT, personal_id
from tests.integration.wire import Refused

TICK_S = 0.005
UNANSWERED_MAX = 2_000
"""Calls that one client has under way at most: what it would send beyond them counts as not
offered."""

STRIDE = 7
"""From one person to the next; has no divisor in common with how many there are."""

_Call: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"

METHOD = "/subid.v1.SubscriptionService/RegisterSubscription"


@dataclass(kw_only=True)
class Answers:
    """What came of a client's calls.

    Attributes:
        offered: Calls sent.
        times_ms: How long each that was done took.
        refused_ms: How long each took that was refused for overload.
        others: Other refusals, by status.
        insisted_ms: How long each registration of `insist` took, from its first call to the end of
            the one that was done.
    """

    offered: int = 0
    times_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    insisted_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class OverloadClient:
    """Who calls, and where.

    Attributes:
        address: Of the server.
        authority: The certificate that the server's is by: PEM.
        certificate: The operator's own: PEM.
        private_key: Its key: PEM.
        numbers_from: The first of its numbers, of nine digits.
    """

    address: str
    authority: bytes
    certificate: bytes
    private_key: bytes = field(repr=False)
    numbers_from: int

    def keep_busy(self, concurrency: int, seconds: float) -> Answers:
        """So many calls at any time: what the service can do."""
        return asyncio.run(self._keep_busy(concurrency, seconds))

    def offer(self, rate: float, seconds: float) -> Answers:
        """So many calls a second, come what may."""
        return asyncio.run(self._offer(rate, seconds))

    def insist(self, desks: int, seconds: float) -> Answers:
        """So many desks with one registration after the other, which come again when told to."""
        return asyncio.run(self._insist(desks, seconds))

    async def _keep_busy(self, concurrency: int, seconds: float) -> Answers:
        answers = Answers()
        async with self._channel() as channel:
            call: _Call = channel.unary_unary(METHOD)
            ends_at = time.perf_counter() + seconds

            async def one_after_the_other(place: int) -> None:
                number = self.numbers_from + place * 100_000
                while time.perf_counter() < ends_at:
                    number += 1
                    await _send(call, _body(number), answers)

            await asyncio.gather(*map(one_after_the_other, range(concurrency)))
        return answers

    async def _offer(self, rate: float, seconds: float) -> Answers:
        answers = Answers()
        async with self._channel() as channel:
            call: _Call = channel.unary_unary(METHOD)
            under_way: set[asyncio.Task[grpc.aio.AioRpcError | None]] = set()
            began_at = time.perf_counter()
            sent = 0
            while (passed_s := time.perf_counter() - began_at) < seconds:
                due = int(rate * passed_s)
                for number in range(sent, min(due, sent + UNANSWERED_MAX - len(under_way))):
                    body = _body(self.numbers_from + number)
                    task = asyncio.create_task(_send(call, body, answers))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                sent = due
                await asyncio.sleep(TICK_S)
            # What was sent too late to be answered in the round is not counted either way.
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        return answers

    async def _insist(self, desks: int, seconds: float) -> Answers:
        answers = Answers()
        async with self._channel() as channel:
            call: _Call = channel.unary_unary(METHOD)

            async def one_after_the_other(place: int) -> None:
                for number in itertools.count(self.numbers_from + place * 1_000):
                    body, began_at = _body(number), time.perf_counter()
                    error = await _send(call, body, answers)
                    while error is not None and _is_for_later(error):
                        await asyncio.sleep(Refused.of(error).retry_after_s or 0)
                        error = await _send(call, body, answers)
                    if error is None:
                        answers.insisted_ms.append(1000 * (time.perf_counter() - began_at))

            at_work = [asyncio.create_task(one_after_the_other(place)) for place in range(desks)]
            _, at_work_still = await asyncio.wait(at_work, timeout=seconds)
            for task in at_work_still:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)
        return answers

    def _channel(self) -> grpc.aio.Channel:
        credentials = grpc.ssl_channel_credentials(
            self.authority, self.private_key, self.certificate
        )
        return grpc.aio.secure_channel(self.address, credentials)


async def _send(call: "_Call", body: bytes, answers: Answers) -> grpc.aio.AioRpcError | None:
    """Send a call; returns what was said instead of an answer."""
    answers.offered += 1
    began_at = time.perf_counter()
    try:
        await call(body)
    except grpc.aio.AioRpcError as error:
        if _is_for_later(error):
            answers.refused_ms.append(1000 * (time.perf_counter() - began_at))
        else:
            answers.others[error.code().name] += 1
        return error
    answers.times_ms.append(1000 * (time.perf_counter() - began_at))
    return None


def _is_for_later(error: grpc.aio.AioRpcError) -> bool:
    return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def _body(number: int) -> bytes:
    # People whom the register knows, not one after the other: who asks about nobody is stopped.
    # The four clients are never at the same people.
    person = number * STRIDE + number // 1_000_000 * (CITIZEN_COUNT // 4)
    holder = pb.HolderClaim(
        personal_id=personal_id(person % CITIZEN_COUNT),
        full_name="Nguyễn Văn An",
        birth_date=Date(year=1990, month=1, day=1),
    )
    return pb.RegisterSubscriptionRequest(
        request_id=str(uuid4()), msisdn=f"+84{number:09d}", holder=holder
    ).SerializeToString()
