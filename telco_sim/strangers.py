"""Callers whom nobody knows.

Owns a certificate that looks right and that no authority of the service has signed.
"""

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from telco_sim.wire import CallerKeys


def home_made(keys: CallerKeys) -> CallerKeys:
    """Return keys with a known caller's name and times, in a certificate that signs itself.

    Args:
        keys: The keys of the caller to imitate.

    Raises:
        ValueError: There is no certificate to imitate.
    """
    if keys.certificate is None:
        raise ValueError("a caller without a certificate cannot be imitated")
    genuine = x509.load_pem_x509_certificate(keys.certificate)
    private_key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(genuine.subject)
        .issuer_name(genuine.issuer)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(genuine.not_valid_before_utc)
        .not_valid_after(genuine.not_valid_after_utc)
        .sign(private_key, hashes.SHA256())
    )
    return replace(
        keys,
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        private_key=private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
