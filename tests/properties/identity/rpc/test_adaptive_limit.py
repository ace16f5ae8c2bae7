"""The limit on new work, against queues that it cannot see: it finds what they can do.

The queue of the model is a number of threads that take a fixed time for each call, with a clock of
its own.
"""

from collections import deque
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.rpc.load import AdaptiveLimit, LimitSettings

SETTINGS = LimitSettings()
WAITS = st.lists(
    st.tuples(
        st.sampled_from(["loop", "threads"]),
        st.floats(0, 10, allow_nan=False),
        st.floats(0, 1, allow_nan=False),
        st.booleans(),
    ),
    max_size=300,
)


@given(steps=WAITS)
def test_whatever_happens_it_stays_within_its_bounds(
    steps: list[tuple[str, float, float, bool]],
) -> None:
    limit, now_s = AdaptiveLimit(SETTINGS), 0.0
    for queue, wait_s, passed_s, is_full in steps:
        now_s += passed_s
        if is_full:
            limit.saw_full()
        limit.saw_wait(queue, wait_s, now_s=now_s)
        assert SETTINGS.least <= limit.limit <= SETTINGS.most


@given(waits=st.lists(st.floats(0.021, 5), min_size=2, max_size=100))
def test_a_standing_queue_never_raises_it(waits: list[float]) -> None:
    limit = AdaptiveLimit(SETTINGS)
    limits = []
    for number, wait_s in enumerate(waits):
        limit.saw_full()
        limit.saw_wait("threads", wait_s, now_s=number * SETTINGS.window_s)
        limits.append(limit.limit)
    assert all(later <= earlier for earlier, later in pairwise(limits))


@given(waits=st.lists(st.floats(0, 0.019), min_size=2, max_size=100))
def test_work_that_hardly_waits_never_lowers_it(waits: list[float]) -> None:
    limit = lowered()
    limits = []
    for number, wait_s in enumerate(waits, start=1_000):
        limit.saw_full()
        limit.saw_wait("threads", wait_s, now_s=number * SETTINGS.window_s)
        limits.append(limit.limit)
    assert all(later >= earlier for earlier, later in pairwise(limits))


@given(waits=st.lists(st.floats(0, 5), min_size=1, max_size=50))
def test_one_that_did_not_wait_tells_a_burst_from_a_standing_queue(waits: list[float]) -> None:
    limit = AdaptiveLimit(SETTINGS)
    for wait_s in (*waits, 0.0):
        limit.saw_wait("threads", wait_s, now_s=0.01)
    limit.saw_wait("threads", 0.0, now_s=SETTINGS.window_s)
    assert limit.limit == SETTINGS.most


def test_a_queue_that_stands_is_not_hidden_by_another_that_does_not() -> None:
    limit = AdaptiveLimit(SETTINGS)
    limit.saw_wait("threads", 1.0, now_s=0.01)
    limit.saw_wait("loop", 0.0, now_s=0.02)
    limit.saw_wait("loop", 0.0, now_s=SETTINGS.window_s)
    assert limit.limit < SETTINGS.most


def lowered() -> AdaptiveLimit:
    """A limit that a long overload brought down to the least."""
    limit = AdaptiveLimit(SETTINGS)
    for number in range(100):
        limit.saw_wait("threads", 1.0, now_s=number * SETTINGS.window_s)
    assert limit.limit == SETTINGS.least
    return limit


@settings(deadline=None, max_examples=25)
@given(
    threads=st.integers(2, 16),
    service_ms=st.integers(1, 20),
    times=st.integers(2, 20),
    is_one_caller=st.booleans(),
)
def test_ten_times_the_load_is_served_at_capacity_and_nobody_waits_long(
    threads: int,
    service_ms: int,
    times: int,
    is_one_caller: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    """Whether it comes from many or from one, who has half of the limit."""
    done, waits = overloaded(
        threads, service_ms / 1000, times=times, part=2 if is_one_caller else 1
    )
    capacity = threads / (service_ms / 1000)
    assert done / 10.0 >= 0.95 * capacity
    # Of the least limit itself, where threads are few and slow; else of what nobody notices, and
    # the steps around it.
    unavoidable = SETTINGS.least / threads * service_ms / 1000
    assert sorted(waits)[len(waits) // 2] <= max(4 * SETTINGS.wait_max_s, unavoidable)


def overloaded(
    threads: int, service_s: float, *, times: int, part: int, seconds: float = 20.0
) -> tuple[int, list[float]]:
    """What is done in the second half of a time of overload, and how long that had waited."""
    limit, now_s = AdaptiveLimit(SETTINGS), 0.0
    free_at = deque([0.0] * threads)
    ends: deque[float] = deque()
    done, waits = 0, []
    gap_s = service_s / threads / times
    while now_s < seconds:
        now_s += gap_s
        while ends and ends[0] <= now_s:
            ends.popleft()
        if len(ends) >= limit.limit // part:
            limit.saw_full()
            continue
        begins_s = max(now_s, free_at.popleft())
        free_at.append(begins_s + service_s)
        ends.append(begins_s + service_s)
        limit.saw_wait("threads", begins_s - now_s, now_s=now_s)
        if now_s >= seconds / 2:
            done += 1
            waits.append(begins_s - now_s)
    return done, waits
