"""A person who is erased is gone: nothing of theirs opens, and what was done can be shown."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text

from identity.audit.log import read_about_citizen
from identity.domain.agency import Right
from identity.domain.caller import Role
from identity.domain.data_request import DataRequest, DataRequestOutcome
from identity.domain.enforcement import DirectiveKind, open_case
from identity.domain.errors import (
    DataRequestClosedError,
    DataRequestNotFoundError,
    ErasureNotYetError,
    RecordUnreadableError,
)
from identity.domain.policy import CaseCause
from identity.services.call import Call
from identity.services.data_requests import request_erasure, request_export
from identity.services.erase_person import (
    erase_person,
    forget_answers,
    refuse_request,
    statement_of,
)
from identity.services.get_contacts import get_contacts
from identity.services.transactions import Transactions
from identity.storage.arrangement_tables import arrangement
from identity.storage.database import Database, UnitOfWork
from identity.storage.sealed_columns import SealedTable, sealed_tables
from identity.storage.sealing import takes_secret
from tests.databases import within
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_key,
    make_personal_id,
    make_session,
    store_dispute,
    store_number,
    store_orders,
    track_for,
)
from tests.unit.identity.services.lives import FREE_AT, REFERENCE, Life, live

DAY = timedelta(days=1)
Row = Mapping[str, Any]


@pytest.fixture
def life(uow: UnitOfWork) -> Life:
    return live(uow)


def app(at: datetime) -> Call:
    return make_call("vneid", role=Role.CITIZEN_APP, at=at)


def regulator(at: datetime = FREE_AT) -> Call:
    return make_call("mic", role=Role.REGULATOR, at=at)


def erase(life: Life) -> DataRequest:
    asked = request_erasure(life.uow, app(FREE_AT), life.person.personal_id)
    return erase_person(life.uow, regulator(), asked.data_request_id)


def sealed_rows(uow: UnitOfWork) -> list[tuple[SealedTable, Row]]:
    """Every row of every table with sealed columns."""
    return [
        (table, dict(row))
        for table in sealed_tables()
        for row in uow.connection.execute(select(table.table)).mappings()
    ]


def opened(uow: UnitOfWork, rows: Sequence[tuple[SealedTable, Row]]) -> dict[str, list[bytes]]:
    """By column: every value that opens with the keys and secrets that are there now."""
    found: dict[str, list[bytes]] = {}
    for table, row in rows:
        person = None if table.person is None else row[table.person.name]
        secret = None if person is None else uow.secrets.find([person]).get(person)
        for column in table.columns:
            try:
                value = table.open(uow.sealer, column, row, secret)
            except (RecordUnreadableError, TypeError):
                continue
            found.setdefault(f"{table.name}.{column.name}", []).append(value)
    return found


def about(life: Life, values: Mapping[str, Sequence[bytes]]) -> set[str]:
    """The columns of which a value speaks of a person."""
    marks = [
        life.person.personal_id.value.encode(),
        life.person.full_name.value.encode(),
        life.item.msisdn.value.encode(),
        REFERENCE.template,
        REFERENCE.portrait,
    ]
    return {
        name
        for name, each in values.items()
        if any(mark in value for value in each for mark in marks)
    }


def test_after_an_erasure_nothing_of_the_person_opens_though_all_keys_are_there(
    life: Life,
) -> None:
    uow = life.uow
    before = sealed_rows(uow)
    assert about(life, opened(uow, before)) >= {
        *("citizen.record_sealed", "subscription.claim_sealed", "verification.evidence_sealed"),
        *("face_reference.template_sealed", "face_reference.portrait_sealed"),
    }
    life.give_up()
    erase(life)
    assert about(life, opened(uow, sealed_rows(uow))) == set()


def test_a_copy_of_before_the_erasure_does_not_open_what_was_sealed_for_the_person(
    life: Life,
) -> None:
    """Rows that were copied away, and every key; the secret is what is not there."""
    uow = life.uow
    life.give_up()
    copies = [
        (table, row)
        for table, row in sealed_rows(uow)
        if table.person is not None and row[table.person.name] == life.key
    ]
    values = [row[column.name] for table, row in copies for column in table.columns]
    assert len(values) == 4
    assert all(takes_secret(value) for value in values)
    erase(life)
    assert opened(uow, copies) == {}
    uow.secrets.obtain(life.key)
    assert opened(uow, copies) == {}


def test_whoever_is_erased_is_as_one_whom_nobody_knew(life: Life) -> None:
    life.give_up()
    erase(life)
    uow, personal_id = life.uow, life.person.personal_id
    assert uow.citizens.find(personal_id) is None
    assert uow.face_references.find(personal_id) is None
    assert uow.primaries.find(personal_id) is None
    assert uow.subscriptions.list_of_citizen(personal_id, after=None, limit=10) == ()
    assert uow.subscriptions.find_many_ended([life.item.msisdn]) == {}
    assert uow.choices.history(life.key, before=None, limit=10) == []
    agency = store_agency(uow, make_grant(Right.NUMBER, Right.ABSENCE_CAUSE))
    question = make_question(agency, personal_id, make_personal_id(), at=FREE_AT)
    (answers,) = get_contacts(uow, [question])
    assert isinstance(answers, list)
    erased, unknown = answers
    assert replace(erased, subject_token="") == replace(unknown, subject_token="")


def test_the_proof_tells_the_digest_of_the_secret_and_what_was_deleted(life: Life) -> None:
    life.give_up()
    digest = hashlib.sha256(life.uow.secrets.obtain(life.key)).hexdigest()
    done = erase(life)
    assert done.outcome is DataRequestOutcome.DONE
    assert done.proof is not None
    assert done.proof["secret_digest"] == digest
    assert done.proof["deleted"] == {
        "population_record": 1,
        "choice_history": 3,
        "messages": 2,
        "choices": 1,
        "verifications": 1,
        "face": 1,
        "population_updates": 1,
        "complaints": 1,
        "subscriptions": 1,
    }
    last = read_about_citizen(life.uow.connection, life.key)[-1]
    assert (last.action, last.outcome, dict(last.details)) == ("erase_person", "erased", done.proof)
    stored = life.uow.data_requests.find(life.key, done.data_request_id)
    assert stored == done


def test_the_statement_names_the_person_to_the_person_alone(life: Life) -> None:
    life.give_up()
    done = erase(life)
    statement = statement_of(life.person.personal_id, done)
    assert statement is not None
    told = json.loads(statement)
    assert told["personal_id"] == life.person.personal_id.value
    assert told["erased_at"] == FREE_AT.isoformat()
    stored = life.uow.connection.execute(text("SELECT t::text FROM data_request AS t")).scalars()
    assert not any(life.person.personal_id.value in each for each in stored)


def test_a_request_that_is_not_a_done_erasure_has_no_statement(life: Life) -> None:
    life.give_up()
    asked = request_erasure(life.uow, app(FREE_AT), life.person.personal_id)
    assert statement_of(life.person.personal_id, asked) is None


def test_the_register_may_send_the_person_again_as_somebody_new(life: Life) -> None:
    uow = life.uow
    life.give_up()
    before = uow.secrets.obtain(life.key)
    erase(life)
    assert uow.citizens.save_many([life.person], at=FREE_AT).created_count == 1
    assert uow.citizens.find(life.person.personal_id) == life.person
    assert uow.secrets.obtain(life.key) != before
    assert uow.choices.history(life.key, before=None, limit=10) == []


# What stands against it.


def test_data_are_kept_for_their_time_after_the_end(life: Life) -> None:
    life.give_up()
    early = FREE_AT - timedelta(seconds=1)
    with pytest.raises(ErasureNotYetError, match="RETENTION") as caught:
        request_erasure(life.uow, app(early), life.person.personal_id)
    assert FREE_AT.isoformat() in str(caught.value)
    assert caught.value.retry_after_s == 1
    request_erasure(life.uow, app(FREE_AT), life.person.personal_id)


@pytest.mark.parametrize("held", [True, False], ids=["a guardianship", "a proposal"])
def test_what_was_kept_through_a_guardian_is_kept_as_long_and_a_mere_proposal_is_not(
    life: Life, *, held: bool
) -> None:
    life.give_up()
    closed = {
        "arrangement_id": uuid4(),
        "kind": "guardianship",
        "state": "ended",
        "end_cause": "by_proposer" if held else "withdrawn",
        "proposer_key": uuid4().bytes,
        "citizen_key": life.key,
        "parties_sealed": b"sealed",
        "proposed_at": NOW,
        "lapses_at": FREE_AT + DAY,
        "agreed_at": NOW if held else None,
        "closed_at": FREE_AT - DAY,
    }
    life.uow.connection.execute(insert(arrangement).values(closed))
    if held:
        with pytest.raises(ErasureNotYetError, match="RETENTION"):
            request_erasure(life.uow, app(FREE_AT), life.person.personal_id)
    else:
        request_erasure(life.uow, app(FREE_AT), life.person.personal_id)


def in_service(life: Life) -> None:
    store_number(life.uow, life.person)


def with_case(life: Life) -> None:
    case = open_case(
        life.item,
        CaseCause.DISOWNED,
        track_for(CaseCause.DISOWNED),
        identity=uuid4(),
        at=NOW,
    )
    life.uow.cases.save_many([(case, life.item)])


def with_order(life: Life) -> None:
    store_orders(life.uow, life.item, DirectiveKind.TERMINATE)


def with_dispute(life: Life) -> None:
    store_dispute(life.uow, life.item)


def with_guardian(life: Life) -> None:
    proposed = {
        "arrangement_id": uuid4(),
        "kind": "guardianship",
        "state": "proposed",
        "proposer_key": life.key,
        "citizen_key": uuid4().bytes,
        "parties_sealed": b"sealed",
        "proposed_at": NOW,
        "lapses_at": FREE_AT + DAY,
    }
    life.uow.connection.execute(insert(arrangement).values(proposed))


def with_session(life: Life) -> None:
    make_session(life.uow, life.item, nonce_digest=b"another", expires_at=FREE_AT + DAY)


def with_news(life: Life) -> None:
    life.uow.connection.execute(
        text("UPDATE subscriber_update SET sequence = sequence + 1 WHERE citizen_key = :key"),
        {"key": life.key},
    )


@pytest.mark.parametrize(
    ("stands", "told"),
    [
        (in_service, "SUBSCRIPTION_IN_SERVICE"),
        (with_case, "CASE_OPEN"),
        (with_order, "DIRECTIVE_OPEN"),
        (with_dispute, "DISPUTE_OPEN"),
        (with_guardian, "ARRANGEMENT_OPEN"),
        (with_session, "VERIFICATION_OPEN"),
        (with_news, "UPDATE_OPEN"),
    ],
)
def test_what_comes_to_stand_against_an_erasure_stops_it_at_the_last_moment(
    life: Life,
    stands: Callable[[Life], None],
    told: str,
) -> None:
    life.give_up()
    asked = request_erasure(life.uow, app(FREE_AT), life.person.personal_id)
    stands(life)
    with pytest.raises(ErasureNotYetError, match=told):
        erase_person(life.uow, regulator(), asked.data_request_id)
    assert life.uow.citizens.find(life.person.personal_id) == life.person
    assert life.uow.secrets.find([life.key])


def test_a_refusal_has_a_reason_and_leaves_everything_as_it_is(life: Life) -> None:
    life.give_up()
    asked = request_erasure(life.uow, app(FREE_AT), life.person.personal_id)
    refused = refuse_request(life.uow, regulator(), asked.data_request_id, "an inquiry is open")
    assert (refused.outcome, refused.reason) == (DataRequestOutcome.REFUSED, "an inquiry is open")
    assert life.uow.citizens.find(life.person.personal_id) == life.person
    with pytest.raises(DataRequestClosedError):
        erase_person(life.uow, regulator(), asked.data_request_id)
    with pytest.raises(DataRequestClosedError):
        refuse_request(life.uow, regulator(), asked.data_request_id, "again")


def test_only_an_erasure_is_decided(life: Life) -> None:
    asked = request_export(life.uow, app(NOW), life.person.personal_id)
    with pytest.raises(DataRequestClosedError):
        erase_person(life.uow, regulator(), asked.data_request_id)
    with pytest.raises(DataRequestNotFoundError):
        erase_person(life.uow, regulator(), uuid4())


def test_answers_of_before_are_forgotten_and_younger_ones_kept(uow: UnitOfWork) -> None:
    kept, old = make_key(), make_key()
    before = FREE_AT - timedelta(days=180)
    for key, at in ((old, before - timedelta(seconds=1)), (kept, before)):
        uow.requests.begin(key, at=at)
        uow.requests.finish(key, b"an answer")
    assert forget_answers(within(uow), regulator()) >= 1
    assert uow.requests.find(old) is None
    assert uow.requests.find(kept) is not None


# All or nothing.


def test_a_kill_in_the_middle_of_an_erasure_leaves_everything_and_again_takes_everything(
    database: Database,
) -> None:
    with database.transaction() as uow:
        life = live(uow)
        life.give_up()
        asked = request_erasure(uow, app(FREE_AT), life.person.personal_id)
    with database.engine.connect() as connection, database.engine.connect() as killer:
        connection.begin()
        doomed = UnitOfWork(connection, database.sealer)
        erase_person(doomed, regulator(), asked.data_request_id)
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
        connection.invalidate()
    with database.transaction() as uow:
        assert uow.citizens.find(life.person.personal_id) == life.person
        assert uow.face_references.find(life.person.personal_id) == REFERENCE
        assert uow.data_requests.find(life.key, asked.data_request_id) == asked
    done = Transactions(database).run(
        lambda uow: erase_person(uow, regulator(), asked.data_request_id)
    )
    assert done.outcome is DataRequestOutcome.DONE
    with database.transaction() as uow:
        after = replace(life, uow=uow)
        assert uow.citizens.find(life.person.personal_id) is None
        assert uow.secrets.find([after.key]) == {}
