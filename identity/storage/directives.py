"""Directives: ordered, leased, acknowledged, overtaken.

Owns the rows of `directive`: their order for each number, leases that come back, and that an
overtaken order is never handed out again. Knows nothing of why something is ordered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, exists, func, insert, or_, select, text, update

from identity.domain.directive import Directive, DirectiveState
from identity.domain.enforcement import DirectiveKind
from identity.domain.policy import CaseCause
from identity.storage.arrays import any_of
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key, open_msisdn, seal_msisdn
from identity.storage.tables import directive

_OPEN = directive.c.state.in_([DirectiveState.PENDING.value, DirectiveState.LEASED.value])

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
            self.connection.execute(insert(directive), rows)

    def supersede(self, subscription_ids: Iterable[UUID], kinds: Iterable[DirectiveKind]) -> None:
        """Overtake what some subscriptions still have open of some kinds."""
        self.connection.execute(
            update(directive)
            .where(
                any_of(directive.c.subscription_id, subscription_ids),
                directive.c.kind.in_([kind.value for kind in kinds]),
                _OPEN,
            )
            .values(state=DirectiveState.SUPERSEDED.value)
        )

    def lease(
        self, operator_id: str, *, lease_id: UUID, expires_at: datetime, at: datetime, limit: int
    ) -> Sequence[Directive]:
        """Hand out an operator's open directives, oldest first, skipping those held by others.

        A number whose earlier directive is still out is left for later, so that the order for
        each number is kept across leases.
        """
        # Pulls of one operator take turns: a later one would pass over what an earlier one is
        # about to lease, and hand out the order that follows it.
        turn = func.pg_advisory_xact_lock(func.hashtext("subid.lease"), func.hashtext(operator_id))
        self.connection.execute(select(turn))
        earlier = directive.alias("earlier")
        has_earlier_out = exists().where(
            earlier.c.msisdn_key == directive.c.msisdn_key,
            earlier.c.subscription_id == directive.c.subscription_id,
            earlier.c.position < directive.c.position,
            earlier.c.state == DirectiveState.LEASED.value,
            earlier.c.lease_expires_at > at,
        )
        is_free = or_(
            directive.c.state == DirectiveState.PENDING.value,
            and_(
                directive.c.state == DirectiveState.LEASED.value,
                directive.c.lease_expires_at <= at,
            ),
        )
        chosen = (
            select(directive)
            .where(directive.c.operator_id == operator_id, is_free, ~has_earlier_out)
            .order_by(directive.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = self.connection.execute(chosen).mappings().all()
        self._mark_leased(rows, lease_id=lease_id, expires_at=expires_at)
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
        """Note that directives were executed."""
        self.connection.execute(
            update(directive)
            .where(any_of(directive.c.directive_id, (item.directive_id for item in items)))
            .values(state=DirectiveState.EXECUTED.value, executed_at=at)
        )

    def give_back(self, items: Iterable[Handed]) -> None:
        """Put directives that could not be executed back at their place."""
        self.connection.execute(
            update(directive)
            .where(any_of(directive.c.directive_id, (item.directive_id for item in items)))
            .values(
                state=DirectiveState.PENDING.value,
                lease_id=None,
                lease_expires_at=None,
                failure_count=directive.c.failure_count + 1,
            )
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

    def _mark_leased(
        self, rows: Sequence[RowMapping], *, lease_id: UUID, expires_at: datetime
    ) -> None:
        self.connection.execute(
            update(directive)
            .where(any_of(directive.c.directive_id, (row["directive_id"] for row in rows)))
            .values(
                state=DirectiveState.LEASED.value, lease_id=lease_id, lease_expires_at=expires_at
            )
        )

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
