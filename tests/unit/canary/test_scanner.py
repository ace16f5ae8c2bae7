"""The scanner finds each kind of thing in each encoding, and no look-alike."""

import base64
import bz2
import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from telco_sim.recording import PersonalKind, Told
from tests.canary.canary import scanner_for
from tests.canary.encodings import Encoding
from tests.canary.scanner import Scanned, Scanner
from tests.canary.spellings import unaccented

NAME = "Nguyễn Thị Bích Đào"
SHORT_NAME = "Lê An"
PERSONAL_ID = "079190012345"
NUMBER = "+84912345678"
BIRTH_DATE = "1990-07-21"
ZONE = "IDVNM1900123458079190012345<<09007215F3007214VNM<<<<<<<<<<<4NGUYEN<<THI<BICH<DAO<<<<<<<<<<"
DG1 = b"\x61\x5d\x5f\x1f\x5a" + ZONE.encode()
ADDRESS = "Số 12, ngõ 34, phường Ví Dụ"
DG13 = b"\x30\x81\x80\x02\x01\x0d\x0c" + bytes([len(ADDRESS.encode())]) + ADDRESS.encode()
IMAGE = Random(11).randbytes(9_000)
OTHER = b"\n" + Random(12).randbytes(100) + b"\n"
"""What stands around: no digit or letter touches a leak."""

TOLD = (
    Told(kind=PersonalKind.NAME, value=NAME),
    Told(kind=PersonalKind.NAME, value=SHORT_NAME),
    Told(kind=PersonalKind.PERSONAL_ID, value=PERSONAL_ID),
    Told(kind=PersonalKind.NUMBER, value=NUMBER),
    Told(kind=PersonalKind.BIRTH_DATE, value=BIRTH_DATE, whose=SHORT_NAME),
    Told(kind=PersonalKind.MACHINE_READABLE_ZONE, value=DG1),
    Told(kind=PersonalKind.CARD_DETAILS, value=DG13),
    Told(kind=PersonalKind.IMAGE, value=IMAGE),
)

LEAKS: Mapping[str, tuple[bytes, PersonalKind]] = {
    "name": (NAME.encode(), PersonalKind.NAME),
    "name in capitals": (NAME.upper().encode(), PersonalKind.NAME),
    "name without marks": (unaccented(NAME).encode(), PersonalKind.NAME),
    "name in a zone": (b"NGUYEN<<THI<BICH<DAO", PersonalKind.NAME),
    "name joined": (b"nguyen_thi_bich_dao", PersonalKind.NAME),
    "personal ID": (PERSONAL_ID.encode(), PersonalKind.PERSONAL_ID),
    "number": (NUMBER.encode(), PersonalKind.NUMBER),
    "number without plus": (b"84912345678", PersonalKind.NUMBER),
    "national number": (b"0912345678", PersonalKind.NUMBER),
    "number in groups": (b"091 234 5678", PersonalKind.NUMBER),
    "first line of a zone": (ZONE[:30].encode(), PersonalKind.MACHINE_READABLE_ZONE),
    "second line of a zone": (ZONE[30:60].encode(), PersonalKind.MACHINE_READABLE_ZONE),
    "card number": (b"190012345", PersonalKind.MACHINE_READABLE_ZONE),
    "address": (ADDRESS.encode(), PersonalKind.CARD_DETAILS),
    "piece of an image": (IMAGE[5_000:6_056], PersonalKind.IMAGE),
    "end of an image": (IMAGE[-1_056:], PersonalKind.IMAGE),
}


def as_utf16(value: bytes) -> bytes:
    return value.decode().encode("utf-16-le")


def as_json(value: bytes) -> bytes:
    return json.dumps({"detail": value.decode()}).encode()


def as_bytea(value: bytes) -> bytes:
    is_plain = (0x20 <= octet < 0x7F and octet != 0x5C for octet in value)
    return "".join(
        chr(octet) if plain else f"\\{octet:03o}"
        for octet, plain in zip(value, is_plain, strict=True)
    ).encode()


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": lambda value: value,
    "hexadecimal": lambda value: value.hex().encode(),
    "large hexadecimal": lambda value: value.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64, one octet on": lambda value: base64.b64encode(b"a" + value + b"b"),
    "base64, two octets on": lambda value: base64.b64encode(b"ab" + value + b"c"),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"{" + value + b"}"),
    "escaped bytea": as_bytea,
    "gzip": lambda value: gzip.compress(value + OTHER),
    "zlib": lambda value: zlib.compress(value + OTHER),
    "gzip inside other things": lambda value: OTHER + gzip.compress(OTHER + value),
}
TEXT_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "UTF-16": as_utf16,
    "JSON": as_json,
    "JSON in JSON": lambda value: json.dumps(as_json(value).decode()).encode(),
    "URL": lambda value: quote(value.decode()).encode(),
    "URL in small digits": lambda value: re.sub(
        r"%..", lambda found: found.group().lower(), quote(value.decode())
    ).encode(),
}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    made, _ = scanner_for(TOLD)
    return made


