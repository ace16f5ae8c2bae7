"""The directory of the local authority as a whole, and how its key is changed.

Owns which files lie there and what they mean together: the authority that issues now, the former
one while its callers are issued anew, those that are retired, the record, and the server's own
certificate where one is given. A rotation has two steps. Between them callers of both authorities
are taken, and the server still shows a certificate by the former, which every caller knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from identity.domain.caller import Caller
from identity.security.certificates import (
    AuthorityError,
    CertificateAuthority,
    Identity,
    create_authority,
    load_or_create_authority,
    read_authority,
    read_certificate,
    write_public,
    write_secret,
)
from identity.security.issued import (
    IssuedCertificate,
    entry_for,
    fingerprint_of,
    read_record,
    record,
)
from identity.state_directory import SecretFileError, locked, read_secret

CERTIFICATE, KEY = "ca.crt.pem", "ca.key.pem"
FORMER_CERTIFICATE, FORMER_KEY = "former-ca.crt.pem", "former-ca.key.pem"
SERVER_CERTIFICATE, SERVER_KEY = "server.crt.pem", "server.key.pem"
_RETIRED = "retired-ca-{serial:x}.crt.pem"


class RotationError(AuthorityError):
    """The authority is not where this step of a rotation begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAuthority:
    """What the directory says.

    Attributes:
        current: Issues certificates.
        former: Issued them until a rotation began; None when none is under way.
        revoked: Fingerprints of revoked certificates.
        server: The server's own certificate and key, where an administrator gave them.
    """

    current: CertificateAuthority
    former: CertificateAuthority | None
    revoked: frozenset[str]
    server: Identity | None

    @property
    def authorities(self) -> tuple[CertificateAuthority, ...]:
        """Whose callers are taken, the current one first."""
        return (self.current,) if self.former is None else (self.current, self.former)

    @property
    def known_to_all(self) -> CertificateAuthority:
        """By whose signature every caller knows the service."""
        return self.former or self.current

    @property
    def bundle(self) -> bytes:
        """PEM certificates for callers to know the service by, now and after the rotation."""
        return b"".join(each.certificate_pem for each in self.authorities)


def read_local_authority(directory: Path) -> LocalAuthority:
    """What a directory says in which an authority was made. Never waits: it takes no lock.

    Each file is replaced as a whole. Who reads in the middle of a rotation finds a key beside the
    certificate of another, and is refused: a server keeps what it has read before, and looks again
    when the next file is in its place. Who has nothing to keep holds the directory (`locked`).

    Raises:
        AuthorityError: A file is missing or damaged, or two do not belong together.
        RecordError: The record cannot be read.
    """
    former = directory / FORMER_CERTIFICATE
    return LocalAuthority(
        current=read_authority(directory / CERTIFICATE, directory / KEY),
        former=read_authority(former, directory / FORMER_KEY) if former.exists() else None,
        revoked=frozenset(
            each.fingerprint for each in read_record(directory) if each.revoked_at is not None
        ),
        server=_given_server(directory),
    )


def issue_recorded(
    directory: Path, caller: Caller, *, at: datetime, days: int
) -> tuple[Identity, LocalAuthority]:
    """A caller's certificate that stands in the record, and what it was issued by.

    Args:
        directory: Where the authority lies; made when there is none.
        caller: Who.
        at: The instant from which it counts.
        days: For how long.

    Raises:
        AuthorityError: The authority's files are damaged.
        RecordError: The record cannot be read.
    """
    load_or_create_authority(directory, at=at)
    with locked(directory):
        local = read_local_authority(directory)
    issued = local.current.issue_caller(caller, at=at, days=days)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    authority = fingerprint_of(local.current.certificate)
    record(directory, entry_for(certificate, str(caller), authority=authority, at=at))
    return issued, local


def known_authorities(directory: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of all authorities that ever issued here, to check what callers signed.

    Raises:
        AuthorityError: A file is damaged or missing.
    """
    others = sorted(directory.glob("retired-ca-*.crt.pem"))
    former = directory / FORMER_CERTIFICATE
    paths = (directory / CERTIFICATE, *([former] if former.exists() else []), *others)
    return tuple(read_certificate(path) for path in paths)


def believed(directory: Path) -> frozenset[str]:
    """Fingerprints of the authorities whose callers are taken; none before there is one.

    Raises:
        AuthorityError: A file is damaged.
    """
    paths = (directory / CERTIFICATE, directory / FORMER_CERTIFICATE)
    return frozenset(fingerprint_of(read_certificate(path)) for path in paths if path.exists())


def begin_rotation(directory: Path, *, at: datetime) -> CertificateAuthority:
    """Make a new authority that issues from now on, and keep the present one beside it.

    Raises:
        RotationError: A rotation is under way.
        AuthorityError: The present one cannot be read.
    """
    present = load_or_create_authority(directory, at=at)
    with locked(directory):
        if (directory / FORMER_CERTIFICATE).exists():
            raise RotationError("a rotation is under way: end it first")
        made = create_authority(at=at)
        write_secret(directory / FORMER_KEY, present.private_key_pem)
        write_public(directory / FORMER_CERTIFICATE, present.certificate_pem)
        write_secret(directory / KEY, made.private_key_pem)
        write_public(directory / CERTIFICATE, made.certificate_pem)
    return made


def end_rotation(directory: Path, *, at: datetime, is_forced: bool = False) -> None:
    """Retire the former authority: its key is removed, and its callers are refused.

    Args:
        directory: Where the authorities lie.
        at: The instant.
        is_forced: Also when some of its callers would be locked out.

    Raises:
        RotationError: No rotation is under way, or some callers have no other certificate.
        AuthorityError: A file cannot be read.
        RecordError: The record cannot be read.
    """
    with locked(directory):
        if not (directory / FORMER_CERTIFICATE).exists():
            raise RotationError("no rotation is under way")
        former = read_certificate(directory / FORMER_CERTIFICATE)
        current = fingerprint_of(read_certificate(directory / CERTIFICATE))
        left = _without_a_new_one(read_record(directory), current, at=at)
        if left and not is_forced:
            raise RotationError(f"without a certificate of the new authority: {', '.join(left)}")
        retired = directory / _RETIRED.format(serial=former.serial_number)
        (directory / FORMER_CERTIFICATE).replace(retired)
        (directory / FORMER_KEY).unlink(missing_ok=True)


def _without_a_new_one(
    record: Iterable[IssuedCertificate], current: str, *, at: datetime
) -> list[str]:
    """Callers none of whose certificates that count is by the current authority."""
    counting = [each for each in record if each.revoked_at is None and each.ends_at > at]
    renewed = {each.caller for each in counting if each.authority == current}
    return sorted({each.caller for each in counting if each.authority} - renewed)


def _given_server(directory: Path) -> Identity | None:
    certificate, key = directory / SERVER_CERTIFICATE, directory / SERVER_KEY
    if not certificate.exists():
        return None
    own = read_certificate(certificate)
    try:
        content = read_secret(key)
        private_key = load_pem_private_key(content, password=None)
    except SecretFileError as error:
        raise AuthorityError(str(error)) from error
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{key} is no private key") from error
    if private_key.public_key() != own.public_key():
        raise AuthorityError(f"{key} and {certificate} do not belong together")
    return Identity(certificate.read_bytes(), content)
