"""Ask citizens whether the number that they marked is still the one to reach them by.

Owns the asking: once for each confirmation, from the age on that the policy pack names. A citizen
who confirms, or whose number is verified, is asked again when that has become old.
"""

from identity.domain.tiding import TidingKind
from identity.services.call import Call
from identity.services.tidings import Tiding, post_tidings
from identity.storage.database import UnitOfWork

SLICE_PEOPLE = 2_000
"""People asked in one transaction: their numbers are locked for a second or two."""


def ask_to_confirm(uow: UnitOfWork, call: Call, *, limit: int = SLICE_PEOPLE) -> int:
    """Ask some of those whose primary number was confirmed long ago; returns how many were due.

    Where the pack has no words for it, nobody is asked, and whoever is due stays so.
    """
    if TidingKind.CONFIRM_ASKED not in call.rules.messages:
        return 0
    policy = call.rules.primary
    before = call.at - policy.ask_after
    due = uow.primaries.list_unasked(confirmed_until=before, limit=limit)
    # Subscriptions are locked first, as everywhere.
    items = uow.subscriptions.find_by_reference(list(due.values()), lock=True)
    asked = uow.primaries.mark_asked(due, confirmed_until=before, at=call.at)
    post_tidings(
        uow,
        call,
        [
            Tiding(
                subscription=item,
                kind=TidingKind.CONFIRM_ASKED,
                values={
                    "number": item.msisdn,
                    "date": asked[item.subscription_id] + policy.confirm_within,
                },
            )
            for item in items
            if item.subscription_id in asked
        ],
    )
    return len(due)
