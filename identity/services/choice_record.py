"""Put a citizen's choice on record: where it stands, its lines of history, its audit entry.

Owns that the three are written together, and the line of a change that was given up for something
else. What was chosen, and whether it may be, is for others to say.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.domain.primary_choice import ChoiceKind, Choices
from identity.domain.subscriber_update import NO_NEWS
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.choices import ChoiceEvent, Decided
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


def withdrawal(call: Call, before: Choices, after: Choices) -> Sequence[ChoiceEvent]:
    """The line of the change that waited and waits no more, if there is one."""
    gone = before.withdrawn_for(after)
    if gone is None:
        return ()
    event = ChoiceEvent(
        happened_at=call.at,
        kind=ChoiceKind.CHANGE_WITHDRAWN,
        caller=str(call.caller),
        subscription_id=gone.subscription_id,
        change_id=gone.change_id,
    )
    return (event,)


def record(uow: UnitOfWork, call: Call, decided: Sequence[Decided], *, action: str) -> None:
    """Store what was decided of choices that are held; each has at least one line of history."""
    uow.choices.save_many(decided)
    entries = [
        audit_entry(call, each.citizen_key, action, each.events[-1].kind.value) for each in decided
    ]
    append(uow.connection, entries)


def note_marked(uow: UnitOfWork, call: Call, items: Sequence[Subscription]) -> None:
    """Owe the population authority that these are primary numbers now."""
    news = {(msisdn_key(uow.sealer, item.msisdn), item.subscription_id): NO_NEWS for item in items}
    if news:
        uow.subscriber_updates.note(news, at=call.at)


def audit_entry(call: Call, key: bytes, action: str, outcome: str) -> AuditEntry:
    """What was done or read of a citizen's choice."""
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=outcome,
        citizen_key=key,
    )
