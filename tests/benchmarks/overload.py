"""What is still done when far more is asked for than can be done.

Owns the runs: capacity first, then multiples of it. Clients are processes of their own and share
the machine with the service, so on two cores what they take is missing there.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from identity.domain.caller import Caller, Role
from identity.security.certificates import load_or_create_authority
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.overload_client import Answers, OverloadClient
from tests.benchmarks.running import Target, fill_with_citizens, running_target

CLIENTS = 4
CONCURRENCY = 2
"""Calls that a client has under way while capacity is measured: what the clients have together
keeps the request threads busy, and none is refused."""

ROUND_S = 8.0
TIMES = (1, 2, 5, 10)
GOODPUT_GOAL = 0.8

INSISTED_S = 30.0
"""Three times the longest delay that anybody is told."""

_PREFIXES = (90, 93, 94, 96, 97, 98)
"""Of mobile numbers, one for each round; 91 is that of the citizens who are there."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One multiple.

    Attributes:
        times: Of the capacity.
        offered: Calls a second that were really sent.
        done: Calls a second that were done.
        times_ms: How long each of them took.
        refused_ms: How long each refusal took.
        others: How many calls ended otherwise, by status.
    """

    times: int
    offered: float
    done: float
    times_ms: Sequence[float]
    refused_ms: Sequence[float]
    others: Counter[str]

    def __str__(self) -> str:
        p50, p99 = np.percentile(self.times_ms, [50, 99])
        said = f"{self.times}x: {self.offered:.0f}/s sent, {self.done:.0f}/s done"
        said += f" (p50 {p50:.0f}, p99 {p99:.0f} ms, n = {len(self.times_ms)})"
        if self.refused_ms:
            p50, p99 = np.percentile(self.refused_ms, [50, 99])
            said += f", refused p50 {p50:.0f}, p99 {p99:.0f} ms, n = {len(self.refused_ms)}"
        return said + "".join(f", {count} {status}" for status, count in self.others.items())


class _Crowd:
    """Clients that do the same at once, each round with numbers that are new."""

    def __init__(self, target: Target, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._target = target
        self._round = 0

    def keep_busy(self, seconds: float) -> Sequence[Answers]:
        """All of them, as fast as they are answered."""
        begun = [
            self._pool.submit(each.keep_busy, CONCURRENCY, seconds) for each in self._clients()
        ]
        return [each.result() for each in begun]

    def offer(self, rate: float) -> Sequence[Answers]:
        """So many calls a second of all together."""
        begun = [self._pool.submit(each.offer, rate / CLIENTS, ROUND_S) for each in self._clients()]
        return [each.result() for each in begun]

    def insist(self, desks: int) -> Sequence[Answers]:
        """So many desks of all together, each of which comes again when it is told to."""
        begun = [
            self._pool.submit(each.insist, desks // CLIENTS, INSISTED_S) for each in self._clients()
        ]
        return [each.result() for each in begun]

    def _clients(self) -> Iterator[OverloadClient]:
        now = datetime.now(UTC)
        authority = load_or_create_authority(self._target.state / "certificates", at=now)
        for place in range(CLIENTS):
            issued = authority.issue_caller(Caller(Role.OPERATOR, f"operator-{place}"), at=now)
            yield OverloadClient(
                address=self._target.address,
                authority=authority.certificate_pem,
                certificate=issued.certificate,
                private_key=issued.private_key,
                numbers_from=_PREFIXES[self._round] * 10_000_000 + place * 1_000_000,
            )
        self._round += 1


def overload() -> Benchmark:
    """Calls done a second at ten times the capacity, of the capacity: callers who never wait."""
    with _crowd() as crowd:
        capacity = _capacity(crowd)
        rounds = [_round(crowd, times, capacity) for times in TIMES]
    last = rounds[-1]
    return benchmark(
        "overload",
        ratio=last.done / capacity,
        goal=GOODPUT_GOAL,
        times_ms=last.times_ms,
        notes=(
            f"RegisterSubscription done a second at {last.times} times the capacity of "
            f"{capacity:.0f}/s, at least; {CLIENTS} client processes on the same cores; "
            + "; ".join(map(str, rounds))
        ),
    )


def overload_heeded() -> Benchmark:
    """Calls done a second with ten times as many desks, of the capacity: all wait as told."""
    with _crowd() as crowd:
        capacity = _capacity(crowd)
        desks = round(TIMES[-1] * capacity)
        found = crowd.insist(desks)
    done = sum(len(each.times_ms) for each in found) / INSISTED_S
    sent = sum(each.offered for each in found) / INSISTED_S
    insisted_ms = [time for each in found for time in each.insisted_ms]
    others = sum((each.others for each in found), Counter())
    return benchmark(
        "overload_heeded",
        ratio=done / capacity,
        goal=GOODPUT_GOAL,
        times_ms=insisted_ms,
        notes=(
            f"RegisterSubscription done a second for {desks} desks, each with one after the other, "
            f"of the capacity of {capacity:.0f}/s, at least; {sent:.0f}/s sent, {done:.0f}/s done; "
            "times from the first call of a registration to the end of its last"
            + "".join(f", {count} {status}" for status, count in others.items())
        ),
    )


@contextmanager
def _crowd() -> Iterator[_Crowd]:
    context = multiprocessing.get_context("spawn")
    with (
        running_target(fill_with_citizens) as target,
        ProcessPoolExecutor(CLIENTS, mp_context=context) as pool,
    ):
        yield _Crowd(target, pool)


def _capacity(crowd: _Crowd) -> float:
    crowd.keep_busy(ROUND_S / 2)  # warm-up
    busy = crowd.keep_busy(ROUND_S)
    return sum(len(each.times_ms) for each in busy) / ROUND_S


def _round(crowd: _Crowd, times: int, capacity: float) -> Round:
    found = crowd.offer(times * capacity)
    return Round(
        times=times,
        offered=sum(each.offered for each in found) / ROUND_S,
        done=sum(len(each.times_ms) for each in found) / ROUND_S,
        times_ms=[time for each in found for time in each.times_ms],
        refused_ms=[time for each in found for time in each.refused_ms],
        others=sum((each.others for each in found), Counter()),
    )
