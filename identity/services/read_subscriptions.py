"""Read subscriptions: one or a page of an operator's, or a page of a citizen's.

Owns what a reader may see. Each read leaves an audit entry in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.enforcement import Case
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.lookup_watch import count_lookup, refuse_stopped
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """A subscription with what other tables know of it."""

    subscription: Subscription
    cases: Sequence[Case]
    is_primary: bool

    @property
    def has_open_case(self) -> bool:
        """Whether anything is held against it."""
        return bool(self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page; `next_after` is None at the end."""

    views: Sequence[SubscriptionView]
    next_after: UUID | None


def get_subscription(uow: UnitOfWork, call: Call, msisdn: MSISDN) -> SubscriptionView | None:
    """One of the calling operator's subscriptions; None when it has none of this number.

    Returned, not raised, so that the look-up itself stays on record.

    Raises:
        LookupsStoppedError: The operator's look-ups were stopped.
    """
    refuse_stopped(uow, call)
    item = uow.subscriptions.find_of_operator(msisdn, call.caller.name)
    key = msisdn_key(uow.sealer, msisdn)
    count_lookup(uow, call, key, is_unknown=item is None)
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="get_subscription",
        outcome="not_found" if item is None else "found",
        citizen_key=None if item is None else citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=key,
    )
    append(uow.connection, [entry])
    return None if item is None else view(uow, [item])[0]


def list_of_operator(
    uow: UnitOfWork,
    call: Call,
    *,
    after: UUID | None,
    limit: int,
    link_states: Iterable[LinkState],
) -> Page:
    """A page of the calling operator's subscriptions.

    Raises:
        LookupsStoppedError: The operator's look-ups were stopped: a link tells whether its holder
            is anybody.
    """
    refuse_stopped(uow, call)
    items = uow.subscriptions.list_of_operator(
        call.caller.name, after=after, limit=limit + 1, link_states=link_states
    )
    page = _page(uow, items, limit)
    keys = [citizen_key(uow.sealer, v.subscription.claim.personal_id) for v in page.views]
    append(uow.connection, [_read(call, "list_subscriptions", key) for key in keys])
    return page


def list_of_citizen(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, after: UUID | None, limit: int
) -> Page:
    """A page of what is in service in a citizen's name, at every operator."""
    items = uow.subscriptions.list_of_citizen(personal_id, after=after, limit=limit + 1)
    append(
        uow.connection,
        [_read(call, "list_own_subscriptions", citizen_key(uow.sealer, personal_id))],
    )
    return _page(uow, items, limit)


def view(uow: UnitOfWork, items: Sequence[Subscription]) -> list[SubscriptionView]:
    """Add what other tables know."""
    cases = uow.cases.list_open(items)
    primaries = uow.primaries.held_by(item.subscription_id for item in items)
    return [
        SubscriptionView(
            subscription=item,
            cases=cases[item.subscription_id],
            is_primary=item.subscription_id in primaries,
        )
        for item in items
    ]


def _page(uow: UnitOfWork, items: Sequence[Subscription], limit: int) -> Page:
    shown = items[:limit]
    is_last = len(items) <= limit
    return Page(views=view(uow, shown), next_after=None if is_last else shown[-1].subscription_id)


def _read(call: Call, action: str, key: bytes) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome="read",
        citizen_key=key,
    )
