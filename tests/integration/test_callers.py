"""Certificates of callers over real TLS: revoked, external, rotated, without a restart."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.security.certificates import (
    Identity,
    load_or_create_authority,
    write_public,
    write_secret,
)
from identity.security.issued import revoke
from identity.security.local_authority import (
    begin_rotation,
    end_rotation,
    issue_recorded,
    read_local_authority,
)
from subid.v1.contact_service_pb2 import WatchContactChangesRequest
from subid.v1.enforcement_service_pb2 import PullDirectivesRequest
from subid.v1.subscription_service_pb2 import ListSubscriptionsRequest
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from subid.v1.verification_service_pb2 import GetPresenceKeysRequest
from subid.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.databases import own_database
from tests.integration.conftest import served
from tests.integration.contract import EXAMPLES
from tests.integration.outside import OutsideAuthority
from tests.integration.scene import register_agency
from tests.integration.wire import TIMEOUT_S, Refused, Stubs, new_id

VIETTEL = Caller(Role.OPERATOR, "viettel")
TAX = Caller(Role.AGENCY, "tax")
REFUSED = ("UNAUTHENTICATED", "CERTIFICATE_REFUSED")
NO_HANDSHAKE = ("UNAVAILABLE", "")


@pytest.fixture(scope="module")
def settings(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    with own_database(postgres_url, f"callers_{worker_id}") as url:
        yield Settings(
            state=tmp_path_factory.mktemp("callers"),
            database=url,
            listen="127.0.0.1:0",
            face_workers=1,
        )


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    """A server of its own: its authority is changed."""
    with served(settings) as listening:
        yield listening


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.state / "certificates"


def real_now() -> datetime:
    return datetime.now(UTC)


def issue(folder: Path, caller: Caller = VIETTEL) -> Identity:
    return issue_recorded(folder, caller, at=real_now(), days=1)[0]


def connect(address: str, identity: Identity, roots: bytes) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(roots, identity.private_key, identity.certificate)
    return grpc.secure_channel(
        address, credentials, options=[("grpc.use_local_subchannel_pool", 1)]
    )


def as_operator(channel: grpc.Channel) -> tuple[str, str] | None:
    """How a call of an operator's is refused; None when it is answered."""
    try:
        SubscriptionServiceStub(channel).ListSubscriptions(
            ListSubscriptionsRequest(), timeout=TIMEOUT_S
        )
    except grpc.RpcError as error:
        return Refused.of(error).status, Refused.of(error).reason
    return None


def as_agency(channel: grpc.Channel) -> tuple[str, str] | None:
    """The same of an agency's."""
    try:
        VerificationServiceStub(channel).GetPresenceKeys(
            GetPresenceKeysRequest(), timeout=TIMEOUT_S
        )
    except grpc.RpcError as error:
        return Refused.of(error).status, Refused.of(error).reason
    return None


def test_a_revoked_certificate_is_refused_on_its_open_connection(
    address: str, folder: Path
) -> None:
    lost, kept = issue(folder), issue(folder)
    roots = read_local_authority(folder).bundle
    serial = f"{x509.load_pem_x509_certificate(lost.certificate).serial_number:x}"
    with connect(address, lost, roots) as of_thief, connect(address, kept, roots) as of_owner:
        assert (as_operator(of_thief), as_operator(of_owner)) == (None, None)
        revoke(folder, lambda each: each.serial == serial, at=real_now())
        assert (as_operator(of_thief), as_operator(of_owner)) == (REFUSED, None)
    with connect(address, lost, roots) as again:
        assert as_operator(again) == REFUSED


def serial_of(identity: Identity) -> str:
    return f"{x509.load_pem_x509_certificate(identity.certificate).serial_number:x}"


@contextmanager
def unfinished(*requests: Any) -> Iterator[Iterator[Any]]:  # noqa: ANN401 - any messages
    """Requests that are sent, and after them nothing until the block ends."""
    over = threading.Event()

    def sent() -> Iterator[Any]:
        yield from requests
        over.wait(TIMEOUT_S)

    try:
        yield sent()
    finally:
        over.set()


