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
    source=(
        "provisional; on LFW pairs of East and Southeast Asian people FMR 0.05 % (3 of 5881), "
        "FNMR 40 % (93 of 234)"
    ),
)
"""The point an engine works at unless told otherwise, and what it costs.

Measured with this engine on pairs of LFW photographs that both gave a template. Pairs of one
person are not independent, so the true intervals are wider than the counts suggest:

==============================  ==================  ===================
people                          FMR at 0.40         FNMR at 0.40
==============================  ==================  ===================
East and Southeast Asian        0.05 % (3 / 5881)    40 % (93 / 234)
not Asian                          0 % (0 / 21401)   70 % (1294 / 1848)
==============================  ==================  ===================

A photograph taken in a studio against another of the same day (London set) falls short in 1 of
50 pairs. The threshold is strict on purpose: a wrong non-match sends a person to a second try, a
wrong match gives a number to somebody else. It is no substitute for a threshold set from a target
FMR on the population it serves.
"""
