"""What a citizen has chosen to be reached by, and what may be chosen next.

Owns the rules of the choice: what happens at once, what waits and can be vetoed, what is locked,
and how long a number counts as confirmed. That the number is the citizen's own, verified and in
service is the database's to hold (`storage/tables.py`). Knows no rows and no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.errors import (
    ChangeNotFoundError,
    ChoicesLockedError,
    StepUpRequiredError,
)
from identity.domain.link import LinkState
from identity.domain.subscription import Subscription, SubscriptionEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryPolicy:
    """What a pack says of primary numbers.

    Attributes:
        step_up_within: How fresh a verification must be to change the number; zero asks for none.
        cool_down: From asking for a change until it takes effect; it can be vetoed until then.
        fallback_count_max: The most numbers that a citizen can rank behind the primary one.
        confirm_within: How long after it was last confirmed a number is good for legal notice. The
            Norwegian contact register has 18 months.
        ask_after: When the citizen is asked to confirm it again.
        unlock_max: The longest time that a lock can be open before it shuts by itself.
    """

    step_up_within: timedelta = timedelta(minutes=15)
    cool_down: timedelta = timedelta(hours=24)
    fallback_count_max: int = 3
    confirm_within: timedelta = timedelta(days=548)
    ask_after: timedelta = timedelta(days=487)
    unlock_max: timedelta = timedelta(hours=1)


class ChoiceKind(StrEnum):
    """What happened to a citizen's choice: one line of its history."""

    SET = "set"
    CHANGE_ASKED = "change_asked"
    CHANGE_VETOED = "change_vetoed"
    CHANGE_WITHDRAWN = "change_withdrawn"
    CHANGE_LAPSED = "change_lapsed"
    CHANGED = "changed"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    FALLBACKS_RANKED = "fallbacks_ranked"
    LOCKED = "locked"
    UNLOCKED = "unlocked"


