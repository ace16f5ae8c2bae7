"""Comparing a whole network at once finds what a plain model finds number by number."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.drift import DriftKind
from identity.domain.enforcement import STATE_OF_DIRECTIVE, DirectiveKind
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.directives import pull_directives
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import NOW, find, make_call, make_operator, reference_of
from tests.unit.identity.services.networks import Past, report, somebody_elses, store

LATER = NOW + timedelta(hours=5)
RUNGS = (
    {ServiceState.ACTIVE},
    {ServiceState.OUTGOING_BLOCKED},
    {ServiceState.SUSPENDED},
    {ServiceState.TERMINATED, ServiceState.INACTIVE},
)
ACKNOWLEDGED = [state for state in ServiceState if state is not ServiceState.INACTIVE]
ORDER = {state: kind for kind, state in STATE_OF_DIRECTIVE.items()}


def rung(state: ServiceState) -> int:
    return next(place for place, states in enumerate(RUNGS) if state in states)


@dataclass(frozen=True)
class Number:
    """A number, and what the network reports of it; None for nothing."""

    past: Past | None
    reported: ServiceState | None


pasts = st.builds(
    Past,
    ordered=st.sampled_from(ServiceState),
    applied=st.sampled_from(ServiceState),
    acknowledged=st.none() | st.sampled_from(ACKNOWLEDGED),
    is_open=st.booleans(),
)
numbers = st.builds(
    Number,
    past=st.none() | pasts,
    reported=st.none() | st.sampled_from(ServiceState),
)


@dataclass(frozen=True)
class Expected:
    """What the model says of a number."""

    drift: DriftKind | None = None
    order: DirectiveKind | None = None
    is_false: bool = False


def model(past: Past | None, reported: ServiceState) -> Expected:
    """The rule, told as a way: from what was acknowledged, rung by rung, to what is ordered."""
    if past is None:
        is_served = rung(reported) < rung(ServiceState.TERMINATED)
        return Expected(DriftKind.UNKNOWN_NUMBER if is_served else None)
    here, goal = rung(reported), rung(past.ordered)
    has_order = past.ordered in ORDER
    is_open = past.is_open and has_order
    start = rung(past.applied)
    way = range(min(start, goal), max(start, goal) + 1)
    if here == goal or (is_open and here in way):
        return Expected()
    # Of a history without an executed order nothing was acknowledged.
    is_false = past.acknowledged is past.applied and past.applied is not reported
    return Expected(
        drift=DriftKind.NOT_APPLIED if here < goal else DriftKind.STRICTER_THAN_ORDERED,
        order=None if is_open else ORDER.get(past.ordered),
        is_false=is_false,
    )


@settings(max_examples=25, deadline=None)
@given(network=st.lists(numbers, min_size=1, max_size=8), cut=st.integers(0, 8))
def test_a_network_is_compared_as_the_model_says(
    engine: Engine, vault: Vault, network: list[Number], cut: int
) -> None:
    with engine.connect() as connection:
        transaction = connection.begin()
        _compare(UnitOfWork(connection, vault), network, cut)
        transaction.rollback()


def _compare(uow: UnitOfWork, network: list[Number], cut: int) -> None:
    operator = make_operator()
    call, request_id = make_call(operator, at=LATER), uuid4()
    items = [_stored(uow, operator, each.past) for each in network]
    told = [
        (item, each) for item, each in zip(items, network, strict=True) if each.reported is not None
    ]
    drifts, false_count = 0, 0
    for index, batch in enumerate((told[:cut], told[cut:])):
        found = report(
            uow,
            call,
            [(item, each.reported) for item, each in batch if each.reported is not None],
            request_id=request_id,
            batch_index=index,
            is_last=index == 1,
        )
        expected = [model(each.past, each.reported) for _, each in batch if each.reported]
        wanted = [
            (place, each.drift, each.order is not None)
            for place, each in enumerate(expected)
            if each.drift is not None
        ]
        assert [
            (each.place, each.kind, each.directive_id is not None) for each in found.drifts
        ] == wanted
        drifts += len(wanted)
        false_count += sum(each.is_false for each in expected)
    # What the operator neither has nor serves is compared with nothing.
    nothing = [
        each for _, each in told if each.past is None and each.reported and rung(each.reported) > 2
    ]
    assert (found.counts.compared, found.counts.drifts) == (len(told) - len(nothing), drifts)
    assert found.counts.false == false_count
    silent = {
        reference_of(uow, item)[0]
        for item, each in zip(items, network, strict=True)
        if each.reported is None
        and each.past is not None
        and each.past.ordered not in {ServiceState.INACTIVE, ServiceState.TERMINATED}
    }
    assert {each.reference[0] for each in found.unreported} == silent
    assert found.unreported_count == len(silent)
    _obeyed(uow, operator, told)


def _obeyed(uow: UnitOfWork, operator: str, told: list[tuple[Subscription, Number]]) -> None:
    """A network that then does what it is ordered, and says so, differs no more."""
    call = make_call(operator, at=LATER + timedelta(minutes=1))
    states = {item.subscription_id: each.reported for item, each in told}
    for each in pull_directives(uow, call, duration=timedelta(hours=1), limit=99).directives:
        order = each.directive
        states[order.subscription_id] = STATE_OF_DIRECTIVE[order.kind]
    own = [(item, each) for item, each in told if each.past is not None]
    again = report(
        uow,
        call,
        [(item, state) for item, _ in own if (state := states[item.subscription_id]) is not None],
        request_id=uuid4(),
    )
    helpless = [each for _, each in own if each.past and each.past.ordered not in ORDER]
    assert len(again.drifts) <= len(helpless)
    assert all(each.ordered is ServiceState.INACTIVE for each in again.drifts)
    assert again.counts.false == 0
    for item, _ in own:
        stored = find(uow, item)
        if stored.service_state in ORDER:
            assert rung(stored.applied_state) == rung(stored.service_state)


def _stored(uow: UnitOfWork, operator: str, past: Past | None) -> Subscription:
    return somebody_elses() if past is None else store(uow, operator, past)
