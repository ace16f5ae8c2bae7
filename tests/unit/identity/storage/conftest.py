"""A database that nobody else writes to, for tests that count everything in it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from identity.storage.database import connect
from tests.databases import own_database


@pytest.fixture(scope="module")
def quiet_engine(postgres_url: str) -> Iterator[Engine]:
    """Connections to a database of the module's own, at head and empty."""
    with own_database(postgres_url, f"quiet_{uuid4().hex}") as url:
        engine = connect(url)
        yield engine
        engine.dispose()
