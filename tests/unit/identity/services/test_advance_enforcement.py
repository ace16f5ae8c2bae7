"""Runs that come together, after an outage, and where one day ends and rules change."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from identity.domain.caller import Role
from identity.domain.errors import ClockBackwardsError
from identity.domain.policy_book import PolicyBook
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.advance_enforcement import EnforcementRun, advance_enforcement
from identity.services.file_complaint import file_complaint
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from identity.storage.tables import directive
from tests.unit.identity.makers import make_call, policies, store_citizen, store_number
from tests.unit.identity.services.wave_country import DAY, Country, make_country

Race = Callable[..., list[Any]]
TICK = timedelta(microseconds=1)
MIDNIGHT = datetime(2026, 8, 31, 17, tzinfo=UTC)
"""1 September 2026 begins in Viet Nam."""


@pytest.fixture
def country(quiet_engine: Engine, vault: Vault) -> Iterator[Country]:
    """Thirteen unverified numbers that were told five times and wait for a wave."""
    made = make_country(quiet_engine, vault)
    yield made
    with quiet_engine.begin() as connection:
        connection.execute(text("TRUNCATE directive, enforcement_case, subscription CASCADE"))


def orders(country: Country) -> Counter[tuple[str, datetime]]:
    """What was ordered when, and of how many numbers."""
    with country.transactions.database.transaction() as uow:
        rows = uow.connection.execute(select(directive.c.kind, directive.c.created_at))
        return Counter((kind, at) for kind, at in rows)


def run(country: Country, at: datetime) -> EnforcementRun:
    call = make_call("ministry", role=Role.REGULATOR, at=at)
    return advance_enforcement(country.transactions, call, slice_cases=2)


def test_an_outage_of_forty_days_skips_no_notice_and_no_step(country: Country) -> None:
    """Of new numbers: everything that was due meanwhile comes one by one, a day apart."""
    item = store_new(country)
    country.advance(0)
    country.obey()
    country.advance(40)
    back_at = country.at
    for _ in range(5):
        country.obey()
        country.advance(1)
    with country.transactions.database.transaction() as uow:
        query = select(directive.c.kind, directive.c.created_at).where(
            directive.c.subscription_id == item.subscription_id
        )
        found = [tuple(row) for row in uow.connection.execute(query.order_by("position"))]
    began_at = back_at - 40 * DAY
    assert found == [
        ("notify", began_at),
        *(("notify", back_at + day * DAY) for day in range(4)),
    ]
    assert country.now(item).service_state is ServiceState.ACTIVE
    country.execute(country.approved())
    assert country.now(item).service_state is ServiceState.OUTGOING_BLOCKED
    # The outage after a block is no different: not suspended and withdrawn at one stroke.
    country.advance(100)
    assert country.now(item).service_state is ServiceState.SUSPENDED
    country.advance(5)
    assert country.now(item).service_state is ServiceState.TERMINATED


def store_new(country: Country) -> Subscription:
    item = country.transactions.run(
        lambda uow: store_number(uow, store_citizen(uow), verified_at=None, operator_id="north")
    )
    country.settle(item)
    return item


@pytest.mark.parametrize("count", [2, 5])
def test_runs_at_one_instant_take_each_step_once_together(
    country: Country, race: Race, count: int
) -> None:
    country.execute(country.approved())
    country.obey()
    at = country.at + 60 * DAY
    runs = race([partial(run, country, at)] * count)
    assert sum(each.stepped.step_count for each in runs) == len(country.numbers)
    assert orders(country)["suspend", at] == len(country.numbers)
    assert orders(country).total() == len(country.numbers) * 7  # 5 notices, a block, a suspension


def test_of_runs_at_two_instants_the_earlier_is_first_or_refused(
    country: Country, race: Race
) -> None:
    country.execute(country.approved())
    country.obey()
    early, late = country.at + 60 * DAY, country.at + 60 * DAY + timedelta(hours=1)
    first, second = race([partial(run, country, early), partial(run, country, late)])
    assert isinstance(second, EnforcementRun)
    is_refused = isinstance(first, ClockBackwardsError)
    suspended = Counter({at: n for (kind, at), n in orders(country).items() if kind == "suspend"})
    assert suspended.total() == len(country.numbers)
    assert suspended.keys() <= {early, late}
    if not is_refused:
        assert first.stepped.step_count == suspended[early]
    with country.transactions.database.transaction() as uow:
        assert uow.cases.ran_until() == late


def test_rules_change_at_midnight_in_viet_nam_and_not_before(country: Country) -> None:
    book = stricter_from(date(2026, 9, 1))
    for at, version in (
        (MIDNIGHT - TICK, "vn-2026-04-15"),
        (MIDNIGHT, "later"),
    ):
        call = replace(make_call("ministry", role=Role.REGULATOR, at=at), rules=book.at(at))
        advance_enforcement(country.transactions, call)
        (case,) = country.cases(country.numbers[0])
        assert case.policy_version == version


def stricter_from(day: date) -> PolicyBook:
    """The shipped packs, and from a day on one that takes over their cases."""
    shipped = policies().packs
    first = next(pack for pack in shipped if "T2" in pack.tracks)
    tracks = {name: replace(each, policy_version="later") for name, each in first.tracks.items()}
    later = replace(first, version="later", effective_on=day, is_retroactive=True, tracks=tracks)
    return PolicyBook([*shipped, later])


def test_a_new_number_gets_the_rules_of_the_day_that_it_is_in_viet_nam(uow: UnitOfWork) -> None:
    book = stricter_from(date(2026, 9, 1))
    versions = []
    for at in (MIDNIGHT - TICK, MIDNIGHT):
        call = replace(make_call(at=at), rules=book.at(at))
        item = store_number(uow, store_citizen(uow), verified_at=None)
        settled = settle_subscription(uow, call, item, Change(before=item.service_state))
        versions += [case.policy_version for case in settled.cases]
    assert versions == ["vn-2026-04-15", "later"]


def test_a_day_of_complaints_ends_at_midnight_in_viet_nam(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    last, first = MIDNIGHT - TICK, MIDNIGHT
    instants = [last - DAY + TICK, last, first, first + DAY - TICK, first + DAY]
    filed = [
        file_complaint(uow, make_call(item.operator_id, at=at), item.msisdn, None)
        for at in instants
    ]
    # The second of a day is the first one's again.
    assert filed == [instants[0], instants[0], first, first, first + DAY]
