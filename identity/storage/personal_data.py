"""Everything that is held about one person: read as a whole, and deleted as a whole.

Owns finding the rows and opening what is sealed in them; which tables those are is
`personal_tables.py`'s. Images and templates of faces are not opened: that there are any is told.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnClause,
    ColumnElement,
    Connection,
    DateTime,
    FromClause,
    LargeBinary,
    RowMapping,
    Select,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.types import TypeEngine

from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.personal_tables import PERSONAL_TABLES, PersonalTable
from identity.storage.sealed_columns import SUFFIX, SealedTable, sealed_tables
from identity.storage.sealing import Sealer

Json = Any
"""A value as JSON has it."""

_EVER = datetime(1, 1, 1, tzinfo=UTC)

# A subscription that changed hands is its present holder's from then on.
_SUBSCRIPTIONS = text(
    "WITH own AS (SELECT msisdn_key, subscription_id FROM holding WHERE citizen_key = :key"
    " UNION SELECT msisdn_key, subscription_id FROM subscription"
    "  WHERE citizen_key = :key AND service_state = 'terminated')"
    " SELECT msisdn_key, subscription_id, (SELECT max(changed_at) FROM link_change AS c"
    "  WHERE c.msisdn_key = own.msisdn_key AND c.subscription_id = own.subscription_id"
    "  AND c.action IN ('new_holder', 'decide_dispute')) AS since FROM own"
)
_OWN_DIGITS = ("_key", "_digest")
"""Ends of names of columns that say nothing to a person."""

_OF_ANOTHER = "of another person"
_WORKINGS = frozenset({"position", "lease_id", "lease_expires_at", "leased_sequence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSubscription:
    """A subscription of a person's, in service or ended, and since when it is theirs."""

    msisdn_key: bytes
    subscription_id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is held about people, in one transaction."""

    connection: Connection
    sealer: Sealer

    def read(self, key: bytes, *, at: datetime) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        """Everything about a citizen, by section; a section without rows is there and empty.

        Args:
            key: The citizen's.
            at: The instant: what a court keeps from the person until later is left out.

        Raises:
            RecordUnreadableError: A value does not open: its key is lost.
        """
        secret = CitizenSecrets(self.connection, self.sealer).find([key]).get(key)
        own = self.subscriptions_of(key)
        reader = _Reader(self.sealer, key, secret, {each.name: each for each in sealed_tables()})
        return {
            each.section: [
                reader.shown(each, row)
                for row in self.connection.execute(_query(each, key, own)).mappings()
                if not _is_withheld(row, at=at)
            ]
            for each in PERSONAL_TABLES
        }

    def delete(self, key: bytes) -> Mapping[str, int]:
        """Delete what goes with a citizen who is erased; returns how many rows, by section."""
        own = self.subscriptions_of(key)
        counts: dict[str, int] = {}
        for each in PERSONAL_TABLES:
            if each.is_erased:
                # A row of before the present holder goes as well: nobody can ask for it any more.
                condition = _condition(each, key, own, is_timed=False)
                rows = self.connection.execute(
                    delete(each.table).where(condition).returning(*each.table.primary_key)
                )
                counts[each.section] = len(rows.all())
        return counts

    def subscriptions_of(self, key: bytes) -> Sequence[OwnSubscription]:
        """A citizen's subscriptions, those that have ended too."""
        rows = self.connection.execute(_SUBSCRIPTIONS, {"key": key})
        return [
            OwnSubscription(
                msisdn_key=row.msisdn_key,
                subscription_id=row.subscription_id,
                since=row.since or _EVER,
            )
            for row in rows
        ]


def _is_withheld(row: RowMapping, *, at: datetime) -> bool:
    """Whether it is a presence before an agency, under an embargo that has not ended."""
    shown_from = (row.get("presence") or {}).get("shown_from")
    return shown_from is not None and datetime.fromisoformat(shown_from) > at


