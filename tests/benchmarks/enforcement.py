"""What enforcement costs: a wave over a million numbers, and the clock where few are due.

Owns the runs and what each is held against. What the books hold is `books.py`'s; the registry is
filled over the wire, and the days of notices are then skipped in the database itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from identity import bootstrap
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.domain.policy import StepKind
from identity.domain.wave import Wave, WaveCriteria, WaveState
from identity.policy_files import load_policies
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.execute_wave import execute_wave
from identity.services.revert_wave import revert_wave
from identity.services.transactions import Transactions
from identity.services.waves import approve_wave, preview_wave
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.registry import empty_target, fill

WAVE_ROWS = 1_000_000
CLOCK_ROWS = 2_000_000
DUE_SHARES = (100, 10, 2)
"""One number in so many is due."""

PREVIEW_GOAL_S = 10
EXECUTION_GOAL = 50_000
REVERT_GOAL_S = 60

_T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)
_HAVE_ALL_WAIT = text(
    "UPDATE enforcement_case SET steps_taken = 5, waits_for_wave = true, next_due_at = :at"
    " WHERE track = 'T2' AND state = 'open'"
)
# Keys are keyed digests: their first octets are as good as dice.
_HAVE_SOME_DUE = text(
    "UPDATE enforcement_case SET next_due_at = :at WHERE track = 'T2' AND state = 'open'"
    " AND (get_byte(msisdn_key, 0) * 256 + get_byte(msisdn_key, 1)) % :share = 0"
)


def wave() -> Benchmark:
    """Preview, execution and revert of a wave over a million numbers."""
    with _registry(WAVE_ROWS) as (transactions, call):
        with transactions.database.engine.begin() as connection:
            connection.execute(_HAVE_ALL_WAIT, {"at": call.at})
            connection.execute(text("ANALYZE enforcement_case"))
        seconds: list[float] = []
        item = _timed(seconds, lambda: transactions.run(lambda uow: preview_wave(uow, call, _T2)))
        for name in ("first", "second"):
            approver = replace(call, caller=Caller(Role.REGULATOR, name))
            transactions.run(
                lambda uow, approver=approver: approve_wave(uow, approver, item.wave_id)  # type: ignore[misc] # bound at once
            )
        executed = _timed(seconds, lambda: _execute(transactions, call, item))
        reverted = _timed(
            seconds, lambda: revert_wave(transactions, call, item.wave_id, reason="measured")
        )
        if reverted.reverted_count != executed.directive_count:
            raise AssertionError("a revert puts back what was executed")
    preview, execution, revert = seconds
    rate = executed.directive_count / execution
    return benchmark(
        "wave",
        ratio=rate / EXECUTION_GOAL,
        goal=1,
        times_ms=[1000 * each for each in seconds],
        notes=(
            f"{rate:.0f} directives/s of a wave over {executed.directive_count} numbers, of"
            f" {EXECUTION_GOAL}, at least; its preview took {preview:.1f} s (goal"
            f" {PREVIEW_GOAL_S}), its revert {revert:.0f} s (goal {REVERT_GOAL_S})"
        ),
    )


def clock() -> Benchmark:
    """What a due number costs where half of all are due, against where one in a hundred is."""
    each_us: list[float] = []
    with _registry(CLOCK_ROWS) as (transactions, call):
        for days, share in enumerate(DUE_SHARES, start=1):
            now = replace(call, at=call.at + timedelta(days=days))
            with transactions.database.engine.begin() as connection:
                later = {"at": now.at + timedelta(days=900), "share": 1}
                connection.execute(_HAVE_SOME_DUE, later)
                connection.execute(_HAVE_SOME_DUE, {"at": now.at, "share": share})
            began_at = time.perf_counter()
            run = advance_enforcement(transactions, now)
            each_us.append(1e6 * (time.perf_counter() - began_at) / run.stepped.step_count)
    return benchmark(
        "enforcement_clock",
        ratio=each_us[-1] / each_us[0],
        goal=1.5,
        is_at_most=True,
        times_ms=[each / 1000 for each in each_us],
        notes=(
            f"time for each due number of {CLOCK_ROWS} where 50 % are due, of that where 1 % are,"
            f" at most; {each_us[0]:.0f} µs at 1 %, {each_us[1]:.0f} at 10 %,"
            f" {each_us[2]:.0f} at 50 %"
        ),
    )


@contextmanager
def _registry(rows: int) -> Iterator[tuple[Transactions, Call]]:
    """So many linked, unverified numbers on T2, and the regulator's call of a minute ahead."""
    with empty_target() as target:
        fill(target, 0, rows)
        settings = Settings(state=target.state)
        with bootstrap.open_database(settings) as database:
            at = datetime.now(UTC) + timedelta(minutes=1)
            caller = Caller(Role.REGULATOR, "benchmark")
            call = Call(caller=caller, at=at, rules=load_policies(settings).at(at))
            yield Transactions(database), call


def _execute(transactions: Transactions, call: Call, item: Wave) -> Wave:
    while True:
        done = execute_wave(transactions, call, item.wave_id, slice_count_max=100)
        if done.state is not WaveState.RUNNING:
            return done


def _timed(seconds: list[float], action: Callable[[], Wave]) -> Wave:
    began_at = time.perf_counter()
    done = action()
    seconds.append(time.perf_counter() - began_at)
    return done
