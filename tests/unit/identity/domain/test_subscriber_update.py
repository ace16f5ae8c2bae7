"""What is owed of a person and a number, and what an acknowledgement of it is worth."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from identity.domain.directive import AcknowledgementResult
from identity.domain.link import LinkState
from identity.domain.subscriber_update import (
    NO_NEWS,
    Delivery,
    News,
    Observation,
    Standing,
    judge_update,
    standing_after,
)
from identity.domain.subscription import SubscriptionEnd

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
PROVED = Observation(
    is_holder=True,
    is_in_service=True,
    link_state=LinkState.LINKED,
    verified_at=EARLIER,
    primary_since=None,
)
TOLD = Standing(link_state=LinkState.LINKED, verified_at=EARLIER, policy_version="vn-1")
LEASE = uuid4()
OUT = Delivery(
    sequence=4, leased_sequence=4, lease_id=LEASE, lease_expires_at=NOW + timedelta(minutes=1)
)


@pytest.mark.parametrize(
    "seen",
    [
        replace(PROVED, verified_at=None),
        replace(PROVED, link_state=LinkState.MISMATCHED),
        replace(PROVED, link_state=LinkState.DECEASED),
        replace(PROVED, is_in_service=False),
        replace(PROVED, is_holder=False),
    ],
)
def test_what_nobody_has_proved_is_told_to_no_one(seen: Observation) -> None:
    assert standing_after(None, seen, NO_NEWS, at=NOW) is None


def test_a_verification_is_told_with_its_policy_and_kept_afterwards() -> None:
    told = standing_after(None, PROVED, News(verified_under="vn-1"), at=NOW)
    assert told == TOLD
    assert standing_after(told, PROVED, NO_NEWS, at=NOW) == told


def test_what_was_told_is_followed_wherever_it_goes() -> None:
    primary = standing_after(TOLD, replace(PROVED, primary_since=NOW), NO_NEWS, at=NOW)
    assert primary == replace(TOLD, primary_since=NOW)
    broken = standing_after(
        primary, replace(PROVED, link_state=LinkState.DECEASED), NO_NEWS, at=NOW
    )
    assert broken == replace(TOLD, link_state=LinkState.DECEASED)


@pytest.mark.parametrize(
    ("seen", "news", "end"),
    [
        (
            replace(PROVED, is_in_service=False),
            News(end=SubscriptionEnd.RELEASED),
            SubscriptionEnd.RELEASED,
        ),
        (replace(PROVED, is_in_service=False), NO_NEWS, SubscriptionEnd.TERMINATED),
        (replace(PROVED, is_holder=False), NO_NEWS, SubscriptionEnd.TRANSFERRED),
        (
            replace(PROVED, is_holder=False, is_in_service=False),
            News(end=SubscriptionEnd.RELEASED),
            SubscriptionEnd.TRANSFERRED,
        ),
    ],
)
def test_an_end_says_how_and_takes_the_primary_with_it(
    seen: Observation, news: News, end: SubscriptionEnd
) -> None:
    known = replace(TOLD, primary_since=EARLIER)
    ended = standing_after(known, seen, news, at=NOW)
    assert ended == replace(TOLD, end=end)
    assert standing_after(ended, seen, NO_NEWS, at=NOW) == ended


def test_not_mine_is_told_even_of_a_mere_claim_until_a_verification() -> None:
    claimed = replace(PROVED, verified_at=None, link_state=LinkState.MISMATCHED)
    disowned = standing_after(None, claimed, News(is_disowned=True), at=NOW)
    assert disowned == Standing(link_state=LinkState.MISMATCHED, disowned_at=NOW)
    later = NOW + timedelta(days=1)
    assert standing_after(disowned, claimed, News(is_disowned=True), at=later) == disowned
    verified = standing_after(disowned, PROVED, News(verified_under="vn-1"), at=later)
    assert verified == TOLD


def test_a_holder_who_comes_back_begins_anew() -> None:
    gone = replace(TOLD, end=SubscriptionEnd.TRANSFERRED, disowned_at=EARLIER)
    back = standing_after(gone, replace(PROVED, verified_at=None), NO_NEWS, at=NOW)
    assert back == Standing(link_state=LinkState.LINKED)


@pytest.mark.parametrize(
    ("delivery", "sequence", "result"),
    [
        (None, 4, AcknowledgementResult.UNKNOWN),
        (OUT, 5, AcknowledgementResult.UNKNOWN),
        (OUT, 4, AcknowledgementResult.ACCEPTED),
        (OUT.acknowledged(4), 4, AcknowledgementResult.ALREADY_ACKNOWLEDGED),
        (OUT.acknowledged(4), 2, AcknowledgementResult.ALREADY_ACKNOWLEDGED),
        (replace(OUT, lease_id=uuid4()), 4, AcknowledgementResult.LEASE_LOST),
        (replace(OUT, lease_expires_at=NOW), 4, AcknowledgementResult.LEASE_LOST),
        (Delivery(sequence=4), 4, AcknowledgementResult.LEASE_LOST),
        # What changed while it was out is entered all the same; the newer one follows.
        (replace(OUT, sequence=6), 4, AcknowledgementResult.ACCEPTED),
        (replace(OUT, sequence=6), 6, AcknowledgementResult.LEASE_LOST),
        (replace(OUT, sequence=6, lease_expires_at=NOW), 4, AcknowledgementResult.SUPERSEDED),
    ],
)
def test_an_acknowledgement_counts_once_and_under_its_lease(
    delivery: Delivery | None, sequence: int, result: AcknowledgementResult
) -> None:
    assert judge_update(delivery, sequence, lease_id=LEASE, at=NOW) is result
