"""The composition root: settings in, a running service out.

Owns which part is handed to which, and the order of start and stop. The only place that knows all
of them.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from biometrics.face.models import Precision
from identity.audit.tree_tables import audit_leaf
from identity.audit_sealer import AuditSealer, sealing
from identity.audit_setup import made_audit_sealer
from identity.config import Settings
from identity.domain.policy_book import PolicyBook, Rules
from identity.health_watch import Dependency, watching_dependencies
from identity.keyed_database import bind, fits, keyed_database
from identity.policy_files import load_policies
from identity.rpc.contact_relay import ContactRelay
from identity.rpc.edge import Edge
from identity.rpc.long_poll import wakers
from identity.rpc.server import DATABASE, ExtraHandler, Listening, listen
from identity.security.admission import Admission
from identity.security.key_source import KeySource, open_key_source
from identity.server_news import ServerNews, passing_on
from identity.services.clock import Clock, SimulatedClock, SystemClock
from identity.services.face_pool import FacePool
from identity.services.face_setup import (
    FaceSetup,
    load_operating_point,
    make_face_setup,
    refuse_unproven,
)
from identity.services.load_cohort import with_cohort
from identity.services.seal_audit import note_restored
from identity.services.transactions import Transactions
from identity.services.trust_store import TrustInForce, log_trust
from identity.state_directory import StateError, free_bytes
from identity.storage import contact_news, tables
from identity.storage.base_backups import BackupStore
from identity.storage.database import Database
from identity.storage.embedded import embedded_postgres, revive_postgres
from identity.storage.news import listen as listen_for
from identity.storage.schema import migrate, schema_versions
from identity.supervisor import Watch, watching
from identity.telemetry_setup import Parts, made_telemetry, serving_metrics
from identity.trust_watch import TrustWatch, watching_trust

METADATA = (tables.metadata, audit_leaf.metadata)
"""Everything that migrations cover."""

SWITCH_INTERVAL_S = 0.0005
"""How long a request thread keeps Python's lock from the event loop, a tenth of what Python does.
The loop asks for it some times a call, and waits for each thread that asked before."""

GARBAGE_THRESHOLD = 50_000
"""New objects before Python looks for garbage among them (its own choice: 700)."""

_log = structlog.get_logger("subid")


class SchemaError(StateError):
    """A database whose schema is not the one that this code needs."""


def load_trust(directory: Path, rules: Rules) -> TrustInForce:
    """The anchors in a directory; none at all means that no card can be authenticated.

    Raises:
        TrustError: A file is not what its suffix says, or the policy names a profile that is none.
    """
    trust = TrustInForce(directory)
    if not trust.loaded.profile(rules.verification.trust_profile).anchors:
        _log.warning("no trust anchors: every chip will be refused", directory=str(directory))
    return trust


def load_face_setup(settings: Settings) -> FaceSetup:
    """How faces are compared, as far as neither policy nor database is needed to know it.

    Raises:
        FaceSetupError: The parts do not belong together.
    """
    point = load_operating_point(settings.operating_point, trusted_key=settings.operating_point_key)
    return make_face_setup(
        models_directory=settings.models_directory,
        model=settings.face_model,
        precision=Precision(settings.face_precision),
        operating_point=point,
    )


def load_proven_face_setup(settings: Settings, rules: Rules) -> FaceSetup:
    """The same, fit to decide under a policy.

    Raises:
        FaceSetupError: The parts do not belong together, or do not show what the policy demands.
    """
    setup = load_face_setup(settings)
    refuse_unproven(
        setup.operating_point,
        rules.verification,
        is_trusted=settings.operating_point_key is not None,
    )
    return setup


def _with_cohort(database: Database, setup: FaceSetup) -> FaceSetup:
    with database.transaction() as uow:
        complete = with_cohort(uow, setup, at=datetime.now(UTC))
    if complete.cohort is None and setup.operating_point.cohort_digest is not None:
        _log.warning("no cohort: the operating point's fallback decides")
    return complete


@contextmanager
def open_database(
    settings: Settings,
    *,
    may_begin: bool = False,
    may_lack_keys: bool = False,
    is_logged: bool = False,
) -> Iterator[Database]:
    """The registry's database, embedded or given, with the keys to its data.

    Args:
        settings: The settings.
        may_begin: Begin a registry in a state directory that holds none.
        may_lack_keys: Go on although values need keys that are lost, as the settings may say too.
        is_logged: Whether the log says what becomes of the keys meanwhile.

    Raises:
        StateError: The state directory holds no registry, the keys are missing, damaged, lost in
            part or those of another database, or the embedded server does not start.
        StorageUnavailableError: The database cannot be reached.
    """
    source = key_source(settings)
    source.read()  # before a server is started for nothing
    if not may_begin:
        _refuse_none(settings)
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    accepts = may_lack_keys or settings.accept_lost_keys
    with (
        _database_url(settings) as url,
        keyed_database(url, source, may_lack_keys=accepts, is_logged=is_logged) as database,
    ):
        yield database


def _refuse_none(settings: Settings) -> None:
    # Else a mistyped directory would become a registry, with keys and a database of its own.
    if settings.database is None and not embedded_directory(settings).is_dir():
        raise StateError(
            f"{settings.state} holds no registry: `identity serve` or `identity migrate` begins one"
        )


def key_source(settings: Settings) -> KeySource:
    """Where the keys are kept.

    Raises:
        KeySourceError: The settings name no source, or it does not start.
    """
    ring = settings.key_ring
    return open_key_source(
        settings.key_source,
        state=settings.state,
        ring_text=None if ring is None else ring.get_secret_value(),
    )


@contextmanager
def open_current_database(settings: Settings, *, may_lack_keys: bool = False) -> Iterator[Database]:
    """`open_database`, its schema the one that this code needs.

    Raises:
        SchemaError: It is another; `identity migrate` brings it up to date.
        StateError: As for `open_database`.
        StorageUnavailableError: The database cannot be reached.
    """
    with open_database(settings, may_lack_keys=may_lack_keys) as database:
        current, head = schema_versions(database.engine)
        if current != head:
            raise SchemaError(f"the schema is {current or 'empty'} and must be {head}: migrate")
        bind(database)
        _go_on_after_restore(database)
        yield database


def prepare(database: Database) -> None:
    """Bring the schema to head and bind the database to its keys.

    Raises:
        StateError: It is bound to others.
        StorageUnavailableError: The database cannot be reached.
    """
    migrate(database.engine, METADATA)
    bind(database)
    _go_on_after_restore(database)


def _go_on_after_restore(database: Database) -> None:
    with database.transaction() as uow:
        note_restored(uow, at=datetime.now(UTC))


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    if settings.database is not None:
        yield settings.database
        return
    with embedded_postgres(embedded_directory(settings), archive=_archive(settings)) as url:
        yield url


def embedded_directory(settings: Settings) -> Path:
    """Where the data of the embedded database lie."""
    return settings.state / "postgres"


def _archive(settings: Settings) -> Path | None:
    return None if settings.backups is None else BackupStore(settings.backups).archive.directory


def make_clock(settings: Settings, database: Database) -> Clock:
    """The clock; a simulated one starts now, or where enforcement last stood if that is later."""
    if not settings.simulated_clock:
        return SystemClock()
    now = datetime.now(UTC)
    with database.transaction() as uow:
        return SimulatedClock(max(now, uow.cases.ran_until() or now))


@asynccontextmanager
async def running_server(
    settings: Settings, *, extra_handlers: Iterable[ExtraHandler] = ()
) -> AsyncIterator[Listening]:
    """A server that accepts calls inside the block, on a database at head."""
    policies = load_policies(settings)
    rules = policies.at(datetime.now(UTC))
    setup = load_proven_face_setup(settings, rules)
    trust = load_trust(settings.trust_directory, rules)
    with (
        made_telemetry(settings) as telemetry,
        open_database(settings, may_begin=True, is_logged=True) as database,
    ):
        prepare(database)
        transactions = Transactions(database)
        sealer = made_audit_sealer(settings.state, transactions)
        with database.transaction() as uow:
            uow.registry.keep_clock(is_simulated=settings.simulated_clock)
            for pack in policies.chosen:
                uow.policy_packs.keep(pack.version, pack.digest, at=datetime.now(UTC))
            uow.policy_packs.refuse_missing({pack.version: pack.digest for pack in policies.packs})
            if missing := uow.sealing_keys.missing():
                _log.warning(
                    "sealing keys are lost: some rows are unreadable", keys=sorted(missing)
                )
        faces = FacePool(_with_cohort(database, setup), worker_count=settings.face_workers)
        threads = ThreadPoolExecutor(settings.request_threads, thread_name_prefix="subid-request")
        try:
            await faces.warm_up()
            edge = Edge(
                transactions=transactions,
                clock=make_clock(settings, database),
                examine_chip=trust.examine_chip,
                faces=faces,
                threads=threads,
                telemetry=telemetry,
            )
            parts = Parts(
                settings=settings,
                database=database,
                faces=faces,
                trust=trust,
                clock=edge.clock,
                audit_waits_s=sealer.waits_s,
            )
            listening = await _listen(settings, edge, policies, extra_handlers)
            relay = ContactRelay(edge, policies)
            try:
                async with (
                    passing_on(_server_news(database, edge, relay)),
                    watching(_watch(parts, listening)),
                    sealing(sealer),
                    watching_dependencies(
                        _dependencies(parts, sealer), _reporter(parts, listening)
                    ),
                    serving_metrics(telemetry, parts),
                    watching_trust(_trust_watch(trust, rules, edge.clock, listening)),
                ):
                    yield listening
            finally:
                await relay.close()
                await listening.stop()
        finally:
            faces.close()
            threads.shutdown()


def _server_news(database: Database, edge: Edge, relay: ContactRelay) -> ServerNews:
    wake = {**wakers(edge.waiting), contact_news.CHANNEL: relay.wake}
    return ServerNews(listen=partial(listen_for, database.engine, list(wake)), wake=wake)


def _watch(parts: Parts, listening: Listening) -> Watch:
    settings = parts.settings

    def revive() -> None:
        # A server of somebody else's is somebody else's to start.
        if settings.database is None:
            revive_postgres(embedded_directory(settings))

    async def report(is_serving: bool) -> None:  # noqa: FBT001 - what is reported
        parts.dependencies[DATABASE] = is_serving
        await listening.report(is_serving)

    parts.dependencies[DATABASE] = True
    return Watch(ping=parts.database.ping, report=report, revive=revive)


def _dependencies(parts: Parts, sealer: AuditSealer) -> Iterable[Dependency]:
    """What the service needs beside its database."""
    source = key_source(parts.settings)
    reserve = parts.settings.disk_reserve_mb << 20
    return (
        Dependency(
            name="faces",
            is_there=lambda: not parts.faces.is_broken,
            revive=parts.faces.revive,
        ),
        Dependency(name="audit", is_there=lambda: sealer.failure is None),
        Dependency(name="keys", is_there=lambda: fits(parts.database, source)),
        Dependency(name="disk", is_there=lambda: free_bytes(parts.settings.state) >= reserve),
    )


def _reporter(parts: Parts, listening: Listening) -> Callable[[str, bool], Awaitable[None]]:
    async def report(name: str, is_there: bool) -> None:  # noqa: FBT001 - what is reported
        parts.dependencies[name] = is_there
        await listening.report_dependency(name, is_there)

    return report


def _trust_watch(
    trust: TrustInForce, rules: Rules, clock: Clock, listening: Listening
) -> TrustWatch:
    profile = rules.verification.trust_profile
    return TrustWatch(
        reload=trust.reload_if_changed,
        write_log=lambda: log_trust(trust.loaded, at=clock.now()),
        can_pass=lambda: trust.loaded.can_pass(profile, clock.now()),
        report=partial(listening.report_trust, profile),
    )


async def _listen(
    settings: Settings,
    edge: Edge,
    policies: PolicyBook,
    extra_handlers: Iterable[ExtraHandler],
) -> Listening:
    return await listen(
        edge,
        policies,
        address=settings.listen,
        admission=Admission(settings.state, server_names=settings.server_host_names),
        extra_handlers=extra_handlers,
    )


def tune_interpreter() -> None:
    """Have Python look for garbage rarely, and let the event loop have its turn soon.

    Modules and models stay for ever and are not looked at again; a batch of an import is some
    hundred thousand objects without a cycle among them. Reading a batch took 9 of its 25 µs a row
    for looking (n = 20,000 rows, two-core EPYC). For a whole process only: it changes all of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    sys.setswitchinterval(SWITCH_INTERVAL_S)


async def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted.

    Args:
        settings: The settings.
        announce: Told the address once calls are accepted.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    async with running_server(settings) as listening:
        tune_interpreter()
        announce(listening.address)
        await stopping.wait()
        _log.info("stopping")
