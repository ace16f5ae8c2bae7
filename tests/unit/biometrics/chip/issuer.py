"""A state in miniature: it signs certificates and revocation lists for the tests.

Owns keys, algorithms and certificates, right ones and wrong ones: other base points, other
versions, two of what there must be one of. Shares no code with the package under test.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.biometrics.chip import der_writer as asn1

NOW = datetime(2026, 6, 1, tzinfo=UTC)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

HASH_OIDS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3-256": "2.16.840.1.101.3.4.2.8",
}
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - to be refused
    "sha1": hashes.SHA1(),  # noqa: S303 - to be refused
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
SIGNATURE_OIDS = {
    ("ecdsa", "sha1"): "1.2.840.10045.4.1",
    ("ecdsa", "sha224"): "1.2.840.10045.4.3.1",
    ("ecdsa", "sha256"): "1.2.840.10045.4.3.2",
    ("ecdsa", "sha384"): "1.2.840.10045.4.3.3",
    ("ecdsa", "sha512"): "1.2.840.10045.4.3.4",
    ("plain", "sha1"): "0.4.0.127.0.7.1.1.4.1.1",
    ("plain", "sha224"): "0.4.0.127.0.7.1.1.4.1.2",
    ("plain", "sha256"): "0.4.0.127.0.7.1.1.4.1.3",
    ("plain", "sha384"): "0.4.0.127.0.7.1.1.4.1.4",
    ("plain", "sha512"): "0.4.0.127.0.7.1.1.4.1.5",
    ("pkcs1", "md5"): "1.2.840.113549.1.1.4",
    ("pkcs1", "sha1"): "1.2.840.113549.1.1.5",
    ("pkcs1", "sha224"): "1.2.840.113549.1.1.14",
    ("pkcs1", "sha256"): "1.2.840.113549.1.1.11",
    ("pkcs1", "sha384"): "1.2.840.113549.1.1.12",
    ("pkcs1", "sha512"): "1.2.840.113549.1.1.13",
}
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSASSA_PSS = "1.2.840.113549.1.1.10"


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """A signature scheme (`ecdsa`, `plain`, `pkcs1`, `rsa`, `pss`) and its hash."""

    scheme: str
    hash: str
    salt_octets: int = 32
    writes_null: bool = False

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier."""
        if self.scheme == "pss":
            return self._pss_identifier()
        if self.scheme == "rsa":  # rsaEncryption alone: the hash comes from the digest algorithm
            return asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.NULL)
        has_null = self.writes_null or self.scheme == "pkcs1"
        number = asn1.oid(SIGNATURE_OIDS[self.scheme, self.hash])
        return asn1.sequence(number, asn1.NULL) if has_null else asn1.sequence(number)

    def _pss_identifier(self) -> bytes:
        digest = asn1.sequence(asn1.oid(HASH_OIDS[self.hash]), asn1.NULL)
        return asn1.sequence(
            asn1.oid(RSASSA_PSS),
            asn1.sequence(
                asn1.der(0xA0, digest),
                asn1.der(0xA1, asn1.sequence(asn1.oid("1.2.840.113549.1.1.8"), digest)),
                asn1.der(0xA2, asn1.integer(self.salt_octets)),
                asn1.der(0xA3, asn1.integer(1)),  # the default, written out as issuers do
            ),
        )

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        """Sign as the identifier says."""
        digest = HASHES[self.hash]
        if isinstance(key, rsa.RSAPrivateKey):
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=self.salt_octets)
            return key.sign(data, pss if self.scheme == "pss" else padding.PKCS1v15(), digest)
        signature = key.sign(data, ec.ECDSA(digest))
        return plain(signature, key) if self.scheme == "plain" else signature


