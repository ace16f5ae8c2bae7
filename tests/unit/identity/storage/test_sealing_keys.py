"""What the database knows of its keys: numbers, checks, what each holds, which are lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, update
from sqlalchemy.exc import IntegrityError

import identity.storage
from identity.bootstrap import METADATA
from identity.security.keys import KeyRing, generate_key_ring, with_new_key, without_key
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork
from identity.storage.key_tables import sealing_key
from identity.storage.registry import ForeignKeysError
from identity.storage.schema import migrate
from identity.storage.sealing_keys import (
    KeyedRow,
    KeyUse,
    LostKeysError,
    has_sealing_keys,
    tell_lost,
)
from tests.databases import own_engine
from tests.unit.identity.makers import NOW, make_record, make_subscription

MIGRATIONS = Path(identity.storage.__file__).parent / "migrations"
FIRST = generate_key_ring()
SECOND = with_new_key(FIRST, key_id=2, is_active=True)


def under(uow: UnitOfWork, ring: KeyRing) -> UnitOfWork:
    """The same transaction, seen by a process with another ring."""
    return UnitOfWork(uow.connection, Vault(ring))


@pytest.fixture
def first(quiet_engine: Engine) -> Iterator[UnitOfWork]:
    """A transaction of a registry with one key, undone in the end."""
    with quiet_engine.connect() as connection:
        transaction = connection.begin()
        ours = UnitOfWork(connection, Vault(FIRST))
        ours.sealing_keys.register()
        yield ours
        transaction.rollback()


def test_every_key_at_hand_is_written_down_once(first: UnitOfWork) -> None:
    assert has_sealing_keys(first.connection)
    first.sealing_keys.register()
    assert [key.key_id for key in first.sealing_keys.known()] == [1]
    under(first, SECOND).sealing_keys.register()
    assert [key.key_id for key in first.sealing_keys.known()] == [1, 2]


def test_another_key_of_a_known_number_is_refused(first: UnitOfWork) -> None:
    stranger = replace(FIRST, sealing={1: generate_key_ring().sealing[1]})
    for act in (
        under(first, stranger).sealing_keys.check,
        under(first, stranger).sealing_keys.register,
    ):
        with pytest.raises(ForeignKeysError, match="key 1 is not the one"):
            act()
    elsewhere = with_new_key(FIRST, key_id=2, is_active=True)
    under(first, SECOND).sealing_keys.register()
    with pytest.raises(ForeignKeysError, match="key 2 is not the one"):
        under(first, elsewhere).sealing_keys.register()


def test_a_number_that_no_value_can_name_is_refused(first: UnitOfWork) -> None:
    for number in (0, 2**32):
        with pytest.raises(IntegrityError, match="key_id"), first.connection.begin_nested():
            first.connection.execute(update(sealing_key).values(key_id=number))


def test_who_seals_says_so_and_others_fall_behind(first: UnitOfWork) -> None:
    second = under(first, SECOND)
    second.sealing_keys.register()
    earlier = func.now() - timedelta(minutes=7)
    first.connection.execute(update(sealing_key).values(last_active_at=earlier))
    second.sealing_keys.mark_active()
    idle = {key.key_id: key.idle for key in second.sealing_keys.known()}
    assert idle == {1: timedelta(minutes=7), 2: timedelta(0)}


def test_values_are_counted_by_key_and_column(first: UnitOfWork) -> None:
    first.citizens.save_many([make_record(), make_record()], at=NOW)
    second = under(first, SECOND)
    second.citizens.save_many([make_record()], at=NOW)
    place = "citizen.record_sealed"
    assert sorted(first.sealing_keys.count_values(), key=lambda use: use.key_id) == [
        KeyUse(key_id=1, place=place, value_count=2),
        KeyUse(key_id=2, place=place, value_count=1),
    ]


def test_the_rows_that_a_key_seals_are_named_one_by_one(first: UnitOfWork) -> None:
    record, item = make_record(), make_subscription()
    first.citizens.save_many([record], at=NOW)
    first.subscriptions.save(item)
    second = under(first, SECOND)
    second.citizens.save_many([make_record()], at=NOW)
    second.sealing_keys.register()
    rest = under(first, without_key(SECOND, 1))
    number = {
        "msisdn_key": first.sealer.blind_index("msisdn", item.msisdn.value).hex(),
        "subscription_id": str(item.subscription_id),
        "operator_id": item.operator_id,
    }
    citizen = {"citizen_key": first.primaries.key_of(record.personal_id).hex()}
    assert list(rest.sealing_keys.rows_of(1)) == [
        KeyedRow(place="citizen.record_sealed", names=citizen),
        KeyedRow(place="subscription.msisdn_sealed", names=number),
        KeyedRow(place="subscription.claim_sealed", names=number),
    ]
    assert len(list(rest.sealing_keys.rows_of(2))) == 1
    assert list(rest.sealing_keys.rows_of(3)) == []


def test_a_lost_key_names_what_it_costs(first: UnitOfWork) -> None:
    first.citizens.save_many([make_record() for _ in range(3)], at=NOW)
    rest = under(first, without_key(SECOND, 1))
    rest.sealing_keys.register()
    assert rest.sealing_keys.missing() == {1}
    with pytest.raises(LostKeysError) as caught:
        rest.sealing_keys.refuse_lost()
    assert str(caught.value) == (
        "key 1 is not in the key ring and is needed to read 3 values (citizen.record_sealed 3):"
        " restore the key ring that has it, or --accept-lost-keys"
    )
    first.sealing_keys.refuse_lost()


def test_a_key_that_is_gone_and_not_needed_is_not_asked_about_again(first: UnitOfWork) -> None:
    rest = under(first, without_key(SECOND, 1))
    rest.sealing_keys.register()
    rest.sealing_keys.refuse_lost()
    assert rest.sealing_keys.missing() == frozenset()
    assert [key.key_id for key in rest.sealing_keys.known() if key.retired_at] == [1]


def test_a_retired_key_that_somebody_seals_with_again_is_known_again(first: UnitOfWork) -> None:
    first.sealing_keys.retire(1)
    rest = under(first, without_key(SECOND, 1))
    assert rest.sealing_keys.missing() == frozenset()
    first.sealing_keys.mark_active()
    assert rest.sealing_keys.missing() == {1}


@pytest.fixture
def older_engine(postgres_url: str) -> Iterator[Engine]:
    """A database to be migrated back and forth."""
    with own_engine(postgres_url, f"older_{uuid4().hex}") as engine:
        yield engine


def test_the_key_of_an_older_schema_is_known_after_the_migration(older_engine: Engine) -> None:
    engine = older_engine
    with Database(engine, Vault(FIRST)).transaction() as uow:
        uow.registry.claim()
    with engine.begin() as connection:
        undo_until_the_keys_are_unknown(connection)
        assert not has_sealing_keys(connection)
    migrate(engine, METADATA)
    with Database(engine, Vault(FIRST)).transaction() as uow:
        assert [key.key_id for key in uow.sealing_keys.known()] == [1]
        uow.sealing_keys.check()


def undo_until_the_keys_are_unknown(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(connection=connection, metadata=list(METADATA))
    (ours,) = (
        script
        for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()
        if script.path.endswith("know_the_sealing_keys.py")
    )
    command.downgrade(config, str(ours.down_revision))


def test_what_several_lost_keys_cost_is_one_line() -> None:
    lost = [
        KeyUse(key_id=3, place="request.response_sealed", value_count=5),
        KeyUse(key_id=1, place="citizen.record_sealed", value_count=1_200),
        KeyUse(key_id=1, place="subscription.claim_sealed", value_count=34),
    ]
    assert tell_lost(lost) == (
        "key 1 is not in the key ring and is needed to read 1,234 values"
        " (citizen.record_sealed 1,200, subscription.claim_sealed 34);"
        " key 3 is not in the key ring and is needed to read 5 values (request.response_sealed 5)"
    )
