"""Subscriber updates: what the population authority is owed, and what becomes of each.

Owns when a person's standing to a subscription is anybody's fact, and how it changes. An operator's
claim that nobody has verified is not: it is told to no one. Knows no rows and no transport.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from identity.domain.directive import AcknowledgementResult
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import SubscriptionEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one person stands to one subscription: all that the authority is told of the two.

    Attributes:
        link_state: How the claim stands against the person's record; at the end, how it stood.
        verified_at: Last proof that the person holds the number.
        policy_version: The policy pack which that proof was decided by.
        disowned_at: When the person said "not mine", unless verified since.
        primary_since: Since when it is the person's primary number.
        end: How it ceased to be the person's; None while it is.
    """

    link_state: LinkState
    verified_at: datetime | None = None
    policy_version: str | None = None
    disowned_at: datetime | None = None
    primary_since: datetime | None = None
    end: SubscriptionEnd | None = None

    @property
    def is_owed(self) -> bool:
        """Whether a first word of it is owed: a proof, or what the person says, and no claim."""
        is_proved = self.link_state is LinkState.LINKED and self.verified_at is not None
        return self.end is None and (is_proved or self.disowned_at is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is stored now of a person and a subscription that is, or was, the person's.

    Attributes:
        is_holder: The subscription is claimed for this person.
        is_in_service: It has not ended.
        link_state: Of the present claim.
        verified_at: Of the present holder.
        primary_since: Since when it is this person's primary number.
    """

    is_holder: bool
    is_in_service: bool
    link_state: LinkState
    verified_at: datetime | None
    primary_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened to a subscription besides what is stored of it.

    Attributes:
        end: How it ended, where that was not by order.
        is_disowned: Its holder has just said "not mine".
        verified_under: The policy pack by which its holder has just been verified.
    """

    end: SubscriptionEnd | None = None
    is_disowned: bool = False
    verified_under: str | None = None


NO_NEWS = News()


def standing_after(
    known: Standing | None, seen: Observation, news: News, *, at: datetime
) -> Standing | None:
    """How the person stands to the subscription now; None when nobody is owed anything of it.

    Args:
        known: What was owed last, told or not; None when nothing ever was.
        seen: What is stored now.
        news: What has just happened.
        at: When.
    """
    if seen.is_holder and seen.is_in_service:
        standing = _held(known, seen, news, at=at)
        return standing if known is not None or standing.is_owed else None
    if known is None or known.end is not None:
        return known  # what nobody was told of needs no end, and an end is for good
    ordered = news.end or SubscriptionEnd.TERMINATED
    end = ordered if seen.is_holder else SubscriptionEnd.TRANSFERRED
    return replace(known, end=end, primary_since=None)


def _held(known: Standing | None, seen: Observation, news: News, *, at: datetime) -> Standing:
    # A holder who comes back after a transfer begins anew: the old proof and the old word are gone.
    before = known if known is not None and known.end is None else _NOTHING_BEFORE
    is_verified = seen.verified_at is not None
    disowned_at = None if news.verified_under else before.disowned_at
    return Standing(
        link_state=seen.link_state,
        verified_at=seen.verified_at,
        policy_version=(news.verified_under or before.policy_version) if is_verified else None,
        disowned_at=(disowned_at or at) if news.is_disowned else disowned_at,
        primary_since=seen.primary_since,
    )


_NOTHING_BEFORE = Standing(link_state=LinkState.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberUpdate:
    """One update as it is handed out.

    Attributes:
        personal_id: The person.
        sequence: Rises with each update of this person.
        subscription_id: The subscription.
        msisdn: Its number.
        operator_id: Its operator.
        standing: How the one stands to the other.
        changed_at: When that last changed.
    """

    personal_id: PersonalID
    sequence: int
    subscription_id: UUID
    msisdn: MSISDN
    operator_id: str
    standing: Standing
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLease:
    """Updates handed out for a while."""

    lease_id: UUID
    expires_at: datetime
    updates: tuple[SubscriberUpdate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far the updates of one person and subscription have come.

    Attributes:
        sequence: Of the newest one.
        acknowledged_sequence: Of the newest acknowledged one; 0 when none is.
        leased_sequence: Of the one that was handed out last; None when none is out.
        lease_id: Under which lease.
        lease_expires_at: When that lease ends.
    """

    sequence: int
    acknowledged_sequence: int = 0
    leased_sequence: int | None = None
    lease_id: UUID | None = None
    lease_expires_at: datetime | None = None

    def acknowledged(self, sequence: int) -> "Delivery":
        """After an acknowledgement was accepted."""
        return Delivery(sequence=self.sequence, acknowledged_sequence=sequence)


def judge_update(
    delivery: Delivery | None, sequence: int, *, lease_id: UUID, at: datetime
) -> AcknowledgementResult:
    """What an acknowledgement of an update is worth.

    Args:
        delivery: How far the person and subscription have come; None when nothing is owed of them.
        sequence: Which update is acknowledged.
        lease_id: Under which lease.
        at: When.
    """
    if delivery is None or sequence > delivery.sequence:
        return AcknowledgementResult.UNKNOWN
    if sequence <= delivery.acknowledged_sequence:
        return AcknowledgementResult.ALREADY_ACKNOWLEDGED
    expires_at = delivery.lease_expires_at
    is_live = expires_at is not None and at < expires_at
    is_out = delivery.lease_id == lease_id and delivery.leased_sequence == sequence
    if is_live and is_out:
        return AcknowledgementResult.ACCEPTED
    is_newest = sequence == delivery.sequence
    return AcknowledgementResult.LEASE_LOST if is_newest else AcknowledgementResult.SUPERSEDED
