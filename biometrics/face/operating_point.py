"""The decision threshold an engine works at, and why it is not the usual one.

Owns the score type, the threshold and where the threshold comes from. Refuses to know how a score
is computed.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from biometrics.face.models import DLIB_RESNET29


class ScoreType(StrEnum):
    """What a comparison score measures (ISO/IEC 2382-37)."""

    L2_DISSIMILARITY = "l2_dissimilarity"
    """Euclidean distance of two embeddings: 0 for the same photograph, lower is more alike."""


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """A threshold on one score of one model.

    Never use dlib's customary threshold of 0.6 for a population of East or Southeast Asian
    people. At 0.6 the network takes this share of pairs of *different* people for one person
    (false match rate, measured on public sets):

    ============================================  ======
    LFW, people who are not Asian                 0.47 %
    CFP frontal, people who are not Asian         0.36 %
    LFW, East and Southeast Asian people            33 %
    NUAA, webcam photographs, Chinese subjects      70 %
    CASIA-FaceV5, Chinese subjects                  80 %
    ============================================  ======

    A service there that ships 0.6 verifies almost anyone as almost anyone.

    Attributes:
        score_type: The score that the threshold is on.
        decision_threshold: The highest dissimilarity that still is a match; above 0.
        source: Where the threshold comes from, for a reader of a report.
        model_digest: SHA-256 of the weights of the network the threshold was set for.
    """

    score_type: ScoreType
    decision_threshold: float
    source: str
    model_digest: str = DLIB_RESNET29.weights_sha256

    def __post_init__(self) -> None:
        """Refuse a threshold that would match everybody or nobody.

        Raises:
            ValueError: The threshold is not a finite number above 0.
        """
        if not (math.isfinite(self.decision_threshold) and self.decision_threshold > 0):
            raise ValueError("decision_threshold must be a finite number above 0")


DEFAULT = OperatingPoint(
    score_type=ScoreType.L2_DISSIMILARITY,
    decision_threshold=0.40,
    source="provisional: two thirds of dlib's customary 0.6, not yet set from a target FMR",
)
"""The point an engine works at unless told otherwise."""
