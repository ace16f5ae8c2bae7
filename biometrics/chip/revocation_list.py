"""Certificate revocation lists of country signing authorities, read strictly.

Owns the reading of one complete CRL (RFC 5280, clause 5; Doc 9303-12, clause 7.1.4). Delta,
partial and indirect lists are refused: no state issues one for documents, and taking one for a
complete list would hide revocations.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from biometrics.chip import tlv
from biometrics.chip.codes import ChipError
from biometrics.chip.dates import as_utc
from biometrics.chip.names import DistinguishedName, read_name

CRL_OCTETS_MAX = 16 * 1024 * 1024
"""A bound on work; the reader's own bound is the same."""

DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
NOT_OF_A_COMPLETE_LIST = frozenset(
    {DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT, CERTIFICATE_ISSUER}
)
"""RFC 5280, clauses 5.2.4, 5.2.5 and 5.3.3: how delta, partial and indirect lists mark themselves.
They must do so critically; one that forgets to is no more complete for it."""

_TAG_INTEGER = 0x02


@asn1.sequence
class _Extension:
    oid: ObjectIdentifier
    is_critical: bool | None  # optional for DEFAULT FALSE: some issuers write it out
    value: bytes


@asn1.sequence
class _Revoked:
    serial: int
    revoked_at: asn1.UTCTime | asn1.GeneralizedTime
    extensions: list[_Extension] | None


@asn1.sequence
class _TBSCertList:
    version: int | None
    signature_algorithm: asn1.TLV
    issuer: asn1.TLV
    this_update: asn1.UTCTime | asn1.GeneralizedTime
    next_update: asn1.UTCTime | asn1.GeneralizedTime | None
    revoked: list[_Revoked] | None
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(0)]


@asn1.sequence
class _CertificateList:
    tbs: _TBSCertList
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@dataclass(frozen=True, kw_only=True)
class RevocationList:
    """One complete list.

    Attributes:
        tbs: The signed octets.
        issuer: Who revokes.
        this_update: When it was issued, aware UTC.
        next_update: When the next one is due, aware UTC; None when it does not say.
        serials: Serial numbers of every revoked certificate.
        signature_algorithm: DER AlgorithmIdentifier.
    """

    tbs: bytes
    issuer: DistinguishedName
    this_update: datetime
    next_update: datetime | None
    serials: frozenset[int]
    signature_algorithm: bytes
    signature: bytes

    def is_current(self, at: datetime) -> bool:
        """Tell whether the list speaks for this instant. One without an end never does."""
        return self.next_update is not None and self.this_update <= at <= self.next_update


def read_revocation_list(der: bytes) -> RevocationList:
    """Read one DER CertificateList.

    Raises:
        ValueError: it is not strict DER, has a critical extension, or one that marks a delta,
            partial or indirect list.
    """
    if len(der) > CRL_OCTETS_MAX:
        raise ValueError(f"a revocation list of {len(der)} octets")
    try:
        decoded = asn1.decode_der(_CertificateList, der)
        tbs, outer_algorithm, _ = tlv.read_all(tlv.read_one(der).value)
        inner_algorithm, issuer = _find_issuer(tbs)
    except (ValueError, ChipError) as error:
        raise ValueError("not a revocation list in strict DER") from error
    if inner_algorithm != outer_algorithm.raw:
        raise ValueError("two signature algorithms")
    _refuse_incomplete(decoded.tbs)
    next_update = decoded.tbs.next_update
    return RevocationList(
        tbs=tbs.raw,
        issuer=read_name(issuer),
        this_update=as_utc(decoded.tbs.this_update),
        next_update=None if next_update is None else as_utc(next_update),
        serials=frozenset(entry.serial for entry in decoded.tbs.revoked or []),
        signature_algorithm=outer_algorithm.raw,
        signature=decoded.signature.as_bytes(),
    )


def _find_issuer(tbs: tlv.TLV) -> tuple[bytes, bytes]:
    """Return the inner algorithm identifier and the issuer as received."""
    head = tlv.read_first(tbs.value)
    rest = tbs.value[len(head.raw) :] if head.tag == _TAG_INTEGER else tbs.value
    algorithm = tlv.read_first(rest)
    return algorithm.raw, tlv.read_first(rest[len(algorithm.raw) :]).raw


def _refuse_incomplete(tbs: _TBSCertList) -> None:
    extensions = [*(tbs.extensions or [])]
    for entry in tbs.revoked or []:
        extensions += entry.extensions or []
    for extension in extensions:
        oid = extension.oid.dotted_string
        if extension.is_critical or oid in NOT_OF_A_COMPLETE_LIST:
            raise ValueError(f"extension {oid}")
