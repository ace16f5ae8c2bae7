"""Cases and orders of before are taken along when enforcement becomes fair, and back again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from identity.domain.enforcement import DirectiveKind, open_case
from identity.domain.policy import CaseCause
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.directives import hand_out, pull_directives
from identity.storage.database import Database
from tests.databases import move, own_engine
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_operator,
    store_citizen,
    store_number,
    track_for,
)

BEFORE = "0010"
LATER = NOW + timedelta(hours=1)

_ORDER = text(
    "INSERT INTO directive (msisdn_key, directive_id, subscription_id, operator_id, msisdn_sealed,"
    " kind, causes, citation, cure, state, created_at, due_at)"
    " SELECT msisdn_key, :id, subscription_id, operator_id, msisdn_sealed, :kind,"
    " CAST(:causes AS text[]), 'a rule', 'a way out', 'pending', :at, :at"
    " FROM subscription WHERE subscription_id = :subscription_id"
)
_CASES = text(
    "SELECT subscription_id, track, cause, policy_version, steps_taken FROM enforcement_case"
)


@pytest.fixture
def database(postgres_url: str, worker_id: str, vault: Vault) -> Iterator[Database]:
    """A registry of its own, as it is now."""
    with own_engine(postgres_url, f"fair_{worker_id}") as engine:
        yield Database(engine, vault)


def put_on(
    database: Database, cause: CaseCause, *, steps_taken: int, operator: str
) -> Subscription:
    """A number with a case of some cause."""
    with database.transaction() as uow:
        item = store_number(uow, store_citizen(uow), verified_at=None, operator_id=operator)
        case = open_case(item, cause, track_for(cause), identity=uuid4(), at=NOW)
        uow.cases.save_many([(replace(case, steps_taken=steps_taken), item)])
    return item


def order(
    connection: Connection, item: Subscription, kind: DirectiveKind, *causes: CaseCause
) -> None:
    """An order as it was kept then."""
    named = [cause.value for cause in causes]
    given = {"id": uuid4(), "kind": kind.value, "causes": named, "at": LATER}
    connection.execute(_ORDER, {**given, "subscription_id": item.subscription_id})


def cases(connection: Connection) -> Mapping[UUID, tuple[object, ...]]:
    """Ladder, cause, pack and rungs of each case, by subscription."""
    return {row[0]: tuple(row[1:]) for row in connection.execute(_CASES)}


def test_orders_of_before_get_the_ladder_of_their_case(database: Database) -> None:
    operator = make_operator()
    told = put_on(database, CaseCause.NOT_FOUND, steps_taken=3, operator=operator)
    changed = put_on(database, CaseCause.MISMATCHED, steps_taken=6, operator=operator)
    restored = put_on(database, CaseCause.UNVERIFIED, steps_taken=5, operator=operator)
    move(database.engine, BEFORE)
    with database.engine.begin() as connection:
        order(connection, told, DirectiveKind.NOTIFY, CaseCause.NOT_FOUND)
        # Another name in the book has changed the cause since.
        order(connection, changed, DirectiveKind.BLOCK_OUTGOING, CaseCause.UNVERIFIED)
        order(connection, restored, DirectiveKind.RESTORE)
    move(database.engine, "head")
    with database.transaction() as uow:
        call = make_call(operator, at=LATER)
        lease = pull_directives(uow, call, duration=timedelta(hours=1), limit=9)
        tracks = {
            each.directive.subscription_id: hand_out(call, each).track for each in lease.directives
        }
        (waiting,) = uow.cases.list_open([restored])[restored.subscription_id]
    assert tracks == {
        told.subscription_id: track_for(CaseCause.NOT_FOUND),
        changed.subscription_id: track_for(CaseCause.MISMATCHED),
        restored.subscription_id: None,
    }
    assert waiting.waits_for_wave


def test_what_was_not_known_before_is_told_as_what_was_on_the_way_back(database: Database) -> None:
    operator = make_operator()
    reported = put_on(database, CaseCause.OPERATOR_REPORT, steps_taken=2, operator=operator)
    not_found = put_on(database, CaseCause.NOT_FOUND, steps_taken=3, operator=operator)
    with database.engine.begin() as connection:
        here = cases(connection)
    move(database.engine, BEFORE)
    with database.engine.begin() as connection:
        assert cases(connection) == {
            reported.subscription_id: ("T2", "unverified", "vn-2026-04-15", 2),
            not_found.subscription_id: ("T4", "not_found", "vn-2026-04-15", 3),
        }
    move(database.engine, "head")
    with database.engine.begin() as connection:
        assert cases(connection)[not_found.subscription_id] == here[not_found.subscription_id]
