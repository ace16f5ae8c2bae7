"""What the service signs, checked by whoever holds it.

Owns the check of a JWS by published keys, as a stranger to the service makes it: with a library and
what the documentation says. It refuses to know what a document is for.
"""

import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

PRESENCE_TYPE = "subid-presence+jwt"
EXPORT_TYPE = "subid-export+jwt"

_ALGORITHM = "Ed25519"
_BYTES_MAX = 16 * 2**20
"""More than an export of the simulation ever is."""


class _Registry(jws.JWSRegistry):
    """The library stops at less than an export may have."""

    max_payload_length = _BYTES_MAX


class DocumentError(ValueError):
    """A document that proves nothing; the text begins with a code."""


def open_document(document: str, key_set: str, *, kind: str) -> dict[str, Any]:
    """Return what was signed.

    Args:
        document: A JWS in compact form.
        key_set: The service's public keys, a JWK set.
        kind: The `typ` that it must have.

    Raises:
        DocumentError: It was not signed by one of the keys, or for something else.
    """
    keys = KeySet.import_key_set(json.loads(key_set))
    registry = _Registry(algorithms=[_ALGORITHM])
    try:
        opened = jws.deserialize_compact(document, keys, registry=registry)
    except (JoseError, ValueError) as error:
        raise DocumentError(f"SIGNATURE_INVALID: {error}") from error
    if opened.headers().get("typ") != kind:
        raise DocumentError(f"PURPOSE_MISMATCH: it is no {kind}")
    claims: dict[str, Any] = json.loads(opened.payload)
    return claims


def open_presence(token: str, key_set: str, *, audience: str) -> dict[str, Any]:
    """Return what a presence token says to the agency that it is for.

    Raises:
        DocumentError: It proves nothing, or it is for another agency.
    """
    claims = open_document(token, key_set, kind=PRESENCE_TYPE)
    if claims.get("aud") != audience:
        raise DocumentError("AUDIENCE_MISMATCH: it is for another agency")
    return claims
