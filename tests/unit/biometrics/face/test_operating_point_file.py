"""An operating point survives its file, and a changed or foreign file is refused."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from types import NoneType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from biometrics.face.error_rate import ErrorRate
from biometrics.face.models import Views
from biometrics.face.operating_point import DEFAULT, Evidence, GroupEvidence, OperatingPoint
from biometrics.face.operating_point_file import (
    OperatingPointFileError,
    content_digest,
    from_json,
    to_json,
)
from biometrics.face.score import ScoreType

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RATE = ErrorRate(errors=1, trials=1000, independent=900, low=0.0001, high=0.005)
COSINE = OperatingPoint(
    score_type=ScoreType.COSINE,
    decision_threshold=0.97,
    source="a test",
    model_digest="ab" * 32,
    views=Views.MIRROR,
)
POINT = OperatingPoint(
    score_type=ScoreType.COHORT_CENTRED,
    decision_threshold=0.1 + 0.2,
    review_threshold=-0.01,
    source="người Việt",
    model_digest="ab" * 32,
    views=Views.MIRROR,
    cohort_digest="cd" * 32,
    evidence=Evidence(
        target_fmr=1e-4,
        review_target_fmr=1e-3,
        fmr=RATE,
        fnmr=RATE,
        held_out_fmr=RATE,
        fta=ErrorRate.unknown(),
        quality_gate="none",
        identities=77,
        margin=0.01,
        data_digest="ef" * 32,
        population="people of the test",
        measured_on=date(2026, 1, 2),
        groups=(
            GroupEvidence(
                column="gender",
                value="female",
                identities=3,
                fmr=RATE,
                fnmr=RATE,
                held_out_fmr=RATE,
                is_supported=True,
            ),
        ),
    ),
    fallback=COSINE,
)


@pytest.mark.parametrize("point", [DEFAULT, COSINE, POINT])
def test_an_operating_point_survives_its_file(point: OperatingPoint) -> None:
    assert from_json(to_json(point)) == point


def test_the_digest_is_the_files_and_no_signature_changes_it() -> None:
    for written in (to_json(POINT), to_json(POINT, sign_key=KEY)):
        assert json.loads(written)["content_digest"] == content_digest(from_json(written))
    assert content_digest(POINT) != content_digest(DEFAULT)


def test_a_signed_file_is_accepted_by_whoever_trusts_the_key() -> None:
    signed = to_json(POINT, sign_key=KEY)
    assert from_json(signed, trusted_key=KEY.public_key()) == POINT
    assert from_json(signed) == POINT


def test_an_unsigned_file_is_refused_where_a_key_is_trusted() -> None:
    with pytest.raises(OperatingPointFileError, match="not signed"):
        from_json(to_json(POINT), trusted_key=KEY.public_key())


def test_a_file_of_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(OperatingPointFileError, match="another key"):
        from_json(to_json(POINT, sign_key=other), trusted_key=KEY.public_key())


def test_a_loosened_threshold_is_seen() -> None:
    changed = to_json(DEFAULT).replace(b'"decision_threshold": 0.4', b'"decision_threshold": 0.6')
    assert changed != to_json(DEFAULT)
    with pytest.raises(OperatingPointFileError, match="digest"):
        from_json(changed)


def test_a_loosened_threshold_with_a_new_digest_is_seen_by_its_signature() -> None:
    signed = json.loads(to_json(DEFAULT, sign_key=KEY))
    loose = json.loads(to_json(dataclasses.replace(DEFAULT, decision_threshold=0.6)))
    forged = json.dumps(loose | {"signature": signed["signature"]}).encode()
    with pytest.raises(OperatingPointFileError, match="does not fit"):
        from_json(forged)
    with pytest.raises(OperatingPointFileError, match="does not fit"):
        from_json(forged, trusted_key=KEY.public_key())


@pytest.mark.parametrize(
    "signature",
    [
        "x",
        {},
        {"algorithm": "none"},
        {"algorithm": "Ed25519"},
        {"algorithm": "Ed25519", "public_key": "zz", "value": "00"},
        {"algorithm": "Ed25519", "public_key": "00", "value": "00"},
        {"algorithm": "Ed25519", "public_key": 5, "value": 6},
    ],
)
def test_a_malformed_signature_is_refused(signature: object) -> None:
    forged = json.dumps(json.loads(to_json(DEFAULT)) | {"signature": signature}).encode()
    with pytest.raises(OperatingPointFileError):
        from_json(forged)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b"null", b'{"format": "x"}', b"[" * 100_000]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(OperatingPointFileError):
        from_json(data)


def places(body: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a JSON body."""
    assert isinstance(body, dict | list)
    items = body.items() if isinstance(body, dict) else enumerate(body)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def altered(path: tuple[str | int, ...], value: object) -> bytes:
    """The file of `POINT` with another value at one place, and the digest that fits."""
    document = json.loads(to_json(POINT))
    target = document["operating_point"]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    content = json.dumps(document["operating_point"], sort_keys=True, separators=(",", ":"))
    return json.dumps(
        document | {"content_digest": hashlib.sha256(content.encode()).hexdigest()}
    ).encode()


@pytest.mark.parametrize("value", [True, -1, 10**400, 1e308, "x", [], {}, [1], {"a": 1}], ids=repr)
def test_a_value_of_another_kind_is_refused_or_kept_as_what_it_is(value: object) -> None:
    """No place of a file makes the reader fail in another way, or changes the kind of a field."""
    kinds = {path: type(value_at(POINT, path)) for path in places(body(POINT))}
    for path, kind in kinds.items():
        try:
            read = from_json(altered(path, value))
        except OperatingPointFileError:
            continue
        made = type(value_at(read, path))
        # A whole number may stand for any, and for one that was absent.
        assert made is kind or (made in {int, float} and kind in {int, float, NoneType})


def body(point: OperatingPoint) -> object:
    return json.loads(to_json(point))["operating_point"]


def value_at(point: OperatingPoint, path: tuple[str | int, ...]) -> object:
    value: Any = point
    for key in path:
        value = value[key] if isinstance(key, int) else getattr(value, key)
    return value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target_fmr", 0.0),
        ("target_fmr", 1.0),
        ("review_target_fmr", 0.0),
        ("identities", -1),
        ("margin", -0.1),
        ("margin", float("inf")),
    ],
)
def test_evidence_that_no_measurement_gives_is_refused(name: str, value: float) -> None:
    assert POINT.evidence is not None
    with pytest.raises(ValueError, match=r"at least 0|within 0 and 1"):
        dataclasses.replace(POINT.evidence, **{name: value})  # type: ignore[arg-type] # one field
