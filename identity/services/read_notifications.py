"""What became of an agency's notifications, as far as it may know.

Owns the use cases. What a notification shows goes by the grant that its agency has for its purpose
now, not by the one that it had. Each one that shows what became of it is a read of a person's data,
and is recorded as such.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Access, Purpose, Right
from identity.domain.calendar_date import DAY_ZONE
from identity.domain.caller import Role
from identity.domain.errors import (
    FieldViolation,
    NotificationNotFoundError,
    RequestInvalidError,
)
from identity.domain.notification import (
    STATISTICS_DAYS_MAX,
    Notification,
    NotificationCount,
    as_shown,
)
from identity.services.agency_access import record
from identity.services.call import Call
from identity.storage.database import UnitOfWork

_Rights = Mapping[Purpose, Collection[Right]]


def get_notification(uow: UnitOfWork, call: Call, notification_id: UUID) -> Notification:
    """One of the calling agency's notifications.

    Raises:
        NotificationNotFoundError: There is none of this name, or it is another agency's.
    """
    found = uow.notifications.find(call.caller.name, notification_id, at=call.at)
    if found is None:
        raise NotificationNotFoundError("you have sent no such notification")
    (shown,) = _shown(uow, call, [found], action="get_notification")
    return shown


def list_notifications(
    uow: UnitOfWork, call: Call, *, after: UUID | None, limit: int
) -> tuple[Sequence[Notification], bool]:
    """The calling agency's notifications, the newest first, those after one; and whether more are.

    What is not on the page is not read, and not recorded as read.
    """
    found = uow.notifications.list_of(call.caller.name, after=after, limit=limit + 1, at=call.at)
    page = _shown(uow, call, found[:limit], action="list_notifications")
    return page, len(found) > limit


def count_notifications(
    uow: UnitOfWork, call: Call, agency: str, *, first: date, last: date
) -> Sequence[NotificationCount]:
    """How many notifications of an agency there are by day, template and state.

    Args:
        uow: The transaction.
        call: The circumstances; the regulator sees every state.
        agency: Whose.
        first: The first day on which they were sent, in Viet Nam.
        last: The last day.

    Raises:
        RequestInvalidError: The last day lies before the first, or too long after it.
    """
    _refuse_days(first, last)
    counts = uow.notifications.count(
        agency, begins_at=_midnight(first), ends_at=_midnight(last + timedelta(days=1)), at=call.at
    )
    rights = _rights(uow, agency)
    is_regulator = call.caller.role is Role.REGULATOR
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="get_notification_statistics",
        outcome="read",
        details={"agency": agency},
    )
    append(uow.connection, [entry])
    return _merged(
        each if is_regulator or _shows(rights, each.purpose) else replace(each, state=None)
        for each in counts
    )


def _shown(
    uow: UnitOfWork, call: Call, items: Sequence[Notification], *, action: str
) -> Sequence[Notification]:
    rights = _rights(uow, call.caller.name)
    shown = [as_shown(item, rights.get(item.purpose, ())) for item in items]
    entries = [
        record(
            _access(call, item),
            item.citizen_key,
            action=action,
            outcome=item.state.value,
            fields=[Right.DELIVERY_STATE],
        )
        for item in shown
        if item.state is not None
    ]
    append(uow.connection, entries)
    return shown


def _access(call: Call, item: Notification) -> Access:
    return Access(
        caller=call.caller,
        at=call.at,
        purpose=item.purpose,
        legal_basis=item.legal_basis,
        case_id=item.case_id,
    )


def _rights(uow: UnitOfWork, agency: str) -> _Rights:
    """What an agency may have for each purpose; nothing while it is not active."""
    found = uow.agencies.find(agency)
    if found is None or not found.is_active:
        return {}
    return {grant.purpose: grant.rights for grant in found.grants}


def _shows(rights: _Rights, purpose: Purpose) -> bool:
    return Right.DELIVERY_STATE in rights.get(purpose, ())


def _merged(counts: Iterable[NotificationCount]) -> Sequence[NotificationCount]:
    """One count for each day, template and state: what may not be told apart is one."""
    totals: Counter[NotificationCount] = Counter()
    for each in counts:
        totals[replace(each, count=0)] += each.count
    return [replace(each, count=total) for each, total in totals.items()]


def _refuse_days(first: date, last: date) -> None:
    if not timedelta() <= last - first < timedelta(days=STATISTICS_DAYS_MAX):
        told = f"it must be at most {STATISTICS_DAYS_MAX - 1} days after first_date"
        fault = FieldViolation(field="last_date", reason="DAYS_IMPOSSIBLE", description=told)
        raise RequestInvalidError((fault,))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), DAY_ZONE)
