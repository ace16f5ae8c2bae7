"""Hash and signature algorithms: what an AlgorithmIdentifier asks for, and doing it.

Owns the tables of the algorithms that issuers use (Doc 9303-12, clause 4.4) and one verification
function. What is weak is said here once. Knows nothing of what is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import ObjectIdentifier

from biometrics.chip import tlv
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.object_identifiers import MGF1, RSA_ENCRYPTION, RSASSA_PSS, read_oid
from biometrics.chip.public_key import RSA_BITS_MAX, PublicKey, SubjectKey

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.2.5": hashes.MD5(),  # noqa: S303 - named only to be refused as weak
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303 - refused as weak unless a policy declares it
    "2.16.840.1.101.3.4.2.4": hashes.SHA224(),
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
"""RFC 5754, clause 2; RFC 3370, clause 2. MD5 and SHA-1 are known so that they can be refused."""

SHA1_NAME = hashes.SHA1.name
_SHA1 = "1.3.14.3.2.26"
_PSS_SALT_OCTETS_DEFAULT = 20
_PSS_SALT_OCTETS_MAX = RSA_BITS_MAX // 8  # no modulus has room for more
_PSS_TRAILER = 1
_NULL = b"\x05\x00"
_ALGORITHM_ELEMENTS_MAX = 2


class Scheme(Enum):
    """How a hash is turned into a signature."""

    RSA_PKCS1 = auto()
    RSA_PSS = auto()
    ECDSA = auto()
    ECDSA_PLAIN = auto()  # r and s side by side: BSI TR-03111, clause 5.2.1


_ANY_HASH = None
_SIGNATURES: Mapping[str, tuple[Scheme, hashes.HashAlgorithm | None]] = {
    # RFC 8017, appendix A.2.4. The bare rsaEncryption takes the hash of the SignerInfo.
    RSA_ENCRYPTION: (Scheme.RSA_PKCS1, _ANY_HASH),
    "1.2.840.113549.1.1.4": (Scheme.RSA_PKCS1, hashes.MD5()),  # noqa: S303 - refused as weak
    "1.2.840.113549.1.1.5": (Scheme.RSA_PKCS1, hashes.SHA1()),  # noqa: S303 - refused as weak
    "1.2.840.113549.1.1.14": (Scheme.RSA_PKCS1, hashes.SHA224()),
    "1.2.840.113549.1.1.11": (Scheme.RSA_PKCS1, hashes.SHA256()),
    "1.2.840.113549.1.1.12": (Scheme.RSA_PKCS1, hashes.SHA384()),
    "1.2.840.113549.1.1.13": (Scheme.RSA_PKCS1, hashes.SHA512()),
    # RFC 5758, clause 3.2.
    "1.2.840.10045.4.1": (Scheme.ECDSA, hashes.SHA1()),  # noqa: S303 - refused as weak
    "1.2.840.10045.4.3.1": (Scheme.ECDSA, hashes.SHA224()),
    "1.2.840.10045.4.3.2": (Scheme.ECDSA, hashes.SHA256()),
    "1.2.840.10045.4.3.3": (Scheme.ECDSA, hashes.SHA384()),
    "1.2.840.10045.4.3.4": (Scheme.ECDSA, hashes.SHA512()),
    # BSI TR-03111, clause 5.2.1.1: ecdsa-plain-SHA1 to ecdsa-plain-SHA512.
    "0.4.0.127.0.7.1.1.4.1.1": (Scheme.ECDSA_PLAIN, hashes.SHA1()),  # noqa: S303 - refused as weak
    "0.4.0.127.0.7.1.1.4.1.2": (Scheme.ECDSA_PLAIN, hashes.SHA224()),
    "0.4.0.127.0.7.1.1.4.1.3": (Scheme.ECDSA_PLAIN, hashes.SHA256()),
    "0.4.0.127.0.7.1.1.4.1.4": (Scheme.ECDSA_PLAIN, hashes.SHA384()),
    "0.4.0.127.0.7.1.1.4.1.5": (Scheme.ECDSA_PLAIN, hashes.SHA512()),
}


@dataclass(frozen=True, kw_only=True)
class SignatureAlgorithm:
    """One signature algorithm with everything its parameters fix.

    Attributes:
        scheme: The signature scheme.
        hash: The hash that is signed.
        mask_hash: The hash inside MGF1; RSA_PSS only.
        salt_octets: Length of the salt; RSA_PSS only.
    """

    scheme: Scheme
    hash: hashes.HashAlgorithm
    mask_hash: hashes.HashAlgorithm | None = None
    salt_octets: int = 0


@asn1.sequence
class _HashIdentifier:
    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _MaskIdentifier:
    algorithm: ObjectIdentifier
    hash: _HashIdentifier


@asn1.sequence
class _PSSParameters:
    """RFC 8017, appendix A.2.3; optional for DEFAULT, because issuers write defaults out."""

    hash: Annotated[_HashIdentifier | None, asn1.Explicit(0)]
    mask: Annotated[_MaskIdentifier | None, asn1.Explicit(1)]
    salt_octets: Annotated[int | None, asn1.Explicit(2)]
    trailer: Annotated[int | None, asn1.Explicit(3)]


def find_hash(oid: str) -> hashes.HashAlgorithm | None:
    """Return the hash with this object identifier, or None when it is none we know."""
    return HASHES.get(oid)


def digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """Return the hash of `data`."""
    hasher = hashes.Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def require_strong_hash(algorithm: hashes.HashAlgorithm, *, allows_sha1: bool) -> None:
    """Refuse MD5 always, and SHA-1 unless a trust policy declares it as an issuer's quirk.

    Raises:
        ChipError: WEAK_HASH.
    """
    is_declared = allows_sha1 and isinstance(algorithm, hashes.SHA1)
    if isinstance(algorithm, (hashes.MD5, hashes.SHA1)) and not is_declared:
        raise ChipError(ChipCode.WEAK_HASH, f"hash {algorithm.name}")


def read_signature_algorithm(
    identifier: bytes, *, digest_algorithm: hashes.HashAlgorithm | None = None
) -> SignatureAlgorithm:
    """Read one DER AlgorithmIdentifier of a signature.

    Args:
        identifier: The AlgorithmIdentifier. NULL where ECDSA wants nothing is let pass: CSCAs in
            national master lists write it.
        digest_algorithm: The SignerInfo's digest algorithm, which the bare rsaEncryption uses.
            Certificates have none, so there rsaEncryption is refused.

    Raises:
        ChipError: SIG_ALG_UNSUPPORTED for an algorithm or parameters we do not verify.
    """
    oid, parameters = _split(identifier)
    if oid == RSASSA_PSS:
        return _read_pss(parameters)
    scheme, fixed = _SIGNATURES.get(oid, (None, None))
    algorithm = fixed or digest_algorithm
    if scheme is None or algorithm is None or parameters not in (None, _NULL):
        raise _unsupported(f"signature algorithm {oid}")
    return SignatureAlgorithm(scheme=scheme, hash=algorithm)


def read_signature_oid(oid: str) -> SignatureAlgorithm:
    """Return the algorithm an object identifier names without parameters (DG14, clause 6.1.2).

    Raises:
        ChipError: SIG_ALG_UNSUPPORTED.
    """
    scheme, algorithm = _SIGNATURES.get(oid, (None, None))
    if scheme is None or algorithm is None:
        raise _unsupported(f"signature algorithm {oid}")
    return SignatureAlgorithm(scheme=scheme, hash=algorithm)


def verify_signature(
    subject: SubjectKey, algorithm: SignatureAlgorithm, *, signature: bytes, data: bytes
) -> bool:
    """Tell whether `signature` over `data` is the key's.

    Raises:
        ChipError: SIG_ALG_KEY_MISMATCH when the algorithm is not one for this kind of key.
    """
    _require_fit(subject, algorithm)
    try:
        _verify(subject.key, algorithm, signature, data)
    except (InvalidSignature, ValueError):
        # ValueError: a plain ECDSA signature of the wrong size, a hash too long for the modulus.
        return False
    return True


def _verify(key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, data: bytes) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, _rsa_padding(algorithm), algorithm.hash)
        return
    if algorithm.scheme is Scheme.ECDSA_PLAIN:
        signature = plain_to_der(signature, key)
    key.verify(signature, data, ec.ECDSA(algorithm.hash))


def plain_to_der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """Turn r || s (BSI TR-03111, clause 5.2.1) into the ECDSA-Sig-Value of RFC 5480.

    Raises:
        ValueError: when it is not exactly twice as long as the order of the curve.
    """
    half = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * half:
        raise ValueError("a plain signature is two numbers as long as the curve's order")
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


def _rsa_padding(algorithm: SignatureAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.mask_hash is None:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(algorithm.mask_hash), salt_length=algorithm.salt_octets)


def _require_fit(subject: SubjectKey, algorithm: SignatureAlgorithm) -> None:
    if isinstance(subject.key, rsa.RSAPublicKey):
        fitting = {Scheme.RSA_PSS} if subject.is_pss_only else {Scheme.RSA_PSS, Scheme.RSA_PKCS1}
    else:
        fitting = {Scheme.ECDSA, Scheme.ECDSA_PLAIN}
    if algorithm.scheme not in fitting:
        kind = type(subject.key).__name__
        raise ChipError(ChipCode.SIG_ALG_KEY_MISMATCH, f"{algorithm.scheme.name} with a {kind}")


def _read_pss(parameters: bytes | None) -> SignatureAlgorithm:
    try:
        decoded = asn1.decode_der(_PSSParameters, parameters or b"")
    except ValueError as error:
        raise _unsupported("malformed RSASSA-PSS parameters") from error
    mask_hash = None
    if decoded.mask is None:
        mask_hash = HASHES[_SHA1]
    elif decoded.mask.algorithm.dotted_string == MGF1:
        mask_hash = _read_hash(decoded.mask.hash)
    salt = _PSS_SALT_OCTETS_DEFAULT if decoded.salt_octets is None else decoded.salt_octets
    is_salt_possible = 0 <= salt <= _PSS_SALT_OCTETS_MAX
    if mask_hash is None or decoded.trailer not in (None, _PSS_TRAILER) or not is_salt_possible:
        raise _unsupported("RSASSA-PSS parameters")
    return SignatureAlgorithm(
        scheme=Scheme.RSA_PSS,
        hash=HASHES[_SHA1] if decoded.hash is None else _read_hash(decoded.hash),
        mask_hash=mask_hash,
        salt_octets=salt,
    )


def _read_hash(identifier: _HashIdentifier) -> hashes.HashAlgorithm:
    algorithm = find_hash(identifier.algorithm.dotted_string)
    if algorithm is None:
        raise _unsupported(f"hash {identifier.algorithm.dotted_string}")
    return algorithm


def _split(identifier: bytes) -> tuple[str, bytes | None]:
    """Return the object identifier and the parameters as DER."""
    try:
        elements = tlv.read_all(tlv.read_one(identifier).value)
        if not 1 <= len(elements) <= _ALGORITHM_ELEMENTS_MAX:
            raise _unsupported("malformed algorithm identifier")
        return read_oid(elements[0].raw), elements[1].raw if len(elements) > 1 else None
    except ValueError as error:
        raise _unsupported("malformed algorithm identifier") from error


def _unsupported(what: str) -> ChipError:
    return ChipError(ChipCode.SIG_ALG_UNSUPPORTED, what, result=CheckResult.NOT_SUPPORTED)
