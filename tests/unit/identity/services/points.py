"""Operating points for the tests of the service: what a regulation asks for, and who signs it."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometrics.face.operating_point import DEFAULT
from biometrics.face.score import ScoreType
from tests.unit.biometrics.face.points import GOOD


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


PROVEN = replace(DEFAULT, score_type=ScoreType.DISTANCE, evidence=GOOD)
"""An operating point with the rates that a regulation asks for."""
