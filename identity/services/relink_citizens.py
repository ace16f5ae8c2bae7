"""Compare the subscriptions of some citizens with their records again.

Owns the use case shared by everything that changes population records. A verification stays in the
history; a link that breaks puts the number on the ladder and clears it as primary.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.domain.link import compare_holder
from identity.domain.personal_id import PersonalID
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call, score_names
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork


def relink_citizens(uow: UnitOfWork, call: Call, ids: Sequence[PersonalID]) -> int:
    """Relink and settle; returns how many subscriptions changed."""
    held = uow.subscriptions.list_of_citizens(ids, lock=True)
    records = uow.citizens.find_many(item.claim.personal_id for item in held)
    relinked = [
        item.relinked(
            compare_holder(
                item.claim, records.get(item.claim.personal_id), score_names=score_names
            ),
            at=call.at,
        )
        for item in held
    ]
    changed = [new for new, old in zip(relinked, held, strict=True) if new != old]
    changes = {item.subscription_id: Change(before=item.service_state) for item in changed}
    settle_subscriptions(uow, call, changed, changes)
    append(uow.connection, [_entry(uow, call, item) for item in changed])
    return len(changed)


def _entry(uow: UnitOfWork, call: Call, item: Subscription) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="relink",
        outcome=item.link.state.value,
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
    )
