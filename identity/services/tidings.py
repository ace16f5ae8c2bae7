"""Tell citizens of their own choices: messages of the service itself, to numbers of theirs.

Owns the writing of them, in the transaction of what they tell of: neither comes without the other.
The words are the policy pack's; a pack without words for something has it said to nobody. A tiding
goes to the very number that it was written to, and to nobody who has that number later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from identity.audit.log import AuditEntry, append
from identity.domain.message import Urgency
from identity.domain.subscription import Subscription
from identity.domain.tiding import TidingKind, TidingValue, fill_tiding
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.messages import Address, NewMessage
from identity.storage.subscriptions import msisdn_key

LIFETIME = timedelta(days=7)
"""How long a tiding waits for a telephone that is off. Ours: later it is news no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiding:
    """One thing to tell.

    Attributes:
        subscription: The number to tell it to; whom its claim names is told.
        kind: What.
        values: What fills each place of the kind (`identity.domain.tiding.PLACES`).
    """

    subscription: Subscription
    kind: TidingKind
    values: Mapping[str, TidingValue] = field(default_factory=dict)


def post_tidings(uow: UnitOfWork, call: Call, tidings: Sequence[Tiding]) -> None:
    """Write tidings, to be sent when the transaction is committed.

    Raises:
        ValueError: A place of a kind is not filled, or something is given that is none.
    """
    posted = [_message(uow, call, each) for each in tidings if each.kind in call.rules.messages]
    uow.messages.add_many(posted)
    append(uow.connection, [_entry(call, message) for message in posted])


def _message(uow: UnitOfWork, call: Call, tiding: Tiding) -> NewMessage:
    item = tiding.subscription
    return NewMessage(
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        message_id=call.new_id(),
        urgency=Urgency.TIDINGS,
        template=tiding.kind.value,
        text=fill_tiding(tiding.kind, call.rules.messages[tiding.kind], tiding.values),
        created_at=call.at,
        expires_at=call.at + LIFETIME,
        destination=Address(
            msisdn_key=msisdn_key(uow.sealer, item.msisdn),
            subscription_id=item.subscription_id,
            operator_id=item.operator_id,
        ),
    )


def _entry(call: Call, message: NewMessage) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="post_tiding",
        outcome=message.template,
        citizen_key=message.citizen_key,
    )
