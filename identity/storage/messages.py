"""Messages to citizens: written, handed out, and what became of each.

Owns the rows of `message` and their sealed words. Which go next is `message_queue.py`'s, what
agencies see of theirs `notifications.py`'s. Knows nothing of why something is said.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, insert, select, text

from identity.domain.agency import Purpose
from identity.domain.message import (
    MessageFailure,
    MessageState,
    OutgoingMessage,
    Urgency,
)
from identity.domain.msisdn import MSISDN
from identity.storage.arrays import Reference, any_key, any_of
from identity.storage.conversions import storable
from identity.storage.message_queue import MessageKey, MessageQueue, listed
from identity.storage.message_tables import message
from identity.storage.operator_news import Topic, tell, telling
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_own_msisdn
from identity.storage.tables import subscription

_READDRESS = text(
    telling(
        Topic.MESSAGE,
        "UPDATE message SET msisdn_key = one.msisdn_key, subscription_id = one.subscription_id,"
        " operator_id = one.operator_id, state = 'pending', lease_id = NULL,"
        " lease_expires_at = NULL, handed_at = NULL"
        " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:numbers AS bytea[]),"
        " CAST(:subscriptions AS uuid[]), CAST(:operators AS text[]))"
        " AS one (key, id, msisdn_key, subscription_id, operator_id)"
        " WHERE message.citizen_key = one.key AND message.message_id = one.id"
        " AND message.state IN ('pending', 'leased')",
    )
)
_END = text(
    "UPDATE message SET state = one.state, failure = one.failure, done_at = :at,"
    " lease_id = NULL, lease_expires_at = NULL"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:states AS text[]),"
    " CAST(:failures AS text[])) AS one (key, id, state, failure)"
    " WHERE message.citizen_key = one.key AND message.message_id = one.id"
    " AND message.state IN ('pending', 'leased')"
)
_KEEP_OUT = text(
    "UPDATE message SET lease_expires_at = message.expires_at + CAST(:grace AS interval)"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS one (key, id)"
    " WHERE message.citizen_key = one.key AND message.message_id = one.id"
    " AND message.state = 'leased'"
)
_HELD = text(
    "SELECT one.key, one.id FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]))"
    " AS one (key, id) JOIN holding"
    " ON holding.citizen_key = one.key AND holding.subscription_id = one.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a message goes: a number, and the operator that serves it."""

    msisdn_key: bytes
    subscription_id: UUID
    operator_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who wrote a message, and on what grounds.

    Attributes:
        agency: Its name.
        purpose: What for.
        legal_basis: The article of law.
        case_id: The agency's own file; empty without one.
    """

    agency: str
    purpose: Purpose
    legal_basis: str
    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message as it is written.

    Attributes:
        citizen_key: To whom.
        message_id: Identifier.
        urgency: How urgent.
        template: The agency's template, or the kind of tidings.
        text: The words by language.
        created_at: When it was written.
        expires_at: When it is of no use any more.
        destination: Where it goes, or why it goes nowhere.
        sender: Who wrote it; None for the service itself.
    """

    citizen_key: bytes
    message_id: UUID
    urgency: Urgency
    template: str
    text: Mapping[str, str]
    created_at: datetime
    expires_at: datetime
    destination: Address | MessageFailure
    sender: Sender | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMessage:
    """A message that is to be handed out, held until the transaction ends.

    Attributes:
        key: Its full key.
        urgency: How urgent.
        is_tidings: The service wrote it itself, to this very number.
        address: Where it goes, as was known last.
        row: The rest of it.
    """

    key: MessageKey
    urgency: Urgency
    is_tidings: bool
    address: Address
    row: RowMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedMessage:
    """A message with what is needed to judge a receipt for it."""

    key: MessageKey
    state: MessageState
    was_handed: bool
    lease_id: UUID | None
    lease_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one transaction."""

    connection: Connection
    sealer: Sealer

    @property
    def queue(self) -> MessageQueue:
        """Which go next."""
        return MessageQueue(self.connection)

    def add_many(self, items: Iterable[NewMessage]) -> None:
        """Write messages, in their order, and tell the operators of those that go somewhere."""
        rows = [self._row(item) for item in items]
        if rows:
            self.connection.execute(insert(message), rows)
            told = (row["operator_id"] for row in rows)
            tell(self.connection, Topic.MESSAGE, (name for name in told if name is not None))

    def candidates(self, operator_id: str, *, at: datetime, limit: int) -> Sequence[WaitingMessage]:
        """An operator's next messages, held: the most urgent first, then the oldest."""
        rows = self.queue.candidates(operator_id, at=at, limit=limit)
        return [
            WaitingMessage(
                key=(row["citizen_key"], row["message_id"]),
                urgency=list(Urgency)[row["priority"]],
                is_tidings=row["agency"] is None,
                address=_address(row),
                row=row,
            )
            for row in rows
        ]

    def held_numbers(self, numbers: Iterable[tuple[bytes, UUID]]) -> frozenset[tuple[bytes, UUID]]:
        """Which subscriptions are in service and those citizens', of keys and identifiers."""
        found = self.connection.execute(_HELD, listed(numbers))
        return frozenset((key, identity) for key, identity in found)

    def address_of(self, references: Iterable[Reference]) -> Mapping[UUID, Address]:
        """Where messages to some subscriptions go, by their identifiers."""
        pairs = list(references)
        query = select(
            subscription.c.msisdn_key, subscription.c.subscription_id, subscription.c.operator_id
        ).where(
            any_key(subscription.c.msisdn_key, (key for key, _ in pairs)),
            any_of(subscription.c.subscription_id, (identity for _, identity in pairs)),
        )
        return {
            row["subscription_id"]: _address(row)
            for row in self.connection.execute(query).mappings()
        }

    def readdress(self, moves: Mapping[MessageKey, Address]) -> None:
        """Have open messages go elsewhere; the operators there are told."""
        if not moves:
            return
        given = {
            "numbers": [to.msisdn_key for to in moves.values()],
            "subscriptions": [to.subscription_id for to in moves.values()],
            "operators": [to.operator_id for to in moves.values()],
        }
        self.connection.execute(_READDRESS, {**listed(moves), **given})

    def hand_out(
        self,
        items: Sequence[WaitingMessage],
        *,
        lease_id: UUID,
        expires_at: datetime,
        at: datetime,
    ) -> Sequence[OutgoingMessage]:
        """Lease some candidates, and open them."""
        if not items:
            return []
        self.queue.hand_out(
            (item.key for item in items), lease_id=lease_id, expires_at=expires_at, at=at
        )
        numbers = self._numbers(item.address for item in items)
        return [
            OutgoingMessage(
                message_id=item.key[1],
                msisdn=numbers[item.address.subscription_id],
                urgency=item.urgency,
                text=self._opened(item),
                expires_at=item.row["expires_at"],
            )
            for item in items
        ]

    def find_handed(self, operator_id: str, ids: Iterable[UUID]) -> Mapping[UUID, HandedMessage]:
        """An operator's messages by identifier, locked in the order of their keys."""
        query = (
            select(message)
            .where(any_of(message.c.message_id, ids), message.c.operator_id == operator_id)
            .order_by(message.c.citizen_key, message.c.message_id)
            .with_for_update()
        )
        return {
            row["message_id"]: HandedMessage(
                key=(row["citizen_key"], row["message_id"]),
                state=MessageState(row["state"]),
                was_handed=row["handed_at"] is not None,
                lease_id=row["lease_id"],
                lease_expires_at=row["lease_expires_at"],
            )
            for row in self.connection.execute(query).mappings()
        }

    def end(self, outcomes: Mapping[MessageKey, MessageFailure | None], *, at: datetime) -> None:
        """Note that open messages were delivered, or why they were not."""
        if not outcomes:
            return
        delivered, failed = MessageState.DELIVERED.value, MessageState.FAILED.value
        given = {
            "states": [delivered if why is None else failed for why in outcomes.values()],
            "failures": [None if why is None else why.value for why in outcomes.values()],
            "at": at,
        }
        self.connection.execute(_END, {**listed(outcomes), **given})

    def keep_out(self, keys: Iterable[MessageKey], *, grace_s: int) -> None:
        """Hand leased messages to nobody else: a network has them until they expire.

        Args:
            keys: Which.
            grace_s: Seconds after their end in which a receipt still counts.
        """
        self.connection.execute(_KEEP_OUT, {**listed(keys), "grace": f"{grace_s} seconds"})

    def _numbers(self, addresses: Iterable[Address]) -> Mapping[UUID, MSISDN]:
        pairs = [(each.msisdn_key, each.subscription_id) for each in addresses]
        query = select(
            subscription.c.msisdn_key, subscription.c.subscription_id, subscription.c.msisdn_sealed
        ).where(
            any_key(subscription.c.msisdn_key, (key for key, _ in pairs)),
            any_of(subscription.c.subscription_id, (identity for _, identity in pairs)),
        )
        return {
            identity: open_own_msisdn(self.sealer, sealed, (key, identity.bytes))
            for key, identity, sealed in self.connection.execute(query)
        }

    def _opened(self, item: WaitingMessage) -> Mapping[str, str]:
        opened = self.sealer.open(item.row["text_sealed"], context=_place(item.key))
        text_by_language: Mapping[str, str] = json.loads(opened)
        return text_by_language

    def _row(self, item: NewMessage) -> dict[str, Any]:
        key = (item.citizen_key, item.message_id)
        words = json.dumps(item.text, ensure_ascii=False, sort_keys=True).encode()
        sender, destination = item.sender, item.destination
        to = destination if isinstance(destination, Address) else None
        failure = destination if isinstance(destination, MessageFailure) else None
        state = MessageState.PENDING if failure is None else MessageState.FAILED
        return {
            "citizen_key": item.citizen_key,
            "message_id": item.message_id,
            "priority": item.urgency.priority,
            "template": item.template,
            "text_sealed": self.sealer.seal(words, context=_place(key)),
            "agency": None if sender is None else sender.agency,
            "purpose": None if sender is None else sender.purpose.value,
            "legal_basis": None if sender is None else storable(sender.legal_basis),
            "case_id": (sender.case_id or None) if sender is not None else None,
            "msisdn_key": None if to is None else to.msisdn_key,
            "subscription_id": None if to is None else to.subscription_id,
            "operator_id": None if to is None else to.operator_id,
            "state": state.value,
            "failure": None if failure is None else failure.value,
            "done_at": None if failure is None else item.created_at,
            "created_at": item.created_at,
            "expires_at": item.expires_at,
        }


def _address(row: RowMapping) -> Address:
    return Address(
        msisdn_key=row["msisdn_key"],
        subscription_id=row["subscription_id"],
        operator_id=row["operator_id"],
    )


def _place(key: MessageKey) -> bytes:
    citizen_key, message_id = key
    return b"|".join((b"message.text", citizen_key, message_id.bytes))
