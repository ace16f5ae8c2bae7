"""A threshold that keeps its promise for people it has not seen, and for the worst group.

Owns the choice of a threshold, its margin and its test on people not used. Refuses targets that
the data cannot support.

How: each group has its own threshold at the target; the strictest counts. It is then made stricter
by a margin. The people are divided into halves again and again; the threshold one half would choose
falls short of the one the other half would need by some difference, and the margin is the 80 %
quantile of those differences. Why 80 %: a difference of two halves varies twice as much (standard
deviation) as the threshold of all people against that of the population, and half of the one-sided
95 % quantile (1.645 / 2 = 0.82 standard deviations) is the 80 % quantile.

Every group counts for the threshold itself. For the margin only those count that allow at least one
error within a half: the threshold of a smaller one is its most alike pair, which says how lucky the
half was and nothing of the group.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from biometrics.evaluation.intervals import wilson
from biometrics.evaluation.rates import threshold_at_fmr
from biometrics.evaluation.trials import Integers, Mask, Trials
from biometrics.face.error_rate import ErrorRate, percent
from biometrics.face.operating_point import CONFIDENCE, trials_needed

MARGIN_QUANTILE = 0.80
MARGIN_DIVISIONS = 40
"""Divisions into halves, each used both ways: 16 differences lie beyond the quantile."""

ONE_SIDED_ERRORS_MAX = -math.log2((1 - CONFIDENCE) / 2)
"""Up to this many errors, 5.3, all may fall on one of two equal sides by chance (2.5 %)."""

HELD_OUT_DIVISIONS = 10
HELD_OUT_MARGIN_DIVISIONS = 10
"""Fewer for the test of the whole procedure, which repeats the choice of the margin each time."""

DIVISION_SEED = 23837
"""Divisions are the same in every run, so that a calibration can be repeated. ISO/IEC 2382-37."""


class UnsupportedTargetError(ValueError):
    """The data are too few for the target; the message says how many are needed."""


Group = tuple[str, str]
"""Column and value."""


@dataclass(frozen=True, kw_only=True)
class ChosenThreshold:
    """A threshold with its reasons.

    Attributes:
        threshold: The similarity from which on a trial matches, margin included.
        margin: How much stricter than the data alone would have it; >= 0.
        worst_group: The group that asked for the strictest threshold; None when no group asked for
            more than all people together.
    """

    threshold: float
    margin: float
    worst_group: Group | None


def check_support(trials: Trials, *, target_fmr: float) -> None:
    """Refuse a target below what the number of pairs of people can show.

    Raises:
        UnsupportedTargetError: There are fewer than 3 / target different pairs of different people,
            or no mated pair.
        ValueError: The target is not within 0 and 1.
    """
    needed, present = trials_needed(target_fmr), trials.non_mated.independent
    if present < needed:
        people = int(np.ceil((1 + np.sqrt(1 + 8 * needed)) / 2))
        raise UnsupportedTargetError(
            f"an FMR of {percent(target_fmr)} needs {needed} pairs of different people (rule of 3),"
            f" each with each of at least {people} people; the data have {present}, which support"
            f" {percent(3 / present) if present else 'no target'}"
        )
    if not trials.is_mated.any():
        raise UnsupportedTargetError("without mated pairs the FNMR cannot be measured")


def is_supported(non_mated: Trials, *, target_fmr: float) -> bool:
    """Whether there are enough pairs of people for a target (rule of 3)."""
    return non_mated.independent >= trials_needed(target_fmr)


def choose_threshold(trials: Trials, *, target_fmr: float) -> ChosenThreshold:
    """The threshold for the worst group at a target, with its margin.

    A group with too few trials for the target still counts: its threshold then allows no error, and
    lies just above its most alike pair of different people.

    Raises:
        UnsupportedTargetError: See `check_support`.
    """
    check_support(trials, target_fmr=target_fmr)
    return _chosen(trials.non_mated, target_fmr=target_fmr, divisions=MARGIN_DIVISIONS)


def _chosen(non_mated: Trials, *, target_fmr: float, divisions: int) -> ChosenThreshold:
    strictest, group = _worst_group(non_mated, target_fmr=target_fmr)
    trials_min = 1 / target_fmr
    differences = [
        _worst_group(other, target_fmr=target_fmr, trials_min=trials_min)[0]
        - _worst_group(one, target_fmr=target_fmr, trials_min=trials_min)[0]
        for one, other in _halves(non_mated, divisions=divisions)
    ]
    margin = max(0.0, float(np.quantile(differences, MARGIN_QUANTILE))) if differences else 0.0
    return ChosenThreshold(threshold=strictest + margin, margin=margin, worst_group=group)


def _worst_group(
    non_mated: Trials, *, target_fmr: float, trials_min: float = 1
) -> tuple[float, Group | None]:
    strictest, worst = threshold_at_fmr(non_mated, target_fmr=target_fmr), None
    for group, mask in non_mated.group_masks().items():
        if mask.sum() < trials_min:
            continue
        threshold = threshold_at_fmr(non_mated.where(mask), target_fmr=target_fmr)
        if threshold > strictest:
            strictest, worst = threshold, group
    return strictest, worst


def _halves(trials: Trials, *, divisions: int) -> Iterator[tuple[Trials, Trials]]:
    """The trials within each half of the people, both ways round, for several divisions."""
    generator = np.random.default_rng(DIVISION_SEED)
    strata = _strata(trials)
    for _ in range(divisions):
        half = _half_of(strata, generator)
        in_a, in_b = np.isin(trials.identity_a, half), np.isin(trials.identity_b, half)
        one, other = trials.where(in_a & in_b), trials.where(~in_a & ~in_b)
        if len(one) and len(other):
            yield one, other
            yield other, one


def division(trials: Trials, *, seed: int) -> Integers:
    """Half of the people, with half of every group: for a test on people not used.

    Args:
        trials: Whose people are divided.
        seed: Another one gives another half.
    """
    return _half_of(_strata(trials), np.random.default_rng([DIVISION_SEED, seed]))


def _strata(trials: Trials) -> list[Integers]:
    """People by the groups they occur in, so that each half gets its part of every group."""
    people = trials.identities
    kinds: list[Mask] = [
        np.isin(people, trials.where(mask).identities) for mask in trials.group_masks().values()
    ]
    if not kinds:
        return [people]
    _, stratum = np.unique(np.stack(kinds), axis=1, return_inverse=True)
    return [people[stratum.ravel() == number] for number in np.unique(stratum)]


def _half_of(strata: list[Integers], generator: np.random.Generator) -> Integers:
    # Rounded up or down by chance, or people who are alone in their stratum stay on one side.
    halves = [
        generator.permutation(people)[: (len(people) + int(generator.integers(2))) // 2]
        for people in strata
    ]
    return np.concatenate(halves)


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """False match rates on people who took no part in choosing the threshold.

    Attributes:
        all_people: Over every trial.
        groups: For each group.
    """

    all_people: ErrorRate
    groups: dict[Group, ErrorRate]


def held_out(trials: Trials, *, target_fmr: float) -> HeldOut:
    """The whole procedure on one half of the people, counted on the other, repeated.

    Errors and trials are summed over the divisions. The interval is that of a prediction: it is
    meant for the rate that another half, of as many people, shows. It covers

    - every division, for each is such a prediction and its outcome, on fewer people;
    - chance, which enters twice, here and there: the difference of two rates of n independent
      trials varies as one rate of n / 2 does, so Wilson's interval of n / 2, with n the pairs of
      people of the group. It begins at 0 while that many errors may all fall on one side of two by
      chance (the exact conditional test of two equal Poisson counts: 2 ** -errors >= 2.5 %).

    It was checked on synthetic people alone, of whom there are always others (a test does it
    again): it held in 99 % of 240 cases.

    Args:
        trials: As for `choose_threshold`.
        target_fmr: As there.
    """
    non_mated = trials.non_mated
    counts: dict[Group | None, list[tuple[int, int]]] = {}
    for one, other in _halves(non_mated, divisions=HELD_OUT_DIVISIONS):
        chosen = _chosen(one, target_fmr=target_fmr, divisions=HELD_OUT_MARGIN_DIVISIONS)
        for group, mask in _with_everybody(other).items():
            is_match = other.similarity[mask] >= chosen.threshold
            counts.setdefault(group, []).append((int(is_match.sum()), len(is_match)))
    rates = {
        group: _predicted(counts.get(group, []), independent=non_mated.where(mask).independent)
        for group, mask in _with_everybody(non_mated).items()
    }
    return HeldOut(
        all_people=rates[None],
        groups={group: rate for group, rate in rates.items() if group is not None},
    )


def _with_everybody(trials: Trials) -> dict[Group | None, Mask]:
    everybody = np.ones(len(trials), dtype=np.bool_)
    masks: list[tuple[Group | None, Mask]] = [(None, everybody), *trials.group_masks().items()]
    return dict(masks)


def _predicted(counts: list[tuple[int, int]], *, independent: int) -> ErrorRate:
    """The rate over divisions, with the interval of another half; see `held_out`."""
    if not counts:
        return ErrorRate.unknown()
    errors, trials = (int(total) for total in np.sum(counts, axis=0))
    expected = errors / trials * independent
    shown = [matching / number for matching, number in counts]
    low, high = wilson(expected / 2, independent / 2)
    if expected <= ONE_SIDED_ERRORS_MAX:
        low = 0.0
    return ErrorRate(
        errors=errors,
        trials=trials,
        independent=min(independent, trials),
        low=min(low, *shown),
        high=max(high, *shown),
    )
