"""Population records: stored sealed, found by blind index.

Owns the rows of `citizen`. Knows nothing of subscriptions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from sqlalchemy import Connection, Select, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.storage.arrays import any_key
from identity.storage.conversions import dump_record, load_record
from identity.storage.copying import copy_rows
from identity.storage.sealing import Sealer
from identity.storage.tables import citizen


def citizen_key(sealer: Sealer, personal_id: PersonalID) -> bytes:
    """The blind index that stands for a personal ID wherever one is needed as a key."""
    return sealer.blind_index("personal_id", personal_id.value)


def holder_digest(
    sealer: Sealer, personal_id: PersonalID, full_name: PersonName, birth_date: date
) -> bytes:
    """Equal exactly where the comparison of holders finds name and birth date to match.

    It holds the personal ID as well: namesakes of one birth date do not show as such.
    """
    value = f"{personal_id.value}|{birth_date.isoformat()}|{full_name.key}"
    return sealer.blind_index("holder", value)


def _record_holder_digest(sealer: Sealer, record: PopulationRecord) -> bytes:
    """A record's side of `holder_digest`; of a merged one it equals no claim's at all."""
    if record.merged_into is not None:
        # A claim's value has three parts.
        return sealer.blind_index("holder", f"{record.personal_id.value}|merged")
    return holder_digest(sealer, record.personal_id, record.full_name, record.birth_date)


def open_record(sealer: Sealer, sealed: bytes, key: bytes) -> PopulationRecord:
    """Read what is stored of a citizen's record."""
    return load_record(sealer.open(sealed, context=_context(key)))


def _context(key: bytes) -> bytes:
    return b"citizen.record|" + key


_BUCKETS = 64
"""Locks that all citizens share. A batch of an import takes all of them, a single change one: more
would fill the lock table (max_locks_per_transaction), fewer make single changes meet by chance."""

_HOLD = (
    "SELECT pg_advisory_xact_lock{}(hashtext('subid.citizen'), bucket)"
    " FROM unnest(CAST(:buckets AS int[])) AS bucket"
)
_HOLD_SHARED = text(_HOLD.format("_shared"))
_HOLD_ALONE = text(_HOLD.format(""))

_MARK_ABSENT = text(
    "UPDATE citizen SET absent_since = :at"
    " WHERE absent_since IS NULL AND NOT is_merged AND created_at < :began_at"
    " AND NOT EXISTS (SELECT FROM import_row"
    "  WHERE row_key = citizen.citizen_key AND import_id = :import_id)"
)

# Not those whom it names and another one, sent at the same time, has marked since.
_COUNT_ABSENT = text(
    "SELECT count(*) FROM citizen WHERE absent_since IS NOT NULL AND NOT is_merged"
    " AND NOT EXISTS (SELECT FROM import_row"
    "  WHERE row_key = citizen.citizen_key AND import_id = :import_id)"
)

_COLUMNS: Mapping[LiteralString, str] = {
    "citizen_key": "bytea",
    "record_sealed": "bytea",
    "record_digest": "bytea",
    "holder_digest": "bytea",
    "is_deceased": "boolean",
    "is_merged": "boolean",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}


def _buckets(keys: Iterable[bytes]) -> list[int]:
    """The locks of some citizens, in the one order in which everybody takes them."""
    return sorted({key[0] % _BUCKETS for key in keys})


