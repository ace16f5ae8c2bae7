"""Waves: a step that many numbers take together, by order of two people.

Owns what a wave may take, when it may be executed and when it stops itself. Knows no number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from identity.domain.errors import WaveInvalidError, WaveNotReadyError
from identity.domain.policy import CaseCause, StepKind, WavePolicy
from identity.domain.policy_book import Rules

APPROVALS_NEEDED = 2
"""Two people: nobody cuts off a million numbers alone, and nobody has done it unseen."""

SLICE_NUMBERS = 20_000
"""About as many numbers in a slice: a stop button acts after one at the latest."""


class WaveState(StrEnum):
    """Where a wave stands."""

    PREVIEWED = "previewed"
    APPROVED = "approved"
    RUNNING = "running"
    STOPPED = "stopped"
    COMPLETED = "completed"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveCriteria:
    """Which cases a wave takes; what is empty narrows nothing down.

    Attributes:
        track: The ladder.
        step: The step, one that the ladder leaves to waves.
        operators: Names of operators.
        province_codes: Provinces of the contract.
        causes: Causes of the case.
        subscription_count_max: The most numbers it takes, of each slice those longest due; 0 for
            all.
        has_primaries: Whether primary numbers are taken too.
    """

    track: str
    step: StepKind
    operators: tuple[str, ...] = ()
    province_codes: tuple[str, ...] = ()
    causes: tuple[CaseCause, ...] = ()
    subscription_count_max: int = 0
    has_primaries: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePreview:
    """What a wave would do, in numbers.

    Attributes:
        subscription_count: Numbers that take the step.
        by_operator: Of each operator.
        by_province: Of each province; an empty code is unknown.
        by_age: Of each group of ages, from a sample, scaled up.
        primary_count: Primary numbers among them.
        last_number_count: People who would have no number left in service both ways.
        recently_verified_count: Numbers that were linked and verified a day before.
        held_count: Numbers that wait at the step and are left out.
    """

    subscription_count: int
    by_operator: Mapping[str, int]
    by_province: Mapping[str, int]
    by_age: Mapping[str, int]
    primary_count: int
    last_number_count: int
    recently_verified_count: int
    held_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One wave.

    Attributes:
        wave_id: Identifier.
        criteria: Which cases.
        state: Where it stands.
        creator: Who tried it dry.
        created_at: When.
        preview: What was counted then.
        approvers: Who approved it in this round.
        round: Grows when it is stopped: it must be approved anew.
        slice_count: Slices in all.
        done: Slices that are executed.
        directive_count: Orders made.
        reverted_count: Numbers put back.
        reason: Why it was stopped or put back.
    """

    wave_id: UUID
    criteria: WaveCriteria
    state: WaveState
    creator: str
    created_at: datetime
    preview: WavePreview
    approvers: tuple[str, ...] = ()
    round: int = 1
    slice_count: int = 1
    done: frozenset[int] = frozenset()
    directive_count: int = 0
    reverted_count: int = 0
    reason: str = ""

    def share_of(self, place: int) -> int | None:
        """The most numbers that a slice takes; None for all that are there.

        Each slice has a share of its own, so that no more are taken whoever executes them at once,
        and none is larger than slices are.
        """
        most, of = self.criteria.subscription_count_max, self.slice_count
        return most * (place + 1) // of - most * place // of if most else None

    def refuse_approval(self, approver: str) -> None:
        """Refuse an approval that would not count.

        Raises:
            WaveNotReadyError: It waits for none, or has this one.
        """
        if self.state not in {WaveState.PREVIEWED, WaveState.STOPPED}:
            raise WaveNotReadyError(f"the wave is {self.state}: it waits for no approval")
        if approver in self.approvers:
            raise WaveNotReadyError("you have approved it already: it takes somebody else")

    def refuse_execution(self) -> None:
        """Refuse to execute what is not approved, or is over.

        Raises:
            WaveNotReadyError: As said.
        """
        if self.state not in {WaveState.APPROVED, WaveState.RUNNING}:
            raise WaveNotReadyError(f"the wave is {self.state}, not approved")


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a case stands before a step: rungs behind it, and whether the step is left to waves."""

    place: int
    is_by_wave: bool


def rungs_before(criteria: WaveCriteria, rules: Rules) -> Mapping[str, Rung]:
    """Where cases stand that have not taken the step, by version of the pack.

    Also under packs that leave it to no wave: a retroactive one may have taken over cases that a
    wave has stepped. No ladder takes the same blocking step twice.
    """
    return {
        version: Rung(place, step.is_by_wave)
        for (version, name), track in rules.known_tracks.items()
        for place, step in enumerate(track.steps)
        if name == criteria.track and step.kind is criteria.step
    }


def steps_behind(criteria: WaveCriteria, rules: Rules) -> Mapping[str, int]:
    """How many rungs are behind a case that waits for a wave, by version of the pack.

    Raises:
        WaveInvalidError: No ladder of this name leaves this step to waves.
    """
    rungs = rungs_before(criteria, rules)
    places = {version: rung.place for version, rung in rungs.items() if rung.is_by_wave}
    if not places:
        raise WaveInvalidError(f"no track {criteria.track} leaves {criteria.step} to waves")
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What became of the numbers of some slices since.

    Attributes:
        number_count: Numbers that took the step.
        cured_count: Those whose holders were verified since.
        complaint_count: Complaints about them since.
    """

    number_count: int
    cured_count: int
    complaint_count: int


def reason_to_stop(after: Aftermath, policy: WavePolicy) -> str | None:
    """Why a wave stops itself; None while it may go on.

    Many cures say that those who were cut off are there and are who they say: the wave takes the
    wrong people. Many complaints say the same, louder.
    """
    if after.cured_count > policy.cured_share_max * after.number_count:
        return f"{after.cured_count} of {after.number_count} were cured"
    if after.complaint_count > policy.complaint_share_max * after.number_count:
        return f"{after.complaint_count} complaints about {after.number_count}"
    return None
