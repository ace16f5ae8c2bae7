"""What the service signs, so that anybody can check it with its public keys and without asking it.

Owns the algorithm, the header and the form of keys: JWS in compact form (RFC 7515) by Ed25519 (RFC
8037, by its name of RFC 9864), public keys as a JWK set (RFC 7517). Knows neither what is signed
nor where keys are kept. The header says what a value is for: one that was signed for one purpose
proves nothing for another (RFC 8725, 3.11).
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"
"""The only one. `EdDSA`, its older name, does not say which curve and is deprecated (RFC 9864)."""

SIGNED_LENGTH_MAX = 64 * 2**20
"""Characters of a signed value; what is longer is not looked at."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")
_HEADER = frozenset({"alg", "kid", "typ"})


class _Registry(jws.JWSRegistry):
    """Signatures of our one kind, over all that may be signed: the library stops at 128 kB."""

    max_payload_length = SIGNED_LENGTH_MAX

    def __init__(self) -> None:
        super().__init__(algorithms=[ALGORITHM])


class SigningPurpose(StrEnum):
    """What a value is signed for: its `typ`."""

    PRESENCE = "subid-presence+jwt"
    EXPORT = "subid-export+jwt"
    ERASURE = "subid-erasure+jwt"


class SignatureFault(StrEnum):
    """Why a signed value is not believed."""

    MALFORMED = "MALFORMED"
    """It is no JWS in compact form."""
    ALGORITHM_NOT_ALLOWED = "ALGORITHM_NOT_ALLOWED"
    """It names another algorithm than Ed25519, or none."""
    PURPOSE_MISMATCH = "PURPOSE_MISMATCH"
    """It was signed for something else."""
    KEY_UNKNOWN = "KEY_UNKNOWN"
    """None of the keys at hand is the one that it names."""
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    """It was not signed by the key that it names, or was changed afterwards."""


class SignatureRefusedError(ValueError):
    """A signed value that proves nothing.

    Attributes:
        fault: Why.
    """

    def __init__(self, fault: SignatureFault, says: str) -> None:
        """Say why."""
        super().__init__(f"{fault}: {says}")
        self.fault = fault


class KeySetError(ValueError):
    """A text that is no set of public keys of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key pair.

    Attributes:
        key_id: Its name: the SHA-256 thumbprint of the public key (RFC 7638), base64url.
        public_key: 32 bytes.
        private_key: The seed, 32 bytes.
    """

    key_id: str
    public_key: bytes
    private_key: bytes = field(repr=False)

    @classmethod
    def of(cls, private_key: bytes) -> "SigningKey":
        """The pair of a private key."""
        pair = Ed25519PrivateKey.from_private_bytes(private_key)
        public_key = pair.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(key_id=key_id_of(public_key), public_key=public_key, private_key=private_key)


def generate_signing_key() -> SigningKey:
    """A fresh pair from the operating system."""
    return SigningKey.of(Ed25519PrivateKey.generate().private_bytes_raw())


def key_id_of(public_key: bytes) -> str:
    """The name of a public key."""
    return str(OKPKey.import_key(_jwk(public_key)).thumbprint())


def sign(key: SigningKey, payload: bytes, *, purpose: SigningPurpose) -> str:
    """Sign a value for one purpose: JWS in compact form."""
    header = {"alg": ALGORITHM, "kid": key.key_id, "typ": purpose.value}
    private = OKPKey.import_key({**_jwk(key.public_key), "d": _encoded(key.private_key)})
    return str(jws.serialize_compact(header, payload, private, registry=_Registry()))


def format_key_set(public_keys: Iterable[bytes]) -> str:
    """Public keys as a JWK set in JSON."""
    keys = [
        {**_jwk(each), "kid": key_id_of(each), "alg": ALGORITHM, "use": "sig"}
        for each in public_keys
    ]
    return json.dumps({"keys": keys}, separators=(",", ":"))


def parse_key_set(text: str) -> Mapping[str, bytes]:
    """Public keys by their names. Keys of other kinds are passed over, as RFC 7517, 5 has it.

    Raises:
        KeySetError: It is no JWK set, or a key is damaged or has another's name.
    """
    try:
        listed = json.loads(text)["keys"]
        ours = [each for each in listed if (each["kty"], each.get("crv")) == ("OKP", ALGORITHM)]
        found = {each["kid"]: _decoded(each["x"]) for each in ours}
        names = [key_id_of(public_key) for public_key in found.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, JoseError) as error:
        raise KeySetError("not a JWK set of Ed25519 keys") from error
    if names != list(found):
        raise KeySetError("a key is not the one that its name says")
    return found


def open_signed(token: str, keys: Mapping[str, bytes], *, purpose: SigningPurpose) -> bytes:
    """What was signed, if one of some keys signed just this for just this purpose.

    Args:
        token: A JWS in compact form.
        keys: Public keys by their names.
        purpose: What it must have been signed for.

    Raises:
        SignatureRefusedError: It proves nothing.
    """
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise SignatureRefusedError(SignatureFault.ALGORITHM_NOT_ALLOWED, f"only {ALGORITHM} is")
    if header.get("typ") != purpose.value:
        raise SignatureRefusedError(SignatureFault.PURPOSE_MISMATCH, f"it is no {purpose}")
    public_key = keys.get(str(header.get("kid")))
    if public_key is None:
        raise SignatureRefusedError(SignatureFault.KEY_UNKNOWN, "fetch the public keys again")
    # Of all that a header may hold, such as a key of its own, nothing else is ever ours.
    if header.keys() != _HEADER:
        raise SignatureRefusedError(SignatureFault.MALFORMED, "its header is not one of ours")
    try:
        return bytes(
            jws.deserialize_compact(
                token, OKPKey.import_key(_jwk(public_key)), registry=_Registry()
            ).payload
        )
    except (JoseError, ValueError) as error:
        raise SignatureRefusedError(
            SignatureFault.SIGNATURE_INVALID, "not signed so by the key that it names"
        ) from error


def _header(token: str) -> Mapping[str, Any]:
    """The header, not believed yet, of a value that has one spelling only."""
    malformed = SignatureRefusedError(SignatureFault.MALFORMED, "not a JWS in compact form")
    if len(token) > SIGNED_LENGTH_MAX or not _COMPACT.fullmatch(token):
        raise malformed
    first, _, signature = token.split(".")
    try:
        # Four bits of the last character say nothing: with them free, one value had 16 spellings.
        _decoded(signature)
        header = json.loads(_decoded(first))
    except (ValueError, RecursionError) as error:
        raise malformed from error
    if not isinstance(header, dict):
        raise malformed
    return header


def _jwk(public_key: bytes) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": ALGORITHM, "x": _encoded(public_key)}


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Base64url without padding, in its one canonical spelling.

    Raises:
        ValueError: It is none.
    """
    value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encoded(value) != text:
        raise ValueError("not canonical base64url")
    return value
