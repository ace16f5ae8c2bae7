"""Everything that a registry holds, in a form in which two registries can be compared.

Owns what is left out: what is drawn by chance (identifiers, sealed bytes) or told by the order of
work that happened side by side. Everything personal is decrypted. Knows no use case.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import Column, Table, Uuid, delete, func, select

from identity.audit.log import audit_entry
from identity.audit.tree_tables import TREE_TABLES
from identity.bootstrap import METADATA
from identity.storage.bulk_tables import link_run, link_run_slice
from identity.storage.database import UnitOfWork
from identity.storage.key_tables import sealing_key
from identity.storage.tables import citizen, registry, subscription

Contents = Mapping[str, Counter[str]]
"""How often each thing is there, by the kind of thing."""

_LEFT_OUT = frozenset({"position", "import_id", "entry_id", "change_id", "era", "transaction_id"})
"""Numbers that are given in the order of work."""

_TREE = frozenset(table.name for table in TREE_TABLES)
"""What is sealed of the audit log: made of it, beside the work."""

_OTHERWISE = _TREE | {link_run.name, link_run_slice.name, registry.name, sealing_key.name}
"""What a comparison that is repeated adds to, what is of the keys, and what is sealed."""

_NIL = UUID(int=0)


def contents(uow: UnitOfWork, *, audited_after: int = 0) -> Contents:
    """Everything that is stored.

    Args:
        uow: A transaction.
        audited_after: The last entry of the audit log that does not count.
    """
    found = {table.name: _rows(uow, table, audited_after) for table in _tables()}
    found["subscriptions, opened"] = Counter(_subscriptions(uow))
    found["citizens, opened"] = Counter(_citizens(uow))
    changed = uow.connection.execute(select(func.sum(link_run_slice.c.changed_count))).scalar()
    found["links changed by comparisons"] = Counter({str(changed): 1})
    return found


def last_audited(uow: UnitOfWork) -> int:
    """The last entry of the audit log; nobody can remove what is in it."""
    return int(uow.connection.execute(select(func.max(audit_entry.c.entry_id))).scalar() or 0)


def empty(uow: UnitOfWork) -> None:
    """Remove everything but the audit log and what is of the keys."""
    kept = _TREE | {audit_entry.name, registry.name, sealing_key.name}
    for metadata in METADATA:
        for table in reversed(metadata.sorted_tables):
            if table.name not in kept:
                uow.connection.execute(delete(table))


def _tables() -> Iterator[Table]:
    for metadata in METADATA:
        yield from (table for table in metadata.tables.values() if table.name not in _OTHERWISE)


def _is_told(column: Column[object]) -> bool:
    if isinstance(column.type, Uuid):
        return column.name == "request_id"  # chosen by the caller
    return column.name not in _LEFT_OUT and not column.name.endswith("_sealed")


def _rows(uow: UnitOfWork, table: Table, audited_after: int) -> Counter[str]:
    query = select(*(column for column in table.columns if _is_told(column)))
    if table is audit_entry:
        query = query.where(
            audit_entry.c.entry_id > audited_after,
            # A comparison of all claims may be asked for twice, and says so each time.
            audit_entry.c.action.not_in(("link_registry", "link_slice")),
        )
    return Counter(str(dict(row)) for row in uow.connection.execute(query).mappings())


def _subscriptions(uow: UnitOfWork) -> Iterator[str]:
    query = select(subscription.c.msisdn_key, subscription.c.subscription_id)
    references = [(row[0], row[1]) for row in uow.connection.execute(query)]
    for item in uow.subscriptions.find_by_reference(references):
        yield str(asdict(replace(item, subscription_id=_NIL)))  # what is personal hides its repr


def _citizens(uow: UnitOfWork) -> Iterator[str]:
    keys = uow.connection.execute(select(citizen.c.citizen_key)).scalars()
    known = uow.citizens.find_many(uow.citizens.personal_ids(keys).values())
    yield from (str(asdict(record)) for record in known.values())
