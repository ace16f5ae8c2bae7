"""The history of links: each change of state, when, and what led to it.

Owns the rows of `link_change`, which are only ever added. The state in force is the subscription's.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, select, text

from identity.domain.link import LinkState
from identity.storage.arrays import PACKED_REFERENCES, References
from identity.storage.bulk_tables import link_change

_ADD = text(
    "INSERT INTO link_change"  # noqa: S608 - no input
    " (msisdn_key, subscription_id, changed_at, action, from_state, to_state)"
    f" SELECT key, id, :at, :action, :from, :to FROM {PACKED_REFERENCES} AS changed"
)


class LinkAction(StrEnum):
    """What leads to a change. Append-only: stored lines hold these names."""

    POPULATION_IMPORT = "import_population"
    POPULATION_CHANGE = "apply_population_changes"
    COMPARISON = "link_registry"
    BOOK_CORRECTED = "import_subscriptions"
    NEW_HOLDER = "new_holder"
    DISPUTE_DECIDED = "decide_dispute"


NEW_HOLDER_ACTIONS = frozenset({LinkAction.NEW_HOLDER, LinkAction.DISPUTE_DECIDED})
"""What stands before is of another person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """One change of a link.

    Attributes:
        msisdn_key: Key of the number.
        subscription_id: Whose link.
        from_state: Before.
        to_state: After.
    """

    msisdn_key: bytes
    subscription_id: UUID
    from_state: LinkState
    to_state: LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLinkChange:
    """One line of a subscription's history."""

    changed_at: datetime
    action: LinkAction
    from_state: LinkState
    to_state: LinkState


@dataclass(frozen=True, slots=True)
class LinkChanges:
    """The history, in one transaction."""

    connection: Connection

    def add_many(self, changes: Sequence[LinkChange], *, action: str, at: datetime) -> None:
        """Append changes that happened together."""
        alike: dict[tuple[LinkState, LinkState], list[tuple[bytes, UUID]]] = defaultdict(list)
        for change in changes:
            reference = (change.msisdn_key, change.subscription_id)
            alike[change.from_state, change.to_state].append(reference)
        for (before, after), references in alike.items():
            names = {"from": before.value, "to": after.value, "at": at, "action": action}
            self.connection.execute(_ADD, {**References.of(references).parameters, **names})

    def list_of(
        self, msisdn_key: bytes, subscription_id: UUID, *, limit: int = 100
    ) -> tuple[PastLinkChange, ...]:
        """The last changes of one subscription, oldest first."""
        query = (
            select(
                link_change.c.changed_at,
                link_change.c.action,
                link_change.c.from_state,
                link_change.c.to_state,
            )
            .where(
                link_change.c.msisdn_key == msisdn_key,
                link_change.c.subscription_id == subscription_id,
            )
            .order_by(link_change.c.position.desc())
            .limit(limit)
        )
        return tuple(
            PastLinkChange(
                changed_at=row.changed_at,
                action=LinkAction(row.action),
                from_state=LinkState(row.from_state),
                to_state=LinkState(row.to_state),
            )
            for row in reversed(self.connection.execute(query).all())
        )