def scan(scanner: Scanner, octets: bytes) -> Scanned:
    return scanner.scan(octets, place="here")


def kinds(scanned: Scanned) -> set[PersonalKind]:
    return {each.kind for each in scanned.finds}


@pytest.mark.parametrize("how", ENCODERS)
@pytest.mark.parametrize("what", LEAKS)
def test_a_planted_leak_is_found(scanner: Scanner, what: str, how: str) -> None:
    value, kind = LEAKS[what]
    assert kind in kinds(scan(scanner, OTHER + ENCODERS[how](value) + OTHER))


@pytest.mark.parametrize("how", TEXT_ENCODERS)
@pytest.mark.parametrize("what", [each for each in LEAKS if "image" not in each])
def test_a_planted_text_is_found_as_text(scanner: Scanner, what: str, how: str) -> None:
    value, kind = LEAKS[what]
    assert kind in kinds(scan(scanner, b"?who=" + TEXT_ENCODERS[how](value) + b"&more"))


@pytest.mark.parametrize(
    "text",
    [
        f"born {BIRTH_DATE}: {SHORT_NAME}",
        f'{{"full_name": "Lê An", "birth_date": "{BIRTH_DATE}"}}',
        "LE AN, 21/07/1990",
        "an le 19900721",
    ],
)
def test_a_birth_date_is_found_beside_its_persons_name(scanner: Scanner, text: str) -> None:
    assert PersonalKind.BIRTH_DATE in kinds(scan(scanner, text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "An",
        "Lê An",  # too short to be told from chance; beside a birth date it counts
        "le an and the plan",
        f"first day {BIRTH_DATE}",
        f"{BIRTH_DATE}: an operator",  # one word of the name
        "Lê An" + " " * 200 + BIRTH_DATE,
        f"1{PERSONAL_ID}",
        f"{PERSONAL_ID}7",
        "1763847912345678",
        f"{'0' * 8}912345678{'f' * 8}",
        f"{'ab' * 8}{PERSONAL_ID}{'cd' * 8}",
        "190012345678",
        "Nguyễn Thị",
        "IDVNM<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
)
def test_a_look_alike_is_not_found(scanner: Scanner, text: str) -> None:
    assert scan(scanner, text.encode()).is_clean


def test_octets_of_chance_hold_nothing(scanner: Scanner) -> None:
    octets = Random(5).randbytes(2_000_000)
    for form in (octets, octets.hex().encode(), base64.b64encode(octets)):
        assert scan(scanner, form).is_clean


def test_words_of_the_services_own_are_nobodys() -> None:
    _, without = scanner_for([Told(kind=PersonalKind.NAME, value=NAME)])
    own, left_out = scanner_for(
        [
            Told(kind=PersonalKind.NAME, value=NAME),
            Told(kind=PersonalKind.CARD_DETAILS, value=b"\x0c\x0aPolicyPack"),
        ]
    )
    assert left_out > without
    assert scan(own, b"PolicyPack").is_clean
    assert kinds(scan(own, NAME.encode())) == {PersonalKind.NAME}


def test_files_are_read_wherever_they_lie_and_the_find_says_where(
    scanner: Scanner, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "empty").touch()
    (folder / "clean.txt").write_text("nothing")
    (folder / "deep" / "er" / "log").write_bytes(b"\0" * 70_000 + PERSONAL_ID.encode())
    scanned = scanner.scan_files(folder)
    assert scanned.place_count == 3
    (find,) = scanned.finds
    assert (find.place, find.offset) == ("state/deep/er/log", 70_000)
    assert (find.kind, find.encoding) == (PersonalKind.PERSONAL_ID, Encoding.PLAIN)


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
def test_whole_files_of_other_methods_are_opened(
    scanner: Scanner, compress: Callable[[bytes], bytes]
) -> None:
    assert kinds(scan(scanner, compress(NAME.encode()))) == {PersonalKind.NAME}


@pytest.mark.parametrize("magic", [b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"PK\x03\x04"])
def test_what_cannot_be_opened_is_told(scanner: Scanner, magic: bytes) -> None:
    scanned = scan(scanner, magic + bytes(100))
    assert not scanned.is_clean
    assert len(scanned.unread) == 1


def test_a_stream_that_was_cut_off_is_read_as_far_as_it_goes(scanner: Scanner) -> None:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb") as stream:
        stream.write(NAME.encode() + Random(13).randbytes(100_000))
    assert kinds(scan(scanner, file.getvalue()[:50_000])) == {PersonalKind.NAME}
