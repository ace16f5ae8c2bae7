"""What counts as drift, which order stands again, and which acknowledgement was a false one."""

import pytest

from identity.domain.drift import AGREES, DriftKind, Finding, KnownState, compare
from identity.domain.enforcement import DirectiveKind
from identity.domain.subscription import ServiceState

INACTIVE, ACTIVE = ServiceState.INACTIVE, ServiceState.ACTIVE
BLOCKED, SUSPENDED = ServiceState.OUTGOING_BLOCKED, ServiceState.SUSPENDED
TERMINATED = ServiceState.TERMINATED
NOT_APPLIED, STRICTER = DriftKind.NOT_APPLIED, DriftKind.STRICTER_THAN_ORDERED


def known(
    ordered: ServiceState,
    applied: ServiceState,
    *,
    acknowledged: ServiceState | None = None,
    is_order_open: bool = False,
) -> KnownState:
    return KnownState(
        ordered=ordered, applied=applied, acknowledged=acknowledged, is_order_open=is_order_open
    )


@pytest.mark.parametrize("state", ServiceState)
def test_a_network_that_does_what_is_ordered_agrees(state: ServiceState) -> None:
    for applied in ServiceState:
        assert compare(known(state, applied), state) == Finding(applied=state)


@pytest.mark.parametrize("state", ServiceState)
def test_a_number_that_is_not_known_drifts_while_it_is_served(state: ServiceState) -> None:
    is_served = state not in {INACTIVE, TERMINATED}
    found = compare(None, state)
    assert found == (Finding(drift=DriftKind.UNKNOWN_NUMBER) if is_served else AGREES)


@pytest.mark.parametrize(
    ("ordered", "reported", "kind"),
    [
        (BLOCKED, ACTIVE, DirectiveKind.BLOCK_OUTGOING),
        (SUSPENDED, ACTIVE, DirectiveKind.SUSPEND),
        (SUSPENDED, BLOCKED, DirectiveKind.SUSPEND),
        (TERMINATED, SUSPENDED, DirectiveKind.TERMINATE),
    ],
)
def test_what_was_acknowledged_and_is_not_is_false_and_the_order_stands_again(
    ordered: ServiceState, reported: ServiceState, kind: DirectiveKind
) -> None:
    lie = known(ordered, ordered, acknowledged=ordered)
    found = Finding(drift=NOT_APPLIED, order=kind, is_false=True, applied=reported)
    assert compare(lie, reported) == found


@pytest.mark.parametrize(
    ("ordered", "reported", "kind"),
    [
        (ACTIVE, BLOCKED, DirectiveKind.RESTORE),
        (ACTIVE, SUSPENDED, DirectiveKind.RESTORE),
        (ACTIVE, TERMINATED, DirectiveKind.RESTORE),
        (ACTIVE, INACTIVE, DirectiveKind.RESTORE),
        (BLOCKED, SUSPENDED, DirectiveKind.BLOCK_OUTGOING),
        (SUSPENDED, TERMINATED, DirectiveKind.SUSPEND),
    ],
)
def test_what_is_stricter_is_brought_back_to_what_is_ordered(
    ordered: ServiceState, reported: ServiceState, kind: DirectiveKind
) -> None:
    found = Finding(drift=STRICTER, order=kind, applied=reported)
    assert compare(known(ordered, ordered), reported) == found


def test_a_restoration_that_was_acknowledged_and_not_done_is_false_too() -> None:
    found = compare(known(ACTIVE, ACTIVE, acknowledged=ACTIVE), SUSPENDED)
    assert (found.drift, found.is_false) == (STRICTER, True)


@pytest.mark.parametrize(
    ("ordered", "applied", "reported"),
    [
        (BLOCKED, ACTIVE, ACTIVE),
        (SUSPENDED, ACTIVE, BLOCKED),
        (SUSPENDED, BLOCKED, BLOCKED),
        (ACTIVE, SUSPENDED, SUSPENDED),
        (ACTIVE, SUSPENDED, BLOCKED),
        (BLOCKED, TERMINATED, SUSPENDED),
    ],
)
def test_a_network_on_its_way_is_as_late_as_its_order_and_does_not_drift(
    ordered: ServiceState, applied: ServiceState, reported: ServiceState
) -> None:
    on_its_way = known(ordered, applied, acknowledged=applied, is_order_open=True)
    assert compare(on_its_way, reported) == Finding(applied=reported)
    stands_still = known(ordered, applied, acknowledged=applied)
    assert compare(stands_still, reported).drift is not None


@pytest.mark.parametrize(
    ("ordered", "applied", "reported", "kind"),
    [
        (SUSPENDED, BLOCKED, ACTIVE, NOT_APPLIED),
        (ACTIVE, BLOCKED, SUSPENDED, STRICTER),
        (BLOCKED, SUSPENDED, ACTIVE, NOT_APPLIED),
        (BLOCKED, ACTIVE, SUSPENDED, STRICTER),
    ],
)
def test_a_network_that_leaves_the_way_drifts_and_the_open_order_is_enough(
    ordered: ServiceState, applied: ServiceState, reported: ServiceState, kind: DriftKind
) -> None:
    found = compare(known(ordered, applied, acknowledged=applied, is_order_open=True), reported)
    assert found == Finding(drift=kind, is_false=True, applied=reported)


def test_the_same_word_again_is_no_second_false_acknowledgement() -> None:
    lie = known(BLOCKED, BLOCKED, acknowledged=BLOCKED)
    assert compare(lie, ACTIVE).is_false
    again = known(BLOCKED, ACTIVE, acknowledged=BLOCKED)
    found = compare(again, ACTIVE)
    assert (found.drift, found.is_false) == (NOT_APPLIED, False)


def test_no_order_helps_against_a_number_served_that_was_never_verified() -> None:
    found = compare(known(INACTIVE, INACTIVE), ACTIVE)
    assert found == Finding(drift=NOT_APPLIED, applied=ACTIVE)


@pytest.mark.parametrize(("ordered", "reported"), [(INACTIVE, TERMINATED), (TERMINATED, INACTIVE)])
def test_what_is_not_served_either_way_agrees(
    ordered: ServiceState, reported: ServiceState
) -> None:
    assert compare(known(ordered, ACTIVE), reported) == Finding(applied=ordered)
