"""People and numbers of before are taken along when citizens choose, and back again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from identity.bootstrap import METADATA
from identity.domain.caller import Role
from identity.domain.primary_choice import ChoiceKind
from identity.security.vault import Vault
from identity.services.primary_number import confirm_primary_number
from identity.storage.choices import ChoiceEvent
from identity.storage.database import Database
from identity.storage.schema import schema_drift
from tests.databases import move, own_engine
from tests.unit.identity.makers import NOW, find, make_call, store_citizen, store_number

BEFORE = "0012"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def database(postgres_url: str, worker_id: str, vault: Vault) -> Iterator[Database]:
    """A registry of its own, as it is now."""
    with own_engine(postgres_url, f"citizen_{worker_id}") as engine:
        yield Database(engine, vault)


def test_a_primary_number_of_before_is_confirmed_begins_a_history_and_can_be_chosen_on(
    database: Database,
) -> None:
    with database.transaction() as uow:
        record = store_citizen(uow)
        item = store_number(uow, record, verified_at=LATER)
        other = store_number(uow, store_citizen(uow))
        uow.primaries.set(item, at=NOW)
    for _ in range(2):
        move(database.engine, BEFORE)
        with database.engine.begin() as connection:
            numbers = connection.execute(text("SELECT set_at, verified_at FROM primary_number"))
            assert [tuple(row) for row in numbers] == [(NOW, LATER)]
        move(database.engine, "head")
    assert schema_drift(database.engine, METADATA) == []
    with database.transaction() as uow:
        key = uow.primaries.key_of(record.personal_id)
        assert (find(uow, item), find(uow, other)) == (item, other)
        primary = uow.primaries.find(record.personal_id)
        assert primary is not None
        assert (primary.msisdn, primary.confirmed_at) == (item.msisdn, LATER)
        event = ChoiceEvent(
            happened_at=NOW,
            kind=ChoiceKind.SET,
            sequence=1,
            subscription_id=item.subscription_id,
        )
        assert uow.choices.history(key, before=None, limit=10) == [event]
        app = replace(make_call("vneid", role=Role.CITIZEN_APP), at=LATER)
        assert confirm_primary_number(uow, app, record.personal_id).msisdn == item.msisdn
        assert [each.sequence for each in uow.choices.history(key, before=None, limit=10)] == [2, 1]
