"""A citizen says "this number is not mine": the number goes on the ladder for that."""

from datetime import datetime

from identity.audit.log import AuditEntry, append
from identity.domain.enforcement import next_block
from identity.domain.errors import SubscriptionNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


def disown_subscription(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, msisdn: MSISDN
) -> datetime | None:
    """Open the case; returns when the number is suspended unless its user proves it.

    Raises:
        SubscriptionNotFoundError: No number in service under this citizen's personal ID.
    """
    item = uow.subscriptions.find_in_service(msisdn, lock=True)
    if item is None or item.claim.personal_id != personal_id:
        raise SubscriptionNotFoundError("you have no such number")
    # Nobody may be reached through a number that they say is not theirs.
    uow.primaries.clear(item)
    change = Change(before=item.service_state, cause=CaseCause.DISOWNED, cause_at=call.at)
    settlement = settle_subscription(uow, call, item, change)
    append(uow.connection, [_entry(uow, call, item)])
    ladder = call.rules.track_for(CaseCause.DISOWNED)
    # By its ladder: a number that stands there for another reason already gets no second case.
    own = next(case for case in settlement.cases if ladder and case.track == ladder.name)
    block = next_block(own, call.rules.track_of(own.policy_version, own.track), is_primary=False)
    return None if block is None else block.at


def _entry(uow: UnitOfWork, call: Call, item: Subscription) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="disown_subscription",
        outcome="case_opened",
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
    )
