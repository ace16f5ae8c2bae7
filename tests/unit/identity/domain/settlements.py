"""Settling one number in one call, for the tests of what follows from a change.

Owns the ways to say what happened, and rules that differ from the shipped ones in a ladder. Knows
nothing of what is tested with them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from identity.domain.enforcement import Case, CaseState, DirectiveKind, Run
from identity.domain.policy import CaseCause, Exemption, Track
from identity.domain.policy_book import Rules
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscription import ServiceState, Subscription
from tests.unit.identity.domain.samples import (
    NOW,
    id_maker,
    shipped_rules,
    subscription,
    track_for,
    verified_attempt,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ACTIVE, BLOCKED = ServiceState.ACTIVE, ServiceState.OUTGOING_BLOCKED
SUSPENDED, TERMINATED = ServiceState.SUSPENDED, ServiceState.TERMINATED
ORDERS = frozenset(DirectiveKind) - {DirectiveKind.NOTIFY}
OLD_CONTRACT, NEW_CONTRACT = date(2019, 2, 28), date(2026, 4, 15)
new_id = id_maker()


def change_of(item: Subscription) -> Change:
    return Change(before=item.service_state)


def settled(
    item: Subscription,
    cases: Sequence[Case] = (),
    *,
    change: Change | None = None,
    at: datetime = NOW,
    rules: Rules | None = None,
) -> Settlement:
    return settle(
        item,
        cases,
        rules or shipped_rules(),
        change=change or change_of(item),
        at=at,
        new_id=new_id,
    )


def case(
    cause: CaseCause, *, steps_taken: int, opened_at: datetime = NOW, due_at: datetime | None = None
) -> Case:
    """An open case some rungs up its ladder; its next rung, if any, is due far off unless said."""
    track = track_for(cause)
    is_at_the_end = steps_taken == len(track.steps)
    return Case(
        case_id=new_id(),
        subscription_id=subscription().subscription_id,
        track=track.name,
        cause=cause,
        policy_version=track.policy_version,
        opened_at=opened_at,
        steps_taken=steps_taken,
        next_due_at=None if is_at_the_end else due_at or NOW + 500 * DAY,
    )


def with_tracks(*changed: Track, without: Sequence[str] = ()) -> Rules:
    """The shipped rules with some ladders of a later pack in their place."""
    shipped = shipped_rules()
    tracks = {name: track for name, track in shipped.tracks.items() if name not in without}
    tracks |= {track.name: track for track in changed}
    known = {(track.policy_version, track.name): track for track in changed}
    return replace(shipped, tracks=tracks, known_tracks={**shipped.known_tracks, **known})


def exempting(*names: str) -> Rules:
    """Rules of a later pack that spare the contracts of its own time on some ladders."""
    exemption = Exemption(activated_from=NEW_CONTRACT, activated_before=None, citation="c")
    return with_tracks(
        *(
            replace(shipped_rules().tracks[name], policy_version="later", exemptions=(exemption,))
            for name in names
        )
    )


def contract(begun_on: date, item: Subscription | None = None) -> Subscription:
    return replace(item or subscription(), activated_on=begun_on)


def kinds(settlement: Settlement) -> list[DirectiveKind]:
    return [order.kind for order in settlement.directives]


def states(settlement: Settlement) -> dict[CaseCause, CaseState]:
    return {case.cause: case.state for case in settlement.cases}


def clock(item: Subscription, run: Run | None = None, *, is_primary: bool = False) -> Change:
    given = run or Run(is_primary=is_primary)
    return Change(before=item.service_state, run=given, is_primary=given.is_primary)


def cure(item: Subscription, cases: Sequence[Case], *, at: datetime = NOW) -> Settlement:
    change = Change(before=item.service_state, is_cured=True)
    return settled(item.verified_by(verified_attempt(at=at)), cases, change=change, at=at)


def device_change(
    item: Subscription, cases: Sequence[Case] = (), *, happened_at: datetime, at: datetime = NOW
) -> Settlement:
    change = Change(
        before=item.service_state,
        cause=CaseCause.DEVICE_CHANGE,
        cause_at=happened_at,
        run=Run(is_notified=False),
    )
    return settled(item, cases, change=change, at=at)
