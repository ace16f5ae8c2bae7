"""How alike two templates are: distance, cosine, or cosine centred on a cohort.

Owns the kinds of score, their direction and what may be scored together. Refuses to decide: a
score becomes a decision in `compare`, at an operating point.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort, unit_vectors

Values = npt.NDArray[np.float64]
"""One score for each comparison."""


class ModelMismatchError(ValueError):
    """Templates, cohort or threshold belong to different models or views."""


class ScoreType(StrEnum):
    """What a comparison score measures (ISO/IEC 2382-37)."""

    DISTANCE = "distance"
    """Euclidean distance of two embeddings: 0 for the same photograph, lower is more alike."""
    COSINE = "cosine"
    """Cosine of the angle between two embeddings, -1..1, higher is more alike."""
    COHORT_CENTRED = "cohort_centred"
    """Cosine less the mean nearness of both faces to a cohort, higher is more alike. Faces in a
    crowded neighbourhood of the network lose more, which brings groups of people close to one
    false match rate at one threshold."""

    @property
    def is_dissimilarity(self) -> bool:
        """Whether lower is more alike."""
        return self is ScoreType.DISTANCE

    def from_similarity(self, similarity: float) -> float:
        """The score in its own direction, from one where higher is more alike; and back."""
        return -similarity if self.is_dissimilarity else similarity


class Scorer:
    """Scores pairs of templates of one kind of score. Holds nothing but the cohort."""

    def __init__(self, *, score_type: ScoreType, cohort: Cohort | None = None) -> None:
        """Make a scorer.

        Args:
            score_type: What to measure.
            cohort: Needed for `COHORT_CENTRED`, and only there.

        Raises:
            ValueError: The cohort is missing, needless or smaller than 300 people.
        """
        if (score_type is ScoreType.COHORT_CENTRED) != (cohort is not None):
            raise ValueError("a cohort belongs to a cohort-centred score, and only there")
        if cohort is not None and not cohort.is_large_enough:
            raise ValueError(
                f"a cohort of {len(cohort)} people is too small to centre scores: "
                f"{COHORT_IDENTITIES_MIN} are needed"
            )
        self._score_type = score_type
        self._cohort = cohort

    @property
    def score_type(self) -> ScoreType:
        """What is measured."""
        return self._score_type

    @property
    def cohort(self) -> Cohort | None:
        """The people that scores are centred on."""
        return self._cohort

    def score(self, reference: Template, probe: Template) -> float:
        """The comparison score in its own direction, see `ScoreType`.

        Raises:
            ModelMismatchError: Templates or cohort are of different models or views.
            InvalidTemplateError: The templates differ in length or have no direction.
            InvalidCohortError: The cohort's vectors have another length.
        """
        return self._score_type.from_similarity(self.similarity(reference, probe))

    def similarity(self, reference: Template, probe: Template) -> float:
        """How alike the two are: higher is more alike, for each kind of score.

        A distance is negated. The order of the two does not matter, save that a reference which is
        itself in the cohort is left out of it; see `Cohort.nearness`.

        Raises:
            ModelMismatchError: Templates or cohort are of different models or views.
            InvalidTemplateError: The templates differ in length or have no direction.
            InvalidCohortError: The cohort's vectors have another length.
        """
        check_comparable(reference, probe)
        if self._cohort is not None and self._cohort.model_digest != reference.model_digest:
            raise ModelMismatchError("the cohort was made with another model or other views")
        return float(self.similarities(reference.vector[None], probe.vector[None])[0])

    def similarities(self, references: npt.ArrayLike, probes: npt.ArrayLike) -> Values:
        """The similarity of each reference with the probe of the same row.

        For many comparisons of templates that are known to be of one model.

        Args:
            references: Vectors, number x values, finite.
            probes: Vectors of the same shape.

        Raises:
            InvalidTemplateError: A row has no direction.
            InvalidCohortError: The cohort's vectors have another length.
        """
        if self._score_type is ScoreType.DISTANCE:
            # In float64, so that no two finite templates can overflow to infinity.
            difference = np.asarray(references, np.float64) - np.asarray(probes, np.float64)
            return np.asarray(-np.linalg.norm(difference, axis=1), dtype=np.float64)
        one, other = unit_vectors(references), unit_vectors(probes)
        cosines = np.asarray((one * other).sum(axis=1), dtype=np.float64)
        if self._cohort is None:
            return cosines
        return centred(cosines, *self._cohort.nearness(one, other))


def centred(cosines: Values, nearness_a: Values, nearness_b: Values) -> Values:
    """`s(a, b) = cos(a, b) - (m(a) + m(b)) / 2`, with m the nearness to a cohort."""
    return np.asarray(cosines - (nearness_a + nearness_b) / 2, dtype=np.float64)


def check_comparable(reference: Template, probe: Template) -> None:
    """Refuse templates that have no common measure.

    Raises:
        ModelMismatchError: Different models or views made the templates.
        InvalidTemplateError: The templates have different lengths.
    """
    if reference.model_digest != probe.model_digest:
        raise ModelMismatchError("templates of different networks cannot be compared")
    if reference.vector.size != probe.vector.size:
        raise InvalidTemplateError("templates of one network have one length; these differ")
