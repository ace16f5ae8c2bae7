"""How alike two faces were found to be, and in which of three zones that lies.

Owns the score with the thresholds of its operating point, so that a stored one is judged alike
years later. Knows no network and no policy.
"""

from dataclasses import dataclass
from enum import StrEnum


class FaceZone(StrEnum):
    """Where a comparison score lies."""

    MATCH = "match"
    REVIEW = "review"
    NON_MATCH = "non_match"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceScore:
    """A comparison score with the thresholds of the operating point that it was made at.

    Attributes:
        score_type: What is measured, such as `distance` or `cohort_centred`.
        value: The score.
        is_dissimilarity: Whether lower is more alike.
        match_threshold: The worst score that is a match.
        review_threshold: The worst score that a person should look at; None for two zones.
        cohort_digest: SHA-256 (hex) of the cohort that the score is centred on, None without one.
    """

    score_type: str
    value: float
    is_dissimilarity: bool
    match_threshold: float
    review_threshold: float | None = None
    cohort_digest: str | None = None

    @property
    def zone(self) -> FaceZone:
        """Where the score lies. NaN, which a fault alone makes, is a non-match."""
        if self._reaches(self.match_threshold):
            return FaceZone.MATCH
        if self.review_threshold is not None and self._reaches(self.review_threshold):
            return FaceZone.REVIEW
        return FaceZone.NON_MATCH

    def _reaches(self, threshold: float) -> bool:
        return self.value <= threshold if self.is_dissimilarity else self.value >= threshold
