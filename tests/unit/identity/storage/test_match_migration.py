"""When a device last changed is taken from what operators had reported before it was kept."""

from datetime import timedelta
from importlib import import_module

from sqlalchemy import text

from identity.audit.log import AuditEntry, append
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import NOW, find, store_citizen, store_number

MIGRATION = import_module("identity.storage.migrations.versions.0019_hold_guessing_back")


def test_reported_changes_of_the_present_contract_are_taken(uow: UnitOfWork) -> None:
    created_at = NOW - timedelta(days=10)
    item, other = (store_number(uow, store_citizen(uow), created_at=created_at) for _ in range(2))
    key, other_key = (msisdn_key(uow.sealer, each.msisdn) for each in (item, other))
    told = [
        (key, "applied", NOW - timedelta(days=3)),
        (key, "applied", NOW - timedelta(days=2)),
        (key, "EVENT_INVALID", NOW - timedelta(days=1)),
        (other_key, "applied", created_at - timedelta(days=1)),
    ]
    entries = [
        AuditEntry(
            occurred_at=at,
            caller="operator:x",
            action="report_device_change",
            outcome=outcome,
            msisdn_key=number,
        )
        for number, outcome, at in told
    ]
    append(uow.connection, entries)
    uow.connection.execute(text(MIGRATION.TAKE_REPORTED_CHANGES))
    assert find(uow, item).device_changed_at == NOW - timedelta(days=2)
    assert find(uow, other).device_changed_at is None
