"""An authority that is not ours, as a ministry might have one.

Owns its certificate, what it issues to callers and its revocation list.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from identity.domain.caller import Caller
from identity.security.certificates import Identity

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideAuthority:
    """One authority."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey
    revoked: list[int] = field(default_factory=list)

    @classmethod
    def founded(cls, *, at: dt.datetime, days: int = 30, path_length: int = 0) -> Self:
        """A new one, which may have so many others below it, one above the other."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ministry CA")])
        certificate = (
            _builder(name, name, key, at=at, days=days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .sign(key, SHA256())
        )
        return cls(certificate=certificate, private_key=key)

    def with_intermediate(self, *, at: dt.datetime) -> Self:
        """Another authority, whose certificate this one has signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ministry issuing CA")])
        certificate = (
            _builder(name, self.certificate.subject, key, at=at, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.private_key, SHA256())
        )
        return type(self)(certificate=certificate, private_key=key)

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, caller: Caller, *, at: dt.datetime) -> Identity:
        """A caller's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(caller))])
        uri = x509.UniformResourceIdentifier(f"urn:subid:{caller.role}:{caller.name}")
        certificate = (
            _builder(subject, self.certificate.subject, key, at=at, days=1)
            .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self.private_key, SHA256())
        )
        private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(certificate.public_bytes(Encoding.PEM), private_key)

    def revocation_list(
        self,
        *,
        at: dt.datetime,
        good_for: dt.timedelta = DAY,
        extension: tuple[x509.ExtensionType, bool] | None = None,
    ) -> bytes:
        """What it has revoked, DER; with an extension of the list, critical or not."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(at - DAY)
            .next_update(at + good_for)
        )
        for serial in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        if extension is not None:
            builder = builder.add_extension(extension[0], critical=extension[1])
        return builder.sign(self.private_key, SHA256()).public_bytes(Encoding.DER)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    at: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - DAY)
        .not_valid_after(at + days * DAY)
    )
