"""Relinking a mixed crowd at once leaves what comparing each number by itself leaves."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.caller import Role
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import Link, LinkState, compare_holder
from identity.domain.person_name import PersonName
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.call import score_names
from identity.services.relink import relink
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkChange
from tests.properties.identity.services.ladders import LATER, LINKS, Kind, kinds, rows_of, store
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_call,
    make_claim,
    make_record,
    reference_of,
)

CALL = make_call("register", role=Role.POPULATION, at=LATER)


@dataclass(frozen=True)
class Member:
    """A number before its person's record changed.

    Attributes:
        kind: How it stands.
        link: The state of its link; None for the one that it should have.
        is_known: Its person has a record.
        is_deceased: Who has died.
        is_named_so: The record has the name of the claim.
    """

    kind: Kind
    link: LinkState | None
    is_known: bool
    is_deceased: bool
    is_named_so: bool


members = st.builds(
    Member,
    kind=kinds(),
    link=st.none() | st.sampled_from(LinkState),
    is_known=st.sampled_from([True, True, True, False]),
    is_deceased=st.sampled_from([False, False, True]),
    is_named_so=st.sampled_from([True, True, False]),
)


def enter(
    uow: UnitOfWork, members: Iterable[Member]
) -> list[tuple[Subscription, PopulationRecord | None]]:
    """Members' numbers, as they are stored, and their records."""
    people = [(member, *_person(member)) for member in members]
    uow.citizens.save_many([known for _, _, known in people if known is not None], at=NOW)
    wanted = [(member.kind, _link(member, claim, known), claim) for member, claim, known in people]
    references = [reference_of(uow, item) for item in store(uow, wanted)]
    found = {item.claim: item for item in uow.subscriptions.find_by_reference(references)}
    return [(found[claim], known) for _, claim, known in people]


def _person(member: Member) -> tuple[HolderClaim, PopulationRecord | None]:
    record = make_record(deceased_on=date(2026, 1, 2) if member.is_deceased else None)
    claim = make_claim(record)
    if not member.is_named_so:
        claim = replace(claim, full_name=PersonName(OTHER_NAME))
    return claim, record if member.is_known else None


def _link(member: Member, claim: HolderClaim, known: PopulationRecord | None) -> Link:
    should = compare_holder(claim, known, score_names=score_names)
    return should if member.link is None else LINKS[member.link]


def relink_each(
    uow: UnitOfWork, crowd: list[tuple[Subscription, PopulationRecord | None]]
) -> set[object]:
    """The plain way: look at every number, compare, and settle what differs."""
    changed: set[object] = set()
    for item, record in crowd:
        link: Link = compare_holder(item.claim, record, score_names=score_names)
        if link == item.link:
            continue
        key, identity = reference_of(uow, item)
        changed.add(identity)
        if link.state is not item.link.state:
            line = LinkChange(
                msisdn_key=key,
                subscription_id=identity,
                from_state=item.link.state,
                to_state=link.state,
            )
            uow.link_changes.add_many([line], action="test", at=LATER)
        settle_subscription(
            uow, CALL, item.relinked(link, at=LATER), Change(before=item.service_state)
        )
    return changed


@settings(max_examples=6, deadline=None)
@given(drawn=st.lists(members, min_size=1, max_size=4))
def test_a_crowd_is_relinked_as_each_of_it_would_be(
    engine: Engine, vault: Vault, drawn: list[Member]
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        # Each twice, so that there are always some that are alike.
        crowd = enter(uow, [member for member in drawn for _ in range(2)])
        ids = [item.subscription_id for item, _ in crowd]
        with connection.begin_nested() as savepoint:
            should_change = relink_each(uow, crowd)
            expected = rows_of(uow, ids)
            savepoint.rollback()
        keys = [citizen_key(vault, item.claim.personal_id) for item, _ in crowd]
        changed = relink(uow, CALL, uow.links.list_doubtful_of(keys), action="test")
        assert {each.claimed.subscription_id for each in changed} == should_change
        assert rows_of(uow, ids) == expected
        again = relink(uow, CALL, uow.links.list_doubtful_of(keys), action="test")
        assert list(again) == []
        assert rows_of(uow, ids) == expected
        connection.rollback()
