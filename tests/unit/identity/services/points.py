"""Operating points for the tests of the service: what a regulation asks for, and who signs it."""

from dataclasses import replace
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometrics.face.error_rate import ErrorRate
from biometrics.face.operating_point import DEFAULT, Evidence
from biometrics.face.score import ScoreType


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rate(errors: int, trials: int, *, high: float) -> ErrorRate:
    return ErrorRate(errors=errors, trials=trials, independent=trials, low=0.0, high=high)


PROVEN = replace(
    DEFAULT,
    score_type=ScoreType.DISTANCE,
    evidence=Evidence(
        target_fmr=1e-4,
        fmr=rate(1, 100_000, high=9e-5),
        fnmr=rate(10, 1000, high=0.02),
        held_out_fmr=rate(1, 100_000, high=9e-5),
        fta=rate(1, 1000, high=0.006),
        quality_gate="live",
        identities=500,
        margin=0.01,
        data_digest="cd" * 32,
        population="people of the test",
        measured_on=date(2026, 1, 2),
    ),
)
"""Rates that no network here has: what a regulation asks for."""
