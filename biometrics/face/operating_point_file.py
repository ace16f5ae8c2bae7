"""An operating point as a file: JSON with a content digest and an Ed25519 signature.

Owns the byte form, the digest and the signature. Refuses to know where files and keys lie, and
refuses a file whose content does not fit its digest or its signature: a threshold decides who is
taken for whom, so nobody may loosen it unseen.
"""

import hashlib
import json
from dataclasses import asdict
from datetime import date
from types import NoneType
from typing import Any, get_args, get_type_hints

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from biometrics.face.error_rate import ErrorRate
from biometrics.face.models import Views
from biometrics.face.operating_point import Evidence, GroupEvidence, OperatingPoint
from biometrics.face.score import ScoreType

FORMAT = "biometrics-operating-point/1"

FILE_BYTES_MAX = 4 * 1024 * 1024
"""Four mebibytes: an operating point with some thousand groups."""

_SIGNED_PREFIX = FORMAT.encode("ascii") + b"\n"
"""What is signed begins with its own name, so that a signature is good for nothing else."""

Fields = dict[str, Any]


class OperatingPointFileError(ValueError):
    """The bytes are not an operating point, or not the one that was signed."""


def to_json(point: OperatingPoint, *, sign_key: Ed25519PrivateKey | None = None) -> bytes:
    """The operating point as JSON with its digest and, with a key, its signature.

    Args:
        point: What to write.
        sign_key: Signs the content; the public half goes into the file for the record, a reader
            still has to know whom it trusts.
    """
    body = asdict(point)
    content = _canonical(body)
    document = {
        "format": FORMAT,
        "operating_point": json.loads(content),
        "content_digest": hashlib.sha256(content).hexdigest(),
        "signature": _signature(content, sign_key) if sign_key else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def content_digest(point: OperatingPoint) -> str:
    """SHA-256 (hex) of what the file of an operating point says, its signature aside."""
    return hashlib.sha256(_canonical(asdict(point))).hexdigest()


def from_json(data: bytes, *, trusted_key: Ed25519PublicKey | None = None) -> OperatingPoint:
    """The operating point that `to_json` wrote.

    Args:
        data: The file.
        trusted_key: The key that must have signed it. Without one a signature is not asked for,
            and a signature that is there is still checked against the key in the file.

    Raises:
        OperatingPointFileError: The bytes are not an operating point, the content was changed, or
            the signature is missing, of another key or wrong.
    """
    document = _document(data)
    content = _canonical(document["operating_point"])
    if hashlib.sha256(content).hexdigest() != document["content_digest"]:
        raise OperatingPointFileError("the content does not fit its digest: it was changed")
    _verify(content, document["signature"], trusted_key=trusted_key)
    try:
        return _point(document["operating_point"])
    except (TypeError, ValueError, OverflowError) as error:
        raise OperatingPointFileError(f"not an operating point: {error}") from error


def _document(data: bytes) -> Fields:
    if len(data) > FILE_BYTES_MAX:
        raise OperatingPointFileError(f"more than {FILE_BYTES_MAX} bytes")
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise OperatingPointFileError(f"not JSON: {error}") from error
    keys = {"format", "operating_point", "content_digest", "signature"}
    if not isinstance(document, dict) or set(document) != keys or document["format"] != FORMAT:
        raise OperatingPointFileError(f"not a file of the form {FORMAT}")
    return document


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _canonical(body: object) -> bytes:
    """One byte form of one content: sorted keys, no spaces, shortest numbers."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain
    ).encode()


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _signature(content: bytes, key: Ed25519PrivateKey) -> Fields:
    return {
        "algorithm": "Ed25519",
        "public_key": key.public_key().public_bytes_raw().hex(),
        "value": key.sign(_SIGNED_PREFIX + content).hex(),
    }


def _verify(content: bytes, signature: object, *, trusted_key: Ed25519PublicKey | None) -> None:
    if signature is None and trusted_key is None:
        return
    if not isinstance(signature, dict) or signature.get("algorithm") != "Ed25519":
        raise OperatingPointFileError("the operating point is not signed with Ed25519")
    try:
        public_key = bytes.fromhex(signature["public_key"])
        value = bytes.fromhex(signature["value"])
        if trusted_key is not None and public_key != trusted_key.public_bytes_raw():
            raise OperatingPointFileError("another key than the trusted one signed it")
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, _SIGNED_PREFIX + content)
    except (KeyError, TypeError) as error:
        raise OperatingPointFileError("the signature is not complete") from error
    except InvalidSignature as error:
        raise OperatingPointFileError("the signature does not fit the content") from error
    except ValueError as error:
        if isinstance(error, OperatingPointFileError):
            raise
        raise OperatingPointFileError("the signature is malformed") from error


def _point(body: Fields) -> OperatingPoint:
    values = _exact(OperatingPoint, body)
    values["score_type"] = ScoreType(values["score_type"])
    values["views"] = Views(values["views"])
    for name in ("decision_threshold", "review_threshold"):
        values[name] = None if values[name] is None else float(values[name])
    if values["evidence"] is not None:
        values["evidence"] = _evidence(values["evidence"])
    if values["fallback"] is not None:
        values["fallback"] = _point(values["fallback"])
    return OperatingPoint(**values)


def _evidence(body: Fields) -> Evidence:
    values = _with_rates(_exact(Evidence, body), ("fmr", "fnmr", "held_out_fmr", "fta"))
    values["measured_on"] = date.fromisoformat(values["measured_on"])
    values["groups"] = tuple(
        GroupEvidence(**_with_rates(_exact(GroupEvidence, g), ("fmr", "fnmr", "held_out_fmr")))
        for g in values["groups"]
    )
    return Evidence(**values)


def _with_rates(values: Fields, names: tuple[str, ...]) -> Fields:
    return values | {name: ErrorRate(**_exact(ErrorRate, values[name])) for name in names}


def _exact(kind: type, body: object) -> Fields:
    """A copy of `body`, which must have the fields of `kind`, all and no other, of their types."""
    hints = get_type_hints(kind)
    if not isinstance(body, dict) or set(body) != set(hints):
        raise OperatingPointFileError(f"{kind.__name__} has the fields {sorted(hints)}")
    for name, value in body.items():
        if not _is_of(hints[name], value):
            raise OperatingPointFileError(f"{kind.__name__}: {name} has another type")
    return dict(body)


_SCALARS: dict[object, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    str: (str,),
    bool: (bool,),
    NoneType: (NoneType,),
}


def _is_of(hint: object, value: object) -> bool:
    kinds = get_args(hint) or (hint,)
    if not set(kinds) <= set(_SCALARS):
        return True  # it has a reader of its own
    if isinstance(value, bool):
        return bool in kinds  # Python counts it as a number; JSON does not
    return any(isinstance(value, _SCALARS[kind]) for kind in kinds)
