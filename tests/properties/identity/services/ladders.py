"""Subscriptions as they may stand on the ladders, and all that is stored of them.

Owns what is drawn for the tests of settling and relinking, and what counts as the same rows:
everything but identifiers that are made anew, order of writing, and sealed values.
"""

from collections.abc import Iterable, Mapping
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
    policy,
    reference_of,
)

Row = tuple[str, list[tuple[str, Any]]]
"""A table, and what a row of it says."""

Rows = Mapping[UUID, list[Row]]
"""All rows of each subscription."""

LATER = NOW + timedelta(hours=3)

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
    """An open case: why, since when, and how far."""

    cause: CaseCause
    opened_at: datetime
    steps_taken: int

    @property
    def track(self) -> Track:
        """Its ladder."""
        return policy().track_for(self.cause)

    def case(self, item: Subscription) -> Case:
        """The case of a subscription."""
        case = open_case(item, self.cause, policy(), identity=uuid4(), at=self.opened_at)
        ahead = self.track.steps[self.steps_taken :]
        next_due_at = self.opened_at + ahead[0].after if ahead else None
        return replace(case, steps_taken=self.steps_taken, next_due_at=next_due_at)


@dataclass(frozen=True)
class Kind:
    """What subscriptions may have in common.

    Attributes:
        rungs: Their open cases.
        service_state: What is ordered.
        is_verified: Their holders were verified.
        is_disowned: Their holders have said "not mine", and the register was told.
        is_primary: They are primary numbers, where they may be.
    """

    rungs: tuple[Rung, ...]
    service_state: ServiceState
    is_verified: bool
    is_disowned: bool
    is_primary: bool


def _before_the_end(track: Track) -> int:
    """Rungs that a number still in service may have behind it."""
    order = [step.kind for step in track.steps]
    return order.index(StepKind.TERMINATE) if StepKind.TERMINATE in order else len(order)


@st.composite
def _rungs(draw: st.DrawFn) -> tuple[Rung, ...]:
    tracks = draw(st.lists(st.sampled_from(sorted(policy().tracks)), unique=True, max_size=3))
    return tuple(
        Rung(
            cause=draw(st.sampled_from(sorted(policy().tracks[name].causes))),
            opened_at=NOW - timedelta(days=draw(st.integers(0, 2))),
            steps_taken=draw(st.integers(0, _before_the_end(policy().tracks[name]))),
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
    )


def store(uow: UnitOfWork, wanted: Iterable[tuple[Kind, Link, HolderClaim]]) -> list[Subscription]:
    """Subscriptions of some kinds with their cases, orders still open, and what was told."""
    stored = [(kind, _subscription(kind, link, claim)) for kind, link, claim in wanted]
    uow.subscriptions.save_many(item for _, item in stored)
    uow.cases.save_many((rung.case(item), item) for kind, item in stored for rung in kind.rungs)
    uow.directives.add_many(
        make_directive(item, kind=order)
        for kind, item in stored
        if kind.rungs
        for order in DirectiveKind
    )
    for kind, item in stored:
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
