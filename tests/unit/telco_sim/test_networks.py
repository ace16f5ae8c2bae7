"""A network, and where it differs from what its operator has told."""

import pytest

from subid.v1.enforcement_service_pb2 import (
    DRIFT_KIND_NOT_APPLIED,
    DRIFT_KIND_NOT_REPORTED,
    DRIFT_KIND_STRICTER_THAN_ORDERED,
    DRIFT_KIND_UNKNOWN_NUMBER,
)
from subid.v1.subscription_pb2 import (
    LINK_STATE_LINKED,
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_INACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_SUSPENDED,
    SERVICE_STATE_TERMINATED,
    ServiceState,
)
from telco_sim.networks import Network
from telco_sim.operators import Line
from telco_sim.population import Citizen

STRAY = "+84599999999"


@pytest.fixture
def lines(citizen: Citizen) -> dict[str, Line]:
    return {
        f"+8459000000{place}": Line(
            msisdn=f"+8459000000{place}",
            holder=citizen,
            link=LINK_STATE_LINKED,
            network_state=SERVICE_STATE_ACTIVE,
        )
        for place in range(4)
    }


@pytest.fixture
def first(lines: dict[str, Line]) -> Line:
    return next(iter(lines.values()))


@pytest.fixture
def network(lines: dict[str, Line]) -> Network:
    return Network(lines, new_number=lambda: STRAY)


def reported(network: Network) -> dict[str, ServiceState]:
    return {each.msisdn: each.service_state for each in network.states()}


def test_what_is_switched_is_reported_and_does_not_differ(network: Network, first: Line) -> None:
    network.switch(first.msisdn, SERVICE_STATE_SUSPENDED)
    assert reported(network)[first.msisdn] == SERVICE_STATE_SUSPENDED
    assert network.differences() == {}


def test_a_lie_leaves_the_number_alone_until_the_order_is_executed(
    network: Network, first: Line
) -> None:
    network.switch(first.msisdn, SERVICE_STATE_SUSPENDED, is_lie=True)
    assert first.network_state == SERVICE_STATE_ACTIVE
    assert network.differences() == {first.msisdn: DRIFT_KIND_NOT_APPLIED}
    assert network.lies() == 1
    network.switch(first.msisdn, SERVICE_STATE_SUSPENDED)
    assert network.differences() == {}
    assert network.lies() == 0


def test_a_lie_about_a_restoration_is_stricter_than_ordered(network: Network, first: Line) -> None:
    network.switch(first.msisdn, SERVICE_STATE_OUTGOING_BLOCKED)
    network.switch(first.msisdn, SERVICE_STATE_ACTIVE, is_lie=True)
    assert network.differences() == {first.msisdn: DRIFT_KIND_STRICTER_THAN_ORDERED}


def test_a_number_never_switched_on_is_as_dead_as_one_switched_off(
    network: Network, first: Line
) -> None:
    first.network_state = SERVICE_STATE_INACTIVE
    network.switch(first.msisdn, SERVICE_STATE_ACTIVE, is_lie=True)
    assert network.differences() == {first.msisdn: DRIFT_KIND_STRICTER_THAN_ORDERED}
    network.switch(first.msisdn, SERVICE_STATE_TERMINATED, is_lie=True)
    assert network.differences() == {}


def test_a_lie_that_a_later_order_makes_true_is_none(network: Network, first: Line) -> None:
    network.switch(first.msisdn, SERVICE_STATE_SUSPENDED, is_lie=True)
    network.switch(first.msisdn, SERVICE_STATE_ACTIVE)
    assert network.differences() == {}


def test_a_network_drifts_in_three_ways_and_lies_in_none(
    network: Network, lines: dict[str, Line]
) -> None:
    network.drift()
    suspended, forgotten, *_ = lines
    assert network.differences() == {
        suspended: DRIFT_KIND_STRICTER_THAN_ORDERED,
        STRAY: DRIFT_KIND_UNKNOWN_NUMBER,
        forgotten: DRIFT_KIND_NOT_REPORTED,
    }
    assert network.lies() == 0
    assert set(reported(network)) == {*lines, STRAY} - {forgotten}


def test_a_network_does_not_lose_what_was_ordered(network: Network, lines: dict[str, Line]) -> None:
    for msisdn in lines:
        network.switch(msisdn, SERVICE_STATE_OUTGOING_BLOCKED)
        network.switch(msisdn, SERVICE_STATE_ACTIVE)
    network.drift()
    assert {line.network_state for line in lines.values()} == {SERVICE_STATE_ACTIVE}


def test_what_is_nobodys_or_forgotten_is_cleared_up_without_an_order(
    network: Network, lines: dict[str, Line]
) -> None:
    network.drift()
    network.clear_up()
    assert set(reported(network)) == set(lines)
    assert list(network.differences().values()) == [DRIFT_KIND_STRICTER_THAN_ORDERED]


def test_a_withdrawn_number_is_not_reported(network: Network, first: Line) -> None:
    network.switch(first.msisdn, SERVICE_STATE_TERMINATED)
    assert first.msisdn not in reported(network)
