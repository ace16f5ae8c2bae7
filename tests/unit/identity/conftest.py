"""Work at the same time: what the tests of races share."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from identity.services.transactions import Transactions
from identity.storage.database import Database

Race = Callable[[Sequence[Callable[[], Any]]], list[Any]]


@pytest.fixture
def transactions(database: Database) -> Transactions:
    """Committed transactions with retries."""
    return Transactions(database)


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
