"""Active authentication: does the chip hold the private key the state signed?

Owns the check of the chip's signature over a nonce of ours (Doc 9303-11, clause 6.1): ISO/IEC
9796-2 scheme 1 for RSA, plain ECDSA for curves, and the key and hash that DG15 and DG14 name.
Believes DG14 and DG15 only because the caller passes them after passive authentication. Knows
nothing of sessions: a nonce that is fresh, ours and used once is the caller's care.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.data_group import unwrap
from biometrics.chip.files import ActiveEvidence
from biometrics.chip.public_key import RSA_BITS_MIN, SubjectKey, load_public_key
from biometrics.chip.signature_algorithm import (
    Scheme,
    SignatureAlgorithm,
    digest,
    read_signature_oid,
    verify_signature,
)

NONCE_OCTETS = 8
"""RND.IFD, Doc 9303-11, clause 6.1.1."""
EXCHANGES = (1, 4)
"""Nonces of one session. Four make 256 bits, as ZeroPass's port protocol has it."""

# ISO/IEC 9796-2:2010, clause 8: header 01, more-data bit 1, then the padding nibble.
HEADER_PARTIAL_RECOVERY = 0x6A
TRAILER_SHA1 = 0xBC
TRAILER_EXPLICIT = 0xCC
TRAILER_HASHES: Mapping[int, hashes.HashAlgorithm] = {
    0x34: hashes.SHA256(),
    0x35: hashes.SHA512(),
    0x36: hashes.SHA384(),
    0x38: hashes.SHA224(),
}
"""ISO/IEC 10118-3 hash identifiers before the octet CC."""

_LAST_NIBBLE, _LAST_NIBBLE_SIGNED = 16, 12
_TAG_SET = 0x31
_TAG_SEQUENCE = 0x30
_SECURITY_INFO_ELEMENTS = (2, 3)
_ACTIVE_INFO_ELEMENTS = 3


def authenticate_actively(
    evidence: ActiveEvidence, *, dg15: bytes, dg14: bytes | None = None
) -> str:
    """Check the chip's answer; return a description of how it was signed.

    Args:
        evidence: Nonce and answer.
        dg15: The chip's public key; passive authentication must cover it.
        dg14: Names the hash of an ECDSA answer; passive authentication must cover it.

    Raises:
        ChipError: AA_NONCE_UNKNOWN unless there are one or four nonces of eight octets, all
            different; AA_WEAK, AA_SIG_LENGTH,
            AA_HEADER, AA_TRAILER, AA_DIGEST; SIG_ALG_UNSUPPORTED when DG14 names no ECDSA hash;
            DG14_MALFORMED, DG15_MALFORMED, TLV_*, EC_PARAM_MISMATCH, UNSUPPORTED_CURVE.
    """
    exchanges = _split_exchanges(evidence)
    subject = load_public_key(parse_dg15(dg15))
    for exchange in exchanges:
        if isinstance(subject.key, rsa.RSAPublicKey):
            signed = _verify_rsa(subject.key, exchange)
        else:
            signed = _verify_ecdsa(subject, subject.key, exchange, dg14)
    return signed if len(exchanges) == 1 else f"{signed}, {len(exchanges)} times"


def _split_exchanges(evidence: ActiveEvidence) -> tuple[ActiveEvidence, ...]:
    """Return each nonce with its answer; answers are as many, and of one length."""
    count, rest = divmod(len(evidence.nonce), NONCE_OCTETS)
    nonces = [evidence.nonce[i * NONCE_OCTETS :][:NONCE_OCTETS] for i in range(count)]
    if rest or count not in EXCHANGES or len(set(nonces)) != count:
        raise ChipError(
            ChipCode.AA_NONCE_UNKNOWN,
            f"{len(evidence.nonce)} octets are not one nonce or four different ones",
        )
    octets, rest = divmod(len(evidence.signature), count)
    if rest:
        raise ChipError(
            ChipCode.AA_SIG_LENGTH, f"{len(evidence.signature)} octets are not {count} answers"
        )
    return tuple(
        ActiveEvidence(nonce=nonce, signature=evidence.signature[i * octets :][:octets])
        for i, nonce in enumerate(nonces)
    )


