"""Pairs become trials where both photographs gave a template; a named cohort leaves people out."""

import numpy as np
import pytest

from biometrics.evaluation.pairs import PairList, read_pairs
from biometrics.evaluation.scoring import NamedCohort, ScoringError, pair_up
from biometrics.face.acquisition import Template
from biometrics.face.score import Scorer, ScoreType

MODEL = "ab" * 32
PEOPLE = 320


def template(vector: object, *, model: str = MODEL) -> Template:
    return Template(vector=np.asarray(vector, dtype=np.float32), model_digest=model)


def world() -> tuple[PairList, dict[str, Template]]:
    """People with two photographs each, compared with themselves and the next person."""
    lines = ["path_a,path_b,mated,parity"]
    for person in range(PEOPLE):
        following = (person + 1) % PEOPLE
        lines.append(f"{person}/1,{person}/2,1,{person % 2}")
        lines.append(f"{person}/1,{following}/1,0,")
    generator = np.random.default_rng(1)
    faces = generator.normal(size=(PEOPLE, 16))
    templates = {
        f"{person}/{photograph}": template(faces[person] + generator.normal(size=16) / 5)
        for person in range(PEOPLE)
        for photograph in (1, 2)
    }
    return read_pairs("\n".join(lines).encode()), templates


def test_a_pair_with_a_failed_photograph_is_no_trial() -> None:
    pair_list, templates = world()
    del templates["5/2"]
    made = pair_up(pair_list, templates)
    assert len(made.pairs) == len(made.trials) == 2 * PEOPLE - 1
    assert all("5/2" not in (pair.path_a, pair.path_b) for pair in made.pairs)


def test_trials_carry_people_groups_and_the_score() -> None:
    pair_list, templates = world()
    made = pair_up(pair_list, templates)
    assert made.trials.independent == 2 * PEOPLE
    assert len(made.trials.identities) == PEOPLE
    assert set(made.trials.group_masks()) == {("parity", "0"), ("parity", "1")}
    scorer = Scorer(score_type=ScoreType.DISTANCE)
    first = scorer.similarity(templates["0/1"], templates["0/2"])
    assert made.trials.similarity[0] == pytest.approx(first)


def test_a_cohort_leaves_out_whoever_is_compared() -> None:
    pair_list, templates = world()
    pairs = pair_up(pair_list, templates)
    cohort = NamedCohort.from_pairs(pairs)
    made = cohort.scored(pairs).similarity
    for index in (0, 1, 7):
        pair = pairs.pairs[index]
        compared = {pair_list.identities[pair.path_a], pair_list.identities[pair.path_b]}
        strangers = cohort.vectors[~np.isin(cohort.identities, list(compared))]
        one, other = (
            vector / np.linalg.norm(vector)
            for vector in (pairs.one[index].astype(float), pairs.other[index].astype(float))
        )
        nearness = [np.sort(strangers @ vector)[-10:].mean() for vector in (one, other)]
        assert made[index] == pytest.approx(one @ other - np.mean(nearness), abs=1e-6)


def test_a_nameless_cohort_has_the_same_people() -> None:
    pair_list, templates = world()
    cohort = NamedCohort.from_pairs(pair_up(pair_list, templates))
    nameless = cohort.cohort()
    assert len(nameless) == len(cohort) == PEOPLE
    assert nameless.model_digest == MODEL


def test_too_few_people_make_no_cohort() -> None:
    pair_list, templates = world()
    pairs = pair_up(pair_list, templates)
    with pytest.raises(ScoringError, match="300 are needed"):
        NamedCohort.from_pairs(pairs.where(pairs.trials.among(np.arange(299))))


def test_templates_of_two_models_or_none_give_no_trials() -> None:
    pair_list, templates = world()
    with pytest.raises(ScoringError, match="one model"):
        pair_up(pair_list, templates | {"0/1": template([1, 2], model="cd" * 32)})
    with pytest.raises(ScoringError):
        pair_up(pair_list, {})
