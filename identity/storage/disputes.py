"""Numbers that two people claim.

Owns the rows of `dispute`. What a dispute holds and who may decide is the domain's. The two people
stand here by their blind indexes alone, and evidence by what its adders say of where it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, or_, select
from sqlalchemy.dialects.postgresql import insert

from identity.domain.dispute import (
    AddedEvidence,
    Dispute,
    DisputeDecision,
    DisputeState,
    Evidence,
    EvidenceKind,
    Party,
    Word,
)
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import Subscription
from identity.storage.arrays import any_of
from identity.storage.citizens import citizen_key
from identity.storage.enforcement_tables import dispute
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key

_IS_OPEN = dispute.c.state != DisputeState.CLOSED.value
_MUTABLE = ("state", "deadline", "evidence", "words", "appeals", "decision", "closed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDispute:
    """A dispute as it is kept.

    Attributes:
        dispute: The dispute.
        msisdn_key: Key of its number.
        operator_id: Who serves the number.
        holder_key: Key of the citizen whom the contract named.
        claimant_key: Key of the citizen who claims the number.
    """

    dispute: Dispute
    msisdn_key: bytes
    operator_id: str
    holder_key: bytes
    claimant_key: bytes

    @property
    def reference(self) -> tuple[bytes, UUID]:
        """The full key of its subscription."""
        return (self.msisdn_key, self.dispute.subscription_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Whose disputes somebody may see; without both, all.

    Attributes:
        operator_id: Those about the numbers of an operator.
        citizen_key: Those of which a citizen is a side.
    """

    operator_id: str | None = None
    citizen_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputes of one transaction."""

    connection: Connection
    sealer: Sealer

    def disputed(self, items: Collection[Subscription]) -> frozenset[UUID]:
        """Which of some subscriptions are in dispute."""
        if not items:
            return frozenset()
        query = select(dispute.c.subscription_id).where(
            any_of(dispute.c.msisdn_key, (msisdn_key(self.sealer, item.msisdn) for item in items)),
            any_of(dispute.c.subscription_id, (item.subscription_id for item in items)),
            _IS_OPEN,
        )
        return frozenset(self.connection.execute(query).scalars())

    def holding(self, items: Collection[Subscription]) -> frozenset[UUID]:
        """Which of some subscriptions have their clocks held: those in their first dispute."""
        disputed = self.disputed(items)
        if not disputed:
            return disputed
        query = select(dispute.c.subscription_id).where(
            any_of(dispute.c.msisdn_key, (msisdn_key(self.sealer, item.msisdn) for item in items)),
            any_of(dispute.c.subscription_id, disputed),
            ~_IS_OPEN,
        )
        return disputed - frozenset(self.connection.execute(query).scalars())

    def lost(self, items: Collection[Subscription]) -> frozenset[tuple[bytes, bytes]]:
        """Numbers that a dispute gave to their present holders: each key, and the loser's."""
        if not items:
            return frozenset()
        now = {
            msisdn_key(self.sealer, item.msisdn): citizen_key(self.sealer, item.claim.personal_id)
            for item in items
        }
        query = select(dispute.c.msisdn_key, dispute.c.holder_key, dispute.c.claimant_key).where(
            any_of(dispute.c.msisdn_key, now),
            dispute.c.decision == DisputeDecision.CLAIMANT.value,
            ~_IS_OPEN,
        )
        return frozenset(
            (number, loser)
            for number, loser, winner in self.connection.execute(query)
            if now[number] == winner
        )

    def find(self, dispute_id: UUID, sight: Sight) -> KeptDispute | None:
        """A dispute; what is out of sight is not there, by one and the same query."""
        query = select(dispute).where(dispute.c.dispute_id == dispute_id)
        if sight.operator_id is not None:
            query = query.where(dispute.c.operator_id == sight.operator_id)
        if sight.citizen_key is not None:
            sides = (dispute.c.holder_key, dispute.c.claimant_key)
            query = query.where(or_(*(side == sight.citizen_key for side in sides)))
        return next(iter(self._load(query)), None)

    def open_of(self, msisdn: MSISDN) -> Mapping[UUID, KeptDispute]:
        """The disputes about a number that are not closed, by subscription."""
        key = msisdn_key(self.sealer, msisdn)
        found = self._load(select(dispute).where(dispute.c.msisdn_key == key, _IS_OPEN))
        return {kept.dispute.subscription_id: kept for kept in found}

    def is_decided(self, item: Subscription, claimant_key: bytes) -> bool:
        """Whether a person's claim on a subscription was decided, for good."""
        query = select(dispute.c.dispute_id).where(
            dispute.c.msisdn_key == msisdn_key(self.sealer, item.msisdn),
            dispute.c.subscription_id == item.subscription_id,
            dispute.c.claimant_key == claimant_key,
            dispute.c.decision.is_not(None),
            ~_IS_OPEN,
        )
        return self.connection.execute(query.limit(1)).first() is not None

    def list_due(self, at: datetime, *, limit: int) -> Sequence[KeptDispute]:
        """Disputes whose time has run out, those longest due first."""
        query = select(dispute).where(_IS_OPEN, dispute.c.deadline <= at)
        return self._load(query.order_by(dispute.c.deadline, dispute.c.dispute_id).limit(limit))

    def lock(self, kept: Collection[KeptDispute]) -> Sequence[KeptDispute]:
        """The same disputes as they are now, and stay until the end; locked in one order.

        Whoever locks their subscriptions too locks these before.
        """
        query = select(dispute).where(
            any_of(dispute.c.msisdn_key, (each.msisdn_key for each in kept)),
            any_of(dispute.c.dispute_id, (each.dispute.dispute_id for each in kept)),
        )
        ordered = query.order_by(dispute.c.msisdn_key, dispute.c.dispute_id)
        return self._load(ordered.with_for_update())

    def save(self, kept: KeptDispute) -> None:
        """Insert or replace a dispute."""
        statement = insert(dispute).values(_row(kept))
        statement = statement.on_conflict_do_update(
            index_elements=[dispute.c.msisdn_key, dispute.c.dispute_id],
            set_={name: statement.excluded[name] for name in _MUTABLE},
        )
        self.connection.execute(statement)

    def _load(self, query: Select[Any]) -> Sequence[KeptDispute]:
        return [_kept(row) for row in self.connection.execute(query).mappings()]


