"""The decision thresholds an engine works at, what they cost, and why they are not the usual ones.

Owns the thresholds, the evidence they rest on and the question whether that evidence satisfies a
rule. Refuses to know how a score is computed and how evidence is gathered.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from biometrics.face.cohort import Cohort
from biometrics.face.error_rate import ErrorRate, percent
from biometrics.face.models import DLIB_RESNET29, Views
from biometrics.face.score import ModelMismatchError, ScoreType

CONFIDENCE = 0.95
"""The confidence of the intervals in `Evidence` (ISO/IEC 19795-1, 95 % is customary)."""


LIVE_GATE = "live"
"""The quality gate of live photographs, whose failures turn people away."""


@dataclass(frozen=True, kw_only=True)
class GroupEvidence:
    """What a threshold costs one group of people.

    Attributes:
        column: What tells the groups apart, such as `gender`.
        value: Which group, such as `female`.
        identities: People with a trial in the group.
        fmr: False match rate at the match threshold, on the data the threshold was chosen from.
        fnmr: False non-match rate, on the same data.
        held_out_fmr: False match rate on people that took no part in choosing: thresholds learned
            on one half of the people, counted on the other, over several divisions.
        is_supported: Whether the group has enough pairs of people for the target (rule of 3).
    """

    column: str
    value: str
    identities: int
    fmr: ErrorRate
    fnmr: ErrorRate
    held_out_fmr: ErrorRate
    is_supported: bool


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was counted, on whom and when.

    Attributes:
        target_fmr: The false match rate that was asked for, for the worst group; 0 < value < 1.
        review_target_fmr: The same for the review threshold, None without one.
        fmr: False match rate at the match threshold, over all people.
        fnmr: False non-match rate.
        held_out_fmr: See `GroupEvidence`.
        fta: Failure to acquire, over photographs.
        quality_gate: How good the photographs had to be: `live` is what the service demands.
        identities: People.
        margin: By how much the threshold is stricter than the data alone would have it, in the
            unit of the score, so that it holds for other people; >= 0.
        data_digest: SHA-256 over the list of pairs and the photographs.
        population: Whom the data show, in words.
        measured_on: The day.
        groups: Every group of every column.

    Raises:
        ValueError: A number is out of its range.
    """

    target_fmr: float
    review_target_fmr: float | None = None
    fmr: ErrorRate
    fnmr: ErrorRate
    held_out_fmr: ErrorRate
    fta: ErrorRate
    quality_gate: str
    identities: int
    margin: float
    data_digest: str
    population: str
    measured_on: date
    groups: tuple[GroupEvidence, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that no measurement gives."""
        targets = (self.target_fmr, self.review_target_fmr)
        if not all(0 < target < 1 for target in targets if target is not None):
            raise ValueError("a target FMR lies within 0 and 1")
        if self.identities < 0 or not 0 <= self.margin < math.inf:
            raise ValueError("the number of people and the margin are at least 0")


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """Thresholds on one score of one model, with what they rest on.

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
        score_type: The score that the thresholds are on.
        decision_threshold: The worst score that still is a match. For a distance above 0.
        review_threshold: The worst score that a person should look at instead of a non-match; None
            for two zones.
        source: Where the thresholds come from, for a reader of a report.
        model_digest: Mark of the templates the thresholds were set for; see `Template`.
        views: Which pictures those templates average; the mark covers it, this names it.
        cohort_digest: Version of the cohort, for a cohort-centred score and only there.
        evidence: What was measured; None for a threshold that was set by hand.
        fallback: What to use while the cohort is missing or too small; needs no cohort itself.
    """

    score_type: ScoreType
    decision_threshold: float
    source: str
    model_digest: str = DLIB_RESNET29.weights_sha256
    views: Views = Views.PLAIN
    review_threshold: float | None = None
    cohort_digest: str | None = None
    evidence: Evidence | None = None
    fallback: "OperatingPoint | None" = None

    def __post_init__(self) -> None:
        """Refuse thresholds that would match everybody or nobody, and parts that do not fit.

        Raises:
            ValueError: A threshold is not a finite number of its score's range, the review zone
                lies on the wrong side, or cohort and fallback do not fit the score.
        """
        self._check_threshold("decision_threshold", self.decision_threshold)
        if self.review_threshold is not None:
            self._check_threshold("review_threshold", self.review_threshold)
            if self._similarity(self.review_threshold) > self._similarity(self.decision_threshold):
                raise ValueError("review_threshold must not be stricter than decision_threshold")
        if (self.score_type is ScoreType.COHORT_CENTRED) != (self.cohort_digest is not None):
            raise ValueError("a cohort belongs to a cohort-centred score, and only there")
        if self.fallback is not None:
            self._check_fallback(self.fallback)

    def _check_threshold(self, name: str, threshold: float) -> None:
        if not math.isfinite(threshold):
            raise ValueError(f"{name} must be a finite number")
        if self.score_type.is_dissimilarity and threshold <= 0:
            raise ValueError(f"{name} of a distance must be above 0")
        if not self.score_type.is_dissimilarity and not -2 <= threshold <= 2:  # noqa: PLR2004 - cosines lie in -1..1, their differences in -2..2
            raise ValueError(f"{name} of a cosine must lie within -2 and 2")

    def _check_fallback(self, fallback: "OperatingPoint") -> None:
        if fallback.cohort_digest is not None or fallback.fallback is not None:
            raise ValueError("a fallback needs neither a cohort nor a fallback")
        if (fallback.model_digest, fallback.views) != (self.model_digest, self.views):
            raise ValueError("a fallback is for the same model and views")

    def _similarity(self, score: float) -> float:
        return self.score_type.from_similarity(score)

    def is_match(self, score: float) -> bool:
        """Whether a score is good enough for a match; a threshold itself is."""
        return self._similarity(score) >= self._similarity(self.decision_threshold)

    def is_review(self, score: float) -> bool:
        """Whether a score is no match, but good enough for a person to look at it."""
        if self.review_threshold is None or self.is_match(score):
            return False
        return self._similarity(score) >= self._similarity(self.review_threshold)

    def usable(self, cohort: Cohort | None) -> "OperatingPoint":
        """This point when its cohort is at hand and large enough, else its fallback.

        Args:
            cohort: The cohort at hand, if any.

        Raises:
            ModelMismatchError: The cohort is another than the thresholds were set with, or there is
                no fallback for its absence.
        """
        if self.cohort_digest is None:
            return self
        if cohort is not None and cohort.is_large_enough:
            if cohort.digest != self.cohort_digest or cohort.model_digest != self.model_digest:
                raise ModelMismatchError("the thresholds were set with another cohort")
            return self
        if self.fallback is None:
            raise ModelMismatchError("the thresholds need a cohort of people, and there is none")
        return self.fallback

    def satisfies(self, *, fmr_max: float, fnmr_max: float, confidence: float = CONFIDENCE) -> bool:
        """Whether the evidence shows both rates, see `shortfalls`."""
        return not self.shortfalls(fmr_max=fmr_max, fnmr_max=fnmr_max, confidence=confidence)

    def shortfalls(
        self, *, fmr_max: float, fnmr_max: float, confidence: float = CONFIDENCE
    ) -> tuple[str, ...]:
        """What is missing to show the rates a rule demands; empty when nothing is.

        The upper ends of the intervals count, over all people and for each group, and the fallback
        must hold as well, because it is what decides while there is no cohort. A photograph that
        fails to be acquired is a false rejection here (FRR = FTA + (1 - FTA) x FNMR, ISO/IEC
        19795-1), so that a strict quality gate cannot hide people who are turned away. One
        attempt counts as one transaction.

        Args:
            fmr_max: Highest false match rate, 0 < value < 1.
            fnmr_max: The false rejection rate must stay below this, 0 < value < 1.
            confidence: At most 0.95, which the intervals have.

        Raises:
            ValueError: A demand is out of range.
        """
        if not (0 < fmr_max < 1 and 0 < fnmr_max < 1 and 0 < confidence <= CONFIDENCE):
            raise ValueError("rates lie within 0 and 1, and the confidence is at most 0.95")
        if self.evidence is None:
            return ("the operating point rests on no evidence: run `biometrics calibrate`",)
        missing = list(_shortfalls(self.evidence, fmr_max=fmr_max, fnmr_max=fnmr_max))
        if self.fallback is not None:
            below = self.fallback.shortfalls(fmr_max=fmr_max, fnmr_max=fnmr_max)
            missing += [f"without a cohort, {text}" for text in below]
        return tuple(missing)


def trials_needed(rate: float) -> int:
    """Independent trials without an error that show a rate at 95 % (rule of 3: n = 3 / p).

    The rule is that of ISO/IEC 19795-1, after Jovanovic and Levy, "A look at the rule of three".

    Raises:
        ValueError: The rate is not within 0 and 1.
    """
    if not 0 < rate < 1:
        raise ValueError("a target rate lies within 0 and 1")
    return math.ceil(3 / rate - 1e-9)


def _shortfalls(evidence: Evidence, *, fmr_max: float, fnmr_max: float) -> Iterator[str]:
    people = [("all people", evidence.fmr, evidence.held_out_fmr, evidence.fnmr)]
    people += [(f"{g.column} {g.value}", g.fmr, g.held_out_fmr, g.fnmr) for g in evidence.groups]
    if evidence.quality_gate != LIVE_GATE:
        yield (
            f"failures to acquire were counted with the quality gate `{evidence.quality_gate}`, "
            f"the service has `{LIVE_GATE}`"
        )
    for name, fmr, held_out, fnmr in people:
        if fmr.independent < trials_needed(fmr_max):
            yield (
                f"{name}: {fmr.independent} pairs of different people cannot show an FMR of "
                f"{percent(fmr_max)}; {trials_needed(fmr_max)} are needed"
            )
        yield from _above(f"{name}: FMR", fmr, rate_max=fmr_max)
        yield from _above(f"{name}: FMR on people not used", held_out, rate_max=fmr_max)
        rejected = evidence.fta.high + (1 - evidence.fta.high) * fnmr.high
        if rejected >= fnmr_max:
            yield (
                f"{name}: FRR may be {percent(rejected)}, it must be below {percent(fnmr_max)} "
                f"(FNMR {fnmr}; FTA {evidence.fta})"
            )


def _above(name: str, measured: ErrorRate, *, rate_max: float) -> Iterator[str]:
    if measured.high > rate_max:
        yield f"{name} may be {percent(measured.high)}, at most {percent(rate_max)} is allowed"


DEFAULT = OperatingPoint(
    score_type=ScoreType.DISTANCE,
    decision_threshold=0.40,
    source=(
        "provisional; on LFW pairs of East and Southeast Asian people FMR 0.032 % (2 of 6298), "
        "FNMR 38 % (92 of 242)"
    ),
)
"""The point an engine works at unless told otherwise, and what it costs.

Measured with this engine (2026-11, plain view); 95 % intervals by pairs of people and by identity:

==========================  =============================  ==================================
people                      FMR at 0.40                    FNMR at 0.40
==========================  =============================  ==================================
LFW, East/Southeast Asian   0.032 % (2 / 6298), to 0.39 %  38 % (92 / 242), 26 to 52 %
LFW, other pairs            0 % (0 / 21889), to 0.018 %    70 % (1316 / 1878), 67 to 73 %
London, studio, one day     0 % (0 / 2487), to 0.33 %      2 % (1 / 50), 0 to 10 %
==========================  =============================  ==================================

`docs/reference/accuracy.md` has the same figures of its last run. The threshold is strict on
purpose: a wrong non-match sends a person to a second try, a wrong match gives a number to somebody
else. It is no substitute for a threshold set from a target FMR on the population it serves.
"""
