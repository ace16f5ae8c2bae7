"""Metrics, traces and health of a server that is really called, and what they never hold.

One server is called by everybody with everything that is personal; what it tells is then searched
for it. Another one loses what it depends on.
"""

import gzip
import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, make_url, text
from structlog.testing import capture_logs

from biometrics.chip.profiles import ProfileName
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.domain.errors import leaves
from identity.rpc.server import METHODS
from identity.telemetry.metrics import CODES, NO_REASON
from identity.telemetry.tracing import ATTRIBUTES
from identity.telemetry_setup import DEPENDENCIES
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographedPerson
from tests.databases import own_database
from tests.integration.conftest import open_channel, served
from tests.integration.people import People, Subscriber
from tests.integration.scene import AGENCY, LEGAL_BASIS, RIGHTS_OF_AGENCY, Scene
from tests.integration.telemetry import Receiver, fetched_when_quiet, receiving
from tests.integration.wire import Stubs, refused

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STRAY = "stray-0901234567"
"""What a caller writes into metadata of its own."""

CLOSED = {
    "method": METHODS,
    "role": {"unknown", *Role},
    "code": set(CODES),
    "reason": {NO_REASON, "INTERNAL", *(leaf.reason for leaf in leaves())},
    "dependency": set(DEPENDENCIES),
    "profile": set(ProfileName),
}
"""All that any label may say."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a server told of a day's work, and whom it was about."""

    metrics: str
    receiver: Receiver
    subscriber: Subscriber

    def value(self, name: str, **labels: str) -> float:
        """One sample of the metrics."""
        for family in text_string_to_metric_families(self.metrics):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        raise AssertionError(f"{name} {labels} is not told")

    def texts(self) -> Iterator[str]:
        """Everything that was told."""
        yield self.metrics
        for body in self.receiver.bodies:
            yield body.decode("latin-1")

    def spans(self, name: str) -> list[Span]:
        """The spans of a name."""
        return [span for span in self.receiver.spans if span.name == name]


@pytest.fixture(scope="module")
def told(
    postgres_url: str,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
    faces: tuple[PhotographedPerson, ...],
) -> Iterator[Told]:
    """Somebody is registered, verified, looked up, asked for in vain and turned away."""
    state = tmp_path_factory.mktemp("told")
    first = datetime(datetime.now(UTC).year - 1, 1, 1, tzinfo=UTC).date()
    cards = CardAuthority(established_on=first, active_authentication_keys=1)
    (state / "trust").mkdir()
    (state / "trust" / "csca.der").write_bytes(cards.certificate)
    revoked = cards.revocation_list(at=datetime.now(UTC), good_for=timedelta(days=3_650))
    (state / "trust" / "csca.crl").write_bytes(revoked)
    with own_database(postgres_url, f"told_{worker_id}") as url, receiving() as receiver:
        settings = Settings(
            state=state,
            database=url,
            listen="127.0.0.1:0",
            face_workers=1,
            metrics_listen="127.0.0.1:0",
            traces_endpoint=receiver.url,
        )
        with capture_logs() as logged, served(settings) as address:
            (metrics,) = [line["address"] for line in logged if line["event"] == _SERVED]
            subscriber = work(address, state, cards, faces[0])
            text_told = fetched_when_quiet(metrics)
        # A server that has stopped has sent every span.
        yield Told(metrics=text_told, receiver=receiver, subscriber=subscriber)


_SERVED = "metrics are served"


