"""Each citizen's primary number.

Owns the rows of `primary_number`. That there is at most one, and that it is the citizen's own
eligible number, is the database's doing (see `tables.py`): this file only asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.storage.arrays import any_of
from identity.storage.citizens import citizen_key
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_msisdn, seal_msisdn
from identity.storage.tables import primary_number


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryNumber:
    """A citizen's primary number, with when it was marked and its holder last verified."""

    subscription_id: UUID
    msisdn: MSISDN
    set_at: datetime
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Primaries:
    """The primary numbers of one transaction."""

    connection: Connection
    sealer: Sealer

    def key_of(self, personal_id: PersonalID) -> bytes:
        """The key under which a citizen's primary is stored and audited."""
        return citizen_key(self.sealer, personal_id)

    def find(self, personal_id: PersonalID) -> PrimaryNumber | None:
        """The citizen's primary number, if one is marked."""
        key = self.key_of(personal_id)
        return self.find_by_keys([key]).get(key)

    def find_by_keys(self, keys: Iterable[bytes]) -> Mapping[bytes, PrimaryNumber]:
        """The primary numbers that exist among citizens, by their keys."""
        query = select(
            primary_number.c.citizen_key,
            primary_number.c.subscription_id,
            primary_number.c.msisdn_sealed,
            primary_number.c.set_at,
            primary_number.c.verified_at,
        ).where(any_of(primary_number.c.citizen_key, keys))
        return {
            key: PrimaryNumber(
                subscription_id=subscription_id,
                msisdn=open_msisdn(self.sealer, sealed, place=_place(key)),
                set_at=set_at,
                verified_at=verified_at,
            )
            for key, subscription_id, sealed, set_at, verified_at in self.connection.execute(query)
        }

    def held_by(self, subscription_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Which of some subscriptions are somebody's primary number."""
        column = primary_number.c.subscription_id
        query = select(column).where(any_of(column, subscription_ids))
        return frozenset(self.connection.execute(query).scalars())

    def set(self, item: Subscription, *, at: datetime) -> None:
        """Make a subscription its claimed holder's primary number.

        Raises:
            PrimaryNotEligibleError: The database knows better: it is no longer the citizen's own,
                linked, verified and in service.
        """
        key = self.key_of(item.claim.personal_id)
        statement = insert(primary_number).values(
            citizen_key=key,
            subscription_id=item.subscription_id,
            is_eligible=True,
            msisdn_sealed=seal_msisdn(self.sealer, item.msisdn, place=_place(key)),
            verified_at=item.verified_at,
            set_at=at,
        )
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[primary_number.c.citizen_key],
            set_={
                "subscription_id": new.subscription_id,
                "msisdn_sealed": new.msisdn_sealed,
                "verified_at": new.verified_at,
                "set_at": new.set_at,
            },
        )
        try:
            with self.connection.begin_nested():
                self.connection.execute(statement)
        except IntegrityError as error:
            raise PrimaryNotEligibleError("the number is not eligible any more") from error

    def clear(self, item: Subscription) -> None:
        """Take the mark off a subscription, if it is a primary number."""
        self.connection.execute(
            delete(primary_number).where(
                primary_number.c.citizen_key == self.key_of(item.claim.personal_id),
                primary_number.c.subscription_id == item.subscription_id,
            )
        )

    def confirm(self, item: Subscription) -> None:
        """Note a fresh verification on the primary number, if the subscription is one."""
        self.connection.execute(
            update(primary_number)
            .where(primary_number.c.subscription_id == item.subscription_id)
            .values(verified_at=item.verified_at)
        )


def _place(key: bytes) -> bytes:
    return b"primary_number.msisdn|" + key
