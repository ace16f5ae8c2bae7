"""Each citizen's primary number.

Owns the rows of `primary_number`. That there is at most one, and that it is the citizen's own
eligible number, is the database's doing (see `tables.py`): this file only asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import ClearCause
from identity.domain.subscription import Subscription
from identity.storage.arrays import Reference, any_of
from identity.storage.choice_tables import citizen_choice
from identity.storage.choices import Cleared, clear_primaries, confirm_verified_primary
from identity.storage.citizens import citizen_key
from identity.storage.contact_changes import note_changed
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_msisdn, seal_msisdn
from identity.storage.tables import primary_number

_NEW = insert(primary_number)
_SET = _NEW.on_conflict_do_update(
    index_elements=[primary_number.c.citizen_key],
    set_={
        name: _NEW.excluded[name]
        for name in ("subscription_id", "msisdn_sealed", "verified_at", "set_at", "confirmed_at")
    },
)
# Where a choice is made its citizen's row is held before; elsewhere this makes one.
_HAVE_CHOSEN = insert(citizen_choice).values(has_chosen=True).on_conflict_do_nothing()

# The condition is that of the index, which holds nobody else.
_UNASKED = text(
    "SELECT p.citizen_key, h.msisdn_key, p.subscription_id"
    " FROM (SELECT citizen_key, subscription_id FROM primary_number"
    "  WHERE (asked_at IS NULL OR asked_at < confirmed_at) AND confirmed_at <= :until"
    "  ORDER BY confirmed_at, citizen_key LIMIT :limit) AS p"
    " JOIN holding AS h USING (citizen_key, subscription_id)"
)
_MARK_ASKED = text(
    "UPDATE primary_number SET asked_at = :at FROM"
    " (SELECT citizen_key, subscription_id FROM primary_number"
    "  JOIN unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS one (key, id)"
    "  ON citizen_key = one.key AND subscription_id = one.id"
    "  ORDER BY citizen_key FOR UPDATE OF primary_number) AS due"
    " WHERE primary_number.citizen_key = due.citizen_key"
    " AND primary_number.subscription_id = due.subscription_id"
    " AND (asked_at IS NULL OR asked_at < confirmed_at) AND confirmed_at <= :until"
    " RETURNING primary_number.subscription_id, primary_number.confirmed_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryNumber:
    """A citizen's primary number, with when it was marked and its holder last verified."""

    subscription_id: UUID
    msisdn: MSISDN
    set_at: datetime
    verified_at: datetime
    confirmed_at: datetime


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
            primary_number.c.confirmed_at,
        ).where(any_of(primary_number.c.citizen_key, keys))
        return {
            key: PrimaryNumber(
                subscription_id=subscription_id,
                msisdn=open_primary(self.sealer, sealed, key),
                set_at=set_at,
                verified_at=verified_at,
                confirmed_at=confirmed_at,
            )
            for key, subscription_id, sealed, set_at, verified_at, confirmed_at in (
                self.connection.execute(query)
            )
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
        key = {"citizen_key": self.key_of(item.claim.personal_id)}
        try:
            with self.connection.begin_nested():
                self.connection.execute(_HAVE_CHOSEN, key)
                self.set_many([item], at=at)
        except IntegrityError as error:
            raise PrimaryNotEligibleError("the number is not eligible any more") from error

    def set_many(self, items: Iterable[Subscription], *, at: datetime) -> None:
        """The same of many whose citizens' choices are held, each locked and looked at before."""
        rows = [self._row(item, at=at) for item in items]
        if rows:
            self.connection.execute(_SET, rows)
            note_changed(self.connection, (row["citizen_key"] for row in rows))

    def _row(self, item: Subscription, *, at: datetime) -> Mapping[str, Any]:
        key = self.key_of(item.claim.personal_id)
        return {
            "citizen_key": key,
            "subscription_id": item.subscription_id,
            "is_eligible": True,
            "msisdn_sealed": seal_msisdn(self.sealer, item.msisdn, place=_place(key)),
            "verified_at": item.verified_at,
            "set_at": at,
            "confirmed_at": at,
        }

    def clear(self, item: Subscription, cause: ClearCause, *, at: datetime) -> None:
        """Take the mark off a subscription, if it is a primary number."""
        cleared = Cleared(subscription_id=item.subscription_id, cause=cause, at=at)
        clear_primaries(self.connection, [cleared])

    def confirm(self, personal_id: PersonalID, *, at: datetime) -> None:
        """Note that a citizen has confirmed the primary number."""
        self.connection.execute(
            update(primary_number)
            .where(primary_number.c.citizen_key == self.key_of(personal_id))
            .values(confirmed_at=at)
        )

    def list_unasked(self, *, confirmed_until: datetime, limit: int) -> Mapping[bytes, Reference]:
        """Citizens whose number was confirmed by an instant, and who were not asked since.

        Those of the longest past first; each with the full key of the number.
        """
        rows = self.connection.execute(_UNASKED, {"until": confirmed_until, "limit": limit})
        return {key: (number, identity) for key, number, identity in rows}

    def mark_asked(
        self, due: Mapping[bytes, Reference], *, confirmed_until: datetime, at: datetime
    ) -> Mapping[UUID, datetime]:
        """Note that citizens are asked, unless they have confirmed or changed it meanwhile.

        Returns when each number was confirmed last, by its subscription.
        """
        given = {
            "keys": list(due),
            "ids": [identity for _, identity in due.values()],
            "until": confirmed_until,
            "at": at,
        }
        rows = self.connection.execute(_MARK_ASKED, given)
        return {row.subscription_id: row.confirmed_at for row in rows}

    def confirm_verified(self, item: Subscription) -> None:
        """Note a fresh verification on the primary number, if the subscription is one.

        To be verified is to say that the number is one's own: it confirms it too.
        """
        if item.verified_at is not None:
            confirm_verified_primary(self.connection, item.subscription_id, item.verified_at)


def open_primary(sealer: Sealer, sealed: bytes, key: bytes) -> MSISDN:
    """Read what was sealed for a citizen's primary number."""
    return open_msisdn(sealer, sealed, place=_place(key))


def _place(key: bytes) -> bytes:
    return b"primary_number.msisdn|" + key
