"""Connections and transactions.

Owns the engine and the unit of work: one transaction with every repository on it. Knows neither
who calls nor why.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import psycopg
from psycopg.types.array import ListBinaryDumper
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from identity.domain.errors import OverloadedError, StorageUnavailableError
from identity.storage.acknowledgements import Acknowledgements
from identity.storage.agencies import Agencies
from identity.storage.anomalies import Anomalies
from identity.storage.arrangements import Arrangements
from identity.storage.attempts import VerificationAttempts
from identity.storage.book import Book
from identity.storage.cases import Cases
from identity.storage.choices import CitizenChoices
from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.citizens import Citizens
from identity.storage.complaints import Complaints
from identity.storage.compliance import Compliance
from identity.storage.contact_changes import ContactChanges
from identity.storage.data_requests import DataRequests
from identity.storage.directives import Directives
from identity.storage.disputes import Disputes
from identity.storage.due_cases import DueCases
from identity.storage.erasures import Erasures
from identity.storage.face_cohorts import FaceCohorts
from identity.storage.face_references import FaceReferences
from identity.storage.fallbacks import Fallbacks
from identity.storage.import_runs import ImportRuns
from identity.storage.kyc_history import KycHistory
from identity.storage.link_changes import LinkChanges
from identity.storage.link_runs import LinkRuns
from identity.storage.links import Links
from identity.storage.lookup_watch import LookupWatch
from identity.storage.match_watch import MatchWatch
from identity.storage.messages import Messages
from identity.storage.notifications import Notifications
from identity.storage.personal_data import PersonalData
from identity.storage.policy_packs import PolicyPacks
from identity.storage.primaries import Primaries
from identity.storage.probes import Probes
from identity.storage.quality import Quality
from identity.storage.reachable import ReachableNumbers
from identity.storage.reconciliations import Reconciliations
from identity.storage.record_matching import RecordMatching
from identity.storage.registry import Registry
from identity.storage.registry import is_claimed as has_claim
from identity.storage.relays import Relays
from identity.storage.requests import Requests
from identity.storage.restrictions import Restrictions
from identity.storage.sealing import Sealer
from identity.storage.sealing_keys import SealingKeys
from identity.storage.signing_keys import SigningKeys
from identity.storage.stored_verdicts import StoredVerdicts
from identity.storage.subscriber_updates import SubscriberUpdates
from identity.storage.subscriptions import Subscriptions
from identity.storage.verifications import Verifications
from identity.storage.waves import Waves

POOL_SIZE = 24
"""Connections kept: those of request threads, two for each of some imports, a few for the server's
own work."""

POOL_TIMEOUT_S = 5.0
"""How long a transaction waits for a connection before it is refused as overload."""

CONNECT_TIMEOUT_S = 5
"""How long a new connection may take (libpq: whole seconds); without it a lost host never fails."""

_RACES = frozenset({"40001", "40P01", "23505"})
"""SQLSTATE serialization_failure, deadlock_detected and unique_violation (PostgreSQL, appendix A).

