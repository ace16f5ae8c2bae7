"""Intervals hold the rate they are made of, and more trials narrow them."""

from hypothesis import given
from hypothesis import strategies as st

from biometrics.evaluation.intervals import wilson


@given(st.integers(0, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_lies_in_the_unit_interval_around_its_rate(counts: tuple[int, int]) -> None:
    errors, trials = counts
    low, high = wilson(errors, trials)
    assert 0 <= low <= high <= 1
    if trials:
        assert low <= errors / trials <= high


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(2, 50))
def test_more_trials_of_the_same_rate_make_it_narrower(
    trials: int, errors: int, factor: int
) -> None:
    errors = min(errors, trials)
    low, high = wilson(errors, trials)
    closer_low, closer_high = wilson(errors * factor, trials * factor)
    assert closer_high - closer_low < high - low


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_errors_and_successes_mirror_each_other(trials: int, errors: int) -> None:
    errors = min(errors, trials)
    low, high = wilson(errors, trials)
    mirrored_low, mirrored_high = wilson(trials - errors, trials)
    assert abs(low - (1 - mirrored_high)) < 1e-9
    assert abs(high - (1 - mirrored_low)) < 1e-9
