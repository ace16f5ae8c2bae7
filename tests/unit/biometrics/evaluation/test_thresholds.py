"""A threshold keeps its promise for the worst group and for people it has not seen."""

import numpy as np
import pytest

from biometrics.evaluation.rates import share_matching, threshold_at_fmr
from biometrics.evaluation.thresholds import (
    UnsupportedTargetError,
    check_support,
    choose_threshold,
    division,
    held_out,
    is_supported,
)
from tests.unit.biometrics.evaluation.conftest import MakeTrials

CROWDED = ("kind", "crowded")


def test_a_target_below_the_rule_of_three_is_refused_and_says_what_is_needed(
    make_trials: MakeTrials,
) -> None:
    trials = make_trials(people=60)  # 1770 pairs of people
    with pytest.raises(UnsupportedTargetError, match=r"needs 3000 pairs .* 78 people.* have 1770"):
        check_support(trials, target_fmr=1e-3)
    check_support(trials, target_fmr=2e-3)


def test_photographs_of_the_same_people_do_not_help(make_trials: MakeTrials) -> None:
    trials = make_trials(people=60)
    twice = trials.where(np.ones(len(trials), dtype=np.bool_))
    assert not is_supported(twice.non_mated, target_fmr=1e-3)


def test_without_mated_pairs_nothing_is_chosen(make_trials: MakeTrials) -> None:
    with pytest.raises(UnsupportedTargetError, match="mated"):
        choose_threshold(make_trials().non_mated, target_fmr=0.01)


def test_the_worst_group_sets_the_threshold(make_trials: MakeTrials) -> None:
    trials = make_trials(people=120, crowded_share=0.5)
    chosen = choose_threshold(trials, target_fmr=0.01)
    crowded = trials.non_mated.where(trials.non_mated.group_masks()[CROWDED])
    assert chosen.worst_group == CROWDED
    assert share_matching(crowded, threshold=chosen.threshold) <= 0.01
    alone = threshold_at_fmr(trials.non_mated, target_fmr=0.01)
    assert chosen.threshold > alone + 0.5
    assert chosen.threshold == pytest.approx(
        threshold_at_fmr(crowded, target_fmr=0.01) + chosen.margin
    )


def test_a_margin_makes_a_threshold_stricter_and_never_looser(make_trials: MakeTrials) -> None:
    chosen = choose_threshold(make_trials(people=60), target_fmr=0.01)
    assert chosen.margin > 0


def test_a_threshold_holds_for_people_it_has_not_seen(make_trials: MakeTrials) -> None:
    kept = []
    for seed in range(12):
        chosen = choose_threshold(make_trials(people=60, seed=seed), target_fmr=0.02)
        # The truth: the tail of a unit normal.
        others = make_trials(people=150, seed=1000 + seed).non_mated
        kept.append(share_matching(others, threshold=chosen.threshold) <= 0.022)
    assert np.mean(kept) >= 0.8


def test_a_tiny_group_still_counts_with_its_most_alike_pair(make_trials: MakeTrials) -> None:
    trials = make_trials(people=60, crowded_share=0.08)
    chosen = choose_threshold(trials, target_fmr=0.01)
    tiny = trials.non_mated.where(trials.non_mated.group_masks()[CROWDED])
    assert len(tiny) < 20
    assert chosen.threshold > tiny.similarity.max()


def test_held_out_rates_are_counted_on_other_people(make_trials: MakeTrials) -> None:
    trials = make_trials(people=100, crowded_share=0.5)
    unseen = held_out(trials, target_fmr=0.02)
    crowded = unseen.groups[CROWDED]
    assert crowded.rate is not None
    assert 0 < crowded.rate <= 0.03
    assert crowded.low <= 0.02 <= crowded.high
    # One half has 25 crowded people, so at most 300 pairs speak, however many divisions there are.
    assert crowded.independent <= 325


def test_a_division_halves_every_group_and_is_repeatable(make_trials: MakeTrials) -> None:
    trials = make_trials(people=100, crowded_share=0.4)
    half = division(trials, seed=3)
    assert len(half) in range(48, 53)
    assert (half < 40).sum() in range(19, 22)
    assert half.tolist() == division(trials, seed=3).tolist()
    assert half.tolist() != division(trials, seed=4).tolist()
