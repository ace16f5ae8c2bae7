"""X.509 certificates of document signers and country signing authorities, read strictly.

Owns the reading of one certificate (RFC 5280; profile of Doc 9303-12, clause 7.1) and of the few
extensions that trust depends on. Judges nothing: `trust`, `issuance` and `passive` do.

`cryptography.x509` refuses certificates that states really use (explicit curves, NULL beside an
ECDSA identifier), hence a reader of our own on its strict DER decoder.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ObjectIdentifier

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.codes import ChipError
from biometrics.chip.dates import as_utc
from biometrics.chip.names import DistinguishedName, read_name
from biometrics.chip.public_key import SubjectKey, load_public_key

CERTIFICATE_OCTETS_MAX = 8192
"""A bound on work: the largest of 433 real certificates has 2.4 KB."""

VERSIONS = (1, 2, 3)
"""RFC 5280, clause 4.1.2.1."""

_TAG_VERSION = 0xA0
_TAG_KEY_IDENTIFIER = 0x80
_TAG_BOOLEAN = 0x01
_TAG_SET = 0x31
_TAG_PRINTABLE_STRING = 0x13
_DIGITAL_SIGNATURE, _KEY_CERT_SIGN, _CRL_SIGN = 0x80, 0x04, 0x02


@asn1.sequence
class _Validity:
    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class _Extension:
    oid: ObjectIdentifier
    # Optional for DEFAULT FALSE, here and in the version: some issuers write defaults out.
    is_critical: bool | None
    value: bytes


@asn1.sequence
class _TBSCertificate:
    version: Annotated[int | None, asn1.Explicit(0)]
    serial: int
    signature_algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: _Validity
    subject: asn1.TLV
    spki: asn1.TLV
    issuer_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    tbs: _TBSCertificate
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class _PrivateKeyUsagePeriod:
    not_before: Annotated[asn1.GeneralizedTime | None, asn1.Implicit(0)]
    not_after: Annotated[asn1.GeneralizedTime | None, asn1.Implicit(1)]


@dataclass(frozen=True, kw_only=True)
class Extension:
    """One extension: the DER inside its OCTET STRING, and whether it must be understood."""

    is_critical: bool
    value: bytes


@dataclass(frozen=True, kw_only=True)
class KeyUsage:
    """RFC 5280, clause 4.2.1.3, as far as documents use it."""

    is_critical: bool
    is_digital_signature_only: bool
    has_key_cert_sign: bool
    has_crl_sign: bool


@dataclass(frozen=True, eq=False)
class Certificate:
    """One certificate, every field as its issuer signed it. Equal are two of the same octets.

    Attributes:
        der: The whole certificate as received.
        tbs: The signed octets.
        version: 3 for X.509 v3.
        serial: Serial number; real ones are up to 20 octets and sometimes negative.
        not_before: First instant of validity, aware UTC.
        not_after: Last instant of validity, aware UTC.
        spki: DER SubjectPublicKeyInfo.
        signature_algorithm: DER AlgorithmIdentifier.
        extensions: By dotted object identifier.
    """

    der: bytes
    tbs: bytes
    version: int
    serial: int
    issuer: DistinguishedName
    subject: DistinguishedName
    not_before: datetime
    not_after: datetime
    spki: bytes
    signature_algorithm: bytes
    signature: bytes
    extensions: Mapping[str, Extension]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @cached_property
    def sha256(self) -> bytes:
        """By which people tell certificates apart: SHA-256 of the whole, 32 octets."""
        return hashlib.sha256(self.der).digest()

    @cached_property
    def subject_key(self) -> SubjectKey:
        """The public key.

        Raises:
            ChipError: as `load_public_key`.
        """
        return load_public_key(self.spki)

    @cached_property
    def key_octets(self) -> bytes:
        """The key in one way of writing it: curves are named or written out, points compressed.

        As it was sent where it cannot be loaded: nothing is ever verified with such a key.
        """
        try:
            key = self.subject_key.key
        except ChipError:
            return self.spki
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def has_key_of(self, other: "Certificate") -> bool:
        """Tell whether both certify one key, however each writes it."""
        return self.key_octets == other.key_octets

    @cached_property
    def subject_key_identifier(self) -> bytes | None:
        """Content of the SubjectKeyIdentifier extension, None when absent or malformed."""
        extension = self.extensions.get(oids.SUBJECT_KEY_IDENTIFIER)
        try:
            return None if extension is None else bytes(tlv.read_one(extension.value).value)
        except ChipError:
            return None

    @cached_property
    def authority_key_identifier(self) -> bytes | None:
        """The key identifier of the issuer, None when absent, malformed or given otherwise."""
        extension = self.extensions.get(oids.AUTHORITY_KEY_IDENTIFIER)
        try:
            parts = () if extension is None else tlv.read_all(tlv.read_one(extension.value).value)
        except ChipError:
            return None
        return next((bytes(part.value) for part in parts if part.tag == _TAG_KEY_IDENTIFIER), None)

    @cached_property
    def key_usage(self) -> KeyUsage | None:
        """What the key may do, None when the extension is absent.

        Raises:
            ValueError: the extension is malformed.
        """
        extension = self.extensions.get(oids.KEY_USAGE)
        if extension is None:
            return None
        bits = _read_bit_string(extension.value)
        first = bits[0] if bits else 0
        return KeyUsage(
            is_critical=extension.is_critical,
            is_digital_signature_only=first == _DIGITAL_SIGNATURE and not any(bits[1:]),
            has_key_cert_sign=bool(first & _KEY_CERT_SIGN),
            has_crl_sign=bool(first & _CRL_SIGN),
        )

    @cached_property
    def is_ca(self) -> bool:
        """Whether the basic constraints say so.

        Raises:
            ValueError: the extension is malformed.
        """
        extension = self.extensions.get(oids.BASIC_CONSTRAINTS)
        if extension is None:
            return False
        try:
            parts = tlv.read_all(tlv.read_one(extension.value).value)
        except ChipError as error:
            raise ValueError("basic constraints are malformed") from error
        # Any octet but zero is TRUE, as in BER: a Ukrainian CSCA writes 01 where DER wants FF.
        return any(part.tag == _TAG_BOOLEAN and any(part.value) for part in parts)

    @cached_property
    def private_key_period(self) -> tuple[datetime | None, datetime | None]:
        """When the private key may sign: both ends aware UTC, None where open.

        Raises:
            ValueError: the extension is malformed.
        """
        extension = self.extensions.get(oids.PRIVATE_KEY_USAGE_PERIOD)
        if extension is None:
            return None, None
        period = asn1.decode_der(_PrivateKeyUsagePeriod, extension.value)
        start, end = period.not_before, period.not_after
        return as_utc(start) if start else None, as_utc(end) if end else None

    @cached_property
    def document_types(self) -> frozenset[str] | None:
        """Document codes the signer may sign, None when it does not say (Doc 9303-12, 7.1.1.6).

        Raises:
            ValueError: the extension is malformed.
        """
        extension = self.extensions.get(oids.DOCUMENT_TYPE_LIST)
        if extension is None:
            return None
        try:
            parts = tlv.read_all(tlv.read_one(extension.value).value)
            # The standard has SEQUENCE { version, SET OF }; the Philippines list the codes bare.
            listed = next((tlv.read_all(p.value) for p in parts if p.tag == _TAG_SET), parts)
        except ChipError as error:
            raise ValueError("document type list is malformed") from error
        return frozenset(
            code.value.decode("ascii") for code in listed if code.tag == _TAG_PRINTABLE_STRING
        )


def read_certificate(der: bytes) -> Certificate:
    """Read one DER certificate.

    Raises:
        ValueError: it is not strict DER, is of no known version, repeats an extension, or names
            two signature algorithms.
    """
    if len(der) > CERTIFICATE_OCTETS_MAX:
        raise ValueError(f"a certificate of {len(der)} octets")
    try:
        decoded = asn1.decode_der(_Certificate, der)
        tbs, outer_algorithm, _ = tlv.read_all(tlv.read_one(der).value)
        fields = tlv.read_all(tbs.value)
    except (ValueError, ChipError) as error:
        raise ValueError("not a certificate in strict DER") from error
    first = 1 if fields[0].tag == _TAG_VERSION else 0
    _, inner_algorithm, issuer, _, subject, spki = fields[first : first + 6]
    if inner_algorithm.raw != outer_algorithm.raw:
        raise ValueError("two signature algorithms")
    version = (decoded.tbs.version or 0) + 1
    if version not in VERSIONS:
        raise ValueError("an unknown version")
    issuer_name = read_name(issuer.raw)
    # Authorities name themselves, and folding a name is most of the work of reading one.
    subject_name = issuer_name if subject.raw == issuer.raw else read_name(subject.raw)
    return Certificate(
        der=der,
        tbs=tbs.raw,
        version=version,
        serial=decoded.tbs.serial,
        issuer=issuer_name,
        subject=subject_name,
        not_before=as_utc(decoded.tbs.validity.not_before),
        not_after=as_utc(decoded.tbs.validity.not_after),
        spki=spki.raw,
        signature_algorithm=outer_algorithm.raw,
        signature=decoded.signature.as_bytes(),
        extensions=_index_extensions(decoded.tbs.extensions or []),
    )


def _index_extensions(extensions: list[_Extension]) -> Mapping[str, Extension]:
    indexed = {
        extension.oid.dotted_string: Extension(
            is_critical=bool(extension.is_critical), value=extension.value
        )
        for extension in extensions
    }
    if len(indexed) != len(extensions):
        raise ValueError("an extension appears twice")
    return indexed


def _read_bit_string(der: bytes) -> bytes:
    bits: asn1.BitString = asn1.decode_der(asn1.BitString, der)
    return bits.as_bytes()
