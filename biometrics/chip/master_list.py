"""Master lists: one state's signed collection of other states' authorities.

Owns the verification of a CSCA master list (Doc 9303-12, clause 9) and taking the certificates out
of it. A list is believed because of an anchor the operator pinned beforehand, never because of a
certificate inside the list.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.certificate import Certificate, read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.signed_data import (
    SignedData,
    check_message_digest,
    check_signature,
    read_signed_attributes,
    read_signed_data,
)
from biometrics.chip.trust import has_issued

VERSION = b"\x00"
_TAG_SEQUENCE, _TAG_SET, _TAG_INTEGER = 0x30, 0x31, 0x02
_LIST_ELEMENTS = 2


def read_master_list(data: bytes, *, pinned: bytes, at: datetime) -> tuple[bytes, ...]:
    """Return the certificates of a master list, DER, once its signature leads to `pinned`.

    They are candidates: give those of one country to `TrustProfile.from_certificates`, and link
    certificates to `TrustProfile.with_links`.

    Args:
        data: The CMS file.
        pinned: DER of the CSCA that must have issued the list's signer, from another source.
        at: Now, aware: signer and authority must be valid.

    Raises:
        ValueError: the list is malformed, is not signed by a master list signer of that CSCA, or
            either certificate is not valid at `at`.
    """
    authority = read_certificate(pinned)
    try:
        signed = read_signed_data(data)
        if signed.content_type != oids.CSCA_MASTER_LIST:
            raise ValueError("the content is no master list")
        signer = _find_signer(signed)
        _check_signer(signer, authority, at)
        attributes = read_signed_attributes(signed)
        content = check_message_digest(signed, attributes, allows_sha1=False)
        check_signature(signed, attributes, signer, allows_sha1=False)
        return _read_certificates(content)
    except ChipError as error:
        raise ValueError(f"master list refused: {error}") from error


def find_pinned(data: bytes, fingerprints: Collection[str]) -> tuple[bytes, ...]:
    """Return the certificates with these fingerprints that a list happens to hold, DER.

    What is pinned by its fingerprint may lie anywhere, in the list as well: it is not the list
    that vouches for it. Nothing else of the list is believed for it.

    Args:
        data: The CMS file, not verified.
        fingerprints: SHA-256, lower-case hexadecimal.

    Raises:
        ValueError: the list is malformed.
    """
    try:
        certificates = _read_certificates(read_signed_data(data).content)
    except ChipError as error:
        raise ValueError(f"not a master list: {error}") from error
    return tuple(der for der in certificates if hashlib.sha256(der).hexdigest() in fingerprints)


def _find_signer(signed: SignedData) -> Certificate:
    named = [
        certificate
        for certificate in map(read_certificate, signed.certificates)
        if signed.signer.is_for(certificate)
    ]
    if len(named) != 1:
        raise ValueError("the signer's certificate is missing or there are several")
    return named[0]


def _check_signer(signer: Certificate, authority: Certificate, at: datetime) -> None:
    """Check the signer as Doc 9303-12, table 8, wants it, and that the authority issued it."""
    if not authority.is_ca or not has_issued(authority, signer):
        raise ValueError("the signer was not issued by the pinned authority")
    purpose = signer.extensions.get(oids.EXTENDED_KEY_USAGE)
    purposes = tlv.read_all(tlv.read_one(purpose.value).value) if purpose else ()
    if not purpose or not purpose.is_critical:
        raise ValueError("the signer has no critical extended key usage")
    if [oids.read_oid(element.raw) for element in purposes] != [oids.MASTER_LIST_SIGNING]:
        raise ValueError("the signer may not sign master lists")
    for certificate in (signer, authority):
        if not certificate.not_before <= at <= certificate.not_after:
            raise ValueError("the signer or its authority is not valid now")


def _read_certificates(content: bytes) -> tuple[bytes, ...]:
    body = tlv.read_one(content)
    parts = tlv.read_all(body.value)
    if body.tag != _TAG_SEQUENCE or len(parts) != _LIST_ELEMENTS:
        raise ValueError("not a CscaMasterList")
    version, certificates = parts
    if (version.tag, version.value, certificates.tag) != (_TAG_INTEGER, VERSION, _TAG_SET):
        raise ValueError("not a CscaMasterList of version 0")
    return tuple(element.raw for element in tlv.read_all(certificates.value))
