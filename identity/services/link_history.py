"""Write down what became of links that changed with their claims.

Owns which changes of claims belong in the history: each that another state follows from, and each
new holder, whose verification starts anew. What changes by the records alone is `relink.py`'s.
"""

from collections.abc import Iterable

from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction, LinkChange
from identity.storage.subscriptions import msisdn_key


def note_claim_changes(
    uow: UnitOfWork, call: Call, pairs: Iterable[tuple[Subscription, Subscription]]
) -> None:
    """Add lines to the history.

    Args:
        uow: The transaction.
        call: The circumstances.
        pairs: Subscriptions before and after their claims changed.
    """
    lines: dict[LinkAction, list[LinkChange]] = {}
    for before, after in pairs:
        action = LinkAction.BOOK_CORRECTED
        if before.claim.personal_id != after.claim.personal_id:
            action = LinkAction.NEW_HOLDER
        elif before.link.state is after.link.state:
            continue
        line = LinkChange(
            msisdn_key=msisdn_key(uow.sealer, after.msisdn),
            subscription_id=after.subscription_id,
            from_state=before.link.state,
            to_state=after.link.state,
        )
        lines.setdefault(action, []).append(line)
    for action, changes in lines.items():
        uow.link_changes.add_many(changes, action=action.value, at=call.at)
