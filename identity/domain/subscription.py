"""One mobile subscription: its states and the rules that move it between them.

Owns what `in service`, `eligible` and `verified` mean. Knows neither clocks, rows nor messages:
every function takes the instant it needs.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from identity.domain.holder import HolderClaim
from identity.domain.link import Link, LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.verification import VerifiedAttempt


class ServiceState(StrEnum):
    """Whether the network serves a subscription, from least to most strict after ACTIVE."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    OUTGOING_BLOCKED = "outgoing_blocked"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"

    @property
    def strictness(self) -> int:
        """How much the state takes away: ACTIVE 0 … TERMINATED 3; INACTIVE, never served, 0."""
        return _STRICTNESS[self]


_STRICTNESS = {
    ServiceState.INACTIVE: 0,
    ServiceState.ACTIVE: 0,
    ServiceState.OUTGOING_BLOCKED: 1,
    ServiceState.SUSPENDED: 2,
    ServiceState.TERMINATED: 3,
}

REACHABLE_STATES = frozenset({ServiceState.ACTIVE, ServiceState.OUTGOING_BLOCKED})
"""In which a citizen can be called: a one-way block still lets calls in."""


class SubscriptionEnd(StrEnum):
    """How a number ceased to be a person's."""

    RELEASED = "released"
    PORTED_OUT = "ported_out"
    TERMINATED = "terminated"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One MSISDN at one operator. A number that is given to somebody else is another subscription.

    Attributes:
        subscription_id: Identifier for ever.
        msisdn: The number.
        operator_id: Name of the operator that serves it.
        claim: Whom the contract names.
        link: How the claim compares with the population records.
        service_state: What is ordered.
        applied_state: What the operator last acknowledged.
        activated_on: Start of the contract, where the operator knows it.
        point_of_sale: The point of sale that signed the contract, as the operator names it.
        province_code: The province of the contract, two digits.
        verified_at: Last verification of this holder by chip and face.
        sim_swapped_at: Last SIM swap that the operator reported.
        device_changed_at: Last change of device that it reported.
        created_at: When the operator first told of it.
        updated_at: When any of this last changed.
        ended_at: When its operator last served it; None while it does, and of a number that was
            registered only.
        ended_by: How it ended; None while it has not, and where that was not kept.
        is_company_line: It is an organisation's on contract, and whom the book names has agreed to
            use it.
    """

    subscription_id: UUID
    msisdn: MSISDN
    operator_id: str
    claim: HolderClaim
    link: Link
    service_state: ServiceState
    applied_state: ServiceState
    created_at: datetime
    updated_at: datetime
    activated_on: date | None = None
    point_of_sale: str | None = None
    province_code: str | None = None
    verified_at: datetime | None = None
    sim_swapped_at: datetime | None = None
    device_changed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: SubscriptionEnd | None = None
    is_company_line: bool = False

    @property
    def is_in_service(self) -> bool:
        """Registered or served: the number is taken."""
        return self.service_state is not ServiceState.TERMINATED

    @property
    def is_eligible_as_primary(self) -> bool:
        """The citizen's own, linked, verified and reachable.

        A one-way block still lets the citizen be called; an organisation may take its number back
        at any time.
        """
        return (
            self.link.state is LinkState.LINKED
            and self.verified_at is not None
            and self.service_state in REACHABLE_STATES
            and not self.is_company_line
        )

    @property
    def is_termination_pending(self) -> bool:
        """Ordered terminated, and still served as far as the operator has told."""
        return not self.is_in_service and self.applied_state is not ServiceState.TERMINATED

    def verified_by(self, attempt: VerifiedAttempt) -> "Subscription":
        """The subscription after its holder was verified: in service both ways.

        Takes the proof itself, so that no caller can pass a mere flag.

        Raises:
            ValueError: The attempt was made for another subscription, or the number is withdrawn.
        """
        if attempt.subscription_id != self.subscription_id:
            raise ValueError("the attempt belongs to another subscription")
        if not self.is_in_service:
            raise ValueError("a number that was withdrawn cannot be put back by a verification")
        decided_at = attempt.verdict.decided_at
        return replace(
            self,
            service_state=ServiceState.ACTIVE,
            verified_at=decided_at,
            updated_at=decided_at,
        )

    def relinked(self, link: Link, *, at: datetime) -> "Subscription":
        """The same subscription with a fresh comparison; unchanged when nothing differs."""
        return self if link == self.link else replace(self, link=link, updated_at=at)

    def transferred_to(self, claim: HolderClaim, link: Link, *, at: datetime) -> "Subscription":
        """The number under another holder: what was verified of the old one no longer counts."""
        return replace(
            self,
            claim=claim,
            link=link,
            verified_at=None,
            is_company_line=False,
            updated_at=at,
        )

    def used_for_company(self, *, is_company_line: bool, at: datetime) -> "Subscription":
        """The number after its user agreed, or no longer does, that it is an organisation's."""
        return replace(self, is_company_line=is_company_line, updated_at=at)

    def ordered(self, state: ServiceState, *, at: datetime) -> "Subscription":
        """The subscription under a new order."""
        if state is self.service_state:
            return self
        if state is ServiceState.TERMINATED:
            return self._left(SubscriptionEnd.TERMINATED, at=at)
        return replace(self, service_state=state, updated_at=at)

    def applied(self, state: ServiceState, *, at: datetime) -> "Subscription":
        """The subscription after its operator executed an order."""
        is_end = state is ServiceState.TERMINATED and self.ended_at is not None
        return replace(
            self, applied_state=state, ended_at=at if is_end else self.ended_at, updated_at=at
        )

    def ended(self, by: SubscriptionEnd, *, at: datetime) -> "Subscription":
        """The subscription after its operator gave it up."""
        return replace(self._left(by, at=at), applied_state=ServiceState.TERMINATED)

    def _left(self, by: SubscriptionEnd, *, at: datetime) -> "Subscription":
        was_served = self.service_state is not ServiceState.INACTIVE
        return replace(
            self,
            service_state=ServiceState.TERMINATED,
            ended_at=at if was_served else None,
            ended_by=by,
            updated_at=at,
        )