def plain(signature: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    octets = (key.key_size + 7) // 8
    return b"".join(number.to_bytes(octets) for number in decode_dss_signature(signature))


ECDSA_256 = Algorithm(scheme="ecdsa", hash="sha256")
ECDSA_512 = Algorithm(scheme="ecdsa", hash="sha512")


@cache
def rsa_key(bits: int = 2048, owner: str = "") -> rsa.RSAPrivateKey:  # noqa: ARG001 - cache key
    """Return one RSA key for each owner: making them is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.BrainpoolP384R1())


# p, a, b, order; the base point is one times itself. RFC 5639, FIPS 186-4.
_DOMAINS: Mapping[str, tuple[int, int, int, int]] = {
    "secp256r1": (
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "brainpoolP384r1": (
        0x8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53,
        0x7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826,
        0x04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11,
        0x8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565,
    ),
}
_P512 = (
    "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"
    "7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3"
)
_A512 = (
    "7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC"
    "2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA"
)
_B512 = (
    "3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A7"
    "2BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723"
)
_N512 = (
    "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
    "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069"
)


def domain(curve: ec.EllipticCurve) -> tuple[int, int, int, int]:
    if curve.name == "brainpoolP512r1":
        return int(_P512, 16), int(_A512, 16), int(_B512, 16), int(_N512, 16)
    return _DOMAINS[curve.name]


def explicit_parameters(
    curve: ec.EllipticCurve, *, generator: int = 1, other: Mapping[str, bytes] | None = None
) -> bytes:
    """Write a curve out; `generator` times its base point, or any part replaced by name."""
    p, a, b, order = domain(curve)
    octets = (p.bit_length() + 7) // 8
    parts = {
        "version": asn1.integer(1),
        "field": asn1.sequence(asn1.oid("1.2.840.10045.1.1"), asn1.integer(p)),
        "curve": asn1.sequence(
            asn1.octet_string(a.to_bytes(octets)), asn1.octet_string(b.to_bytes(octets))
        ),
        "base": asn1.octet_string(point(ec.derive_private_key(generator, curve).public_key())),
        "order": asn1.integer(order),
        "cofactor": asn1.integer(1),
    }
    return asn1.sequence(*{**parts, **(other or {})}.values())


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def spki(key: PrivateKey, parameters: bytes | None = None) -> bytes:
    """Write a public key out, elliptic curves with explicit parameters as Doc 9303 asks."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    chosen = explicit_parameters(key.curve) if parameters is None else parameters
    return asn1.sequence(
        asn1.sequence(asn1.oid("1.2.840.10045.2.1"), chosen),
        asn1.bit_string(point(key.public_key())),
    )


def name(common_name: str, country: str = "VN", *, tag: int = 0x0C) -> bytes:
    return asn1.sequence(
        asn1.set_of(asn1.sequence(asn1.oid("2.5.4.6"), asn1.printable(country))),
        asn1.set_of(asn1.sequence(asn1.oid("2.5.4.3"), asn1.der(tag, common_name.encode()))),
    )


def extension(dotted: str, value: bytes, *, is_critical: bool = False) -> bytes:
    return asn1.sequence(
        asn1.oid(dotted), asn1.TRUE if is_critical else b"", asn1.octet_string(value)
    )


def key_usage(bits: int, *, is_critical: bool = True) -> bytes:
    unused = (bits & -bits).bit_length() - 1
    return extension("2.5.29.15", asn1.der(0x03, bytes([unused, bits])), is_critical=is_critical)


def basic_constraints(*, is_ca: bool) -> bytes:
    content = asn1.sequence(asn1.TRUE, asn1.integer(0)) if is_ca else asn1.sequence()
    return extension("2.5.29.19", content, is_critical=True)


def subject_key_identifier(identifier: bytes) -> bytes:
    return extension("2.5.29.14", asn1.octet_string(identifier))


def authority_key_identifier(identifier: bytes) -> bytes:
    return extension("2.5.29.35", asn1.sequence(asn1.der(0x80, identifier)))


def private_key_period(start: datetime, end: datetime) -> bytes:
    period = asn1.sequence(asn1.generalized(0x80, start), asn1.generalized(0x81, end))
    return extension("2.5.29.16", period)


def extended_key_usage(*purposes: str, is_critical: bool = False) -> bytes:
    listed = asn1.sequence(*(asn1.oid(purpose) for purpose in purposes))
    return extension("2.5.29.37", listed, is_critical=is_critical)


def document_types(*codes: str) -> bytes:
    listed = asn1.set_of(*(asn1.printable(code) for code in codes))
    return extension("2.23.136.1.1.6.2", asn1.sequence(asn1.integer(0), listed))


DIGITAL_SIGNATURE, KEY_CERT_SIGN_AND_CRL_SIGN, KEY_CERT_SIGN = 0x80, 0x06, 0x04


def key_identifier(key: PrivateKey) -> bytes:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).digest()[:20]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate and the private key it speaks of."""

    key: PrivateKey
    subject: bytes
    certificate: bytes
    serial: int
    issuer: bytes


@dataclass(frozen=True, kw_only=True)
class CertificateDraft:
    """Everything a certificate says, before anyone signs it."""

    key: PrivateKey
    subject: bytes
    issuer: bytes
    serial: int = 0x1001
    not_before: datetime = datetime(2024, 7, 1, tzinfo=UTC)
    not_after: datetime = datetime(2040, 1, 1, tzinfo=UTC)
    extensions: tuple[bytes, ...] = ()
    algorithm: Algorithm = ECDSA_512
    inner_algorithm: Algorithm | None = None
    version: int = 2
    spki: bytes | None = None

    def sign(self, key: PrivateKey) -> Identity:
        """Have the issuer's key sign it."""
        tbs = asn1.sequence(
            asn1.der(0xA0, asn1.integer(self.version)) if self.version else b"",
            asn1.integer(self.serial),
            (self.inner_algorithm or self.algorithm).identifier,
            self.issuer,
            asn1.sequence(asn1.utc_time(self.not_before), asn1.utc_time(self.not_after)),
            self.subject,
            self.spki or spki(self.key),
            asn1.der(0xA3, asn1.sequence(*self.extensions)) if self.extensions else b"",
        )
        signature = asn1.bit_string(self.algorithm.sign(key, tbs))
        return Identity(
            key=self.key,
            subject=self.subject,
            certificate=asn1.sequence(tbs, self.algorithm.identifier, signature),
            serial=self.serial,
            issuer=self.issuer,
        )


