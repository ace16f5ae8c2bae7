"""Scored trials with a known truth, made from a seed."""

from collections.abc import Callable

import numpy as np
import pytest

from biometrics.evaluation.trials import Trials

MakeTrials = Callable[..., Trials]


def make(*, people: int = 60, seed: int = 1, crowded_share: float = 0.0) -> Trials:
    """Every person with every other and once with themselves.

    Non-mated similarities are N(0, 1), mated ones N(5, 1). Pairs among the first `crowded_share` of
    the people are more alike, N(1, 1), and form the group `crowded` of the column `kind`.
    """
    generator = np.random.default_rng(seed)
    one, other = np.triu_indices(people)
    is_mated = one == other
    crowded = other < people * crowded_share
    mean = np.where(is_mated, 5.0, np.where(crowded, 1.0, 0.0))
    return Trials(
        similarity=generator.normal(size=len(one)) + mean,
        is_mated=is_mated,
        identity_a=one.astype(np.int64),
        identity_b=other.astype(np.int64),
        groups={"kind": np.where(crowded, "crowded", "sparse")},
    )


@pytest.fixture(scope="session")
def make_trials() -> MakeTrials:
    """Makes trials of a known truth."""
    return make