def end_of(call: Any) -> tuple[str, str]:  # noqa: ANN401 - grpc's own class has no public name
    """How a call under way is refused, whether it answers once or more often."""
    refusal = Refused.of(call.exception(TIMEOUT_S))
    return refusal.status, refusal.reason


def test_what_is_under_way_ends_when_its_certificate_is_revoked_though_nothing_moves(
    address: str, folder: Path
) -> None:
    roots = read_local_authority(folder).bundle
    with connect(address, issue(folder, Caller(Role.REGULATOR, "regulator")), roots) as channel:
        register_agency(Stubs(channel), TAX.name)
    lost, watching, kept = issue(folder), issue(folder, TAX), issue(folder, TAX)
    pulled = PullDirectivesRequest(request_id=new_id(), directive_count_max=1)
    pulled.wait_duration.FromSeconds(30)
    with (
        connect(address, lost, roots) as of_operator,
        connect(address, watching, roots) as of_agency,
        connect(address, kept, roots) as of_owner,
        unfinished() as imported,
        unfinished(EXAMPLES["EnforcementService/ReconcileServiceState"]()) as reported,
    ):
        operator = Stubs(of_operator)
        ending = [
            operator.subscriptions.ImportSubscriptions.future(imported, timeout=TIMEOUT_S),
            operator.enforcement.PullDirectives.future(pulled, timeout=TIMEOUT_S),
            operator.enforcement.ReconcileServiceState(reported, timeout=TIMEOUT_S),
            Stubs(of_agency).contacts.WatchContactChanges(
                WatchContactChangesRequest(), timeout=TIMEOUT_S
            ),
        ]
        goes_on = Stubs(of_owner).contacts.WatchContactChanges(
            WatchContactChangesRequest(), timeout=TIMEOUT_S
        )
        for answering in (*ending[2:], goes_on):
            assert next(answering) is not None
        serials = {serial_of(lost), serial_of(watching)}
        revoke(folder, lambda each: each.serial in serials, at=real_now())
        assert [end_of(each) for each in ending] == [REFUSED] * len(ending)
        assert goes_on.is_active()
        goes_on.cancel()


def test_a_revoked_certificate_reaches_neither_health_nor_reflection_and_its_watch_ends(
    address: str, folder: Path
) -> None:
    lost, kept = issue(folder), issue(folder)
    roots, asked = read_local_authority(folder).bundle, HealthCheckRequest()
    with connect(address, lost, roots) as of_thief, connect(address, kept, roots) as of_owner:
        thief, owner = HealthStub(of_thief), HealthStub(of_owner)
        ending, goes_on = (each.Watch(asked, timeout=TIMEOUT_S) for each in (thief, owner))
        for watching in (ending, goes_on):
            assert next(watching).status == HealthCheckResponse.SERVING
        revoke(folder, lambda each: each.serial == serial_of(lost), at=real_now())
        reflected = ServerReflectionStub(of_thief).ServerReflectionInfo(
            iter([ServerReflectionRequest(list_services="")]), timeout=TIMEOUT_S
        )
        begun = [
            ending,
            thief.Check.future(asked, timeout=TIMEOUT_S),
            thief.Watch(asked, timeout=TIMEOUT_S),
            reflected,
        ]
        assert [end_of(each) for each in begun] == [REFUSED] * len(begun)
        assert owner.Check(asked, timeout=TIMEOUT_S).status == HealthCheckResponse.SERVING
        assert goes_on.is_active()
        goes_on.cancel()


def test_another_authority_is_believed_for_its_callers_as_soon_as_it_is_named(
    address: str, settings: Settings, folder: Path
) -> None:
    roots, ministry = read_local_authority(folder).bundle, OutsideAuthority.founded(at=real_now())
    agency, operator = (ministry.issue(each, at=real_now()) for each in (TAX, VIETTEL))
    with connect(address, agency, roots) as channel:
        assert as_agency(channel) == NO_HANDSHAKE
    named = settings.state / "authorities"
    named.mkdir(exist_ok=True)
    says = 'certificate = "m.pem"\ncallers = ["agency:tax"]\nrevocation_list = "m.crl"'
    write_public(named / "m.pem", ministry.pem)
    write_public(named / "m.crl", ministry.revocation_list(at=real_now()))
    write_public(named / "authorities.toml", f"[ministry]\n{says}\n".encode())
    with connect(address, agency, roots) as channel, connect(address, operator, roots) as other:
        assert as_agency(channel) is None
        assert as_operator(other) == REFUSED
        serial = x509.load_pem_x509_certificate(agency.certificate).serial_number
        ministry.revoked.append(serial)
        write_public(named / "m.crl", ministry.revocation_list(at=real_now()))
        assert as_agency(channel) == REFUSED
        ministry.revoked.clear()
        write_public(named / "m.crl", ministry.revocation_list(at=real_now()))
        assert as_agency(channel) is None
        (named / "authorities.toml").unlink()
        assert as_agency(channel) == REFUSED


