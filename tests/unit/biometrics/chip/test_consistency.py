"""DG1 and DG13 of one card say the same."""

from dataclasses import replace
from datetime import date

import pytest

from biometrics.chip import consistency
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.dg1 import MRZ, Sex, parse_dg1
from biometrics.chip.dg13 import CitizenData, parse_dg13
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip.chip_files import MRZDraft

CITIZEN = parse_dg13(chip.make_dg13())
ZONE = parse_dg1(chip.make_dg1())


def zone(name: str) -> MRZ:
    return parse_dg1(chip.make_dg1(MRZDraft(name=name)))


def named(full_name: str) -> CitizenData:
    return replace(CITIZEN, full_name=full_name)


def test_a_card_agrees_with_itself() -> None:
    assert consistency.check_personal_id(ZONE, CITIZEN)
    assert consistency.check_birth_date(ZONE, CITIZEN)
    assert consistency.check_sex(ZONE, CITIZEN)
    assert consistency.check_name(ZONE, CITIZEN)
    assert consistency.check_personal_id_structure(CITIZEN)


@pytest.mark.parametrize(
    ("mrz", "citizen"),
    [
        (ZONE, replace(CITIZEN, personal_id="001090999998")),
        (ZONE, replace(CITIZEN, personal_id=None)),
        (replace(ZONE, personal_id=None), CITIZEN),
        (replace(ZONE, personal_id=None), replace(CITIZEN, personal_id=None)),
        (replace(ZONE, document_number="090999998"), CITIZEN),
        (replace(ZONE, document_number="1090999999"), CITIZEN),
    ],
)
def test_two_personal_numbers_are_a_mismatch(mrz: MRZ, citizen: CitizenData) -> None:
    with pytest.raises(ChipError) as caught:
        consistency.check_personal_id(mrz, citizen)

    assert caught.value.code is ChipCode.PIN_MISMATCH


@pytest.mark.parametrize(
    ("birth", "born_on", "year"),
    [
        ("900101", date(1990, 1, 1), 1990),
        ("90<<<<", date(1990, 1, 1), 1990),
        ("9001<<", date(1990, 1, 1), 1990),
        ("500101", None, 1950),
        ("50<<<<", None, 1950),
        ("000229", date(2000, 2, 29), 2000),
    ],
)
def test_what_both_know_of_a_birth_date_agrees(birth: str, born_on: date | None, year: int) -> None:
    citizen = replace(CITIZEN, born_on=born_on, birth_year=year)

    assert consistency.check_birth_date(replace(ZONE, birth_yymmdd=birth), citizen)


@pytest.mark.parametrize(
    ("birth", "born_on", "year"),
    [
        ("900102", date(1990, 1, 1), 1990),
        ("90<<02", date(1990, 1, 1), 1990),
        ("910101", None, 1990),
        ("900101", None, None),
    ],
)
def test_two_birth_dates_are_a_mismatch(birth: str, born_on: date | None, year: int | None) -> None:
    citizen = replace(CITIZEN, born_on=born_on, birth_year=year)

    with pytest.raises(ChipError) as caught:
        consistency.check_birth_date(replace(ZONE, birth_yymmdd=birth), citizen)

    assert caught.value.code is ChipCode.DOB_MISMATCH


@pytest.mark.parametrize("sex", [Sex.FEMALE, Sex.UNSPECIFIED, None])
def test_two_sexes_are_a_mismatch(sex: Sex | None) -> None:
    with pytest.raises(ChipError) as caught:
        consistency.check_sex(ZONE, replace(CITIZEN, sex=sex))

    assert caught.value.code is ChipCode.SEX_MISMATCH


@pytest.mark.parametrize(
    ("full_name", "in_zone"),
    [
        ("Đỗ Thị Ánh", "DO<<THI<ANH"),
        ("H'Hen Niê", "HHEN<<NIE"),
        ("Lê", "LE"),
        ("Công Tằng Tôn Nữ Thị Hoàng Phương", "CONG<<TANG<TON<NU<THI<HOANG<PH"),
    ],
)
def test_the_zone_spells_the_name_without_diacritics(full_name: str, in_zone: str) -> None:
    assert consistency.check_name(zone(in_zone), named(full_name))


@pytest.mark.parametrize(
    ("full_name", "in_zone"),
    [
        ("Nguyễn Văn Thử", "NGUYEN<<VAN<THUY"),
        ("Nguyễn Văn Thuỷ", "NGUYEN<<VAN<THU"),
        ("Trần Văn Thử", "NGUYEN<<VAN<THU"),
        ("", "NGUYEN<<VAN<THU"),
        ("Công Tằng Tôn Nữ Thị Hoàng Khương", "CONG<<TANG<TON<NU<THI<HOANG<PH"),
    ],
)
def test_two_names_are_a_mismatch(full_name: str, in_zone: str) -> None:
    with pytest.raises(ChipError) as caught:
        consistency.check_name(zone(in_zone), named(full_name))

    assert caught.value.code is ChipCode.NAME_MISMATCH


@pytest.mark.parametrize(
    ("personal_id", "year", "sex"),
    [
        ("001090999999", 1990, Sex.MALE),
        ("001190999999", 1990, Sex.FEMALE),
        ("001205999999", 2005, Sex.MALE),
        ("001305999999", 2005, Sex.FEMALE),
        ("001400999999", 2100, Sex.MALE),
    ],
)
def test_the_digits_of_a_number_tell_century_year_and_sex(
    personal_id: str, year: int, sex: Sex
) -> None:
    citizen = replace(CITIZEN, personal_id=personal_id, birth_year=year, sex=sex)

    assert consistency.check_personal_id_structure(citizen)


@pytest.mark.parametrize(
    ("personal_id", "year", "sex"),
    [
        ("001090999999", 1991, Sex.MALE),
        ("001090999999", 2090, Sex.MALE),
        ("001090999999", 1990, Sex.FEMALE),
        (None, 1990, Sex.MALE),
        ("001090999999", None, Sex.MALE),
        ("001090999999", 1990, None),
    ],
)
def test_digits_that_say_otherwise_only_warn(
    personal_id: str | None, year: int | None, sex: Sex | None
) -> None:
    citizen = replace(CITIZEN, personal_id=personal_id, birth_year=year, sex=sex)

    with pytest.raises(ChipError) as caught:
        consistency.check_personal_id_structure(citizen)

    assert caught.value.code is ChipCode.PIN_STRUCTURE_WARNING
    assert caught.value.result is CheckResult.UNDETERMINED
