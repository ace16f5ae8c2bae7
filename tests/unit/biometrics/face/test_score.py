"""Each kind of score has its formula and its direction, and refuses what has no common measure."""

import numpy as np
import pytest

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.cohort import Cohort, unit_vectors
from biometrics.face.score import ModelMismatchError, Scorer, ScoreType

MODEL = "ab" * 32
RNG = np.random.default_rng(7)
COHORT = Cohort(
    vectors=unit_vectors(RNG.normal(size=(400, 6))).astype(np.float32), model_digest=MODEL
)
ONE, OTHER = RNG.normal(size=6), RNG.normal(size=6)


def template(values: object, *, model: str = MODEL) -> Template:
    return Template(vector=np.asarray(values, dtype=np.float32), model_digest=model)


def scorer(score_type: ScoreType) -> Scorer:
    cohort = COHORT if score_type is ScoreType.COHORT_CENTRED else None
    return Scorer(score_type=score_type, cohort=cohort)


def test_a_distance_is_euclidean_and_its_similarity_is_negated() -> None:
    made = scorer(ScoreType.DISTANCE)
    assert made.score(template([0, 0]), template([3, 4])) == 5.0
    assert made.similarity(template([0, 0]), template([3, 4])) == -5.0


def test_a_cosine_does_not_depend_on_length() -> None:
    made = scorer(ScoreType.COSINE)
    assert made.score(template([2, 0]), template([3, 3])) == pytest.approx(0.5**0.5)


def test_a_cohort_centred_score_follows_its_formula() -> None:
    def nearness(vector: object) -> float:
        cosines = COHORT.vectors.astype(np.float64) @ unit_vectors(np.asarray([vector]))[0]
        return float(np.sort(cosines)[-10:].mean())

    cosine = float(unit_vectors(ONE[None])[0] @ unit_vectors(OTHER[None])[0])
    expected = cosine - (nearness(ONE) + nearness(OTHER)) / 2
    made = scorer(ScoreType.COHORT_CENTRED)
    assert made.score(template(ONE), template(OTHER)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("score_type", ScoreType)
def test_a_score_does_not_depend_on_the_order(score_type: ScoreType) -> None:
    made = scorer(score_type)
    there = made.similarity(template(ONE), template(OTHER))
    assert made.similarity(template(OTHER), template(ONE)) == pytest.approx(there)


@pytest.mark.parametrize("score_type", ScoreType)
def test_many_scores_are_those_of_each_pair(score_type: ScoreType) -> None:
    made = scorer(score_type)
    one, other = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 6))
    each = [made.similarity(template(a), template(b)) for a, b in zip(one, other, strict=True)]
    assert made.similarities(one, other) == pytest.approx(each, abs=1e-6)


@pytest.mark.parametrize("score_type", ScoreType)
def test_templates_of_two_models_are_refused(score_type: ScoreType) -> None:
    with pytest.raises(ModelMismatchError):
        scorer(score_type).similarity(template(ONE), template(OTHER, model="cd" * 32))


@pytest.mark.parametrize("score_type", ScoreType)
def test_templates_of_two_lengths_are_refused(score_type: ScoreType) -> None:
    with pytest.raises(InvalidTemplateError):
        scorer(score_type).similarity(template(ONE), template(OTHER[:5]))


def test_a_cohort_of_another_model_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="cohort"):
        scorer(ScoreType.COHORT_CENTRED).similarity(
            template(ONE, model="cd" * 32), template(OTHER, model="cd" * 32)
        )


@pytest.mark.parametrize("score_type", [ScoreType.COSINE, ScoreType.COHORT_CENTRED])
def test_a_template_of_zeros_has_no_direction(score_type: ScoreType) -> None:
    with pytest.raises(InvalidTemplateError, match="direction"):
        scorer(score_type).similarity(template(ONE), template(np.zeros(6)))


def test_a_template_that_is_not_finite_does_not_exist() -> None:
    with pytest.raises(InvalidTemplateError, match="finite"):
        template([np.nan, 1])


def test_a_cohort_centred_score_needs_a_cohort_and_no_other_has_one() -> None:
    with pytest.raises(ValueError, match="cohort"):
        Scorer(score_type=ScoreType.COHORT_CENTRED)
    with pytest.raises(ValueError, match="cohort"):
        Scorer(score_type=ScoreType.COSINE, cohort=COHORT)


def test_a_cohort_below_the_minimum_centres_nothing() -> None:
    small = Cohort(vectors=COHORT.vectors[:299], model_digest=MODEL)
    with pytest.raises(ValueError, match="300"):
        Scorer(score_type=ScoreType.COHORT_CENTRED, cohort=small)
