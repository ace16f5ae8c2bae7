"""Through which number a citizen can be reached now.

Owns the one query that answers it: the primary number, else the first eligible fallback, else none.
A primary number is always eligible (see `tables.py`); a fallback is looked at in its holding. All
of it stands under the citizen's key, so a thousand citizens are a thousand visits to one place each
and no more, whoever they are: somebody unknown costs what anybody costs. Knows no agency and no
objection.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from identity.domain.msisdn import MSISDN
from identity.storage.fallbacks import open_fallback
from identity.storage.primaries import open_primary
from identity.storage.sealing import Sealer

# The keys go packed (see `arrays.py`). Each is looked up by itself, in the partition that has it.
_REACHABLE = text(
    "SELECT k.citizen_key, r.* FROM"
    " (SELECT substr(CAST(:keys AS bytea), place * :key_bytes + 1, :key_bytes) AS citizen_key"
    "  FROM generate_series(0, :last) AS place) AS k"
    " CROSS JOIN LATERAL ("
    "  SELECT p.subscription_id, p.msisdn_sealed, p.set_at, p.confirmed_at, p.verified_at,"
    "   0 AS rank FROM primary_number AS p WHERE p.citizen_key = k.citizen_key"
    "  UNION ALL SELECT f.subscription_id, f.msisdn_sealed, f.set_at,"
    "   greatest(f.set_at, f.verified_at), f.verified_at, f.rank"
    "   FROM fallback_number AS f JOIN holding AS h"
    "    ON h.citizen_key = f.citizen_key AND h.subscription_id = f.subscription_id"
    "   WHERE f.citizen_key = k.citizen_key AND f.set_at <= :at AND h.is_eligible"
    "  ORDER BY rank LIMIT 1) AS r"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """The number that a citizen can be reached through.

    Attributes:
        subscription_id: Its subscription.
        msisdn: The number.
        set_at: When it was marked; of a fallback, since when it stands in.
        confirmed_at: When its citizen last said, or proved, that it is the one.
        verified_at: When its holder was last verified.
        is_fallback: It stands in for a primary number, which there is none of now.
    """

    subscription_id: UUID
    msisdn: MSISDN
    set_at: datetime
    confirmed_at: datetime
    verified_at: datetime
    is_fallback: bool


@dataclass(frozen=True, slots=True)
class ReachableNumbers:
    """Who can be reached, in one transaction."""

    connection: Connection
    sealer: Sealer

    def find(self, keys: Iterable[bytes], *, at: datetime) -> Mapping[bytes, Reachable]:
        """Through which numbers some citizens can be reached, by their keys; others are left out.

        Args:
            keys: Keys of citizens, a thousand or so at most.
            at: The instant; a fallback stands in from its own on.
        """
        listed = sorted(set(keys))
        if not listed:
            return {}
        names = {"keys": b"".join(listed), "key_bytes": len(listed[0]), "last": len(listed) - 1}
        rows = self.connection.execute(_REACHABLE, names | {"at": at}).mappings()
        return {row["citizen_key"]: self._reachable(row) for row in rows}

    def _reachable(self, row: RowMapping) -> Reachable:
        key, subscription_id = row["citizen_key"], row["subscription_id"]
        sealed, is_fallback = row["msisdn_sealed"], row["rank"] > 0
        msisdn = (
            open_fallback(self.sealer, sealed, key, subscription_id)
            if is_fallback
            else open_primary(self.sealer, sealed, key)
        )
        return Reachable(
            subscription_id=subscription_id,
            msisdn=msisdn,
            set_at=row["set_at"],
            confirmed_at=row["confirmed_at"],
            verified_at=row["verified_at"],
            is_fallback=is_fallback,
        )
