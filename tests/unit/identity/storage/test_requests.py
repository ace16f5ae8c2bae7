"""First answers: one effect for one identifier, whatever fails in between."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, func, select

from identity.domain.errors import RecordUnreadableError
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import import_batch, request
from tests.unit.identity.makers import NOW, make_key

ANSWER = b"\x0a\x03the first answer"


def test_a_fresh_identifier_is_taken_and_its_answer_kept(uow: UnitOfWork) -> None:
    key = make_key()
    assert uow.requests.find(key) is None
    assert uow.requests.begin(key, at=NOW) is None
    uow.requests.finish(key, ANSWER)
    for first in (uow.requests.begin(key, at=NOW), uow.requests.find(key)):
        assert first is not None
        assert (first.is_same, first.response) == (True, ANSWER)


@pytest.mark.parametrize("other", [{"body_digest": b"\x02" * 32}, {"method": "other"}])
def test_another_body_or_method_is_told_from_the_first(
    uow: UnitOfWork, other: dict[str, Any]
) -> None:
    key = make_key()
    uow.requests.begin(key, at=NOW)
    uow.requests.finish(key, ANSWER)
    uow.requests.begin_batch(key, 0, at=NOW)
    changed = replace(key, **other)
    for first in (
        uow.requests.begin(changed, at=NOW),
        uow.requests.find(changed),
        uow.requests.begin_batch(changed, 0, at=NOW),
    ):
        assert first is not None
        assert not first.is_same


@pytest.mark.parametrize("table", [request, import_batch], ids=lambda table: table.name)
def test_the_digest_of_a_body_is_stored_under_a_key(
    uow: UnitOfWork, vault: Vault, table: Table
) -> None:
    """A stolen table is no oracle: without the key no guessed body can be compared with it."""
    key = make_key()
    uow.requests.begin(key, at=NOW)
    uow.requests.begin_batch(key, 0, at=NOW)
    query = select(table.c.body_digest).where(table.c.caller == key.caller)
    stored = uow.connection.execute(query).scalar_one()
    assert stored == vault.blind_index("request", key.body_digest.hex())
    assert stored[:8] not in (key.body_digest[:8], hashlib.sha256(key.body_digest).digest()[:8])


def test_identifiers_belong_to_their_caller(uow: UnitOfWork) -> None:
    key = make_key()
    uow.requests.begin(key, at=NOW)
    uow.requests.finish(key, ANSWER)
    stranger = make_key(request_id=key.request_id)
    assert uow.requests.find(stranger) is None
    assert uow.requests.begin(stranger, at=NOW) is None


def test_an_answer_moved_to_another_callers_row_does_not_open(uow: UnitOfWork) -> None:
    key, thief = make_key(), make_key()
    for taken in (key, thief):
        uow.requests.begin(taken, at=NOW)
        uow.requests.finish(taken, ANSWER)
    sealed = uow.connection.execute(
        select(request.c.response_sealed).where(request.c.caller == key.caller)
    ).scalar_one()
    uow.connection.execute(
        request.update().where(request.c.caller == thief.caller).values(response_sealed=sealed)
    )
    with pytest.raises(RecordUnreadableError):
        uow.requests.find(thief)


def test_an_empty_answer_is_an_answer(uow: UnitOfWork) -> None:
    key = make_key()
    uow.requests.begin(key, at=NOW)
    uow.requests.finish(key, b"")
    first = uow.requests.find(key)
    assert first is not None
    assert first.response == b""


class CrashError(Exception):
    """The process dies here."""


def test_a_crash_between_begin_and_finish_leaves_nothing(database: Database) -> None:
    key = make_key()

    def crash() -> None:
        with database.transaction() as uow:
            uow.requests.begin(key, at=NOW)
            uow.requests.begin_batch(key, 0, at=NOW)
            raise CrashError

    with pytest.raises(CrashError):
        crash()
    with database.transaction() as uow:
        assert uow.requests.find(key) is None
        assert uow.requests.begin(key, at=NOW) is None
        assert uow.requests.begin_batch(key, 0, at=NOW) is None
        uow.connection.rollback()


def test_a_request_that_waits_for_one_that_fails_goes_first_itself(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    key = make_key()

    def attempt(answer: bytes) -> bytes:
        with database.transaction() as uow:
            first = uow.requests.begin(key, at=NOW)
            if first is not None:
                return first.response
            if answer == b"crash":
                raise CrashError
            uow.requests.finish(key, answer)
            return answer

    answers = race([partial(attempt, answer) for answer in (b"crash", b"one", b"two")])
    stored = [answer for answer in answers if isinstance(answer, bytes)]
    assert len(stored) >= 2
    assert len(set(stored)) == 1


def test_batches_of_one_import_stand_side_by_side(uow: UnitOfWork) -> None:
    key = make_key()
    for index in range(3):
        assert uow.requests.begin_batch(key, index, at=NOW) is None
        uow.requests.finish_batch(key, index, {"received_count": index})
    stored = uow.requests.begin_batch(key, 1, at=NOW)
    assert stored is not None
    assert (stored.is_same, stored.result) == (True, {"received_count": 1})
    assert uow.requests.begin_batch(replace(key, request_id=uuid4()), 1, at=NOW) is None


def test_finishing_one_batch_leaves_the_others(uow: UnitOfWork) -> None:
    key = make_key()
    for index in range(2):
        uow.requests.begin_batch(key, index, at=NOW)
    uow.requests.finish_batch(key, 0, {"received_count": 9})
    query = select(import_batch.c.result).where(import_batch.c.caller == key.caller)
    results = uow.connection.execute(query.order_by(import_batch.c.batch_index)).scalars()
    assert list(results) == [{"received_count": 9}, {}]
    rows = select(func.count()).select_from(import_batch)
    assert uow.connection.execute(rows.where(import_batch.c.caller == key.caller)).scalar() == 2
