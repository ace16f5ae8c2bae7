"""What `make accuracy` measures, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from biometrics.evaluation.rates import Gap, Rates
from biometrics.face.error_rate import ErrorRate

Group = tuple[str, str]
"""Column and value."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score over the whole list, whoever is compared left out of the cohort.

    Attributes:
        name: For the page.
        fnmr_lfw: FNMR on LFW at each FMR of 1e-2, 1e-3.
        fnmr_groups: The same at 1e-3 within each group of LFW, its own threshold.
        gaps: Between East/Southeast Asian and other pairs of LFW, where all have the FMR.
    """

    name: str
    fnmr_lfw: Mapping[float, float]
    fnmr_groups: Mapping[str, float]
    gaps: Mapping[float, Gap]


@dataclass(frozen=True, kw_only=True)
class Travelled:
    """A threshold learned on half of the people and counted on the other, over divisions.

    Attributes:
        name: The score.
        target_fmr: Asked for, for the worst group.
        fmr: Mean FMR of each group on the other half.
        fnmr: Mean FNMR of each group there.
        inside: Divisions in which the FMR lies inside the interval stated by the first half.
        stated_high: Mean upper end of those intervals.
        divisions: Divisions in which the group could be counted.
        fnmr_lfw_at_fmr: Mean FNMR on LFW at FMR 1e-3, both on the other half.
    """

    name: str
    target_fmr: float
    fmr: Mapping[Group, float]
    fnmr: Mapping[Group, float]
    inside: Mapping[Group, int]
    stated_high: Mapping[Group, float]
    divisions: Mapping[Group, int]
    fnmr_lfw_at_fmr: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that the page says."""

    measured_on: str
    data_digest: str
    pairs: int
    photographs: int
    identities: int
    fta: ErrorRate
    default: Mapping[str, Rates]
    scores: tuple[Score, ...]
    travelled: tuple[Travelled, ...]
