"""The Vietnamese DG13: only what is asked for, strictly, whatever order it comes in."""

from datetime import date

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg1 import Sex
from biometrics.chip.dg13 import CitizenField, fold_name, parse_dg13, read_fields
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1


def code_of(data: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        parse_dg13(data)
    return caught.value.code


def field(number: int, *value: bytes) -> bytes:
    return asn1.sequence(asn1.integer(number), *value)


def test_identification_reads_what_it_needs() -> None:
    changes = {11: asn1.printable("01/08/2024")}

    citizen = parse_dg13(chip.make_dg13(changes))

    assert citizen.personal_id == "001090999999"
    assert citizen.full_name == "Nguyễn Văn Thử"
    assert citizen.born_on == date(1990, 1, 1)
    assert citizen.birth_year == 1990
    assert citizen.sex is Sex.MALE
    assert citizen.issued_on == date(2024, 8, 1)
    assert citizen.expires_on == date(2040, 1, 1)
    assert not citizen.has_no_expiry


def test_only_the_wanted_fields_are_decoded() -> None:
    broken_religion = chip.make_dg13({7: asn1.der(0x0C, b"\xff\xfe")})

    assert CitizenField.RELIGION not in read_fields(broken_religion)
    with pytest.raises(ChipError):
        read_fields(broken_religion, wanted={CitizenField.RELIGION})
    assert read_fields(broken_religion, wanted={CitizenField.ETHNICITY}) == {
        CitizenField.ETHNICITY: "Kinh"
    }


def test_the_order_of_the_fields_does_not_matter() -> None:
    fields = [field(number, value) for number, value in chip.CITIZEN_FIELDS.items()]

    forwards = parse_dg13(chip.dg13_around(asn1.set_of(*fields)))
    backwards = parse_dg13(chip.dg13_around(asn1.set_of(*reversed(fields))))

    assert forwards == backwards


def test_missing_and_empty_fields_are_none() -> None:
    empty = asn1.set_of(field(1), field(2, asn1.utf8("")), field(3, asn1.utf8("  ")))

    citizen = parse_dg13(chip.dg13_around(empty))

    assert citizen.personal_id is citizen.full_name is None
    assert citizen.born_on is citizen.expires_on is citizen.issued_on is None
    assert citizen.birth_year is None
    assert citizen.sex is None
    assert not citizen.has_no_expiry


def test_a_name_is_composed_whatever_form_it_comes_in() -> None:
    decomposed = "Nguye\u0302\u0303n Va\u0306n Thu\u031b\u0309"

    assert parse_dg13(chip.make_dg13({2: asn1.utf8(decomposed)})).full_name == "Nguyễn Văn Thử"


@pytest.mark.parametrize(
    ("text", "born_on", "year"),
    [
        ("29/02/1992", date(1992, 2, 29), 1992),
        ("1950", None, 1950),
        ("07/1950", None, 1950),
        ("00/00/1950", None, 1950),
    ],
)
def test_a_birth_date_may_be_incomplete(text: str, born_on: date | None, year: int) -> None:
    citizen = parse_dg13(chip.make_dg13({3: asn1.printable(text)}))

    assert (citizen.born_on, citizen.birth_year) == (born_on, year)


@pytest.mark.parametrize("words", ["Không thời hạn", "KHONG THOI HAN", "Vô thời hạn"])
def test_a_card_may_say_in_words_that_it_does_not_expire(words: str) -> None:
    citizen = parse_dg13(chip.make_dg13({12: asn1.utf8(words)}))

    assert citizen.has_no_expiry
    assert citizen.expires_on is None


@pytest.mark.parametrize("text", ["-", "//", "***", "\u2167"])
def test_a_dash_in_place_of_a_date_says_nothing(text: str) -> None:
    citizen = parse_dg13(chip.make_dg13({12: asn1.utf8(text)}))

    assert not citizen.has_no_expiry
    assert citizen.expires_on is None


@pytest.mark.parametrize(
    ("text", "sex"), [("Nam", Sex.MALE), ("Nữ", Sex.FEMALE), ("NỮ", Sex.FEMALE)]
)
def test_both_words_for_the_sex_are_read(text: str, sex: Sex) -> None:
    assert parse_dg13(chip.make_dg13({4: asn1.utf8(text)})).sex is sex


@pytest.mark.parametrize(
    "data",
    [
        asn1.der(0x6D),
        asn1.der(0x6E, chip.make_dg13()[3:]),
        asn1.der(0x6D, asn1.sequence()),
        asn1.der(0x6D, asn1.set_of()),
        chip.dg13_around(asn1.sequence()),
        chip.dg13_around(asn1.set_of(), version=2),
        chip.dg13_around(asn1.set_of(), encoding="1.0.10646.1.0.2"),
        asn1.der(0x6D, asn1.sequence(asn1.NULL, asn1.NULL, asn1.set_of())),
        chip.dg13_around(asn1.set_of(asn1.NULL)),
        chip.dg13_around(asn1.set_of(asn1.sequence())),
        chip.dg13_around(asn1.set_of(field(1, asn1.utf8("1"), asn1.NULL))),
        chip.dg13_around(asn1.set_of(asn1.sequence(asn1.NULL, asn1.utf8("1")))),
        chip.dg13_around(asn1.set_of(asn1.sequence(asn1.der(2, b"\0\1"), asn1.utf8("1")))),
        chip.dg13_around(asn1.set_of(field(5), field(5))),
        chip.dg13_around(asn1.set_of(), version=1 << 20_000),
        chip.dg13_around(asn1.set_of(*[asn1.sequence(asn1.ENDLESS)] * 2)),
        chip.make_dg13({1: asn1.utf8("00109099999")}),
        chip.make_dg13({1: asn1.utf8("00109099999x")}),
        chip.make_dg13({1: asn1.integer(1090999999)}),
        chip.make_dg13({1: asn1.der(0x13, b"0010909@9999")}),
        chip.make_dg13({2: asn1.der(0x0C, b"\xff")}),
        chip.make_dg13({2: asn1.sequence(asn1.utf8("Nguyễn"))}),
        chip.make_dg13({3: asn1.printable("31/02/1990")}),
        chip.make_dg13({3: asn1.printable("1990-01-01")}),
        chip.make_dg13({4: asn1.utf8("Male")}),
        chip.make_dg13({11: asn1.printable("2024")}),
        chip.make_dg13({11: asn1.printable("yesterday")}),
        chip.make_dg13({12: asn1.printable("01/2040")}),
        chip.make_dg13({12: asn1.printable("in 15 years")}),
    ],
)
def test_another_structure_is_refused(data: bytes) -> None:
    malformed = {ChipCode.DG13_MALFORMED, ChipCode.TLV_TRUNCATED, ChipCode.TLV_LENGTH}

    assert code_of(data) in malformed


def test_octets_behind_the_file_are_refused() -> None:
    assert code_of(chip.make_dg13() + b"\0") is ChipCode.DG_TRAILING_DATA


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Nguyễn Văn Thử", "NGUYENVANTHU"),
        ("Đỗ Đức Đạt", "DODUCDAT"),
        ("đặng", "DANG"),
        ("H'Hen Niê", "HHENNIE"),
        ("K\u2019Brơi", "KBROI"),
        ("Y Ƀhŭt", "YBHUT"),
        ("Tôn Nữ-Thị", "TONNUTHI"),
        ("", ""),
    ],
)
def test_a_name_folds_to_the_letters_of_the_zone(name: str, folded: str) -> None:
    assert fold_name(name) == folded


def test_the_repr_shows_nothing_of_the_citizen() -> None:
    assert "001090999999" not in repr(parse_dg13(chip.make_dg13()))
