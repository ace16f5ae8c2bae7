"""Stop callers that try out personal IDs or numbers.

Owns that every look-up counts, whoever asks, and what stopping and resuming leave on record. Who is
looked up in batches is withheld from the batch that gives its caller away; a caller that asks one
by one is stopped from its next question on. The holders that an operator names, one by one or by
books and events, are judged apart from its questions about numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of
from identity.domain.errors import (
    DisputeExistsError,
    DisputeInvalidError,
    LookupsStoppedError,
    SubscriptionNotFoundError,
)
from identity.domain.lookup_watch import Looked
from identity.services.call import Call
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.lookup_watch import Asked, Tally


def refuse_stopped(uow: UnitOfWork, call: Call) -> None:
    """Refuse a caller whose look-ups were stopped.

    Raises:
        LookupsStoppedError: They were.
    """
    if is_stopped(uow, call):
        raise stopped()


def is_stopped(uow: UnitOfWork, call: Call) -> bool:
    """Whether the caller's look-ups were stopped."""
    return uow.lookup_watch.is_stopped(str(call.caller))


def count_lookup(uow: UnitOfWork, call: Call, key: bytes, *, is_unknown: bool) -> None:
    """Count a question about a number, and stop its caller when it was one too many about nobody.

    Args:
        uow: The transaction that answers it.
        call: The circumstances.
        key: Blind index of the number.
        is_unknown: Nobody has it, or it is none of the caller's.
    """
    looked = Looked(asked_count=1, unknown_count=int(is_unknown))
    _count(uow, call, looked, shard=key[0], tally=Tally.QUESTION)


def count_holders(
    uow: UnitOfWork, call: Call, key: bytes, *, named_count: int, unknown_count: int
) -> None:
    """Count people whom an operator has named as holders or claimants, all by one statement.

    Counted last: others of these calls wait from here until the transaction ends. As long as the
    register is empty nobody is counted: whoever sends a book before it comes learns nothing.

    Args:
        uow: The transaction that looks them up.
        call: The circumstances.
        key: Blind index of one of them: calls that name different people seldom wait.
        named_count: How many.
        unknown_count: How many of them nobody is.
    """
    if not named_count or (unknown_count == named_count and not uow.citizens.has_any()):
        return
    looked = Looked(asked_count=named_count, unknown_count=unknown_count)
    _count(uow, call, looked, shard=key[0], tally=Tally.HOLDER)


def _count(uow: UnitOfWork, call: Call, looked: Looked, *, shard: int, tally: Tally) -> None:
    caller = str(call.caller)
    today = uow.lookup_watch.count(caller, looked, shard=shard, day=day_of(call.at), tally=tally)
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


@contextmanager
def counting_unknown(transactions: Transactions, call: Call, key: bytes) -> Iterator[None]:
    """Count whoever an operator names in a dispute that is refused, if nobody has the personal ID.

    Known people do not count: what costs nothing would hide how many are nobody. The statements are
    the same for both.

    Args:
        transactions: Where it is counted: the refusal undoes its own.
        call: The circumstances.
        key: Blind index of the personal ID.

    Raises:
        DisputeInvalidError: As it was raised inside.
        DisputeExistsError: The same.
    """

    def count(uow: UnitOfWork) -> None:
        unknown_count = int(key not in uow.citizens.holders([key]))
        looked = Looked(asked_count=unknown_count, unknown_count=unknown_count)
        _count(uow, call, looked, shard=key[0], tally=Tally.HOLDER)

    try:
        yield
    except (DisputeExistsError, DisputeInvalidError):
        transactions.run(count)
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
