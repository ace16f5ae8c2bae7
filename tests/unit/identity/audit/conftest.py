"""A log for each test that seals: a tree is one for a whole database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from identity.audit.log import audit_entry
from identity.audit.tree_tables import TREE_TABLES
from identity.security.vault import Vault
from tests.databases import own_engine
from tests.unit.identity.audit.logs import OwnLog, tampering

_EMPTY = f"TRUNCATE {', '.join(each.name for each in (audit_entry, *TREE_TABLES))} RESTART IDENTITY"


@pytest.fixture(scope="session")
def log_engine(postgres_url: str, worker_id: str) -> Iterator[Engine]:
    """A database of its own, which no other test writes to."""
    with own_engine(postgres_url, f"log_{worker_id}") as engine:
        yield engine


@pytest.fixture
def log(log_engine: Engine, vault: Vault, tmp_path: Path) -> OwnLog:
    """An empty log."""
    with tampering(log_engine) as connection:
        connection.execute(text(_EMPTY))
        for column, default in (("era", "1"), ("transaction_id", "pg_current_xact_id()")):
            connection.execute(
                text(f"ALTER TABLE audit_entry ALTER COLUMN {column} SET DEFAULT {default}")
            )
    return OwnLog.of(log_engine, vault, tmp_path)
