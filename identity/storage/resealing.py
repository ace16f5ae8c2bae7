"""Seal what old keys sealed anew, a few rows at a time, beside everything that goes on.

Owns finding such rows and exchanging their sealed bytes; nothing else of a row changes. Rows are
taken in the order of their primary keys and locked while they are exchanged, for milliseconds; a
row that somebody else has locked is passed over, so this never waits and never overwrites what was
written meanwhile. A query crosses the distribution key: it goes through whole tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from identity.domain.errors import RecordUnreadableError
from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.sealed_columns import SealedTable
from identity.storage.sealing import KEY_ID_BYTES, Sealer, key_number_in
from identity.storage.sealing_keys import key_number

RowKey = tuple[Any, ...]
_Change = Mapping[str, bytes | None]
"""By sealed column: the value sealed anew, or None where the old one does not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """What came of some rows.

    Attributes:
        last_key: The primary key of the last one; where the next slice begins.
        row_count: Rows that were looked at.
        value_count: Values sealed anew.
        unreadable_count: Values whose key is at hand and that do not open all the same.
    """

    last_key: RowKey
    row_count: int
    value_count: int
    unreadable_count: int


@dataclass(frozen=True, slots=True)
class Resealing:
    """One slice of one table in one transaction."""

    connection: Connection
    sealer: Sealer
    table: SealedTable

    def reseal(self, *, after: RowKey | None, limit: int) -> Resealed | None:
        """Seal rows anew; None when none follow.

        Args:
            after: Where to begin: after this primary key, or at the first row.
            limit: Rows at most.
        """
        rows = self.connection.execute(self._outdated(after, limit)).mappings().all()
        if not rows:
            return None
        secrets = self._secrets(rows)
        changes = [self._change(row, secrets.get(self._person(row))) for row in rows]
        for each in self.table.columns:
            self._store(each, _fresh(each, rows, changes))
        values = [value for change in changes for value in change.values()]
        unreadable_count = values.count(None)
        return Resealed(
            last_key=self._key(rows[-1]),
            row_count=len(rows),
            value_count=len(values) - unreadable_count,
            unreadable_count=unreadable_count,
        )

    def count_outdated(self) -> int:
        """How many rows hold something that an old key at hand sealed."""
        is_outdated = or_(*(self._is_old(each) for each in self.table.columns))
        query = select(func.count()).select_from(self.table.table).where(is_outdated)
        counted: int = self.connection.execute(query).scalar_one()
        return counted

    def _outdated(self, after: RowKey | None, limit: int) -> Select[Any]:
        keys = self.table.row_key
        persons = () if self.table.person is None else (self.table.person,)
        shown = {
            each.name: each for each in (*keys, *persons, *self.table.bound_to, *self.table.columns)
        }
        is_outdated = or_(*(self._is_old(each) for each in self.table.columns))
        query = select(*shown.values()).where(is_outdated).order_by(*keys).limit(limit)
        if after is not None:
            last = [literal(value, key.type) for key, value in zip(keys, after, strict=True)]
            query = query.where(tuple_(*keys) > tuple_(*last))
        return query.with_for_update(key_share=True, skip_locked=True)

    def _is_old(self, sealed_column: Column[Any]) -> ColumnElement[bool]:
        """Sealed with a key that is at hand and not the active one. What is lost stays as it is."""
        condition: ColumnElement[bool] = key_number(sealed_column).in_(self._old_numbers())
        return condition

    def _old_numbers(self) -> Sequence[bytes]:
        old = set(self.sealer.key_ids) - {self.sealer.active_id}
        return [key_id.to_bytes(KEY_ID_BYTES) for key_id in sorted(old)]

    def _person(self, row: RowMapping) -> bytes | None:
        return None if self.table.person is None else row[self.table.person.name]

    def _secrets(self, rows: Sequence[RowMapping]) -> Mapping[bytes | None, bytes]:
        """The secrets of the rows' people; they stay while values are sealed with them."""
        keys = [person for row in rows if (person := self._person(row)) is not None]
        found = CitizenSecrets(self.connection, self.sealer).obtain_many(keys)
        return dict(found.items())

    def _change(self, row: RowMapping, secret: bytes | None) -> _Change:
        old = self._old_numbers()
        return {
            each.name: self._anew(each, row, secret)
            for each in self.table.columns
            if row[each.name] is not None and key_number_in(row[each.name]) in old
        }

    def _anew(
        self, sealed_column: Column[Any], row: RowMapping, secret: bytes | None
    ) -> bytes | None:
        try:
            plaintext = self.table.open(self.sealer, sealed_column, row, secret)
        except RecordUnreadableError:
            return None
        place = self.table.place(sealed_column, row)
        # So what was sealed before there were secrets is sealed for its person now.
        return self.sealer.seal(plaintext, context=place, secret=secret)

    def _store(self, sealed_column: Column[Any], fresh: Sequence[tuple[RowMapping, bytes]]) -> None:
        """Exchange one column's values, in one statement."""
        if not fresh:
            return
        keys = self.table.row_key
        arrays = [_array([row[key.name] for row, _ in fresh], key) for key in keys]
        values = func.unnest(*arrays, _array([sealed for _, sealed in fresh], sealed_column))
        given = values.table_valued(
            *(column(f"key_{place}", key.type) for place, key in enumerate(keys)),
            column("fresh_value", sealed_column.type),
            name="given",
        ).render_derived()
        is_row = (key == given.c[f"key_{place}"] for place, key in enumerate(keys))
        self.connection.execute(
            update(self.table.table)
            .where(and_(*is_row))
            .values({sealed_column: given.c.fresh_value})
        )

    def _key(self, row: RowMapping) -> RowKey:
        return tuple(row[key.name] for key in self.table.row_key)


def _fresh(
    sealed_column: Column[Any], rows: Sequence[RowMapping], changes: Sequence[_Change]
) -> Sequence[tuple[RowMapping, bytes]]:
    found = (
        (row, change.get(sealed_column.name)) for row, change in zip(rows, changes, strict=True)
    )
    return [(row, sealed) for row, sealed in found if sealed is not None]


def _array(values: Sequence[Any], like: Column[Any]) -> ColumnElement[Any]:
    kind = ARRAY(like.type)
    return cast(bindparam(None, list(values), type_=kind), kind)
