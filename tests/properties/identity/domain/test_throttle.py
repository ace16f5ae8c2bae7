"""Whatever attempts are made, and whenever: waits grow, and nobody is shut out for ever."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.errors import VerificationChannelClosedError, VerificationThrottledError
from identity.domain.throttle import Attempts, ThrottlePolicy
from tests.unit.identity.makers import NOW

policies = st.builds(
    lambda free, further, first, longer, closed: ThrottlePolicy(
        free_failure_count=free,
        failure_count_max=free + further,
        first_wait=timedelta(seconds=first),
        wait_max=timedelta(seconds=first + longer),
        closed_for=timedelta(days=closed),
    ),
    st.integers(1, 5),
    st.integers(1, 45),
    st.integers(30, 3_600),
    st.integers(0, 82_800),
    st.integers(1, 366),
)


@given(policies, st.integers(0, 10_000))
def test_one_more_failure_never_shortens_the_wait(policy: ThrottlePolicy, count: int) -> None:
    assert policy.wait_after(count) <= policy.wait_after(count + 1) <= policy.closed_for


@given(policies, st.lists(st.integers(0, 100_000), max_size=200))
def test_no_more_attempts_are_let_in_than_the_policy_allows(
    policy: ThrottlePolicy, gaps_s: list[int]
) -> None:
    attempts, at = Attempts(), NOW
    taken_at = []
    for gap_s in gaps_s:
        at += timedelta(seconds=gap_s)
        try:
            attempts.refuse_early(policy, at=at)
        except (VerificationThrottledError, VerificationChannelClosedError):
            continue
        attempts = attempts.taken(at=at)
        taken_at.append(at)
    for place in range(policy.free_failure_count, len(taken_at)):
        assert taken_at[place] - taken_at[place - 1] >= policy.wait_after(place)


@given(policies, st.integers(0, 10_000))
def test_after_the_longest_wait_one_attempt_is_let_in(policy: ThrottlePolicy, count: int) -> None:
    Attempts(failed_count=count, last_at=NOW).refuse_early(policy, at=NOW + policy.closed_for)


@given(policies, st.integers(0, 100))
def test_what_is_given_back_counts_no_more(policy: ThrottlePolicy, count: int) -> None:
    before = Attempts(failed_count=count, last_at=NOW)
    again = before.taken(at=NOW).given_back()
    assert again == before
    assert Attempts().given_back().failed_count == 0
    assert policy.wait_after(again.failed_count) == policy.wait_after(count)
