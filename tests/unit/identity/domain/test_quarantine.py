"""Whom a number is kept from after it was given up, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.domain.personal_id import PersonalID
from identity.domain.quarantine import NumberPolicy, quarantined_until
from identity.domain.subscription import ServiceState, SubscriptionEnd
from tests.unit.identity.domain.samples import NOW, subscription

DAYS = timedelta(days=45)
POLICY = NumberPolicy(quarantine=DAYS)
SERVED = subscription()
OWN, HOLDER = SERVED.operator_id, SERVED.claim.personal_id
OTHER, STRANGER = "another", PersonalID("001085012346")


@pytest.mark.parametrize(
    ("end", "operator_id", "personal_id", "is_kept"),
    [
        (SubscriptionEnd.RELEASED, OWN, HOLDER, True),
        (SubscriptionEnd.RELEASED, OWN, STRANGER, True),
        (SubscriptionEnd.RELEASED, OTHER, HOLDER, True),
        (SubscriptionEnd.RELEASED, OTHER, STRANGER, True),
        (SubscriptionEnd.TERMINATED, OWN, HOLDER, False),
        (SubscriptionEnd.TERMINATED, OWN, STRANGER, True),
        (SubscriptionEnd.TERMINATED, OTHER, HOLDER, True),
        (SubscriptionEnd.TERMINATED, OTHER, STRANGER, True),
        (SubscriptionEnd.PORTED_OUT, OWN, HOLDER, False),
        (SubscriptionEnd.PORTED_OUT, OWN, STRANGER, True),
        (SubscriptionEnd.PORTED_OUT, OTHER, HOLDER, False),
        (SubscriptionEnd.PORTED_OUT, OTHER, STRANGER, False),
    ],
)
def test_how_a_number_ended_says_whom_it_is_kept_from(
    end: SubscriptionEnd, operator_id: str, personal_id: PersonalID, *, is_kept: bool
) -> None:
    tick = timedelta(microseconds=1)
    past = SERVED.ended(end, at=NOW)
    seen = [
        quarantined_until(past, POLICY, operator_id=operator_id, personal_id=personal_id, at=at)
        for at in (NOW, NOW + DAYS - tick, NOW + DAYS)
    ]
    until = NOW + DAYS if is_kept else None
    assert seen == [until, until, None]


def test_a_number_that_nobody_was_served_under_is_free() -> None:
    registered = replace(SERVED, service_state=ServiceState.INACTIVE)
    withdrawn = registered.ordered(ServiceState.TERMINATED, at=NOW)
    for past in (None, registered.ended(SubscriptionEnd.RELEASED, at=NOW), withdrawn):
        assert (
            quarantined_until(past, POLICY, operator_id=OWN, personal_id=STRANGER, at=NOW) is None
        )


def test_the_quarantine_of_a_withdrawn_number_counts_from_when_it_was_cut() -> None:
    later = NOW + timedelta(days=3)
    withdrawn = SERVED.ordered(ServiceState.TERMINATED, at=NOW)
    assert (withdrawn.ended_at, withdrawn.ended_by) == (NOW, SubscriptionEnd.TERMINATED)
    cut = withdrawn.applied(ServiceState.TERMINATED, at=later)
    assert (cut.ended_at, cut.updated_at) == (later, later)


def test_an_order_that_ends_nothing_leaves_no_end() -> None:
    blocked = SERVED.ordered(ServiceState.SUSPENDED, at=NOW)
    applied = blocked.applied(ServiceState.SUSPENDED, at=NOW)
    assert (applied.ended_at, applied.ended_by) == (None, None)


def test_a_pack_without_a_rule_keeps_no_number() -> None:
    past = SERVED.ended(SubscriptionEnd.RELEASED, at=NOW)
    found = quarantined_until(past, NumberPolicy(), operator_id=OTHER, personal_id=STRANGER, at=NOW)
    assert found is None
