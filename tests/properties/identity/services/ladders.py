"""Subscriptions as they may stand on the ladders, and all that is stored of them.

Owns what is drawn for the tests of settling and relinking, and what counts as the same rows:
everything but identifiers that are made anew, order of writing, and sealed values.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from sqlalchemy import select

from identity.domain.enforcement import Case, DirectiveKind, open_case, state_reached, strictest
from identity.domain.holder import HolderClaim
from identity.domain.link import Link, LinkState, agreed_link, not_found_link
from identity.domain.policy import CaseCause, StepKind, Track
from identity.domain.settlement import UNDISPUTED_CAUSES
from identity.domain.subscriber_update import News
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.arrays import any_of
from identity.storage.bulk_tables import link_change
from identity.storage.database import UnitOfWork
from identity.storage.tables import (
    directive,
    enforcement_case,
    holding,
    primary_number,
    subscription,
)
from identity.storage.update_tables import subscriber_update
from tests.unit.identity.makers import (
    NOW,
    make_directive,
    make_link,
    make_subscription,
    reference_of,
    rules,
    store_dispute,
    track_for,
)

Row = tuple[str, list[tuple[str, Any]]]
"""A table, and what a row of it says."""

Rows = Mapping[UUID, list[Row]]
"""All rows of each subscription."""

LATER = NOW + timedelta(hours=3)
DUE_AT = NOW - timedelta(hours=1)
NOT_DUE_AT = NOW + timedelta(days=1)

LINKS: Mapping[LinkState, Link] = {
    LinkState.LINKED: agreed_link(is_deceased=False),
    LinkState.MISMATCHED: make_link(LinkState.MISMATCHED),
    LinkState.NOT_FOUND: not_found_link(),
    LinkState.DECEASED: agreed_link(is_deceased=True),
}

TABLES = (
    *(subscription, holding, primary_number, enforcement_case, directive),
    *(subscriber_update, link_change),
)
_MADE_ANEW = {"case_id", "directive_id", "position"}


@dataclass(frozen=True)
class Rung:
    """An open case: why, since when, how far, and whether its next rung is due."""

    cause: CaseCause
    opened_at: datetime
    steps_taken: int
    is_due: bool

    @property
    def track(self) -> Track:
        """Its ladder."""
        return track_for(self.cause)

    @property
    def is_held_in_disputes(self) -> bool:
        """Whether a dispute holds its clock."""
        return self.cause not in UNDISPUTED_CAUSES

    def case(self, item: Subscription, *, later: timedelta = timedelta()) -> Case:
        """The case of a subscription, opened and due as much later as is said."""
        opened_at = self.opened_at + later
        case = open_case(item, self.cause, self.track, identity=uuid4(), at=opened_at)
        ahead = self.track.steps[self.steps_taken :]
        due_at = (DUE_AT if self.is_due else NOT_DUE_AT) + later
        return replace(
            case,
            steps_taken=self.steps_taken,
            next_due_at=due_at if ahead else None,
            waits_for_wave=bool(ahead) and ahead[0].is_by_wave,
        )


@dataclass(frozen=True)
class Kind:
    """What subscriptions may have in common.

    Attributes:
        rungs: Their open cases.
        service_state: What is ordered.
        is_verified: Their holders were verified.
        is_disowned: Their holders have said "not mine", and the register was told.
        is_primary: They are primary numbers, where they may be.
        is_notified: No notice is still on its way.
        is_disputed: Others claim them too.
    """

    rungs: tuple[Rung, ...]
    service_state: ServiceState
    is_verified: bool
    is_disowned: bool
    is_primary: bool
    is_notified: bool
    is_disputed: bool

    def cases(self, item: Subscription, *, later: timedelta) -> Iterator[Case]:
        """The cases of a subscription."""
        for rung in self.rungs:
            case = rung.case(item, later=later)
            is_held = self.is_disputed and rung.is_held_in_disputes
            yield case.frozen(at=NOW) if is_held else case


def _before_the_end(track: Track) -> int:
    """Rungs that a number still in service may have behind it."""
    order = [step.kind for step in track.steps]
    return order.index(StepKind.TERMINATE) if StepKind.TERMINATE in order else len(order)


def _places(track: Track) -> st.SearchStrategy[int]:
    """How many rungs may be behind a case, often all those before a wave's."""
    anywhere = st.integers(0, _before_the_end(track))
    before_waves = [place for place, step in enumerate(track.steps) if step.is_by_wave]
    return anywhere | st.sampled_from(before_waves) if before_waves else anywhere


