"""The files of a chip, right ones and wrong ones, and one whole card of a fictitious citizen.

Owns EF.SOD, the data groups and the chip's answer to a nonce; `issuer` signs. Shares no code with
the package under test.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from biometrics.chip.policy import Quirk, TrustPolicy
from biometrics.chip.verify import ActiveEvidence, ChipFiles
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state

DECLARES_SHA1 = TrustPolicy(quirks={"VN": frozenset({Quirk.SHA1})})
NONCE = bytes.fromhex("0123456789ABCDEF")
PERSONAL_ID = "001090999999"


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
    return asn1.sequence(
        asn1.integer(version),
        asn1.sequence(asn1.oid(state.HASH_OIDS[hash_name])),
        asn1.sequence(
            *(
                asn1.sequence(asn1.integer(n), asn1.octet_string(value))
                for n, value in [*entries, *more]
            )
        ),
        version_info,
    )


CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"


def attribute(dotted: str, *values: bytes) -> bytes:
    return asn1.sequence(asn1.oid(dotted), asn1.set_of(*values))


@dataclass(frozen=True, kw_only=True)
class SODDraft:
    """Everything an EF.SOD says; None means what a correct one would say."""

    content: bytes
    signer: state.Identity
    content_type: str = LDS_SECURITY_OBJECT
    algorithm: state.Algorithm = state.ECDSA_256
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
        signed = asn1.sequence(
            asn1.integer(self.version),
            asn1.set_of(
                *(
                    asn1.sequence(asn1.oid(state.HASH_OIDS[digest]))
                    for digest in self.listed_digests
                )
            ),
            asn1.sequence(
                asn1.oid(self.content_type), asn1.der(0xA0, asn1.octet_string(self.content))
            ),
            asn1.der(0xA0, *certificates) if certificates else b"",
            asn1.set_of(*[self._signer_info()] * self.signer_count),
            self.extra,
        )
        return (
            asn1.der(self.tag, asn1.sequence(asn1.oid(self.envelope_type), asn1.der(0xA0, signed)))
            + self.trailing
        )

    def _signer_info(self) -> bytes:
        attributes = self.attributes
        if attributes is None:
            digest = hashlib.new(self.digest, self.content).digest()
            attributes = (
                attribute(CONTENT_TYPE, asn1.oid(self.content_type)),
                attribute(MESSAGE_DIGEST, asn1.octet_string(digest)),
            )
        signed_octets = asn1.set_of(*attributes) if self.has_attributes else self.content
        signature = self.signature
        if signature is None:
            signature = self.algorithm.sign(self.signer.key, signed_octets)
        return asn1.sequence(
            asn1.integer(self.signer_version),
            self.signer_identifier
            or asn1.sequence(self.signer.issuer, asn1.integer(self.signer.serial)),
            asn1.sequence(asn1.oid(state.HASH_OIDS[self.digest])),
            asn1.der(0xA0, *attributes) if self.has_attributes else b"",
            self.identifier or self.algorithm.identifier,
            asn1.octet_string(signature),
            self.unsigned_attributes,
            self.signer_extra,
        )


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
    return asn1.der(0x61, asn1.der(0x5F1F, zone.encode("ascii")))


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
    return asn1.der(
        0xA1,
        asn1.der(0x81, face),
        asn1.der(0x82, b"\0"),
        b"" if owner is None else asn1.der(0x87, owner),
        b"" if kind is None else asn1.der(0x88, kind),
    )


def instance(record: bytes, header: bytes | None = None, *, tag: int = 0x5F2E) -> bytes:
    return asn1.der(0x7F60, biometric_header() if header is None else header, asn1.der(tag, record))


def dg2_around(*instances: bytes, count: int | None = None) -> bytes:
    number = len(instances) if count is None else count
    return asn1.der(0x75, asn1.der(0x7F61, asn1.der(0x02, bytes([number])), *instances))


def make_dg2(image: bytes | None = None) -> bytes:
    return dg2_around(instance(facial_record(picture() if image is None else image)))


def face_image_data(image: bytes, *, representations: int = 1) -> bytes:
    """ISO/IEC 39794-5, mandatory fields only."""
    two_d = asn1.der(
        0xA0, asn1.der(0x80, image), asn1.der(0xA1, asn1.der(0xA0, asn1.der(0x80, b"\x02")))
    )
    representation = asn1.sequence(asn1.der(0x80, b"\0"), asn1.der(0xA1, asn1.der(0xA0, two_d)))
    version = asn1.der(0xA0, asn1.der(0x80, b"\x03"), asn1.der(0x81, b"\x07\xe3"))
    return asn1.der(
        0xA1, asn1.der(0x65, version, asn1.der(0xA1, *[representation] * representations))
    )


def make_dg2_39794(image: bytes, *, representations: int = 1) -> bytes:
    record = face_image_data(image, representations=representations)
    return dg2_around(instance(record, biometric_header(kind=b"\0\x2a"), tag=0x7F2E))


CITIZEN_FIELDS: Mapping[int, bytes] = {
    1: asn1.utf8(PERSONAL_ID),
    2: asn1.utf8("Nguyễn Văn Thử"),
    3: asn1.printable("01/01/1990"),
    4: asn1.utf8("Nam"),
    5: asn1.utf8("Việt Nam"),
    6: asn1.utf8("Kinh"),
    12: asn1.printable("01/01/2040"),
    13: asn1.sequence(asn1.utf8("Nguyễn Văn Cha"), asn1.utf8("Trần Thị Mẹ")),
}


def make_dg13(changes: Mapping[int, bytes] | None = None, *, more: bytes = b"") -> bytes:
    """DG13; a changed field of no octets is left out."""
    fields = {**CITIZEN_FIELDS, **(changes or {})}
    encoded = [
        asn1.sequence(asn1.integer(number), value) for number, value in fields.items() if value
    ]
    return dg13_around(asn1.set_of(*encoded, more))


def dg13_around(fields: bytes, *, version: int = 1, encoding: str = "1.0.10646.1.0.8") -> bytes:
    return asn1.der(0x6D, asn1.sequence(asn1.integer(version), asn1.oid(encoding), fields))


def make_dg14(*infos: bytes) -> bytes:
    chip_authentication = asn1.sequence(
        asn1.oid("0.4.0.127.0.7.2.2.3.2.1"), asn1.integer(1), asn1.integer(1)
    )
    return asn1.der(0x6E, asn1.set_of(chip_authentication, *infos))


def active_authentication_info(algorithm: str) -> bytes:
    return asn1.sequence(asn1.oid("2.23.136.1.1.5"), asn1.integer(1), asn1.oid(algorithm))


def make_dg15(key: state.PrivateKey) -> bytes:
    return asn1.der(0x6F, state.spki(key))


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


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card of one state: authority, signer, files, and the chip's own key."""

    authority: state.Identity
    signer: state.Identity
    data_groups: Mapping[int, bytes]
    chip_key: state.PrivateKey
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

    def with_signer(
        self, change: Callable[[state.CertificateDraft], state.CertificateDraft]
    ) -> "Card":
        """Have the authority issue another signer, and that signer sign the card."""
        draft = change(state.signer_draft(self.authority))
        card = replace(self, signer=draft.sign(self.authority.key))
        return card.with_sod(card.draft())

    def signed_by(self, signer: state.Identity) -> "Card":
        """Have another signer sign the same list."""
        card = replace(self, signer=signer)
        return card.with_sod(card.draft())


@cache
def make_card() -> Card:
    """The good card: Vietnam's curves with explicit parameters, RSA-2048 active authentication."""
    authority = state.make_authority()
    signer = state.signer_draft(authority).sign(authority.key)
    chip_key = state.rsa_key(2048, "chip")
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