@dataclass(frozen=True, slots=True)
class KnownHolder:
    """What the register knows of a citizen, as far as equality needs it."""

    holder_digest: bytes
    is_deceased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """How many records were new, differed, or were known already.

    Attributes:
        created_count: New ones.
        changed_count: Known ones that differed.
        unchanged_count: Known ones that did not.
        keys: Keys of all of them.
        touched: Keys of those that are new or differed.
        retired: Places of those that were not saved: what was merged into another record stays so,
            whatever an older copy of the register says.
        gone: Keys of known ones whose records now say that they have died, or that their personal
            IDs are retired.
    """

    created_count: int
    changed_count: int
    unchanged_count: int
    keys: Sequence[bytes]
    touched: Sequence[bytes]
    retired: Sequence[int] = ()
    gone: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Citizens:
    """The records of one transaction."""

    connection: Connection
    sealer: Sealer

    def find(self, personal_id: PersonalID, *, lock: bool = False) -> PopulationRecord | None:
        """The record of a personal ID, if any; `lock` keeps it so until the transaction ends."""
        return self.find_many([personal_id], lock=lock).get(personal_id)

    def find_many(
        self, ids: Iterable[PersonalID], *, lock: bool = False
    ) -> Mapping[PersonalID, PopulationRecord]:
        """The records that exist, by personal ID. Locks in key order, as saving does."""
        wanted = set(ids)
        if lock:
            self.hold_alone(citizen_key(self.sealer, personal_id) for personal_id in wanted)
        query = self._by_ids(wanted)
        return self._records(query.with_for_update() if lock else query)

    def find_many_shared(self, ids: Iterable[PersonalID]) -> Mapping[PersonalID, PopulationRecord]:
        """`find_many` for comparing claims: the records stay as they are until the end."""
        wanted = set(ids)
        self.hold_still(citizen_key(self.sealer, personal_id) for personal_id in wanted)
        return self.find_many(wanted)

    def hold_still(self, keys: Iterable[bytes]) -> None:
        """Let nobody change or enter the records of some citizens until the end.

        For comparing claims: a birth or death that is entered meanwhile would not see the new
        claim, nor it the record. Locks on rows would not do, because a birth has no row yet; and
        they would write to each row that a book is compared with. Taken before any other lock.
        """
        self.connection.execute(_HOLD_SHARED, {"buckets": _buckets(keys)})

    def hold_all_still(self) -> None:
        """The same of every citizen."""
        self.connection.execute(_HOLD_SHARED, {"buckets": list(range(_BUCKETS))})

    def holders(self, keys: Iterable[bytes]) -> Mapping[bytes, KnownHolder]:
        """What tells whether claims match, by citizen, without decrypting anything."""
        query = select(citizen.c.citizen_key, citizen.c.holder_digest, citizen.c.is_deceased)
        rows = self.connection.execute(query.where(any_key(citizen.c.citizen_key, keys)))
        return {row[0]: KnownHolder(row[1], is_deceased=row[2]) for row in rows}

    def has_any(self) -> bool:
        """Whether the register knows anybody at all."""
        return self.connection.execute(select(citizen.c.citizen_key).limit(1)).first() is not None

    def add(self, record: PopulationRecord, *, at: datetime) -> bool:
        """Insert a record; False when the personal ID has one already."""
        self.hold_alone([citizen_key(self.sealer, record.personal_id)])
        statement = insert(citizen).values(self._row(record, at=at)).on_conflict_do_nothing()
        # A driver's count of rows is not to be had for every kind of insert; a returned row is.
        added = self.connection.execute(statement.returning(citizen.c.citizen_key))
        return added.first() is not None

    def save_many(self, records: Sequence[PopulationRecord], *, at: datetime) -> Saved:
        """Insert or replace records, each personal ID at most once; the same again is no change."""
        rows = {row["citizen_key"]: row for row in (self._row(r, at=at) for r in records)}
        self.hold_alone(rows)
        merged = self._merged(key for key, row in rows.items() if not row["is_merged"])
        retired = [place for place, key in enumerate(rows) if key in merged]
        rows = {key: row for key, row in rows.items() if key not in merged}
        known = self._digests(rows)
        fresh = [row for key, row in rows.items() if known.get(key) != row["record_digest"]]
        created_count = sum(key not in known for key in rows)
        self._copy([row for row in fresh if row["citizen_key"] not in known])
        # In key order, so that two imports cannot deadlock.
        changed = [row for row in fresh if row["citizen_key"] in known]
        self._upsert(sorted(changed, key=lambda row: row["citizen_key"]))
        return Saved(
            created_count=created_count,
            changed_count=len(fresh) - created_count,
            unchanged_count=len(rows) - len(fresh),
            keys=list(rows),
            touched=[row["citizen_key"] for row in fresh],
            retired=retired,
            gone=[row["citizen_key"] for row in changed if row["is_deceased"] or row["is_merged"]],
        )

    def mark_present(self, keys: Iterable[bytes]) -> None:
        """Citizens whom the register's snapshot names again."""
        self.connection.execute(
            update(citizen)
            .where(any_key(citizen.c.citizen_key, keys), citizen.c.absent_since.is_not(None))
            .values(absent_since=None)
        )

    def mark_absent(self, *, import_id: int, began_at: datetime, at: datetime) -> int:
        """Whom the register's whole snapshot did not name; returns how many they are."""
        names = {"import_id": import_id, "began_at": began_at, "at": at}
        self.connection.execute(_MARK_ABSENT, names)
        return int(self.connection.execute(_COUNT_ABSENT, names).scalar_one())

    def _by_ids(self, ids: Iterable[PersonalID]) -> Select[Any]:
        keys = [citizen_key(self.sealer, personal_id) for personal_id in set(ids)]
        query = select(citizen.c.citizen_key, citizen.c.record_sealed)
        return query.where(any_key(citizen.c.citizen_key, keys)).order_by(citizen.c.citizen_key)

    def _records(self, query: Select[Any]) -> Mapping[PersonalID, PopulationRecord]:
        records = (
            open_record(self.sealer, sealed, key) for key, sealed in self.connection.execute(query)
        )
        return {record.personal_id: record for record in records}

    def personal_ids(self, keys: Iterable[bytes]) -> Mapping[bytes, PersonalID]:
        """Whom some keys stand for, where there is a record."""
        query = select(citizen.c.citizen_key, citizen.c.record_sealed)
        records = self._records(query.where(any_key(citizen.c.citizen_key, keys)))
        return {citizen_key(self.sealer, personal_id): personal_id for personal_id in records}

    def _digests(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        query = select(citizen.c.citizen_key, citizen.c.record_digest)
        rows = self.connection.execute(query.where(any_key(citizen.c.citizen_key, keys)))
        return {row.citizen_key: row.record_digest for row in rows}

    def _merged(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        query = select(citizen.c.citizen_key).where(any_key(citizen.c.citizen_key, keys))
        return frozenset(self.connection.scalars(query.where(citizen.c.is_merged)))

    def hold_alone(self, keys: Iterable[bytes]) -> None:
        """Keep claims from being compared with records that are about to change."""
        self.connection.execute(_HOLD_ALONE, {"buckets": _buckets(keys)})

    def _copy(self, rows: Sequence[Mapping[str, Any]]) -> None:
        values = ([row[column] for column in _COLUMNS] for row in rows)
        copy_rows(self.connection, "citizen", _COLUMNS, values)

    def _upsert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        statement = insert(citizen)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[citizen.c.citizen_key],
            set_={
                "record_sealed": new.record_sealed,
                "record_digest": new.record_digest,
                "holder_digest": new.holder_digest,
                "is_deceased": new.is_deceased,
                "is_merged": new.is_merged,
                "updated_at": new.updated_at,
            },
        )
        self.connection.execute(statement, rows)

    def _row(self, record: PopulationRecord, *, at: datetime) -> dict[str, Any]:
        key = citizen_key(self.sealer, record.personal_id)
        plaintext = dump_record(record)
        return {
            "citizen_key": key,
            "record_sealed": self.sealer.seal(plaintext, context=_context(key)),
            "record_digest": self.sealer.blind_index("record", plaintext.decode()),
            "holder_digest": _record_holder_digest(self.sealer, record),
            "is_deceased": record.deceased_on is not None,
            "is_merged": record.merged_into is not None,
            "created_at": at,
            "updated_at": at,
        }
