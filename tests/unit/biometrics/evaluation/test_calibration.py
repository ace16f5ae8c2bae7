"""A calibration gives thresholds with evidence, and a fallback for the time without a cohort."""

from datetime import date

import numpy as np
import pytest

from biometrics.evaluation.calibration import DataSet, Targets, calibrate
from biometrics.evaluation.intervals import counted_rate
from biometrics.evaluation.pairs import read_pairs
from biometrics.evaluation.scoring import NamedCohort, ScoredPairs, pair_up
from biometrics.evaluation.thresholds import UnsupportedTargetError
from biometrics.face.acquisition import Template
from biometrics.face.cohort import Cohort, unit_vectors
from biometrics.face.models import Views
from biometrics.face.score import ModelMismatchError, ScoreType

MODEL = "ab" * 32
PEOPLE = 310
TARGETS = Targets(fmr=0.01, review_fmr=0.1)
DATA = DataSet(
    fta=counted_rate(2, 200),
    digest="ef" * 32,
    population="people of the test",
    measured_on=date(2026, 1, 2),
    views=Views.MIRROR,
    quality_gate="live",
)


@pytest.fixture(scope="module")
def pairs() -> ScoredPairs:
    generator = np.random.default_rng(8)
    faces = generator.normal(size=(PEOPLE, 24))
    templates = {
        f"{person}/{photograph}": Template(
            vector=(faces[person] + generator.normal(size=24) / 5).astype(np.float32),
            model_digest=MODEL,
        )
        for person in range(PEOPLE)
        for photograph in (1, 2)
    }
    lines = ["path_a,path_b,mated,half"]
    for person in range(PEOPLE):
        half = "first" if person < PEOPLE // 2 else "second"
        lines.append(f"{person}/1,{person}/2,1,{half}")
        others = range(person + 1, min(person + 11, PEOPLE))
        lines += [f"{person}/1,{other}/2,0,{half}" for other in others]
    return pair_up(read_pairs("\n".join(lines).encode()), templates)


def test_without_a_cohort_the_score_is_the_cosine(pairs: ScoredPairs) -> None:
    point = calibrate(pairs, targets=TARGETS, data=DATA)
    assert (point.score_type, point.cohort_digest, point.fallback) == (ScoreType.COSINE, None, None)


def test_with_a_cohort_there_is_a_fallback(pairs: ScoredPairs) -> None:
    cohort = NamedCohort.from_pairs(pairs)
    point = calibrate(pairs, targets=TARGETS, data=DATA, cohort=cohort)
    assert point.score_type is ScoreType.COHORT_CENTRED
    assert point.cohort_digest == cohort.cohort().digest
    assert point.fallback is not None
    assert point.fallback.score_type is ScoreType.COSINE
    assert point.usable(cohort.cohort()) is point


def test_the_evidence_says_what_was_counted_on_whom(pairs: ScoredPairs) -> None:
    point = calibrate(pairs, targets=TARGETS, data=DATA)
    evidence = point.evidence
    assert evidence is not None
    assert (evidence.target_fmr, evidence.review_target_fmr) == (0.01, 0.1)
    assert evidence.identities == PEOPLE
    assert evidence.fmr.trials == len(pairs.trials.non_mated)
    assert evidence.fnmr.trials == PEOPLE
    assert evidence.held_out_fmr.rate is not None
    assert evidence.held_out_fmr.rate < 0.02
    assert [(g.column, g.value) for g in evidence.groups] == [("half", "first"), ("half", "second")]
    assert all(g.fmr.rate is not None and g.fmr.rate <= 0.01 for g in evidence.groups)
    assert (evidence.fta, evidence.quality_gate) == (DATA.fta, "live")


def test_the_review_zone_lies_below_the_match_zone(pairs: ScoredPairs) -> None:
    point = calibrate(pairs, targets=TARGETS, data=DATA)
    assert point.review_threshold is not None
    assert point.review_threshold < point.decision_threshold


def test_a_cohort_of_another_model_is_refused(pairs: ScoredPairs) -> None:
    drawn = np.random.default_rng(1).normal(size=(300, 24))
    other = Cohort(vectors=unit_vectors(drawn).astype(np.float32), model_digest="cd" * 32)
    with pytest.raises(ModelMismatchError):
        calibrate(pairs, targets=TARGETS, data=DATA, cohort=other)


def test_a_target_the_pairs_cannot_support_is_refused(pairs: ScoredPairs) -> None:
    with pytest.raises(UnsupportedTargetError, match="30000 pairs"):
        calibrate(pairs, targets=Targets(fmr=1e-4), data=DATA)


@pytest.mark.parametrize(("fmr", "review"), [(0, None), (1, None), (0.1, 0.01), (0.1, 1)])
def test_targets_out_of_range_are_refused(fmr: float, review: float | None) -> None:
    with pytest.raises(ValueError, match="FMR"):
        Targets(fmr=fmr, review_fmr=review)
