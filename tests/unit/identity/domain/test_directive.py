"""What becomes of an acknowledgement, and what an order cannot be."""

import dataclasses

import pytest

from identity.domain.directive import (
    AcknowledgementResult,
    Directive,
    DirectiveState,
    judge_acknowledgement,
)


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize(
    ("state", "result"),
    [
        (None, AcknowledgementResult.UNKNOWN),
        (DirectiveState.EXECUTED, AcknowledgementResult.ALREADY_ACKNOWLEDGED),
        (DirectiveState.SUPERSEDED, AcknowledgementResult.SUPERSEDED),
    ],
)
def test_a_lease_changes_nothing_for_an_order_that_is_not_open(
    state: DirectiveState | None,
    result: AcknowledgementResult,
    is_held: bool,  # noqa: FBT001 - pytest hands parameters by name
) -> None:
    assert judge_acknowledgement(state, lease_is_held=is_held) is result


def test_an_open_order_is_acknowledged_under_its_own_lease() -> None:
    result = judge_acknowledgement(DirectiveState.LEASED, lease_is_held=True)
    assert result is AcknowledgementResult.ACCEPTED


@pytest.mark.parametrize("state", [DirectiveState.LEASED, DirectiveState.PENDING])
def test_an_open_order_is_not_acknowledged_under_a_lost_lease(state: DirectiveState) -> None:
    result = judge_acknowledgement(state, lease_is_held=False)
    assert result is AcknowledgementResult.LEASE_LOST


@pytest.mark.parametrize("state", [None, *DirectiveState])
def test_only_an_open_order_is_ever_accepted(state: DirectiveState | None) -> None:
    is_open = state in {DirectiveState.LEASED, DirectiveState.PENDING}
    result = judge_acknowledgement(state, lease_is_held=True)
    assert (result is AcknowledgementResult.ACCEPTED) == is_open


def test_who_is_ordered_what_and_why_must_be_given_with_every_order() -> None:
    given = {
        field.name
        for field in dataclasses.fields(Directive)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert given == {
        *("directive_id", "subscription_id", "operator_id", "kind"),
        *("causes", "policy_version", "track", "created_at", "due_at"),
    }
