"""What an operator signs, letter by letter, and that it verifies with the key's other half."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1.enforcement_service_pb2 import (
    ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
    ACKNOWLEDGEMENT_OUTCOME_FAILED,
    AcknowledgeDirectivesRequest,
    Acknowledgement,
)
from telco_sim.signatures import UnsuitableKeyError, sign, signed_text

FAILURE = "tổng đài không trả lời"


def request() -> AcknowledgeDirectivesRequest:
    return AcknowledgeDirectivesRequest(
        request_id="request",
        lease_id="lease",
        acknowledgements=[
            Acknowledgement(
                directive_id="one",
                outcome=ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
                execute_time=Timestamp(seconds=1_770_000_000, nanos=5),
            ),
            Acknowledgement(
                directive_id="two", outcome=ACKNOWLEDGEMENT_OUTCOME_FAILED, failure=FAILURE
            ),
        ],
    )


def pem(
    key: ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | rsa.RSAPrivateKey
    | dsa.DSAPrivateKey,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_the_text_is_that_of_the_contract() -> None:
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    failure = hashlib.sha256(FAILURE.encode()).hexdigest()
    assert signed_text(request()).decode() == (
        "subid.v1.AcknowledgeDirectives\nrequest\nlease\n"
        f"one 1 1770000000000000005 {nothing}\n"
        f"two 2  {failure}\n"
    )


def test_a_signature_verifies_with_each_kind_of_key() -> None:
    """Each `verify` of the library raises where a signature does not."""
    signed = request()
    elliptic = ec.generate_private_key(ec.SECP256R1())
    sign(signed, private_key=pem(elliptic))
    elliptic.public_key().verify(signed.signature, signed_text(request()), ec.ECDSA(SHA256()))
    edwards = ed25519.Ed25519PrivateKey.generate()
    sign(signed, private_key=pem(edwards))
    edwards.public_key().verify(signed.signature, signed_text(request()))
    big = rsa.generate_private_key(65_537, 2_048)
    sign(signed, private_key=pem(big))
    pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
    big.public_key().verify(signed.signature, signed_text(request()), pss, SHA256())


def test_a_signature_is_of_this_request_and_no_other() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    signed, other = request(), request()
    sign(signed, private_key=pem(edwards))
    other.acknowledgements[1].outcome = ACKNOWLEDGEMENT_OUTCOME_EXECUTED
    with pytest.raises(InvalidSignature):
        edwards.public_key().verify(signed.signature, signed_text(other))


def test_a_key_that_the_contract_does_not_take_signs_nothing() -> None:
    with pytest.raises(UnsuitableKeyError):
        sign(request(), private_key=pem(dsa.generate_private_key(2_048)))
