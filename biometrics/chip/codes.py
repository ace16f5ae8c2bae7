"""The words every part of this package answers with: check results, finding codes, one error.

Owns the vocabulary and nothing else, so that each parser can name what it found without knowing
of reports. Codes are append-only: callers store and count them.
"""

from enum import StrEnum


class CheckResult(StrEnum):
    """The five values of BSI TR-03135-1, clause 5.1: how one check ended."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    NOT_SUPPORTED = "not_supported"
    ABORTED = "aborted"


class ChipCode(StrEnum):
    """Why a check was not plainly successful. The value is the name."""

    # TLV: the outermost shape of every file.
    TLV_TRUNCATED = "TLV_TRUNCATED"
    TLV_LENGTH = "TLV_LENGTH"
    # EF.SOD: the CMS envelope and its signer (Doc 9303-10, 4.6.2).
    SOD_TAG = "SOD_TAG"
    SOD_MALFORMED = "SOD_MALFORMED"
    SOD_TRAILING_DATA = "SOD_TRAILING_DATA"
    SOD_VERSION = "SOD_VERSION"
    SOD_CONTENT_TYPE = "SOD_CONTENT_TYPE"
    SOD_SIGNER_COUNT = "SOD_SIGNER_COUNT"
    SOD_SIGNER_CERT = "SOD_SIGNER_CERT"
    SIGNED_ATTRS_MISSING = "SIGNED_ATTRS_MISSING"
    SIGNED_ATTR_DUPLICATE = "SIGNED_ATTR_DUPLICATE"
    SIGNED_ATTR_CONTENT_TYPE = "SIGNED_ATTR_CONTENT_TYPE"
    SOD_MESSAGE_DIGEST = "SOD_MESSAGE_DIGEST"
    SOD_SIGNATURE_INVALID = "SOD_SIGNATURE_INVALID"
    # LDS security object: the signed list of hashes.
    LDS_MALFORMED = "LDS_MALFORMED"
    LDS_VERSION = "LDS_VERSION"
    LDS_HASH_ALG = "LDS_HASH_ALG"
    LDS_DUPLICATE_DG = "LDS_DUPLICATE_DG"
    LDS_DG_NUMBER = "LDS_DG_NUMBER"
    LDS_HASH_LENGTH = "LDS_HASH_LENGTH"
    # Cryptography.
    WEAK_HASH = "WEAK_HASH"
    WEAK_KEY = "WEAK_KEY"
    SIG_ALG_UNSUPPORTED = "SIG_ALG_UNSUPPORTED"
    SIG_ALG_KEY_MISMATCH = "SIG_ALG_KEY_MISMATCH"
    EC_PARAM_MISMATCH = "EC_PARAM_MISMATCH"
    UNSUPPORTED_CURVE = "UNSUPPORTED_CURVE"
    # The document signer's certificate and its issuer (Doc 9303-12).
    DSC_KEY_USAGE = "DSC_KEY_USAGE"
    DSC_IS_CA = "DSC_IS_CA"
    DSC_CRITICAL_EXT = "DSC_CRITICAL_EXT"
    DSC_DOCTYPE = "DSC_DOCTYPE"
    DSC_EXPIRED = "DSC_EXPIRED"
    DSC_NOT_YET_VALID = "DSC_NOT_YET_VALID"
    DSC_OUTSIDE_CSCA_KEY_PERIOD = "DSC_OUTSIDE_CSCA_KEY_PERIOD"
    DSC_REVOKED = "DSC_REVOKED"
    DSC_SIGNATURE_INVALID = "DSC_SIGNATURE_INVALID"
    TRUST_ANCHOR_NOT_FOUND = "TRUST_ANCHOR_NOT_FOUND"
    CSCA_EXPIRED = "CSCA_EXPIRED"
    CSCA_NOT_CA = "CSCA_NOT_CA"
    CRL_MISSING = "CRL_MISSING"
    CRL_STALE = "CRL_STALE"
    CRL_SIGNATURE_INVALID = "CRL_SIGNATURE_INVALID"
    COUNTRY_MISMATCH = "COUNTRY_MISMATCH"
    # Data groups.
    DG_MISSING = "DG_MISSING"
    DG_NOT_IN_SOD = "DG_NOT_IN_SOD"
    DG_HASH_MISMATCH = "DG_HASH_MISMATCH"
    DG_TRAILING_DATA = "DG_TRAILING_DATA"
    DG1_MALFORMED = "DG1_MALFORMED"
    MRZ_CHECK_DIGIT = "MRZ_CHECK_DIGIT"
    DOCUMENT_EXPIRED = "DOCUMENT_EXPIRED"
    DG13_MALFORMED = "DG13_MALFORMED"
    DG2_MALFORMED = "DG2_MALFORMED"
    DG2_FACE_COUNT = "DG2_FACE_COUNT"
    IMAGE_FORMAT = "IMAGE_FORMAT"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    IMAGE_DECODE = "IMAGE_DECODE"
    DG14_MALFORMED = "DG14_MALFORMED"
    DG15_MALFORMED = "DG15_MALFORMED"
    # DG1 against DG13.
    PIN_MISMATCH = "PIN_MISMATCH"
    DOB_MISMATCH = "DOB_MISMATCH"
    SEX_MISMATCH = "SEX_MISMATCH"
    NAME_MISMATCH = "NAME_MISMATCH"
    PIN_STRUCTURE_WARNING = "PIN_STRUCTURE_WARNING"
    # Active authentication (Doc 9303-11, 6.1).
    AA_REQUIRED = "AA_REQUIRED"
    AA_NONCE_UNKNOWN = "AA_NONCE_UNKNOWN"
    AA_NONCE_EXPIRED = "AA_NONCE_EXPIRED"
    AA_NONCE_REUSED = "AA_NONCE_REUSED"
    AA_SIG_LENGTH = "AA_SIG_LENGTH"
    AA_HEADER = "AA_HEADER"
    AA_TRAILER = "AA_TRAILER"
    AA_DIGEST = "AA_DIGEST"
    AA_WEAK = "AA_WEAK"
    # Chip authentication (Doc 9303-11, 6.2).
    CA_REQUIRED = "CA_REQUIRED"
    CA_EVIDENCE_UNVERIFIABLE = "CA_EVIDENCE_UNVERIFIABLE"


class ChipError(Exception):
    """A file, certificate or signature is not what it must be.

    Never leaves `verify_chip`, which turns it into a check. `evidence` may be stored and shown to
    operators: it names structures and algorithms, never what a data group says about its holder.

    Args:
        code: What is wrong.
        evidence: One short phrase for a person who investigates.
        result: How the check that met this ends.
    """

    def __init__(
        self, code: ChipCode, evidence: str, *, result: CheckResult = CheckResult.FAILED
    ) -> None:
        super().__init__(f"{code}: {evidence}")
        self.code = code
        self.evidence = evidence
        self.result = result
