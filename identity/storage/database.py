"""Connections, transactions and the schema's version.

Owns the engine and the unit of work: one transaction with every repository on it. Knows neither
who calls nor why.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.types.array import ListBinaryDumper
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from identity.domain.errors import OverloadedError, StorageUnavailableError
from identity.storage.acknowledgements import Acknowledgements
from identity.storage.anomalies import Anomalies
from identity.storage.book import Book
from identity.storage.cases import Cases
from identity.storage.citizens import Citizens
from identity.storage.complaints import Complaints
from identity.storage.compliance import Compliance
from identity.storage.directives import Directives
from identity.storage.disputes import Disputes
from identity.storage.due_cases import DueCases
from identity.storage.face_cohorts import FaceCohorts
from identity.storage.face_references import FaceReferences
from identity.storage.import_runs import ImportRuns
from identity.storage.link_changes import LinkChanges
from identity.storage.link_runs import LinkRuns
from identity.storage.links import Links
from identity.storage.policy_packs import PolicyPacks
from identity.storage.primaries import Primaries
from identity.storage.quality import Quality
from identity.storage.reconciliations import Reconciliations
from identity.storage.registry import Registry
from identity.storage.registry import is_claimed as has_claim
from identity.storage.requests import Requests
from identity.storage.sealing import Sealer
from identity.storage.sealing_keys import SealingKeys
from identity.storage.subscriber_updates import SubscriberUpdates
from identity.storage.subscriptions import Subscriptions
from identity.storage.verifications import Verifications
from identity.storage.waves import Waves

POOL_SIZE = 24
"""Connections kept: those of request threads, two for each of some imports, a few for the server's
own work."""

_OF_A_PARTITION = re.compile(r"_(?:p?\d+|fkey\d*)$")
POOL_TIMEOUT_S = 5.0
"""How long a transaction waits for a connection before it is refused as overload."""

CONNECT_TIMEOUT_S = 5
"""How long a new connection may take (libpq: whole seconds); without it a lost host never fails."""

_MIGRATIONS = Path(__file__).parent / "migrations"


_RACES = frozenset({"40001", "40P01", "23505"})
"""SQLSTATE serialization_failure, deadlock_detected and unique_violation (PostgreSQL, appendix A).

Every use case looks before it inserts: a key that is taken all the same was taken in between, and
looking again finds it."""


class LostRaceError(Exception):
    """A transaction that gave way to another; nothing of it was stored."""


@dataclass(frozen=True)
class UnitOfWork:
    """One transaction. What it did is there when it is committed, and only then."""

    connection: Connection
    sealer: Sealer

    @cached_property
    def citizens(self) -> Citizens:
        """Population records."""
        return Citizens(self.connection, self.sealer)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Subscriptions and holdings."""
        return Subscriptions(self.connection, self.sealer)

    @cached_property
    def book(self) -> Book:
        """The registry as an operator's book meets it."""
        return Book(self.connection, self.sealer)

    @cached_property
    def primaries(self) -> Primaries:
        """Primary numbers."""
        return Primaries(self.connection, self.sealer)

    @cached_property
    def verifications(self) -> Verifications:
        """Verification sessions."""
        return Verifications(self.connection, self.sealer)

    @cached_property
    def face_references(self) -> FaceReferences:
        """Enrolled faces."""
        return FaceReferences(self.connection, self.sealer)

    @cached_property
    def face_cohorts(self) -> FaceCohorts:
        """Cohorts."""
        return FaceCohorts(self.connection, self.sealer)

    @cached_property
    def cases(self) -> Cases:
        """Enforcement cases."""
        return Cases(self.connection, self.sealer)

    @cached_property
    def due_cases(self) -> DueCases:
        """Numbers with a step to take."""
        return DueCases(self.connection)

    @cached_property
    def compliance(self) -> Compliance:
        """What operators did with their orders, counted."""
        return Compliance(self.connection)

    @cached_property
    def policy_packs(self) -> PolicyPacks:
        """Packs as they were when they were first used."""
        return PolicyPacks(self.connection)

    @cached_property
    def waves(self) -> Waves:
        """Steps that many numbers take together."""
        return Waves(self.connection)

    @cached_property
    def disputes(self) -> Disputes:
        """Numbers that two people claim."""
        return Disputes(self.connection, self.sealer)

    @cached_property
    def directives(self) -> Directives:
        """Orders to operators."""
        return Directives(self.connection, self.sealer)

    @cached_property
    def acknowledgements(self) -> Acknowledgements:
        """What operators have signed."""
        return Acknowledgements(self.connection)

    @cached_property
    def reconciliations(self) -> Reconciliations:
        """What operators' networks do."""
        return Reconciliations(self.connection, self.sealer)

    @cached_property
    def complaints(self) -> Complaints:
        """Complaints about numbers."""
        return Complaints(self.connection, self.sealer)

    @cached_property
    def import_runs(self) -> ImportRuns:
        """Imports as wholes."""
        return ImportRuns(self.connection)

    @cached_property
    def links(self) -> Links:
        """Links by the thousand."""
        return Links(self.connection, self.sealer)

    @cached_property
    def link_runs(self) -> LinkRuns:
        """Comparisons of all claims."""
        return LinkRuns(self.connection)

    @cached_property
    def link_changes(self) -> LinkChanges:
        """The history of links."""
        return LinkChanges(self.connection)

    @cached_property
    def anomalies(self) -> Anomalies:
        """What anomalies are counted from."""
        return Anomalies(self.connection, self.sealer)

    @property
    def quality(self) -> Quality:
        """Measurements of the data's quality."""
        return Quality(self.connection)

    @cached_property
    def subscriber_updates(self) -> SubscriberUpdates:
        """What the population authority is owed."""
        return SubscriberUpdates(self.connection, self.sealer)

    @cached_property
    def requests(self) -> Requests:
        """First answers."""
        return Requests(self.connection, self.sealer)

    @cached_property
    def registry(self) -> Registry:
        """Whose data this is."""
        return Registry(self.connection, self.sealer)

    @cached_property
    def sealing_keys(self) -> SealingKeys:
        """Which keys sealed it."""
        return SealingKeys(self.connection, self.sealer)


