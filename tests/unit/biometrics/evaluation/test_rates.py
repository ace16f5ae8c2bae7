"""Rates are counted at and above the threshold; a gap is between groups that can be compared."""

import numpy as np
import pytest

from biometrics.evaluation.intervals import counted_rate
from biometrics.evaluation.rates import (
    detection_error_tradeoff,
    largest_gap,
    rates_at,
    threshold_at_fmr,
)
from biometrics.evaluation.trials import Trials


def trials(mated: list[float], non_mated: list[float]) -> Trials:
    count = len(mated) + len(non_mated)
    is_mated = np.arange(count) < len(mated)
    return Trials(
        similarity=np.array([*mated, *non_mated]),
        is_mated=is_mated,
        identity_a=np.arange(count),
        identity_b=np.where(is_mated, np.arange(count), np.arange(count) + count),
        groups={},
    )


def test_a_trial_at_the_threshold_matches() -> None:
    made = rates_at(trials([0.5, 0.6, 0.4], [0.5, 0.1, 0.2, 0.3]), threshold=0.5)
    assert (made.fmr.errors, made.fmr.trials) == (1, 4)
    assert (made.fnmr.errors, made.fnmr.trials) == (1, 3)


@pytest.mark.parametrize(("target", "matching"), [(0.0, 0), (0.1, 1), (0.29, 2), (0.3, 3)])
def test_a_threshold_keeps_to_its_target(target: float, matching: int) -> None:
    made = trials([9], [float(value) for value in range(10)])
    threshold = threshold_at_fmr(made.non_mated, target_fmr=target)
    assert int((made.non_mated.similarity >= threshold).sum()) == matching


def test_equal_scores_all_stay_below_the_threshold() -> None:
    made = trials([9], [1.0] * 10)
    threshold = threshold_at_fmr(made.non_mated, target_fmr=0.5)
    assert not (made.non_mated.similarity >= threshold).any()


def test_a_threshold_needs_trials() -> None:
    with pytest.raises(ValueError, match="non-mated"):
        threshold_at_fmr(trials([1], []).non_mated, target_fmr=0.1)


def test_the_curve_of_known_trials_is_known() -> None:
    curve = detection_error_tradeoff(trials([2, 3, 4], [0, 1, 2]))
    assert curve.fmr.tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 0, 0])
    assert curve.fnmr.tolist() == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1])
    assert curve.fnmr_at_fmr(0) == pytest.approx(1 / 3)
    assert curve.fnmr_at_fmr(0.4) == 0
    assert curve.equal_error_rate == pytest.approx(1 / 6)


def test_the_curve_of_normal_scores_is_that_of_theory() -> None:
    generator = np.random.default_rng(5)
    made = trials(
        (generator.normal(size=40_000) + 2).tolist(), generator.normal(size=40_000).tolist()
    )
    # Two unit normals two apart cross at one: Q(1).
    assert detection_error_tradeoff(made).equal_error_rate == pytest.approx(0.15866, abs=0.004)


def test_a_curve_needs_both_kinds_of_trials() -> None:
    with pytest.raises(ValueError, match="mated and non-mated"):
        detection_error_tradeoff(trials([], [1, 2]))


def test_the_gap_is_between_the_highest_and_the_lowest_group() -> None:
    groups = [("a", counted_rate(10, 1000)), ("b", counted_rate(40, 1000))]
    gap = largest_gap("kind", [*groups, ("c", counted_rate(20, 1000))])
    assert gap is not None
    assert (gap.highest, gap.lowest) == ("b", "a")
    assert gap.ratio == pytest.approx(40.5 / 10.5)
    assert gap.is_alarm
    assert gap.is_certain


def test_a_small_gap_is_no_alarm() -> None:
    gap = largest_gap("kind", [("a", counted_rate(30, 1000)), ("b", counted_rate(40, 1000))])
    assert gap is not None
    assert not gap.is_alarm
    assert not gap.is_certain


def test_a_group_without_errors_gives_a_number() -> None:
    gap = largest_gap("kind", [("a", counted_rate(0, 1000)), ("b", counted_rate(10, 1000))])
    assert gap is not None
    assert gap.ratio == pytest.approx(21)


def test_a_group_too_small_for_an_error_takes_no_part() -> None:
    rates = [("a", counted_rate(5, 10_000)), ("b", counted_rate(6, 10_000))]
    gap = largest_gap("kind", [*rates, ("tiny", counted_rate(0, 4))])
    assert gap is not None
    assert {gap.highest, gap.lowest} == {"a", "b"}
    assert largest_gap("kind", [rates[0], ("tiny", counted_rate(0, 4))]) is None


def test_a_small_group_that_errs_often_is_not_overlooked() -> None:
    gap = largest_gap("kind", [("large", counted_rate(0, 20_000)), ("s", counted_rate(12, 700))])
    assert gap is not None
    assert gap.highest == "s"
    assert gap.is_certain
