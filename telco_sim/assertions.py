"""How a citizen app proves who is there.

Owns the issuer that people log in with, and the assertions that the app shows, written down from
the contract's words: a compact JWS by ES256. Shares nothing with the service, which verifies them.
"""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from google.protobuf.message import Message

ISSUER = "https://issuer.simulated"
KEY_FILE, KEY_SET_FILE = "issuer.key.pem", "issuer.jwks.json"

_LIFETIME_S = 240
_COORDINATE_BYTES = 32
_ACTORS = ("acting_personal_id", "guardian_personal_id", "claimant_personal_id", "personal_id")
_NOBODY = "000000000000"


class AssertionIssuer:
    """Whom people log in with: it says who is there, and signs it."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        """Take its key, on P-256."""
        self._private_key = private_key

    @classmethod
    def founded(cls) -> Self:
        """Return an issuer with a key of its own."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Return the issuer whose key lies in a folder; founded there when there is none."""
        file = folder / KEY_FILE
        if not file.exists():
            cls.founded().write(folder)
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{file} holds no key on P-256")
        return cls(key)

    def write(self, folder: Path) -> None:
        """Write the key, and the public half for the service, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / KEY_FILE
        file.touch(mode=0o600)
        file.write_bytes(
            self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / KEY_SET_FILE).write_text(json.dumps({"keys": [self.public_key]}))

    @property
    def public_key(self) -> dict[str, str]:
        """The public half as a JWK."""
        numbers = self._private_key.public_key().public_numbers()
        x, y = (_encoded(_coordinate(each)) for each in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": x[:16], "use": "sig"}

    def sign(self, claims: Mapping[str, Any], *, algorithm: str = "ES256") -> str:
        """Return claims as an assertion; with the algorithm `none` nothing signs it."""
        header = {"alg": algorithm, "typ": "subid-citizen+jwt", "kid": self.public_key["kid"]}
        text = ".".join(_encoded(json.dumps(each).encode()) for each in (header, dict(claims)))
        signature = b"" if algorithm == "none" else self._signature(text.encode())
        return f"{text}.{_encoded(signature)}"

    def _signature(self, text: bytes) -> bytes:
        r, s = decode_dss_signature(self._private_key.sign(text, ec.ECDSA(SHA256())))
        return _coordinate(r) + _coordinate(s)


class CitizenProofs:
    """What one app shows, call by call."""

    def __init__(self, issuer: AssertionIssuer, *, certificate: bytes) -> None:
        """Take who signs, and the app's certificate in PEM, to which assertions are bound."""
        self.issuer = issuer
        self._thumbprint = thumbprint(certificate)
        self._sessions: dict[str, str] = {}

    def authorization(self, request: Message) -> str:
        """Return what a call with this request shows."""
        return f"Bearer {self.issuer.sign(self.claims(self.person_in(request)))}"

    def person_in(self, request: Message) -> str:
        """Return the personal ID of whoever acts in a request."""
        for name in _ACTORS:
            if person := getattr(request, name, ""):
                return str(person)
        return self._sessions.get(getattr(request, "verification_id", ""), _NOBODY)

    def remember(self, verification_id: str, request: Message) -> None:
        """Keep for whom a session was opened: what goes on with it names nobody."""
        self._sessions[verification_id] = self.person_in(request)

    def claims(self, person: str) -> dict[str, Any]:
        """Return the claims that prove a person to be there now."""
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": "subid",
            "sub": person,
            "iat": now,
            "exp": now + _LIFETIME_S,
            "jti": str(uuid.uuid4()),
            "cnf": {"x5t#S256": self._thumbprint},
        }


def thumbprint(certificate: bytes) -> str:
    """Return a certificate (PEM) as `cnf` names it."""
    return _encoded(x509.load_pem_x509_certificate(certificate).fingerprint(SHA256()))


def _coordinate(number: int) -> bytes:
    return number.to_bytes(_COORDINATE_BYTES, "big")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
