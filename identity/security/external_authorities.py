"""Authorities of others whose certificates are taken, each for the callers that it may name.

Owns the form of `authorities.toml` and of the files beside it: for each authority its certificate,
its callers, and its revocation list. Nothing is trusted that the file does not name, and no caller
that stands in no list. Which certificate of theirs is let in is `admission.py`'s to say.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from identity.domain.caller import Caller, Role
from identity.security.certificates import read_certificate
from identity.state_directory import StateError, read_whole, refuse_foreign_file

INDEX = "authorities.toml"
INDEX_BYTES_MAX = 64 * 1024
LIST_BYTES_MAX = 16 * 1024 * 1024
_WORDS = frozenset({"certificate", "callers", "revocation_list"})


class AuthoritiesError(StateError):
    """The directory of authorities cannot be used; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who may sign callers' certificates.

    Attributes:
        name: What it is called here.
        certificate: Its own certificate: the one that signs callers' directly.
        callers: Whom its certificates may name; nobody, where no list was given.
        revocation_list: What it has revoked; None where nobody waits for a list of it.
    """

    name: str
    certificate: x509.Certificate
    callers: frozenset[Caller]
    revocation_list: x509.CertificateRevocationList | None = None


def read_authorities(directory: Path) -> tuple[Authority, ...]:
    """The authorities that a directory names; none when it is not there.

    Raises:
        AuthoritiesError: The index or a file that it names cannot be used.
        AuthorityError: A certificate cannot be read.
        ForeignFileError: Somebody else could have written one: who does decides who is believed.
    """
    try:
        refuse_foreign_file(directory / INDEX)
        text = read_whole(directory / INDEX, bytes_max=INDEX_BYTES_MAX).decode()
        index = tomllib.loads(text)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise AuthoritiesError(f"{INDEX} cannot be read") from error
    return tuple(_authority(directory, name, said) for name, said in index.items())


def _authority(directory: Path, name: str, said: Any) -> Authority:  # noqa: ANN401 - any TOML
    if not isinstance(said, dict) or not said.keys() <= _WORDS or "certificate" not in said:
        raise AuthoritiesError(f"{INDEX}: {name} is certificate, callers and revocation_list")
    certificate = read_certificate(_beside(directory, name, said, "certificate"))
    if not _may_sign(certificate):
        raise AuthoritiesError(f"{INDEX}: the certificate of {name} is no authority's")
    return Authority(
        name=name,
        certificate=certificate,
        callers=_callers(name, said.get("callers", [])),
        revocation_list=_revocation_list(directory, name, said, certificate),
    )


def _beside(directory: Path, name: str, said: Mapping[str, Any], word: str) -> Path:
    file = said[word]
    if not isinstance(file, str) or Path(file).name != file:
        raise AuthoritiesError(f"{INDEX}: {word} of {name} is a file in the same directory")
    path = directory / file
    try:
        refuse_foreign_file(path)
    except OSError as error:
        raise AuthoritiesError(f"{INDEX}: {word} of {name} cannot be read") from error
    return path


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _callers(name: str, said: Any) -> frozenset[Caller]:  # noqa: ANN401 - as _authority
    if not isinstance(said, list):
        raise AuthoritiesError(f"{INDEX}: callers of {name} is a list of ROLE:NAME")
    return frozenset(_caller(name, each) for each in said)


def _caller(name: str, said: Any) -> Caller:  # noqa: ANN401 - as _authority
    try:
        role, _, label = said.partition(":")
        return Caller(Role(role), label)
    except (AttributeError, TypeError, ValueError):
        raise AuthoritiesError(f"{INDEX}: callers of {name}: {said!r} is no ROLE:NAME") from None


def _revocation_list(
    directory: Path, name: str, said: Mapping[str, Any], certificate: x509.Certificate
) -> x509.CertificateRevocationList | None:
    if "revocation_list" not in said:
        return None
    path = _beside(directory, name, said, "revocation_list")
    try:
        content = read_whole(path, bytes_max=LIST_BYTES_MAX)
        is_pem = content.startswith(b"-----BEGIN")
        found = x509.load_pem_x509_crl(content) if is_pem else x509.load_der_x509_crl(content)
        is_theirs = found.is_signature_valid(certificate.public_key())  # type: ignore[arg-type] # kinds that sign no list are refused below
    except (OSError, ValueError, TypeError) as error:
        raise AuthoritiesError(f"{INDEX}: the revocation list of {name} is none") from error
    if found.issuer != certificate.subject or not is_theirs:
        raise AuthoritiesError(f"{INDEX}: the revocation list of {name} is by somebody else")
    if _is_in_part(found):
        raise AuthoritiesError(f"{INDEX}: the revocation list of {name} is not the whole of it")
    return found


def _is_in_part(found: x509.CertificateRevocationList) -> bool:
    """Whether something critical is said of a list that we do not act by (RFC 5280, 5.2).

    It may tell changes only, or of some certificates only, or of another authority's. Such a list
    must not be used.
    """
    try:
        return any(each.critical for each in found.extensions)
    except (ValueError, x509.DuplicateExtension):
        return True
