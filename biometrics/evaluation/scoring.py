"""From pairs and templates to scored trials.

Owns which pairs become trials, and a cohort of the same people that leaves out whoever is compared.
Refuses to know rates and thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.pairs import Pair, PairList
from biometrics.evaluation.trials import Floats, Integers, Mask, Trials
from biometrics.face.acquisition import Template
from biometrics.face.cohort import (
    COHORT_IDENTITIES_MIN,
    NEAREST_IDENTITIES,
    Cohort,
    identity_vector,
    unit_vectors,
)
from biometrics.face.score import Scorer, ScoreType, centred


class ScoringError(ValueError):
    """The pairs and templates give nothing to score."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredPairs:
    """Trials and the pairs they came from, in one order.

    Attributes:
        pairs: Those of which both photographs gave a template.
        trials: Their plain distances, negated; other scores are made from `one` and `other`.
        one: Vectors of the first photographs, trials x values.
        other: Vectors of the second.
        model_digest: Mark of all templates.
    """

    pairs: tuple[Pair, ...]
    trials: Trials
    one: npt.NDArray[np.float32]
    other: npt.NDArray[np.float32]
    model_digest: str

    def where(self, mask: Mask) -> "ScoredPairs":
        """The pairs that `mask` selects."""
        return ScoredPairs(
            pairs=tuple(self.pairs[index] for index in np.flatnonzero(mask)),
            trials=self.trials.where(mask),
            one=self.one[mask],
            other=self.other[mask],
            model_digest=self.model_digest,
        )

    def scored(self, scorer: Scorer) -> Trials:
        """The trials with another score."""
        return self.trials.with_similarity(scorer.similarities(self.one, self.other))


def pair_up(pair_list: PairList, templates: Mapping[str, Template]) -> ScoredPairs:
    """The pairs of which both photographs have a template, scored by plain distance.

    Raises:
        ScoringError: No pair has two templates, or the templates are of several models.
    """
    pairs = [p for p in pair_list.pairs if p.path_a in templates and p.path_b in templates]
    digests = {template.model_digest for template in templates.values()}
    if not pairs or len(digests) != 1:
        raise ScoringError("no pair has two templates of one model")
    one = np.stack([templates[pair.path_a].vector for pair in pairs])
    other = np.stack([templates[pair.path_b].vector for pair in pairs])
    trials = Trials(
        similarity=Scorer(score_type=ScoreType.DISTANCE).similarities(one, other),
        is_mated=np.array([pair.is_mated for pair in pairs]),
        identity_a=np.array([pair_list.identities[pair.path_a] for pair in pairs]),
        identity_b=np.array([pair_list.identities[pair.path_b] for pair in pairs]),
        groups={
            column: np.array([pair.groups.get(column, "") for pair in pairs])
            for column in pair_list.group_columns
        },
    )
    return ScoredPairs(
        pairs=tuple(pairs), trials=trials, one=one, other=other, model_digest=digests.pop()
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedCohort:
    """A cohort that knows which of its people is who, as long as an evaluation runs.

    With it, the people of a list can be each other's cohort: whoever is compared is left out, as in
    service, where they are strangers to the cohort.

    Attributes:
        identities: Who each row shows.
        vectors: Unit vectors, people x values.
        model_digest: Mark of the templates.
    """

    identities: Integers
    vectors: Floats
    model_digest: str

    @classmethod
    def from_pairs(cls, pairs: ScoredPairs) -> "NamedCohort":
        """The mean direction of each person's photographs, every photograph once.

        Raises:
            ScoringError: There are fewer than 300 people.
        """
        photographs: dict[str, tuple[int, npt.NDArray[np.float32]]] = {}
        trials = pairs.trials
        for index, pair in enumerate(pairs.pairs):
            photographs[pair.path_a] = int(trials.identity_a[index]), pairs.one[index]
            photographs[pair.path_b] = int(trials.identity_b[index]), pairs.other[index]
        people: dict[int, list[npt.NDArray[np.float32]]] = {}
        for number, vector in photographs.values():
            people.setdefault(number, []).append(vector)
        if len(people) < COHORT_IDENTITIES_MIN:
            raise ScoringError(
                f"{len(people)} people are too few for a cohort: {COHORT_IDENTITIES_MIN} are needed"
            )
        numbers = sorted(people)
        return cls(
            identities=np.array(numbers),
            vectors=np.stack([identity_vector(people[number]) for number in numbers]),
            model_digest=pairs.model_digest,
        )

    def __len__(self) -> int:
        """The number of people."""
        return len(self.identities)

    def cohort(self) -> Cohort:
        """The same people without their names."""
        return Cohort(vectors=self.vectors.astype(np.float32), model_digest=self.model_digest)

    def scored(self, pairs: ScoredPairs) -> Trials:
        """Cohort-centred trials, each without the two people compared."""
        one, other = unit_vectors(pairs.one), unit_vectors(pairs.other)
        return pairs.trials.with_similarity(
            centred(
                np.asarray((one * other).sum(axis=1)),
                self._nearness(one, pairs.trials),
                self._nearness(other, pairs.trials),
            )
        )

    def _nearness(self, vectors: Floats, trials: Trials) -> Floats:
        # Two people are left out, so two more than are averaged are looked at.
        wanted = NEAREST_IDENTITIES + 2
        cosines = vectors @ self.vectors.T
        nearest = np.argpartition(cosines, -wanted, axis=1)[:, -wanted:]
        values = np.take_along_axis(cosines, nearest, axis=1)
        who = self.identities[nearest]
        is_compared = (who == trials.identity_a[:, None]) | (who == trials.identity_b[:, None])
        values = np.where(is_compared, -np.inf, values)
        best = np.sort(values, axis=1)[:, -NEAREST_IDENTITIES:]
        return np.asarray(best.mean(axis=1), dtype=np.float64)
