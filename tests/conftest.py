"""Fixtures that every kind of test may use.

Owns where the real vectors lie and the one PostgreSQL of a test run: one server for all workers,
two databases for each, migrated to head. Knows nothing of what is tested.
"""

import os
import sys

# As the service does, and before gRPC is imported (identity/cli.py): PostgreSQL is started beside
# its threads, and with its fork handlers 3 of 1,000 children died before they became pg_ctl.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.embedded import embedded_postgres
from tests.databases import forget_migrated, own_database, own_engine

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"

# A server of this process may log while a command of another test is asked what it prints.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))

OTHER_SERVER = "TEST_DATABASE_URL"
"""Environment variable: the URL of a PostgreSQL to test on instead of the embedded one. Its user
must be allowed to create databases."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs and chip files, or a skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real vectors are not on this machine: {SHARED_DATA.name} folder is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of the run's PostgreSQL; workers share one server."""
    if given := os.environ.get(OTHER_SERVER):
        yield given
        forget_migrated(given)
        return
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with embedded_postgres(shared / "postgres") as url:
        yield url


@pytest.fixture(scope="session")
def database_url(postgres_url: str, worker_id: str) -> Iterator[str]:
    """The URL of this worker's own database, migrated to head."""
    with own_database(postgres_url, f"test_{worker_id}") as url:
        yield url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to this worker's database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Field encryption with keys of this run."""
    return Vault(generate_key_ring())


@pytest.fixture
def database(engine: Engine, vault: Vault) -> Database:
    """This worker's database, for tests that need committed transactions of their own."""
    return Database(engine, vault)


@pytest.fixture(scope="session")
def untouched_engine(postgres_url: str, worker_id: str) -> Iterator[Engine]:
    """Connections to a database in which nothing is ever committed."""
    with own_engine(postgres_url, f"untouched_{worker_id}") as engine:
        yield engine


@pytest.fixture
def uow(untouched_engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    """A transaction that is rolled back when the test ends, in a database without any data.

    Not in the one that other tests commit to: what they left would be found in a random order.
    """
    with untouched_engine.connect() as connection:
        transaction = connection.begin()
        yield UnitOfWork(connection, vault)
        transaction.rollback()