@st.composite
def _rungs(draw: st.DrawFn) -> tuple[Rung, ...]:
    tracks = draw(st.lists(st.sampled_from(sorted(rules().tracks)), unique=True, max_size=3))
    return tuple(
        Rung(
            cause=draw(st.sampled_from(sorted(rules().tracks[name].causes))),
            opened_at=NOW - timedelta(days=draw(st.integers(0, 2))),
            steps_taken=draw(_places(rules().tracks[name])),
            is_due=draw(st.booleans()),
        )
        for name in tracks
    )


@st.composite
def kinds(draw: st.DrawFn) -> Kind:
    """Any kind; most agree with their cases, as everything that was ever settled does."""
    rungs = draw(_rungs())
    example = make_subscription()
    state = strictest(state_reached(each.case(example), each.track) for each in rungs)
    if draw(st.integers(0, 3)) == 0:
        state = draw(st.sampled_from(sorted(set(ServiceState) - {ServiceState.TERMINATED})))
    return Kind(
        rungs=rungs,
        service_state=state,
        is_verified=draw(st.integers(0, 3)) == 0,
        is_disowned=draw(st.integers(0, 3)) == 0,
        is_primary=draw(st.booleans()),
        is_notified=draw(st.booleans()),
        # A number in dispute that nobody verified has a case that is held.
        is_disputed=any(rung.is_held_in_disputes for rung in rungs)
        and draw(st.integers(0, 3)) == 0,
    )


def store(uow: UnitOfWork, wanted: Iterable[tuple[Kind, Link, HolderClaim]]) -> list[Subscription]:
    """Subscriptions of some kinds with their cases, orders still open, and what was told.

    Those of one kind differ in what may differ: since when their cases are, and due.
    """
    stored = [(kind, _subscription(kind, link, claim)) for kind, link, claim in wanted]
    uow.subscriptions.save_many(item for _, item in stored)
    uow.cases.save_many(
        (case, item)
        for place, (kind, item) in enumerate(stored)
        for case in kind.cases(item, later=timedelta(minutes=place))
    )
    uow.directives.add_many(
        (make_directive(item, kind=order), item)
        for kind, item in stored
        if kind.rungs
        for order in DirectiveKind
        if order is not DirectiveKind.NOTIFY or not kind.is_notified
    )
    for kind, item in stored:
        if kind.is_disputed:
            store_dispute(uow, item)
        if kind.is_primary and item.is_eligible_as_primary:
            uow.primaries.set(item, at=NOW)
    news = {reference_of(uow, item): News(is_disowned=kind.is_disowned) for kind, item in stored}
    uow.subscriber_updates.note(news, at=NOW)
    return [item for _, item in stored]


def _subscription(kind: Kind, link: Link, claim: HolderClaim) -> Subscription:
    return make_subscription(
        claim,
        link=link,
        service_state=kind.service_state,
        applied_state=kind.service_state,
        verified_at=NOW if kind.is_verified else None,
    )


def rows_of(uow: UnitOfWork, ids: Iterable[UUID]) -> Rows:
    """All rows of each of some subscriptions, in an order of their own."""
    found: dict[UUID, list[Row]] = {identity: [] for identity in ids}
    for table in TABLES:
        query = select(table).where(any_of(table.c.subscription_id, found))
        for row in uow.connection.execute(query).mappings():
            kept = {
                name: value
                for name, value in row.items()
                if name not in _MADE_ANEW and not name.endswith("_sealed")
            }
            found[row["subscription_id"]].append((table.name, list(kept.items())))
    return {identity: sorted(rows, key=repr) for identity, rows in found.items()}
