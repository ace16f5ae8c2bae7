"""Put right the links of claims that may stand otherwise than they should.

Owns what every comparison of stored claims with records ends in: the new link, its history, and
what follows. A verification stays in the history; a link that breaks puts the number on the ladder
and clears it as primary.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from identity.domain.link import Link, LinkState, agreed_link, compare_holder, not_found_link
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call, score_names
from identity.services.settle_alike import settle_alike
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.arrays import Reference, References
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkChange
from identity.storage.links import Claimed

_BY_DIGEST = {
    LinkState.NOT_FOUND: not_found_link(),
    LinkState.LINKED: agreed_link(is_deceased=False),
    LinkState.DECEASED: agreed_link(is_deceased=True),
}


@dataclass(frozen=True, slots=True)
class Relinked:
    """A claim and the link that it has now."""

    claimed: Claimed
    link: Link


def relink(
    uow: UnitOfWork, call: Call, claims: Sequence[Claimed], *, action: str
) -> Sequence[Relinked]:
    """Compare claims with their records, write what differs, and settle it.

    Args:
        uow: The transaction; the claims are locked in it, and the citizens are held.
        call: The circumstances.
        claims: The claims.
        action: What led to it, for the history.

    Returns:
        The claims whose links have changed.
    """
    links = _compare(uow, claims)
    changed = [
        Relinked(claimed, link)
        for claimed, link in zip(claims, links, strict=True)
        if link != claimed.link
    ]
    if changed:
        uow.link_changes.add_many(
            [_line(each) for each in changed if each.link.state is not each.claimed.link.state],
            action=action,
            at=call.at,
        )
        _settle(uow, call, changed)
    return changed


def _compare(uow: UnitOfWork, claims: Sequence[Claimed]) -> list[Link]:
    looked_at = {each.claim.personal_id for each in claims if each.claim is not None}
    records = uow.citizens.find_many(looked_at) if looked_at else {}
    links: list[Link] = []
    for each in claims:
        if each.claim is not None:
            record = records.get(each.claim.personal_id)
            links.append(compare_holder(each.claim, record, score_names=score_names))
        else:
            assert each.by_digest is not None, "a claim is read where digests do not tell"
            links.append(_BY_DIGEST[each.by_digest])
    return links


def _line(relinked: Relinked) -> LinkChange:
    claimed = relinked.claimed
    return LinkChange(
        msisdn_key=claimed.msisdn_key,
        subscription_id=claimed.subscription_id,
        from_state=claimed.link.state,
        to_state=relinked.link.state,
    )


def _settle(uow: UnitOfWork, call: Call, changed: Sequence[Relinked]) -> None:
    """Settle those that are alike at once, where that can be done, and the others one by one."""
    alone: list[Relinked] = [each for each in changed if each.claimed.is_verified]
    together = [each for each in changed if not each.claimed.is_verified]
    uow.links.set_many([(each.claimed, each.link) for each in together], at=call.at)
    for alike in _groups(uow, call, together):
        references = References.of(each.claimed.reference for each in alike)
        example = uow.subscriptions.find_by_reference([references.first])[0]
        if not settle_alike(uow, call, example, references):
            alone.extend(alike)
    if alone:
        _settle_each(uow, call, alone)


def _groups(uow: UnitOfWork, call: Call, changed: Sequence[Relinked]) -> Sequence[list[Relinked]]:
    kinds = uow.cases.kinds_open([each.claimed.reference for each in changed])
    groups: dict[Hashable, list[Relinked]] = defaultdict(list)
    for each in changed:
        claimed = each.claimed
        exempt = call.rules.exempt_from(claimed.activated_on)
        cases = kinds[claimed.subscription_id]
        groups[claimed.service_state, each.link.state, cases, exempt].append(each)
    return list(groups.values())


def _settle_each(uow: UnitOfWork, call: Call, alone: Sequence[Relinked]) -> None:
    links = {each.claimed.subscription_id: each.link for each in alone}
    references: list[Reference] = [each.claimed.reference for each in alone]
    found = uow.subscriptions.find_by_reference(references)
    items: list[Subscription] = [
        item.relinked(links[item.subscription_id], at=call.at) for item in found
    ]
    changes = {item.subscription_id: Change(before=item.service_state) for item in items}
    settle_subscriptions(uow, call, items, changes)
