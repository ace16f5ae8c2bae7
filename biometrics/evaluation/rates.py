"""False match and false non-match rates at a threshold, and the curve of both (ISO/IEC 19795-1).

Owns the counting. Refuses to choose a threshold.

A threshold here is a similarity: a trial is a match when its similarity is at least the threshold.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from biometrics.evaluation.intervals import error_rate
from biometrics.evaluation.trials import Floats, Trials
from biometrics.face.error_rate import ErrorRate


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a threshold costs some trials.

    Attributes:
        fmr: Share of non-mated trials that match.
        fnmr: Share of mated trials that do not.
        identities: People in the trials.
    """

    fmr: ErrorRate
    fnmr: ErrorRate
    identities: int


def rates_at(trials: Trials, *, threshold: float) -> Rates:
    """FMR and FNMR with their intervals."""
    mated, non_mated = trials.mated, trials.non_mated
    return Rates(
        fmr=error_rate(non_mated, non_mated.similarity >= threshold),
        fnmr=error_rate(mated, mated.similarity < threshold),
        identities=len(trials.identities),
    )


def share_matching(trials: Trials, *, threshold: float) -> float:
    """The share of trials at or above the threshold, 0 without trials."""
    return float(np.mean(trials.similarity >= threshold)) if len(trials) else 0.0


def threshold_at_fmr(non_mated: Trials, *, target_fmr: float) -> float:
    """The lowest threshold at which these trials stay at or below a false match rate.

    It lies just above the first similarity that must not match. A target that allows no error gives
    a threshold just above the highest similarity.

    Args:
        non_mated: At least one trial.
        target_fmr: 0 <= value < 1.

    Raises:
        ValueError: There are no trials or the target is out of range.
    """
    if not len(non_mated) or not 0 <= target_fmr < 1:
        raise ValueError("a threshold needs non-mated trials and a target within 0 and 1")
    descending = np.sort(non_mated.similarity)[::-1]
    # The small number keeps 0.001 x 1000 at one error.
    allowed = int(np.floor(target_fmr * len(descending) + 1e-9))
    return float(np.nextafter(descending[allowed], np.inf))


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionErrorTradeoff:
    """The DET curve: both rates at every threshold that changes one of them.

    Attributes:
        thresholds: Similarities, rising.
        fmr: 0..1, falling.
        fnmr: 0..1, rising.
    """

    thresholds: Floats
    fmr: Floats
    fnmr: Floats

    def fnmr_at_fmr(self, target_fmr: float) -> float:
        """The lowest FNMR at which the FMR is at or below a target, chosen on the same trials."""
        return float(self.fnmr[self.fmr <= target_fmr].min())

    @property
    def equal_error_rate(self) -> float:
        """Where both rates are nearest to equal: a name for a curve, never an operating point."""
        nearest = int(np.argmin(np.abs(self.fmr - self.fnmr)))
        return float((self.fmr[nearest] + self.fnmr[nearest]) / 2)


def detection_error_tradeoff(trials: Trials) -> DetectionErrorTradeoff:
    """The DET curve of trials of both kinds.

    Raises:
        ValueError: There are no mated or no non-mated trials.
    """
    mated, non_mated = np.sort(trials.mated.similarity), np.sort(trials.non_mated.similarity)
    if not len(mated) or not len(non_mated):
        raise ValueError("a DET curve needs mated and non-mated trials")
    scores = np.unique(trials.similarity)
    thresholds = np.append(scores, np.nextafter(scores[-1], np.inf))
    matching = len(non_mated) - np.searchsorted(non_mated, thresholds, side="left")
    failing = np.searchsorted(mated, thresholds, side="left")
    return DetectionErrorTradeoff(
        thresholds=thresholds, fmr=matching / len(non_mated), fnmr=failing / len(mated)
    )


GAP_ALARM = 1.5
"""A group with more than this many times the false match rate of another is an alarm."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The largest difference of an error rate between two groups of one column.

    Attributes:
        column: The division.
        highest: The group with the highest rate.
        lowest: The group with the lowest.
        highest_rate: 0..1.
        lowest_rate: 0..1.
        ratio: Highest over lowest; with half an error added to both counts, so that a group
            without errors gives a number.
        is_certain: Whether the 95 % intervals of the two do not overlap.
    """

    column: str
    highest: str
    lowest: str
    highest_rate: float
    lowest_rate: float
    ratio: float
    is_certain: bool

    @property
    def is_alarm(self) -> bool:
        """Whether the gap is above 1.5."""
        return self.ratio > GAP_ALARM


def largest_gap(column: str, groups: Iterable[tuple[str, ErrorRate]]) -> Gap | None:
    """The largest ratio of two groups' rates.

    A group in which not one error is expected at the rate of all groups together is too small to
    say anything and takes no part, unless its interval lies above that rate.

    Args:
        column: The division the groups belong to.
        groups: Name and rate of each.

    Returns:
        None with fewer than two groups that are large enough, or without any error.
    """
    every = [(name, rate) for name, rate in groups if rate.trials]
    overall = sum(rate.errors for _, rate in every) / max(1, sum(rate.trials for _, rate in every))
    counted = [
        (name, rate) for name, rate in every if rate.trials * overall >= 1 or rate.low > overall > 0
    ]
    if len(counted) < 2:  # noqa: PLR2004 - a gap lies between two
        return None
    ordered = sorted(counted, key=lambda item: _smoothed(item[1]))
    (lowest, low), (highest, high) = ordered[0], ordered[-1]
    return Gap(
        column=column,
        highest=highest,
        lowest=lowest,
        highest_rate=high.rate or 0.0,
        lowest_rate=low.rate or 0.0,
        ratio=_smoothed(high) / _smoothed(low),
        is_certain=low.high < high.low,
    )


def _smoothed(rate: ErrorRate) -> float:
    return (rate.errors + 0.5) / (rate.trials + 1)
