"""Whose assertions are believed: the public keys of issuers, one file for each.

Owns the form of the files: a JWK set (RFC 7517) with one member more, `issuer`, the `iss` that its
owner writes. Only public keys of the two kinds that sign assertions are taken. Knows no assertion.
"""

import json
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey

from identity.security.assertions import NAME_LENGTH_MAX, IssuerKeys
from identity.state_directory import StateError, read_whole, refuse_foreign_file

FILE_BYTES_MAX = 64 * 1024
KEYS_MAX = 32
"""Of one issuer: a rotation needs two."""

SUFFIX = ".json"
_KINDS = {("EC", "P-256"), ("OKP", "Ed25519")}


class IssuerError(StateError):
    """A file of an issuer that cannot be used; the message names the file."""


def read_issuers(directory: Path) -> IssuerKeys:
    """The issuers in a directory; none when it is not there.

    Raises:
        IssuerError: A file cannot be used, or two files are of one issuer.
        ForeignFileError: Somebody else could have written one: who does decides who is believed.
    """
    found: dict[str, dict[str, ECKey | OKPKey]] = {}
    for path in sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else ():
        if path.name.startswith("."):
            continue
        issuer, keys = read_issuer(path)
        if issuer in found:
            raise IssuerError(f"{path.name}: another file is of the same issuer")
        found[issuer] = keys
    return found


def read_issuer(path: Path) -> tuple[str, dict[str, ECKey | OKPKey]]:
    """What one file says: the issuer, and its keys by `kid`.

    Raises:
        IssuerError: It cannot be used.
        ForeignFileError: Somebody else could have written it.
    """
    try:
        refuse_foreign_file(path)
        said = json.loads(read_whole(path, bytes_max=FILE_BYTES_MAX))
    except (OSError, ValueError, RecursionError) as error:
        raise IssuerError(f"{path.name} cannot be read as JSON") from error
    issuer = said.get("issuer") if isinstance(said, dict) else None
    if not isinstance(issuer, str) or not 0 < len(issuer) <= NAME_LENGTH_MAX:
        raise IssuerError(f"{path.name} has no member `issuer` of 1 to {NAME_LENGTH_MAX} letters")
    return issuer, parse_keys(said, source=path.name)


def parse_keys(said: Any, *, source: str) -> dict[str, ECKey | OKPKey]:  # noqa: ANN401 - any JSON
    """The keys of a JWK set by `kid`.

    Args:
        said: What was read as JSON.
        source: What a refusal names.

    Raises:
        IssuerError: It is no set of 1 to 32 public keys with names, P-256 or Ed25519.
    """
    jwks = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(jwks, list) or not 0 < len(jwks) <= KEYS_MAX:
        raise IssuerError(f"{source} holds no list `keys` of 1 to {KEYS_MAX} keys")
    keys: dict[str, ECKey | OKPKey] = {}
    for jwk in jwks:
        name, key = _key(jwk, source)
        if name in keys:
            raise IssuerError(f"{source} holds two keys of one name")
        keys[name] = key
    return keys


def _key(jwk: Any, source: str) -> tuple[str, ECKey | OKPKey]:  # noqa: ANN401 - as parse_keys
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) not in _KINDS:
        raise IssuerError(f"{source} holds a key that is neither P-256 nor Ed25519")
    if "d" in jwk:
        raise IssuerError(f"{source} holds a private key: only its owner may have it")
    name = jwk.get("kid")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH_MAX:
        raise IssuerError(f"{source} holds a key without a name, `kid`")
    try:
        key = JWKRegistry.import_key(jwk)
        key.check_use("sig")
        key.public_key  # noqa: B018 - a point that is not on the curve is found here
    except (JoseError, ValueError, TypeError) as error:
        raise IssuerError(f"{source} holds a damaged key") from error
    if not isinstance(key, ECKey | OKPKey):
        raise IssuerError(f"{source} holds a key of another kind")
    return name, key