def _query(each: PersonalTable, key: bytes, own: Sequence[OwnSubscription]) -> Select[Any]:
    query = select(each.table).where(_condition(each, key, own, is_timed=True))
    return query.order_by(*(each.table.c[name] for name in each.order))


def _condition(
    each: PersonalTable, key: bytes, own: Sequence[OwnSubscription], *, is_timed: bool
) -> ColumnElement[bool]:
    columns = each.table.c
    if each.owners:
        return or_(*(columns[owner] == key for owner in each.owners))
    given = _given(own)
    is_own = and_(
        columns["msisdn_key"] == given.c.msisdn_key,
        columns["subscription_id"] == given.c.subscription_id,
    )
    if is_timed and each.since is not None:
        is_own = and_(is_own, columns[each.since] >= given.c.since)
    return select(given).where(is_own).exists()


def _given(own: Sequence[OwnSubscription]) -> FromClause:
    kinds: Mapping[str, TypeEngine[Any]] = {
        "msisdn_key": LargeBinary(),
        "subscription_id": Uuid(),
        "since": DateTime(timezone=True),
    }
    arrays: list[ColumnElement[Any]] = [
        cast(bindparam(None, [getattr(one, name) for one in own], type_=ARRAY(kind)), ARRAY(kind))
        for name, kind in kinds.items()
    ]
    columns: list[ColumnClause[Any]] = [column(name, kind) for name, kind in kinds.items()]
    return func.unnest(*arrays).table_valued(*columns, name="own").render_derived()


@dataclass(frozen=True, slots=True)
class _Reader:
    """From rows to what a person reads."""

    sealer: Sealer
    key: bytes
    secret: bytes | None
    sealed: Mapping[str, SealedTable]

    def shown(self, each: PersonalTable, row: RowMapping) -> Mapping[str, Json]:
        """One row."""
        found: dict[str, Json] = {}
        for one in each.table.c:
            if one.name.endswith(SUFFIX):
                found |= self._opened(one, row)
            elif not one.name.endswith(_OWN_DIGITS) and one.name not in _WORKINGS:
                found[one.name] = _plain(row[one.name])
        if len(each.owners) > 1:
            sides = (owner for owner in each.owners if row[owner] == self.key)
            found["side"] = next(sides).removesuffix("_key")
        return found

    def _opened(self, one: Column[Any], row: RowMapping) -> Mapping[str, Json]:
        name = one.name.removesuffix(SUFFIX)
        read = _READERS.get(f"{one.table.name}.{name}")
        if read is None:
            return {f"has_{name}": row[one.name] is not None}
        if row[one.name] is None:
            return {name: None}
        value = self.sealed[one.table.name].open(self.sealer, one, row, self.secret)
        return {name: self._without_others(read(value))}

    def _without_others(self, value: Json) -> Json:
        """A value without what it says of anybody else: the wrong holder of a card, say."""
        if not isinstance(value, dict):
            return value
        whose = value.get("personal_id")
        if whose is not None and self._is_other(whose):
            return _OF_ANOTHER
        return {
            name: _OF_ANOTHER
            if name == "guardian" and self._is_other(part)
            else self._without_others(part)
            for name, part in value.items()
        }

    def _is_other(self, personal_id: str) -> bool:
        return self.sealer.blind_index("personal_id", personal_id) != self.key


def _text(value: bytes) -> Json:
    return value.decode()


_READERS: Mapping[str, Callable[[bytes], Json]] = {
    "citizen.record": json.loads,
    "subscription.msisdn": _text,
    "subscription.claim": json.loads,
    "primary_number.msisdn": _text,
    "fallback_number.msisdn": _text,
    "verification.evidence": json.loads,
    "message.text": json.loads,
    "arrangement.parties": json.loads,
    "face_reference.card_issued_on": _text,
}
"""How a sealed value is read; what is not here is an image or a template, and is not shown."""


def _plain(value: object) -> Json:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return value
