"""What an evaluation found, as values: rates, curves, gaps between groups and worst errors.

Owns what a report says. Refuses to know how it looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from biometrics.evaluation.intervals import counted_rate, error_rate
from biometrics.evaluation.pairs import PairList
from biometrics.evaluation.photographs import Photographs
from biometrics.evaluation.rates import (
    Gap,
    Rates,
    detection_error_tradeoff,
    largest_gap,
    rates_at,
    threshold_at_fmr,
)
from biometrics.evaluation.scoring import ScoredPairs
from biometrics.evaluation.thresholds import is_supported
from biometrics.evaluation.trials import Trials
from biometrics.face.error_rate import ErrorRate, percent
from biometrics.face.operating_point import OperatingPoint
from biometrics.face.score import ScoreType

FMR_STEPS = (1e-2, 1e-3, 1e-4)
"""Where a curve is read off in the tables; 1e-4 is the line of the Vietnamese circular."""

CURVE_POINTS_MAX = 400
"""More points than a plot can show only make the file large."""

HISTOGRAM_BINS = 80

WORST_ERRORS = 12
"""How many of the most alike strangers, and of the least alike pairs of one person, are listed."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One point of a DET curve.

    Attributes:
        fmr: The false match rate asked for.
        fnmr: The false non-match rate there, the threshold taken on the same trials: no threshold
            could do better, and one learned elsewhere does worse.
        is_supported: Whether there are enough pairs of people to read the curve there (rule of 3).
    """

    fmr: float
    fnmr: float
    is_supported: bool


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A DET curve and the distributions behind it, for one group.

    Attributes:
        fmr: Points of the curve, 0..1, falling.
        fnmr: The same points, rising.
        equal_error_rate: For information only.
        readings: FNMR at customary FMRs.
    """

    fmr: tuple[float, ...]
    fnmr: tuple[float, ...]
    equal_error_rate: float
    readings: tuple[Reading, ...]


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How often scores fall into equal bins, in the score's own direction.

    Attributes:
        edges: Bounds of the bins, rising, one more than counts.
        mated: Share of the mated trials in each bin.
        non_mated: Share of the non-mated trials in each bin.
    """

    edges: tuple[float, ...]
    mated: tuple[float, ...]
    non_mated: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """One group's rates at the threshold of a score.

    Attributes:
        column: The division.
        value: The group.
        rates: FMR, FNMR and people.
        curve: Its own DET curve, None without trials of both kinds.
    """

    column: str
    value: str
    rates: Rates
    curve: Curve | None


@dataclass(frozen=True, kw_only=True)
class GapReading:
    """The gaps at a threshold that gives everybody together a false match rate.

    Attributes:
        fmr: Of all people, on these very trials.
        gaps: The largest gap in FMR between the groups of each column.
    """

    fmr: float
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """One kind of score on all trials.

    Attributes:
        score_type: Which.
        threshold: In the score's own direction.
        threshold_source: Where the threshold comes from, in words.
        rates: Over all people.
        curve: Over all people, None without trials of both kinds.
        histogram: Over all people.
        groups: For each group.
        gaps: The largest gap in FMR between the groups of each column, at the threshold.
        gap_readings: The same at customary FMRs, those that the number of pairs supports.
    """

    score_type: ScoreType
    threshold: float
    threshold_source: str
    rates: Rates
    curve: Curve | None
    histogram: Histogram
    groups: tuple[GroupRow, ...]
    gaps: tuple[Gap, ...]
    gap_readings: tuple[GapReading, ...]


@dataclass(frozen=True, kw_only=True)
class WorstError:
    """A pair that was scored most wrongly.

    Attributes:
        path_a: The first photograph.
        path_b: The second.
        is_mated: Whether they show one person.
        score: In the score's own direction.
    """

    path_a: str
    path_b: str
    is_mated: bool
    score: float


@dataclass(frozen=True, kw_only=True)
class FTARow:
    """Failures to acquire among the photographs of a group.

    Attributes:
        column: The division; empty for all photographs.
        value: The group.
        fta: Share of photographs without a template.
    """

    column: str
    value: str
    fta: ErrorRate


@dataclass(frozen=True, kw_only=True)
class Report:
    """The findings of one evaluation.

    Attributes:
        title: What was evaluated, in words.
        measured_on: The day.
        model_digest: Mark of the templates.
        data_digest: SHA-256 over the list of pairs and the photographs.
        photographs: How many.
        pairs: How many pairs the list has.
        mated: Scored mated trials.
        non_mated: Scored non-mated trials.
        identities: People.
        cohort_identities: People in the cohort, 0 without one.
        fta: All photographs first, then each group.
        failures: Reason to number of photographs.
        scores: The main score first.
        worst_errors: By the main score, most wrong first.
    """

    title: str
    measured_on: date
    model_digest: str
    data_digest: str
    photographs: int
    pairs: int
    mated: int
    non_mated: int
    identities: int
    cohort_identities: int
    fta: tuple[FTARow, ...]
    failures: Mapping[str, int]
    scores: tuple[ScoreReport, ...]
    worst_errors: tuple[WorstError, ...]

    @property
    def alarms(self) -> tuple[Gap, ...]:
        """The gaps of the main score that are above 1.5."""
        return tuple(gap for gap in self.scores[0].gaps if gap.is_alarm)


def curve(trials: Trials) -> Curve | None:
    """The DET curve of some trials, thinned out for a plot."""
    if not trials.is_mated.any() or trials.is_mated.all():
        return None
    tradeoff = detection_error_tradeoff(trials)
    non_mated = trials.non_mated
    # Where either rate passes equal steps of its logarithm, so that small rates keep their detail.
    steps = np.geomspace(1e-6, 1, CURVE_POINTS_MAX // 2 - 1)
    by_fmr = len(tradeoff.fmr) - np.searchsorted(tradeoff.fmr[::-1], steps, side="right")
    by_fnmr = np.searchsorted(tradeoff.fnmr, steps, side="left")
    last = len(tradeoff.fmr) - 1
    chosen = np.unique(np.clip(np.concatenate([[0, last], by_fmr, by_fnmr]), 0, last))
    return Curve(
        fmr=tuple(tradeoff.fmr[chosen].tolist()),
        fnmr=tuple(tradeoff.fnmr[chosen].tolist()),
        equal_error_rate=tradeoff.equal_error_rate,
        readings=tuple(
            Reading(
                fmr=fmr,
                fnmr=tradeoff.fnmr_at_fmr(fmr),
                is_supported=is_supported(non_mated, target_fmr=fmr),
            )
            for fmr in FMR_STEPS
        ),
    )


def score_report(
    trials: Trials,
    *,
    score_type: ScoreType,
    target_fmr: float,
    operating_point: OperatingPoint | None = None,
) -> ScoreReport:
    """All that is said about one score.

    Args:
        trials: Scored so.
        score_type: Which score it is.
        target_fmr: Where the threshold is taken, over all people, without an operating point.
        operating_point: The one that decides; gives the threshold when it is on this score.
    """
    threshold = threshold_at_fmr(trials.non_mated, target_fmr=target_fmr)
    source = f"FMR {percent(target_fmr)} over all people, on these very trials"
    if not is_supported(trials.non_mated, target_fmr=target_fmr):
        source += ", which are too few to show it"
    if operating_point is not None and operating_point.score_type is score_type:
        threshold = score_type.from_similarity(operating_point.decision_threshold)
        source = f"operating point: {operating_point.source}"
    groups = tuple(
        GroupRow(
            column=column,
            value=value,
            rates=rates_at(trials.where(mask), threshold=threshold),
            curve=curve(trials.where(mask)),
        )
        for (column, value), mask in trials.group_masks().items()
    )
    return ScoreReport(
        score_type=score_type,
        threshold=score_type.from_similarity(threshold),
        threshold_source=source,
        rates=rates_at(trials, threshold=threshold),
        curve=curve(trials),
        histogram=_histogram(trials, score_type),
        groups=groups,
        gaps=_gaps({(row.column, row.value): row.rates.fmr for row in groups}),
        gap_readings=tuple(_gap_readings(trials.non_mated)),
    )


def _gap_readings(non_mated: Trials) -> Iterator[GapReading]:
    masks = non_mated.group_masks()
    for fmr in FMR_STEPS:
        if masks and is_supported(non_mated, target_fmr=fmr):
            is_match = non_mated.similarity >= threshold_at_fmr(non_mated, target_fmr=fmr)
            rates = {
                group: error_rate(non_mated.where(mask), is_match[mask])
                for group, mask in masks.items()
            }
            yield GapReading(fmr=fmr, gaps=_gaps(rates))


def _gaps(rates: Mapping[tuple[str, str], ErrorRate]) -> tuple[Gap, ...]:
    gaps = (
        largest_gap(column, [(value, rates[c, value]) for c, value in rates if c == column])
        for column in dict.fromkeys(column for column, _ in rates)
    )
    return tuple(gap for gap in gaps if gap is not None)


def _histogram(trials: Trials, score_type: ScoreType) -> Histogram:
    scores = -trials.similarity if score_type.is_dissimilarity else trials.similarity
    edges = np.histogram_bin_edges(scores, bins=HISTOGRAM_BINS)

    def shares(of: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[float, ...]:
        counts, _ = np.histogram(scores[of], bins=edges)
        return tuple((counts / max(1, counts.sum())).tolist())

    return Histogram(
        edges=tuple(edges.tolist()),
        mated=shares(trials.is_mated),
        non_mated=shares(~trials.is_mated),
    )


def failures_to_acquire(pair_list: PairList, photographs: Photographs) -> tuple[FTARow, ...]:
    """FTA over all photographs, then over those that occur in the pairs of each group."""
    groups: dict[tuple[str, str], set[str]] = {}
    for pair in pair_list.pairs:
        for group in pair.groups.items():
            groups.setdefault(group, set()).update((pair.path_a, pair.path_b))
    rows = [("", "", set(pair_list.paths))]
    rows += [(column, value, paths) for (column, value), paths in sorted(groups.items())]
    return tuple(
        FTARow(
            column=column,
            value=value,
            fta=counted_rate(len(paths & set(photographs.failures)), len(paths)),
        )
        for column, value, paths in rows
    )


def worst_errors(pairs: ScoredPairs, trials: Trials, *, score: ScoreType) -> tuple[WorstError, ...]:
    """The most alike pairs of strangers, then the least alike pairs of one person."""
    order = np.argsort(trials.similarity)
    mated = [index for index in order if trials.is_mated[index]][:WORST_ERRORS]
    non_mated = [index for index in order[::-1] if not trials.is_mated[index]][:WORST_ERRORS]
    return tuple(
        WorstError(
            path_a=pairs.pairs[index].path_a,
            path_b=pairs.pairs[index].path_b,
            is_mated=pairs.pairs[index].is_mated,
            score=score.from_similarity(float(trials.similarity[index])),
        )
        for index in (*non_mated, *mated)
    )