Every use case looks before it inserts: a key that is taken all the same was taken in between, and
looking again finds it."""


_UNWRITABLE = frozenset({"25006", "42501"})
"""SQLSTATE read_only_sql_transaction, of a standby that was taken for the primary, and
insufficient_privilege, which is also what PostgreSQL calls a read-only disk (EROFS)."""

_AWAY = ("53", "57P", "58")
"""Classes of SQLSTATE: no room on the disk, in memory or for a connection; a server that goes away
or is not there yet; a disk that fails. All of them pass, or are the owner's to put right."""


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
    def agencies(self) -> Agencies:
        """Agencies, their grants and quotas."""
        return Agencies(self.connection)

    @cached_property
    def record_matching(self) -> RecordMatching:
        """Population records, as agencies' own are compared with them."""
        return RecordMatching(self.connection, self.sealer)

    @cached_property
    def match_watch(self) -> MatchWatch:
        """How much of agencies' matching fails."""
        return MatchWatch(self.connection)

    @cached_property
    def lookup_watch(self) -> LookupWatch:
        """How much of callers' look-ups is about nobody."""
        return LookupWatch(self.connection)

    @cached_property
    def kyc_history(self) -> KycHistory:
        """Pasts of numbers, and guesses about them."""
        return KycHistory(self.connection, self.sealer)

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
    def attempts(self) -> VerificationAttempts:
        """Attempts at verifications that failed."""
        return VerificationAttempts(self.connection)

    @cached_property
    def probes(self) -> Probes:
        """Photographs that were used."""
        return Probes(self.connection, self.sealer)

    @cached_property
    def stored_verdicts(self) -> StoredVerdicts:
        """Verdicts with their evidence."""
        return StoredVerdicts(self.connection, self.sealer)

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
    def choices(self) -> CitizenChoices:
        """What citizens have chosen."""
        return CitizenChoices(self.connection)

    @cached_property
    def arrangements(self) -> Arrangements:
        """What two sides have arranged."""
        return Arrangements(self.connection, self.sealer)

    @cached_property
    def fallbacks(self) -> Fallbacks:
        """What stands in for primary numbers."""
        return Fallbacks(self.connection, self.sealer)

    @cached_property
    def reachable(self) -> ReachableNumbers:
        """Through which numbers citizens can be reached."""
        return ReachableNumbers(self.connection, self.sealer)

    @cached_property
    def data_requests(self) -> DataRequests:
        """What people have asked about their data."""
        return DataRequests(self.connection)

    @cached_property
    def erasures(self) -> Erasures:
        """What stands against erasing people."""
        return Erasures(self.connection)

    @cached_property
    def personal_data(self) -> PersonalData:
        """Everything that is held about a person."""
        return PersonalData(self.connection, self.sealer)

    @cached_property
    def secrets(self) -> CitizenSecrets:
        """Each person's own secret."""
        return CitizenSecrets(self.connection, self.sealer)

    @cached_property
    def relays(self) -> Relays:
        """What stands for numbers towards agencies."""
        return Relays(self.connection, self.sealer)

    @cached_property
    def restrictions(self) -> Restrictions:
        """What citizens do not want done with their data."""
        return Restrictions(self.connection)

    @cached_property
    def contact_changes(self) -> ContactChanges:
        """The feed of changed contacts."""
        return ContactChanges(self.connection)

    @cached_property
    def complaints(self) -> Complaints:
        """Complaints about numbers."""
        return Complaints(self.connection, self.sealer)

    @cached_property
    def messages(self) -> Messages:
        """Messages to citizens."""
        return Messages(self.connection, self.sealer)

    @cached_property
    def notifications(self) -> Notifications:
        """What agencies sent."""
        return Notifications(self.connection)

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

    @cached_property
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

    @cached_property
    def signing_keys(self) -> SigningKeys:
        """What the service signs with."""
        return SigningKeys(self.connection, self.sealer)


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
        with in_our_terms(), self.engine.begin() as connection:
            yield UnitOfWork(connection, self.sealer)

    def ping(self) -> None:
        """Ask the server for nothing.

        Raises:
            StorageUnavailableError: The database cannot be reached.
            OverloadedError: No connection came free in time.
        """
        with in_our_terms(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def connections_in_use(self) -> int:
        """How many of the `POOL_SIZE` connections transactions hold at this moment."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def in_our_terms() -> Iterator[None]:
    """Give the driver's errors their meaning; COPY raises them without SQLAlchemy around."""
    try:
        yield
    except DBAPIError as error:
        raise _meaning(error, getattr(error.orig, "sqlstate", None)) from error
    except psycopg.Error as error:
        raise _meaning(error, error.sqlstate) from error
    except PoolTimeoutError as error:
        raise OverloadedError("no database connection came free in time") from error


def _meaning(error: Exception, sqlstate: str | None) -> Exception:
    if sqlstate in _RACES:
        return LostRaceError(sqlstate)
    # Without a SQLSTATE the server never answered. What libpq says itself, of a connection that
    # ends within an answer, psycopg gives its most general class.
    is_unanswered = sqlstate is None and (
        isinstance(error, OperationalError | psycopg.OperationalError)
        or type(error) in {DatabaseError, psycopg.DatabaseError}
    )
    if is_unanswered or _is_invalidated(error):
        return StorageUnavailableError("the database cannot be reached")
    if sqlstate is not None and (sqlstate.startswith(_AWAY) or sqlstate in _UNWRITABLE):
        return StorageUnavailableError("the database cannot be reached, or not written")
    return error


def _is_invalidated(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


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


def is_claimed(engine: Engine) -> bool:
    """Whether keys belong to the database already.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    with in_our_terms(), engine.connect() as connection:
        return has_claim(connection)
