"""The numbers of the keys that seal the database, and what each of them still holds.

Owns the rows of `sealing_key`. A key is written down here before anything is sealed with it, so a
key that is lost later is missed by its number without reading the data. Never sees a key.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, func, inspect, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.errors import RecordUnreadableError
from identity.state_directory import StateError
from identity.storage.arrays import any_of
from identity.storage.key_tables import sealing_key
from identity.storage.registry import CONSTANT, PLACE, ForeignKeysError
from identity.storage.sealed_columns import sealed_tables
from identity.storage.sealing import KEY_ID_AT, KEY_ID_BYTES, Sealer

_OPERATOR = "operator_id"
"""Who can hand a row over again."""

_ROWS_AT_ONCE = 1_000


class LostKeysError(StateError):
    """Values are sealed with keys that are not in the key ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """How many values of one column one key seals.

    Attributes:
        key_id: The key's number.
        place: The column, as `table.column`.
        value_count: How many values, which is how many rows.
    """

    key_id: int
    place: str
    value_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRow:
    """A row with a value that one key seals.

    Attributes:
        place: The column, as `table.column`.
        names: The columns of its primary key, and its operator where it has one, with their values;
            octets in hexadecimal.
    """

    place: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """What is written down of a key.

    Attributes:
        key_id: Its number.
        last_active_at: When somebody last said that new values are sealed with it.
        idle: How long ago that is, by the database's clock.
        retired_at: When it was taken out of use, if it was.
    """

    key_id: int
    last_active_at: datetime
    idle: timedelta
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The keys' rows in one transaction."""

    connection: Connection
    sealer: Sealer

    def register(self) -> None:
        """Write down every key at hand, and that new values are sealed with the active one.

        Whoever seals says so again and again: a key that nobody has named for a while is in
        nobody's use. The database's clock counts, the same for every server.

        Raises:
            ForeignKeysError: Another key has one of the numbers.
        """
        fresh = [
            {
                "key_id": key_id,
                "key_check": self.sealer.seal(CONSTANT, context=PLACE, key_id=key_id),
                "last_active_at": func.now(),
            }
            for key_id in sorted(self.sealer.key_ids)
        ]
        self.connection.execute(insert(sealing_key).values(fresh).on_conflict_do_nothing())
        self.check()
        self.mark_active()

    def check(self) -> None:
        """Compare the keys at hand with those that are written down.

        Raises:
            ForeignKeysError: Another key has one of the numbers.
        """
        query = select(sealing_key.c.key_id, sealing_key.c.key_check)
        for key_id, sealed in self.connection.execute(
            query.where(any_of(sealing_key.c.key_id, self.sealer.key_ids))
        ):
            if not _opens(self.sealer, sealed):
                raise ForeignKeysError(
                    f"key {key_id} is not the one that this database was sealed with"
                )

    def mark_active(self) -> None:
        """Say that new values are sealed with the active key."""
        self.connection.execute(
            update(sealing_key)
            .where(sealing_key.c.key_id == self.sealer.active_id)
            .values(last_active_at=func.now(), retired_at=None)
        )

    def known(self) -> Sequence[KnownKey]:
        """Every key that was ever used, by number."""
        query = select(
            sealing_key.c.key_id,
            sealing_key.c.last_active_at,
            (func.now() - sealing_key.c.last_active_at).label("idle"),
            sealing_key.c.retired_at,
        ).order_by(sealing_key.c.key_id)
        rows = self.connection.execute(query).mappings()
        return [KnownKey(**row) for row in rows]

    def missing(self) -> frozenset[int]:
        """Keys that were used, were not retired, and are not at hand. Reads no sealed value."""
        kept = {key.key_id for key in self.known() if key.retired_at is None}
        return frozenset(kept - set(self.sealer.key_ids))

    def refuse_lost(self) -> None:
        """Find out whether values need a key that is not at hand.

        Reads sealed columns only when a number is missing, so that every start affords it. A
        missing key that nothing needs is written down as retired and not asked about again.

        Raises:
            LostKeysError: They do; it names the columns and how many rows each of them loses.
        """
        missing = self.missing()
        if not missing:
            return
        lost = [use for use in self.count_values() if use.key_id in missing]
        if lost:
            raise LostKeysError(
                f"{tell_lost(lost)}: restore the key ring that has it, or --accept-lost-keys"
            )
        for key_id in missing:
            self.retire(key_id)

    def retire(self, key_id: int) -> None:
        """Write down that no value uses a key any more."""
        self.connection.execute(
            update(sealing_key).where(sealing_key.c.key_id == key_id).values(retired_at=func.now())
        )

    def count_values(self) -> Sequence[KeyUse]:
        """How many values each key seals in each column, exactly; reads every sealed column."""
        return [
            KeyUse(key_id=key_id, place=f"{table.name}.{column.name}", value_count=count)
            for table in sealed_tables()
            for column in table.columns
            for key_id, count in self._count(column)
        ]

    def rows_of(self, key_id: int) -> Iterator[KeyedRow]:
        """Every row with a value that a key seals; reads every sealed column, in bounded memory."""
        for table in sealed_tables():
            operator = [each for each in table.table.c if each.name == _OPERATOR]
            names = [*table.row_key, *operator]
            for column in table.columns:
                is_sealed_with = key_number(column) == key_id.to_bytes(KEY_ID_BYTES)
                query = select(*names).where(is_sealed_with).order_by(*table.row_key)
                rows = self.connection.execute(
                    query, execution_options={"yield_per": _ROWS_AT_ONCE}
                )
                for row in rows.mappings():
                    shown = {name: _shown(value) for name, value in row.items()}
                    yield KeyedRow(place=f"{table.name}.{column.name}", names=shown)

    def _count(self, column: Column[Any]) -> Iterator[tuple[int, int]]:
        number = key_number(column)
        query = select(number, func.count()).where(column.is_not(None)).group_by(number)
        for digits, count in self.connection.execute(query):
            yield int.from_bytes(digits), count


def has_sealing_keys(connection: Connection) -> bool:
    """Whether the schema has the table yet."""
    return inspect(connection).has_table(sealing_key.name)


def key_number(column: Column[Any]) -> Any:  # noqa: ANN401 - an expression of bytes
    """The number of the key that sealed a value, as the four bytes that stand in it."""
    return func.substring(column, KEY_ID_AT, KEY_ID_BYTES)


def tell_lost(lost: Iterable[KeyUse]) -> str:
    """What lost keys cost, in one line."""
    by_key: dict[int, list[KeyUse]] = {}
    for use in lost:
        by_key.setdefault(use.key_id, []).append(use)
    return "; ".join(
        f"key {key_id} is not in the key ring and is needed to read"
        f" {sum(use.value_count for use in uses):,} values ({_places(uses)})"
        for key_id, uses in sorted(by_key.items())
    )


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _places(uses: Collection[KeyUse]) -> str:
    return ", ".join(f"{use.place} {use.value_count:,}" for use in uses)


def _opens(sealer: Sealer, sealed: bytes) -> bool:
    try:
        return sealer.open(sealed, context=PLACE) == CONSTANT
    except RecordUnreadableError:
        return False
