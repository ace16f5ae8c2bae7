"""What the population authority is owed: an outbox that holds the newest word on each standing.

Owns the rows of `subscriber_update` and their order: whoever writes or leases updates of a citizen
holds the citizen's row of `subscriber_sequence`, so sequences are given, committed and handed out
in one order. Who is next is `update_queue.py`'s. Knows no rule: what is owed is for the domain to
say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from identity.domain.link import LinkState
from identity.domain.personal_id import PersonalID
from identity.domain.subscriber_update import (
    NO_NEWS,
    Delivery,
    News,
    Observation,
    Standing,
    SubscriberUpdate,
    standing_after,
)
from identity.domain.subscription import ServiceState, SubscriptionEnd
from identity.storage.arrays import PACKED_REFERENCES, Reference, References, any_of
from identity.storage.citizens import Citizens, citizen_key
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import Subscriptions
from identity.storage.tables import primary_number, subscription
from identity.storage.update_queue import UpdateQueue
from identity.storage.update_tables import subscriber_sequence, subscriber_update

Pair = tuple[bytes, UUID]
"""Keys of a standing: citizen and subscription."""

_MAY_BE_OWED = and_(
    subscription.c.verified_at.is_not(None),
    subscription.c.link_state == LinkState.LINKED.value,
    subscription.c.service_state != ServiceState.TERMINATED.value,
)
_TOLD = (
    *("msisdn_key", "sequence", "position", "link_state", "verified_at", "policy_version"),
    *("disowned_at", "primary_since", "ended_by", "changed_at"),
)

# Whoever held the number then may be another than its holder now.
_TOLD_OF = text(
    f"SELECT DISTINCT n.key, n.id FROM {PACKED_REFERENCES} AS n"  # noqa: S608 - no input
    " JOIN subscriber_update AS u ON u.subscription_id = n.id"
)
_ACKNOWLEDGE = text(
    "UPDATE subscriber_update SET acknowledged_sequence = done.sequence,"
    " leased_sequence = NULL, lease_id = NULL, lease_expires_at = NULL"
    " FROM unnest(CAST(:citizens AS bytea[]), CAST(:ids AS uuid[]), CAST(:sequences AS bigint[]))"
    " AS done (citizen_key, subscription_id, sequence)"
    " WHERE subscriber_update.citizen_key = done.citizen_key"
    " AND subscriber_update.subscription_id = done.subscription_id"
)


@dataclass(frozen=True, slots=True)
class SubscriberUpdates:
    """The updates of one transaction."""

    connection: Connection
    sealer: Sealer

    # What is owed.

    def note(self, news: Mapping[Reference, News], *, at: datetime) -> int:
        """Owe what has changed of some subscriptions; returns how many updates that makes.

        To be called after the change is stored, in its transaction. What is stored is read back,
        so whoever changes subscriptions, one or a million, only names which. Of those that were
        never verified nor disowned nothing is written and nothing locked.

        Args:
            news: The subscriptions, each with what their rows do not say.
            at: When it happened.
        """
        keys = self._whose(news)
        if not keys:
            return 0
        last = self._lock(keys)
        rows = self._rows(keys, [identity for _, identity in news])
        owed = self._compare(rows, news, keys, at=at)
        # A number that ceases to be primary comes before the one that takes its place.
        owed.sort(key=lambda each: (each["citizen_key"], each["primary_since"] is not None))
        for row in owed:
            row["sequence"] = last[row["citizen_key"]] = last[row["citizen_key"]] + 1
        self._write(owed, last)
        return len(owed)

    def told_of(self, references: References) -> set[Reference]:
        """Those of some subscriptions of which something was owed before, told yet or not."""
        rows = self.connection.execute(_TOLD_OF, references.parameters)
        return {(key, identity) for key, identity in rows}

    def _whose(self, news: Mapping[Reference, News]) -> set[bytes]:
        """Citizens to whom something may be owed: holders, and those who were told of before."""
        ids = [identity for _, identity in news]
        disowned = [identity for (_, identity), each in news.items() if each.is_disowned]
        holders = select(subscription.c.citizen_key).where(
            *_are(news), or_(_MAY_BE_OWED, any_of(subscription.c.subscription_id, disowned))
        )
        told = select(subscriber_update.c.citizen_key)
        told = told.where(any_of(subscriber_update.c.subscription_id, ids))
        return {key for query in (holders, told) for key in self.connection.scalars(query)}

    def _lock(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """The last sequence of each citizen, which nobody else moves until the end."""
        new = [{"citizen_key": key, "last_sequence": 0} for key in sorted(keys)]
        self.connection.execute(insert(subscriber_sequence).on_conflict_do_nothing(), new)
        query = select(subscriber_sequence.c.citizen_key, subscriber_sequence.c.last_sequence)
        query = query.where(any_of(subscriber_sequence.c.citizen_key, keys))
        # In key order, so that two who lock many can only wait for each other.
        ordered = query.order_by(subscriber_sequence.c.citizen_key).with_for_update()
        return {row.citizen_key: row.last_sequence for row in self.connection.execute(ordered)}

    def _rows(self, keys: Iterable[bytes], ids: Iterable[UUID]) -> dict[Pair, RowMapping]:
        """What was owed last of the subscriptions, and of what was their citizens' primary."""
        query = select(subscriber_update).where(
            any_of(subscriber_update.c.citizen_key, keys),
            or_(
                any_of(subscriber_update.c.subscription_id, ids),
                subscriber_update.c.primary_since.is_not(None),
            ),
        )
        rows = self.connection.execute(query).mappings()
        return {(row["citizen_key"], row["subscription_id"]): row for row in rows}

    def _compare(
        self,
        rows: Mapping[Pair, RowMapping],
        news: Mapping[Reference, News],
        keys: set[bytes],
        *,
        at: datetime,
    ) -> list[dict[str, Any]]:
        references = {(row["msisdn_key"], row["subscription_id"]) for row in rows.values()}
        seen = self._subscriptions(references | news.keys())
        holders = {(row["citizen_key"], identity) for identity, row in seen.items()}
        primaries = self._primaries(keys)
        owed = []
        for key, identity in rows.keys() | {pair for pair in holders if pair[0] in keys}:
            stored, row = seen[identity], rows.get((key, identity))
            known = None if row is None else _standing(row)
            reference = (stored["msisdn_key"], identity)
            observed = _observed(stored, key, primary_since=primaries.get((key, identity)))
            standing = standing_after(known, observed, news.get(reference, NO_NEWS), at=at)
            if standing is not None and standing != known:
                owed.append(_fields(key, reference, standing, at=at))
        return owed

    def _subscriptions(self, references: Iterable[Reference]) -> dict[UUID, RowMapping]:
        query = select(
            subscription.c.subscription_id,
            subscription.c.msisdn_key,
            subscription.c.citizen_key,
            subscription.c.link_state,
            subscription.c.service_state,
            subscription.c.verified_at,
        ).where(*_are(references))
        return {row["subscription_id"]: row for row in self.connection.execute(query).mappings()}

    def _primaries(self, keys: Iterable[bytes]) -> dict[Pair, datetime]:
        query = select(
            primary_number.c.citizen_key, primary_number.c.subscription_id, primary_number.c.set_at
        ).where(any_of(primary_number.c.citizen_key, keys))
        return {
            (row.citizen_key, row.subscription_id): row.set_at
            for row in self.connection.execute(query)
        }

    def _write(self, owed: Sequence[Mapping[str, Any]], last: Mapping[bytes, int]) -> None:
        if not owed:
            return
        statement = insert(subscriber_update)
        statement = statement.on_conflict_do_update(
            index_elements=[subscriber_update.c.citizen_key, subscriber_update.c.subscription_id],
            set_={name: statement.excluded[name] for name in _TOLD},
        )
        self.connection.execute(statement, owed)
        reached = {row["citizen_key"]: last[row["citizen_key"]] for row in owed}
        UpdateQueue(self.connection).place(reached)

    # How it is delivered.

    def lease(
        self, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[SubscriberUpdate]:
        """Hand out open updates, oldest first, of citizens of whom none is out.

        A citizen whose updates somebody is changing at this moment is left for later.
        """
        rows = UpdateQueue(self.connection).take(
            lease_id=lease_id, expires_at=expires_at, at=at, limit=limit
        )
        return self._updates(rows)

    def lock_deliveries(
        self, pairs: Iterable[tuple[PersonalID, UUID]]
    ) -> Mapping[tuple[PersonalID, UUID], Delivery]:
        """How far some standings have come; nobody else moves them until the end."""
        wanted = {
            (citizen_key(self.sealer, person), identity): person for person, identity in pairs
        }
        keys = {key for key, _ in wanted}
        lock = select(subscriber_sequence.c.citizen_key)
        lock = lock.where(any_of(subscriber_sequence.c.citizen_key, keys))
        self.connection.execute(lock.order_by(subscriber_sequence.c.citizen_key).with_for_update())
        query = select(subscriber_update).where(
            any_of(subscriber_update.c.citizen_key, keys),
            any_of(subscriber_update.c.subscription_id, (identity for _, identity in wanted)),
        )
        found = {}
        for row in self.connection.execute(query).mappings():
            person = wanted.get((row["citizen_key"], row["subscription_id"]))
            if person is not None:
                found[person, row["subscription_id"]] = _delivery(row)
        return found

    def mark_acknowledged(self, accepted: Mapping[tuple[PersonalID, UUID], int]) -> None:
        """Note up to which sequence standings are entered in the register."""
        citizens = [citizen_key(self.sealer, person) for person, _ in accepted]
        ids = [identity for _, identity in accepted]
        self.connection.execute(
            _ACKNOWLEDGE,
            {"citizens": citizens, "ids": ids, "sequences": list(accepted.values())},
        )
        UpdateQueue(self.connection).place(dict.fromkeys(citizens, 0))

    def _updates(self, rows: Sequence[RowMapping]) -> list[SubscriberUpdate]:
        """Add whom and which number they are about: looked up now, kept nowhere else."""
        citizens = Citizens(self.connection, self.sealer)
        people = citizens.personal_ids(row["citizen_key"] for row in rows)
        references = [(row["msisdn_key"], row["subscription_id"]) for row in rows]
        found = Subscriptions(self.connection, self.sealer).find_by_reference(references)
        items = {item.subscription_id: item for item in found}
        return [
            SubscriberUpdate(
                personal_id=people[row["citizen_key"]],
                sequence=row["sequence"],
                subscription_id=row["subscription_id"],
                msisdn=items[row["subscription_id"]].msisdn,
                operator_id=items[row["subscription_id"]].operator_id,
                standing=_standing(row),
                changed_at=row["changed_at"],
            )
            for row in rows
        ]


def _are(references: Iterable[Reference]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    known = list(references)
    return (
        any_of(subscription.c.msisdn_key, (key for key, _ in known)),
        any_of(subscription.c.subscription_id, (identity for _, identity in known)),
    )


def _observed(stored: RowMapping, key: bytes, *, primary_since: datetime | None) -> Observation:
    return Observation(
        is_holder=stored["citizen_key"] == key,
        is_in_service=stored["service_state"] != ServiceState.TERMINATED.value,
        link_state=LinkState(stored["link_state"]),
        verified_at=stored["verified_at"],
        primary_since=primary_since,
    )


def _standing(row: RowMapping) -> Standing:
    return Standing(
        link_state=LinkState(row["link_state"]),
        verified_at=row["verified_at"],
        policy_version=row["policy_version"],
        disowned_at=row["disowned_at"],
        primary_since=row["primary_since"],
        end=None if row["ended_by"] is None else SubscriptionEnd(row["ended_by"]),
    )


def _fields(
    key: bytes, reference: Reference, standing: Standing, *, at: datetime
) -> dict[str, Any]:
    return {
        "citizen_key": key,
        "msisdn_key": reference[0],
        "subscription_id": reference[1],
        "link_state": standing.link_state.value,
        "verified_at": standing.verified_at,
        "policy_version": standing.policy_version,
        "disowned_at": standing.disowned_at,
        "primary_since": standing.primary_since,
        "ended_by": None if standing.end is None else standing.end.value,
        "changed_at": at,
    }


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        sequence=row["sequence"],
        acknowledged_sequence=row["acknowledged_sequence"],
        leased_sequence=row["leased_sequence"],
        lease_id=row["lease_id"],
        lease_expires_at=row["lease_expires_at"],
    )
