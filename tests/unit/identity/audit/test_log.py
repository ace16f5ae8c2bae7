"""The audit log: in the transaction of its effect, in order, and never changed afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from identity.audit.log import (
    AuditEntry,
    append,
    append_alike,
    audit_entry,
    read_about_citizen,
)
from identity.domain.caller import Caller, Role
from identity.storage.database import Database, UnitOfWork
from tests.unit.identity.makers import NOW, actions, make_operator, make_record

ENTRY = AuditEntry(
    occurred_at=NOW,
    caller="agency:tax",
    action="get_contact",
    outcome="available",
    citizen_key=b"\x01" * 16,
    msisdn_key=b"\x02" * 16,
    purpose="legal_notice",
    legal_basis='Law 26/2023/QH15, art. 10 — "điều 10", {khoản 2}, \\, NULL',
    details={"codes": ["A", "B"], "count": 3, "nested": {"none": None}, "text": "điều"},
)


def test_an_entry_comes_back_as_it_was_written(uow: UnitOfWork) -> None:
    key = uuid4().bytes
    bare = AuditEntry(
        occurred_at=NOW, caller="operator:x", action="a", outcome="o", citizen_key=key
    )
    entries = (replace(ENTRY, citizen_key=key), bare)
    append(uow.connection, entries)
    assert read_about_citizen(uow.connection, key) == entries


def test_entries_about_nobody_are_kept_too(uow: UnitOfWork) -> None:
    caller = Caller(Role.OPERATOR, make_operator())
    append(uow.connection, [replace(ENTRY, caller=str(caller), citizen_key=None, msisdn_key=None)])
    assert actions(uow.connection, caller) == [("get_contact", "available")]


def test_many_entries_keep_their_order(uow: UnitOfWork) -> None:
    key = uuid4().bytes
    append(
        uow.connection,
        [replace(ENTRY, citizen_key=key, outcome=str(place)) for place in range(2_000)],
    )
    read = read_about_citizen(uow.connection, key)
    assert [entry.outcome for entry in read] == [str(place) for place in range(2_000)]


def test_entries_alike_differ_in_person_end_and_fields_alone(uow: UnitOfWork) -> None:
    keys = [uuid4().bytes for _ in range(300)]
    ends = [(f"o{place % 3}", "full_name" if place % 2 else None) for place in range(300)]
    append_alike(uow.connection, ENTRY, keys, ends)
    for key, (outcome, fields) in zip(keys, ends, strict=True):
        expected = replace(ENTRY, citizen_key=key, outcome=outcome, fields=fields)
        assert read_about_citizen(uow.connection, key) == (expected,)


def test_nothing_to_write_is_no_fault(uow: UnitOfWork) -> None:
    count = select(func.count()).select_from(audit_entry)
    before = uow.connection.execute(count).scalar_one()
    append(uow.connection, [])
    append_alike(uow.connection, ENTRY, [], [])
    assert uow.connection.execute(count).scalar_one() == before


def test_only_entries_about_the_citizen_are_read(uow: UnitOfWork) -> None:
    key, other = uuid4().bytes, uuid4().bytes
    append(uow.connection, [replace(ENTRY, citizen_key=k) for k in (key, other, None, key)])
    assert len(read_about_citizen(uow.connection, key)) == 2
    assert read_about_citizen(uow.connection, uuid4().bytes) == ()


class CrashError(Exception):
    """The process dies here."""


def test_an_effect_and_its_entry_are_lost_together(database: Database) -> None:
    caller, record = Caller(Role.POPULATION, make_operator()), make_record()

    def crash() -> None:
        with database.transaction() as uow:
            uow.citizens.save_many([record], at=NOW)
            append(uow.connection, [replace(ENTRY, caller=str(caller))])
            raise CrashError

    with pytest.raises(CrashError):
        crash()
    with database.transaction() as uow:
        assert uow.citizens.find(record.personal_id) is None
        assert actions(uow.connection, caller) == []


@contextmanager
def refused(uow: UnitOfWork) -> Iterator[None]:
    with pytest.raises(DBAPIError, match="append-only"), uow.connection.begin_nested():
        yield


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET outcome = 'nothing happened'",
        "UPDATE audit_entry SET outcome = outcome WHERE false",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE false",
        "TRUNCATE audit_entry",
        (
            "INSERT INTO audit_entry (entry_id, occurred_at, caller, action, outcome, details)"
            " OVERRIDING SYSTEM VALUE"
            " SELECT entry_id, occurred_at, caller, action, outcome, details FROM audit_entry"
            " LIMIT 1 ON CONFLICT (entry_id) DO UPDATE SET outcome = 'forged'"
        ),
        (
            "MERGE INTO audit_entry AS e USING (SELECT 1) AS s ON true"
            " WHEN MATCHED THEN UPDATE SET outcome = 'forged'"
        ),
    ],
    ids=["update", "update-none", "delete", "delete-none", "truncate", "upsert", "merge"],
)
def test_the_database_refuses_every_change(uow: UnitOfWork, statement: str) -> None:
    append(uow.connection, [ENTRY])
    with refused(uow):
        uow.connection.execute(text(statement))


def test_an_entrys_place_cannot_be_chosen(uow: UnitOfWork) -> None:
    with pytest.raises(DBAPIError, match="entry_id"), uow.connection.begin_nested():
        uow.connection.execute(
            text(
                "INSERT INTO audit_entry (entry_id, occurred_at, caller, action, outcome, details)"
                " VALUES (1, now(), 'a', 'b', 'c', '{}')"
            )
        )
