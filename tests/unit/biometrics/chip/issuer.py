"""A state in miniature: it signs certificates, revocation lists and chip files for the tests.

Owns an encoder of its own, octet by octet, so that it can write what no library would: wrong
versions, other base points, two of what there must be one of. Every card is fictitious. Shares no
code with the package under test.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from biometrics.chip.verify import ActiveEvidence, ChipFiles

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NONCE = bytes.fromhex("0123456789ABCDEF")
PERSONAL_ID = "001090999999"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

# --- DER, by hand ---------------------------------------------------------------------------------


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1)
    if len(content) < 0x80:
        return head + bytes([len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return head + bytes([0x80 | len(length)]) + length + content


def integer(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(groups)
    return der(0x06, octets)


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return der(0x31, *parts)


def octet_string(content: bytes) -> bytes:
    return der(0x04, content)


def bit_string(content: bytes) -> bytes:
    return der(0x03, b"\0" + content)


def printable(text: str) -> bytes:
    return der(0x13, text.encode("ascii"))


def utf8(text: str) -> bytes:
    return der(0x0C, text.encode())


def utc_time(instant: datetime) -> bytes:
    return der(0x17, f"{instant:%y%m%d%H%M%SZ}".encode())


def generalized(tag: int, instant: datetime) -> bytes:
    return der(tag, f"{instant:%Y%m%d%H%M%SZ}".encode())


NULL = der(0x05)
TRUE = der(0x01, b"\xff")

# --- Algorithms -----------------------------------------------------------------------------------

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
            return sequence(oid(RSA_ENCRYPTION), NULL)
        has_null = self.writes_null or self.scheme == "pkcs1"
        number = oid(SIGNATURE_OIDS[self.scheme, self.hash])
        return sequence(number, NULL) if has_null else sequence(number)

    def _pss_identifier(self) -> bytes:
        digest = sequence(oid(HASH_OIDS[self.hash]), NULL)
        return sequence(
            oid(RSASSA_PSS),
            sequence(
                der(0xA0, digest),
                der(0xA1, sequence(oid("1.2.840.113549.1.1.8"), digest)),
                der(0xA2, integer(self.salt_octets)),
                der(0xA3, integer(1)),  # the default, written out as issuers do
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

# --- Keys -----------------------------------------------------------------------------------------


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
        "version": integer(1),
        "field": sequence(oid("1.2.840.10045.1.1"), integer(p)),
        "curve": sequence(octet_string(a.to_bytes(octets)), octet_string(b.to_bytes(octets))),
        "base": octet_string(point(ec.derive_private_key(generator, curve).public_key())),
        "order": integer(order),
        "cofactor": integer(1),
    }
    return sequence(*{**parts, **(other or {})}.values())


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def spki(key: PrivateKey, parameters: bytes | None = None) -> bytes:
    """Write a public key out, elliptic curves with explicit parameters as Doc 9303 asks."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    chosen = explicit_parameters(key.curve) if parameters is None else parameters
    return sequence(sequence(oid("1.2.840.10045.2.1"), chosen), bit_string(point(key.public_key())))


# --- Certificates and revocation lists ------------------------------------------------------------


def name(common_name: str, country: str = "VN", *, tag: int = 0x0C) -> bytes:
    return sequence(
        set_of(sequence(oid("2.5.4.6"), printable(country))),
        set_of(sequence(oid("2.5.4.3"), der(tag, common_name.encode()))),
    )


def extension(dotted: str, value: bytes, *, is_critical: bool = False) -> bytes:
    return sequence(oid(dotted), TRUE if is_critical else b"", octet_string(value))


def key_usage(bits: int, *, is_critical: bool = True) -> bytes:
    unused = (bits & -bits).bit_length() - 1
    return extension("2.5.29.15", der(0x03, bytes([unused, bits])), is_critical=is_critical)


def basic_constraints(*, is_ca: bool) -> bytes:
    content = sequence(TRUE, integer(0)) if is_ca else sequence()
    return extension("2.5.29.19", content, is_critical=True)


def subject_key_identifier(identifier: bytes) -> bytes:
    return extension("2.5.29.14", octet_string(identifier))


def authority_key_identifier(identifier: bytes) -> bytes:
    return extension("2.5.29.35", sequence(der(0x80, identifier)))


def private_key_period(start: datetime, end: datetime) -> bytes:
    period = sequence(generalized(0x80, start), generalized(0x81, end))
    return extension("2.5.29.16", period)


