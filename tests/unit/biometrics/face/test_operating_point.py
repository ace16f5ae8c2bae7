"""An operating point is finite, above zero and never the customary 0.6 by default."""

import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest

from biometrics.face.cohort import Cohort, unit_vectors
from biometrics.face.error_rate import ErrorRate
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.operating_point import (
    DEFAULT,
    Evidence,
    GroupEvidence,
    OperatingPoint,
    trials_needed,
)
from biometrics.face.score import ModelMismatchError, ScoreType
from tests.unit.biometrics.face.points import GOOD, rate


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


MODEL = "ab" * 32


def cohort(count: int = 300, *, seed: int = 1) -> Cohort:
    drawn = np.random.default_rng(seed).normal(size=(count, 4))
    return Cohort(vectors=unit_vectors(drawn).astype(np.float32), model_digest=MODEL)


def cosine_point(threshold: float = 0.9, *, evidence: Evidence | None = GOOD) -> OperatingPoint:
    return OperatingPoint(
        score_type=ScoreType.COSINE,
        decision_threshold=threshold,
        source="a test",
        model_digest=MODEL,
        evidence=evidence,
    )


def centred_point(people: Cohort, *, fallback: OperatingPoint | None = None) -> OperatingPoint:
    return OperatingPoint(
        score_type=ScoreType.COHORT_CENTRED,
        decision_threshold=0.0,
        review_threshold=-0.1,
        source="a test",
        model_digest=MODEL,
        cohort_digest=people.digest,
        evidence=GOOD,
        fallback=fallback,
    )


def test_a_distance_matches_below_and_a_cosine_above_its_threshold() -> None:
    assert DEFAULT.is_match(0.40)
    assert not DEFAULT.is_match(0.41)
    assert cosine_point(0.9).is_match(0.9)
    assert not cosine_point(0.9).is_match(0.89)


def test_between_the_thresholds_lies_review() -> None:
    point = centred_point(cohort())
    assert [point.is_match(score) for score in (0.0, -0.05, -0.2)] == [True, False, False]
    assert [point.is_review(score) for score in (0.0, -0.1, -0.2)] == [False, True, False]
    assert not DEFAULT.is_review(0.41)


def test_a_review_threshold_on_the_wrong_side_is_refused() -> None:
    with pytest.raises(ValueError, match="stricter"):
        dataclasses.replace(cosine_point(0.5), review_threshold=0.6)
    with pytest.raises(ValueError, match="stricter"):
        dataclasses.replace(DEFAULT, review_threshold=0.3)


@pytest.mark.parametrize("threshold", [math.nan, math.inf, 2.1, -2.1])
def test_a_cosine_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="decision_threshold"):
        cosine_point(threshold)


def test_a_cohort_centred_point_names_its_cohort_and_no_other_does() -> None:
    with pytest.raises(ValueError, match="cohort"):
        dataclasses.replace(cosine_point(), cohort_digest="cd" * 32)
    with pytest.raises(ValueError, match="cohort"):
        dataclasses.replace(centred_point(cohort()), cohort_digest=None)


def test_without_a_large_enough_cohort_the_fallback_decides() -> None:
    people, fallback = cohort(), cosine_point(0.97)
    point = centred_point(people, fallback=fallback)
    assert point.usable(people) is point
    assert point.usable(None) is fallback
    assert point.usable(cohort(299)) is fallback
    assert fallback.usable(None) is fallback


def test_without_a_fallback_a_missing_cohort_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="cohort"):
        centred_point(cohort()).usable(None)


def test_another_cohort_than_the_one_of_the_thresholds_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="another cohort"):
        centred_point(cohort()).usable(cohort(seed=2))


def test_a_fallback_is_for_the_same_model_and_needs_no_cohort() -> None:
    people = cohort()
    with pytest.raises(ValueError, match="same model"):
        centred_point(people, fallback=DEFAULT)
    with pytest.raises(ValueError, match="neither"):
        centred_point(people, fallback=centred_point(people))


def test_good_evidence_satisfies_the_line_of_the_circular() -> None:
    point = cosine_point()
    assert point.shortfalls(fmr_max=1e-4, fnmr_max=0.05) == ()
    assert point.satisfies(fmr_max=1e-4, fnmr_max=0.05)


def test_the_default_point_satisfies_nothing_for_want_of_evidence() -> None:
    assert not DEFAULT.satisfies(fmr_max=0.5, fnmr_max=0.5)
    assert "biometrics calibrate" in DEFAULT.shortfalls(fmr_max=0.5, fnmr_max=0.5)[0]


def group(fmr: ErrorRate) -> GroupEvidence:
    return GroupEvidence(
        column="gender",
        value="female",
        identities=10,
        fmr=fmr,
        fnmr=rate(0, 100, high=0.03),
        held_out_fmr=rate(0, 100_000, high=9e-5),
        is_supported=False,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fmr": rate(20, 100_000, high=2e-4)}, "all people: FMR may be 0.02 %"),
        ({"held_out_fmr": rate(20, 100_000, high=2e-4)}, "FMR on people not used may be 0.02 %"),
        ({"fmr": rate(0, 29_999, high=9e-5)}, "29999 pairs .* 30000 are needed"),
        ({"fnmr": rate(45, 1000, high=0.06)}, "FRR may be 6.6 %"),
        ({"fta": rate(45, 1000, high=0.06)}, "FRR may be 7.9 %"),
        ({"quality_gate": "none"}, "quality gate `none`"),
        ({"groups": (group(rate(0, 50, high=0.07)),)}, "gender female: FMR may be 7 %"),
    ],
)
def test_what_is_missing_is_said(change: dict[str, Any], said: str) -> None:
    evidence = dataclasses.replace(GOOD, **change)
    missing = cosine_point(evidence=evidence).shortfalls(fmr_max=1e-4, fnmr_max=0.05)
    assert any(re.search(said, text) for text in missing), missing


def test_a_fallback_must_satisfy_as_well() -> None:
    weak = dataclasses.replace(GOOD, fnmr=rate(300, 1000, high=0.33))
    point = centred_point(cohort(), fallback=cosine_point(evidence=weak))
    missing = point.shortfalls(fmr_max=1e-4, fnmr_max=0.05)
    assert missing
    assert all(text.startswith("without a cohort, ") for text in missing)


@pytest.mark.parametrize("demand", [{"fmr_max": 0.0}, {"fnmr_max": 1.0}, {"confidence": 0.99}])
def test_demands_out_of_range_are_refused(demand: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rates lie"):
        cosine_point().satisfies(**({"fmr_max": 1e-4, "fnmr_max": 0.05} | demand))


def test_the_rule_of_three_counts_trials() -> None:
    assert [trials_needed(rate) for rate in (1e-2, 1e-3, 1e-4)] == [300, 3000, 30_000]
    with pytest.raises(ValueError, match="within 0 and 1"):
        trials_needed(0)