def test_a_chain_with_an_intermediate_authority_is_refused(
    address: str, settings: Settings, folder: Path
) -> None:
    roots = read_local_authority(folder).bundle
    root = OutsideAuthority.founded(at=real_now(), path_length=1)
    between = root.with_intermediate(at=real_now())
    direct, chained = (each.issue(TAX, at=real_now()) for each in (root, between))
    chain = Identity(chained.certificate + between.pem, chained.private_key)
    named = settings.state / "authorities"
    named.mkdir(exist_ok=True)
    write_public(named / "root.pem", root.pem)
    says = b'[root]\ncertificate = "root.pem"\ncallers = ["agency:tax"]\n'
    write_public(named / "authorities.toml", says)
    try:
        with connect(address, direct, roots) as channel, connect(address, chain, roots) as other:
            assert as_agency(channel) is None
            assert as_agency(other) == REFUSED
        write_public(named / "root.pem", between.pem)
        with connect(address, chain, roots) as channel, connect(address, direct, roots) as other:
            assert (as_agency(channel), as_agency(other)) == (None, NO_HANDSHAKE)
    finally:
        (named / "authorities.toml").unlink()


def test_the_authority_is_changed_while_the_service_runs(address: str, folder: Path) -> None:
    before = read_local_authority(folder).bundle
    old = issue(folder)
    with connect(address, old, before) as open_since:
        assert as_operator(open_since) is None
        begin_rotation(folder, at=real_now())
        both = read_local_authority(folder).bundle
        new = issue(folder)
        with connect(address, old, before) as late, connect(address, new, both) as renewed:
            assert (as_operator(late), as_operator(renewed)) == (None, None)
            end_rotation(folder, at=real_now(), is_forced=True)
            assert [as_operator(each) for each in (open_since, late)] == [REFUSED, REFUSED]
            assert as_operator(renewed) is None
    after = read_local_authority(folder).bundle
    with connect(address, new, after) as channel:
        assert as_operator(channel) is None
    with connect(address, old, both) as channel:
        assert as_operator(channel) == NO_HANDSHAKE


def test_the_servers_certificate_is_exchanged_while_it_serves(address: str, folder: Path) -> None:
    caller, roots = issue(folder), read_local_authority(folder).bundle
    first = shown(address, caller, folder)
    authority = load_or_create_authority(folder, at=real_now())
    given = authority.issue_server(at=real_now() - timedelta(hours=1), names=("other.example.vn",))
    write_secret(folder / "server.key.pem", given.private_key)
    write_public(folder / "server.crt.pem", given.certificate)
    try:
        assert shown(address, caller, folder) == ssl.PEM_cert_to_DER_cert(
            given.certificate.decode()
        )
        with connect(address, caller, roots) as channel:
            assert as_operator(channel) is None
    finally:
        (folder / "server.crt.pem").unlink()
    assert shown(address, caller, folder) == first


def shown(address: str, caller: Identity, folder: Path) -> bytes | None:
    """The certificate that the server shows in a new handshake, DER."""
    host, _, port = address.rpartition(":")
    key, certificate = folder.parent / "probe.key.pem", folder.parent / "probe.crt.pem"
    key.write_bytes(caller.private_key)
    certificate.write_bytes(caller.certificate)
    context = ssl.create_default_context(
        cadata=read_local_authority(folder).bundle.decode(), purpose=ssl.Purpose.SERVER_AUTH
    )
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True)
