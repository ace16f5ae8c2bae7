"""One subscription: who is eligible, and what verification, transfer and orders leave behind."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from identity.domain.holder import HolderClaim
from identity.domain.link import LinkState
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import ServiceState
from tests.unit.identity.domain.samples import NOW, link, subscription, verified_attempt

LATER = NOW + timedelta(hours=1)
OTHER = HolderClaim(
    personal_id=PersonalID("001190054321"),
    full_name=PersonName("Trần Văn Bảo"),
    birth_date=date(1990, 12, 31),
)


@pytest.mark.parametrize("is_verified", [True, False])
@pytest.mark.parametrize("linked", list(LinkState))
@pytest.mark.parametrize("state", list(ServiceState))
def test_only_a_linked_verified_reachable_number_may_be_primary(
    state: ServiceState,
    linked: LinkState,
    is_verified: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    item = subscription(state=state, linked=linked, verified_at=NOW if is_verified else None)
    is_reachable = state in {ServiceState.ACTIVE, ServiceState.OUTGOING_BLOCKED}
    assert item.is_eligible_as_primary == (
        is_verified and linked is LinkState.LINKED and is_reachable
    )


@pytest.mark.parametrize("state", list(ServiceState))
def test_a_number_is_taken_until_it_is_terminated(state: ServiceState) -> None:
    assert subscription(state=state).is_in_service == (state is not ServiceState.TERMINATED)


def test_each_rung_is_stricter_than_the_one_before() -> None:
    ladder = [
        ServiceState.ACTIVE,
        ServiceState.OUTGOING_BLOCKED,
        ServiceState.SUSPENDED,
        ServiceState.TERMINATED,
    ]
    assert [state.strictness for state in ladder] == [0, 1, 2, 3]
    assert ServiceState.INACTIVE.strictness == 0


@pytest.mark.parametrize("state", [state for state in ServiceState if state != "terminated"])
def test_verification_puts_a_number_in_service_both_ways(state: ServiceState) -> None:
    item = subscription(state=state)
    verified = item.verified_by(verified_attempt(at=LATER))
    assert verified == replace(
        item, service_state=ServiceState.ACTIVE, verified_at=LATER, updated_at=LATER
    )
    assert verified.applied_state is state


@pytest.mark.parametrize("state", list(ServiceState))
def test_the_attempt_of_another_number_verifies_nothing(state: ServiceState) -> None:
    attempt = verified_attempt(subscription_id=UUID(int=99))
    with pytest.raises(ValueError, match="another subscription"):
        subscription(state=state).verified_by(attempt)


def test_a_terminated_number_does_not_come_back_by_verification() -> None:
    with pytest.raises(ValueError, match="withdrawn"):
        subscription(state=ServiceState.TERMINATED).verified_by(verified_attempt())


def test_a_transfer_takes_the_verification_of_the_old_holder_away() -> None:
    item = subscription(verified_at=NOW)
    transferred = item.transferred_to(OTHER, link(LinkState.MISMATCHED), at=LATER)
    assert transferred == replace(
        item, claim=OTHER, link=link(LinkState.MISMATCHED), verified_at=None, updated_at=LATER
    )
    assert not transferred.is_eligible_as_primary


def test_a_comparison_that_comes_out_the_same_changes_nothing() -> None:
    item = subscription()
    assert item.relinked(link(LinkState.LINKED), at=LATER) is item


def test_a_comparison_that_comes_out_differently_keeps_the_verification() -> None:
    item = subscription(verified_at=NOW)
    relinked = item.relinked(link(LinkState.DECEASED), at=LATER)
    assert (relinked.link, relinked.updated_at) == (link(LinkState.DECEASED), LATER)
    assert relinked.verified_at == NOW
    assert not relinked.is_eligible_as_primary


def test_an_order_into_the_same_state_is_no_change() -> None:
    item = subscription(state=ServiceState.SUSPENDED)
    assert item.ordered(ServiceState.SUSPENDED, at=LATER) is item


def test_an_order_moves_what_is_ordered_and_not_what_is_applied() -> None:
    item = subscription().ordered(ServiceState.SUSPENDED, at=LATER)
    assert item.service_state is ServiceState.SUSPENDED
    assert item.applied_state is ServiceState.ACTIVE
    assert item.updated_at == LATER