@dataclass(frozen=True)
class Database:
    """One PostgreSQL database holding the registry.

    Attributes:
        engine: Its connections.
        sealer: Encrypts what is personal.
    """

    engine: Engine
    sealer: Sealer

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A transaction that commits at the end of the block and rolls back on an exception.

        Raises:
            LostRaceError: A deadlock, a serialization failure, or a key that another transaction
                took in between; the same again may well succeed.
            StorageUnavailableError: The database cannot be reached.
            OverloadedError: No connection came free in time.
        """
        with _meant(), self.engine.begin() as connection:
            yield UnitOfWork(connection, self.sealer)

    def ping(self) -> None:
        """Ask the server for nothing.

        Raises:
            StorageUnavailableError: The database cannot be reached.
            OverloadedError: No connection came free in time.
        """
        with _meant(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _meant() -> Iterator[None]:
    """Give the driver's errors their meaning; COPY raises them without SQLAlchemy around."""
    try:
        yield
    except (OperationalError, IntegrityError) as error:
        raise _meaning(error, getattr(error.orig, "sqlstate", None)) from error
    except (psycopg.OperationalError, psycopg.IntegrityError) as error:
        raise _meaning(error, error.sqlstate) from error
    except PoolTimeoutError as error:
        raise OverloadedError("no database connection came free in time") from error


def _meaning(error: Exception, sqlstate: str | None) -> Exception:
    if sqlstate in _RACES:
        return LostRaceError(sqlstate)
    if isinstance(error, IntegrityError | psycopg.IntegrityError):
        return error
    # Without a SQLSTATE the server never answered; class 57P is a server that goes away.
    if sqlstate is None or sqlstate.startswith("57P") or _is_invalidated(error):
        return StorageUnavailableError("the database cannot be reached")
    return error


def _is_invalidated(error: Exception) -> bool:
    return isinstance(error, OperationalError) and error.connection_invalidated


def connect(url: str) -> Engine:
    """An engine for `postgresql://…`; no connection is made yet."""
    given = make_url(url)
    query = {"connect_timeout": str(CONNECT_TIMEOUT_S), **given.query}
    engine = create_engine(
        given.set(drivername="postgresql+psycopg", query=query),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        # Not asked whether it still lives before each use, which costs a round trip: a connection
        # that was lost shows in its first statement, the pool is renewed, and the transaction is
        # run again (identity.services.transactions).
        pool_pre_ping=False,
        # An error message must not carry the values of a statement into the log.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _write_fast)
    return engine


def _write_fast(connection: psycopg.Connection, _record: object) -> None:
    """Have the driver write bytes and lists by its fastest ways; by itself it prefers others.

    Bytes in COPY by the compiled one, not the one in Python (PEP 249). Lists as binary arrays: as
    text, 10,000 instants take 3 µs each and keys more, as binary 0.2 µs (psycopg 3.3).
    """
    connection.adapters.register_dumper(bytes, BytesBinaryDumper)
    connection.adapters.register_dumper(list, ListBinaryDumper)


def migrate(engine: Engine, metadata: Sequence[MetaData]) -> None:
    """Bring the schema to head; several servers starting together take turns.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    with _meant(), engine.begin() as connection:
        # Any constant will do, as long as every version of subid takes the same one.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('subid.migrate'))"))
        command.upgrade(_config(connection, metadata), "head")


def is_claimed(engine: Engine) -> bool:
    """Whether keys belong to the database already.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    with _meant(), engine.connect() as connection:
        return has_claim(connection)


def schema_versions(engine: Engine) -> tuple[str | None, str | None]:
    """The version that the database has, and the one that this code needs.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    with _meant(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def schema_drift(engine: Engine, metadata: Sequence[MetaData]) -> list[object]:
    """How the database differs from the tables in code: empty when migrations are complete."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": _is_ours,
                "compare_type": True,
                "compare_server_default": False,
            },
        )
        return list(compare_metadata(context, list(metadata)))  # type: ignore[arg-type] # alembic takes a list too


def _is_ours(_object: object, name: str | None, *_details: object) -> bool:
    """Leave out what belongs to partitions (`…_p0`, `fk_…_1`, `…_fkey1`): their parent has it."""
    return name is None or not _OF_A_PARTITION.search(name)


def _config(connection: Connection, metadata: Sequence[MetaData]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = list(metadata)
    return config
