"""Every place in the database where something sealed stands.

Owns the list, made from the tables themselves: a column whose name ends in `_sealed` is one, and a
table without an entry in `_PLACES` is a mistake that a test finds. Knows how each place is named
when a value is sealed for it; each repository seals by the same names.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table

from identity.domain.errors import RecordUnreadableError
from identity.storage.sealing import Sealer
from identity.storage.tables import metadata

SUFFIX = "_sealed"

_PLACES: Mapping[str, Sequence[str]] = {
    "arrangement": ("citizen_key", "arrangement_id"),
    "citizen": ("citizen_key",),
    "subscription": ("msisdn_key", "subscription_id"),
    "primary_number": ("citizen_key",),
    "fallback_number": ("citizen_key", "subscription_id"),
    "verification": ("verification_id",),
    "face_reference": ("citizen_key",),
    "face_cohort": ("cohort_digest",),
    "message": ("citizen_key", "message_id"),
    "citizen_secret": ("citizen_key",),
    "request": ("caller", "request_id"),
    "signing_key": ("key_id",),
    "registry": (),
}
"""The columns that a sealed value is bound to, besides the names of its table and column."""

_FORMER_PLACES: Mapping[str, Sequence[str]] = {"subscription": ("msisdn_key",)}
"""What values were bound to before; those that are stored open still, until they are sealed anew.
By the number alone a claim could be moved to whoever had or got the number besides."""

_PERSONS: Mapping[str, str] = {"verification": "citizen_key", "face_reference": "citizen_key"}
"""Where values are sealed with a person's own secret: the column that says whose."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with sealed columns.

    Attributes:
        table: The table.
        columns: Its sealed columns.
        bound_to: The columns whose values name a row's place.
        person: The column that says with whose secret values are sealed; None where with nobody's.
    """

    table: Table
    columns: Sequence[Column[Any]]
    bound_to: Sequence[Column[Any]]
    person: Column[Any] | None = None

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.name)

    @property
    def row_key(self) -> Sequence[Column[Any]]:
        """The primary key, in its order."""
        return tuple(self.table.primary_key.columns)

    def place(self, column: Column[Any], row: Mapping[Any, Any]) -> bytes:
        """The context that a value of a row is sealed for."""
        return self._place(column, row, [bound.name for bound in self.bound_to])

    def open(
        self, sealer: Sealer, column: Column[Any], row: Mapping[Any, Any], secret: bytes | None
    ) -> bytes:
        """Open a value of a row.

        Args:
            sealer: Has the keys.
            column: A sealed column whose value is there.
            row: The row: its bound columns and this one, by name.
            secret: Of the row's person, if there is one.

        Raises:
            RecordUnreadableError: It opens neither for its place nor for a former one.
        """
        *others, last = self.places(column, row)
        for place in others:
            with suppress(RecordUnreadableError):
                return sealer.open(row[column.name], context=place, secret=secret)
        return sealer.open(row[column.name], context=last, secret=secret)

    def places(self, column: Column[Any], row: Mapping[Any, Any]) -> Iterator[bytes]:
        """That context, and the one that older values may be sealed for."""
        yield self.place(column, row)
        if self.name in _FORMER_PLACES:
            yield self._place(column, row, _FORMER_PLACES[self.name])

    def _place(self, column: Column[Any], row: Mapping[Any, Any], bound_to: Sequence[str]) -> bytes:
        name = f"{self.name}.{column.name.removesuffix(SUFFIX)}|".encode()
        return name + b"|".join(_part(row[bound]) for bound in bound_to)


def sealed_tables() -> Sequence[SealedTable]:
    """Every table with sealed columns, in order of names.

    Raises:
        KeyError: How a table's values are bound to their rows is not known here.
    """
    found = ((table, _sealed_columns(table)) for _, table in sorted(metadata.tables.items()))
    return [
        SealedTable(
            table,
            columns,
            [table.c[name] for name in _PLACES[table.name]],
            table.c[_PERSONS[table.name]] if table.name in _PERSONS else None,
        )
        for table, columns in found
        if columns
    ]


def _sealed_columns(table: Table) -> Sequence[Column[Any]]:
    return [column for column in table.c if column.name.endswith(SUFFIX)]


def _part(value: bytes | UUID | str) -> bytes:
    if isinstance(value, UUID):
        return value.bytes
    return value.encode() if isinstance(value, str) else bytes(value)
