"""The data groups of a Vietnamese identity card, encoded.

Owns the bytes of DG1, DG2, DG13, DG14 and DG15: the machine readable zone with its check digits
(ICAO Doc 9303-5), the face record (ISO/IEC 19794-5), the national fields, and the two key
files. It refuses to know signatures, private keys and who makes cards. Written apart from the
service's parser on purpose.
"""

import io
import string
import unicodedata
from dataclasses import dataclass
from datetime import date

from asn1crypto import keys
from PIL import Image

from telco_sim.der import (
    integer,
    object_identifier,
    printable_string,
    sequence,
    set_of,
    tlv,
    utf8_string,
)
from telco_sim.names import Sex
from telco_sim.pki import MRZ_COUNTRY
from telco_sim.population import Citizen

_MRZ_DIGIT_VALUES = {
    character: value for value, character in enumerate(string.digits + string.ascii_uppercase)
} | {"<": 0}
_MRZ_WEIGHTS = (7, 3, 1)
_MRZ_NAME_LENGTH = 30

_NO_EXPIRY_TEXT = "Không thời hạn"
_NO_EXPIRY_MRZ = "991231"
"""How a card without expiry fills its machine readable zone is not published; this is a guess."""

_JPEG_START = b"\xff\xd8\xff"
_JPEG2000_STARTS = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")

_UTF8_CHARACTER_SET = "1.0.10646.1.0.8"
_SEX_IN_MRZ = {Sex.MALE: "M", Sex.FEMALE: "F"}
_SEX_IN_DG13 = {Sex.MALE: "Nam", Sex.FEMALE: "Nữ"}


@dataclass(frozen=True, slots=True)
class CardDates:
    """When a card was issued and until when it is good; None: without a time limit."""

    issued_on: date
    expires_on: date | None


def encode_dg1(citizen: Citizen, *, dates: CardDates, state: str = MRZ_COUNTRY) -> bytes:
    """Return DG1: tag 61 around 5F1F with the 90 characters of a TD1 zone."""
    zone = machine_readable_zone(citizen, dates=dates, state=state)
    return tlv(0x61, tlv(0x5F1F, zone.encode("ascii")))


def machine_readable_zone(citizen: Citizen, *, dates: CardDates, state: str = MRZ_COUNTRY) -> str:
    """Return the three lines of 30 characters (Doc 9303-5, 4.2.2), joined.

    The document number is the last nine digits of the personal ID; the whole ID fills the
    optional field of line 1, and its own check digit the last place.

    Args:
        citizen: The holder.
        dates: Issue and expiry.
        state: The issuing state, three letters.
    """
    number = citizen.personal_id[-9:]
    personal_id = citizen.personal_id
    birth = citizen.birth_date.strftime("%y%m%d")
    expiry = dates.expires_on.strftime("%y%m%d") if dates.expires_on else _NO_EXPIRY_MRZ
    number_field = number + mrz_check_digit(number)
    birth_field = birth + mrz_check_digit(birth)
    expiry_field = expiry + mrz_check_digit(expiry)
    optional_1 = f"{personal_id}<<{mrz_check_digit(personal_id)}"
    optional_2 = "<" * 11
    composite = mrz_check_digit(number_field + optional_1 + birth_field + expiry_field + optional_2)
    line_1 = f"ID{state}{number_field}{optional_1}"
    line_2 = f"{birth_field}{_SEX_IN_MRZ[citizen.sex]}{expiry_field}VNM{optional_2}{composite}"
    return line_1 + line_2 + mrz_name(citizen.full_name)


def mrz_check_digit(field: str) -> str:
    """Return the check digit of a field: weights 7, 3, 1, modulo 10 (Doc 9303-3, 4.9)."""
    total = sum(
        _MRZ_DIGIT_VALUES[character] * _MRZ_WEIGHTS[position % 3]
        for position, character in enumerate(field)
    )
    return str(total % 10)


def mrz_name(full_name: str) -> str:
    """Return a name in 30 characters A to Z and <: first word, <<, the others.

    Diacritics and apostrophes go (Doc 9303-3, 4.6 and 6), Đ becomes D; a name that is too long
    is cut.
    """
    plain = unicodedata.normalize("NFD", full_name.upper().replace("Đ", "D"))
    letters = "".join(each for each in plain if each in string.ascii_uppercase + " -")
    family, *given = letters.replace("-", " ").split()
    return (family + "<<" + "<".join(given))[:_MRZ_NAME_LENGTH].ljust(_MRZ_NAME_LENGTH, "<")


