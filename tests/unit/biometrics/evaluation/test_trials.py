"""The table of trials holds together and knows its people and groups."""

import numpy as np
import pytest

from biometrics.evaluation.trials import Trials

TRIALS = Trials(
    similarity=np.array([0.1, 0.2, 0.3, 0.9]),
    is_mated=np.array([False, False, False, True]),
    identity_a=np.array([1, 2, 1, 3]),
    identity_b=np.array([2, 1, 3, 3]),
    groups={"kind": np.array(["x", "x", "y", ""])},
)


def test_independent_trials_are_different_pairs_of_people() -> None:
    assert len(TRIALS.non_mated) == 3
    assert TRIALS.non_mated.independent == 2
    assert TRIALS.mated.independent == 1


def test_an_empty_value_is_in_no_group() -> None:
    masks = TRIALS.group_masks()
    assert set(masks) == {("kind", "x"), ("kind", "y")}
    assert masks["kind", "x"].tolist() == [True, True, False, False]


def test_trials_among_people_have_both_among_them() -> None:
    assert TRIALS.among([1, 2]).tolist() == [True, True, False, False]


def test_everybody_is_counted_once() -> None:
    assert TRIALS.identities.tolist() == [1, 2, 3]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        TRIALS.with_similarity(np.array([0.1]))


def test_a_similarity_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        TRIALS.with_similarity(np.array([0.1, np.nan, 0.3, 0.4]))
