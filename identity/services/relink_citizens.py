"""Compare the subscriptions of some citizens with their records again.

Owns the use case shared by everything that changes population records.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.services.call import Call
from identity.services.relink import Relinked, relink
from identity.storage.database import UnitOfWork


def relink_citizens(
    uow: UnitOfWork, call: Call, citizen_keys: Sequence[bytes], *, action: str
) -> int:
    """Relink and settle; returns how many subscriptions changed.

    Args:
        uow: The transaction; the records were changed in it.
        call: The circumstances.
        citizen_keys: Whose records.
        action: What changed them, for the history.
    """
    claims = uow.links.list_doubtful_of(citizen_keys)
    changed = relink(uow, call, claims, action=action)
    append(uow.connection, [_entry(call, each) for each in changed])
    return len(changed)


def _entry(call: Call, relinked: Relinked) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="relink",
        outcome=relinked.link.state.value,
        citizen_key=relinked.claimed.citizen_key,
    )
