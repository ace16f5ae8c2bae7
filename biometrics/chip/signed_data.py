"""CMS SignedData with exactly one signer: the envelope of EF.SOD and of master lists.

Owns the reading of the envelope (RFC 5652, clause 5) and the proof that its content is what the
signer signed. The envelope itself may be BER (New Zealand writes indefinite lengths), so
asn1crypto reads it, after `tlv.check_ber` has bounded it; everything a signature covers goes
through strict readers. Knows nothing of data groups and trusts nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from asn1crypto import cms, core, parser
from cryptography.hazmat import asn1

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.certificate import Certificate
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.names import DistinguishedName, read_name
from biometrics.chip.public_key import require_strong_key
from biometrics.chip.signature_algorithm import (
    digest,
    find_hash,
    read_signature_algorithm,
    require_strong_hash,
    verify_signature,
)

CERTIFICATES_MAX = 4
"""Doc 9303-10 asks for one; chains of a signer and its authority are seen."""
SIGNED_DATA_VERSIONS = (3,)
"""RFC 5652, clause 5.1: the content type is not id-data."""
DATA_VERSIONS = (1, 3)
"""The same clause, when it is and the signer is named by serial number or by key."""

_SIGNER_VERSIONS: Mapping[str, int] = {"issuer_and_serial_number": 1, "subject_key_identifier": 3}
"""RFC 5652, clause 5.3."""
_TAG_SIGNED_ATTRIBUTES = 0xA0
_TAG_SET = 0x31
_TAG_SEQUENCE = 0x30
_ATTRIBUTE_ELEMENTS = 2


@dataclass(frozen=True, kw_only=True)
class SignerIdentifier:
    """How a SignerInfo names its certificate: by issuer and serial number, or by key."""

    issuer: DistinguishedName | None = None
    serial: int | None = None
    key_identifier: bytes | None = None

    def is_for(self, certificate: Certificate) -> bool:
        """Tell whether this names the certificate."""
        if self.issuer is None:
            return self.key_identifier == certificate.subject_key_identifier
        return self.serial == certificate.serial and self.issuer.is_same(certificate.issuer)


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """One envelope, not yet verified.

    Attributes:
        content_type: Dotted object identifier of the content.
        content: The content octets, which the signer hashed.
        certificates: DER of the certificates that came along, in their order; anyone can add one.
        signer: Which certificate the signer names.
        digest_oid: The signer's digest algorithm.
        signed_attributes: As received, from the tag [0] on; None when absent.
        signature_algorithm: AlgorithmIdentifier as received.
    """

    content_type: str
    content: bytes
    certificates: tuple[bytes, ...]
    signer: SignerIdentifier
    digest_oid: str
    signed_attributes: bytes | None
    signature_algorithm: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class SignedAttributes:
    """What the signature is over, in place of the content.

    Attributes:
        signed_octets: What was signed: the attributes as received, tagged SET OF.
        content_type: Dotted object identifier.
        message_digest: Hash of the content.
    """

    signed_octets: bytes
    content_type: str
    message_digest: bytes


def read_signed_data(data: bytes) -> SignedData:
    """Read one ContentInfo that fills `data`.

    Raises:
        ChipError: TLV_* for a broken tree, SOD_MALFORMED for another structure, SOD_TRAILING_DATA
            for elements the standard does not have, SOD_VERSION, SOD_CONTENT_TYPE,
            SOD_SIGNER_COUNT, and SOD_SIGNER_CERT for more than CERTIFICATES_MAX certificates.
    """
    tlv.check_ber(data)
    try:
        return _read(cms.ContentInfo.load(data, strict=True))
    except ChipError:
        raise
    except Exception as error:
        raise ChipError(ChipCode.SOD_MALFORMED, "the CMS structure is broken") from error


def _read(info: cms.ContentInfo) -> SignedData:
    if info["content_type"].dotted != oids.SIGNED_DATA:
        raise ChipError(ChipCode.SOD_CONTENT_TYPE, "the envelope is not SignedData")
    _refuse_extra(info)
    _refuse_beside_content(info)
    signed: cms.SignedData = info["content"]
    _refuse_extra(signed)
    content_info = signed["encap_content_info"]
    is_data = content_info["content_type"].dotted == oids.DATA
    _require_version(signed["version"], DATA_VERSIONS if is_data else SIGNED_DATA_VERSIONS)
    if len(signed["signer_infos"]) != 1:
        raise ChipError(ChipCode.SOD_SIGNER_COUNT, f"{len(signed['signer_infos'])} signers")
    _refuse_extra(content_info)
    _refuse_beside_content(content_info)
    for listed in signed["digest_algorithms"]:
        _refuse_extra(listed)
    signer = signed["signer_infos"][0]
    _refuse_extra(signer)
    _refuse_extra(signer["digest_algorithm"])
    _require_version(signer["version"], (_SIGNER_VERSIONS[signer["sid"].name],))
    attributes = signer["signed_attrs"]
    return SignedData(
        content_type=content_info["content_type"].dotted,
        content=_read_content(content_info["content"]),
        certificates=_read_certificates(signed["certificates"]),
        signer=_read_signer(signer["sid"]),
        digest_oid=signer["digest_algorithm"]["algorithm"].dotted,
        signed_attributes=attributes.dump() if isinstance(attributes, core.SetOf) else None,
        signature_algorithm=signer["signature_algorithm"].dump(),
        signature=bytes(signer["signature"].native),
    )


def _refuse_extra(sequence: core.Sequence) -> None:
    """Refuse elements after those the standard has; asn1crypto lets them pass."""
    present = sum(not isinstance(sequence[name], core.Void) for name in sequence)
    count = len(_split(sequence.contents))
    if count != present:
        raise ChipError(
            ChipCode.SOD_TRAILING_DATA, f"{type(sequence).__name__} has {count} elements"
        )


def _refuse_beside_content(sequence: core.Sequence) -> None:
    """Refuse elements beside the one that the tag [0] around a content holds."""
    *_, last = _split(sequence.contents)
    _, _, _, _, wrapped, _ = parser.parse(last)
    if isinstance(sequence["content"], core.Void) or len(_split(wrapped)) == 1:
        return
    raise ChipError(
        ChipCode.SOD_TRAILING_DATA, f"{type(sequence).__name__} has more than one content"
    )


def _split(contents: bytes) -> list[bytes]:
    """Return the BER elements that follow each other."""
    elements, at = [], 0
    while at < len(contents):
        end = at + parser.peek(contents[at:])
        elements.append(contents[at:end])
        at = end
    return elements


def _require_version(version: core.Integer, expected: tuple[int, ...]) -> None:
    found = int.from_bytes(version.contents, signed=True)
    if found not in expected:
        raise ChipError(ChipCode.SOD_VERSION, f"version {found}, expected {expected}")


def _read_content(content: core.Asn1Value) -> bytes:
    if not isinstance(content, (core.OctetString, core.ParsableOctetString)):
        raise ChipError(ChipCode.SOD_MALFORMED, "no content inside the envelope")
    return bytes(content)


def _read_certificates(certificates: core.Asn1Value) -> tuple[bytes, ...]:
    if isinstance(certificates, core.Void):
        return ()
    if len(certificates) > CERTIFICATES_MAX:
        raise ChipError(ChipCode.SOD_SIGNER_CERT, f"{len(certificates)} certificates")
    return tuple(choice.chosen.dump() for choice in certificates)


def _read_signer(identifier: cms.SignerIdentifier) -> SignerIdentifier:
    chosen = identifier.chosen
    if identifier.name == "subject_key_identifier":
        return SignerIdentifier(key_identifier=bytes(chosen.native))
    _refuse_extra(chosen)
    return SignerIdentifier(
        issuer=read_name(chosen["issuer"].dump()), serial=int(chosen["serial_number"].native)
    )


def read_signed_attributes(signed: SignedData) -> SignedAttributes:
    """Read the signed attributes and check that they speak of this content type.

    Raises:
        ChipError: SIGNED_ATTRS_MISSING when there are none or a mandatory one is missing,
            SIGNED_ATTR_DUPLICATE, SIGNED_ATTR_CONTENT_TYPE, SOD_MALFORMED.
    """
    if signed.signed_attributes is None:
        raise ChipError(ChipCode.SIGNED_ATTRS_MISSING, "the signer signed no attributes")
    try:
        attributes = _index_attributes(signed.signed_attributes)
        content_type, message_digest = (
            attributes.get(oids.CONTENT_TYPE),
            attributes.get(oids.MESSAGE_DIGEST),
        )
        if content_type is None or message_digest is None:
            raise ChipError(ChipCode.SIGNED_ATTRS_MISSING, "contentType or messageDigest")
        attribute_type = oids.read_oid(content_type)
        hashed: bytes = asn1.decode_der(bytes, message_digest)
    except ValueError as error:
        raise ChipError(ChipCode.SOD_MALFORMED, "signed attributes") from error
    if attribute_type != signed.content_type:
        raise ChipError(ChipCode.SIGNED_ATTR_CONTENT_TYPE, f"attribute says {attribute_type}")
    return SignedAttributes(
        # RFC 5652, clause 5.4: signed under the tag of SET OF, not under the [0] they travel with.
        signed_octets=bytes([_TAG_SET]) + signed.signed_attributes[1:],
        content_type=attribute_type,
        message_digest=hashed,
    )


def _index_attributes(encoded: bytes) -> Mapping[str, bytes]:
    """Return the one value of each attribute, by type."""
    attributes: dict[str, bytes] = {}
    for attribute in tlv.read_all(tlv.read_one(encoded).value):
        parts = tlv.read_all(attribute.value)
        if attribute.tag != _TAG_SEQUENCE or len(parts) != _ATTRIBUTE_ELEMENTS:
            raise ChipError(ChipCode.SOD_MALFORMED, "a signed attribute")
        oid, values = oids.read_oid(parts[0].raw), tlv.read_all(parts[1].value)
        if parts[1].tag != _TAG_SET:
            raise ChipError(ChipCode.SOD_MALFORMED, "a signed attribute without a set of values")
        if oid in attributes or len(values) != 1:
            raise ChipError(ChipCode.SIGNED_ATTR_DUPLICATE, f"{len(values)} values for {oid}")
        attributes[oid] = values[0].raw
    return attributes


def check_message_digest(
    signed: SignedData, attributes: SignedAttributes, *, allows_sha1: bool
) -> bytes:
    """Return the content once its hash is the one in the signed attributes.

    Raises:
        ChipError: SOD_MESSAGE_DIGEST, WEAK_HASH, or SIG_ALG_UNSUPPORTED for an unknown hash.
    """
    algorithm = find_hash(signed.digest_oid)
    if algorithm is None:
        raise ChipError(ChipCode.SIG_ALG_UNSUPPORTED, f"digest algorithm {signed.digest_oid}")
    require_strong_hash(algorithm, allows_sha1=allows_sha1)
    if digest(signed.content, algorithm) != attributes.message_digest:
        raise ChipError(ChipCode.SOD_MESSAGE_DIGEST, f"{algorithm.name} of the content differs")
    return signed.content


def check_signature(
    signed: SignedData, attributes: SignedAttributes, signer: Certificate, *, allows_sha1: bool
) -> str:
    """Return a description of the signature once it is the signer's.

    Raises:
        ChipError: SOD_SIGNATURE_INVALID, or what the algorithm or the key is refused for.
    """
    algorithm = read_signature_algorithm(
        signed.signature_algorithm, digest_algorithm=find_hash(signed.digest_oid)
    )
    require_strong_hash(algorithm.hash, allows_sha1=allows_sha1)
    subject = signer.subject_key
    require_strong_key(subject.key)
    if not verify_signature(
        subject, algorithm, signature=signed.signature, data=attributes.signed_octets
    ):
        raise ChipError(ChipCode.SOD_SIGNATURE_INVALID, algorithm.scheme.name)
    return f"{algorithm.scheme.name} {algorithm.hash.name}"


def hashes_of(signed: SignedData) -> frozenset[str]:
    """Return the names of the hashes its signer used, for content and attributes.

    Raises:
        ChipError: SIG_ALG_UNSUPPORTED.
    """
    used = find_hash(signed.digest_oid)
    algorithm = read_signature_algorithm(signed.signature_algorithm, digest_algorithm=used)
    return frozenset({algorithm.hash.name} | ({used.name} if used else set()))
