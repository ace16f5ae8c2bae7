"""A country that believes everything, and a world in front of it, for each test of a chapter."""

from collections.abc import Iterator

import pytest

from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import open_world


@pytest.fixture
def country() -> Country:
    """The service, which believes everything."""
    return Country()


@pytest.fixture
def world(country: Country) -> Iterator[World]:
    """Those who call it, three of whose holders are verified."""
    with open_world(country) as world:
        yield world
