"""Thousands of an agency's records against the population records, in one statement.

Owns the keys by which they are compared without opening anything: a record is opened only where
name or birth date are not the same, or one of them was not given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from identity.domain.holder import PopulationRecord
from identity.domain.record_match import RecordClaim
from identity.storage.citizens import citizen_key, holder_digest, open_record
from identity.storage.sealing import Sealer

_KEY_BYTES = 16
_NO_DIGEST = bytes(_KEY_BYTES)

# What is the same on both sides stays in the database: nothing comes back of it. LATERAL with a
# limit has each key looked up in the one partition that can have it; a plain join may read all.
_APART = text(
    "SELECT asked.place, known.record_sealed FROM"
    " (SELECT place, substr(CAST(:keys AS bytea), place * 16 + 1, 16) AS key,"
    "   substr(CAST(:digests AS bytea), place * 16 + 1, 16) AS digest"
    "   FROM generate_series(0, :last) AS place) AS asked"
    " LEFT JOIN LATERAL (SELECT holder_digest, record_sealed FROM citizen"
    "  WHERE citizen_key = asked.key LIMIT 1) AS known ON true"
    " WHERE known.holder_digest IS DISTINCT FROM asked.digest"
)


@dataclass(frozen=True, slots=True)
class IndexedRecord:
    """An agency's record with the keys that it is compared by.

    Attributes:
        claim: It.
        citizen_key: Blind index of the personal ID.
        digest: Of all of it, if name and birth date were given; of nobody's otherwise.
    """

    claim: RecordClaim
    citizen_key: bytes
    digest: bytes


def index_record(sealer: Sealer, claim: RecordClaim) -> IndexedRecord:
    """Make the keys; the costly part, and it needs no transaction."""
    digest = _NO_DIGEST
    if claim.full_name is not None and claim.birth_date is not None:
        digest = holder_digest(sealer, claim.personal_id, claim.full_name, claim.birth_date)
    return IndexedRecord(claim, citizen_key(sealer, claim.personal_id), digest)


@dataclass(frozen=True, slots=True)
class RecordMatching:
    """The records of one transaction."""

    connection: Connection
    sealer: Sealer

    def find_apart(self, rows: Sequence[IndexedRecord]) -> Mapping[int, PopulationRecord | None]:
        """By the places of those rows that are not the same: their records, None without one."""
        if not rows:
            return {}
        given = {
            "keys": b"".join(row.citizen_key for row in rows),
            "digests": b"".join(row.digest for row in rows),
            "last": len(rows) - 1,
        }
        return {
            place: None
            if sealed is None
            else open_record(self.sealer, sealed, rows[place].citizen_key)
            for place, sealed in self.connection.execute(_APART, given)
        }
