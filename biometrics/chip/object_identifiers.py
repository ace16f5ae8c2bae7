"""Object identifiers of the standards this package reads, and how to read one.

Owns names for dotted numbers; decides nothing.
"""

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

# RFC 5652 (CMS).
SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
# Doc 9303-10, 4.6.2.3; Doc 9303-12, 7.1 and 9; Doc 9303-11, 6.1.2.
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
# Before Doc 9303 had its own: Belgium and France; the Dutch Sdu.
LEGACY_SECURITY_OBJECTS = ("1.3.27.1.1.1", "1.2.528.1.1006.1.20.1")
CSCA_MASTER_LIST = "2.23.136.1.1.2"
MASTER_LIST_SIGNING = "2.23.136.1.1.3"
ACTIVE_AUTHENTICATION = "2.23.136.1.1.5"
NAME_CHANGE = "2.23.136.1.1.6.1"
DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
# RFC 8017, RFC 5480.
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSASSA_PSS = "1.2.840.113549.1.1.10"
MGF1 = "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
# RFC 5280, clause 4.2 and 5.2.
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16"
SUBJECT_ALT_NAME = "2.5.29.17"
ISSUER_ALT_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"


def read_oid(encoded: bytes) -> str:
    """Return the dotted form of one DER OBJECT IDENTIFIER.

    Raises:
        ValueError: when it is not one.
    """
    oid: ObjectIdentifier = asn1.decode_der(ObjectIdentifier, encoded)
    return oid.dotted_string
