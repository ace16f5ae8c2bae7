"""The population authority's desk, against updates that are really leased."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1.population_service_pb2 import SubscriberUpdate
from telco_sim.authorities import PopulationAuthority
from telco_sim.journal import Finding, Invariant, Journal
from telco_sim.updates import UpdateDesk
from tests.unit.telco_sim.credulous_service import Country, caller, serve

PERSON = "001090999999"


@pytest.fixture
def country() -> Country:
    return Country()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def desk(country: Country, journal: Journal) -> Iterator[UpdateDesk]:
    with serve(country) as channel:
        authority = PopulationAuthority(caller(channel, name="population"))
        yield UpdateDesk(authority, journal=journal)


def update(sequence: int, *, subscription: str = "a", is_primary: bool = False) -> SubscriberUpdate:
    return SubscriberUpdate(
        personal_id=PERSON,
        sequence=sequence,
        subscription_id=subscription,
        primary_time=Timestamp(seconds=1) if is_primary else None,
    )


def sequences(desk: UpdateDesk) -> list[int]:
    return [each.sequence for each in desk.entered]


def finding(journal: Journal, invariant: Invariant) -> Finding:
    (found,) = journal.findings(invariant)
    return found


def test_everything_is_entered_and_acknowledged(
    desk: UpdateDesk, country: Country, journal: Journal
) -> None:
    country.updates = [update(1), update(2, subscription="b"), update(3)]
    desk.work_off()
    assert [(each.subscription_id, each.sequence) for each in desk.entered] == [("a", 3), ("b", 2)]
    assert country.updates == []
    assert finding(journal, Invariant.UPDATES_IN_SEQUENCE).holds
    assert journal.counts() == {"updates entered in the register": 3}


def test_a_forgotten_lease_is_worked_off_a_day_later(
    desk: UpdateDesk, country: Country, journal: Journal
) -> None:
    country.updates = [update(1)]
    desk.work_for_a_day()
    assert sequences(desk) == []
    country.now += timedelta(days=1)
    desk.work_for_a_day()
    assert sequences(desk) == [1]
    assert journal.counts()["updates of lapsed leases"] == 1
    assert finding(journal, Invariant.UPDATES_IN_SEQUENCE).holds


def test_a_lapsed_update_that_does_not_come_back_is_noticed(
    desk: UpdateDesk, country: Country, journal: Journal
) -> None:
    country.updates = [update(1)]
    desk.work_for_a_day()
    country.now += timedelta(days=1)
    country.updates = []
    desk.work_for_a_day()
    details = finding(journal, Invariant.UPDATES_IN_SEQUENCE).details
    assert "1 of 1 lapsed updates did not come back" in details


@pytest.mark.parametrize(
    ("updates", "detail"),
    [
        (
            [update(2), update(1, subscription="b")],
            "update 1 came after update 2 of the same person",
        ),
        (
            [update(1), update(1, is_primary=True)],
            "an update that came back says something else than before",
        ),
    ],
)
def test_updates_out_of_order_and_altered_ones_are_noticed(
    desk: UpdateDesk,
    country: Country,
    journal: Journal,
    updates: list[SubscriberUpdate],
    detail: str,
) -> None:
    country.updates = updates
    desk.work_off()
    assert detail in finding(journal, Invariant.UPDATES_IN_SEQUENCE).details


def test_two_primary_numbers_at_once_are_noticed(
    desk: UpdateDesk, country: Country, journal: Journal
) -> None:
    country.updates = [
        update(1, is_primary=True),
        update(2, subscription="b", is_primary=True),
    ]
    desk.work_off()
    assert finding(journal, Invariant.ONE_PRIMARY).broken_count == 1
