"""Stepping many numbers: those that are alike as one, and never one for another."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.audit.log import audit_entry
from identity.domain.caller import Role
from identity.domain.directive import Directive
from identity.domain.enforcement import Case, DirectiveKind, open_case
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription
from identity.services.step_cases import Stepped, WaveStep, step_cases
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import DueNumbers, WaveReach
from identity.storage.tables import enforcement_case
from tests.unit.identity.makers import (
    NOW,
    find,
    make_call,
    make_link,
    make_operator,
    only,
    store_citizen,
    store_dispute,
    store_number,
    store_orders,
    track_for,
)

DUE_AT = NOW - timedelta(hours=1)
CALL = make_call("ministry", role=Role.REGULATOR)


@pytest.fixture
def operator() -> str:
    return make_operator()


def some_number(uow: UnitOfWork, operator: str, **given: Any) -> Subscription:  # noqa: ANN401 - as make_subscription
    usual = {"operator_id": operator, "verified_at": None}
    return store_number(uow, store_citizen(uow), **{**usual, **given})


def on_ladder(
    uow: UnitOfWork, item: Subscription, steps_taken: int, cause: CaseCause = CaseCause.UNVERIFIED
) -> Case:
    """A case some rungs up its ladder, whose next one is due."""
    track = track_for(cause)
    case = open_case(item, cause, track, identity=uuid4(), at=NOW - timedelta(days=90))
    case = replace(
        case,
        steps_taken=steps_taken,
        next_due_at=DUE_AT,
        waits_for_wave=track.steps[steps_taken].is_by_wave,
    )
    uow.cases.save_many([(case, item)])
    return case


def read(uow: UnitOfWork, items: Sequence[Subscription]) -> list[DueNumbers]:
    """Some numbers, as the clock reads them."""
    ids = {item.subscription_id for item in items}
    place = (DUE_AT - timedelta(days=1), UUID(int=0))
    due, _ = uow.due_cases.list_by_clock(NOW, after=place, limit=10_000, days=())
    return only(due, ids)


def step(uow: UnitOfWork, *items: Subscription) -> Stepped:
    return step_cases(uow, CALL, read(uow, items))


def wave(uow: UnitOfWork, operator: str, wave_id: UUID) -> Stepped:
    """Block the operator's numbers that wait for it on T2."""
    reach = WaveReach(track="T2", steps=(5,), operators=(operator,))
    waiting = uow.due_cases.list_by_wave(reach, NOW, keys=(b"", None), limit=None, days=())
    return step_cases(uow, CALL, waiting, wave=WaveStep(wave_id=wave_id, track="T2"))


def orders(uow: UnitOfWork, operator: str) -> list[Directive]:
    leased = uow.directives.lease(
        operator, lease_id=uuid4(), expires_at=NOW + timedelta(hours=1), at=NOW, limit=99
    )
    return [each.directive for each in leased]


def cases_of(uow: UnitOfWork, item: Subscription) -> dict[CaseCause, Case]:
    return {case.cause: case for case in uow.cases.list_open([item])[item.subscription_id]}


def test_a_number_whose_notice_has_not_come_is_not_blocked_with_one_whose_has(
    uow: UnitOfWork, operator: str
) -> None:
    told = [some_number(uow, operator, service_state=ServiceState.OUTGOING_BLOCKED)]
    untold = some_number(uow, operator, service_state=ServiceState.OUTGOING_BLOCKED)
    told.append(some_number(uow, operator, service_state=ServiceState.OUTGOING_BLOCKED))
    for item in (*told, untold):
        on_ladder(uow, item, 6)
    store_orders(uow, untold, DirectiveKind.NOTIFY)
    assert step(uow, *told, untold) == Stepped(step_count=2, directive_count=2)
    assert {find(uow, item).service_state for item in told} == {ServiceState.SUSPENDED}
    assert find(uow, untold).service_state is ServiceState.OUTGOING_BLOCKED