def parse_dg15(data: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo in the file DG15, DER.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG15_MALFORMED.
    """
    key = tlv.read_one(unwrap(15, data, malformed=ChipCode.DG15_MALFORMED))
    if key.tag != _TAG_SEQUENCE:
        raise ChipError(ChipCode.DG15_MALFORMED, f"tag {key.tag:X} inside")
    return key.raw


def parse_dg14(data: bytes) -> Mapping[str, tuple[bytes, ...]]:
    """Return the security infos in the file DG14: protocol to the DER of what follows it.

    Raises:
        ChipError: TLV_*, DG_TRAILING_DATA, DG14_MALFORMED.
    """
    infos = tlv.read_one(unwrap(14, data, malformed=ChipCode.DG14_MALFORMED))
    if infos.tag != _TAG_SET:
        raise ChipError(ChipCode.DG14_MALFORMED, f"tag {infos.tag:X} inside")
    found: dict[str, tuple[bytes, ...]] = {}
    for info in tlv.read_all(infos.value):
        parts = tlv.read_all(info.value)
        if info.tag != _TAG_SEQUENCE or len(parts) not in _SECURITY_INFO_ELEMENTS:
            raise ChipError(ChipCode.DG14_MALFORMED, "a security info")
        protocol = _read_protocol(parts[0])
        if protocol == oids.ACTIVE_AUTHENTICATION and protocol in found:
            # A reader that takes the first and one that takes the last would ask for two hashes.
            raise ChipError(ChipCode.DG14_MALFORMED, "active authentication twice")
        found[protocol] = tuple(part.raw for part in parts[1:])
    return found


def find_ecdsa_algorithm(dg14: bytes | None) -> SignatureAlgorithm:
    """Return the algorithm of ActiveAuthenticationInfo (Doc 9303-11, clause 6.1.2).

    Raises:
        ChipError: SIG_ALG_UNSUPPORTED when there is none or it is not plain ECDSA; as `parse_dg14`.
    """
    infos = parse_dg14(dg14) if dg14 is not None else {}
    parts = infos.get(oids.ACTIVE_AUTHENTICATION, ())
    if len(parts) != _ACTIVE_INFO_ELEMENTS - 1:
        raise ChipError(
            ChipCode.SIG_ALG_UNSUPPORTED,
            "DG14 names no algorithm for an ECDSA answer",
            result=CheckResult.NOT_SUPPORTED,
        )
    algorithm = read_signature_oid(_read_protocol(tlv.read_one(parts[1])))
    if algorithm.scheme is not Scheme.ECDSA_PLAIN:
        raise ChipError(ChipCode.SIG_ALG_KEY_MISMATCH, f"{algorithm.scheme.name} named by DG14")
    return algorithm


def _read_protocol(element: tlv.TLV) -> str:
    try:
        return oids.read_oid(element.raw)
    except ValueError as error:
        raise ChipError(ChipCode.DG14_MALFORMED, "an object identifier") from error


def _verify_rsa(key: rsa.RSAPublicKey, evidence: ActiveEvidence) -> str:
    """Open an ISO/IEC 9796-2 scheme 1 signature and compare the hash inside.

    SHA-1 in the trailer BC is accepted, unlike everywhere else: half the world's chips sign so, and
    a forger who cannot choose the nonce gains nothing from a collision.
    """
    if key.key_size < RSA_BITS_MIN:
        raise ChipError(ChipCode.AA_WEAK, f"RSA key of {key.key_size} bits")
    block = _recover(key.public_numbers(), evidence.signature)
    if block[0] != HEADER_PARTIAL_RECOVERY:
        raise ChipError(ChipCode.AA_HEADER, f"header {block[0]:02X}")
    algorithm, trailer_octets = _read_trailer(block)
    hash_start = len(block) - trailer_octets - algorithm.digest_size
    # The header's padding nibble ends at once, so all between it and the hash is M1.
    recovered, hashed = block[1:hash_start], block[hash_start : hash_start + algorithm.digest_size]
    if digest(recovered + evidence.nonce, algorithm) != hashed:
        raise ChipError(ChipCode.AA_DIGEST, f"{algorithm.name} over another nonce")
    return f"RSA {key.key_size} {algorithm.name}"


def _recover(numbers: rsa.RSAPublicNumbers, signature: bytes) -> bytes:
    """Return the signed block (ISO/IEC 9796-2, annex A.4): s^e mod n, or n less that."""
    modulus = numbers.n
    octets = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature)
    if len(signature) != octets or value >= modulus:
        raise ChipError(ChipCode.AA_SIG_LENGTH, f"{len(signature)} octets, {octets} expected")
    opened = pow(value, numbers.e, modulus)
    if opened % _LAST_NIBBLE != _LAST_NIBBLE_SIGNED:
        opened = modulus - opened
    return opened.to_bytes(octets)


def _read_trailer(block: bytes) -> tuple[hashes.HashAlgorithm, int]:
    """Return the hash that the end of the block names, and how many octets name it."""
    if block[-1] == TRAILER_SHA1:
        return hashes.SHA1(), 1  # noqa: S303 - see _verify_rsa
    algorithm = TRAILER_HASHES.get(block[-2]) if block[-1] == TRAILER_EXPLICIT else None
    if algorithm is None:
        raise ChipError(ChipCode.AA_TRAILER, f"trailer {block[-2:].hex().upper()}")
    return algorithm, 2


def _verify_ecdsa(
    subject: SubjectKey,
    key: ec.EllipticCurvePublicKey,
    evidence: ActiveEvidence,
    dg14: bytes | None,
) -> str:
    algorithm = find_ecdsa_algorithm(dg14)
    octets = 2 * ((key.key_size + 7) // 8)
    if len(evidence.signature) != octets:
        raise ChipError(
            ChipCode.AA_SIG_LENGTH, f"{len(evidence.signature)} octets, {octets} expected"
        )
    if not verify_signature(subject, algorithm, signature=evidence.signature, data=evidence.nonce):
        raise ChipError(ChipCode.AA_DIGEST, f"{algorithm.hash.name} over another nonce")
    return f"ECDSA {key.curve.name} {algorithm.hash.name}"
