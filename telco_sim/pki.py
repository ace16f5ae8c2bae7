"""Certificates, revocation lists and the document security object of a card authority.

Owns the structures of ICAO Doc 9303-10 (EF.SOD) and 9303-12 (public-key infrastructure) as
bytes, built from plain values and a `Sign` function. It refuses to know private keys, data
groups, and when anything is issued.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import algos, cms, core, crl, keys, parser, x509

from telco_sim.der import (
    integer,
    key_identifier,
    object_identifier,
    printable_string,
    sequence,
    set_of,
    tlv,
)

Sign = Callable[[bytes], bytes]
"""Signs a message with a key that stays with its owner; an ECDSA signature is DER."""

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
"""id-icao-mrtd-security-ldsSecurityObject (Doc 9303-10, 4.6.2.3)."""

DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
"""id-icao-mrtd-security-extensions-documentTypeList (Doc 9303-12, 7.1.1.6)."""

DOCUMENT_CODE = "ID"
"""The document code in the machine readable zone of a Vietnamese identity card."""

MRZ_COUNTRY = "VNM"
"""Viet Nam in machine readable zones (Doc 9303-3, section 5)."""

_DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
}
_REMARK = "1.2.840.113549.1.9.16.2.4"
"""id-aa-contentHint (RFC 2634, 2.9): any attribute does."""

_SIGNER_INFO_DEPTH = 5
"""77, ContentInfo, its content, SignedData, the SET, SignerInfo: each is last in the one before."""

_CRL_ADDRESS = "http://pkd.card-authority.example/VNM.crl"
_UTC_TIME_LAST_YEAR = 2049
"""RFC 5280, 4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime."""

_ECDSA_SHA512 = {"algorithm": "sha512_ecdsa"}

_Extension = dict[str, object]
"""One extension in the form asn1crypto takes: extn_id, critical, extn_value."""


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How a document is signed.

    Attributes:
        digest: Name of the hash, `sha1`, `sha256` or `sha384`.
        algorithm: Name of hash and key together, as asn1crypto has it.
    """

    digest: str
    algorithm: str


ECDSA_SHA384 = SignatureScheme("sha384", "sha384_ecdsa")
"""What identity cards are signed with."""
ECDSA_SHA1 = SignatureScheme("sha1", "sha1_ecdsa")
RSA_SHA256 = SignatureScheme("sha256", "sha256_rsa")


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a certificate may be relied on, and how long its key may sign.

    Attributes:
        starts_at: First instant of both.
        ends_at: Last instant of the certificate.
        signing_ends_at: Last instant of the private key's use (privateKeyUsagePeriod,
            Doc 9303-12, 7.1.1).
    """

    starts_at: datetime
    ends_at: datetime
    signing_ends_at: datetime


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What a certificate states about its holder.

    Attributes:
        serial_number: Positive, at most 20 bytes.
        subject: Holder's name.
        public_key: Holder's key.
        validity: When certificate and key are good.
    """

    serial_number: int
    subject: x509.Name
    public_key: keys.PublicKeyInfo
    validity: Validity


def distinguished_name(*, common_name: str, organization: str, country: str = "VN") -> x509.Name:
    """Return a name in a country: the country a PrintableString, the rest UTF8String."""
    return x509.Name.build(
        {"country_name": country, "organization_name": organization, "common_name": common_name}
    )


def country_signing_certificate(request: CertificateRequest, *, sign: Sign) -> x509.Certificate:
    """Return a self-signed CSCA certificate (Doc 9303-12, 7.1.1, table 3).

    Args:
        request: The authority's own name, key and times.
        sign: ECDSA with SHA-512 by the authority's key.
    """
    extensions = [
        {
            "extn_id": "basic_constraints",
            "critical": True,
            "extn_value": {"ca": True, "path_len_constraint": 0},
        },
        _key_usage("key_cert_sign", "crl_sign"),
        *_common_extensions(request, issuer_key=request.public_key),
    ]
    return _certificate(request, issuer=request.subject, extensions=extensions, sign=sign)


