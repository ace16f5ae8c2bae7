"""Signatures by the keys of certificates: three kinds count, and nothing that resembles them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from identity.security.signatures import is_signed_by

CONTENT = b"subid.v1.AcknowledgeDirectives\n"
P256 = ec.generate_private_key(ec.SECP256R1())
P521 = ec.generate_private_key(ec.SECP521R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
ED448 = ed448.Ed448PrivateKey.generate()

MGF = padding.MGF1(SHA256())
PSS = padding.PSS(MGF, salt_length=32)


def certificate_of(key: Any) -> bytes:  # noqa: ANN401 - any private key
    """A certificate for a key, signed by another."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
    )
    return builder.sign(P256, SHA256()).public_bytes(Encoding.DER)


def verified(key: Any, signature: bytes, content: bytes = CONTENT) -> bool:  # noqa: ANN401 - as above
    return is_signed_by(certificate_of(key), signature=signature, content=content)


@pytest.mark.parametrize(
    ("key", "sign"),
    [
        pytest.param(P256, lambda: P256.sign(CONTENT, ec.ECDSA(SHA256())), id="P-256"),
        pytest.param(P521, lambda: P521.sign(CONTENT, ec.ECDSA(SHA256())), id="P-521"),
        pytest.param(ED25519, lambda: ED25519.sign(CONTENT), id="Ed25519"),
        pytest.param(RSA, lambda: RSA.sign(CONTENT, PSS, SHA256()), id="RSA-PSS"),
    ],
)
def test_each_kind_of_the_contract_counts_for_its_content_and_its_key_alone(
    key: Any,  # noqa: ANN401 - as above
    sign: Callable[[], bytes],
) -> None:
    signature = sign()
    assert verified(key, signature)
    assert not verified(key, signature, CONTENT + b"\n")
    assert not verified(key, signature[:-1])
    assert not verified(key, signature + b"\x00")
    assert not verified(key, b"")
    for other in {P256, P521, ED25519, RSA} - {key}:
        assert not verified(other, signature)


@pytest.mark.parametrize(
    ("key", "sign"),
    [
        pytest.param(P256, lambda: P256.sign(CONTENT, ec.ECDSA(SHA384())), id="another digest"),
        pytest.param(
            RSA, lambda: RSA.sign(CONTENT, padding.PKCS1v15(), SHA256()), id="PKCS #1 v1.5"
        ),
        pytest.param(
            RSA,
            lambda: RSA.sign(CONTENT, padding.PSS(MGF, salt_length=20), SHA256()),
            id="another salt",
        ),
        pytest.param(RSA, lambda: RSA.sign(CONTENT, PSS, SHA384()), id="PSS of another digest"),
        pytest.param(ED448, lambda: ED448.sign(CONTENT), id="a kind that does not count"),
    ],
)
def test_what_only_resembles_them_does_not_count(
    key: Any,  # noqa: ANN401 - as above
    sign: Callable[[], bytes],
) -> None:
    assert not verified(key, sign())


def test_what_is_no_certificate_is_told_apart() -> None:
    with pytest.raises(ValueError, match="parsing"):
        is_signed_by(b"no certificate", signature=b"", content=b"")
