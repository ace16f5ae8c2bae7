"""Intervals cover the truth as often as they say, also where people err together."""

import numpy as np
import pytest

from biometrics.evaluation.intervals import (
    bootstrap_by_identity,
    counted_rate,
    error_rate,
    wilson,
)
from biometrics.evaluation.trials import Trials


def test_wilson_is_the_interval_of_the_textbook() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)


def test_no_trials_have_the_widest_interval() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("errors", "trials"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(errors: int, trials: int) -> None:
    with pytest.raises(ValueError, match="errors"):
        wilson(errors, trials)


@pytest.mark.parametrize("truth", [0.002, 0.05, 0.5])
def test_wilson_covers_the_truth_about_as_often_as_it_says(truth: float) -> None:
    errors = np.random.default_rng(3).binomial(2000, truth, size=400)
    covered = [wilson(int(count), 2000) for count in errors]
    assert np.mean([low <= truth <= high for low, high in covered]) >= 0.92


def paired(similarity: np.ndarray[tuple[int], np.dtype[np.float64]], people: int) -> Trials:
    one, other = np.triu_indices(people, k=1)
    return Trials(
        similarity=similarity,
        is_mated=np.zeros(len(one), dtype=np.bool_),
        identity_a=one.astype(np.int64),
        identity_b=other.astype(np.int64),
        groups={},
    )


def test_an_interval_covers_the_truth_where_some_people_resemble_everybody() -> None:
    # Each person has a likeness of their own; a pair errs when the sum of three normal deviates
    # exceeds 3, which has variance 3.
    truth = 0.041632  # P(N(0, 3) > 3)
    covered, plain = [], []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        likeness = generator.normal(size=50)
        one, other = np.triu_indices(50, k=1)
        trials = paired(likeness[one] + likeness[other] + generator.normal(size=len(one)), 50)
        is_error = trials.similarity > 3
        made = error_rate(trials, is_error)
        covered.append(made.low <= truth <= made.high)
        low, high = wilson(made.errors, made.trials)
        plain.append(low <= truth <= high)
    assert np.mean(covered) >= 0.85
    # Counting pairs as if they were independent is what this guards against.
    assert np.mean(plain) < 0.6


def test_repeating_the_same_two_people_makes_no_interval_narrower() -> None:
    once = paired(np.zeros(10), 5)
    often = once.where(np.ones(10, dtype=np.bool_))
    repeated = Trials(
        similarity=np.tile(often.similarity, 100),
        is_mated=np.tile(often.is_mated, 100),
        identity_a=np.tile(often.identity_a, 100),
        identity_b=np.tile(often.identity_b, 100),
        groups={},
    )
    none = np.zeros(1000, dtype=np.bool_)
    assert error_rate(repeated, none).high == error_rate(once, none[:10]).high


def test_the_bootstrap_is_the_same_in_every_run() -> None:
    trials = paired(np.random.default_rng(1).normal(size=190), 20)
    is_error = trials.similarity > 1
    assert bootstrap_by_identity(trials, is_error) == bootstrap_by_identity(trials, is_error)


def test_one_person_cannot_be_drawn_again() -> None:
    trials = paired(np.zeros(1), 2)
    alone = Trials(
        similarity=trials.similarity,
        is_mated=np.array([True]),
        identity_a=np.array([4]),
        identity_b=np.array([4]),
        groups={},
    )
    assert bootstrap_by_identity(alone, np.array([True])) is None


def test_no_errors_and_errors_only_have_an_interval_with_width() -> None:
    trials = paired(np.zeros(45), 10)
    for is_error, rate in ((np.zeros(45, dtype=np.bool_), 0), (np.ones(45, dtype=np.bool_), 1)):
        made = error_rate(trials, is_error)
        assert made.rate == rate
        assert made.high - made.low > 0.05


def test_photographs_are_counted_as_they_are() -> None:
    made = counted_rate(3, 100)
    assert (made.errors, made.trials, made.independent) == (3, 100, 100)
    assert (made.low, made.high) == wilson(3, 100)