@pytest.mark.parametrize("is_verified", [False, True])
def test_a_step_of_a_stolen_sim_leaves_a_case_held_that_is_in_dispute(
    uow: UnitOfWork,
    operator: str,
    is_verified: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    item = some_number(
        uow,
        operator,
        link=make_link(LinkState.MISMATCHED),
        service_state=ServiceState.OUTGOING_BLOCKED,
        verified_at=NOW - timedelta(days=200) if is_verified else None,
    )
    store_dispute(uow, item)
    held = on_ladder(uow, item, 6, CaseCause.MISMATCHED).frozen(at=DUE_AT)
    uow.cases.save_many([(held, item)])
    on_ladder(uow, item, 2, CaseCause.DEVICE_CHANGE)
    assert step(uow, item) == Stepped(step_count=1, directive_count=1)
    assert cases_of(uow, item)[CaseCause.MISMATCHED] == held
    assert [order.track for order in orders(uow, operator)] == ["T1"]


def test_what_nothing_follows_for_is_not_written(uow: UnitOfWork, operator: str) -> None:
    item = some_number(uow, operator, service_state=ServiceState.OUTGOING_BLOCKED)
    case = on_ladder(uow, item, 6)
    store_orders(uow, item, DirectiveKind.NOTIFY)
    before = entries(uow)
    assert step(uow, item) == Stepped()
    assert cases_of(uow, item) == {CaseCause.UNVERIFIED: case}
    assert entries(uow) == before


def entries(uow: UnitOfWork) -> list[dict[str, Any]]:
    query = select(audit_entry.c.details).where(audit_entry.c.action == "enforce")
    return [*uow.connection.scalars(query.order_by(audit_entry.c.entry_id))]


def test_a_number_that_is_withdrawn_leaves_its_holder(uow: UnitOfWork, operator: str) -> None:
    items = [some_number(uow, operator, service_state=ServiceState.SUSPENDED) for _ in range(2)]
    for item in items:
        on_ladder(uow, item, 7)
    assert step(uow, *items) == Stepped(step_count=2, directive_count=2)
    for item in items:
        assert find(uow, item).service_state is ServiceState.TERMINATED
        assert cases_of(uow, item) == {}
        held = uow.subscriptions.list_of_citizens([item.claim.personal_id])
        assert list(held) == []


@pytest.mark.parametrize("is_verified", [False, True])
def test_a_wave_is_named_by_its_orders_and_remembered_by_its_cases(
    uow: UnitOfWork,
    operator: str,
    is_verified: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    verified_at = NOW - timedelta(days=200) if is_verified else None
    link = make_link(LinkState.MISMATCHED)
    items = [some_number(uow, operator, link=link, verified_at=verified_at) for _ in range(2)]
    for item in items:
        on_ladder(uow, item, 5, CaseCause.MISMATCHED)
        on_ladder(uow, item, 3, CaseCause.DISOWNED)
    wave_id = uuid4()
    assert wave(uow, operator, wave_id) == Stepped(step_count=2, directive_count=2)
    assert {(order.kind, order.wave_id) for order in orders(uow, operator)} == {
        (DirectiveKind.BLOCK_OUTGOING, wave_id)
    }
    query = select(
        enforcement_case.c.track, enforcement_case.c.wave_id, enforcement_case.c.wave_due_at
    ).where(enforcement_case.c.subscription_id.in_([item.subscription_id for item in items]))
    remembered = {tuple(row) for row in uow.connection.execute(query)}
    assert remembered == {("T2", wave_id, DUE_AT), ("T3", None, None)}
    assert entries(uow)[-1] == {
        "numbers": 2,
        "causes": ["disowned", "mismatched"],
        "orders": ["block_outgoing"],
        "wave": str(wave_id),
    }


def test_a_wave_takes_no_step_of_the_clocks(uow: UnitOfWork, operator: str) -> None:
    item = some_number(uow, operator)
    on_ladder(uow, item, 5)
    other = on_ladder(uow, item, 5, CaseCause.DISOWNED)
    wave(uow, operator, uuid4())
    assert cases_of(uow, item)[CaseCause.DISOWNED] == other
    assert find(uow, item).service_state is ServiceState.OUTGOING_BLOCKED
