"""The local certificate authority: who is a caller, who is the server.

Owns the making of certificates and where they lie. A caller's identity is a URI in its
certificate, `urn:subid:ROLE:NAME`, which `identity.security.callers` reads back.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from identity.domain.caller import Caller
from identity.security.callers import caller_uri, identify
from identity.state_directory import (
    SecretFileError,
    StateError,
    locked,
    read_secret,
    write_whole,
)

AUTHORITY_DAYS = 3650
CALLER_DAYS = 30
"""Validity of a caller's certificate unless it is asked for otherwise: what is lost ends soon."""

CALLER_DAYS_MAX = 398
"""The longest (CA/Browser Forum baseline requirements, 6.3.2)."""

SERVER_DAYS = 30
"""Validity of the server's own certificate, which it renews by itself."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of the machine itself, which every certificate of the server has."""

_BACKDATE = dt.timedelta(hours=2)
"""Clocks that are an hour apart, either way, must not shut anybody out."""


class AuthorityError(StateError):
    """The files of an authority that cannot be used; the message never shows their contents."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A certificate with its private key, both PEM."""

    certificate: bytes
    private_key: bytes


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Issues certificates; kept in a directory as `ca.crt.pem` and `ca.key.pem`."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """What callers and servers trust."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def private_key_pem(self) -> bytes:
        """Its secret."""
        return _private_pem(self.private_key)

    def issue_server(self, *, at: dt.datetime, names: Iterable[str] = ()) -> Identity:
        """A certificate for this machine's loopback addresses, and for names of other hosts.

        Args:
            at: The instant from which it counts.
            names: DNS names and IP addresses by which callers reach the service.
        """
        hosts = [_host(name) for name in dict.fromkeys((*LOOPBACK, *names))]
        return self._issue(
            "subid server", hosts, ExtendedKeyUsageOID.SERVER_AUTH, at=at, days=SERVER_DAYS
        )

    def issue_caller(self, caller: Caller, *, at: dt.datetime, days: int = CALLER_DAYS) -> Identity:
        """A certificate that says who a caller is.

        Args:
            caller: Who.
            at: The instant from which it counts.
            days: For how long, 1 to `CALLER_DAYS_MAX`.
        """
        names = [x509.UniformResourceIdentifier(caller_uri(caller))]
        return self._issue(str(caller), names, ExtendedKeyUsageOID.CLIENT_AUTH, at=at, days=days)

    def _issue(
        self,
        common_name: str,
        alternative_names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        *,
        at: dt.datetime,
        days: int,
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(common_name, key, issuer=self.certificate.subject, at=at, days=days)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.private_key.public_key()),
                critical=False,
            )
            .sign(self.private_key, SHA256())
        )
        return Identity(certificate.public_bytes(Encoding.PEM), _private_pem(key))


def create_authority(*, at: dt.datetime) -> CertificateAuthority:
    """A fresh authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "subid local authority")])
    certificate = (
        _builder("subid local authority", key, issuer=name, at=at, days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signs_certificates(), critical=True)
        .sign(key, SHA256())
    )
    return CertificateAuthority(certificate, key)


def load_or_create_authority(directory: Path, *, at: dt.datetime) -> CertificateAuthority:
    """The authority kept in a directory, made on first use; of several processes one makes it.

    Raises:
        AuthorityError: A file is missing or damaged, the two do not belong together, or others can
            read or replace the key.
    """
    certificate_path, key_path = directory / "ca.crt.pem", directory / "ca.key.pem"
    with locked(directory):
        if not certificate_path.exists():
            authority = create_authority(at=at)
            write_secret(key_path, authority.private_key_pem)
            # Written last: a certificate without its key would be taken for a whole authority.
            write_public(certificate_path, authority.certificate_pem)
        return read_authority(certificate_path, key_path)


def read_authority(certificate_path: Path, key_path: Path) -> CertificateAuthority:
    """The authority in two files.

    Raises:
        AuthorityError: A file is missing or damaged, or the two do not belong together.
    """
    if not key_path.exists():
        raise AuthorityError(f"{key_path} is missing beside {certificate_path}")
    try:
        key = load_pem_private_key(read_secret(key_path), password=None)
    except SecretFileError as error:
        raise AuthorityError(str(error)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{key_path} is not a private key") from error
    certificate = read_certificate(certificate_path)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{key_path} does not hold an elliptic-curve key")
    if certificate.public_key() != key.public_key():
        raise AuthorityError(f"{key_path} and {certificate_path} do not belong together")
    return CertificateAuthority(certificate, key)


def caller_in(certificate: bytes) -> Caller:
    """Whom a certificate names.

    Args:
        certificate: DER.

    Raises:
        CallerUnknownError: Nobody, or more than one.
        ValueError: It is no certificate.
    """
    extensions = x509.load_der_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return identify(())
    return identify(names.get_values_for_type(x509.UniformResourceIdentifier))


def is_issued_by(certificate: bytes, authority: x509.Certificate) -> bool:
    """Whether an authority has signed a certificate; when it was valid is not asked.

    Args:
        certificate: DER.
        authority: The authority's own.

    Raises:
        ValueError: It is no certificate.
    """
    issued = x509.load_der_x509_certificate(certificate)
    try:
        issued.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def read_certificate(path: Path) -> x509.Certificate:
    """A certificate in a file, PEM.

    Raises:
        AuthorityError: The file is missing or holds none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise AuthorityError(f"{path} cannot be read") from error
    except ValueError as error:
        raise AuthorityError(f"{path} is not a certificate") from error


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, replacing an older one as a whole."""
    write_whole(path, content, mode=0o600, may_replace=True)


def write_public(path: Path, content: bytes) -> None:
    """Write a file that everybody may read, replacing an older one as a whole."""
    write_whole(path, content, mode=0o644, may_replace=True)


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name,
    at: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATE)
        .not_valid_after(at + dt.timedelta(days=days))
    )


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
