"""Disputes: two people claim one number, and four of the regulator at most say whose it is.

Owns what may be done with a dispute, by whom and until when, and what makes a decision. Knows
neither numbers, people nor rows; every function takes the instant it needs. What a decision does
to the number is the services'.

open --decision--> decided --time--> closed; or, of a decided one, --appeal--> appealed
--decision--> closed. Time closes an open one undecided, and an appealed one with its first
decision. A decision on an appeal stands at once.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from identity.domain.errors import DisputeEvidenceFullError, DisputeNotReadyError
from identity.domain.policy import DisputePolicy

DECIDERS_NEEDED = 2
"""Two people: nobody loses a number by a single act. On an appeal two others."""

EVIDENCE_PER_PARTY_MAX = 25
"""What each party may add. There are four, so a dispute holds at most 100, and none of them can
keep another from being heard."""


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    DECIDED = "decided"
    APPEALED = "appealed"
    CLOSED = "closed"


class DisputeDecision(StrEnum):
    """Who is found to be the user. Append-only: stored disputes hold these."""

    HOLDER = "holder"
    CLAIMANT = "claimant"
    NOBODY = "nobody"


class Party(StrEnum):
    """Who may add evidence. Append-only: stored disputes hold these."""

    HOLDER = "holder"
    CLAIMANT = "claimant"
    OPERATOR = "operator"
    REGULATOR = "regulator"


SIDES = frozenset({Party.HOLDER, Party.CLAIMANT})
"""The two people: each may appeal once."""


class EvidenceKind(StrEnum):
    """What shows who uses a number. Append-only: stored disputes hold these."""

    RECENT_CALLS = "recent_calls"
    BILLS = "bills"
    CONTRACT = "contract"
    SIM_CARD = "sim_card"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of evidence, which stays with whoever has it.

    Attributes:
        kind: What it is.
        document_digest: SHA-256 of the document, 32 bytes.
        place: Where it is kept; no personal data.
        is_for_claimant: It speaks for the one who opened the dispute.
    """

    kind: EvidenceKind
    document_digest: bytes
    place: str
    is_for_claimant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedEvidence:
    """A piece of evidence, by which party and caller, and when."""

    evidence: Evidence
    party: Party
    caller: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one caller of the regulator says; two who say the same decide.

    Attributes:
        is_on_appeal: Said of the appeal, not of the dispute as it was opened.
        caller: Who.
        decision: What.
        said_at: When.
    """

    is_on_appeal: bool
    caller: str
    decision: DisputeDecision
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """One dispute about one subscription.

    Attributes:
        dispute_id: Identifier.
        subscription_id: Whose number.
        opener: The caller that opened it.
        state: Where it stands.
        opened_at: Since when.
        deadline: While open or appealed, by when it must be decided; then, from when its decision
            stands.
        evidence: Oldest first.
        words: What was said, oldest first; of each caller the last, before and after an appeal.
        appeals: The sides that have appealed, in that order.
        closed_at: When it ended.
    """

    dispute_id: UUID
    subscription_id: UUID
    opener: str
    state: DisputeState
    opened_at: datetime
    deadline: datetime
    evidence: tuple[AddedEvidence, ...] = ()
    words: tuple[Word, ...] = ()
    appeals: tuple[Party, ...] = ()
    closed_at: datetime | None = None

    @property
    def decision(self) -> DisputeDecision | None:
        """The decision in force: that on the appeal before the first one; None without any."""
        agreed = _agreed(self.words, is_on_appeal=True) or _agreed(self.words, is_on_appeal=False)
        return agreed[0].decision if agreed else None

    @property
    def deciders(self) -> tuple[str, ...]:
        """Who made the decisions, oldest first: two of the first, two others of an appeal."""
        first = _agreed(self.words, is_on_appeal=False)
        last = _agreed(self.words, is_on_appeal=True)
        return tuple(word.caller for word in (*first, *last))

    @property
    def proposals(self) -> tuple[Word, ...]:
        """What was said of the decision that is still to be made, oldest first."""
        if self.state not in _UNDECIDED:
            return ()
        is_on_appeal = self.state is DisputeState.APPEALED
        return tuple(word for word in self.words if word.is_on_appeal is is_on_appeal)

    def is_due(self, at: datetime) -> bool:
        """Whether its time has run out and it must be closed."""
        return self.state is not DisputeState.CLOSED and self.deadline <= at

    def with_evidence(
        self, pieces: Sequence[Evidence], *, party: Party, caller: str, at: datetime
    ) -> "Dispute":
        """The dispute with more evidence.

        Raises:
            DisputeNotReadyError: It is decided, or its deadline has passed.
            DisputeEvidenceFullError: It would be more than a party may add.
        """
        self._demand({DisputeState.OPEN}, at=at)
        own = sum(each.party is party for each in self.evidence)
        if own + len(pieces) > EVIDENCE_PER_PARTY_MAX:
            raise DisputeEvidenceFullError(f"each party adds {EVIDENCE_PER_PARTY_MAX} at most")
        added = (
            AddedEvidence(evidence=each, party=party, caller=caller, added_at=at) for each in pieces
        )
        return replace(self, evidence=(*self.evidence, *added))

    def with_word(
        self, caller: str, decision: DisputeDecision, policy: DisputePolicy, *, at: datetime
    ) -> "Dispute":
        """The dispute after a caller of the regulator has said whose the number is.

        A caller may say something else until there is a decision; the last word counts.

        Raises:
            DisputeNotReadyError: There is nothing to decide any more, the caller has said the same
                already, or it is an appeal and the caller has had a say before it.
        """
        self._demand(_UNDECIDED, at=at)
        is_on_appeal = self.state is DisputeState.APPEALED
        if is_on_appeal and any(w.caller == caller and not w.is_on_appeal for w in self.words):
            raise DisputeNotReadyError("an appeal is decided by those who have had no say before")
        if any(w.caller == caller and w.decision is decision for w in self.proposals):
            raise DisputeNotReadyError("you have said so already: it takes somebody else")
        word = Word(is_on_appeal=is_on_appeal, caller=caller, decision=decision, said_at=at)
        kept = (w for w in self.words if w.caller != caller or w.is_on_appeal is not is_on_appeal)
        words = (*kept, word)
        if not _agreed(words, is_on_appeal=is_on_appeal):
            return replace(self, words=words)
        if is_on_appeal:
            return replace(self, words=words, state=DisputeState.CLOSED, closed_at=at)
        until = at + policy.appeal_within
        return replace(self, words=words, state=DisputeState.DECIDED, deadline=until)

    def appealed_by(self, side: Party, policy: DisputePolicy, *, at: datetime) -> "Dispute":
        """The dispute after a side's appeal; the second side's changes nothing but the record.

        Raises:
            DisputeNotReadyError: There is no decision to appeal against, the time to do it has
                passed, or this side has appealed.
        """
        self._demand({DisputeState.DECIDED, DisputeState.APPEALED}, at=at)
        if side in self.appeals:
            raise DisputeNotReadyError("this side has appealed already")
        heard = replace(self, appeals=(*self.appeals, side))
        if self.state is DisputeState.DECIDED:
            deadline = at + policy.decide_within
            return replace(heard, state=DisputeState.APPEALED, deadline=deadline)
        if at >= _agreed(self.words, is_on_appeal=False)[-1].said_at + policy.appeal_within:
            raise DisputeNotReadyError("the time to appeal has passed")
        return heard

    def closed(self, *, at: datetime) -> "Dispute":
        """The dispute at its end, which has come: its decision stands, or there is none.

        Raises:
            ValueError: Its time has not run out.
        """
        if not self.is_due(at):
            raise ValueError("a dispute is closed when its time has run out, and once")
        return replace(self, state=DisputeState.CLOSED, closed_at=at)

    def _demand(self, states: AbstractSet[DisputeState], *, at: datetime) -> None:
        """Refuse what comes too late, whether or not a run has closed the dispute yet."""
        if self.state not in states:
            raise DisputeNotReadyError(f"the dispute is {self.state}")
        if self.is_due(at):
            raise DisputeNotReadyError("the time for it has passed")


_UNDECIDED = frozenset({DisputeState.OPEN, DisputeState.APPEALED})


def _agreed(words: Sequence[Word], *, is_on_appeal: bool) -> tuple[Word, ...]:
    """The words that make a decision, oldest first; empty without one."""
    for decision in DisputeDecision:
        same = tuple(
            word
            for word in words
            if word.decision is decision and word.is_on_appeal is is_on_appeal
        )
        if len(same) == DECIDERS_NEEDED:
            return same
    return ()


def new_dispute(
    subscription_id: UUID, policy: DisputePolicy, *, opener: str, identity: UUID, at: datetime
) -> Dispute:
    """A new dispute about a subscription."""
    return Dispute(
        dispute_id=identity,
        subscription_id=subscription_id,
        opener=opener,
        state=DisputeState.OPEN,
        opened_at=at,
        deadline=at + policy.decide_within,
    )
