"""Complaints about what happened to numbers.

Owns the rows of `complaint`: of one number at most one a day. What many of them mean is others' to
say.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from identity.domain.subscription import Subscription
from identity.storage.enforcement_tables import complaint
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key


@dataclass(frozen=True, slots=True)
class Complaints:
    """The complaints of one transaction."""

    connection: Connection
    sealer: Sealer

    def file(self, item: Subscription, *, on: date, at: datetime) -> datetime:
        """Count a complaint about a number, once a day; returns when the one that counts was filed.

        Args:
            item: The number.
            on: The day, in Viet Nam.
            at: The instant.
        """
        key = msisdn_key(self.sealer, item.msisdn)
        statement = insert(complaint).values(
            msisdn_key=key,
            subscription_id=item.subscription_id,
            filed_on=on,
            operator_id=item.operator_id,
            filed_at=at,
        )
        self.connection.execute(statement.on_conflict_do_nothing())
        counted: datetime = self.connection.execute(
            select(complaint.c.filed_at).where(
                complaint.c.msisdn_key == key,
                complaint.c.subscription_id == item.subscription_id,
                complaint.c.filed_on == on,
            )
        ).scalar_one()
        return counted
