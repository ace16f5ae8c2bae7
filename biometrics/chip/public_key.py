"""Public keys as documents carry them: SubjectPublicKeyInfo, RSA or elliptic curve.

Owns the strict reading of one SPKI (RFC 5280, clause 4.1.2.7) and the least acceptable key size.
Knows nothing of certificates.
"""

from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from biometrics.chip import tlv
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.ec_parameters import find_named_curve, recognise_curve
from biometrics.chip.object_identifiers import EC_PUBLIC_KEY, RSA_ENCRYPTION, RSASSA_PSS, read_oid

RSA_BITS_MIN = 2048
"""BSI TR-02102-1, table 3.1, lower bound of what is still in circulation; NIST SP 800-131A."""
RSA_BITS_MAX = 8192
"""A bound on work: the largest key in two national master lists has 6144 bits."""

RSA_EXPONENT_BITS_MAX = 64
"""A bound on work, OpenSSL's own for long moduli: real exponents are 3, 65537 or near it."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_SEQUENCE = 0x30
_OBJECT_IDENTIFIER = 0x06
_SPKI_ELEMENTS = 2


@asn1.sequence
class _RSAPublicKey:
    modulus: int
    exponent: int


@asn1.sequence
class _SubjectPublicKeyInfo:
    algorithm: asn1.TLV
    key: asn1.BitString


@dataclass(frozen=True, kw_only=True)
class SubjectKey:
    """A key and what its owner allows it to do.

    Attributes:
        key: The key itself.
        is_pss_only: The key is bound to RSASSA-PSS by its algorithm identifier (RFC 4055, 1.2).
    """

    key: PublicKey
    is_pss_only: bool = False


def load_public_key(spki: bytes) -> SubjectKey:
    """Load the key of one DER SubjectPublicKeyInfo.

    Raises:
        ChipError: EC_PARAM_MISMATCH or UNSUPPORTED_CURVE for a curve that is not exactly a known
            one, SIG_ALG_UNSUPPORTED for other kinds of key and for a malformed structure.
    """
    algorithm, parameters, key = _split(spki)
    if algorithm == EC_PUBLIC_KEY:
        return SubjectKey(key=_load_ec_key(parameters, key))
    if algorithm in (RSA_ENCRYPTION, RSASSA_PSS):
        return SubjectKey(key=_load_rsa_key(key), is_pss_only=algorithm == RSASSA_PSS)
    raise ChipError(
        ChipCode.SIG_ALG_UNSUPPORTED,
        f"public key algorithm {algorithm}",
        result=CheckResult.NOT_SUPPORTED,
    )


def require_strong_key(key: PublicKey) -> None:
    """Refuse RSA keys below RSA_BITS_MIN; every curve that loads has 256 bits or more.

    Raises:
        ChipError: WEAK_KEY.
    """
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS_MIN:
        raise ChipError(ChipCode.WEAK_KEY, f"RSA key of {key.key_size} bits")


def _split(spki: bytes) -> tuple[str, bytes | None, bytes]:
    """Return the algorithm, its parameters as DER, and the octets of the key."""
    try:
        decoded = asn1.decode_der(_SubjectPublicKeyInfo, spki)
        algorithm = tlv.read_all(tlv.read_all(tlv.read_one(spki).value)[0].value)
        if len(algorithm) not in (1, _SPKI_ELEMENTS) or decoded.key.padding_bits():
            raise _malformed("subject public key info")
        parameters = algorithm[1].raw if len(algorithm) == _SPKI_ELEMENTS else None
        return read_oid(algorithm[0].raw), parameters, decoded.key.as_bytes()
    except ValueError as error:
        raise _malformed("subject public key info") from error


def _load_ec_key(parameters: bytes | None, point: bytes) -> ec.EllipticCurvePublicKey:
    tag = parameters[0] if parameters else None
    if parameters is not None and tag == _OBJECT_IDENTIFIER:
        curve = find_named_curve(_read_curve_name(parameters))
    elif parameters is not None and tag == _SEQUENCE:
        curve = recognise_curve(parameters)
    else:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, "curve inherited or not given")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError as error:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, f"point is not on {curve.name}") from error


def _read_curve_name(parameters: bytes) -> str:
    try:
        return read_oid(parameters)
    except ValueError as error:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, "malformed name of a curve") from error


def _load_rsa_key(encoded: bytes) -> rsa.RSAPublicKey:
    try:
        numbers = asn1.decode_der(_RSAPublicKey, encoded)
        if (
            numbers.modulus.bit_length() > RSA_BITS_MAX
            or numbers.exponent.bit_length() > RSA_EXPONENT_BITS_MAX
        ):
            raise _malformed("RSA modulus or exponent too long")
        return rsa.RSAPublicNumbers(e=numbers.exponent, n=numbers.modulus).public_key()
    except (ValueError, OverflowError) as error:
        raise _malformed("RSA public key") from error


def _malformed(what: str) -> ChipError:
    return ChipError(ChipCode.SIG_ALG_UNSUPPORTED, f"malformed: {what}")
