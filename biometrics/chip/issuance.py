"""From a document signer to the authority that issued it.

Owns what must hold between a document signer's certificate (DSC), the country signing authority
(CSCA) that signed it, and the lists that revoke it (Doc 9303-12; BSI TR-03135-1, clause 5.6.4).
The chain is anchor and signer, nothing longer: a signer cannot make another.
"""

from dataclasses import dataclass
from datetime import datetime

from biometrics.chip import object_identifiers as oids
from biometrics.chip import tlv
from biometrics.chip.certificate import Certificate
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.policy import Quirk
from biometrics.chip.trust import TrustProfile

X509_VERSION = 3
UNDERSTOOD_EXTENSIONS = frozenset(
    {
        oids.SUBJECT_KEY_IDENTIFIER,
        oids.AUTHORITY_KEY_IDENTIFIER,
        oids.KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.PRIVATE_KEY_USAGE_PERIOD,
        oids.SUBJECT_ALT_NAME,
        oids.ISSUER_ALT_NAME,
        oids.CERTIFICATE_POLICIES,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.DOCUMENT_TYPE_LIST,
        oids.NAME_CHANGE,
    }
)
"""Doc 9303-12, table 6: what a signer's or an authority's certificate may hold. Others may not be
critical; none is in the 411 certificates of the Dutch master list."""


@dataclass(frozen=True, kw_only=True)
class Issuance:
    """A document signer and the anchor whose signature on it is good."""

    signer: Certificate
    anchor: Certificate


def find_issuance(signer: Certificate, *, trust: TrustProfile, at: datetime) -> Issuance:
    """Find the anchor that issued the signer.

    Every anchor with the issuer's key identifier or name is tried: one name serves many keys after
    years of key changes, and one key can sit in a certificate that has expired and in one that has
    not. Of those that fit, one that raises no objection at `at` is preferred.

    Raises:
        ChipError: TRUST_ANCHOR_NOT_FOUND (undetermined) when none is known by that key or name, or
            when a name fits and no key does: then the right anchor is missing, and nothing says
            forgery. DSC_SIGNATURE_INVALID when the anchor named by its key did not sign.
    """
    by_key = trust.anchors_by_key.get(signer.authority_key_identifier or b"", ())
    by_name = trust.anchors_by_name.get(signer.issuer.folded, ())
    candidates = list(dict.fromkeys((*by_key, *by_name)))
    issuers, obstacle = _find_issuers(candidates, signer, trust)
    if issuers:

        def rank(anchor: Certificate) -> tuple[bool, int]:
            return bool(object_to_authority(anchor)), len(_list_objections(anchor, signer, at))

        return Issuance(signer=signer, anchor=min(issuers, key=rank))
    if obstacle is not None:
        raise obstacle
    if by_key:
        raise ChipError(ChipCode.DSC_SIGNATURE_INVALID, "the anchor named by its key did not sign")
    raise ChipError(
        ChipCode.TRUST_ANCHOR_NOT_FOUND,
        f"{len(by_name)} anchors of that name, none with that key",
        result=CheckResult.UNDETERMINED,
    )


def _find_issuers(
    candidates: list[Certificate], signer: Certificate, trust: TrustProfile
) -> tuple[list[Certificate], ChipError | None]:
    """Return the candidates that signed, and what kept us from judging one, if anything did."""
    allows_sha1 = trust.policy.has_quirk(Quirk.SHA1, signer.issuer.countries)
    issuers: list[Certificate] = []
    obstacle: ChipError | None = None
    for anchor in candidates:
        try:
            if trust.memory.has_issued(anchor, signer, allows_sha1=allows_sha1):
                issuers.append(anchor)
        except ChipError as error:
            obstacle = error
    return issuers, obstacle


def check_anchor(issuance: Issuance) -> str:
    """Check that the anchor may issue certificates, and that we understand its limits.

    Its path length is not judged: no chain here is longer than anchor and signer.

    Raises:
        ChipError: CSCA_NOT_CA.
    """
    if objection := object_to_authority(issuance.anchor):
        raise objection
    return "CA flag and keyCertSign"


def object_to_authority(anchor: Certificate) -> ChipError | None:
    """Return why the anchor may not issue certificates, whenever that is asked: CSCA_NOT_CA."""
    if unknown := _find_unknown_critical(anchor):
        return ChipError(ChipCode.CSCA_NOT_CA, f"critical extension {unknown}")
    try:
        usage = anchor.key_usage
        may_issue = anchor.is_ca and usage is not None and usage.has_key_cert_sign
    except ValueError:
        return ChipError(ChipCode.CSCA_NOT_CA, "malformed extension")
    if not may_issue:
        return ChipError(ChipCode.CSCA_NOT_CA, "no CA flag, or its key may not sign certificates")
    return None


def _find_unknown_critical(certificate: Certificate) -> str | None:
    """Return an extension that must be understood and is not (RFC 5280, clause 4.2)."""
    for oid, extension in certificate.extensions.items():
        if extension.is_critical and oid not in UNDERSTOOD_EXTENSIONS:
            return oid
    return None


