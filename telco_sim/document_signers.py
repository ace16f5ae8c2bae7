"""Those who sign documents for a card authority, as they should be and as they should not.

Owns a document signer's key and certificate, and the ways in which one can be made wrongly. It
refuses to know cards and when one serves.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from asn1crypto import keys, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from telco_sim import pki
from telco_sim.clock import start_of_vietnamese_day
from telco_sim.der import explicit_ec_public_key, rsa_public_key

VALID_DAYS = 20 * 366 + 92
SIGNS_DAYS = 92
"""Doc 9303-12, 4.1.5: a document signer's key is used for at most three months."""

_RSA_EXPONENT = 65537
_WEAK_RSA_BITS = 1024


class SignerKey(StrEnum):
    """What a document signer signs with."""

    BRAINPOOL_P384R1 = "brainpoolP384r1"
    RSA_1024 = "RSA-1024"
    """Too short since 2010 (NIST SP 800-131A)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerDesign:
    """How a document signer is made; the defaults make a proper one.

    Attributes:
        starts_on: First day of its certificate and its key; None: the quarter's.
        ends_on: Last day of its certificate; None: 20 years after it started.
        key: What it signs with.
        has_sha1: Whether it still hashes with SHA-1.
        usages: What its certificate allows its key.
    """

    starts_on: date | None = None
    ends_on: date | None = None
    key: SignerKey = SignerKey.BRAINPOOL_P384R1
    has_sha1: bool = False
    usages: tuple[str, ...] = ("digital_signature",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The authority behind document signers.

    Attributes:
        certificate: Its own.
        sign: Its signature.
        organization: The name that its signers bear as well.
        country: ISO 3166-1 alpha-2 code.
    """

    certificate: x509.Certificate
    sign: pki.Sign = field(repr=False)
    organization: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSigner:
    """A key that signs documents, and the certificate that says so."""

    certificate: x509.Certificate = field(repr=False)
    scheme: pki.SignatureScheme
    _key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    def sign_document(
        self, data_groups: Mapping[int, bytes], *, signed_at: datetime, digest: str = "sha256"
    ) -> bytes:
        """Return the EF.SOD over the hash of each data group."""
        digests = {
            number: hashlib.new(digest, content, usedforsecurity=False).digest()
            for number, content in data_groups.items()
        }
        return pki.document_security_object(
            pki.lds_security_object(digests, digest=digest),
            signer=self.certificate,
            signed_at=signed_at,
            sign=self._sign,
            scheme=self.scheme,
        )

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        is_sha1 = self.scheme is pki.ECDSA_SHA1
        algorithm = hashes.SHA1() if is_sha1 else hashes.SHA384()  # noqa: S303 - a flaw on purpose
        return self._key.sign(message, ec.ECDSA(algorithm))


def make_signer(design: SignerDesign, *, issuer: Issuer, starts_on: date) -> DocumentSigner:
    """Make a document signer.

    Args:
        design: How.
        issuer: The authority.
        starts_on: First day, unless the design says otherwise.
    """
    first = design.starts_on or starts_on
    last = design.ends_on or first + timedelta(days=VALID_DAYS)
    key, public_key = _new_key(design.key)
    request = pki.CertificateRequest(
        serial_number=new_serial_number(),
        subject=pki.distinguished_name(
            common_name=f"DS {first:%Y%m%d} {secrets.token_hex(2)}",
            organization=issuer.organization,
            country=issuer.country,
        ),
        public_key=public_key,
        validity=pki.Validity(
            starts_at=start_of_vietnamese_day(first),
            ends_at=start_of_vietnamese_day(last),
            signing_ends_at=start_of_vietnamese_day(min(last, first + timedelta(days=SIGNS_DAYS))),
        ),
    )
    certificate = pki.document_signer_certificate(
        request, issuer=issuer.certificate, sign=issuer.sign, usages=design.usages
    )
    return DocumentSigner(certificate=certificate, scheme=_scheme(design), _key=key)


def new_serial_number() -> int:
    """Return a positive number of at most 16 bytes (Doc 9303-12 allows 20)."""
    return 1 + secrets.randbits(127)


def _scheme(design: SignerDesign) -> pki.SignatureScheme:
    if design.key is SignerKey.RSA_1024:
        return pki.RSA_SHA256
    return pki.ECDSA_SHA1 if design.has_sha1 else pki.ECDSA_SHA384


def _new_key(
    kind: SignerKey,
) -> tuple[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, keys.PublicKeyInfo]:
    if kind is SignerKey.RSA_1024:
        weak = rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_WEAK_RSA_BITS)
        return weak, keys.PublicKeyInfo.load(rsa_public_key(weak.public_key()))
    key = ec.generate_private_key(ec.BrainpoolP384R1())
    return key, explicit_ec_public_key(key.public_key())
