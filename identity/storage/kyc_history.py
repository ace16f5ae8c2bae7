"""What is known of who has had a number, and how much was guessed about it today.

Owns the rows of `kyc_guess`, and the reading of a number's past. Opens nothing that is sealed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, func, select, text

from identity.domain.kyc import NumberPast, Stint
from identity.domain.subscription import Subscription, SubscriptionEnd
from identity.storage.bulk_tables import link_change
from identity.storage.citizens import citizen_key
from identity.storage.link_changes import NEW_HOLDER_ACTIONS
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import subscription

# Of a day before, nothing is left. The row stays held until the transaction ends: two questions at
# once are answered one after the other.
_HOLD = text(
    "INSERT INTO kyc_guess (msisdn_key, day, false_count) VALUES (:key, :day, :more)"
    " ON CONFLICT (msisdn_key) DO UPDATE SET day = excluded.day,"
    "  false_count = excluded.false_count"
    "   + CASE WHEN kyc_guess.day = excluded.day THEN kyc_guess.false_count ELSE 0 END"
    " RETURNING false_count"
)


@dataclass(frozen=True, slots=True)
class KycHistory:
    """Pasts of numbers, in one transaction."""

    connection: Connection
    sealer: Sealer

    def past_of(self, item: Subscription) -> NumberPast:
        """Who has had the number of a subscription that is in service."""
        key = msisdn_key(self.sealer, item.msisdn)
        holder = citizen_key(self.sealer, item.claim.personal_id)
        query = select(
            subscription.c.subscription_id,
            subscription.c.citizen_key,
            subscription.c.created_at,
            subscription.c.activated_on,
            subscription.c.ended_at,
            subscription.c.ended_by,
        ).where(subscription.c.msisdn_key == key)
        rows = self.connection.execute(query.order_by(subscription.c.created_at)).all()
        earlier = [row for row in rows if row.subscription_id != item.subscription_id]
        return NumberPast(
            present=present_stint(item),
            earlier=tuple(_stint(row, holder) for row in earlier),
            new_holder_at=self._new_holder_at(key),
        )

    def _new_holder_at(self, key: bytes) -> datetime | None:
        actions = [action.value for action in NEW_HOLDER_ACTIONS]
        query = select(func.max(link_change.c.changed_at)).where(
            link_change.c.msisdn_key == key, link_change.c.action.in_(actions)
        )
        return self.connection.execute(query).scalar()

    def count_false(self, item: Subscription, more: int, *, day: date) -> int:
        """Add to the false answers about a number on a day, and hold the count; returns it."""
        given = {"key": msisdn_key(self.sealer, item.msisdn), "day": day, "more": more}
        return int(self.connection.execute(_HOLD, given).scalar_one())


def present_stint(item: Subscription) -> Stint:
    """A subscription in service, as its tenure needs it."""
    return Stint(
        is_same_holder=True,
        created_at=item.created_at,
        activated_on=item.activated_on,
        ended_at=None,
        is_continued=True,
    )


def _stint(row: Row, holder: bytes) -> Stint:  # type: ignore[type-arg] # of the columns above
    return Stint(
        is_same_holder=row.citizen_key == holder,
        created_at=row.created_at,
        activated_on=row.activated_on,
        ended_at=row.ended_at,
        is_continued=row.ended_by == SubscriptionEnd.PORTED_OUT.value,
    )