def _row(kept: KeptDispute) -> dict[str, Any]:
    value = kept.dispute
    return {
        "msisdn_key": kept.msisdn_key,
        "dispute_id": value.dispute_id,
        "subscription_id": value.subscription_id,
        "holder_key": kept.holder_key,
        "claimant_key": kept.claimant_key,
        "operator_id": kept.operator_id,
        "opener": value.opener,
        "state": value.state.value,
        "opened_at": value.opened_at,
        "deadline": value.deadline,
        "evidence": [_dump_evidence(each) for each in value.evidence],
        "words": [_dump_word(each) for each in value.words],
        "appeals": [side.value for side in value.appeals],
        "decision": None if value.decision is None else value.decision.value,
        "closed_at": value.closed_at,
    }


def _kept(row: RowMapping) -> KeptDispute:
    value = Dispute(
        dispute_id=row["dispute_id"],
        subscription_id=row["subscription_id"],
        opener=row["opener"],
        state=DisputeState(row["state"]),
        opened_at=row["opened_at"],
        deadline=row["deadline"],
        evidence=tuple(_evidence(each) for each in row["evidence"]),
        words=tuple(_word(each) for each in row["words"]),
        appeals=tuple(Party(side) for side in row["appeals"]),
        closed_at=row["closed_at"],
    )
    return KeptDispute(
        dispute=value,
        msisdn_key=row["msisdn_key"],
        operator_id=row["operator_id"],
        holder_key=row["holder_key"],
        claimant_key=row["claimant_key"],
    )


def _dump_evidence(value: AddedEvidence) -> dict[str, Any]:
    return {
        "kind": value.evidence.kind.value,
        "document_digest": value.evidence.document_digest.hex(),
        "place": value.evidence.place,
        "is_for_claimant": value.evidence.is_for_claimant,
        "party": value.party.value,
        "caller": value.caller,
        "added_at": value.added_at.isoformat(),
    }


def _evidence(stored: Mapping[str, Any]) -> AddedEvidence:
    return AddedEvidence(
        evidence=Evidence(
            kind=EvidenceKind(stored["kind"]),
            document_digest=bytes.fromhex(stored["document_digest"]),
            place=stored["place"],
            is_for_claimant=stored["is_for_claimant"],
        ),
        party=Party(stored["party"]),
        caller=stored["caller"],
        added_at=datetime.fromisoformat(stored["added_at"]),
    )


def _dump_word(value: Word) -> dict[str, Any]:
    return {
        "is_on_appeal": value.is_on_appeal,
        "caller": value.caller,
        "decision": value.decision.value,
        "said_at": value.said_at.isoformat(),
    }


def _word(stored: Mapping[str, Any]) -> Word:
    return Word(
        is_on_appeal=stored["is_on_appeal"],
        caller=stored["caller"],
        decision=DisputeDecision(stored["decision"]),
        said_at=datetime.fromisoformat(stored["said_at"]),
    )
