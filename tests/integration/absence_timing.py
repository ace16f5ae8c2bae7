"""Whether the times of an agency's look-ups tell one kind of absence from another.

Owns the statistics: how calls are put in turn, when two kinds are told apart, and how small a
difference would be found. Kinds are asked about in rounds, each kind once, in an order drawn anew
each time. Under the claim that the kind makes no difference, the difference of two kinds in a round
is as likely this way round as that, however the machine slows down or speeds up between rounds; so
Wilcoxon's signed ranks over the rounds give an exact claim to test, and no clock is trusted.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Milliseconds, one for each round."""

FALSE_ALARM_MAX = 1e-6
"""How often a run says that kinds are told apart though they are not, all comparisons together."""

POWER = 0.95
_RESAMPLES = 200


def measure(
    asks: Mapping[str, Sequence[Callable[[], object]]], *, rounds: int, seed: int
) -> Mapping[str, Times]:
    """How long look-ups take.

    Args:
        asks: For each kind of person the look-ups of some, taken in turn.
        rounds: In each, every kind is asked about once.
        seed: Draws the orders.
    """
    generator = random.Random(seed)
    times = {kind: np.empty(rounds) for kind in asks}
    for number in range(rounds):
        for kind in generator.sample(list(asks), len(asks)):
            ask = asks[kind][number % len(asks[kind])]
            began_at = perf_counter()
            ask()
            times[kind][number] = 1000 * (perf_counter() - began_at)
    return times


def told_apart(
    times: Mapping[str, Times], *, reference: str, false_alarm_max: float = FALSE_ALARM_MAX
) -> list[str]:
    """The kinds that times tell from a reference; Holm's correction bounds false alarms of all."""
    others = [kind for kind in times if kind != reference]
    surprise = {kind: p_value(times[kind] - times[reference]) for kind in others}
    found: list[str] = []
    for place, kind in enumerate(sorted(others, key=surprise.__getitem__)):
        if surprise[kind] > false_alarm_max / (len(others) - place):
            break
        found.append(kind)
    return found


def p_value(differences: Times) -> float:
    """Two-sided, of Wilcoxon's signed ranks (1945), by the normal approximation with mid-ranks.

    Far out it says too much rather than too little: the sum of ranks is bounded, a normal is not.
    """
    nonzero = differences[differences != 0]
    if not nonzero.size:
        return 1.0
    ranks = _mid_ranks(np.abs(nonzero))
    z = float(np.sum(np.sign(nonzero) * ranks) / np.sqrt(np.sum(ranks**2)))
    return float(2 * _upper_tail(abs(z)))


def smallest_shift_found(differences: Times, *, comparisons: int, seed: int) -> float:
    """The smallest delay, in ms, that would be found with a probability of `POWER`.

    Found by planting delays, each 10 % longer than the one before, in rounds drawn with
    replacement from those that were measured.

    Args:
        differences: Of two kinds that are one, round by round.
        comparisons: Among how many it must stand out.
        seed: Draws the rounds.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.choice(differences, size=(_RESAMPLES, differences.size))
    shift = float(np.median(np.abs(differences))) / 100
    while True:
        found = [p_value(each + shift) <= FALSE_ALARM_MAX / comparisons for each in drawn]
        if float(np.mean(found)) >= POWER:
            return shift
        shift *= 1.1


def _mid_ranks(values: Times) -> Times:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Times = (last - (counts - 1) / 2)[places]
    return ranks


def _upper_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
