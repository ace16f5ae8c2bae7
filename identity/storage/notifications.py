"""Notifications as their agencies see them, and the templates that they are written by.

Owns the rows of `notification_template`, and reading what became of messages by whom they were
sent. Knows nothing of what an agency may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, TextClause, select, text
from sqlalchemy.dialects.postgresql import insert

from identity.domain.agency import Purpose
from identity.domain.message import MessageFailure, MessageState, Urgency
from identity.domain.notification import Notification, NotificationCount, Template
from identity.domain.policy import Bilingual
from identity.storage.conversions import storable
from identity.storage.message_tables import notification_template

# What has run out is over, whether a run of the clock has come by yet or not.
_STATE = (
    "CASE WHEN state IN ('pending', 'leased') AND expires_at <= :at"
    " AND (lease_expires_at IS NULL OR lease_expires_at <= :at) THEN 'expired' ELSE state END"
)
_COLUMNS = (
    "message_id, citizen_key, template, priority, purpose, legal_basis, case_id, failure,"
    f" created_at, expires_at, coalesce(done_at, expires_at) AS done_at, {_STATE} AS state"
)
_FIND = text(
    f"SELECT {_COLUMNS} FROM message WHERE message_id = :message_id AND agency = :agency"  # noqa: S608 - no input
)
_LIST = text(
    f"SELECT {_COLUMNS} FROM message WHERE agency = :agency"  # noqa: S608 - no input
    " ORDER BY created_at DESC, message_id DESC LIMIT :limit"
)
_LIST_AFTER = text(
    f"SELECT {_COLUMNS} FROM message WHERE agency = :agency"  # noqa: S608 - no input
    " AND (created_at, message_id) < (SELECT created_at, message_id FROM message"
    "  WHERE message_id = :after AND agency = :agency)"
    " ORDER BY created_at DESC, message_id DESC LIMIT :limit"
)
_COUNT = text(
    # The day in Viet Nam, which is 7 hours before UTC all year (`calendar_date.DAY_ZONE`).
    "SELECT CAST(created_at AT TIME ZONE INTERVAL '7 hours' AS date) AS day, template, purpose,"  # noqa: S608 - no input
    f" {_STATE} AS state, count(*) AS count FROM message"
    " WHERE agency = :agency AND created_at >= :begins_at AND created_at < :ends_at"
    " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 4, 3"
)


@dataclass(frozen=True, slots=True)
class Notifications:
    """The notifications of agencies in one transaction."""

    connection: Connection

    def add_template(self, item: Template, *, by: str) -> Template:
        """Keep a template; returns the one that is kept, which may be an older one of the name."""
        statement = insert(notification_template).values(
            agency=item.agency,
            name=item.name,
            urgency=item.urgency.value,
            text_vi=storable(item.text.vi),
            text_en=storable(item.text.en),
            length_max=item.length_max,
            approved_by=by,
            approved_at=item.approved_at,
        )
        self.connection.execute(statement.on_conflict_do_nothing())
        kept = self.find_template(item.agency, item.name)
        if kept is None:
            raise AssertionError("templates are never deleted")
        return kept

    def find_template(self, agency: str, name: str) -> Template | None:
        """An agency's template."""
        query = _of_agency(agency).where(notification_template.c.name == name)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else _template(row)

    def list_templates(self, agency: str, *, after: str, limit: int) -> Sequence[Template]:
        """An agency's templates in the order of their names, those after one name."""
        query = _of_agency(agency).where(notification_template.c.name > after)
        rows = self.connection.execute(query.order_by(notification_template.c.name).limit(limit))
        return [_template(row) for row in rows.mappings()]

    def find(self, agency: str, notification_id: UUID, *, at: datetime) -> Notification | None:
        """An agency's notification, as it stands at an instant."""
        given = {"agency": agency, "message_id": notification_id, "at": at}
        row = self.connection.execute(_FIND, given).mappings().first()
        return None if row is None else _notification(row)

    def list_of(
        self, agency: str, *, after: UUID | None, limit: int, at: datetime
    ) -> Sequence[Notification]:
        """An agency's notifications, the newest first, those after one; None begins with all."""
        given: dict[str, Any] = {"agency": agency, "limit": limit, "at": at}
        statement: TextClause = _LIST
        if after is not None:
            statement = _LIST_AFTER
            given["after"] = after
        return [_notification(row) for row in self.connection.execute(statement, given).mappings()]

    def count(
        self, agency: str, *, begins_at: datetime, ends_at: datetime, at: datetime
    ) -> Sequence[NotificationCount]:
        """How many of an agency's notifications of some time are in each state at an instant."""
        given = {"agency": agency, "begins_at": begins_at, "ends_at": ends_at, "at": at}
        return [
            NotificationCount(
                day=row["day"],
                template=row["template"],
                purpose=Purpose(row["purpose"]),
                state=MessageState(row["state"]),
                count=row["count"],
            )
            for row in self.connection.execute(_COUNT, given).mappings()
        ]


def _of_agency(agency: str) -> Select[Any]:
    return select(notification_template).where(notification_template.c.agency == agency)


def _template(row: RowMapping) -> Template:
    return Template(
        agency=row["agency"],
        name=row["name"],
        urgency=Urgency(row["urgency"]),
        text=Bilingual(vi=row["text_vi"], en=row["text_en"]),
        length_max=row["length_max"],
        approved_at=row["approved_at"],
    )


def _notification(row: RowMapping) -> Notification:
    state = MessageState(row["state"])
    is_over = state not in {MessageState.PENDING, MessageState.LEASED}
    return Notification(
        notification_id=row["message_id"],
        citizen_key=row["citizen_key"],
        template=row["template"],
        urgency=list(Urgency)[row["priority"]],
        purpose=Purpose(row["purpose"]),
        legal_basis=row["legal_basis"],
        case_id=row["case_id"] or "",
        state=state,
        failure=None if row["failure"] is None else MessageFailure(row["failure"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        done_at=row["done_at"] if is_over else None,
    )
