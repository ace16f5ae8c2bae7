"""Whatever happens and however clumsily it is pulled, the register ends up knowing what is so.

A small country lives through drawn histories in a transaction that is rolled back; a register of
plain dictionaries enters what it pulls, and is then compared with what is stored.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from identity.domain.caller import Role
from identity.domain.directive import AcknowledgementResult
from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.subscriber_update import SubscriberUpdate, UpdateLease
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.apply_population_changes import Correction, Death, apply_population_changes
from identity.services.complete_verification import record_verdict
from identity.services.disown_subscription import disown_subscription
from identity.services.primary_number import set_primary_number
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.subscriber_updates import (
    UpdateAcknowledgement,
    acknowledge_subscriber_updates,
    pull_subscriber_updates,
)
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    find,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_session,
    step_up,
    store_citizen,
    store_number,
)

LASTS = timedelta(minutes=5)
HOUR = timedelta(hours=1)


@dataclass
class Country:
    """Two people with three numbers, the register of the authority, and the time."""

    uow: UnitOfWork
    people: list[PopulationRecord]
    items: list[Subscription]
    at: datetime = NOW
    lease: UpdateLease | None = None
    entered: dict[tuple[PersonalID, UUID], SubscriberUpdate] = field(default_factory=dict)
    last: dict[PersonalID, int] = field(default_factory=dict)

    def call(self, name: str, role: Role = Role.OPERATOR) -> Any:  # noqa: ANN401 - a call
        """A call at the present instant."""
        return make_call(name, role=role, at=self.at)

    def holder(self, item: Subscription) -> PopulationRecord:
        """Whom the number is claimed for now, as the register has it."""
        known = {each.personal_id: each for each in self.people}
        return known[find(self.uow, item).claim.personal_id]

    def is_given_up(self, item: Subscription) -> bool:
        """Whether its holder has said that it is not theirs, and was not verified since."""
        cases = self.uow.cases.list_open([item]).get(item.subscription_id, ())
        return any(case.cause is CaseCause.DISOWNED for case in cases)

    def keep(self, record: PopulationRecord) -> None:
        """Remember how a record is now."""
        place = [each.personal_id for each in self.people].index(record.personal_id)
        self.people[place] = record


Deed = Callable[[Country, int], None]


def _verify(country: Country, place: int) -> None:
    item = find(country.uow, country.items[place])
    record = country.holder(item)
    if not item.is_in_service:
        return
    session = make_session(country.uow, item, expires_at=country.at + HOUR)
    chip = make_chip(make_claim(record))
    call = country.call(item.operator_id)
    record_verdict(country.uow, call, session, chip, make_face(), reference=None)


def _choose(country: Country, place: int) -> None:
    item = find(country.uow, country.items[place])
    app = country.call("vneid", Role.CITIZEN_APP)
    # Any but the first choice takes a verification that was made for it.
    holder = country.holder(item)
    fresh = step_up(country.uow, holder, item, at=country.at, caller=str(app.caller))
    may = item.is_eligible_as_primary and item.service_state == "active"
    may = may and not country.is_given_up(item)
    try:
        set_primary_number(
            country.uow,
            app,
            item.claim.personal_id,
            item.msisdn,
            verification_id=fresh,
        )
    except PrimaryNotEligibleError:
        assert not may
    else:
        assert may


def _disown(country: Country, place: int) -> None:
    item = find(country.uow, country.items[place])
    if item.is_in_service:
        app = country.call("vneid", Role.CITIZEN_APP)
        disown_subscription(country.uow, app, item.claim.personal_id, item.msisdn)


def _report(country: Country, place: int, kind: EventKind) -> None:
    item = find(country.uow, country.items[place])
    heir = next(each for each in country.people if each.personal_id != item.claim.personal_id)
    event = SubscriptionEvent(
        msisdn=item.msisdn,
        kind=kind,
        occurred_at=country.at,
        claim=make_claim(heir) if kind is EventKind.TRANSFER else None,
    )
    report_events(country.uow, country.call(item.operator_id), [event])


def _transfer(country: Country, place: int) -> None:
    _report(country, place, EventKind.TRANSFER)


def _release(country: Country, place: int) -> None:
    _report(country, place, EventKind.RELEASE)


def _rename(country: Country, place: int) -> None:
    record = country.people[place % 2]
    other = record.full_name.value == OTHER_NAME
    renamed = replace(record, full_name=PersonName("Lê Thị Mới" if other else OTHER_NAME))
    register = country.call("npd", Role.POPULATION)
    apply_population_changes(country.uow, register, [Correction(renamed)])
    country.keep(renamed)


def _bury(country: Country, place: int) -> None:
    record = country.people[place % 2]
    register = country.call("npd", Role.POPULATION)
    death = Death(record.personal_id, date(2026, 4, 30))
    apply_population_changes(country.uow, register, [death])
    country.keep(replace(record, deceased_on=death.deceased_on))


def _pull(country: Country, place: int) -> None:
    register = country.call("npd", Role.POPULATION)
    lease = pull_subscriber_updates(country.uow, register, duration=LASTS, limit=place + 1)
    for each in lease.updates:
        _enter(country, each)
    country.lease = lease if lease.updates else country.lease


def _enter(country: Country, update: SubscriberUpdate) -> None:
    key = (update.personal_id, update.subscription_id)
    before = country.entered.get(key)
    if before is not None and before.sequence == update.sequence:
        assert update == before
        return
    assert update.sequence > country.last.get(update.personal_id, 0)
    country.entered[key] = update
    country.last[update.personal_id] = update.sequence
    primaries = [
        each
        for (person, _), each in country.entered.items()
        if person == update.personal_id and each.standing.primary_since is not None
    ]
    assert len(primaries) <= 1


def _acknowledge(country: Country, _place: int) -> None:
    if country.lease is None:
        return
    items = [
        UpdateAcknowledgement(
            personal_id=each.personal_id,
            subscription_id=each.subscription_id,
            sequence=each.sequence,
        )
        for each in country.lease.updates
    ]
    register = country.call("npd", Role.POPULATION)
    results = acknowledge_subscriber_updates(country.uow, register, country.lease.lease_id, items)
    if country.at < country.lease.expires_at:
        already = AcknowledgementResult.ALREADY_ACKNOWLEDGED
        assert set(results) <= {AcknowledgementResult.ACCEPTED, already}


def _wait(country: Country, _place: int) -> None:
    country.at += LASTS


DEEDS: tuple[Deed, ...] = (
    *(_verify, _verify, _verify, _choose, _choose, _disown, _transfer, _release, _rename, _bury),
    *(_pull, _pull, _acknowledge, _acknowledge, _wait),
)


@contextmanager
def opened(engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    """A transaction in which nothing is owed to anybody, rolled back at the end."""
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM subscriber_update"))
        connection.execute(text("DELETE FROM subscriber_sequence"))
        yield UnitOfWork(connection, vault)
        connection.rollback()


@contextmanager
def begun(uow: UnitOfWork) -> Iterator[Country]:
    """A new country, whose end leaves nothing owed; without that end it leaves nothing at all."""
    # Kept when all went well: after a rollback the driver would prepare each statement anew.
    with uow.connection.begin_nested():
        people = [store_citizen(uow), store_citizen(uow)]
        items = [store_number(uow, people[place % 2], verified_at=None) for place in range(3)]
        yield Country(uow, people, items)


def test_the_register_ends_up_knowing_what_is_so(engine: Engine, vault: Vault) -> None:
    with opened(engine, vault) as uow:

        @settings(max_examples=12, deadline=None)
        @given(history=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 2)), max_size=14))
        def live(history: list[tuple[Deed, int]]) -> None:
            with begun(uow) as country:
                for deed, place in history:
                    deed(country, place)
                _settle(country)
                _compare(country)

        live()


def _settle(country: Country) -> None:
    """Pull and acknowledge until nothing is owed, which is soon."""
    _wait(country, 0)
    country.lease = None
    for _ in range(len(country.people) * len(country.items)):
        if _open_count(country):
            _pull(country, 2)
            _acknowledge(country, 0)
    assert _open_count(country) == 0


def _open_count(country: Country) -> int:
    query = text("SELECT count(*) FROM subscriber_update WHERE acknowledged_sequence < sequence")
    count: int = country.uow.connection.execute(query).scalar_one()
    return count


def _compare(country: Country) -> None:
    for record in country.people:
        own = {
            identity: each.standing
            for (person, identity), each in country.entered.items()
            if person == record.personal_id
        }
        primary = country.uow.primaries.find(record.personal_id)
        marked = {i: each.primary_since for i, each in own.items() if each.primary_since}
        assert marked == ({} if primary is None else {primary.subscription_id: primary.set_at})
        for item in (find(country.uow, each) for each in country.items):
            told = own.get(item.subscription_id)
            is_held = item.is_in_service and item.claim.personal_id == record.personal_id
            is_proved = item.verified_at is not None and item.link.state is LinkState.LINKED
            if told is None:
                assert not (is_held and is_proved)
            elif is_held:
                assert (told.end, told.link_state) == (None, item.link.state)
                assert told.verified_at == item.verified_at
            else:
                assert told.end is not None
