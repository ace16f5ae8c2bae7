"""How much the registry holds. Owns counting, for administrators; reads no personal data."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, func, literal, select

from identity.storage.message_tables import message
from identity.storage.tables import (
    citizen,
    directive,
    enforcement_case,
    face_reference,
    primary_number,
    subscription,
    verification,
)

WAITING_COUNTED_MAX = 1_000_000
"""What waits is counted up to here: it is read each half minute, from an index that holds nothing
else, and beyond a million the number says no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for operators to fetch it, each at most `WAITING_COUNTED_MAX`.

    Attributes:
        orders: Orders that are not handed out.
        messages: Messages that are not handed out.
    """

    orders: int
    messages: int


def count_waiting(connection: Connection) -> Waiting:
    """Count what operators have not fetched."""
    return Waiting(orders=_pending(connection, directive), messages=_pending(connection, message))


def _pending(connection: Connection, table: Table) -> int:
    rows = select(literal(1)).where(table.c.state == literal("pending", literal_execute=True))
    counted = rows.limit(WAITING_COUNTED_MAX).subquery()
    return connection.execute(select(func.count()).select_from(counted)).scalar_one()


def count_rows(engine: Engine) -> dict[str, int]:
    """Rows by what they are."""
    counted: dict[str, Select[int]] = {
        "population records": select(func.count()).select_from(citizen),
        "subscriptions": select(func.count()).select_from(subscription),
        "  linked": _where(subscription.c.link_state == "linked"),
        "  verified": _where(subscription.c.verified_at.is_not(None)),
        "  blocked or suspended": _where(
            subscription.c.service_state.in_(["outgoing_blocked", "suspended"])
        ),
        "verifications": select(func.count()).select_from(verification),
        "enrolled faces": select(func.count()).select_from(face_reference),
        "primary numbers": select(func.count()).select_from(primary_number),
        "open cases": select(func.count())
        .select_from(enforcement_case)
        .where(enforcement_case.c.state == "open"),
        "open directives": select(func.count())
        .select_from(directive)
        .where(directive.c.state.in_(["pending", "leased"])),
    }
    with engine.connect() as connection:
        return {name: connection.execute(query).scalar_one() for name, query in counted.items()}


def _where(condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(subscription).where(condition)
