"""From scored trials to an operating point with its evidence.

Owns putting the parts together. Refuses to choose a target: whoever answers for the population
does.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

from biometrics.evaluation.pairs import PairList
from biometrics.evaluation.photographs import Photographs
from biometrics.evaluation.rates import rates_at
from biometrics.evaluation.scoring import NamedCohort, ScoredPairs
from biometrics.evaluation.thresholds import (
    ChosenThreshold,
    HeldOut,
    check_support,
    choose_threshold,
    held_out,
    is_supported,
)
from biometrics.evaluation.trials import Trials
from biometrics.face.cohort import Cohort
from biometrics.face.error_rate import ErrorRate, percent
from biometrics.face.models import Views
from biometrics.face.operating_point import Evidence, GroupEvidence, OperatingPoint
from biometrics.face.score import ModelMismatchError, Scorer, ScoreType


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What is asked for.

    Attributes:
        fmr: False match rate for the worst group; 0 < value < 1.
        review_fmr: The same for the review threshold, at least `fmr`; None for two zones.

    Raises:
        ValueError: A rate is out of range.
    """

    fmr: float
    review_fmr: float | None = None

    def __post_init__(self) -> None:
        """Refuse rates that are none."""
        if not 0 < self.fmr < 1:
            raise ValueError("a target FMR lies within 0 and 1")
        if self.review_fmr is not None and not self.fmr <= self.review_fmr < 1:
            raise ValueError("the review FMR lies between the target FMR and 1")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What the evidence says about its data.

    Attributes:
        fta: Share of photographs that gave no template.
        digest: SHA-256 over the list and the photographs, see `data_digest`.
        population: Whom they show, in words.
        measured_on: The day.
        views: Which pictures the templates average.
        quality_gate: How good the photographs had to be; `live` as in service.
    """

    fta: ErrorRate
    digest: str
    population: str
    measured_on: date
    views: Views
    quality_gate: str


def calibrate(
    pairs: ScoredPairs,
    *,
    targets: Targets,
    data: DataSet,
    cohort: Cohort | NamedCohort | None = None,
) -> OperatingPoint:
    """An operating point for the worst group, on people's trials.

    With a cohort the score is cohort-centred, and a plain cosine with its own threshold is the
    fallback. Without one the score is the cosine.

    Args:
        pairs: Trials between people who are not in the cohort.
        targets: The rates asked for.
        data: For the evidence.
        cohort: A `NamedCohort` may hold the very people of the trials: each trial then leaves out
            the two it compares.

    Raises:
        UnsupportedTargetError: The trials are too few for a target.
        ModelMismatchError: The cohort was made with another model or other views.
    """
    check_support(pairs.trials, target_fmr=targets.fmr)
    cosine = pairs.scored(Scorer(score_type=ScoreType.COSINE))
    fallback = _point(cosine, pairs=pairs, targets=targets, data=data)
    if cohort is None:
        return fallback
    if cohort.model_digest != pairs.model_digest:
        raise ModelMismatchError("the cohort was made with another model or other views")
    return _point(
        cohort_trials(pairs, cohort),
        pairs=pairs,
        targets=targets,
        data=data,
        cohort=cohort.cohort() if isinstance(cohort, NamedCohort) else cohort,
        fallback=fallback,
    )


def cohort_trials(pairs: ScoredPairs, cohort: Cohort | NamedCohort) -> Trials:
    """The trials scored with a cohort, whoever is compared left out where the cohort can tell."""
    if isinstance(cohort, NamedCohort):
        return cohort.scored(pairs)
    return pairs.scored(Scorer(score_type=ScoreType.COHORT_CENTRED, cohort=cohort))


def _point(
    trials: Trials,
    *,
    pairs: ScoredPairs,
    targets: Targets,
    data: DataSet,
    cohort: Cohort | None = None,
    fallback: OperatingPoint | None = None,
) -> OperatingPoint:
    score_type = ScoreType.COHORT_CENTRED if cohort else ScoreType.COSINE
    match = choose_threshold(trials, target_fmr=targets.fmr)
    review = None
    if targets.review_fmr is not None:
        # Its own margin may be the larger one; the zones still keep their order.
        chosen = choose_threshold(trials, target_fmr=targets.review_fmr)
        review = min(chosen.threshold, match.threshold)
    return OperatingPoint(
        score_type=score_type,
        decision_threshold=match.threshold,
        review_threshold=review,
        source=f"{data.population}; FMR {percent(targets.fmr)} for the worst group",
        model_digest=pairs.model_digest,
        views=data.views,
        cohort_digest=cohort.digest if cohort else None,
        evidence=_evidence(trials, match=match, targets=targets, data=data),
        fallback=fallback,
    )


def _evidence(
    trials: Trials, *, match: ChosenThreshold, targets: Targets, data: DataSet
) -> Evidence:
    rates = rates_at(trials, threshold=match.threshold)
    unseen = held_out(trials, target_fmr=targets.fmr)
    return Evidence(
        target_fmr=targets.fmr,
        review_target_fmr=targets.review_fmr,
        fmr=rates.fmr,
        fnmr=rates.fnmr,
        held_out_fmr=unseen.all_people,
        fta=data.fta,
        quality_gate=data.quality_gate,
        identities=rates.identities,
        margin=match.margin,
        data_digest=data.digest,
        population=data.population,
        measured_on=data.measured_on,
        groups=_groups(trials, match=match, targets=targets, unseen=unseen),
    )


def _groups(
    trials: Trials, *, match: ChosenThreshold, targets: Targets, unseen: HeldOut
) -> tuple[GroupEvidence, ...]:
    groups: list[GroupEvidence] = []
    for (column, value), mask in trials.group_masks().items():
        part = trials.where(mask)
        # A group of mated trials only sets no threshold and has no FMR to show.
        rates = rates_at(part, threshold=match.threshold)
        groups.append(
            GroupEvidence(
                column=column,
                value=value,
                identities=rates.identities,
                fmr=rates.fmr,
                fnmr=rates.fnmr,
                held_out_fmr=unseen.groups.get((column, value), rates.fmr.unknown()),
                is_supported=is_supported(part.non_mated, target_fmr=targets.fmr),
            )
        )
    return tuple(groups)


def data_digest(pair_list: PairList, photographs: Photographs) -> str:
    """SHA-256 over the list of pairs and the content of the photographs."""
    return hashlib.sha256(f"{pair_list.digest}:{photographs.digest}".encode("ascii")).hexdigest()
