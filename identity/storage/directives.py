"""Directives: ordered, leased, acknowledged, overtaken.

Owns the rows of `directive`: what becomes of each, and that an overtaken order is never handed out
again. Which go next is `directive_queue.py`'s. Knows nothing of why something is ordered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, case, insert, or_, select, text, update

from identity.domain.directive import Directive, DirectiveState
from identity.domain.enforcement import DirectiveKind
from identity.domain.policy import CaseCause
from identity.storage.arrays import any_of
from identity.storage.directive_queue import DirectiveQueue
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key, open_msisdn, seal_msisdn
from identity.storage.tables import directive

_OPEN = directive.c.state.in_([DirectiveState.PENDING.value, DirectiveState.LEASED.value])
_WAITS = and_(
    directive.c.state == DirectiveState.PENDING.value, directive.c.lease_expires_at.is_not(None)
)

_OVERTAKE_BEFORE = text(
    "UPDATE directive SET state = 'superseded'"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]))"
    " AS executed (subscription_id, position)"
    " WHERE directive.subscription_id = executed.subscription_id"
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
    lease_id: UUID | None
    lease_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Directives:
    """The directives of one transaction."""

    connection: Connection
    sealer: Sealer

    def add_many(self, items: Iterable[Directive]) -> None:
        """Order; for one number in the order given."""
        rows = [self._row(item) for item in items]
        if rows:
            numbers = {(row["msisdn_key"], row["subscription_id"]) for row in rows}
            until = DirectiveQueue(self.connection).out_until(numbers)
            for row in rows:
                number = (row["msisdn_key"], row["subscription_id"])
                row["lease_expires_at"] = until.get(number)
            self.connection.execute(insert(directive), rows)

    def supersede(self, subscription_ids: Iterable[UUID], kinds: Iterable[DirectiveKind]) -> None:
        """Overtake what some subscriptions still have open of some kinds.

        What waited behind any of it waits no longer.
        """
        is_overtaken = directive.c.kind.in_([kind.value for kind in kinds])
        superseded = DirectiveState.SUPERSEDED.value
        self.connection.execute(
            update(directive)
            .where(
                any_of(directive.c.subscription_id, subscription_ids),
                _OPEN,
                or_(is_overtaken, _WAITS),
            )
            .values(
                state=case((is_overtaken, superseded), else_=directive.c.state),
                lease_expires_at=case((_WAITS, None), else_=directive.c.lease_expires_at),
            )
        )

    def lease(
        self, operator_id: str, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[Directive]:
        """Hand out an operator's open directives, oldest first, skipping those held by others.

        A number whose earlier directive is still out is left for later, so that the order for
        each number is kept across leases.
        """
        rows = DirectiveQueue(self.connection).take(
            operator_id, lease_id=lease_id, expires_at=expires_at, at=at, limit=limit
        )
        return [self._directive(row) for row in rows]

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
                lease_id=row["lease_id"],
                lease_expires_at=row["lease_expires_at"],
            )
            for row in self.connection.execute(
                query.with_for_update() if lock else query
            ).mappings()
        }

    def mark_executed(self, items: Iterable[Handed], *, at: datetime) -> None:
        """Note that directives were executed; what waited behind them waits no longer."""
        self._end(items, state=DirectiveState.EXECUTED.value, executed_at=at)

    def give_back(self, items: Iterable[Handed]) -> None:
        """Put directives that could not be executed back at their place."""
        self._end(
            items,
            state=DirectiveState.PENDING.value,
            lease_id=None,
            lease_expires_at=None,
            failure_count=directive.c.failure_count + 1,
        )

    def overtake_before(self, items: Iterable[Handed]) -> None:
        """Overtake orders for the same numbers that came before executed ones.

        Executed late they would undo what was ordered after them.
        """
        executed = [item for item in items if item.kind is not DirectiveKind.NOTIFY]
        self.connection.execute(
            _OVERTAKE_BEFORE,
            {
                "ids": [item.subscription_id for item in executed],
                "positions": [item.position for item in executed],
            },
        )

    def _end(self, items: Iterable[Handed], **values: Any) -> None:  # noqa: ANN401 - of any column
        ended = list(items)
        if ended:
            are_ended = any_of(directive.c.directive_id, (item.directive_id for item in ended))
            self.connection.execute(update(directive).where(are_ended).values(**values))
            numbers = {(item.msisdn_key, item.subscription_id) for item in ended}
            DirectiveQueue(self.connection).let_go(numbers)

    def _row(self, item: Directive) -> dict[str, Any]:
        return {
            "msisdn_key": msisdn_key(self.sealer, item.msisdn),
            "directive_id": item.directive_id,
            "subscription_id": item.subscription_id,
            "operator_id": item.operator_id,
            "msisdn_sealed": seal_msisdn(self.sealer, item.msisdn, place=_place(item.directive_id)),
            "kind": item.kind.value,
            "causes": [cause.value for cause in item.causes],
            "citation": item.citation,
            "cure": item.cure,
            "state": DirectiveState.PENDING.value,
            "created_at": item.created_at,
            "due_at": item.due_at,
        }

    def _directive(self, row: RowMapping) -> Directive:
        directive_id = row["directive_id"]
        return Directive(
            directive_id=directive_id,
            subscription_id=row["subscription_id"],
            msisdn=open_msisdn(self.sealer, row["msisdn_sealed"], place=_place(directive_id)),
            operator_id=row["operator_id"],
            kind=DirectiveKind(row["kind"]),
            causes=tuple(CaseCause(cause) for cause in row["causes"]),
            citation=row["citation"],
            cure=row["cure"],
            created_at=row["created_at"],
            due_at=row["due_at"],
        )


def _place(directive_id: UUID) -> bytes:
    return b"directive.msisdn|" + directive_id.bytes
