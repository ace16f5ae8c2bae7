"""The score is a distance, the threshold is inclusive, and what cannot be compared is refused."""

import dataclasses

import numpy as np
import pytest

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.compare import ComparisonDecision, compare, dissimilarity
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.score import ModelMismatchError, ScoreType


def template(*values: float, digest: str = DLIB_RESNET29.weights_sha256) -> Template:
    return Template(vector=np.array(values, dtype=np.float32), model_digest=digest)


def test_the_dissimilarity_is_the_euclidean_distance() -> None:
    assert dissimilarity(template(0, 0), template(3, 4)) == 5.0


def test_the_largest_finite_templates_have_a_finite_dissimilarity() -> None:
    largest = float(np.finfo(np.float32).max)
    assert np.isfinite(dissimilarity(template(largest), template(-largest)))


def test_a_dissimilarity_at_the_threshold_is_a_match() -> None:
    point = dataclasses.replace(DEFAULT, decision_threshold=0.5)
    comparison = compare(template(0.0), template(0.5), operating_point=point)
    assert comparison.decision is ComparisonDecision.MATCH
    assert comparison.dissimilarity == 0.5


def test_a_dissimilarity_above_the_threshold_is_a_non_match() -> None:
    point = dataclasses.replace(DEFAULT, decision_threshold=0.5)
    above = float(np.nextafter(np.float32(0.5), np.float32(1)))
    comparison = compare(template(0.0), template(above), operating_point=point)
    assert comparison.decision is ComparisonDecision.NON_MATCH


def test_a_comparison_carries_its_threshold_and_its_model() -> None:
    comparison = compare(template(1.0), template(1.0), operating_point=DEFAULT)
    assert comparison.decision_threshold == DEFAULT.decision_threshold
    assert comparison.model_digest == DLIB_RESNET29.weights_sha256


def test_templates_of_different_models_are_refused() -> None:
    with pytest.raises(ModelMismatchError, match="different networks"):
        compare(template(1.0), template(1.0, digest="ab" * 32), operating_point=DEFAULT)


def test_a_threshold_set_for_another_model_is_refused() -> None:
    point = dataclasses.replace(DEFAULT, model_digest="ab" * 32)
    with pytest.raises(ModelMismatchError, match="threshold"):
        compare(template(1.0), template(1.0), operating_point=point)


def test_templates_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidTemplateError, match="one length"):
        compare(template(1.0), template(1.0, 1.0), operating_point=DEFAULT)


def test_every_refusal_is_a_value_error() -> None:
    assert issubclass(ModelMismatchError, ValueError)
    assert issubclass(InvalidTemplateError, ValueError)


def at_distance(threshold: float, *, review: float | None = None) -> OperatingPoint:
    return dataclasses.replace(DEFAULT, decision_threshold=threshold, review_threshold=review)


def test_a_mean_of_strangers_that_agree_cannot_pass_for_a_third_person() -> None:
    """Two strangers on either side: each too far alone, and alike; their mean is the third."""
    reference, strangers = template(0.0, 0.0), (template(0.0, 0.6), template(0.0, -0.6))
    point = at_distance(0.5)
    mean = template(0.0, 0.0)
    assert compare(reference, mean, operating_point=point).decision is ComparisonDecision.MATCH
    made = compare(reference, mean, operating_point=point, photographs=strangers)
    assert made.decision is ComparisonDecision.NON_MATCH


def test_one_photograph_of_a_stranger_decides_among_good_ones() -> None:
    photographs = (template(0.1), template(0.2), template(0.9), template(0.7))
    made = compare(
        template(0.0), template(0.475), operating_point=at_distance(0.5), photographs=photographs
    )
    assert made.decision is ComparisonDecision.NON_MATCH
    # The least alike of them is what the comparison reports, in both of its numbers.
    assert made.comparison_score == pytest.approx(0.9)
    assert made.dissimilarity == pytest.approx(0.9)


def test_the_least_alike_photograph_of_a_similarity_has_the_lowest_score() -> None:
    point = OperatingPoint(
        score_type=ScoreType.COSINE, decision_threshold=0.9, source="set for this test"
    )
    photographs = (template(1.0, 0.0), template(0.5, 1.0), template(0.0, 1.0))
    made = compare(
        template(1.0, 0.0), template(1.0, 0.1), operating_point=point, photographs=photographs
    )
    assert (made.decision, made.comparison_score) == (ComparisonDecision.NON_MATCH, 0.0)


def test_photographs_that_are_all_good_leave_the_decision_to_their_mean() -> None:
    photographs = (template(0.4), template(0.2))
    made = compare(
        template(0.0), template(0.3), operating_point=at_distance(0.5), photographs=photographs
    )
    assert made.decision is ComparisonDecision.MATCH
    assert made.comparison_score == pytest.approx(0.3)


def test_a_photograph_in_the_review_zone_does_not_decide() -> None:
    point = at_distance(0.5, review=0.8)
    photographs = (template(0.7), template(0.1))
    made = compare(template(0.0), template(0.4), operating_point=point, photographs=photographs)
    assert made.decision is ComparisonDecision.MATCH
    photographs = (template(0.9), template(0.1))
    made = compare(template(0.0), template(0.5), operating_point=point, photographs=photographs)
    assert made.decision is ComparisonDecision.NON_MATCH


def test_photographs_of_another_network_are_refused() -> None:
    with pytest.raises(ModelMismatchError, match="different networks"):
        compare(
            template(1.0),
            template(1.0),
            operating_point=DEFAULT,
            photographs=(template(1.0, digest="ab" * 32),),
        )
