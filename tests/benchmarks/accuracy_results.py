"""What `make accuracy` measures, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from biometrics.evaluation.rates import Rates
from biometrics.face.error_rate import ErrorRate


@dataclass(frozen=True, kw_only=True)
class Detected:
    """In how many photographs of a set a face was found.

    Attributes:
        name: The set.
        photographs: How many.
        baseline: With a face for `face_recognition` at its defaults.
        ours: With a face for this engine.
        missed: With a face for `face_recognition` and none for this engine.
    """

    name: str
    photographs: int
    baseline: int
    ours: int
    missed: int


@dataclass(frozen=True, kw_only=True)
class Gated:
    """What the quality gate of live photographs says of a set.

    Attributes:
        name: The set, by its defect.
        photographs: How many.
        named: How many get a reason, a refusal or an advice.
        right: How many get the labelled reason; None where the label is that there is none.
        refused: How many are refused.
    """

    name: str
    photographs: int
    named: int
    right: int | None
    refused: int


@dataclass(frozen=True, kw_only=True)
class AtFMR:
    """FNMR of a score on LFW, with the threshold taken on the same trials.

    Attributes:
        score: Which.
        fmr: Where the thresholds are taken.
        fnmr: Of all pairs; of each group with a threshold of its own.
    """

    score: str
    fmr: float
    fnmr: Mapping[str, ErrorRate]


@dataclass(frozen=True, kw_only=True)
class GapAt:
    """FMR of two groups of LFW at one threshold.

    Attributes:
        score: Which.
        where: Whose FMR is fixed, in words.
        fmr: At which value.
        asian: FMR of East and Southeast Asian pairs.
        other: FMR of the other pairs.
    """

    score: str
    where: str
    fmr: float
    asian: ErrorRate
    other: ErrorRate

    @property
    def ratio(self) -> float:
        """Of the two, with half an error added to each count, so that none gives a number."""
        asian, other = self.asian, self.other
        share = (asian.errors + 0.5) / (asian.trials + 1)
        return share / ((other.errors + 0.5) / (other.trials + 1))


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """By how much the cohort shrinks the gap where the other pairs have an FMR.

    Attributes:
        fmr: Of the other pairs.
        ratio: Asian pairs' FMR with plain distances over the one with the cohort.
        low: Lower end of its 95 % interval, a bootstrap by identity.
        high: Upper end.
    """

    fmr: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Travelled:
    """A threshold learned on half of the people and counted on the other, over divisions.

    Attributes:
        score: Which.
        group: For whom.
        people_pairs: Mean number of pairs of different people of the group on the other half.
        fmr: Mean FMR on the other half.
        fnmr: Mean FNMR there, None without mated pairs.
        inside: Divisions in which the FMR lies inside the interval stated by the first half.
        divisions: Divisions in which the group could be counted.
        stated_high: Mean upper end of those intervals.
    """

    score: str
    group: str
    people_pairs: float
    fmr: float
    fnmr: float | None
    inside: int
    divisions: int
    stated_high: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that the page says.

    Attributes:
        fnmr_unseen: Score to mean FNMR of LFW at FMR 1e-3, on the half that made no cohort.
        supported_pairs: Pairs of different people in the list that gave two templates.
    """

    measured_on: str
    data_digest: str
    pairs: int
    photographs: int
    identities: int
    supported_pairs: int
    fta: ErrorRate
    detected: tuple[Detected, ...]
    gated: tuple[Gated, ...]
    default: Mapping[str, Rates]
    at_fmr: tuple[AtFMR, ...]
    gaps: tuple[GapAt, ...]
    shrunk: tuple[Shrunk, ...]
    travelled: tuple[Travelled, ...]
    fnmr_unseen: Mapping[str, float]
