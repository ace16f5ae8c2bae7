"""What the tests of services share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.unit.identity.services.key_places import KeyedRegistry, keyed_registry


@pytest.fixture
def keyed(quiet_engine: Engine) -> Iterator[KeyedRegistry]:
    """An empty registry with one key."""
    with keyed_registry(quiet_engine) as made:
        yield made
