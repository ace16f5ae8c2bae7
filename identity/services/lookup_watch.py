"""Stop callers that try out personal IDs or numbers.

Owns that every look-up counts, whoever asks, and what stopping and resuming leave on record. Who is
looked up in batches is withheld from the batch that gives its caller away; a caller that asks one
by one is stopped from its next question on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of
from identity.domain.errors import LookupsStoppedError, SubscriptionNotFoundError
from identity.domain.lookup_watch import Looked
from identity.services.call import Call
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.lookup_watch import Asked


def refuse_stopped(uow: UnitOfWork, call: Call) -> None:
    """Refuse a caller whose look-ups were stopped.

    Raises:
        LookupsStoppedError: They were.
    """
    if uow.lookup_watch.is_stopped(str(call.caller)):
        raise stopped()


def count_lookup(uow: UnitOfWork, call: Call, key: bytes, *, is_unknown: bool) -> None:
    """Count one look-up, and stop its caller when it was one too many about nobody.

    Args:
        uow: The transaction that answers it.
        call: The circumstances.
        key: Blind index of whom or what was asked about.
        is_unknown: Nobody has it, or it is none of the caller's.
    """
    caller = str(call.caller)
    looked = Looked(asked_count=1, unknown_count=int(is_unknown))
    today = uow.lookup_watch.count(caller, looked, shard=key[0], day=day_of(call.at))
    if call.rules.lookups.is_guessing(today):
        stop_lookups(uow, caller, today, at=call.at)


def count_person(uow: UnitOfWork, call: Call, key: bytes) -> None:
    """The same of a citizen; whether the register knows them makes no difference to its time."""
    caller = str(call.caller)
    asked = {caller: Asked(keys=[key], sequential_count=0)}
    _, looked = uow.lookup_watch.look_up(asked, day=day_of(call.at))
    if call.rules.lookups.is_guessing(looked[caller]):
        stop_lookups(uow, caller, looked[caller], at=call.at)


@contextmanager
def counting_misses(transactions: Transactions, call: Call, key: bytes) -> Iterator[None]:
    """Count a look-up that ends in a refusal, which undoes its own transaction.

    Raises:
        SubscriptionNotFoundError: As it was raised inside.
    """
    try:
        yield
    except SubscriptionNotFoundError:
        transactions.run(partial(count_lookup, call=call, key=key, is_unknown=True))
        raise


def stop_lookups(uow: UnitOfWork, caller: str, today: Looked, *, at: datetime) -> None:
    """Stop a caller's look-ups until the regulator lets it go on."""
    uow.lookup_watch.stop(caller, at=at)
    entry = AuditEntry(
        occurred_at=at,
        caller=caller,
        action="stop_lookups",
        outcome="stopped",
        details={
            "asked_count": today.asked_count,
            "unknown_count": today.unknown_count,
            "sequential_count": today.sequential_count,
        },
    )
    append(uow.connection, [entry])


def resume_lookups(uow: UnitOfWork, call: Call, caller: str) -> bool:
    """Let a caller look people up again; False when it was not stopped."""
    was_stopped = uow.lookup_watch.resume(caller)
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="resume_lookups",
        outcome="resumed" if was_stopped else "not_stopped",
        details={"caller": caller},
    )
    append(uow.connection, [entry])
    return was_stopped


def stopped() -> LookupsStoppedError:
    """The refusal of a caller whose look-ups were stopped."""
    return LookupsStoppedError("too many of your look-ups were about nobody: ask the regulator")
