"""Links by the thousand: which claims are looked at again, and how they are put right."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

from sqlalchemy import text, update

from identity.domain.link import Link, LinkState, agreed_link, not_found_link
from identity.domain.person_name import PersonName
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, UnitOfWork
from identity.storage.links import Claimed
from identity.storage.tables import citizen, subscription
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    find,
    make_claim,
    make_link,
    make_record,
    make_subscription,
    reference_of,
    store_citizen,
    store_number,
)

LATER = NOW + timedelta(hours=1)
RECORDS = ("none", "alive", "deceased")
DIGESTS = ("equal", "unequal", "empty", "both_empty")


@dataclass(frozen=True)
class Case:
    """A claim as it stands, and what of it is known from its record."""

    stands: LinkState
    record: str
    digest: str

    @property
    def by_digest(self) -> LinkState | None:
        """What its link must be, as far as digests tell."""
        if self.record == "none":
            return LinkState.NOT_FOUND
        if self.digest != "equal":
            return None
        return LinkState.DECEASED if self.record == "deceased" else LinkState.LINKED

    @property
    def is_doubtful(self) -> bool:
        """It stands otherwise, or nobody can tell without looking; the dead always are."""
        return self.by_digest is not self.stands or self.stands is LinkState.DECEASED


CASES = [Case(*each) for each in product(LinkState, RECORDS, DIGESTS)]


def store(uow: UnitOfWork, case: Case) -> Subscription:
    record = make_record(deceased_on=date(2026, 1, 2) if case.record == "deceased" else None)
    if case.record != "none":
        uow.citizens.save_many([record], at=NOW)
    claim = make_claim(record)
    if case.digest == "unequal":
        claim = replace(claim, full_name=PersonName(OTHER_NAME))
    item = make_subscription(claim, link=make_link(case.stands), verified_at=None)
    uow.subscriptions.save(item)
    if case.digest in ("empty", "both_empty"):  # written before there were digests
        identity = subscription.c.subscription_id == item.subscription_id
        uow.connection.execute(update(subscription).where(identity).values(holder_digest=b""))
    if case.digest == "both_empty":
        (key,) = keys_of(uow, item)
        is_holder = citizen.c.citizen_key == key
        uow.connection.execute(update(citizen).where(is_holder).values(holder_digest=b""))
    return item


def doubtful_in(uow: UnitOfWork, item: Subscription) -> list[Claimed]:
    """What is listed of the one key of a number."""
    key, _ = reference_of(uow, item)
    return list(uow.links.list_doubtful_in(key, key + b"\0"))


def keys_of(uow: UnitOfWork, *items: Subscription) -> list[bytes]:
    return [citizen_key(uow.sealer, item.claim.personal_id) for item in items]


def test_exactly_what_may_stand_otherwise_is_listed_with_what_its_digests_tell(
    uow: UnitOfWork,
) -> None:
    items = {case: store(uow, case) for case in CASES}
    expected = {
        reference_of(uow, item): (
            case.by_digest,
            item.claim if case.by_digest is None else None,
            item.link,
        )
        for case, item in items.items()
        if case.is_doubtful
    }
    assert 0 < len(expected) < len(items) == 48
    of_citizens = uow.links.list_doubtful_of(keys_of(uow, *items.values()))
    in_range = [each for item in items.values() for each in doubtful_in(uow, item)]
    for listed in (of_citizens, in_range):
        told = {each.reference: (each.by_digest, each.claim, each.link) for each in listed}
        assert told == expected
        assert len(listed) == len(expected)
    assert [each.msisdn_key for each in of_citizens] == sorted(
        each.msisdn_key for each in of_citizens
    )


def test_a_claim_that_was_corrected_is_told_by_its_new_digest(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    wrong = replace(make_claim(record), full_name=PersonName(OTHER_NAME))
    item = make_subscription(wrong, link=make_link(LinkState.MISMATCHED), verified_at=None)
    uow.subscriptions.save(item)
    uow.subscriptions.save(replace(item, claim=make_claim(record)))
    for listed in (doubtful_in(uow, item), uow.links.list_doubtful_of(keys_of(uow, item))):
        assert [(each.by_digest, each.claim) for each in listed] == [(LinkState.LINKED, None)]


def test_a_claim_is_listed_with_its_service_and_whether_it_was_verified(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    blocked = store_number(
        uow,
        record,
        link=make_link(LinkState.MISMATCHED),
        service_state=ServiceState.OUTGOING_BLOCKED,
        verified_at=None,
    )
    verified = store_number(uow, record, link=make_link(LinkState.MISMATCHED))
    listed = {
        each.subscription_id: each
        for each in uow.links.list_doubtful_of(keys_of(uow, blocked, verified))
    }
    told = {
        identity: (each.service_state, each.is_verified, each.citizen_key)
        for identity, each in listed.items()
    }
    key = citizen_key(uow.sealer, record.personal_id)
    assert told == {
        blocked.subscription_id: ("outgoing_blocked", False, key),
        verified.subscription_id: ("active", True, key),
    }


def test_what_has_ended_is_left_out(uow: UnitOfWork) -> None:
    record = make_record()
    ended = store_number(
        uow, record, link=make_link(LinkState.LINKED), service_state=ServiceState.TERMINATED
    )
    assert uow.links.list_doubtful_of(keys_of(uow, ended)) == []
    assert doubtful_in(uow, ended) == []
    key, _ = reference_of(uow, ended)
    assert uow.links.count_in(key, key + b"\0") == 0
    served = store_number(uow, record, msisdn=ended.msisdn)
    assert uow.links.count_in(key, key + b"\0") == 1
    (listed,) = doubtful_in(uow, served)
    assert listed.subscription_id == served.subscription_id


def test_a_range_has_its_first_key_and_not_the_one_after_its_last(uow: UnitOfWork) -> None:
    items = [store(uow, Case(LinkState.LINKED, "none", "equal")) for _ in range(4)]
    keys = sorted(reference_of(uow, item)[0] for item in items)

    def own(low: bytes, high: bytes | None) -> list[bytes]:
        listed = [each.msisdn_key for each in uow.links.list_doubtful_in(low, high)]
        return [key for key in listed if key in keys]

    assert own(keys[1], keys[3]) == keys[1:3]
    assert own(keys[2], None) == keys[2:]
    assert own(b"", keys[0]) == []
    assert uow.links.count_in(keys[0], keys[3]) == (
        uow.links.count_in(keys[0], keys[2]) + uow.links.count_in(keys[2], keys[3])
    )
    assert uow.links.count_in(b"", None) - uow.links.count_in(keys[0], None) == (
        uow.links.count_in(b"", keys[0])
    )


def test_nobody_has_no_doubtful_claims(uow: UnitOfWork) -> None:
    assert uow.links.list_doubtful_of([]) == []


def test_what_is_listed_is_locked_until_the_end(database: Database) -> None:
    with database.transaction() as uow:
        record = make_record()
        items = [store_number(uow, record, verified_at=None) for _ in range(2)]
        uow.subscriptions.save(replace(items[1], link=not_found_link()))
    free = text(
        "SELECT subscription_id FROM subscription WHERE msisdn_key = ANY (:keys)"
        " FOR UPDATE SKIP LOCKED"
    )
    with database.transaction() as uow:
        keys = {"keys": [reference_of(uow, item)[0] for item in items]}
        listed = uow.links.list_doubtful_of(keys_of(uow, items[0]))
        assert [each.subscription_id for each in listed] == [items[0].subscription_id]
        with database.transaction() as other:
            left = other.connection.scalars(free, keys).all()
        # The other one stands as it should, and nobody waits for it.
        assert left == [items[1].subscription_id]


def test_links_are_written_at_once_and_to_whom_they_belong(uow: UnitOfWork) -> None:
    cases = [case for case in CASES if case.is_doubtful]
    items = [store(uow, case) for case in cases]
    untouched = store(uow, cases[0])
    claims = {
        each.subscription_id: each for each in uow.links.list_doubtful_of(keys_of(uow, *items))
    }
    fresh: list[Link] = [
        agreed_link(is_deceased=False),
        agreed_link(is_deceased=True),
        not_found_link(),
        make_link(LinkState.MISMATCHED),
    ]
    links = [fresh[place % len(fresh)] for place in range(len(items))]
    uow.links.set_many(
        [(claims[item.subscription_id], link) for item, link in zip(items, links, strict=True)],
        at=LATER,
    )
    for item, link in zip(items, links, strict=True):
        assert find(uow, item) == replace(item, link=link, updated_at=LATER)
    assert find(uow, untouched) == untouched


def test_no_links_to_write_are_no_fault(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    uow.links.set_many([], at=LATER)
    assert find(uow, item) == item
