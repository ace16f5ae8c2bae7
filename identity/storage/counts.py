"""How much the registry holds. Owns counting, for `identity status`; reads no personal data."""

from sqlalchemy import ColumnElement, Engine, Select, func, select

from identity.storage.tables import (
    citizen,
    directive,
    enforcement_case,
    face_reference,
    primary_number,
    subscription,
    verification,
)


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