def document_signer_certificate(
    request: CertificateRequest,
    *,
    issuer: x509.Certificate,
    sign: Sign,
    usages: Sequence[str] = ("digital_signature",),
) -> x509.Certificate:
    """Return a DSC that may sign identity cards only (Doc 9303-12, 7.1.1, table 3).

    Args:
        request: The document signer's name, key and times.
        issuer: The CSCA certificate.
        sign: ECDSA with SHA-512 by the CSCA's key.
        usages: What its key may do; a proper one signs documents and nothing else.
    """
    extensions = [
        _key_usage(*usages),
        *_common_extensions(request, issuer_key=issuer.public_key),
        {
            "extn_id": DOCUMENT_TYPE_LIST,
            "critical": False,
            "extn_value": core.ParsableOctetString(
                sequence(integer(0), set_of(printable_string(DOCUMENT_CODE)))
            ),
        },
    ]
    return _certificate(request, issuer=issuer.subject, extensions=extensions, sign=sign)


def revocation_list(
    revoked: Mapping[int, datetime],
    *,
    issuer: x509.Certificate,
    number: int,
    issued_at: datetime,
    next_at: datetime,
    sign: Sign,
) -> bytes:
    """Return a CRL in DER (Doc 9303-12, 7.1.4).

    Args:
        revoked: Serial number of each revoked certificate, and since when it is.
        issuer: The CSCA certificate.
        number: CRL number; grows with each list.
        issued_at: thisUpdate.
        next_at: nextUpdate.
        sign: ECDSA with SHA-512 by the CSCA's key.
    """
    body = {
        "version": "v2",
        "signature": _ECDSA_SHA512,
        "issuer": issuer.subject,
        "this_update": _time(issued_at),
        "next_update": _time(next_at),
        "crl_extensions": [
            _authority_key_identifier(issuer.public_key),
            {"extn_id": "crl_number", "critical": False, "extn_value": number},
        ],
    }
    if revoked:  # RFC 5280, 5.1.2.6: absent rather than empty
        body["revoked_certificates"] = [
            {"user_certificate": serial, "revocation_date": _time(since)}
            for serial, since in sorted(revoked.items())
        ]
    return _signed_list(crl.TbsCertList(body), sign=sign)


def _signed_list(to_be_signed: crl.TbsCertList, *, sign: Sign) -> bytes:
    signed = crl.CertificateList(
        {
            "tbs_cert_list": to_be_signed,
            "signature_algorithm": _ECDSA_SHA512,
            "signature": sign(to_be_signed.dump()),
        }
    )
    return bytes(signed.dump())


def lds_security_object(hashes: Mapping[int, bytes], *, digest: str = "sha256") -> bytes:
    """Return an LDSSecurityObject, version 0, in DER (Doc 9303-10, 4.6.2.3).

    Args:
        hashes: Hash of each data group, by its number, 1 to 16.
        digest: Which hash, `sha1`, `sha256` or `sha384`.
    """
    entries = [
        sequence(integer(number), tlv(0x04, digest)) for number, digest in sorted(hashes.items())
    ]
    return sequence(integer(0), _digest_algorithm(digest), sequence(*entries))


def document_security_object(
    security_object: bytes,
    *,
    signer: x509.Certificate,
    signed_at: datetime,
    sign: Sign,
    scheme: SignatureScheme = ECDSA_SHA384,
) -> bytes:
    """Return EF.SOD: tag 77 around a CMS SignedData, version 3 (Doc 9303-10, 4.6.2.2).

    Args:
        security_object: An LDSSecurityObject in DER.
        signer: The DSC, which goes inside.
        signed_at: The signer's own statement of when.
        sign: The scheme's signature by the document signer's key.
        scheme: Hash and algorithm.
    """
    attributes = _signed_attributes(
        hashlib.new(scheme.digest, security_object).digest(), signed_at=signed_at
    )
    digest_algorithm = algos.DigestAlgorithm.load(_digest_algorithm(scheme.digest))
    signer_info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value={"issuer": signer.issuer, "serial_number": signer.serial_number},
            ),
            "digest_algorithm": digest_algorithm,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": scheme.algorithm},
            "signature": sign(attributes.dump()),
        }
    )
    signed_data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [digest_algorithm],
            "encap_content_info": {
                "content_type": LDS_SECURITY_OBJECT,
                "content": core.ParsableOctetString(security_object),
            },
            "certificates": [signer],
            "signer_infos": [signer_info],
        }
    )
    content_info = cms.ContentInfo({"content_type": "signed_data", "content": signed_data})
    return tlv(0x77, content_info.dump())


