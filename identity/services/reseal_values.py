"""Seal everything that old keys sealed anew with the active one, while the service goes on.

Owns the order of tables and slices. Each slice is a transaction of its own and what is done is
never done again: a run that is interrupted goes on where it was, and several may run at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from identity.audit.log import AuditEntry, append
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.storage.resealing import Resealed, Resealing, RowKey
from identity.storage.sealed_columns import SealedTable, sealed_tables

SLICE_SIZE = 500
"""Rows of one transaction: they are locked for some 25 ms (20,000 citizens, one run)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What came of some rows of one table.

    Attributes:
        place: The table.
        row_count: Rows that were looked at.
        value_count: Values sealed anew.
        unreadable_count: Values that do not open with the key that they name.
    """

    place: str
    row_count: int
    value_count: int
    unreadable_count: int


def count_outdated(transactions: Transactions) -> int:
    """How many rows hold something that an old key at hand sealed; reads every table once."""
    return sum(_count(transactions, table) for table in sealed_tables())


def reseal_values(
    transactions: Transactions, *, at: datetime, size: int = SLICE_SIZE
) -> Iterator[Slice]:
    """Seal anew, slice by slice.

    A table is gone through again as long as rows are left that were locked, or written by a process
    that had not taken up the ring, and the last time through sealed any.

    Args:
        transactions: Runs actions on the database.
        at: Now.
        size: Rows of one transaction.
    """
    value_count = 0
    for table in sealed_tables():
        is_moving = True
        while is_moving and _count(transactions, table):
            is_moving = False
            for done in _pass(transactions, table, size):
                is_moving = is_moving or done.value_count > 0
                value_count += done.value_count
                yield done
    left_count = count_outdated(transactions)
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="reseal_values",
        outcome="incomplete" if left_count else "complete",
        details={"value_count": value_count, "left_count": left_count},
    )
    transactions.run(lambda uow: append(uow.connection, [entry]))


def _pass(transactions: Transactions, table: SealedTable, size: int) -> Iterator[Slice]:
    after: RowKey | None = None
    while (done := _slice(transactions, table, after, size)) is not None:
        after = done.last_key
        yield Slice(
            place=table.name,
            row_count=done.row_count,
            value_count=done.value_count,
            unreadable_count=done.unreadable_count,
        )


def _slice(
    transactions: Transactions, table: SealedTable, after: RowKey | None, size: int
) -> Resealed | None:
    return transactions.run(
        lambda uow: Resealing(uow.connection, uow.sealer, table).reseal(after=after, limit=size)
    )


def _count(transactions: Transactions, table: SealedTable) -> int:
    return transactions.run(
        lambda uow: Resealing(uow.connection, uow.sealer, table).count_outdated()
    )
