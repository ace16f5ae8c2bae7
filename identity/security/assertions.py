"""Who a citizen app acts for: a signed assertion, verified.

Owns the form of the assertion and when it is believed: a JWS in compact form (RFC 7515) with the
claims of RFC 7519, of an explicit type (RFC 8725, 3.11), bound to the certificate that it is shown
with (RFC 8705, 3.1: whoever steals it cannot use it). Reads no file and no clock; where issuers'
keys come from is `issuers.py`'s.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from identity.domain.errors import (
    AssertionInvalidError,
    AssertionMissingError,
    PersonalIDMalformedError,
)
from identity.domain.personal_id import PersonalID

ASSERTION_TYPE = "subid-citizen+jwt"
"""The `typ` of every assertion: what was signed for something else proves nothing here."""

AUDIENCE = "subid"

ALGORITHMS = ("ES256", "Ed25519")
"""The only ones (RFC 7518 and RFC 9864). `EdDSA`, the older name, does not say which curve."""

LIFETIME_MAX = timedelta(minutes=5)
"""From `iat` to `exp` at most: long enough for one visit to an app's page, short to a thief."""

LEEWAY = timedelta(seconds=30)
"""How far the clocks of issuer and service may be apart."""

LENGTH_MAX = 4096
"""Characters of an assertion; what is longer is not looked at. gRPC takes 8 KiB of metadata."""

NAME_LENGTH_MAX = 128
"""Characters of `jti`, and of an issuer and a key's name."""

IssuerKeys = Mapping[str, Mapping[str, ECKey | OKPKey]]
"""For each issuer, by the `iss` that it writes, its public keys by `kid`."""

_BEARER = re.compile(r"Bearer +([^ ]+)", re.IGNORECASE)
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER = frozenset({"alg", "kid", "typ"})


def thumbprint(certificate: bytes) -> str:
    """A certificate (DER) as `cnf` names it: `x5t#S256` of RFC 8705, 3.1."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")


def bearer_token(values: Sequence[str]) -> str:
    """The one assertion among the values of a call's `authorization`.

    Raises:
        AssertionMissingError: There is none.
        AssertionInvalidError: There are several, or it is no bearer's (RFC 6750, 2.1).
    """
    if not values:
        raise AssertionMissingError("say which citizen is there: authorization: Bearer ...")
    if len(values) > 1:
        raise AssertionInvalidError("there is more than one assertion")
    if len(values[0]) > LENGTH_MAX:
        raise AssertionInvalidError("the assertion is too long")
    found = _BEARER.fullmatch(values[0])
    if found is None:
        raise AssertionInvalidError("the authorization is no bearer's")
    return found[1]


def verify_assertion(
    token: str, issuers: IssuerKeys, *, certificate: bytes, at: datetime
) -> PersonalID:
    """Whom an assertion proves to be there.

    Args:
        token: The assertion.
        issuers: Whom to believe.
        certificate: DER of the certificate of whoever shows it.
        at: The instant, of real time.

    Raises:
        AssertionInvalidError: Nobody; it says which demand is not met and repeats no value.
    """
    if len(token) > LENGTH_MAX or not _COMPACT.fullmatch(token):
        raise AssertionInvalidError("the assertion is no compact JWS")
    header, claims = (_members(part) for part in token.split(".")[:2])
    _refuse_header(header)
    key = _key(issuers, claims, header)
    try:
        jws.deserialize_compact(token, key, registry=jws.JWSRegistry(algorithms=[*ALGORITHMS]))
    except (JoseError, ValueError) as error:
        raise AssertionInvalidError("the assertion is not signed by its issuer's key") from error
    _refuse_times(claims, at)
    _refuse_other_use(claims, certificate)
    try:
        return PersonalID(_text(claims, "sub"))
    except PersonalIDMalformedError as error:
        raise AssertionInvalidError("`sub` is no personal ID") from error


def _members(part: str) -> dict[str, Any]:
    """The members of a JSON object in base64url, none twice."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        members = json.loads(decoded, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise AssertionInvalidError("the assertion is no JSON, or says a thing twice") from error
    if not isinstance(members, dict):
        raise AssertionInvalidError("the assertion is no JSON object")
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _refuse_header(header: Mapping[str, Any]) -> None:
    if header.keys() != _HEADER or not all(isinstance(each, str) for each in header.values()):
        raise AssertionInvalidError("the header is `alg`, `kid` and `typ`, and nothing else")
    if header["alg"] not in ALGORITHMS:
        raise AssertionInvalidError(f"the algorithm is one of {', '.join(ALGORITHMS)}")
    if header["typ"] != ASSERTION_TYPE:
        raise AssertionInvalidError(f"the type is {ASSERTION_TYPE}")


def _key(
    issuers: IssuerKeys, claims: Mapping[str, Any], header: Mapping[str, Any]
) -> ECKey | OKPKey:
    key = issuers.get(_text(claims, "iss"), {}).get(header["kid"])
    if key is None:
        raise AssertionInvalidError("its issuer, or the issuer's key, is not known here")
    return key


def _refuse_times(claims: Mapping[str, Any], at: datetime) -> None:
    issued, ends = _instant(claims, "iat"), _instant(claims, "exp")
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    if not 0 < ends - issued <= LIFETIME_MAX.total_seconds():
        raise AssertionInvalidError("the assertion holds for longer than 5 minutes, or not at all")
    begins = max(issued, _instant(claims, "nbf") if "nbf" in claims else issued)
    if now < begins - leeway:
        raise AssertionInvalidError("the assertion is of a time to come")
    if now >= ends + leeway:
        raise AssertionInvalidError("the assertion has ended")


def _refuse_other_use(claims: Mapping[str, Any], certificate: bytes) -> None:
    if claims.get("aud") not in (AUDIENCE, [AUDIENCE]):
        raise AssertionInvalidError("the assertion is for somebody else")
    _text(claims, "jti")
    confirmation = claims.get("cnf")
    bound_to = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(bound_to, str) or not hmac.compare_digest(
        bound_to.encode(), thumbprint(certificate).encode()
    ):
        raise AssertionInvalidError("the assertion is bound to another certificate, or to none")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH_MAX:
        raise AssertionInvalidError(f"`{name}` is missing or no text")
    return value


def _instant(claims: Mapping[str, Any], name: str) -> int:
    """Seconds since 1970; whole ones, far below where a float loses them."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise AssertionInvalidError(f"`{name}` is missing or no instant")
    return value
