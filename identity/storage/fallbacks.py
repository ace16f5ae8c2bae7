"""The numbers that stand in for a citizen's primary one, in their order.

Owns the rows of `fallback_number`. That each is a number in service in the citizen's own name
is the database's doing: one that is so no more goes by itself. Whether one is eligible is looked at
when somebody is to be reached (`reachable.py`). Like a primary number, each has its own sealed copy
of the number: to reach a citizen never crosses over to where subscriptions lie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from identity.domain.msisdn import MSISDN
from identity.domain.subscription import Subscription
from identity.storage.choice_tables import fallback_number
from identity.storage.citizens import citizen_key
from identity.storage.contact_changes import note_changed
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_msisdn, seal_msisdn


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackNumber:
    """A number that stands in from an instant on, eligible or not."""

    subscription_id: UUID
    msisdn: MSISDN
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The fallback numbers of one transaction."""

    connection: Connection
    sealer: Sealer

    def find(self, key: bytes) -> Sequence[FallbackNumber]:
        """What stands in for a citizen's primary number, in its order."""
        columns = fallback_number.c
        query = select(columns.subscription_id, columns.msisdn_sealed, columns.set_at)
        query = query.where(columns.citizen_key == key).order_by(columns.rank)
        return [
            FallbackNumber(
                subscription_id=identity,
                msisdn=open_fallback(self.sealer, sealed, key, identity),
                set_at=set_at,
            )
            for identity, sealed, set_at in self.connection.execute(query)
        ]

    def rank(
        self,
        key: bytes,
        items: Sequence[Subscription],
        *,
        at: datetime,
        since: Mapping[UUID, datetime] = MappingProxyType({}),
    ) -> None:
        """Have these stand in, in this order, and no others; each is the citizen's own.

        Args:
            key: The citizen's.
            items: The numbers.
            at: Now.
            since: From when on each stands in, where that is not now.
        """
        self.connection.execute(delete(fallback_number).where(fallback_number.c.citizen_key == key))
        if items:
            rows = [
                {
                    "citizen_key": key,
                    "rank": rank,
                    "subscription_id": item.subscription_id,
                    "msisdn_sealed": self._seal(key, item),
                    "verified_at": item.verified_at,
                    "set_at": since.get(item.subscription_id, at),
                }
                for rank, item in enumerate(items, start=1)
            ]
            self.connection.execute(insert(fallback_number), rows)
        note_changed(self.connection, [key])

    def drop(self, item: Subscription) -> None:
        """Have a number stand in no more."""
        gone = delete(fallback_number).where(*self._is(item))
        keys = self.connection.scalars(gone.returning(fallback_number.c.citizen_key))
        note_changed(self.connection, keys)

    def drop_waiting(self, key: bytes, *, at: datetime) -> None:
        """Have those of a citizen's numbers never stand in that do not yet."""
        columns = fallback_number.c
        waiting = delete(fallback_number).where(columns.citizen_key == key, columns.set_at > at)
        self.connection.execute(waiting)

    def confirm_verified(self, item: Subscription) -> None:
        """Note a fresh verification, if the number stands in."""
        self.connection.execute(
            update(fallback_number).where(*self._is(item)).values(verified_at=item.verified_at)
        )

    def _is(self, item: Subscription) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """The row of a number among those of its claimed holder."""
        return (
            fallback_number.c.citizen_key == citizen_key(self.sealer, item.claim.personal_id),
            fallback_number.c.subscription_id == item.subscription_id,
        )

    def _seal(self, key: bytes, item: Subscription) -> bytes:
        return seal_msisdn(self.sealer, item.msisdn, place=_place(key, item.subscription_id))


def open_fallback(sealer: Sealer, sealed: bytes, key: bytes, subscription_id: UUID) -> MSISDN:
    """Read what was sealed for a citizen's fallback number."""
    return open_msisdn(sealer, sealed, place=_place(key, subscription_id))


def _place(key: bytes, subscription_id: UUID) -> bytes:
    return b"|".join((b"fallback_number.msisdn", key, subscription_id.bytes))
