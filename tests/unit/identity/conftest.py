"""Work at the same time, and work alone: what the tests of races and of counts share."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from identity.services.transactions import Transactions
from identity.storage.database import Database
from tests.databases import own_engine

Race = Callable[[Sequence[Callable[[], Any]]], list[Any]]


@pytest.fixture
def transactions(database: Database) -> Transactions:
    """Committed transactions with retries."""
    return Transactions(database)


@pytest.fixture(scope="module")
def quiet_engine(postgres_url: str) -> Iterator[Engine]:
    """A database that nobody else writes to, for tests that count everything in it."""
    with own_engine(postgres_url, f"quiet_{uuid4().hex}") as engine:
        yield engine


@pytest.fixture
def race() -> Race:
    """Run actions together, each in a thread, and give what each returned or raised."""

    def run(actions: Sequence[Callable[[], Any]]) -> list[Any]:
        start = threading.Barrier(len(actions))

        def begin(action: Callable[[], Any]) -> object:
            start.wait(30)
            try:
                return action()
            except Exception as error:  # noqa: BLE001 - handed to the test, which judges it
                return error

        with ThreadPoolExecutor(len(actions)) as threads:
            return list(threads.map(begin, actions))

    return run