def work(address: str, state: Path, cards: CardAuthority, face: PhotographedPerson) -> Subscriber:
    channels: dict[Caller, grpc.Channel] = {}

    def act_as(role: Role, name: str) -> Stubs:
        caller = Caller(role, name)
        if caller not in channels:
            channels[caller] = open_channel(address, state, caller)
        return Stubs(channels[caller])

    people = People(seed=8, today=datetime.now(UTC).date())
    scene = Scene(act_as=act_as, people=people, cards=cards)
    scene.register_agency(AGENCY, *RIGHTS_OF_AGENCY)
    subscriber = scene.verified(face, "song-hong")
    ask = subscription_pb.GetSubscriptionRequest(msisdn=subscriber.msisdn)
    own = scene.operator("song-hong").subscriptions
    own.GetSubscription(
        ask, metadata=[("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", f"x={STRAY}")]
    )
    own.GetSubscription(ask, metadata=[("traceparent", STRAY), ("x-stray", STRAY)])
    other = scene.operator("cuu-long").subscriptions
    assert refused(other.GetSubscription, ask).reason == "SUBSCRIPTION_NOT_FOUND"
    assert refused(scene.agency.subscriptions.GetSubscription, ask).reason == "PERMISSION_REFUSED"
    person = subscriber.citizen.personal_id
    scene.contact(person)
    malformed = citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=f"{person}9")
    assert refused(scene.app.citizens.ListSubscriptions, malformed).reason == "REQUEST_INVALID"
    for channel in channels.values():
        channel.close()
    return subscriber


def test_calls_are_counted_by_method_role_code_and_reason(told: Told) -> None:
    method = {"method": "SubscriptionService/GetSubscription"}
    ended = [
        ({"role": "operator", "code": "OK", "reason": "none"}, 2),
        ({"role": "operator", "code": "NOT_FOUND", "reason": "SUBSCRIPTION_NOT_FOUND"}, 1),
        ({"role": "agency", "code": "PERMISSION_DENIED", "reason": "PERMISSION_REFUSED"}, 1),
    ]
    for labels, count in ended:
        assert told.value("subid_calls_total", **method, **labels) == count
    assert told.value("subid_calls_under_way", **method) == 0
    assert told.value("subid_call_duration_seconds_count", **method, code="OK") == 2


def test_what_the_server_holds_and_needs_is_told(told: Told) -> None:
    for name in DEPENDENCIES:
        assert told.value("subid_dependency_up", dependency=name) == 1
    assert told.value("subid_database_connections_max") > 0
    assert told.value("subid_database_connections_in_use") >= 0
    assert told.value("subid_face_comparisons_under_way") == 0
    assert told.value("subid_face_comparisons_max") == 5
    assert told.value("subid_orders_waiting") >= 0
    assert told.value("subid_messages_waiting") >= 0
    assert told.value("subid_audit_unsealed_seconds") >= 0
    assert 0 <= told.value("subid_revocation_list_age_seconds", profile="vn-cccd") < 86_400
    assert told.value("subid_disk_free_bytes") > 0


def test_labels_come_from_closed_sets(told: Told) -> None:
    for family in text_string_to_metric_families(told.metrics):
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert name == "le" or value in CLOSED[name], (sample.name, name, value)


