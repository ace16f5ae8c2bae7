"""How sure an error rate is: Wilson's interval, a bootstrap by identity, and the rule of 3.

Owns the intervals. Refuses to know where the errors come from.

Trials are not independent: one unusual face takes part in many. So a rate is counted on trials,
its interval on people. Two intervals are computed and the wider ends are reported, because each
alone is too narrow somewhere: Wilson's knows nothing of which people err together, and a bootstrap
of no errors has no width at all.
"""

import math
from statistics import NormalDist

import numpy as np

from biometrics.evaluation.trials import Floats, Mask, Trials
from biometrics.face.error_rate import ErrorRate
from biometrics.face.operating_point import CONFIDENCE

BOOTSTRAP_REPLICATES = 1000
"""Enough for the 2.5 % and 97.5 % quantiles: 25 replicates lie beyond each."""

BOOTSTRAP_SEED = 19795
"""The bootstrap is the same in every run, so that a report can be made again. ISO/IEC 19795."""

_WEIGHTS_AT_ONCE = 2_000_000
"""16 MB: so that a long list takes no more memory than a short one."""

_TAIL = (1 - CONFIDENCE) / 2


def wilson(errors: float, trials: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a binomial proportion, within 0..1.

    Args:
        errors: 0..`trials`; need not be whole.
        trials: 0 or more; without trials the interval is 0..1.
        confidence: Two-sided, 0 < value < 1.

    Raises:
        ValueError: The numbers are out of range.
    """
    if not (0 <= errors <= trials and 0 < confidence < 1):
        raise ValueError("errors lie within 0 and the trials, and the confidence within 0 and 1")
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = errors / trials
    centre = rate + z**2 / (2 * trials)
    half_width = z * math.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    low = 0.0 if errors == 0 else max(0.0, (centre - half_width) / scale)
    high = 1.0 if errors == trials else min(1.0, (centre + half_width) / scale)
    return low, high


def bootstrap_by_identity(trials: Trials, is_error: Mask) -> tuple[float, float] | None:
    """The 95 % percentile interval of an error rate when people are drawn again.

    People are drawn with replacement. A trial counts as often as the product of how often its
    people were drawn (once for a mated trial), so that all trials of a person come and go together.

    Args:
        trials: Mated or non-mated.
        is_error: Which of them went wrong.

    Returns:
        None when there are fewer than two people, or no trials.
    """
    people, places = np.unique(
        np.concatenate([trials.identity_a, trials.identity_b]), return_inverse=True
    )
    if len(people) < 2:  # noqa: PLR2004 - one person drawn again is the same person
        return None
    # One row for each pair of people: their trials come and go together.
    one, other = places.reshape(2, -1)
    pairs, row = np.unique(one * len(people) + other, return_inverse=True)
    a, b = np.divmod(pairs, len(people))
    table = np.stack([np.bincount(row), np.bincount(row, weights=is_error)], axis=1)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    share = np.full(len(people), 1 / len(people))
    rates: list[Floats] = []
    at_once = max(1, _WEIGHTS_AT_ONCE // len(pairs))
    for start in range(0, BOOTSTRAP_REPLICATES, at_once):
        size = min(at_once, BOOTSTRAP_REPLICATES - start)
        drawn = generator.multinomial(len(people), share, size=size).astype(np.float64)
        weights = np.where(a == b, drawn[:, a], drawn[:, a] * drawn[:, b])
        totals, errors = (weights @ table).T
        rates.append(errors[totals > 0] / totals[totals > 0])
    low, high = np.quantile(np.concatenate(rates), [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def error_rate(trials: Trials, is_error: Mask) -> ErrorRate:
    """The share of errors with its 95 % interval.

    The interval is the wider end, on each side, of Wilson's interval on the number of independent
    trials (pairs of people, or people for mated trials) and of the bootstrap by identity.

    Args:
        trials: Mated or non-mated trials.
        is_error: Which of them went wrong.
    """
    if not len(trials):
        return ErrorRate.unknown()
    errors = int(is_error.sum())
    independent = trials.independent
    low, high = wilson(errors / len(trials) * independent, independent)
    # Without an error, or with errors only, every replicate is alike.
    drawn = bootstrap_by_identity(trials, is_error) if 0 < errors < len(trials) else None
    if drawn is not None:
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return ErrorRate(errors=errors, trials=len(trials), independent=independent, low=low, high=high)


def counted_rate(errors: int, trials: int) -> ErrorRate:
    """The share of errors among independent trials, such as photographs, with Wilson's interval."""
    low, high = wilson(errors, trials)
    return ErrorRate(errors=errors, trials=trials, independent=trials, low=low, high=high)
