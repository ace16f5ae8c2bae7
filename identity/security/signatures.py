"""Signatures by the keys of callers' certificates.

Owns which kinds of signature count and how each is verified. Knows neither what was signed nor
whether the certificate is to be believed: whoever asks has that from the handshake, or checks it.
"""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

RSA_SALT_BYTES = 32
"""As long as the digest: RFC 8017, 9.1, and the contract."""


def is_signed_by(certificate: bytes, *, signature: bytes, content: bytes) -> bool:
    """Whether a signature over `content` is by the key of a certificate.

    ECDSA with SHA-256 in DER, Ed25519 and RSASSA-PSS with SHA-256 and a salt of 32 bytes count; a
    key of another kind has signed nothing.

    Args:
        certificate: DER.
        signature: What is to be verified.
        content: What should be signed.

    Raises:
        ValueError: The certificate is none.
    """
    key = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
        elif isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=RSA_SALT_BYTES)
            key.verify(signature, content, pss, SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True
