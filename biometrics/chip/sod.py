"""EF.SOD: the document security object, and the signed list of hashes inside it.

Owns the file's tag and bounds and the LDSSecurityObject (Doc 9303-10, clause 4.6.2). The CMS
envelope is `signed_data`'s, the judgement `passive`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ObjectIdentifier

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.policy import Quirk, TrustPolicy
from biometrics.chip.signature_algorithm import find_hash, require_strong_hash
from biometrics.chip.signed_data import SignedData, read_signed_data

SOD_OCTETS_MAX = 16 * 1024
"""A bound on work: real ones have 1.5 to 3 KB."""
TAG_SOD = 0x77
"""Doc 9303-10, table 38."""
DATA_GROUP_NUMBERS = range(1, 17)
"""Doc 9303-10, clause 4.6.2.3: DataGroupNumber."""

STANDARD = TrustPolicy()
"""Declares no departure from the standard."""
QUIRKS: Mapping[str, Quirk] = {
    oids.DATA: Quirk.ID_DATA_CONTENT,
    **dict.fromkeys(oids.LEGACY_SECURITY_OBJECTS, Quirk.LEGACY_CONTENT),
}
"""Content types in place of the LDS security object's, and what declares each."""

_LDS_VERSION_WITH_INFO = 1
"""LDSSecurityObject v1 carries ldsVersionInfo (LDS 1.8), v0 does not."""


@asn1.sequence
class _HashIdentifier:
    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _DataGroupHash:
    number: int
    value: bytes


@asn1.sequence
class _VersionInfo:
    lds_version: asn1.PrintableString
    unicode_version: asn1.PrintableString


@asn1.sequence
class _LDSSecurityObject:
    version: int
    hash_algorithm: _HashIdentifier
    hashes: list[_DataGroupHash]
    version_info: _VersionInfo | None


@dataclass(frozen=True, kw_only=True)
class SecurityObject:
    """The hashes a state signed.

    Attributes:
        algorithm: With which every data group was hashed.
        hashes: The hash of each data group of the document, by number 1 to 16.
    """

    algorithm: hashes.HashAlgorithm
    hashes: Mapping[int, bytes]


def read_sod(data: bytes, *, policy: TrustPolicy = STANDARD) -> SignedData:
    """Read EF.SOD down to its CMS envelope.

    Args:
        data: The file.
        policy: May declare other content types for the issuer that the signer names.

    Raises:
        ChipError: TLV_*, SOD_TAG, SOD_TRAILING_DATA, SOD_CONTENT_TYPE, and as `read_signed_data`.
    """
    if len(data) > SOD_OCTETS_MAX:
        raise ChipError(ChipCode.TLV_LENGTH, f"EF.SOD of {len(data)} octets")
    outer = tlv.read_first(data)
    if outer.tag != TAG_SOD:
        raise ChipError(ChipCode.SOD_TAG, f"tag {outer.tag:X}")
    if len(outer.raw) != len(data):
        raise ChipError(
            ChipCode.SOD_TRAILING_DATA, f"{len(data) - len(outer.raw)} octets after the object"
        )
    signed = read_signed_data(outer.value)
    quirk = QUIRKS.get(signed.content_type)
    issuer = signed.signer.issuer
    is_declared = quirk and issuer and policy.has_quirk(quirk, issuer.countries)
    if signed.content_type != oids.LDS_SECURITY_OBJECT and not is_declared:
        raise ChipError(ChipCode.SOD_CONTENT_TYPE, f"content is {signed.content_type}")
    return signed


def read_security_object(content: bytes, *, allows_sha1: bool = False) -> SecurityObject:
    """Read the LDSSecurityObject that the signer signed.

    Raises:
        ChipError: LDS_MALFORMED, LDS_VERSION, LDS_HASH_ALG, LDS_DG_NUMBER, LDS_DUPLICATE_DG,
            LDS_HASH_LENGTH, WEAK_HASH.
    """
    try:
        decoded = asn1.decode_der(_LDSSecurityObject, content)
    except ValueError as error:
        raise ChipError(ChipCode.LDS_MALFORMED, "not strict DER of an LDSSecurityObject") from error
    has_info = decoded.version_info is not None
    if decoded.version not in (0, _LDS_VERSION_WITH_INFO) or has_info != bool(decoded.version):
        # Numbers of a stranger are not written down: Python refuses to spell out long ones.
        raise ChipError(ChipCode.LDS_VERSION, f"unknown, or one without its info: {has_info}")
    algorithm = find_hash(decoded.hash_algorithm.algorithm.dotted_string)
    if algorithm is None:
        raise ChipError(
            ChipCode.LDS_HASH_ALG, f"hash {decoded.hash_algorithm.algorithm.dotted_string}"
        )
    require_strong_hash(algorithm, allows_sha1=allows_sha1)
    return SecurityObject(algorithm=algorithm, hashes=_index(decoded.hashes, algorithm.digest_size))


def _index(entries: list[_DataGroupHash], digest_octets: int) -> Mapping[int, bytes]:
    indexed: dict[int, bytes] = {}
    for entry in entries:
        if entry.number not in DATA_GROUP_NUMBERS:
            raise ChipError(ChipCode.LDS_DG_NUMBER, "a data group that does not exist")
        if entry.number in indexed:
            # A reader that takes the first and a reader that takes the last see two documents.
            raise ChipError(ChipCode.LDS_DUPLICATE_DG, f"data group {entry.number} twice")
        if len(entry.value) != digest_octets:
            raise ChipError(ChipCode.LDS_HASH_LENGTH, f"hash of {len(entry.value)} octets")
        indexed[entry.number] = entry.value
    if not indexed:
        raise ChipError(ChipCode.LDS_MALFORMED, "no hash")
    return indexed
