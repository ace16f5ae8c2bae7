"""Whether two templates show one person, at an operating point.

Owns the decision and its three zones. Refuses to know where the templates come from, and refuses
templates that cannot be compared instead of scoring them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from biometrics.face.acquisition import Template
from biometrics.face.cohort import Cohort
from biometrics.face.operating_point import OperatingPoint
from biometrics.face.score import ModelMismatchError, Scorer, ScoreType


class ComparisonDecision(StrEnum):
    """The ends of a comparison (ISO/IEC 2382-37), and the zone between them."""

    MATCH = "match"
    REVIEW = "review"
    """Too alike to turn away, not alike enough to accept: a person should look."""
    NON_MATCH = "non_match"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The decision, with all that is needed to understand it later.

    Attributes:
        decision: Match, review or non-match.
        score_type: What the comparison score measures, and in which direction.
        comparison_score: The score that was decided on.
        decision_threshold: The worst score that would have been a match.
        review_threshold: The worst score that would have gone to a person; None for two zones.
        dissimilarity: Euclidean distance of the templates: 0 or more, lower is more alike. Always
            given, whatever was decided on.
        model_digest: Mark of the model and views that made both templates.
        cohort_digest: Version of the cohort, None when there was none.
    """

    decision: ComparisonDecision
    score_type: ScoreType
    comparison_score: float
    decision_threshold: float
    review_threshold: float | None
    dissimilarity: float
    model_digest: str
    cohort_digest: str | None


def dissimilarity(reference: Template, probe: Template) -> float:
    """The Euclidean distance of two templates, 0 or more, lower is more alike.

    Raises:
        ModelMismatchError: Different networks made the templates.
        InvalidTemplateError: The templates have different lengths.
    """
    return Scorer(score_type=ScoreType.DISTANCE).score(reference, probe)


def compare(
    reference: Template,
    probe: Template,
    *,
    operating_point: OperatingPoint,
    cohort: Cohort | None = None,
    photographs: Sequence[Template] = (),
) -> Comparison:
    """Decide whether `probe` shows the person of `reference`.

    Args:
        reference: The template of a document or an enrolment.
        probe: The template of live photographs.
        operating_point: Thresholds. While its cohort is missing or too small, its fallback's.
        cohort: The people that a cohort-centred score is centred on.
        photographs: The templates whose mean `probe` is. One that is a non-match by itself decides:
            a mean may lie nearer to a stranger than any photograph that went into it.

    Raises:
        ModelMismatchError: Templates, cohort and thresholds do not belong together.
        InvalidTemplateError: The templates have different lengths or no direction.
        InvalidCohortError: The cohort's vectors have another length.
    """
    point = operating_point.usable(cohort)
    if point.model_digest != reference.model_digest:
        raise ModelMismatchError("the decision threshold was set for another network")
    used = cohort if point.cohort_digest is not None else None
    scorer = Scorer(score_type=point.score_type, cohort=used)
    alone = ((scorer.score(reference, one), one) for one in photographs)
    refused = [pair for pair in alone if _decision(pair[0], point) is ComparisonDecision.NON_MATCH]
    if refused:
        score, decisive = min(refused, key=lambda pair: point.score_type.from_similarity(pair[0]))
    else:
        score, decisive = scorer.score(reference, probe), probe
    return Comparison(
        decision=_decision(score, point),
        score_type=point.score_type,
        comparison_score=score,
        decision_threshold=point.decision_threshold,
        review_threshold=point.review_threshold,
        dissimilarity=dissimilarity(reference, decisive),
        model_digest=reference.model_digest,
        cohort_digest=point.cohort_digest,
    )


def _decision(score: float, point: OperatingPoint) -> ComparisonDecision:
    if point.is_match(score):
        return ComparisonDecision.MATCH
    return ComparisonDecision.REVIEW if point.is_review(score) else ComparisonDecision.NON_MATCH
