"""Numbers that two people claim.

Owns the rows of `dispute`. What a dispute holds and who may decide is the domain's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from identity.domain.subscription import Subscription
from identity.storage.arrays import any_of
from identity.storage.enforcement_tables import dispute
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key


@dataclass(frozen=True, slots=True)
class Disputes:
    """The disputes of one transaction."""

    connection: Connection
    sealer: Sealer

    def disputed(self, items: Collection[Subscription]) -> frozenset[UUID]:
        """Which of some subscriptions are in dispute."""
        if not items:
            return frozenset()
        query = select(dispute.c.subscription_id).where(
            any_of(dispute.c.msisdn_key, (msisdn_key(self.sealer, item.msisdn) for item in items)),
            any_of(dispute.c.subscription_id, (item.subscription_id for item in items)),
            dispute.c.state != "closed",
        )
        return frozenset(self.connection.execute(query).scalars())
