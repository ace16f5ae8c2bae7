"""Stepping a mixed crowd leaves what settling each of its numbers by itself leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.caller import Role
from identity.domain.enforcement import Run
from identity.domain.link import LinkState
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.settle_subscriptions import settle_subscriptions
from identity.services.step_cases import Stepped, WaveStep, step_cases
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import DueNumbers, WaveReach
from tests.properties.identity.services.ladders import (
    DUE_AT,
    LATER,
    LINKS,
    Kind,
    Rows,
    kinds,
    rows_of,
    store,
)
from tests.unit.identity.makers import make_call, make_claim, only, rules

CALL = make_call("ministry", role=Role.REGULATOR, at=LATER)
DAYS = rules().exemption_days
WAVE = WaveStep(wave_id=uuid4(), track="T2")
STEPS = tuple(place for place, step in enumerate(rules().tracks["T2"].steps) if step.is_by_wave)


@dataclass(frozen=True)
class Member:
    """Numbers of one kind, and how their holders stand in the register."""

    kind: Kind
    link: LinkState
    count: int


members = st.builds(Member, kind=kinds(), link=st.sampled_from(LinkState), count=st.integers(1, 3))


def due(
    uow: UnitOfWork, items: Sequence[Subscription], wave: WaveStep | None
) -> Sequence[DueNumbers]:
    """What the clock, or a wave, reads of some numbers."""
    ids = {item.subscription_id for item in items}
    if wave is None:
        before = (DUE_AT - timedelta(days=1), UUID(int=0))
        read, _ = uow.due_cases.list_by_clock(CALL.at, after=before, limit=10_000, days=DAYS)
    else:
        reach = WaveReach(track=wave.track, steps=STEPS)
        read = uow.due_cases.list_by_wave(reach, CALL.at, keys=(b"", None), limit=None, days=DAYS)
    return only(read, ids)


def stepped_each(
    uow: UnitOfWork,
    items: Sequence[Subscription],
    kind_of: Mapping[UUID, Kind],
    wave: WaveStep | None,
) -> tuple[Rows, Stepped]:
    """What settling each by itself leaves, undone again, and what was done."""
    changes = {
        item.subscription_id: _change(item, kind_of[item.subscription_id], wave) for item in items
    }
    with uow.connection.begin_nested() as savepoint:
        done = settle_subscriptions(uow, CALL, items, changes)
        rows = rows_of(uow, changes)
        savepoint.rollback()
    return rows, Stepped(
        step_count=sum(each.step_count for each in done),
        directive_count=sum(len(each.directives) for each in done),
    )


def _change(item: Subscription, kind: Kind, wave: WaveStep | None) -> Change:
    """Known from what was drawn, and not from what the storage says of it."""
    is_primary = kind.is_primary and item.is_eligible_as_primary
    is_notified = kind.is_notified or not kind.rungs
    run = Run(is_primary=is_primary, is_notified=is_notified)
    change = Change(before=item.service_state, is_primary=is_primary, is_last_number=True, run=run)
    if wave is None:
        return change
    taken = replace(run, wave_track=wave.track, wave_id=wave.wave_id)
    return replace(change, run=taken, wave_id=wave.wave_id)


@settings(max_examples=25, deadline=None)
@given(drawn=st.lists(members, min_size=1, max_size=5), wave=st.sampled_from([None, WAVE]))
def test_a_crowd_is_stepped_as_each_of_it_would_be(
    engine: Engine, vault: Vault, drawn: list[Member], wave: WaveStep | None
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        crowd = [each for each in drawn for _ in range(each.count)]
        stored = store(uow, [(each.kind, LINKS[each.link], make_claim()) for each in crowd])
        kind_of = {
            item.subscription_id: each.kind for item, each in zip(stored, crowd, strict=True)
        }
        untouched = rows_of(uow, kind_of)
        numbers = due(uow, stored, wave)
        items = uow.subscriptions.find_by_reference(
            [reference for each in numbers for reference in each.references]
        )
        expected, should_do = stepped_each(uow, items, kind_of, wave)
        assert step_cases(uow, CALL, numbers, wave=wave) == should_do
        assert rows_of(uow, kind_of) == {**untouched, **expected}
        connection.rollback()
    event(f"wave: {wave is not None}, steps: {should_do.step_count > 0}")