class ClearCause(StrEnum):
    """Why a number stopped being the primary one, and no other took its place."""

    BLOCKED = "blocked"
    UNLINKED = "unlinked"
    ENDED = "ended"
    HANDED_OVER = "handed_over"
    DECEASED = "deceased"
    DISOWNED = "disowned"
    COMPANY_LINE = "company_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A change that waits.

    Attributes:
        change_id: Identifier, which a veto names.
        subscription_id: What the primary number will be.
        asked_at: When it was asked for.
        effective_at: When it takes effect, unless it is vetoed.
    """

    change_id: UUID
    subscription_id: UUID
    asked_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where one citizen's choice stands.

    Attributes:
        sequence: How many lines its history has; the next one has the next number.
        primary: The subscription that is marked, if any.
        has_chosen: Whether there ever was one.
        pending: A change of it that waits.
        is_locked: The citizen wants no new primary and no new number.
        unlocked_until: Until when the lock is open.
    """

    sequence: int = 0
    primary: UUID | None = None
    has_chosen: bool = False
    pending: PendingChange | None = None
    is_locked: bool = False
    unlocked_until: datetime | None = None

    def is_shut(self, *, at: datetime) -> bool:
        """Whether the lock holds: one that was opened for a time shuts by its passing."""
        return self.is_locked and self.open_until(at=at) is None

    def open_until(self, *, at: datetime) -> datetime | None:
        """Until when the lock is open; None while it is shut, and without one."""
        until = self.unlocked_until
        return None if until is None or at >= until else until

    def refuse_new(self, *, at: datetime) -> None:
        """Refuse a new primary, or a new number in the citizen's name, where the lock holds.

        Raises:
            ChoicesLockedError: It does.
        """
        if self.is_shut(at=at):
            raise ChoicesLockedError("the citizen has locked new numbers and new choices")

    def needs_step_up(self, policy: PrimaryPolicy) -> bool:
        """Whether another number takes a fresh verification: any but the first one does."""
        return self.has_chosen and bool(policy.step_up_within)

    def asked(
        self,
        subscription_id: UUID,
        policy: PrimaryPolicy,
        *,
        stepped_up_at: datetime | None,
        at: datetime,
        new_id: UUID,
        given_up: UUID | None = None,
    ) -> tuple["Choices", ChoiceKind]:
        """The citizen wants this number to be the primary one.

        The first one is marked at once, and so is one after a number that was lost, but for that
        the citizen verifies anew. A change waits: whoever has got hold of a citizen's app must not
        be able to have the citizen's letters before the citizen can say no. So does another number
        after one that was given up in the app: that is a change in two steps. To mark the one that
        is marked confirms it. Either way a change that waited is withdrawn.

        Args:
            subscription_id: The citizen's own, verified and in service.
            policy: What the pack in force says.
            stepped_up_at: When the verification was completed that was made for this; None without
                one that may serve.
            at: Now.
            new_id: Names the change, if there is one.
            given_up: The last primary number, where there is none since it was given up.

        Raises:
            ChoicesLockedError: The lock holds.
            StepUpRequiredError: It needs a fresher verification.
        """
        if self.primary == subscription_id:
            return self.confirmed(), ChoiceKind.CONFIRMED
        self.refuse_new(at=at)
        if self.needs_step_up(policy):
            _refuse_stale(stepped_up_at, policy, at=at)
        chosen = replace(self, primary=subscription_id, has_chosen=True, pending=None)
        before = self.primary or given_up
        if before is None or before == subscription_id:
            return chosen, ChoiceKind.SET
        if not policy.cool_down:
            return chosen, ChoiceKind.CHANGED
        pending = PendingChange(
            change_id=new_id,
            subscription_id=subscription_id,
            asked_at=at,
            effective_at=at + policy.cool_down,
        )
        return replace(self, pending=pending), ChoiceKind.CHANGE_ASKED

    def ranked(
        self,
        before: Mapping[UUID, datetime],
        chosen: Sequence[UUID],
        policy: PrimaryPolicy,
        *,
        stepped_up_at: datetime | None,
        at: datetime,
    ) -> Mapping[UUID, datetime]:
        """From when on each of some numbers stands in for the primary one.

        A number that newly stands in is a way to the citizen's letters as a new primary number is:
        it takes the same verification and waits as long. Otherwise whoever has got hold of the
        citizen's app would rank a number and give the primary one up. Numbers that are ranked
        already change places at once.

        Args:
            before: The numbers that are ranked, and from when on each stands in.
            chosen: The numbers to rank: the citizen's own, verified and in service.
            policy: What the pack in force says.
            stepped_up_at: As for `asked`.
            at: Now.

        Raises:
            ChoicesLockedError: The lock holds.
            StepUpRequiredError: A number is new, and it needs a fresher verification.
        """
        self.refuse_new(at=at)
        if not before.keys() >= set(chosen) and self.needs_step_up(policy):
            _refuse_stale(stepped_up_at, policy, at=at)
        since = at + policy.cool_down if self.has_chosen else at
        return {each: before.get(each, since) for each in chosen}

    def confirmed(self) -> "Choices":
        """The number that is marked is the one: a change that waits is withdrawn."""
        return replace(self, pending=None)

    def locked(self, *, open_until: datetime | None, at: datetime) -> "Choices":
        """The lock is on, and open until an instant; None shuts it now.

        To shut it withdraws a change that waits: who locks new choices wants none. A lock that
        shuts by the passing of time leaves it: what was asked for while it was open was meant.
        """
        locked = replace(self, is_locked=True, unlocked_until=open_until)
        return replace(locked, pending=None) if locked.is_shut(at=at) else locked

    def unlocked(self) -> "Choices":
        """There is no lock."""
        return replace(self, is_locked=False, unlocked_until=None)

    def withdrawn_for(self, after: "Choices") -> PendingChange | None:
        """The change that waited and was given up for what was chosen after it, if any."""
        was, now = self.pending, after.pending
        return None if was is None or (now and now.change_id == was.change_id) else was

    def vetoed(self, change_id: UUID) -> "Choices":
        """The citizen says no to a change.

        Raises:
            ChangeNotFoundError: There is no such change, or it is over.
        """
        if self.pending is None or self.pending.change_id != change_id:
            raise ChangeNotFoundError("no such change is pending")
        return replace(self, pending=None)

    def advanced(self, *, is_eligible: bool, at: datetime) -> tuple["Choices", ChoiceKind | None]:
        """What becomes of the pending change by an instant.

        Args:
            is_eligible: Whether its number is still the citizen's own, verified and in service.
            at: The instant.
        """
        if self.pending is None or at < self.pending.effective_at:
            return self, None
        if not is_eligible:
            return replace(self, pending=None), ChoiceKind.CHANGE_LAPSED
        changed = replace(self, primary=self.pending.subscription_id, pending=None)
        return changed, ChoiceKind.CHANGED


GIVEN_UP = frozenset({ClearCause.DISOWNED, ClearCause.COMPANY_LINE})
"""Causes that are the citizen's own doing: what the citizen's app can do, its thief can."""


def why_cleared(item: Subscription) -> ClearCause:
    """Why a subscription that was a primary number can be none any more."""
    # Who had a primary number was verified: it is another's now, whatever is known of that one.
    if item.verified_at is None or item.ended_by is SubscriptionEnd.TRANSFERRED:
        return ClearCause.HANDED_OVER
    if not item.is_in_service:
        return ClearCause.ENDED
    if item.link.state is LinkState.DECEASED:
        return ClearCause.DECEASED
    if item.link.state is not LinkState.LINKED:
        return ClearCause.UNLINKED
    return ClearCause.COMPANY_LINE if item.is_company_line else ClearCause.BLOCKED


def _refuse_stale(stepped_up_at: datetime | None, policy: PrimaryPolicy, *, at: datetime) -> None:
    if stepped_up_at is None or not timedelta() <= at - stepped_up_at <= policy.step_up_within:
        raise StepUpRequiredError("verify anew: to change the number takes a fresh verification")


def is_confirmed(confirmed_at: datetime, policy: PrimaryPolicy, *, at: datetime) -> bool:
    """Whether a number is good for legal notice."""
    return at < confirmed_at + policy.confirm_within


def is_to_be_confirmed(confirmed_at: datetime, policy: PrimaryPolicy, *, at: datetime) -> bool:
    """Whether its citizen is to be asked to confirm a number."""
    return at >= confirmed_at + policy.ask_after
