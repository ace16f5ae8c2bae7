"""The machine readable zone, in its three layouts."""

import pytest

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg1 import MRZFormat, Sex, check_digit, parse_dg1, parse_mrz
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip.chip_files import MRZDraft

# Specimens printed in Doc 9303, parts 4, 5 and 6.
TD1_SPECIMEN = (
    "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
)
TD2_SPECIMEN = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<D231458907UTO7408122F1204159<<<<<<<6"
TD3_SPECIMEN = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"
)
# Doc 9303-5, appendix B: a document number of more than nine characters.
LONG_NUMBER = (
    "I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<"
)


def code_of(zone: str) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        parse_mrz(zone.encode("latin-1"))
    return caught.value.code


@pytest.mark.parametrize(
    ("zone", "mrz_format", "number"),
    [
        (TD1_SPECIMEN, MRZFormat.TD1, "D23145890"),
        (TD2_SPECIMEN, MRZFormat.TD2, "D23145890"),
        (TD3_SPECIMEN, MRZFormat.TD3, "L898902C3"),
    ],
)
def test_the_specimens_of_the_standard_are_read(
    zone: str, mrz_format: MRZFormat, number: str
) -> None:
    mrz = parse_mrz(zone.encode())

    assert mrz.format is mrz_format
    assert mrz.document_number == number
    assert (mrz.primary_identifier, mrz.secondary_identifier) == ("ERIKSSON", "ANNA MARIA")
    assert (mrz.issuing_state, mrz.nationality) == ("UTO", "UTO")
    assert (mrz.birth_yymmdd, mrz.expiry_yymmdd) == ("740812", "120415")
    assert mrz.sex is Sex.FEMALE
    assert mrz.personal_id is None
    assert not mrz.is_name_truncated


def test_a_vietnamese_card_names_its_personal_number() -> None:
    mrz = parse_dg1(chip.make_dg1())

    assert mrz.personal_id == "001090999999"
    assert mrz.document_number == "090999999"
    assert mrz.document_code == "ID"
    assert (mrz.primary_identifier, mrz.secondary_identifier) == ("NGUYEN", "VAN THU")


def test_a_long_document_number_goes_on_in_the_optional_data() -> None:
    assert parse_mrz(LONG_NUMBER.encode()).document_number == "D23145890734"


def test_an_empty_optional_field_may_have_a_zero_or_a_filler_as_check_digit() -> None:
    filler = chip.passport_zone()
    zero = filler[:86] + "0" + check_digit(filler[44:54] + filler[57:64] + filler[65:86] + "0")

    assert parse_mrz(filler.encode()).optional_data == ""
    assert parse_mrz(zero.encode()).optional_data == ""


def test_a_name_without_a_second_part_is_read() -> None:
    mrz = parse_dg1(chip.make_dg1(MRZDraft(name="SUKARNO")))

    assert (mrz.primary_identifier, mrz.secondary_identifier) == ("SUKARNO", "")


def test_a_name_that_fills_its_field_may_have_been_cut() -> None:
    mrz = parse_dg1(chip.make_dg1(MRZDraft(name="NGUYEN<PHUC<HOANG<<THIEN<BAO<N")))

    assert mrz.is_name_truncated


@pytest.mark.parametrize("birth", ["90<<<<", "9001<<", "<<<<<<", "<<0101"])
def test_an_incomplete_birth_date_is_kept_as_it_is(birth: str) -> None:
    assert parse_dg1(chip.make_dg1(MRZDraft(birth=birth))).birth_yymmdd == birth


@pytest.mark.parametrize(
    ("letter", "sex"),
    [("M", Sex.MALE), ("F", Sex.FEMALE), ("X", Sex.UNSPECIFIED), ("<", Sex.UNSPECIFIED)],
)
def test_every_letter_for_the_sex_is_read(letter: str, sex: Sex) -> None:
    assert parse_dg1(chip.make_dg1(MRZDraft(sex=letter))).sex is sex


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "1D"},
        {"code": "<<"},
        {"state": "V1M"},
        {"state": "<<<"},
        {"nationality": "VN1"},
        {"sex": "W"},
        {"birth": "901301"},
        {"birth": "900132"},
        {"birth": "9A0101"},
        {"expiry": "400001"},
        {"name": ""},
        {"name": "<NGUYEN"},
    ],
)
def test_a_field_that_breaks_the_rules_is_malformed(changes: dict[str, str]) -> None:
    draft = MRZDraft(**changes)

    assert code_of(draft.encode()) is ChipCode.DG1_MALFORMED


@pytest.mark.parametrize(
    "zone", ["", "ID", TD1_SPECIMEN[:-1], TD1_SPECIMEN.lower(), TD1_SPECIMEN[:-1] + "é"]
)
def test_what_is_no_zone_is_malformed(zone: str) -> None:
    assert code_of(zone) is ChipCode.DG1_MALFORMED


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        (TD1_SPECIMEN, 14),
        (TD1_SPECIMEN, 36),
        (TD1_SPECIMEN, 44),
        (TD1_SPECIMEN, 59),
        (MRZDraft().encode(), 29),
        (TD2_SPECIMEN, 45),
        (TD2_SPECIMEN, 55),
        (TD2_SPECIMEN, 63),
        (TD2_SPECIMEN, 71),
        (TD3_SPECIMEN, 53),
        (TD3_SPECIMEN, 63),
        (TD3_SPECIMEN, 71),
        (TD3_SPECIMEN, 86),
        (TD3_SPECIMEN, 87),
        (LONG_NUMBER, 18),
    ],
)
def test_every_check_digit_is_checked(zone: str, at: int) -> None:
    wrong = str((int(zone[at]) + 1) % 10)

    assert code_of(zone[:at] + wrong + zone[at + 1 :]) is ChipCode.MRZ_CHECK_DIGIT


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        asn1.der(0x5F20, TD1_SPECIMEN.encode()),
        asn1.der(0x5F1F, TD1_SPECIMEN.encode()) + asn1.NULL,
    ],
)
def test_a_file_without_the_zone_is_refused(inside: bytes) -> None:
    with pytest.raises(ChipError):
        parse_dg1(asn1.der(0x61, inside))


def test_the_repr_shows_nothing_of_the_holder() -> None:
    assert "001090999999" not in repr(parse_dg1(chip.make_dg1()))