def test_nothing_personal_and_nothing_that_a_caller_wrote_is_told(told: Told) -> None:
    citizen, msisdn = told.subscriber.citizen, told.subscriber.msisdn
    words = {
        *(citizen.personal_id, citizen.full_name, msisdn, msisdn.removeprefix("+84")),
        *(citizen.full_name.encode().decode("latin-1"), citizen.birth_date.isoformat()),
        *(STRAY, AGENCY, "song-hong", "cuu-long", LEGAL_BASIS, "SELECT", "INSERT"),
    }
    texts = list(told.texts())
    assert any("subid_calls_total" in each for each in texts)
    assert any("GetSubscription" in each for each in texts[1:]), "traces are not plain"
    for body in told.receiver.bodies:
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress(body)
    for each in texts:
        # As words: a random identifier may hold the three letters of an agency's name.
        found = {word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", each)}
        assert not found


def test_a_call_is_a_span_under_the_callers_own_with_its_steps_below(told: Told) -> None:
    spans = told.spans("subid.v1.SubscriptionService/GetSubscription")
    assert len(spans) == 4
    (traced,) = [span for span in spans if span.trace_id.hex() == TRACE]
    assert traced.parent_span_id.hex() == PARENT
    assert traced.trace_state == ""
    assert sum(not span.parent_span_id for span in spans) == 3
    below = [span for span in told.receiver.spans if span.parent_span_id == traced.span_id]
    assert {span.name for span in below} == {"database transaction"}
    (completed,) = told.spans("subid.v1.VerificationService/CompleteVerification")
    below = [span for span in told.receiver.spans if span.parent_span_id == completed.span_id]
    assert {"database transaction", "face comparison"} == {span.name for span in below}


def test_spans_say_what_is_allowed_and_nothing_else(told: Told) -> None:
    names = {"database transaction", "face comparison", *(f"subid.v1.{name}" for name in METHODS)}
    allowed = {
        "rpc.system.name": {"grpc"},
        "rpc.method": {f"subid.v1.{name}" for name in METHODS},
        "rpc.response.status_code": CLOSED["code"],
        "subid.role": CLOSED["role"],
        "subid.reason": CLOSED["reason"],
    }
    assert allowed.keys() == ATTRIBUTES
    for span in told.receiver.spans:
        assert span.name in names
        assert not span.events
        assert not span.status.message
        for attribute in span.attributes:
            assert attribute.value.string_value in allowed[attribute.key]


@dataclass(frozen=True, kw_only=True)
class Needy:
    """A server that can lose what it needs."""

    health: health_pb2_grpc.HealthStub
    state: Path
    url: str
    workers: frozenset[int]

    def told(self, name: str) -> Iterator[int]:
        """What health says of a dependency, now and at each change."""
        request = health_pb2.HealthCheckRequest(service=f"subid.{name}")
        for answer in self.health.Watch(request, timeout=120):
            yield answer.status


def face_workers() -> frozenset[int]:
    """Processes that compare faces for any server of this process."""
    return frozenset(
        child.pid for child in multiprocessing.active_children() if child.pid is not None
    )


@pytest.fixture(scope="module")
def needy(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Needy]:
    state = tmp_path_factory.mktemp("needy")
    with own_database(postgres_url, f"needy_{worker_id}") as url:
        settings = Settings(
            state=state,
            database=url,
            listen="127.0.0.1:0",
            face_workers=1,
            disk_reserve_mb=1 << 30,
        )
        others = face_workers()
        with served(settings) as address:
            channel = open_channel(address, state, Caller(Role.REGULATOR, "regulator"))
            health = health_pb2_grpc.HealthStub(channel)
            own = face_workers() - others
            yield Needy(health=health, state=state, url=url, workers=own)
            channel.close()


def test_keys_that_are_gone_are_told_and_keys_that_are_back(needy: Needy) -> None:
    keys, away = needy.state / "keys.json", needy.state / "keys.away"
    told = needy.told("keys")
    assert next(told) == SERVING
    keys.rename(away)
    assert next(told) == NOT_SERVING
    away.rename(keys)
    assert next(told) == SERVING
    keys.chmod(0o644)
    assert next(told) == NOT_SERVING
    keys.chmod(0o600)
    assert next(told) == SERVING


def test_killed_processes_that_compare_faces_are_told_and_started_again(needy: Needy) -> None:
    told = needy.told("faces")
    assert next(told) == SERVING
    assert needy.workers
    for pid in needy.workers:
        os.kill(pid, signal.SIGKILL)
    assert next(told) == NOT_SERVING
    assert next(told) == SERVING


def test_a_database_that_is_lost_is_told_and_one_that_is_back(needy: Needy) -> None:
    url = make_url(needy.url)
    administration = create_engine(
        url.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    told = needy.told("database")
    assert next(told) == SERVING
    with administration.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": url.database},
        )
        assert next(told) == NOT_SERVING
        connection.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
    assert next(told) == SERVING
    administration.dispose()


def test_a_disk_that_is_full_is_told_by_itself(needy: Needy) -> None:
    assert next(needy.told("disk")) == NOT_SERVING
    assert next(needy.told("faces")) == SERVING
