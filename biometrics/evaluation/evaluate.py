"""An evaluation from pairs and photographs to a report.

Owns which scores are reported and in which order. Refuses to read files and to draw.
"""

from dataclasses import dataclass
from datetime import date

from biometrics.evaluation.calibration import cohort_trials, data_digest
from biometrics.evaluation.pairs import PairList
from biometrics.evaluation.photographs import Photographs
from biometrics.evaluation.report import (
    Report,
    failures_to_acquire,
    score_report,
    worst_errors,
)
from biometrics.evaluation.scoring import NamedCohort, ScoredPairs, ScoringError, pair_up
from biometrics.evaluation.trials import Trials
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort, InvalidCohortError
from biometrics.face.operating_point import OperatingPoint
from biometrics.face.score import ModelMismatchError, Scorer, ScoreType

TARGET_FMR = 1e-3
"""Where the thresholds of a report are taken without an operating point."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is evaluated.

    Attributes:
        title: In words, for the head of the report.
        measured_on: The day.
        cohort: 300 strangers or more to the people of the list. Without one, and with 300 people or
            more in the list, they are each other's cohort, and whoever is compared is left out.
        operating_point: Gives the thresholds, or its fallback does when there is no cohort; without
            one they are taken at an FMR of 1e-3.
    """

    title: str
    measured_on: date
    cohort: Cohort | None = None
    operating_point: OperatingPoint | None = None


def evaluate(pair_list: PairList, photographs: Photographs, *, subject: Subject) -> Report:
    """All findings of a list of pairs.

    Raises:
        ScoringError: No pair gave a score, or none of different people.
        ModelMismatchError: The cohort or the operating point is for another model or other views.
        InvalidCohortError: The cohort is too small, or its vectors have another length.
    """
    pairs = pair_up(pair_list, photographs.templates)
    if not len(pairs.trials.non_mated) or not len(pairs.trials.mated):
        raise ScoringError("an evaluation needs scored pairs of one person and of different people")
    _check_parts(pairs, subject)
    cohort = subject.cohort or _own_cohort(pairs)
    scores = _scores(pairs, cohort)
    point = _deciding_point(scores, subject.operating_point)
    main = next(iter(scores)) if point is None else point.score_type
    order = [main, *(kind for kind in scores if kind is not main)]
    failures = sorted(photographs.failures.values())
    return Report(
        title=subject.title,
        measured_on=subject.measured_on,
        model_digest=pairs.model_digest,
        data_digest=data_digest(pair_list, photographs),
        photographs=len(pair_list.paths),
        pairs=len(pair_list.pairs),
        mated=len(pairs.trials.mated),
        non_mated=len(pairs.trials.non_mated),
        identities=len(pairs.trials.identities),
        cohort_identities=0 if cohort is None else len(cohort),
        fta=failures_to_acquire(pair_list, photographs),
        failures={reason: failures.count(reason) for reason in dict.fromkeys(failures)},
        scores=tuple(
            score_report(
                scores[kind],
                score_type=kind,
                target_fmr=TARGET_FMR,
                operating_point=point,
            )
            for kind in order
        ),
        worst_errors=worst_errors(pairs, scores[main], score=main),
    )


def _check_parts(pairs: ScoredPairs, subject: Subject) -> None:
    if subject.cohort is not None and not subject.cohort.is_large_enough:
        raise InvalidCohortError(
            f"a cohort of {len(subject.cohort)} people is too small to centre scores: "
            f"{COHORT_IDENTITIES_MIN} are needed"
        )
    if subject.cohort is not None and subject.cohort.model_digest != pairs.model_digest:
        raise ModelMismatchError("the cohort was made with another model or other views")
    point = subject.operating_point
    if point is not None and point.model_digest != pairs.model_digest:
        raise ModelMismatchError("the operating point is for another model or other views")
    if point is not None and subject.cohort is not None:
        point.usable(subject.cohort)


def _own_cohort(pairs: ScoredPairs) -> NamedCohort | None:
    if len(pairs.trials.identities) < COHORT_IDENTITIES_MIN:
        return None
    return NamedCohort.from_pairs(pairs)


def _scores(pairs: ScoredPairs, cohort: Cohort | NamedCohort | None) -> dict[ScoreType, Trials]:
    scores = {
        ScoreType.COSINE: pairs.scored(Scorer(score_type=ScoreType.COSINE)),
        ScoreType.DISTANCE: pairs.trials,
    }
    if cohort is None:
        return scores
    return {ScoreType.COHORT_CENTRED: cohort_trials(pairs, cohort)} | scores


def _deciding_point(
    scores: dict[ScoreType, Trials], point: OperatingPoint | None
) -> OperatingPoint | None:
    """The operating point, or its fallback where its score cannot be had."""
    if point is None or point.score_type in scores:
        return point
    if point.fallback is None:
        raise ScoringError("the operating point needs a cohort, and there are too few people")
    return point.fallback