def add_unsigned_attribute(sod: bytes) -> bytes:
    """Return the same EF.SOD with an attribute that nobody signs, as anybody may add one."""
    remark = sequence(object_identifier(_REMARK), set_of(tlv(0x04, b"a remark")))
    return _append_inside(sod, tlv(0xA1, remark), depth=_SIGNER_INFO_DEPTH)


def _append_inside(element: bytes, addition: bytes, *, depth: int) -> bytes:
    """Append to the element that is the last inside the last, so many levels down."""
    header, content = parser.parse(element)[3:5]
    if depth == 0:
        return tlv(header[0], content, addition)
    *others, last = _children(content)
    return tlv(header[0], *others, _append_inside(last, addition, depth=depth - 1))


def _children(content: bytes) -> list[bytes]:
    children = []
    while content:
        header, inside, trailer = parser.parse(content)[3:6]
        children.append(header + inside + trailer)
        content = content[len(children[-1]) :]
    return children


def _digest_algorithm(name: str) -> bytes:
    """Return an AlgorithmIdentifier without parameters, as RFC 5754, 2, asks for."""
    return sequence(object_identifier(_DIGESTS[name]))


def _signed_attributes(message_digest: bytes, *, signed_at: datetime) -> cms.CMSAttributes:
    """Return the three attributes of Doc 9303-10; the library sorts the SET when it encodes."""
    return cms.CMSAttributes(
        [
            {"type": "content_type", "values": [LDS_SECURITY_OBJECT]},
            {"type": "signing_time", "values": [_time(signed_at).chosen]},
            {"type": "message_digest", "values": [message_digest]},
        ]
    )


def _certificate(
    request: CertificateRequest, *, issuer: x509.Name, extensions: Sequence[_Extension], sign: Sign
) -> x509.Certificate:
    to_be_signed = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": request.serial_number,
            "signature": _ECDSA_SHA512,
            "issuer": issuer,
            "validity": {
                "not_before": _time(request.validity.starts_at),
                "not_after": _time(request.validity.ends_at),
            },
            "subject": request.subject,
            "subject_public_key_info": request.public_key,
            "extensions": list(extensions),
        }
    )
    certificate = x509.Certificate(
        {
            "tbs_certificate": to_be_signed,
            "signature_algorithm": _ECDSA_SHA512,
            "signature_value": sign(to_be_signed.dump()),
        }
    )
    return x509.Certificate.load(certificate.dump())


def _common_extensions(
    request: CertificateRequest, *, issuer_key: keys.PublicKeyInfo
) -> list[_Extension]:
    """Return what CSCA and DSC both carry."""
    place = x509.GeneralName(
        name="directory_name", value=x509.Name.build({"locality_name": MRZ_COUNTRY})
    )
    address = x509.GeneralName(name="uniform_resource_identifier", value=_CRL_ADDRESS)
    distribution_point = {
        "distribution_point": x509.DistributionPointName(name="full_name", value=[address])
    }
    extensions: dict[str, object] = {
        "key_identifier": key_identifier(request.public_key),
        "issuer_alt_name": [place],
        "subject_alt_name": [place],
        "crl_distribution_points": [distribution_point],
        "private_key_usage_period": {
            "not_before": _whole_second(request.validity.starts_at),
            "not_after": _whole_second(request.validity.signing_ends_at),
        },
    }
    return [
        _authority_key_identifier(issuer_key),
        *(
            {"extn_id": name, "critical": False, "extn_value": value}
            for name, value in extensions.items()
        ),
    ]


def _authority_key_identifier(issuer_key: keys.PublicKeyInfo) -> _Extension:
    return {
        "extn_id": "authority_key_identifier",
        "critical": False,
        "extn_value": {"key_identifier": key_identifier(issuer_key)},
    }


def _key_usage(*usages: str) -> _Extension:
    return {"extn_id": "key_usage", "critical": True, "extn_value": set(usages)}


def _time(instant: datetime) -> x509.Time:
    moment = _whole_second(instant)
    if moment.year <= _UTC_TIME_LAST_YEAR:
        return x509.Time(name="utc_time", value=moment)
    return x509.Time(name="general_time", value=moment)


def _whole_second(instant: datetime) -> datetime:
    """Return the instant in UTC without fractions: neither time type may carry them."""
    return instant.astimezone(UTC).replace(microsecond=0)
