"""A citizen gives a number up: it is not theirs, or not used any more. It goes on the ladder."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum

from identity.audit.log import AuditEntry, append
from identity.domain.enforcement import next_block
from identity.domain.errors import SubscriptionNotFoundError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.primary_choice import ChoiceKind, ClearCause
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.choice_record import record
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.choices import ChoiceEvent, Decided
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


class DisownKind(StrEnum):
    """What a citizen says of a number in their name."""

    NOT_MINE = "not_mine"
    NO_LONGER_USED = "no_longer_used"


_CAUSES: Mapping[DisownKind, CaseCause] = {
    DisownKind.NOT_MINE: CaseCause.DISOWNED,
    DisownKind.NO_LONGER_USED: CaseCause.NO_LONGER_USED,
}


def disown_subscription(
    uow: UnitOfWork,
    call: Call,
    personal_id: PersonalID,
    msisdn: MSISDN,
    *,
    kind: DisownKind = DisownKind.NOT_MINE,
) -> datetime | None:
    """Open the case; returns when the number is suspended unless its user proves it.

    Raises:
        SubscriptionNotFoundError: No number in service under this citizen's personal ID.
    """
    item = uow.subscriptions.find_in_service(msisdn, lock=True)
    if item is None or item.claim.personal_id != personal_id:
        raise SubscriptionNotFoundError("you have no such number")
    _reach_no_more(uow, call, item)
    cause = _CAUSES[kind]
    change = Change(before=item.service_state, cause=cause, cause_at=call.at)
    settlement = settle_subscription(uow, call, item, change)
    append(uow.connection, [_entry(uow, call, item, kind)])
    ladder = call.rules.track_for(cause)
    # By its ladder: a number that stands there for another reason already gets no second case.
    own = next(case for case in settlement.cases if ladder and case.track == ladder.name)
    block = next_block(own, call.rules.track_of(own.policy_version, own.track), is_primary=False)
    return None if block is None else block.at


def disowned_among(uow: UnitOfWork, items: Collection[Subscription]) -> bool:
    """Whether any was given up, and not verified since: nobody is to be reached through it."""
    if not items:
        return False
    cases = uow.cases.list_open(items)
    return any(case.cause in _CAUSES.values() for each in cases.values() for case in each)


def _reach_no_more(uow: UnitOfWork, call: Call, item: Subscription) -> None:
    """Have a citizen reached no more through a number: it is no primary, no fallback, no change."""
    uow.primaries.clear(item, ClearCause.DISOWNED, at=call.at)
    uow.fallbacks.drop(item)
    key = citizen_key(uow.sealer, item.claim.personal_id)
    choices = uow.choices.hold_many([key]).get(key)
    if choices is None or choices.pending is None:
        return
    if choices.pending.subscription_id == item.subscription_id:
        event = ChoiceEvent(
            happened_at=call.at,
            kind=ChoiceKind.CHANGE_LAPSED,
            subscription_id=item.subscription_id,
            change_id=choices.pending.change_id,
        )
        decided = Decided(key, choices.confirmed(), (event,))
        record(uow, call, [decided], action="lapse_primary_change")


def _entry(uow: UnitOfWork, call: Call, item: Subscription, kind: DisownKind) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="disown_subscription",
        outcome="case_opened",
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
        details={"kind": kind.value},
    )
