"""A certificate that looks right and is not."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telco_sim.strangers import home_made
from telco_sim.wire import CallerKeys


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture
def keys() -> CallerKeys:
    private_key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name("tax-office"))
        .issuer_name(name("subid"))
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private_key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return CallerKeys(certificate=pem, private_key=b"secret", authority=b"authority")


def test_a_home_made_certificate_has_the_names_of_the_genuine_one(keys: CallerKeys) -> None:
    made = home_made(keys)
    assert made.certificate is not None
    assert keys.certificate is not None
    forged = x509.load_pem_x509_certificate(made.certificate)
    genuine = x509.load_pem_x509_certificate(keys.certificate)
    assert (forged.subject, forged.issuer) == (genuine.subject, genuine.issuer)
    assert forged.public_key() != genuine.public_key()


def test_a_home_made_certificate_fits_its_own_key(keys: CallerKeys) -> None:
    made = home_made(keys)
    assert made.certificate is not None
    assert made.private_key is not None
    private_key = serialization.load_pem_private_key(made.private_key, password=None)
    certificate = x509.load_pem_x509_certificate(made.certificate)
    assert certificate.public_key() == private_key.public_key()
    assert made.authority == keys.authority


def test_a_caller_without_a_certificate_cannot_be_imitated(keys: CallerKeys) -> None:
    with pytest.raises(ValueError, match="cannot be imitated"):
        home_made(keys.without_certificate())
