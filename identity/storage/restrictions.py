"""What citizens do not want done with their data.

Owns the rows of `restriction`. Whoever answers somebody about a citizen asks here first; what
follows from an objection is theirs to know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select, text, update

from identity.domain.agency import Purpose
from identity.storage.arrays import any_key
from identity.storage.contact_changes import note_changed
from identity.storage.privacy_tables import restriction

# The update changes nothing: it waits for whoever holds the row, and then holds it.
_HOLD = text(
    "INSERT INTO restriction (citizen_key, objected_purposes, is_restricted, changed_at)"
    " VALUES (:key, '{}', false, :at)"
    " ON CONFLICT (citizen_key) DO UPDATE SET citizen_key = excluded.citizen_key"
    " RETURNING objected_purposes, is_restricted"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What one citizen does not want.

    Attributes:
        objected_purposes: What agencies shall not contact the citizen for.
        is_restricted: Whether processing is suspended: agencies get nothing, except for safety.
    """

    objected_purposes: frozenset[Purpose] = field(default_factory=frozenset)
    is_restricted: bool = False

    @property
    def has_objected(self) -> bool:
        """Whether the citizen objects to anything."""
        return bool(self.objected_purposes)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """The restrictions of one transaction."""

    connection: Connection

    def find(self, keys: Iterable[bytes]) -> Mapping[bytes, Restriction]:
        """Those of some citizens, by their keys, in one query; who wants nothing is not there."""
        columns = (
            restriction.c.citizen_key,
            restriction.c.objected_purposes,
            restriction.c.is_restricted,
        )
        query = select(*columns).where(any_key(restriction.c.citizen_key, keys))
        return {
            key: Restriction(
                objected_purposes=frozenset(map(Purpose, purposes)), is_restricted=is_restricted
            )
            for key, purposes, is_restricted in self.connection.execute(query)
        }

    def suspended_among(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """The keys of those among some citizens who have had processing suspended."""
        query = select(restriction.c.citizen_key).where(
            any_key(restriction.c.citizen_key, keys), restriction.c.is_restricted
        )
        return frozenset(self.connection.execute(query).scalars())

    def hold(self, key: bytes, *, at: datetime) -> Restriction:
        """One citizen's; nobody else changes it until the transaction ends."""
        row = self.connection.execute(_HOLD, {"key": key, "at": at}).one()
        purposes = frozenset(map(Purpose, row.objected_purposes))
        return Restriction(objected_purposes=purposes, is_restricted=row.is_restricted)

    def save(self, key: bytes, wanted: Restriction, *, at: datetime) -> None:
        """Store what a citizen whose row is held wants from now on."""
        self.connection.execute(
            update(restriction)
            .where(restriction.c.citizen_key == key)
            .values(
                objected_purposes=sorted(wanted.objected_purposes),
                is_restricted=wanted.is_restricted,
                changed_at=at,
            )
        )
        note_changed(self.connection, [key], is_wish=True)