def authority_draft(
    common_name: str = "CSCA TEST", country: str = "VN", key: PrivateKey | None = None
) -> CertificateDraft:
    """A country signing authority with Vietnam's curve, valid 2021 to 2041."""
    chosen = key or ec_key(ec.BrainpoolP512R1())
    subject = name(common_name, country)
    return CertificateDraft(
        key=chosen,
        subject=subject,
        issuer=subject,
        serial=1,
        not_before=datetime(2021, 1, 1, tzinfo=UTC),
        not_after=datetime(2041, 1, 1, tzinfo=UTC),
        extensions=(
            basic_constraints(is_ca=True),
            key_usage(KEY_CERT_SIGN_AND_CRL_SIGN),
            subject_key_identifier(key_identifier(chosen)),
        ),
    )


def make_authority(
    common_name: str = "CSCA TEST", country: str = "VN", key: PrivateKey | None = None
) -> Identity:
    draft = authority_draft(common_name, country, key)
    return draft.sign(draft.key)


def signer_draft(authority: Identity, key: PrivateKey | None = None) -> CertificateDraft:
    """A document signer as Doc 9303-12 wants it, valid 2024 to 2040."""
    return CertificateDraft(
        key=key or ec_key(),
        subject=name("DS TEST 1001"),
        issuer=authority.subject,
        extensions=(
            authority_key_identifier(key_identifier(authority.key)),
            key_usage(DIGITAL_SIGNATURE),
            document_types("ID"),
        ),
    )


def make_revoked(serial: int, *, extensions: tuple[bytes, ...] = ()) -> bytes:
    return asn1.sequence(
        asn1.integer(serial),
        asn1.utc_time(datetime(2026, 1, 1, tzinfo=UTC)),
        asn1.sequence(*extensions) if extensions else b"",
    )


def make_crl(
    authority: Identity,
    *serials: int,
    this_update: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    next_update: datetime | None = datetime(2027, 1, 1, tzinfo=UTC),
    extensions: tuple[bytes, ...] = (),
    entries: tuple[bytes, ...] = (),
    key: PrivateKey | None = None,
) -> bytes:
    revoked = [*(make_revoked(serial) for serial in serials), *entries]
    tbs = asn1.sequence(
        asn1.integer(1),
        ECDSA_512.identifier,
        authority.subject,
        asn1.utc_time(this_update),
        asn1.utc_time(next_update) if next_update else b"",
        asn1.sequence(*revoked) if revoked else b"",
        asn1.der(0xA0, asn1.sequence(*extensions)) if extensions else b"",
    )
    signature = asn1.bit_string(ECDSA_512.sign(key or authority.key, tbs))
    return asn1.sequence(tbs, ECDSA_512.identifier, signature)
