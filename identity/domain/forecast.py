"""What would become of a number: each step of its ladder on its day, if nobody is late.

Owns the walk through the rules of the days to come, for whoever weighs a pack before it holds.
Knows no number: the case that it walks is nobody's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.enforcement import (
    STANDING_CAUSES,
    Case,
    Run,
    next_step_due_at,
    take_due_steps,
)
from identity.domain.policy import CaseCause, Exemption, StepKind, Track
from identity.domain.policy_book import PolicyBook, Rules

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastStep:
    """One rung on its day.

    Attributes:
        kind: What it does.
        at: When it is taken, at the soonest.
        execute_by: When the operator must have executed it.
        policy_version: The pack that the case runs under by then.
        is_by_wave: An approved wave takes it; `at` is the first instant at which one can.
        waits_for_notices: It is taken once every notice before it was delivered.
    """

    kind: StepKind
    at: datetime
    execute_by: datetime
    policy_version: str
    is_by_wave: bool
    waits_for_notices: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a cause leads to.

    Attributes:
        track: The ladder it begins on; None where no pack has one for the cause.
        exemption: Why the number is put on none; None where it is.
        steps: The rungs in their order; none without a ladder or with an exemption.
    """

    track: Track | None
    exemption: Exemption | None = None
    steps: tuple[ForecastStep, ...] = ()


def forecast(
    book: PolicyBook,
    cause: CaseCause,
    *,
    opened_at: datetime,
    is_primary: bool = False,
    activated_on: date | None = None,
) -> Forecast:
    """Walk a case from its opening to the end of its ladder.

    Every run is in time, every notice is delivered at once, a wave takes what waits for one as soon
    as it may, and nobody is verified.

    Args:
        book: The packs.
        cause: Why the case is opened.
        opened_at: When.
        is_primary: The number is a citizen's primary.
        activated_on: When its contract began, which may exempt it.

    Raises:
        PolicyPackError: No pack was in force at that instant.
    """
    track = book.at(opened_at).track_for(cause)
    if track is None:
        return Forecast(track=None)
    exemption = track.exemption(activated_on) if cause in STANDING_CAUSES else None
    if exemption is not None:
        return Forecast(track=track, exemption=exemption)
    case = Case(
        case_id=_NOBODY,
        subscription_id=_NOBODY,
        track=track.name,
        cause=cause,
        policy_version=track.policy_version,
        opened_at=opened_at,
        steps_taken=0,
        next_due_at=opened_at + track.steps[0].after,
    )
    return Forecast(track=track, steps=tuple(_walk(book, case, is_primary=is_primary)))


def adopted(case: Case, rules: Rules) -> Case:
    """The case under the retroactive pack that takes it over; unchanged where there is none.

    It stays on its rung: what it has behind it is behind it, and its next rung moves by as much as
    the interval before that rung has changed.
    """
    rung = (case.policy_version, case.track, case.steps_taken)
    for each in rules.adoptions:
        if (each.from_version, each.track, each.steps_taken) == rung:
            due_at = case.next_due_at
            return replace(
                case,
                policy_version=each.to_version,
                next_due_at=None if due_at is None else due_at + each.later,
                waits_for_wave=each.waits_for_wave,
            )
    return case


def _walk(book: PolicyBook, case: Case, *, is_primary: bool) -> Iterator[ForecastStep]:
    now = case.opened_at
    changes = [midnight for day in book.change_days if (midnight := _midnight(day)) > now]
    while True:
        rules = book.at(now)
        case = adopted(case, rules)
        track = rules.track_of(case.policy_version, case.track)
        due_at = next_step_due_at(case, track, is_primary=is_primary)
        if due_at is None:
            return
        if changes and changes[0] <= due_at:
            # Packs change at midnight, before anything that is due on the day.
            now = changes.pop(0)
            continue
        now = max(now, due_at)
        step = track.steps[case.steps_taken]
        run = Run(is_primary=is_primary, wave_track=track.name if step.is_by_wave else None)
        ahead = case.steps_taken
        case, taken = take_due_steps(case, track, run, at=now)
        for kind, rung in zip(taken, track.steps[ahead:], strict=False):
            yield ForecastStep(
                kind=kind,
                at=now,
                execute_by=now + track.execute_within,
                policy_version=track.policy_version,
                is_by_wave=rung.is_by_wave,
                waits_for_notices=track.waits_for_notices and kind is not StepKind.NOTIFY,
            )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=DAY_ZONE)
