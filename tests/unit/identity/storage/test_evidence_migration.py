"""Evidence is taken along when it comes to have an end, and erased evidence stays erased."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from identity.bootstrap import METADATA
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork
from identity.storage.schema import schema_drift
from identity.storage.verifications import Claimant
from tests.databases import move, own_engine
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_evidence,
    make_session,
    store_citizen,
    store_number,
)

BEFORE = "0022"
CLAIMANT = Claimant(request_id=UUID(int=1), body_digest=b"\x01" * 32)


@pytest.fixture
def database(postgres_url: str, worker_id: str, vault: Vault) -> Iterator[Database]:
    """A registry of its own, as it is now."""
    with own_engine(postgres_url, f"evidence_{worker_id}") as engine:
        yield Database(engine, vault)


def verify(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    session = make_session(uow, store_number(uow, record, verified_at=None))
    uow.verifications.claim(session, CLAIMANT, at=NOW)
    evidence = make_evidence(record)
    uow.verifications.complete(session, evidence, judge(evidence))


def test_evidence_goes_there_and_back_and_what_is_erased_stays_so(database: Database) -> None:
    with database.transaction() as uow:
        verify(uow)
        make_session(uow, store_number(uow, store_citizen(uow)))
        done = uow.stored_verdicts.forget(
            before=NOW.replace(year=2100), after=None, limit=10, at=NOW
        )
        assert done is not None
        assert done.erased_count == 1
        verify(uow)
        before = uow.stored_verdicts.list_after(None, limit=10)
    for _ in range(2):
        move(database.engine, BEFORE)
        move(database.engine, "head")
    assert schema_drift(database.engine, METADATA) == []
    with database.transaction() as uow:
        assert uow.stored_verdicts.list_after(None, limit=10) == before
        assert uow.stored_verdicts.count() == 2
    assert sorted(each.erased_at is None for each in before) == [False, True]