def check_signer_profile(signer: Certificate) -> str:
    """Check that the certificate is one of a document signer (Doc 9303-12, clause 7.1).

    Raises:
        ChipError: DSC_CRITICAL_EXT, DSC_IS_CA, DSC_KEY_USAGE.
    """
    if unknown := _find_unknown_critical(signer):
        raise ChipError(ChipCode.DSC_CRITICAL_EXT, f"critical extension {unknown}")
    try:
        is_ca, usage = signer.is_ca, signer.key_usage
    except ValueError as error:
        raise ChipError(ChipCode.DSC_KEY_USAGE, "malformed extension") from error
    if is_ca or (usage is not None and usage.has_key_cert_sign):
        raise ChipError(ChipCode.DSC_IS_CA, "an authority's certificate")
    if usage is None or not usage.is_critical or not usage.is_digital_signature_only:
        raise ChipError(ChipCode.DSC_KEY_USAGE, "not critical digitalSignature and nothing else")
    if not _may_sign_anything(signer):
        raise ChipError(ChipCode.DSC_KEY_USAGE, "made for another purpose than documents")
    if signer.version != X509_VERSION:
        raise ChipError(ChipCode.DSC_KEY_USAGE, f"X.509 version {signer.version}")
    return "critical digitalSignature only"


def _may_sign_anything(signer: Certificate) -> bool:
    """Tell whether no extended key usage keeps the signer from documents, critical or not.

    Doc 9303-12, table 6, has none in a document signer's certificate. Authorities also issue
    signers of master lists, deviation lists and visible seals, and RFC 5280, clause 4.2.1.12, lets
    each be used for the purposes it names only.
    """
    purpose = signer.extensions.get(oids.EXTENDED_KEY_USAGE)
    if purpose is None:
        return True
    try:
        purposes = tlv.read_all(tlv.read_one(purpose.value).value)
        return oids.ANY_EXTENDED_KEY_USAGE in [oids.read_oid(each.raw) for each in purposes]
    except (ChipError, ValueError):
        return False


def check_validity(issuance: Issuance, *, at: datetime) -> str:
    """Check both certificates at `at`, and that the anchor's key might still sign back then.

    The clock is the caller's and says now: the signing time inside the SOD is the signer's own
    word, and a third of states leave it out.

    Raises:
        ChipError: DSC_EXPIRED, DSC_NOT_YET_VALID, CSCA_EXPIRED, DSC_OUTSIDE_CSCA_KEY_PERIOD.
    """
    signer = issuance.signer
    if at > signer.not_after:
        raise ChipError(ChipCode.DSC_EXPIRED, f"until {signer.not_after:%Y-%m-%d}")
    if at < signer.not_before:
        raise ChipError(ChipCode.DSC_NOT_YET_VALID, f"from {signer.not_before:%Y-%m-%d}")
    objections = _list_objections(issuance.anchor, signer, at)
    if objections:
        raise objections[0]
    return f"until {signer.not_after:%Y-%m-%d}"


def _list_objections(anchor: Certificate, signer: Certificate, at: datetime) -> list[ChipError]:
    """Return what speaks against this anchor, though its signature is good."""
    objections: list[ChipError] = []
    if not anchor.not_before <= at <= anchor.not_after:
        objections.append(
            ChipError(
                ChipCode.CSCA_EXPIRED,
                f"valid {anchor.not_before:%Y-%m-%d} to {anchor.not_after:%Y-%m-%d}",
            )
        )
    try:
        start, end = anchor.private_key_period
    except ValueError:
        start, end = signer.not_before, signer.not_before
        objections.append(ChipError(ChipCode.DSC_OUTSIDE_CSCA_KEY_PERIOD, "period is malformed"))
    is_late = end is not None and signer.not_before > end
    if is_late or (start is not None and signer.not_before < start):
        objections.append(
            ChipError(ChipCode.DSC_OUTSIDE_CSCA_KEY_PERIOD, f"issued {signer.not_before:%Y-%m-%d}")
        )
    return objections


def check_revocation(issuance: Issuance, *, trust: TrustProfile, at: datetime) -> str:
    """Check the signer against every usable list of its issuer, and the owner's own distrust.

    A list that is stale still revokes: revocations are not taken back.

    Raises:
        ChipError: DSC_REVOKED; undetermined with CRL_MISSING, CRL_SIGNATURE_INVALID, CRL_STALE.
    """
    if trust.distrusts(issuance.signer):
        raise ChipError(ChipCode.DSC_REVOKED, "the profile's owner distrusts its key")
    lists = [crl for crl in trust.crls if crl.issuer.is_same(issuance.signer.issuer)]
    signed = [crl for crl in lists if crl in trust.signed_crls]
    if any(issuance.signer.serial in crl.serials for crl in signed):
        raise ChipError(ChipCode.DSC_REVOKED, "its serial number is on the issuer's list")
    if any(crl.is_current(at) for crl in signed):
        return "not on the issuer's list"
    if not lists:
        code, evidence = ChipCode.CRL_MISSING, "no list of this issuer"
    elif not signed:
        code, evidence = ChipCode.CRL_SIGNATURE_INVALID, "no anchor signed the list"
    else:
        code, evidence = ChipCode.CRL_STALE, "the list does not cover this instant"
    raise ChipError(code, evidence, result=CheckResult.UNDETERMINED)


def check_issuer_country(issuance: Issuance, *, country: str | None) -> str:
    """Check that the issuer is of the profile's country, by either certificate's word.

    Without it, any state in a list of many could sign another state's documents.

    Args:
        issuance: Signer and anchor.
        country: The only issuer; None: any one country, which both certificates name.

    Raises:
        ChipError: COUNTRY_MISMATCH.
    """
    found = {issuance.signer.issuer.countries, issuance.anchor.subject.countries}
    named = {name for names in found for name in names}
    if len(found) != 1 or len(named) != 1 or not named <= {country or min(named)}:
        raise ChipError(ChipCode.COUNTRY_MISMATCH, f"certificates of {sorted(found)}")
    return min(named)
