"""One run: settle a country, ask for a share of what it can do, look for what was said.

Owns the order and the pace. What a call is, what befalls the service and how it is told belong to
others.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from subid.v1 import subscription_service_pb2 as pb
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from telco_sim.load.caller import Call, Journal, Minute, insist
from telco_sim.load.country import CALLERS, OPERATOR, LoadedCountry
from telco_sim.load.plan import Fault, LoadPlan
from telco_sim.load.processes import ServiceProcesses
from telco_sim.server import enrol_callers
from telco_sim.wire import CallerKeys

TICK_S = 0.01
CAPACITY_CONCURRENCY = 32
FAULT_AT = 0.25
"""After this share of its minute a fault begins, so that the minute shows before and after."""

PAGE_SIZE = 1_000
LOOK_TIMEOUT_S = 120.0
_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One minute as it is reported.

    Attributes:
        capacity: Calls a second that were done just before, as many made as were answered.
        fault: What befell the service.
        calls: What came of the calls.
        memory_mb: The most private memory of the service that was seen.
    """

    capacity: float
    fault: Fault
    calls: Minute
    memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What became of the writes.

    Attributes:
        acknowledged: Writes that were answered.
        lost: Of them, those that are not there or answer differently now.
        in_doubt: Writes that were never answered.
        doubled: Numbers that are there more than once.
    """

    acknowledged: int
    lost: int
    in_doubt: int
    doubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRun:
    """All of it.

    Attributes:
        plan: What it was to be.
        minutes: One by one.
        searched: The search for the writes.
    """

    plan: LoadPlan
    minutes: Sequence[Told]
    searched: Searched


async def run_load(plan: LoadPlan, state: Path, *, say: Callable[[str], None]) -> LoadRun:
    """Run a plan against a service of its own.

    Args:
        plan: The plan.
        state: Absent or empty folder for all that the service keeps.
        say: Told what is being done.

    Raises:
        ServiceStartError: The service did not come up.
    """
    callers, trust_anchors = state / "callers", state / "trust-anchors"
    callers.mkdir(parents=True)
    trust_anchors.mkdir()
    enrol_callers(CALLERS, state=state, folder=callers)
    processes = ServiceProcesses(state, trust_anchors=trust_anchors, plan=plan)
    await asyncio.to_thread(processes.start)
    try:
        async with _channels(processes.address, callers) as channels:
            country = LoadedCountry(plan, channels)
            await country.settle()
            journal = Journal()
            minutes = []
            for number in range(plan.minutes):
                capacity = await _capacity(plan, country, journal)
                fault = plan.fault_of(number)
                say(f"minute {number + 1} of {plan.minutes}, {capacity:.0f} calls/s: {fault}")
                load = _Load(plan, country, journal, capacity=capacity)
                minutes.append(await load.minute(processes, fault))
                say(_in_one_line(minutes[-1].calls))
            say("looking for what was acknowledged")
            searched = await _search(country, journal, channels[OPERATOR])
    finally:
        await asyncio.to_thread(processes.stop)
    return LoadRun(plan=plan, minutes=minutes, searched=searched)


def _in_one_line(calls: Minute) -> str:
    refusals = (f"{count} {told}" for told, count in calls.refusals.most_common())
    refused = ", ".join(refusals) or "none"
    longest_ms = max(calls.times_ms, default=0.0)
    return (
        f"  {len(calls.times_ms)} of {calls.asked} calls answered, the longest after "
        f"{longest_ms:.0f} ms; attempts refused: {refused}"
    )


@asynccontextmanager
async def _channels(address: str, callers: Path) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    async with AsyncExitStack() as stack:
        channels = {}
        for caller in CALLERS:
            keys = CallerKeys.read(callers, name=caller.name)
            credentials = grpc.ssl_channel_credentials(
                keys.authority, keys.private_key, keys.certificate
            )
            channel = grpc.aio.secure_channel(address, credentials, options=_RECONNECT)
            channels[caller.name] = await stack.enter_async_context(channel)
        yield channels


async def _capacity(plan: LoadPlan, country: LoadedCountry, journal: Journal) -> float:
    """Calls a second, when each that is answered is followed by the next."""
    done = Minute()
    ends_s = time.monotonic() + plan.capacity_s

    async def one_after_the_other() -> None:
        while time.monotonic() < ends_s:
            await insist(country.draw(), patience_s=plan.patience_s, minute=done, journal=journal)

    await asyncio.gather(*[one_after_the_other() for _ in range(CAPACITY_CONCURRENCY)])
    return len(done.times_ms) / plan.capacity_s


class _Load:
    """Calls at a rate of their own, however long each takes."""

    def __init__(
        self, plan: LoadPlan, country: LoadedCountry, journal: Journal, *, capacity: float
    ) -> None:
        self._plan = plan
        self._country = country
        self._journal = journal
        self._capacity = capacity
        self._memory_mb = 0.0

    async def minute(self, processes: ServiceProcesses, fault: Fault) -> Told:
        """One minute, to the answer of its last call."""
        calls = Minute()
        befallen = asyncio.create_task(self._befall(processes, fault))
        await self._ask(calls, processes)
        await befallen
        return Told(
            capacity=self._capacity,
            fault=fault,
            calls=calls,
            memory_mb=round(self._memory_mb, 1),
        )

    async def _befall(self, processes: ServiceProcesses, fault: Fault) -> None:
        await asyncio.sleep(FAULT_AT * self._plan.minute_s)
        await processes.suffer(fault)

    async def _ask(self, calls: Minute, processes: ServiceProcesses) -> None:
        began_s, sent = time.monotonic(), 0
        rate = self._plan.share * self._capacity
        async with asyncio.TaskGroup() as group:
            while (passed_s := time.monotonic() - began_s) < self._plan.minute_s:
                due = int(rate * passed_s) - sent
                sent += due
                for _ in range(due):
                    group.create_task(self._call(self._country.draw(), calls))
                self._memory_mb = max(self._memory_mb, processes.memory_mb())
                await asyncio.sleep(TICK_S)

    async def _call(self, call: Call, calls: Minute) -> None:
        await insist(call, patience_s=self._plan.patience_s, minute=calls, journal=self._journal)


async def _search(country: LoadedCountry, journal: Journal, channel: grpc.aio.Channel) -> Searched:
    """Ask again for each write that was answered, and count the numbers that there are."""
    lost = 0
    for call, answer in journal.acknowledged:
        again = await call.method(call.request, timeout=LOOK_TIMEOUT_S)
        lost += again.SerializeToString(deterministic=True) != answer
    held = await _held(channel)
    expected = country.msisdns | {
        call.request.msisdn
        for call, _ in journal.acknowledged
        if isinstance(call.request, pb.RegisterSubscriptionRequest)
    }
    return Searched(
        acknowledged=len(journal.acknowledged),
        lost=lost + len(expected - held.keys()),
        in_doubt=len(journal.in_doubt),
        doubled=sum(count > 1 for count in held.values()),
    )


async def _held(channel: grpc.aio.Channel) -> Counter[str]:
    stub = SubscriptionServiceStub(channel)
    held: Counter[str] = Counter()
    token = ""
    while True:
        page = await stub.ListSubscriptions(
            pb.ListSubscriptionsRequest(page_size=PAGE_SIZE, page_token=token),
            timeout=LOOK_TIMEOUT_S,
        )
        held.update(each.msisdn for each in page.subscriptions)
        token = page.next_page_token
        if not token:
            return held
