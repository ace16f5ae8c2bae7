"""An operator's lines, and what it asks over real gRPC."""

from collections.abc import Iterator
from datetime import date

import pytest

from subid.v1.enforcement_service_pb2 import DRIFT_KIND_NOT_REPORTED, Drift, ReportedState
from subid.v1.subscription_pb2 import SERVICE_STATE_ACTIVE, SERVICE_STATE_INACTIVE
from subid.v1.subscription_service_pb2 import (
    SUBSCRIPTION_EVENT_KIND_SIM_SWAP,
    SubscriptionEvent,
)
from telco_sim.books import Bookkeeper, BookRow
from telco_sim.flaws import Flaw
from telco_sim.numbering import NumberGenerator
from telco_sim.operators import Operator
from telco_sim.population import Citizen, draw_population
from tests.unit.telco_sim.credulous_service import Country, caller, serve

TODAY = date(2026, 11, 21)


def draw_book() -> tuple[BookRow, ...]:
    people = draw_population(400, seed=1, today=TODAY)
    numbers = NumberGenerator(seed=1)
    return Bookkeeper(people, numbers=numbers, seed=1, today=TODAY).draw(["song-hong"])["song-hong"]


BOOK = draw_book()


@pytest.fixture
def country() -> Country:
    return Country()


@pytest.fixture
def operator(country: Country) -> Iterator[Operator]:
    with serve(country) as channel:
        yield Operator(caller(channel, name="song-hong"), book=BOOK)


def test_an_operator_believes_in_the_rows_that_must_be_accepted(operator: Operator) -> None:
    assert set(operator.lines) == {row.msisdn for row in BOOK if row.is_accepted}
    for row in BOOK:
        if row.is_accepted and row.flaw is not Flaw.ENTERED_AGAIN:
            assert operator.lines[row.msisdn].link == row.expected


def test_every_line_starts_in_service_and_unverified(operator: Operator) -> None:
    assert {line.network_state for line in operator.lines.values()} == {SERVICE_STATE_ACTIVE}
    assert not any(line.is_verified for line in operator.lines.values())


def test_a_book_travels_in_batches_and_arrives_whole(operator: Operator) -> None:
    response = operator.import_rows([row.row for row in BOOK])
    assert response.summary.received_count == len(BOOK)


def test_a_list_is_read_to_its_last_page(country: Country, operator: Operator) -> None:
    numbers = [f"+8491{index:07d}" for index in range(401)]
    for number in numbers:
        country.add(number)
    assert [each.msisdn for each in operator.subscriptions()] == numbers


def test_a_registered_number_becomes_a_line_out_of_service(
    operator: Operator, citizen: Citizen
) -> None:
    operator.register("0912345678", holder=citizen)
    line = operator.lines["+84912345678"]
    assert (line.holder, line.network_state) == (citizen, SERVICE_STATE_INACTIVE)


def test_reported_events_are_answered_one_by_one(operator: Operator) -> None:
    event = SubscriptionEvent(msisdn="0912345678", kind=SUBSCRIPTION_EVENT_KIND_SIM_SWAP)
    assert operator.report(event, event) == ["", ""]


@pytest.mark.parametrize(("count", "messages"), [(0, 1), (1, 1), (100, 1), (101, 2)])
def test_a_network_travels_in_messages_of_which_the_last_says_so(
    count: int, messages: int, country: Country, operator: Operator
) -> None:
    states = [
        ReportedState(msisdn=f"+8459{place:07d}", service_state=SERVICE_STATE_ACTIVE)
        for place in range(count)
    ]
    country.drifts = [Drift(kind=DRIFT_KIND_NOT_REPORTED)]
    answers = operator.reconcile(states)
    assert [each.batch_index for each in answers] == list(range(messages))
    assert (answers[-1].compared_count, answers[-1].not_reported_count) == (count, 1)
    assert country.reported == states
