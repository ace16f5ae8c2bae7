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
from biometrics.evaluation.trials import Trials
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
    # 50 crowded people are 1225 pairs, however many divisions there are.
    assert crowded.independent == 1225


def faces(*, seed: int, people: int = 120, per_person: int = 4) -> Trials:
    """Photographs of people in a space of 12 dimensions, where some people are alike to many.

    The first half of the people live in one corner, and some take part in many more trials than
    others: so errors come in clusters, as with photographs.
    """
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(people, 12))
    centres[: people // 2] += 1.2 * generator.normal(size=12)
    photographs = centres[:, None] + generator.normal(size=(people, per_person, 12)) / 2
    photographs /= np.linalg.norm(photographs, axis=2, keepdims=True)
    often = generator.gamma(0.5, size=people)
    one = generator.choice(people, size=8000, p=often / often.sum())
    # With somebody of the same half of the people, mostly somebody else.
    other = generator.integers(people // 2, size=8000) + (one >= people // 2) * (people // 2)
    first, second = generator.integers(per_person, size=(2, 8000))
    return Trials(
        similarity=(photographs[one, first] * photographs[other, second]).sum(axis=1),
        is_mated=one == other,
        identity_a=one,
        identity_b=other,
        groups={"kind": np.where(one < people // 2, "crowded", "sparse")},
    )


def test_the_stated_interval_holds_the_rate_of_other_people() -> None:
    """Half of the people choose and state; the other half is counted. Both groups, 40 worlds."""
    inside = {"crowded": 0, "sparse": 0}
    worlds = 40
    for seed in range(worlds):
        trials = faces(seed=seed)
        half = division(trials, seed=0)
        rest = np.setdiff1d(trials.identities, half)
        chooses, counts = trials.where(trials.among(half)), trials.where(trials.among(rest))
        chosen = choose_threshold(chooses, target_fmr=0.01)
        stated = held_out(chooses, target_fmr=0.01)
        for group, mask in counts.non_mated.group_masks().items():
            shown = share_matching(counts.non_mated.where(mask), threshold=chosen.threshold)
            rate = stated.groups[group]
            inside[group[1]] += rate.low <= shown <= rate.high
    # 95 % of 40 are 38; two fewer are within chance (binomial, 5 %).
    assert min(inside.values()) >= 36


def test_a_division_halves_every_group_and_is_repeatable(make_trials: MakeTrials) -> None:
    trials = make_trials(people=100, crowded_share=0.4)
    half = division(trials, seed=3)
    assert len(half) in range(48, 53)
    assert (half < 40).sum() in range(19, 22)
    assert half.tolist() == division(trials, seed=3).tolist()
    assert half.tolist() != division(trials, seed=4).tolist()


def test_few_errors_may_be_none_on_the_other_half(make_trials: MakeTrials) -> None:
    few = held_out(make_trials(people=60), target_fmr=0.002).all_people
    assert few.errors > 0
    assert few.low == 0
