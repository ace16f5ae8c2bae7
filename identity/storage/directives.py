"""Directives: ordered, leased, acknowledged, overtaken.

Owns the rows of `directive`: what becomes of each, and that an overtaken order is never handed out
again. Which go next is `directive_queue.py`'s. Knows nothing of why something is ordered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    RowMapping,
    TextClause,
    insert,
    select,
    text,
)

from identity.domain.directive import Directive, DirectiveState, Ordered
from identity.domain.enforcement import DirectiveKind
from identity.domain.notice import NextStep
from identity.domain.policy import CaseCause, StepKind
from identity.domain.subscription import Subscription
from identity.storage.arrays import PACKED_REFERENCES, References, any_key, any_of, over_references
from identity.storage.conversions import storable
from identity.storage.directive_queue import DirectiveQueue
from identity.storage.operator_news import Topic, tell, telling
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key, open_own_msisdn
from identity.storage.tables import directive, subscription


def _alike(are: Callable[[str], str]) -> str:
    # The database makes the identifiers.
    return (
        "INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, kind,"  # noqa: S608 - no input
        " causes, policy_version, track, is_primary, is_last_number, upcoming_kind, upcoming_at,"
        " wave_id, state, created_at, due_at, lease_expires_at)"
        " SELECT s.msisdn_key, gen_random_uuid(), s.subscription_id, s.operator_id, :kind,"
        " CAST(:causes AS text[]), :policy_version, :track, :is_primary, :is_last_number,"
        " :upcoming_kind, CAST(:upcoming_at AS timestamptz), CAST(:wave_id AS uuid), :state,"
        " CAST(:created_at AS timestamptz), CAST(:due_at AS timestamptz),"
        " (SELECT max(before.lease_expires_at) FROM directive AS before"
        "  WHERE before.msisdn_key = s.msisdn_key AND before.subscription_id = s.subscription_id"
        "  AND before.state IN ('pending', 'leased'))"
        f" FROM {PACKED_REFERENCES} AS n JOIN subscription AS s ON {are('s')}"
        " ORDER BY n.place"
    )


_ORDER_ALIKE = over_references(lambda are: telling(Topic.DIRECTIVE, _alike(are)))
_ORDER_ALIKE_AND_NAME = over_references(
    lambda are: f"{_alike(are)} RETURNING subscription_id, directive_id"
)
# Whoever says that it was done before it was handed out cannot make a late order one in time by it.
_EXECUTED = text(
    "UPDATE directive SET state = 'executed',"
    " executed_at = greatest(done.executed_at, directive.handed_at)"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]))"
    " AS done (key, id, executed_at)"
    " WHERE directive.msisdn_key = done.key AND directive.directive_id = done.id"
)
_GIVEN_BACK = text(
    telling(
        Topic.DIRECTIVE,
        "UPDATE directive SET state = 'pending', lease_id = NULL, lease_expires_at = NULL,"
        " failure_count = failure_count + 1, failure = back.failure"
        " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:failures AS text[]))"
        " AS back (key, id, failure)"
        " WHERE directive.msisdn_key = back.key AND directive.directive_id = back.id",
    )
)
# What waited behind an overtaken order waits no longer, and its operator is told.
_SUPERSEDE = over_references(
    lambda are: telling(
        Topic.DIRECTIVE,
        "UPDATE directive SET"  # noqa: S608 - no input
        " state = CASE WHEN kind = ANY (CAST(:kinds AS text[])) THEN 'superseded' ELSE state END,"
        " superseded_at = CASE WHEN kind = ANY (CAST(:kinds AS text[]))"
        "  THEN CAST(:at AS timestamptz) END,"
        " lease_expires_at = CASE WHEN state = 'leased' THEN lease_expires_at END"
        f" FROM {PACKED_REFERENCES} AS n WHERE {are('directive')}"
        " AND state IN ('pending', 'leased') AND (kind = ANY (CAST(:kinds AS text[]))"
        "  OR state = 'pending' AND lease_expires_at IS NOT NULL)",
        where="state = 'pending'",
    )
)
_OVERTAKE_BEFORE = text(
    "UPDATE directive SET state = 'superseded', superseded_at = :at"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:positions AS bigint[]))"
    " AS executed (key, id, position)"
    " WHERE directive.msisdn_key = executed.key AND directive.subscription_id = executed.id"
    " AND directive.position < executed.position"
    " AND directive.kind <> 'notify' AND directive.state IN ('pending', 'leased')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A directive that was handed out, with what is needed to judge its acknowledgement."""

    msisdn_key: bytes
    directive_id: UUID
    subscription_id: UUID
    position: int
    kind: DirectiveKind
    state: DirectiveState
    created_at: datetime
    lease_id: UUID | None
    lease_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Directives:
    """The directives of one transaction."""

    connection: Connection
    sealer: Sealer

    def add_many(self, items: Iterable[tuple[Directive, Subscription]]) -> None:
        """Order, each of a subscription; for one number in the order given."""
        rows = [_row(item, msisdn_key(self.sealer, of.msisdn)) for item, of in items]
        if rows:
            numbers = {(row["msisdn_key"], row["subscription_id"]) for row in rows}
            until = DirectiveQueue(self.connection).out_until(numbers)
            for row in rows:
                number = (row["msisdn_key"], row["subscription_id"])
                row["lease_expires_at"] = until.get(number)
            self.connection.execute(insert(directive), rows)
            tell(self.connection, Topic.DIRECTIVE, (row["operator_id"] for row in rows))

    def add_alike(self, item: Directive, references: References) -> None:
        """Order the same of many subscriptions, each of its own operator.

        Args:
            item: The order of one of them.
            references: Full keys of all of them.
        """
        self.connection.execute(
            _ORDER_ALIKE(references), {**references.parameters, **_content(item)}
        )

    def add_alike_named(self, item: Directive, references: References) -> Mapping[UUID, UUID]:
        """`add_alike` of numbers of one operator; returns the orders by subscription."""
        given = {**references.parameters, **_content(item)}
        ordered = self.connection.execute(_ORDER_ALIKE_AND_NAME(references), given)
        tell(self.connection, Topic.DIRECTIVE, [item.operator_id])
        return {row.subscription_id: row.directive_id for row in ordered}

    def supersede(
        self, references: References, kinds: Iterable[DirectiveKind], *, at: datetime
    ) -> None:
        """Overtake what some subscriptions still have open of some kinds.

        What waited behind any of it waits no longer.
        """
        given = {**references.parameters, "kinds": [kind.value for kind in kinds], "at": at}
        self.connection.execute(_SUPERSEDE(references), given)

    def lease(
        self, operator_id: str, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[Ordered]:
        """Hand out an operator's open directives, oldest first, skipping those held by others.

        A number whose earlier directive is still out is left for later, so that the order for
        each number is kept across leases.
        """
        rows = DirectiveQueue(self.connection).take(
            operator_id, lease_id=lease_id, expires_at=expires_at, at=at, limit=limit
        )
        return self._with_numbers(rows)

    def find_handed(
        self, operator_id: str, ids: Iterable[UUID], *, lock: bool = False
    ) -> Mapping[UUID, Handed]:
        """An operator's directives by identifier; `lock` keeps them so until the end."""
        query = (
            select(directive)
            .where(any_of(directive.c.directive_id, ids), directive.c.operator_id == operator_id)
            .order_by(directive.c.position)
        )
        return {
            row["directive_id"]: Handed(
                msisdn_key=row["msisdn_key"],
                directive_id=row["directive_id"],
                subscription_id=row["subscription_id"],
                position=row["position"],
                kind=DirectiveKind(row["kind"]),
                state=DirectiveState(row["state"]),
                created_at=row["created_at"],
                lease_id=row["lease_id"],
                lease_expires_at=row["lease_expires_at"],
            )
            for row in self.connection.execute(
                query.with_for_update() if lock else query
            ).mappings()
        }

    def next_at(self, operator_id: str, *, at: datetime) -> datetime | None:
        """When an operator has something to lease, as `DirectiveQueue.next_at`."""
        return DirectiveQueue(self.connection).next_at(operator_id, at=at)

    def mark_executed(
        self,
        items: Iterable[Handed],
        *,
        at: datetime,
        executed_at: Mapping[UUID, datetime | None] | None = None,
    ) -> None:
        """Note that directives were executed; what waited behind them waits no longer.

        Args:
            items: The directives.
            at: When they were, unless more is known.
            executed_at: When each was, by its identifier, where that is known.
        """
        ended = list(items)
        known = executed_at or {}
        times = [known.get(item.directive_id) or at for item in ended]
        self._end(_EXECUTED, ended, times=times)

    def give_back(
        self, items: Iterable[Handed], *, failures: Mapping[UUID, str] | None = None
    ) -> None:
        """Put directives that could not be executed back at their place.

        Args:
            items: The directives.
            failures: Why each could not be, by its identifier, where that was said.
        """
        ended = list(items)
        why = {identity: storable(failure) for identity, failure in (failures or {}).items()}
        self._end(
            _GIVEN_BACK, ended, failures=[why.get(item.directive_id) or None for item in ended]
        )

    def overtake_before(self, items: Iterable[Handed], *, at: datetime) -> None:
        """Overtake orders for the same numbers that came before executed ones.

        Executed late they would undo what was ordered after them.
        """
        executed = [item for item in items if item.kind is not DirectiveKind.NOTIFY]
        self.connection.execute(
            _OVERTAKE_BEFORE,
            {
                "keys": [item.msisdn_key for item in executed],
                "ids": [item.subscription_id for item in executed],
                "positions": [item.position for item in executed],
                "at": at,
            },
        )

    def _end(self, statement: TextClause, ended: Sequence[Handed], **values: list[Any]) -> None:
        if ended:
            keys = [item.msisdn_key for item in ended]
            ids = [item.directive_id for item in ended]
            self.connection.execute(statement, {"keys": keys, "ids": ids, **values})
            numbers = {(item.msisdn_key, item.subscription_id) for item in ended}
            DirectiveQueue(self.connection).let_go(numbers)

    def _with_numbers(self, rows: Sequence[RowMapping]) -> Sequence[Ordered]:
        """Directives with their numbers, which the subscriptions have sealed."""
        if not rows:
            return []
        query = select(
            subscription.c.msisdn_key, subscription.c.subscription_id, subscription.c.msisdn_sealed
        ).where(
            any_key(subscription.c.msisdn_key, (row["msisdn_key"] for row in rows)),
            any_of(subscription.c.subscription_id, (row["subscription_id"] for row in rows)),
        )
        numbers = {
            identity: open_own_msisdn(self.sealer, sealed, (key, identity.bytes))
            for key, identity, sealed in self.connection.execute(query)
        }
        return [Ordered(_directive(row), numbers[row["subscription_id"]]) for row in rows]


def _row(item: Directive, key: bytes) -> dict[str, Any]:
    return {
        **_content(item),
        "msisdn_key": key,
        "directive_id": item.directive_id,
        "subscription_id": item.subscription_id,
        "operator_id": item.operator_id,
    }


def _content(item: Directive) -> dict[str, Any]:
    """What orders of many numbers can have in common."""
    upcoming = item.upcoming
    return {
        "kind": item.kind.value,
        "causes": [cause.value for cause in item.causes],
        "policy_version": item.policy_version,
        "track": item.track,
        "is_primary": item.is_primary,
        "is_last_number": item.is_last_number,
        "upcoming_kind": None if upcoming is None else upcoming.kind.value,
        "upcoming_at": None if upcoming is None else upcoming.at,
        "wave_id": item.wave_id,
        "state": DirectiveState.PENDING.value,
        "created_at": item.created_at,
        "due_at": item.due_at,
    }


def _directive(row: RowMapping) -> Directive:
    kind = row["upcoming_kind"]
    upcoming = None if kind is None else NextStep(kind=StepKind(kind), at=row["upcoming_at"])
    return Directive(
        directive_id=row["directive_id"],
        subscription_id=row["subscription_id"],
        operator_id=row["operator_id"],
        kind=DirectiveKind(row["kind"]),
        causes=tuple(CaseCause(cause) for cause in row["causes"]),
        policy_version=row["policy_version"],
        track=row["track"],
        is_primary=row["is_primary"],
        is_last_number=row["is_last_number"],
        upcoming=upcoming,
        wave_id=row["wave_id"],
        created_at=row["created_at"],
        due_at=row["due_at"],
    )
