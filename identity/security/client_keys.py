"""What a caller of the service proves itself with.

Owns reading it from the files that `identity callers issue` wrote, and making it anew where the
authority's own key is at hand. Knows no network.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from identity.domain.caller import Caller
from identity.security.certificates import AuthorityError, load_or_create_authority
from identity.security.local_authority import read_local_authority
from identity.state_directory import SecretFileError, locked, read_secret


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClientKeys:
    """A certificate, its key, and by whose signature the service is known; each PEM."""

    certificate: bytes
    private_key: bytes
    authority: bytes


def read_client_keys(*, certificate: Path, private_key: Path, authority: Path) -> ClientKeys:
    """Read the three files.

    Raises:
        AuthorityError: A file is not what it should be, the first two do not belong together, or
            others can read or replace the private key.
        OSError: A file cannot be read.
    """
    try:
        secret = read_secret(private_key)
    except SecretFileError as error:
        raise AuthorityError(str(error)) from error
    keys = ClientKeys(
        certificate=certificate.read_bytes(),
        private_key=secret,
        authority=authority.read_bytes(),
    )
    owner = _certificate(certificate, keys.certificate)
    _certificate(authority, keys.authority)
    try:
        key = load_pem_private_key(keys.private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{private_key} is not a private key") from error
    if key.public_key() != owner.public_key():
        raise AuthorityError(f"{private_key} and {certificate} do not belong together")
    return keys


def issue_client_keys(directory: Path, caller: Caller, *, at: dt.datetime) -> ClientKeys:
    """Keys that live in memory only, from the authority of a service on this machine.

    Args:
        directory: Where the authority is kept.
        caller: Who is to call.
        at: The instant from which they count.

    Raises:
        AuthorityError: There is no authority, or its files are damaged.
    """
    if not (directory / "ca.crt.pem").exists():
        raise AuthorityError(f"{directory} holds no authority")
    made_by = load_or_create_authority(directory, at=at)
    issued = made_by.issue_caller(caller, at=at)
    with locked(directory):
        local = read_local_authority(directory)
    return ClientKeys(
        certificate=issued.certificate,
        private_key=issued.private_key,
        authority=local.bundle,
    )


def _certificate(path: Path, content: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise AuthorityError(f"{path} is not a certificate") from error
