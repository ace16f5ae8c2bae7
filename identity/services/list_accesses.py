"""Tell a citizen who looked at their data, and who decided or changed something.

Owns what the answer holds. The look itself is recorded as any other; it is the citizen's own, so it
is not in the history that it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from identity.audit.history import ShownEntry, count_withheld, list_shown
from identity.audit.log import AuditEntry, append
from identity.domain.access_history import OWN_LOOKS
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """One page of a history.

    Attributes:
        entries: Its lines, the newest first.
        withheld_count: How many a court keeps from being shown now, on whatever page.
        next_before: Where the next page begins; None at the end.
    """

    entries: Sequence[ShownEntry]
    withheld_count: int
    next_before: int | None


def list_accesses(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, before: int | None, limit: int
) -> AccessPage:
    """A page of what was done with a person's data.

    Args:
        uow: The transaction.
        call: The circumstances.
        personal_id: The citizen, known or not. What concerned a retired personal ID stands under
            that one.
        before: Where the page begins, as the page before says; None for the first.
        limit: The most lines.
    """
    key = citizen_key(uow.sealer, personal_id)
    found = list_shown(
        uow.connection, key, at=call.at, before=before, limit=limit + 1, own_looks=OWN_LOOKS
    )
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="list_accesses",
        outcome="read",
        citizen_key=key,
    )
    append(uow.connection, [entry])
    entries = found[:limit]
    return AccessPage(
        entries=entries,
        withheld_count=count_withheld(uow.connection, key, at=call.at),
        next_before=entries[-1].entry_id if len(found) > limit else None,
    )
