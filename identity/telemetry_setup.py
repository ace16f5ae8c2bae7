"""Metrics and traces of one server, as the settings want them.

Part of the composition root: owns which number is read where, and under which name it is told.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from biometrics.chip.profiles import ProfileName
from identity.config import Settings
from identity.domain.errors import leaves
from identity.metrics_watch import Sample, sampling
from identity.rpc.server import METHODS
from identity.services.clock import Clock
from identity.services.face_pool import FacePool
from identity.services.trust_store import TrustInForce
from identity.state_directory import free_bytes
from identity.storage.counts import count_waiting
from identity.storage.database import POOL_SIZE, Database
from identity.telemetry.exposition import exposed
from identity.telemetry.metrics import Metrics, ReadGauge
from identity.telemetry.told import Telemetry
from identity.telemetry.tracing import Tracing

DEPENDENCIES = ("database", "faces", "audit", "keys", "disk")
"""What a server says over health that it needs, beside its trust profile."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What gauges are read from.

    Attributes:
        settings: The settings.
        database: The registry.
        faces: Compares faces.
        trust: The anchors and lists in force.
        clock: What time it is.
        audit_waits_s: For how many seconds an entry of the audit log waits to be sealed.
        dependencies: Which dependency is there, by name; whoever watches them writes it.
    """

    settings: Settings
    database: Database
    faces: FacePool
    trust: TrustInForce
    clock: Clock
    audit_waits_s: Callable[[], float]
    dependencies: dict[str, bool] = field(default_factory=dict)


@contextmanager
def made_telemetry(settings: Settings) -> Iterator[Telemetry | None]:
    """Who is told of calls during the block; nobody, if the settings name neither."""
    metrics = tracing = None
    if settings.metrics_listen is not None:
        reasons = {"INTERNAL", *(leaf.reason for leaf in leaves())}
        metrics = Metrics(methods=METHODS, reasons=reasons)
    if settings.traces_endpoint is not None:
        # Its libraries speak HTTP: a server that sends no traces does not load them.
        from identity.telemetry.otlp import to_endpoint  # noqa: PLC0415 - see above

        tracing = Tracing(to_endpoint(settings.traces_endpoint))
    try:
        is_wanted = metrics is not None or tracing is not None
        yield Telemetry(metrics=metrics, tracing=tracing) if is_wanted else None
    finally:
        if tracing is not None:
            tracing.close()


@asynccontextmanager
async def serving_metrics(telemetry: Telemetry | None, parts: Parts) -> AsyncIterator[None]:
    """Serve metrics during the block, if anybody is told of them.

    Raises:
        OSError: Their address cannot be listened on.
    """
    address = parts.settings.metrics_listen
    if telemetry is None or telemetry.metrics is None or address is None:
        yield
        return
    sample = Sample(partial(_read_waiting, parts.database))
    telemetry.metrics.add(_gauges(parts, sample))
    async with sampling(sample):
        with exposed(telemetry.metrics.registry, address) as served:
            _log.info("metrics are served", address=served)
            yield


def _gauges(parts: Parts, sample: Sample) -> Iterator[ReadGauge]:
    """Every gauge. Others may be added in the same way."""
    yield ReadGauge(
        name="subid_dependency_up",
        text="Whether something that the service needs is there (1) or not (0).",
        read=lambda: {name: float(is_up) for name, is_up in dict(parts.dependencies).items()},
        label="dependency",
        values=DEPENDENCIES,
    )
    yield from _load_gauges(parts)
    yield from _waiting_gauges(sample)
    yield ReadGauge(
        name="subid_audit_unsealed_seconds",
        text="For how long this server sees an entry of the audit log wait to be sealed.",
        read=lambda: {"": parts.audit_waits_s()},
    )
    yield ReadGauge(
        name="subid_revocation_list_age_seconds",
        text="Age of the oldest revocation list of a trust profile, by its own date.",
        read=lambda: _list_ages(parts.trust, parts.clock.now()),
        label="profile",
        values=tuple(ProfileName),
    )
    yield ReadGauge(
        name="subid_disk_free_bytes",
        text="Free space where the state directory lies.",
        read=lambda: {"": float(free_bytes(parts.settings.state))},
    )


def _load_gauges(parts: Parts) -> Iterator[ReadGauge]:
    yield ReadGauge(
        name="subid_database_connections_in_use",
        text="Connections to the database that transactions hold.",
        read=lambda: {"": float(parts.database.connections_in_use())},
    )
    yield ReadGauge(
        name="subid_database_connections_max",
        text="How many there are at most.",
        read=lambda: {"": float(POOL_SIZE)},
    )
    yield ReadGauge(
        name="subid_face_comparisons_under_way",
        text="Face comparisons that run or wait.",
        read=lambda: {"": float(parts.faces.under_way)},
    )
    yield ReadGauge(
        name="subid_face_comparisons_max",
        text="How many may be under way; more are refused.",
        read=lambda: {"": float(parts.faces.under_way_max)},
    )


def _waiting_gauges(sample: Sample) -> Iterator[ReadGauge]:
    yield ReadGauge(
        name="subid_orders_waiting",
        text="Orders that no operator has fetched, counted up to a million.",
        read=partial(sample.of, "orders"),
    )
    yield ReadGauge(
        name="subid_messages_waiting",
        text="Messages that no operator has fetched, counted up to a million.",
        read=partial(sample.of, "messages"),
    )
    yield ReadGauge(
        name="subid_enforcement_ran_until_timestamp_seconds",
        text="Up to which instant enforcement has run, in Unix time.",
        read=partial(sample.of, "enforcement"),
    )


def _read_waiting(database: Database) -> Mapping[str, float]:
    with database.transaction() as uow:
        waiting = count_waiting(uow.connection)
        ran_until = uow.cases.ran_until()
        numbers = {"orders": float(waiting.orders), "messages": float(waiting.messages)}
    return numbers if ran_until is None else {**numbers, "enforcement": ran_until.timestamp()}


def _list_ages(trust: TrustInForce, at: datetime) -> Mapping[str, float]:
    ages: dict[str, float] = {}
    for status in trust.loaded.lists():
        age = (at - status.crl.this_update).total_seconds()
        ages[status.profile] = max(age, ages.get(status.profile, age))
    return ages
