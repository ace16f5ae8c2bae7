"""What operators sign, over the wire: every kind of signature, every way it can be wrong."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import create_engine, make_url, select, update
from typer.testing import CliRunner

from identity.cli import app
from identity.domain.caller import Caller, Role
from identity.security.certificates import (
    Identity,
    create_authority,
    load_or_create_authority,
)
from identity.storage.enforcement_tables import acknowledgement, signing_certificate
from identity.storage.tables import directive
from subid.v1 import enforcement_service_pb2 as pb
from tests.integration.conftest import ActAs, IdentityOf, World, open_channel
from tests.integration.scene import Scene
from tests.integration.signing import signature_by, signed, text_of
from tests.integration.wire import Refused, Stubs, new_id, refused

ACCEPTED = pb.ACKNOWLEDGEMENT_RESULT_ACCEPTED
EXECUTED = pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED
FAILED = pb.ACKNOWLEDGEMENT_OUTCOME_FAILED

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
KEYS: Mapping[str, Callable[[], PrivateKey]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
}
"""What this build of gRPC takes in a handshake; Ed25519 is verified where signatures are."""


def certified(world: World, caller: Caller, key: PrivateKey) -> Identity:
    """A certificate of the server's own authority for any key."""
    now = dt.datetime.now(dt.UTC)
    authority = load_or_create_authority(world.settings.state / "certificates", at=now)
    uri = x509.UniformResourceIdentifier(f"urn:subid:{caller.role}:{caller.name}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(caller))]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
        .sign(authority.private_key, SHA256())
    )
    return Identity(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


@contextmanager
def acting(world: World, caller: Caller, identity: Identity) -> Iterator[Stubs]:
    channel = open_channel(world.address, world.settings.state, caller, identity=identity)
    with channel:
        yield Stubs(channel, identity.private_key)


@dataclass(frozen=True)
class Leased:
    """An operator with one notice in its hands."""

    name: str
    stubs: Stubs
    key: bytes
    pulled: pb.PullDirectivesResponse

    def request(self, **given: Any) -> pb.AcknowledgeDirectivesRequest:  # noqa: ANN401 - any field
        """An acknowledgement that is not signed yet."""
        (directive_,) = self.pulled.directives
        usual: dict[str, Any] = {"directive_id": directive_.directive_id, "outcome": EXECUTED}
        return pb.AcknowledgeDirectivesRequest(
            request_id=new_id(),
            lease_id=self.pulled.lease_id,
            acknowledgements=[pb.Acknowledgement(**usual | given)],
        )

    def send(self, request: pb.AcknowledgeDirectivesRequest) -> list[int]:
        """Its results."""
        return list(self.stubs.enforcement.AcknowledgeDirectives(request).results)

    def refusal(self, request: pb.AcknowledgeDirectivesRequest) -> Refused:
        """How it is refused."""
        return refused(self.stubs.enforcement.AcknowledgeDirectives, request)


@pytest.fixture
def leased(scene: Scene, act_as: ActAs, identity_of: IdentityOf) -> Leased:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    key = identity_of(Role.OPERATOR, name).private_key
    return Leased(name, act_as(Role.OPERATOR, name), key, scene.pull(name))


def rows(world: World, query: Any) -> list[Any]:  # noqa: ANN401 - any statement
    """Ask, or change, the database behind the service's back."""
    assert world.settings.database is not None
    url = make_url(world.settings.database).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(query)
        found = list(result.mappings()) if result.returns_rows else []
    engine.dispose()
    return found


def kept(world: World, name: str) -> list[Any]:
    query = select(acknowledgement, signing_certificate.c.certificate).join(signing_certificate)
    return rows(world, query.where(acknowledgement.c.caller == f"operator:{name}"))


@pytest.mark.parametrize("kind", KEYS)
def test_what_is_signed_is_taken_and_kept_with_the_certificate(
    world: World, scene: Scene, kind: str
) -> None:
    name = scene.people.operator_name()
    scene.imported(name)
    scene.advance()
    identity = certified(world, Caller(Role.OPERATOR, name), KEYS[kind]())
    with acting(world, Caller(Role.OPERATOR, name), identity) as stubs:
        pulled = stubs.enforcement.PullDirectives(
            pb.PullDirectivesRequest(request_id=new_id(), directive_count_max=10)
        )
        leased = Leased(name, stubs, identity.private_key, pulled)
        request = stubs.sign(leased.request())
        assert leased.send(request) == [ACCEPTED]
    (row,) = kept(world, name)
    assert row["request_id"] == UUID(request.request_id)
    assert row["signed_text"].encode() == text_of(request)
    assert row["signature"] == request.signature
    pem = x509.load_der_x509_certificate(row["certificate"]).public_bytes(Encoding.PEM)
    assert pem == identity.certificate


def raw_pair(signature: bytes) -> bytes:
    return b"".join(part.to_bytes(32) for part in decode_dss_signature(signature))


def other_digest(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    key = load_pem_private_key(leased.key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(text_of(request), ec.ECDSA(SHA384()))


def of_another_request(leased: Leased, _request: pb.AcknowledgeDirectivesRequest) -> bytes:
    return leased.stubs.sign(leased.request()).signature


def of_another_outcome(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    other = pb.AcknowledgeDirectivesRequest()
    other.CopyFrom(request)
    other.acknowledgements[0].outcome = FAILED
    return leased.stubs.sign(other).signature


def by_another_key(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    del leased
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signature_by(pem, text_of(request))


def without_last_line_feed(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    return signature_by(leased.key, text_of(request)[:-1])


def cut_short(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    return leased.stubs.sign(request).signature[:-1]


def in_raw_form(leased: Leased, request: pb.AcknowledgeDirectivesRequest) -> bytes:
    return raw_pair(leased.stubs.sign(request).signature)


def noise(_leased: Leased, _request: pb.AcknowledgeDirectivesRequest) -> bytes:
    return b"\x00" * 70


WRONG = (
    other_digest,
    of_another_request,
    of_another_outcome,
    by_another_key,
    without_last_line_feed,
    cut_short,
    in_raw_form,
    noise,
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_signature_is_refused_and_changes_nothing(
    world: World,
    scene: Scene,
    leased: Leased,
    wrong: Callable[[Leased, pb.AcknowledgeDirectivesRequest], bytes],
) -> None:
    request = leased.request()
    request.signature = wrong(leased, request)
    refusal = leased.refusal(request)
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "ACKNOWLEDGEMENT_UNSIGNED")
    assert kept(world, leased.name) == []
    # The lease is what it was, and the same identifier serves the corrected request.
    assert not scene.pull(leased.name).directives
    assert leased.send(leased.stubs.sign(request)) == [ACCEPTED]


def test_a_missing_signature_breaks_the_contract(leased: Leased) -> None:
    refusal = leased.refusal(leased.request())
    assert refusal.violations == (("signature", "BYTES_MIN_LEN"),)


def test_another_caller_cannot_use_what_an_operator_signed(
    world: World, scene: Scene, leased: Leased
) -> None:
    request = leased.stubs.sign(leased.request())
    thief = scene.operator(scene.people.operator_name())
    refusal = refused(thief.enforcement.AcknowledgeDirectives, request)
    assert refusal.reason == "ACKNOWLEDGEMENT_UNSIGNED"
    assert leased.send(request) == [ACCEPTED]
    assert len(kept(world, leased.name)) == 1


def test_a_repeated_request_gets_its_first_answer_under_a_renewed_certificate_too(
    world: World, leased: Leased
) -> None:
    request = leased.stubs.sign(leased.request())
    assert leased.send(request) == leased.send(request) == [ACCEPTED]
    caller = Caller(Role.OPERATOR, leased.name)
    renewed = certified(world, caller, KEYS["P-256"]())
    with acting(world, caller, renewed) as stubs:
        assert list(stubs.enforcement.AcknowledgeDirectives(request).results) == [ACCEPTED]
        again = signed(leased.request(), leased.key)  # a new request, signed with the old key
        refusal = refused(stubs.enforcement.AcknowledgeDirectives, again)
        assert refusal.reason == "ACKNOWLEDGEMENT_UNSIGNED"
    other = signed(request, renewed.private_key)  # the same identifier with another body
    assert leased.refusal(other).reason == "REQUEST_ID_REUSED"
    assert len(kept(world, leased.name)) == 1


def test_the_certificate_of_many_acknowledgements_is_kept_once(
    world: World, leased: Leased
) -> None:
    leased.send(leased.stubs.sign(leased.request()))
    assert leased.send(leased.stubs.sign(leased.request())) == [
        pb.ACKNOWLEDGEMENT_RESULT_ALREADY_ACKNOWLEDGED
    ]
    first, second = kept(world, leased.name)
    assert first["fingerprint"] == second["fingerprint"]


def of_directive(world: World, leased: Leased) -> Any:  # noqa: ANN401 - a row
    (ordered,) = leased.pulled.directives
    query = select(directive).where(directive.c.directive_id == UUID(ordered.directive_id))
    (row,) = rows(world, query)
    return row


def test_the_time_of_execution_is_what_the_operator_says(world: World, leased: Leased) -> None:
    (ordered,) = leased.pulled.directives
    executed = ordered.create_time
    assert leased.send(leased.stubs.sign(leased.request(execute_time=executed))) == [ACCEPTED]
    assert of_directive(world, leased)["executed_at"] == executed.ToDatetime(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("shift_ns", "reason"), [(-1_000, "INSTANT_BEFORE_ORDER"), (1_000, "INSTANT_IN_FUTURE")]
)
def test_an_impossible_time_of_execution_refuses_the_whole_request(
    world: World, scene: Scene, leased: Leased, shift_ns: int, reason: str
) -> None:
    (ordered,) = leased.pulled.directives
    bound = ordered.create_time if shift_ns < 0 else scene.advance().as_of_time
    request = leased.request()
    request.acknowledgements[0].execute_time.FromNanoseconds(bound.ToNanoseconds() + shift_ns)
    refusal = leased.refusal(leased.stubs.sign(request))
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")
    assert refusal.violations == (("acknowledgements[0].execute_time", reason),)
    assert of_directive(world, leased)["state"] == "leased"
    assert kept(world, leased.name) == []


def test_why_it_failed_is_kept_with_the_directive(
    world: World, scene: Scene, leased: Leased
) -> None:
    request = leased.request(outcome=FAILED, failure="the switch did not answer")
    assert leased.send(leased.stubs.sign(request)) == [ACCEPTED]
    row = of_directive(world, leased)
    assert (row["state"], row["failure"]) == ("pending", "the switch did not answer")
    assert [each.directive_id for each in scene.pull(leased.name).directives] == [
        each.directive_id for each in leased.pulled.directives
    ]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("busy: +84912345678", "FAILURE_LONG_NUMBER"),
        ("the gateway \x00 said no", "STRING_PATTERN"),
        ("x" * 201, "STRING_MAX_LEN"),
    ],
)
def test_a_failure_names_no_number_and_is_a_line_of_text(
    leased: Leased, failure: str, reason: str
) -> None:
    refusal = leased.refusal(leased.stubs.sign(leased.request(outcome=FAILED, failure=failure)))
    assert refusal.violations == (("acknowledgements[0].failure", reason),)


def checked(world: World, *options: str) -> tuple[int, str]:
    """What the command finds, run beside the server."""
    assert world.settings.database is not None
    arguments = ["acknowledgements", "check", "--database", world.settings.database]
    state = ["--state", str(world.settings.state)]
    result = CliRunner().invoke(app, [*arguments, *state, *options])
    return result.exit_code, result.output


def restore(world: World, row: Any) -> None:  # noqa: ANN401 - a row
    stored = {name: row[name] for name in ("caller", "signed_text", "signature", "fingerprint")}
    here = acknowledgement.c.request_id == row["request_id"]
    rows(world, update(acknowledgement).where(here).values(**stored))


def test_the_command_finds_what_somebody_has_changed(world: World, leased: Leased) -> None:
    leased.send(leased.stubs.sign(leased.request()))
    (row,) = kept(world, leased.name)
    code, output = checked(world)
    assert code == 0, output
    here = acknowledgement.c.request_id == row["request_id"]
    unsigned = "its signature does not verify"
    for changes, flaw in (
        ({"signed_text": row["signed_text"].replace(" 1 ", " 2 ")}, unsigned),
        ({"signature": row["signature"][:-1]}, unsigned),
        ({"caller": "operator:somebody-else"}, "its certificate names another caller"),
    ):
        rows(world, update(acknowledgement).where(here).values(**changes))
        code, output = checked(world)
        restore(world, row)
        assert code == 1
        (line,) = [each for each in output.splitlines() if str(row["request_id"]) in each]
        assert line.endswith(f": {flaw}")
    assert checked(world)[0] == 0


def test_an_identifier_in_capitals_is_signed_as_it_stands_and_proves_as_much(
    world: World, leased: Leased
) -> None:
    request = leased.request()
    request.request_id = request.request_id.upper()
    request.lease_id = request.lease_id.upper()
    assert leased.send(leased.stubs.sign(request)) == [ACCEPTED]
    assert checked(world)[0] == 0


def test_a_row_that_was_moved_to_another_request_proves_nothing(
    world: World, leased: Leased
) -> None:
    leased.send(leased.stubs.sign(leased.request()))
    (row,) = kept(world, leased.name)
    other = uuid4()
    here = acknowledgement.c.caller == row["caller"]
    rows(world, update(acknowledgement).where(here).values(request_id=other))
    code, output = checked(world)
    rows(world, update(acknowledgement).where(here).values(request_id=row["request_id"]))
    assert code == 1
    assert f"{other}" in output
    assert checked(world)[0] == 0


def test_another_certificate_in_the_place_of_the_one_that_was_kept_is_found(
    world: World, leased: Leased
) -> None:
    leased.send(leased.stubs.sign(leased.request()))
    (row,) = kept(world, leased.name)
    renewed = certified(world, Caller(Role.OPERATOR, leased.name), KEYS["P-256"]())
    other = x509.load_pem_x509_certificate(renewed.certificate).public_bytes(Encoding.DER)
    here = signing_certificate.c.fingerprint == row["fingerprint"]
    rows(world, update(signing_certificate).where(here).values(certificate=other))
    code, output = checked(world)
    rows(world, update(signing_certificate).where(here).values(certificate=row["certificate"]))
    assert code == 1
    assert "it is not the certificate that was kept, or none" in output
    assert checked(world)[0] == 0


def test_a_certificate_of_another_authority_proves_nothing(
    world: World, leased: Leased, tmp_path: Path
) -> None:
    leased.send(leased.stubs.sign(leased.request()))
    other = tmp_path / "other.crt.pem"
    other.write_bytes(create_authority(at=dt.datetime.now(dt.UTC)).certificate_pem)
    code, output = checked(world, "--authority", str(other))
    assert code == 1
    assert "its certificate is not by the authority" in output
