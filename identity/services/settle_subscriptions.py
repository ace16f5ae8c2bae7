"""Save subscriptions together with everything that follows from their change.

Owns the order of saving: subscriptions, cases, overtaken directives, new directives, and last what
the population authority is owed of it. What follows is `identity.domain.settlement`'s to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from identity.domain.policy import CaseCause
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscriber_update import News
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.arrays import References
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


def settle_subscriptions(
    uow: UnitOfWork,
    call: Call,
    items: Sequence[Subscription],
    changes: Mapping[UUID, Change],
) -> list[Settlement]:
    """Settle and save changed subscriptions.

    Args:
        uow: The transaction; the subscriptions are locked in it or new.
        call: The circumstances.
        items: The subscriptions as they are after the change, each once.
        changes: What happened to each, by subscription_id.
    """
    # Saved before cases: a case without its subscription must not exist for a moment.
    uow.subscriptions.save_many(items)
    open_cases = uow.cases.list_open(items)
    held = uow.disputes.holding(items)
    settlements = [
        settle(
            item,
            open_cases[item.subscription_id],
            call.rules,
            change=replace(changes[item.subscription_id], is_disputed=item.subscription_id in held),
            at=call.at,
            new_id=call.new_id,
        )
        for item in items
    ]
    _save(uow, items, settlements, at=call.at)
    news = {
        (msisdn_key(uow.sealer, item.msisdn), item.subscription_id): _news(
            call, changes[item.subscription_id]
        )
        for item in items
    }
    uow.subscriber_updates.note(news, at=call.at)
    return settlements


def settle_subscription(
    uow: UnitOfWork, call: Call, item: Subscription, change: Change
) -> Settlement:
    """`settle_subscriptions` for one."""
    return settle_subscriptions(uow, call, [item], {item.subscription_id: change})[0]


def _save(
    uow: UnitOfWork,
    items: Sequence[Subscription],
    settlements: list[Settlement],
    *,
    at: datetime,
) -> None:
    pairs = zip(items, settlements, strict=True)
    uow.subscriptions.save_many(
        done.subscription for item, done in pairs if done.subscription != item
    )
    uow.cases.save_many((case, done.subscription) for done in settlements for case in done.cases)
    for kinds in {done.overtaken for done in settlements if done.overtaken}:
        alike = (done.subscription for done in settlements if done.overtaken == kinds)
        references = References.of(
            (msisdn_key(uow.sealer, item.msisdn), item.subscription_id) for item in alike
        )
        uow.directives.supersede(references, kinds, at=at)
    uow.directives.add_many(
        (order, done.subscription) for done in settlements for order in done.directives
    )


def _news(call: Call, change: Change) -> News:
    return News(
        end=change.end,
        is_disowned=change.cause is CaseCause.DISOWNED,
        verified_under=call.rules.verification.version if change.is_cured else None,
    )
