"""The score is a distance, the threshold is inclusive, and what cannot be compared is refused."""

import dataclasses

import numpy as np
import pytest

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.compare import ComparisonDecision, compare, dissimilarity
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.operating_point import DEFAULT
from biometrics.face.score import ModelMismatchError


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