def document_types(*codes: str) -> bytes:
    listed = set_of(*(printable(code) for code in codes))
    return extension("2.23.136.1.1.6.2", sequence(integer(0), listed))


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
        tbs = sequence(
            der(0xA0, integer(self.version)) if self.version else b"",
            integer(self.serial),
            (self.inner_algorithm or self.algorithm).identifier,
            self.issuer,
            sequence(utc_time(self.not_before), utc_time(self.not_after)),
            self.subject,
            self.spki or spki(self.key),
            der(0xA3, sequence(*self.extensions)) if self.extensions else b"",
        )
        signature = bit_string(self.algorithm.sign(key, tbs))
        return Identity(
            key=self.key,
            subject=self.subject,
            certificate=sequence(tbs, self.algorithm.identifier, signature),
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


def make_crl(
    authority: Identity,
    *serials: int,
    this_update: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    next_update: datetime | None = datetime(2027, 1, 1, tzinfo=UTC),
    extensions: tuple[bytes, ...] = (),
    key: PrivateKey | None = None,
) -> bytes:
    revoked = [sequence(integer(serial), utc_time(this_update)) for serial in serials]
    tbs = sequence(
        integer(1),
        ECDSA_512.identifier,
        authority.subject,
        utc_time(this_update),
        utc_time(next_update) if next_update else b"",
        sequence(*revoked) if revoked else b"",
        der(0xA0, sequence(*extensions)) if extensions else b"",
    )
    signature = bit_string(ECDSA_512.sign(key or authority.key, tbs))
    return sequence(tbs, ECDSA_512.identifier, signature)


# --- EF.SOD ---------------------------------------------------------------------------------------


def security_object(
    data_groups: Mapping[int, bytes],
    *,
    hash_name: str = "sha256",
    version: int = 0,
    version_info: bytes = b"",
    more: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """The list of hashes; `more` entries follow those of the data groups."""
    entries = [
        (number, hashlib.new(hash_name, data).digest()) for number, data in data_groups.items()
    ]
    return sequence(
        integer(version),
        sequence(oid(HASH_OIDS[hash_name])),
        sequence(*(sequence(integer(n), octet_string(value)) for n, value in [*entries, *more])),
        version_info,
    )


CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"


def attribute(dotted: str, *values: bytes) -> bytes:
    return sequence(oid(dotted), set_of(*values))


@dataclass(frozen=True, kw_only=True)
class SODDraft:
    """Everything an EF.SOD says; None means what a correct one would say."""

    content: bytes
    signer: Identity
    content_type: str = LDS_SECURITY_OBJECT
    algorithm: Algorithm = ECDSA_256
    identifier: bytes | None = None
    digest: str = "sha256"
    listed_digests: tuple[str, ...] = ("sha256",)
    attributes: tuple[bytes, ...] | None = None
    has_attributes: bool = True
    certificates: tuple[bytes, ...] | None = None
    signer_identifier: bytes | None = None
    version: int = 3
    signer_version: int = 1
    signature: bytes | None = None
    unsigned_attributes: bytes = b""
    signer_count: int = 1
    signer_extra: bytes = b""
    extra: bytes = b""
    envelope_type: str = "1.2.840.113549.1.7.2"
    tag: int = 0x77
    trailing: bytes = b""

    def encode(self) -> bytes:
        """Return the file."""
        certificates = self.certificates
        if certificates is None:
            certificates = (self.signer.certificate,)
        signed = sequence(
            integer(self.version),
            set_of(*(sequence(oid(HASH_OIDS[digest])) for digest in self.listed_digests)),
            sequence(oid(self.content_type), der(0xA0, octet_string(self.content))),
            der(0xA0, *certificates) if certificates else b"",
            set_of(*[self._signer_info()] * self.signer_count),
            self.extra,
        )
        return der(self.tag, sequence(oid(self.envelope_type), der(0xA0, signed))) + self.trailing

    def _signer_info(self) -> bytes:
        attributes = self.attributes
        if attributes is None:
            digest = hashlib.new(self.digest, self.content).digest()
            attributes = (
                attribute(CONTENT_TYPE, oid(self.content_type)),
                attribute(MESSAGE_DIGEST, octet_string(digest)),
            )
        signed_octets = set_of(*attributes) if self.has_attributes else self.content
        signature = self.signature
        if signature is None:
            signature = self.algorithm.sign(self.signer.key, signed_octets)
        return sequence(
            integer(self.signer_version),
            self.signer_identifier or sequence(self.signer.issuer, integer(self.signer.serial)),
            sequence(oid(HASH_OIDS[self.digest])),
            der(0xA0, *attributes) if self.has_attributes else b"",
            self.identifier or self.algorithm.identifier,
            octet_string(signature),
            self.unsigned_attributes,
            self.signer_extra,
        )


# --- Data groups ----------------------------------------------------------------------------------


def check_digit(text: str) -> str:
    values = ["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(letter) for letter in text]
    weights = [7, 3, 1] * len(text)
    return str(sum(max(v, 0) * w for v, w in zip(values, weights, strict=False)) % 10)


@dataclass(frozen=True, kw_only=True)
class MRZDraft:
    """What a Vietnamese card's machine readable zone says."""

    code: str = "ID"
    state: str = "VNM"
    nationality: str = "VNM"
    personal_id: str = PERSONAL_ID
    number: str = PERSONAL_ID[-9:]
    birth: str = "900101"
    sex: str = "M"
    expiry: str = "400101"
    name: str = "NGUYEN<<VAN<THU"
    personal_id_check: str | None = None

    def encode(self) -> str:
        """Return the zone's 90 characters."""
        check = self.personal_id_check or check_digit(self.personal_id)
        first = (
            f"{self.code:<<2}{self.state:<<3}{self.number:<<9}{check_digit(self.number)}"
            f"{self.personal_id}<<{check}"
        )
        second = (
            f"{self.birth}{check_digit(self.birth)}{self.sex}"
            f"{self.expiry}{check_digit(self.expiry)}{self.nationality:<<3}{'<' * 11}"
        )
        composite = first[5:30] + second[0:7] + second[8:15] + second[18:29]
        return first + second + check_digit(composite) + f"{self.name:<<30}"


def make_dg1(draft: MRZDraft | None = None) -> bytes:
    return dg1_around((draft or MRZDraft()).encode())


def dg1_around(zone: str) -> bytes:
    return der(0x61, der(0x5F1F, zone.encode("ascii")))


def passport_zone(
    *, code: str = "P", state: str = "VNM", number: str = "C11T002JM", optional: str = ""
) -> str:
    data = f"{optional:<<14}"
    second = (
        f"{number:<<9}{check_digit(number)}{state:<<3}900101{check_digit('900101')}"
        f"M400101{check_digit('400101')}{data}{check_digit(data) if optional else '<'}"
    )
    composite = second[0:10] + second[13:20] + second[21:43]
    return f"{code:<<2}{state:<<3}{'NGUYEN<<VAN<THU':<<39}" + second + check_digit(composite)


@cache
def picture(image_format: str = "JPEG", width: int = 96, height: int = 128) -> bytes:
    buffer = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    gradient.save(buffer, image_format)
    return buffer.getvalue()


def facial_record(
    image: bytes,
    *,
    faces: int = 1,
    points: int = 0,
    start: bytes = b"FAC\x00010\x00",
    lengths_off_by: int = 0,
) -> bytes:
    """ISO/IEC 19794-5; sizes and data type are wrong on purpose, as in real documents."""
    block = points.to_bytes(2) + bytes(14) + bytes(8 * points) + bytes([1, 1]) + bytes(10) + image
    block = (len(block) + 4 + lengths_off_by).to_bytes(4) + block
    length = len(start) + 6 + len(block) + lengths_off_by
    return start + length.to_bytes(4) + faces.to_bytes(2) + block


def biometric_header(
    *, owner: bytes | None = b"\x01\x01", kind: bytes | None = b"\0\x08", face: bytes = b"\x02"
) -> bytes:
    return der(
        0xA1,
        der(0x81, face),
        der(0x82, b"\0"),
        b"" if owner is None else der(0x87, owner),
        b"" if kind is None else der(0x88, kind),
    )


def instance(record: bytes, header: bytes | None = None, *, tag: int = 0x5F2E) -> bytes:
    return der(0x7F60, biometric_header() if header is None else header, der(tag, record))


def dg2_around(*instances: bytes, count: int | None = None) -> bytes:
    number = len(instances) if count is None else count
    return der(0x75, der(0x7F61, der(0x02, bytes([number])), *instances))


def make_dg2(image: bytes | None = None) -> bytes:
    return dg2_around(instance(facial_record(picture() if image is None else image)))


def face_image_data(image: bytes, *, representations: int = 1) -> bytes:
    """ISO/IEC 39794-5, mandatory fields only."""
    two_d = der(0xA0, der(0x80, image), der(0xA1, der(0xA0, der(0x80, b"\x02"))))
    representation = sequence(der(0x80, b"\0"), der(0xA1, der(0xA0, two_d)))
    version = der(0xA0, der(0x80, b"\x03"), der(0x81, b"\x07\xe3"))
    return der(0xA1, der(0x65, version, der(0xA1, *[representation] * representations)))


def make_dg2_39794(image: bytes, *, representations: int = 1) -> bytes:
    record = face_image_data(image, representations=representations)
    return dg2_around(instance(record, biometric_header(kind=b"\0\x2a"), tag=0x7F2E))


CITIZEN_FIELDS: Mapping[int, bytes] = {
    1: utf8(PERSONAL_ID),
    2: utf8("Nguyễn Văn Thử"),
    3: printable("01/01/1990"),
    4: utf8("Nam"),
    5: utf8("Việt Nam"),
    6: utf8("Kinh"),
    12: printable("01/01/2040"),
    13: sequence(utf8("Nguyễn Văn Cha"), utf8("Trần Thị Mẹ")),
}


def make_dg13(changes: Mapping[int, bytes] | None = None, *, more: bytes = b"") -> bytes:
    """DG13; a changed field of no octets is left out."""
    fields = {**CITIZEN_FIELDS, **(changes or {})}
    encoded = [sequence(integer(number), value) for number, value in fields.items() if value]
    return dg13_around(set_of(*encoded, more))


def dg13_around(fields: bytes, *, version: int = 1, encoding: str = "1.0.10646.1.0.8") -> bytes:
    return der(0x6D, sequence(integer(version), oid(encoding), fields))


def make_dg14(*infos: bytes) -> bytes:
    chip_authentication = sequence(oid("0.4.0.127.0.7.2.2.3.2.1"), integer(1), integer(1))
    return der(0x6E, set_of(chip_authentication, *infos))


def active_authentication_info(algorithm: str) -> bytes:
    return sequence(oid("2.23.136.1.1.5"), integer(1), oid(algorithm))


def make_dg15(key: PrivateKey) -> bytes:
    return der(0x6F, spki(key))


TRAILERS = {"sha1": "BC", "sha256": "34CC", "sha384": "36CC", "sha512": "35CC", "sha224": "38CC"}


def sign_actively(
    key: rsa.RSAPrivateKey,
    *,
    nonce: bytes = NONCE,
    hash_name: str = "sha256",
    header: int = 0x6A,
    trailer: str | None = None,
    subtracts: bool = False,
) -> bytes:
    """ISO/IEC 9796-2 scheme 1; `subtracts` answers with n less the signature, as some chips do."""
    octets = key.key_size // 8
    tail = bytes.fromhex(trailer or TRAILERS[hash_name])
    digest_octets = hashlib.new(hash_name).digest_size
    recovered = b"\xbb" * (octets - 1 - digest_octets - len(tail))
    hashed = hashlib.new(hash_name, recovered + nonce).digest()
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    block = int.from_bytes(bytes([header]) + recovered + hashed + tail)
    signature = pow(block, numbers.d, modulus)
    return (modulus - signature if subtracts else signature).to_bytes(octets)


# --- A whole card ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card of one state: authority, signer, files, and the chip's own key."""

    authority: Identity
    signer: Identity
    data_groups: Mapping[int, bytes]
    chip_key: PrivateKey
    files: ChipFiles
    active: ActiveEvidence = field(repr=False)

    def draft(self) -> SODDraft:
        """Return the card's EF.SOD, to be changed."""
        return SODDraft(content=security_object(self.data_groups), signer=self.signer)

    def with_sod(self, draft: SODDraft) -> "Card":
        """Exchange EF.SOD."""
        return self.with_files(sod=draft.encode())

    def with_files(self, *, sod: bytes) -> "Card":
        """Exchange the octets of EF.SOD."""
        return replace(self, files=replace(self.files, sod=sod))

    def with_groups(self, changes: Mapping[int, bytes]) -> "Card":
        """Exchange data groups and have the state sign the new list."""
        groups = {**self.data_groups, **changes}
        card = replace(self, data_groups=groups)
        return replace(card, files=ChipFiles(sod=card.draft().encode(), data_groups=groups))

    def with_signer(self, change: Callable[[CertificateDraft], CertificateDraft]) -> "Card":
        """Have the authority issue another signer, and that signer sign the card."""
        draft = change(signer_draft(self.authority))
        card = replace(self, signer=draft.sign(self.authority.key))
        return card.with_sod(card.draft())

    def signed_by(self, signer: Identity) -> "Card":
        """Have another signer sign the same list."""
        card = replace(self, signer=signer)
        return card.with_sod(card.draft())


@cache
def make_card() -> Card:
    """The good card: Vietnam's curves with explicit parameters, RSA-2048 active authentication."""
    authority = make_authority()
    signer = signer_draft(authority).sign(authority.key)
    chip_key = rsa_key(2048, "chip")
    groups = {
        1: make_dg1(),
        2: make_dg2(),
        13: make_dg13(),
        14: make_dg14(),
        15: make_dg15(chip_key),
    }
    sod = SODDraft(content=security_object(groups), signer=signer).encode()
    return Card(
        authority=authority,
        signer=signer,
        data_groups=groups,
        chip_key=chip_key,
        files=ChipFiles(sod=sod, data_groups=groups),
        active=ActiveEvidence(nonce=NONCE, signature=sign_actively(chip_key)),
    )
