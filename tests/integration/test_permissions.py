"""Who may call what, over the wire: the whole table, and strangers."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf.descriptor import MethodDescriptor

from identity.domain.caller import Caller, Role
from identity.security.certificates import (
    CertificateAuthority,
    Identity,
    create_authority,
    load_or_create_authority,
)
from identity.security.permissions import permissions
from subid.v1.enforcement_service_pb2 import CASE_CAUSE_FACE_UNDER_ANOTHER_ID, OpenCaseRequest
from tests.integration.conftest import Connect, World
from tests.integration.contract import METHODS, example
from tests.integration.wire import Refused, method_key, method_path, send

CASES = [
    pytest.param(method, role, id=f"{method_key(method)}-{role}")
    for method in METHODS
    for role in Role
]
CALLER = Caller(Role.OPERATOR, "song-hong")
OURS = f"urn:subid:{CALLER.role}:{CALLER.name}"
LIST = next(m for m in METHODS if method_key(m) == "SubscriptionService/ListSubscriptions")


@pytest.mark.parametrize(("method", "role"), CASES)
def test_exactly_the_roles_of_the_table_may_call_a_method(
    connect_as: Connect, method: MethodDescriptor, role: Role
) -> None:
    request: Any = example(method)
    if isinstance(request, OpenCaseRequest) and role is Role.REGULATOR:
        # Each role has a cause of its own; the other's is refused in the same words.
        request.cause = CASE_CAUSE_FACE_UNDER_ANOTHER_ID
    refusal = _refusal(connect_as(role, "permission-test"), method, request)
    if role in permissions()[method_key(method)].scopes:
        assert refusal is None or refusal.reason not in {"PERMISSION_REFUSED", "CALLER_UNKNOWN"}
        assert refusal is None or refusal.status not in {"INTERNAL", "UNKNOWN", "UNAVAILABLE"}
    else:
        assert refusal is not None
        assert (refusal.status, refusal.reason) == ("PERMISSION_DENIED", "PERMISSION_REFUSED")
        assert refusal.correlation_id


def test_a_role_is_refused_before_its_request_is_read(connect_as: Connect) -> None:
    for method in METHODS:
        outsider = min(set(Role) - permissions()[method_key(method)].scopes.keys())
        empty = type(example(method))()
        refusal = _refusal(connect_as(outsider, "permission-test"), method, empty)
        assert refusal is not None
        assert refusal.status == "PERMISSION_DENIED"
        assert not refusal.violations


def test_a_method_that_does_not_exist_is_unimplemented(connect_as: Connect) -> None:
    call: Any = connect_as(Role.OPERATOR, "permission-test").unary_unary(
        "/subid.v1.SubscriptionService/DropEverything"
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", METHODS, ids=method_key)
def test_nobody_calls_without_a_certificate(world: World, method: MethodDescriptor) -> None:
    with _channel(world, None) as channel:
        _assert_no_way_in(channel, method)
    _assert_way_in(world)


def test_nobody_calls_with_a_certificate_of_another_authority(world: World) -> None:
    now = dt.datetime.now(dt.UTC)
    other = create_authority(at=now)  # the same name, another key
    with _channel(world, other.issue_caller(CALLER, at=now)) as channel:
        for method in METHODS:
            _assert_no_way_in(channel, method)
    _assert_way_in(world)


def test_nobody_calls_with_an_expired_certificate(world: World) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=400)
    issued = _authority(world).issue_caller(CALLER, at=long_ago)
    with _channel(world, issued) as channel:
        _assert_no_way_in(channel, METHODS[0])
    _assert_way_in(world)


def test_nobody_calls_with_the_certificate_of_a_server(world: World) -> None:
    issued = _authority(world).issue_server(at=dt.datetime.now(dt.UTC))
    with _channel(world, issued) as channel:
        _assert_no_way_in(channel, METHODS[0])
    _assert_way_in(world)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([], id="no name at all"),
        pytest.param(["https://example.org/operator"], id="a URI that is not ours"),
        pytest.param([OURS, "urn:subid:regulator:song-hong"], id="two identities"),
        pytest.param([OURS, "urn:subid:operator:cuu-long"], id="two of one role"),
        pytest.param(["urn:subid:admin:root"], id="a role that there is not"),
        pytest.param(["urn:subid:operator:"], id="no name after the role"),
        pytest.param(["urn:subid:operator:Song-Hong"], id="capitals"),
        pytest.param(["urn:subid:operator:a:b"], id="one part too many"),
        pytest.param(["urn:subid:operator"], id="one part too few"),
        pytest.param(["URN:SUBID:operator:song-hong"], id="capital prefix"),
        pytest.param([f"urn:subid:operator:{'a' * 64}"], id="64 characters"),
    ],
)
def test_a_certificate_of_ours_that_names_no_single_caller_is_unauthenticated(
    world: World, names: list[str]
) -> None:
    with _channel(world, _issue(_authority(world), names)) as channel:
        for method in METHODS:
            refusal = _refusal(channel, method)
            assert refusal is not None
            assert (refusal.status, refusal.reason) == ("UNAUTHENTICATED", "CALLER_UNKNOWN")


def test_a_certificate_with_one_identity_among_other_names_is_known(world: World) -> None:
    names = ["https://example.org", OURS]
    with _channel(world, _issue(_authority(world), names)) as channel:
        assert _refusal(channel, LIST) is None


def _refusal(
    channel: grpc.Channel, method: MethodDescriptor, request: object | None = None
) -> Refused | None:
    try:
        send(channel, method, [request or example(method)])  # type: ignore[list-item] # a message
    except grpc.RpcError as error:
        return Refused.of(error)
    return None


def _assert_no_way_in(channel: grpc.Channel, method: MethodDescriptor) -> None:
    call: Any = channel.unary_unary(method_path(method))
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=20)
    assert caught.value.code() in {
        grpc.StatusCode.UNAVAILABLE,  # the handshake failed
        grpc.StatusCode.UNAUTHENTICATED,
    }


def _assert_way_in(world: World) -> None:
    """Show that it was the certificate: a server that is down would refuse everybody."""
    issued = _authority(world).issue_caller(CALLER, at=dt.datetime.now(dt.UTC))
    with _channel(world, issued) as channel:
        assert _refusal(channel, LIST) is None


def _authority(world: World) -> CertificateAuthority:
    now = dt.datetime.now(dt.UTC)
    return load_or_create_authority(world.settings.state / "certificates", at=now)


@contextmanager
def _channel(world: World, identity: Identity | None) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials(
        _authority(world).certificate_pem,
        None if identity is None else identity.private_key,
        None if identity is None else identity.certificate,
    )
    with grpc.secure_channel(world.address, credentials) as channel:
        yield channel


def _issue(authority: CertificateAuthority, names: list[str]) -> Identity:
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "operator:song-hong")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if names:
        uris = [x509.UniformResourceIdentifier(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    certificate = builder.sign(authority.private_key, SHA256())
    private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(certificate.public_bytes(Encoding.PEM), private_key)
