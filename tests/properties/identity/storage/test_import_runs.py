"""Where an import goes on: at the first batch that is missing, whatever else is stored."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from identity.security.vault import Vault
from identity.storage.database import UnitOfWork
from identity.storage.tables import import_batch
from tests.unit.identity.makers import NOW, make_key


@settings(max_examples=50, deadline=None)
@given(batches=st.sets(st.integers(0, 12)), later=st.sets(st.integers(500, 1_000_000), max_size=2))
def test_the_next_batch_is_the_first_that_is_missing(
    engine: Engine, vault: Vault, batches: set[int], later: set[int]
) -> None:
    stored = batches | later
    key = make_key()
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        for batch_index in stored:
            row = {
                "caller": key.caller,
                "request_id": key.request_id,
                "batch_index": batch_index,
                "method": key.method,
                "body_digest": b"",
                "result": {},
                "created_at": NOW,
            }
            connection.execute(insert(import_batch).values(row))
        found = uow.import_runs.next_batch_index(key.caller, key.request_id)
        connection.rollback()
    assert found == next(place for place in count() if place not in stored)
