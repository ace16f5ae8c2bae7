"""Whether two templates show one person, at an operating point.

Owns the score and the decision. Refuses to know where the templates come from, and refuses
templates that cannot be compared instead of scoring them.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.operating_point import OperatingPoint


class ModelMismatchError(ValueError):
    """The templates, or a template and the threshold, belong to different networks."""


class ComparisonDecision(StrEnum):
    """The two ends of a comparison (ISO/IEC 2382-37)."""

    MATCH = "match"
    NON_MATCH = "non_match"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The decision, with all that is needed to understand it later.

    Attributes:
        decision: Match or non-match.
        dissimilarity: The comparison score: 0 or more, lower is more alike.
        decision_threshold: The highest dissimilarity that would have been a match.
        model_digest: SHA-256 of the weights of the network that made both templates.
    """

    decision: ComparisonDecision
    dissimilarity: float
    decision_threshold: float
    model_digest: str


def dissimilarity(reference: Template, probe: Template) -> float:
    """The Euclidean distance of two templates, 0 or more, lower is more alike.

    Raises:
        ModelMismatchError: Different networks made the templates.
        InvalidTemplateError: The templates have different lengths.
    """
    if reference.model_digest != probe.model_digest:
        raise ModelMismatchError("templates of different networks cannot be compared")
    if reference.vector.size != probe.vector.size:
        raise InvalidTemplateError("templates of one network have one length; these differ")
    # In float64, so that no two finite templates can overflow to infinity.
    return float(np.linalg.norm(reference.vector.astype(np.float64) - probe.vector))


def compare(reference: Template, probe: Template, *, operating_point: OperatingPoint) -> Comparison:
    """Decide whether `probe` shows the person of `reference`.

    Raises:
        ModelMismatchError: The templates or the threshold belong to different networks.
        InvalidTemplateError: The templates have different lengths.
    """
    score = dissimilarity(reference, probe)
    if operating_point.model_digest != reference.model_digest:
        raise ModelMismatchError("the decision threshold was set for another network")
    is_match = score <= operating_point.decision_threshold
    return Comparison(
        decision=ComparisonDecision.MATCH if is_match else ComparisonDecision.NON_MATCH,
        dissimilarity=score,
        decision_threshold=operating_point.decision_threshold,
        model_digest=reference.model_digest,
    )