def encode_dg2(*portraits: bytes) -> bytes:
    """Return DG2: a face record with one image each (Doc 9303-10, 4.7.2; ISO/IEC 19794-5, 5).

    Args:
        portraits: Whole JPEG or JPEG 2000 files, which go in byte for byte; proper cards have one.

    Raises:
        ValueError: The bytes are neither.
    """
    templates = [_biometric_template(_face_record(portrait)) for portrait in portraits]
    return tlv(0x75, tlv(0x7F61, tlv(0x02, bytes([len(templates)])), *templates))


def _biometric_template(record: bytes) -> bytes:
    header = tlv(
        0xA1,
        tlv(0x80, b"\x01\x01"),  # version of the patron header
        tlv(0x81, b"\x02"),  # biometric type: facial features
        tlv(0x82, b"\x00"),  # no subtype
        tlv(0x87, b"\x01\x01"),  # format owner: ISO/IEC JTC 1/SC 37
        tlv(0x88, b"\x00\x08"),  # format type: ISO/IEC 19794-5
    )
    return tlv(0x7F60, header, tlv(0x5F2E, record))


def encode_dg13(citizen: Citizen, *, dates: CardDates, chip_serial: str) -> bytes:
    """Return DG13, the national fields: tag 6D, version 1, UTF-8, a SET of numbered values.

    Args:
        citizen: The holder.
        dates: Issue and expiry.
        chip_serial: Field 16, sixteen hexadecimal characters.
    """
    fields = {
        1: printable_string(citizen.personal_id),
        2: utf8_string(citizen.full_name),
        3: printable_string(_day(citizen.birth_date)),
        4: utf8_string(_SEX_IN_DG13[citizen.sex]),
        5: utf8_string("Việt Nam"),
        6: utf8_string(citizen.ethnicity),
        7: utf8_string(citizen.religion),
        8: utf8_string(citizen.place_of_origin),
        9: utf8_string(citizen.place_of_residence),
        10: utf8_string("Không"),
        11: printable_string(_day(dates.issued_on)),
        12: _expiry_field(dates.expires_on),
        13: sequence(utf8_string(citizen.father_name), utf8_string(citizen.mother_name)),
        16: printable_string(chip_serial),
    }
    if citizen.old_id_number is not None:
        fields[15] = printable_string(citizen.old_id_number)
    entries = [sequence(integer(number), value) for number, value in sorted(fields.items())]
    # Real cards list the fields by number; a SET in DER would sort them by their bytes.
    return tlv(
        0x6D,
        sequence(integer(1), object_identifier(_UTF8_CHARACTER_SET), tlv(0x31, *entries)),
    )


def encode_dg14(chip_authentication_key: keys.PublicKeyInfo) -> bytes:
    """Return DG14: tag 6E around the SecurityInfos of chip authentication (Doc 9303-11, 9.2).

    Args:
        chip_authentication_key: An elliptic-curve key; ECDH with AES-128 is announced for it.
    """
    public_key = sequence(
        object_identifier("0.4.0.127.0.7.2.2.1.2"), chip_authentication_key.dump()
    )
    protocol = sequence(object_identifier("0.4.0.127.0.7.2.2.3.2.2"), integer(1))
    return tlv(0x6E, set_of(public_key, protocol))


def encode_dg15(active_authentication_key: bytes) -> bytes:
    """Return DG15: tag 6F around a SubjectPublicKeyInfo in DER (Doc 9303-10, 4.7.15)."""
    return tlv(0x6F, active_authentication_key)


def _face_record(portrait: bytes) -> bytes:
    """Return an ISO/IEC 19794-5 record: facial header, face information, image information."""
    width_px, height_px = _image_size(portrait)
    image_type = b"\x01"  # full frontal
    image_information = (
        image_type
        + _image_data_type(portrait)
        + width_px.to_bytes(2, "big")
        + height_px.to_bytes(2, "big")
        + bytes(6)  # colour space, source, device and quality: not stated
    )
    face_information_length = 20
    block_length = face_information_length + len(image_information) + len(portrait)
    face_information = block_length.to_bytes(4, "big") + bytes(face_information_length - 4)
    facial_header_length = 14
    record_length = facial_header_length + block_length
    facial_header = b"FAC\x00" + b"010\x00" + record_length.to_bytes(4, "big") + b"\x00\x01"
    return facial_header + face_information + image_information + portrait


def _image_data_type(portrait: bytes) -> bytes:
    if portrait.startswith(_JPEG_START):
        return b"\x00"
    if portrait.startswith(_JPEG2000_STARTS):
        return b"\x01"
    raise ValueError("a portrait is a JPEG or a JPEG 2000 file")


def _image_size(portrait: bytes) -> tuple[int, int]:
    _image_data_type(portrait)
    with Image.open(io.BytesIO(portrait)) as image:
        return image.size


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _expiry_field(expires_on: date | None) -> bytes:
    if expires_on is None:
        return utf8_string(_NO_EXPIRY_TEXT)
    return printable_string(_day(expires_on))
