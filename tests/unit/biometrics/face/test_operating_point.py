"""An operating point is finite, above zero and never the customary 0.6 by default."""

import dataclasses
import math

import pytest

from biometrics.face.models import DLIB_RESNET29
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.score import ScoreType


def test_the_default_point_belongs_to_the_network_of_dlib() -> None:
    assert DEFAULT.score_type is ScoreType.DISTANCE
    assert DEFAULT.decision_threshold == 0.40
    assert DEFAULT.model_digest == DLIB_RESNET29.weights_sha256
    assert DEFAULT.source


def test_the_reason_against_the_customary_threshold_is_written_down() -> None:
    assert "80 %" in (OperatingPoint.__doc__ or "")


@pytest.mark.parametrize("threshold", [0.0, -0.1, math.nan, math.inf])
def test_a_threshold_that_matches_everybody_or_nobody_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="decision_threshold"):
        dataclasses.replace(DEFAULT, decision_threshold=threshold)


def test_an_operating_point_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEFAULT.decision_threshold = 0.6  # type: ignore[misc] # the refusal is what is tested
