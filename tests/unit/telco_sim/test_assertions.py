"""How the app proves its citizens."""

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey

from subid.v1.citizen_service_pb2 import GetPrimaryNumberRequest
from subid.v1.verification_service_pb2 import GetVerificationRequest, StartVerificationRequest
from telco_sim.assertions import KEY_FILE, KEY_SET_FILE, AssertionIssuer, CitizenProofs, thumbprint

PERSON, GUARDIAN = "001090123456", "001060654321"


@pytest.fixture(scope="module")
def certificate() -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )


def test_an_assertion_verifies_by_the_key_that_is_given_to_the_service(
    certificate: bytes, tmp_path: Path
) -> None:
    proofs = CitizenProofs(AssertionIssuer.of_folder(tmp_path), certificate=certificate)
    (jwk,) = json.loads((tmp_path / KEY_SET_FILE).read_text())["keys"]
    shown = proofs.authorization(GetPrimaryNumberRequest(personal_id=PERSON))
    scheme, _, token = shown.partition(" ")
    found = jws.deserialize_compact(token, ECKey.import_key(jwk), algorithms=["ES256"])
    assert scheme == "Bearer"
    assert found.protected == {"alg": "ES256", "typ": "subid-citizen+jwt", "kid": jwk["kid"]}
    claims = json.loads(found.payload)
    assert (claims["sub"], claims["aud"]) == (PERSON, "subid")
    assert claims["cnf"] == {"x5t#S256": thumbprint(certificate)}
    assert 0 < claims["exp"] - claims["iat"] <= 300


def test_an_issuer_keeps_its_key_to_itself(tmp_path: Path) -> None:
    first = AssertionIssuer.of_folder(tmp_path).public_key
    assert AssertionIssuer.of_folder(tmp_path).public_key == first
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert "d" not in first
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / KEY_FILE).write_bytes(pem)
    with pytest.raises(TypeError, match="P-256"):
        AssertionIssuer.of_folder(tmp_path)


def test_who_acts_is_shown_also_where_the_request_names_a_session(certificate: bytes) -> None:
    proofs = CitizenProofs(AssertionIssuer.founded(), certificate=certificate)
    for_child = GetPrimaryNumberRequest(personal_id=PERSON, acting_personal_id=GUARDIAN)
    assert proofs.person_in(for_child) == GUARDIAN
    proofs.remember("v-1", StartVerificationRequest(personal_id=PERSON))
    assert proofs.person_in(GetVerificationRequest(verification_id="v-1")) == PERSON


def test_with_the_algorithm_none_nothing_signs() -> None:
    header, _, signature = AssertionIssuer.founded().sign({}, algorithm="none").split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "none"
    assert signature == ""
