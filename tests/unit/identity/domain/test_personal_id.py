"""The form of a personal ID and the soft signals of its legacy structure."""

import csv
import dataclasses
from datetime import date
from pathlib import Path

import pytest

from identity.domain.errors import PersonalIDMalformedError
from identity.domain.personal_id import (
    PROVINCE_CODES,
    PersonalID,
    Sex,
    StructureWarning,
    structure_warnings,
)


def test_twelve_digits_are_a_personal_id() -> None:
    assert PersonalID.parse("001085012345").value == "001085012345"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00108501234",
        "0010850123456",
        " 001085012345",
        "001085012345 ",
        "001085012345\n",
        "001 085 012 345",
        "00108501234A",
        "+01085012345",
        "001085012345\x00",
        "٠٠١٠٨٥٠١٢٣٤٥",  # Arabic-Indic digits
        "００１０８５０１２３４５",  # noqa: RUF001 - fullwidth digits are the case
    ],
)
def test_anything_but_twelve_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(PersonalIDMalformedError):
        PersonalID.parse(text)


def test_a_malformed_personal_id_cannot_be_constructed_either() -> None:
    with pytest.raises(PersonalIDMalformedError):
        PersonalID("12345")


def test_the_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(PersonalIDMalformedError) as refusal:
        PersonalID.parse("00108501234")
    assert "0010850" not in str(refusal.value)


def test_no_way_of_printing_a_personal_id_shows_a_digit() -> None:
    personal_id = PersonalID.parse("001085012345")
    printed = f"{personal_id} {personal_id!r} {[personal_id]}"
    assert not any(character.isdigit() for character in printed)


def test_a_personal_id_never_changes() -> None:
    personal_id = PersonalID.parse("001085012345")
    with pytest.raises(dataclasses.FrozenInstanceError):
        personal_id.value = "1"  # type: ignore[misc] # the refusal is the case


def test_equal_digits_are_one_personal_id() -> None:
    assert len({PersonalID.parse("001085012345"), PersonalID("001085012345")}) == 1


@pytest.mark.parametrize(
    ("digits", "birth_date", "sex"),
    [
        ("001085012345", date(1985, 3, 1), Sex.MALE),
        ("079185012345", date(1985, 3, 1), Sex.FEMALE),
        ("096201012345", date(2001, 12, 31), Sex.MALE),
        ("038301012345", date(2001, 1, 1), Sex.FEMALE),
        ("001423012345", date(2123, 1, 1), Sex.MALE),
    ],
)
def test_a_number_of_the_legacy_structure_raises_no_warning(
    digits: str, birth_date: date, sex: Sex
) -> None:
    found = structure_warnings(PersonalID(digits), birth_date=birth_date, sex=sex)
    assert found == frozenset()


def test_each_part_that_differs_has_its_own_warning() -> None:
    personal_id = PersonalID("003085012345")
    assert structure_warnings(personal_id, birth_date=date(1986, 1, 1), sex=Sex.FEMALE) == {
        StructureWarning.UNKNOWN_PROVINCE,
        StructureWarning.SEX_DIFFERS,
        StructureWarning.BIRTH_YEAR_DIFFERS,
    }


def test_the_century_counts_in_the_birth_year() -> None:
    found = structure_warnings(PersonalID("001085012345"), birth_date=date(2085, 1, 1), sex=None)
    assert found == {StructureWarning.BIRTH_YEAR_DIFFERS}


def test_a_record_that_does_not_say_the_sex_raises_no_sex_warning() -> None:
    for century_and_sex in "01":
        personal_id = PersonalID(f"001{century_and_sex}85012345")
        found = structure_warnings(personal_id, birth_date=date(1985, 1, 1), sex=None)
        assert found == frozenset()


@pytest.mark.parametrize("place", ["000", "003", "005", "047", "090", "097", "099"])
def test_a_code_that_no_province_had_is_unusual(place: str) -> None:
    personal_id = PersonalID(f"{place}085012345")
    found = structure_warnings(personal_id, birth_date=date(1985, 1, 1), sex=Sex.MALE)
    assert found == {StructureWarning.UNKNOWN_PROVINCE}


def test_a_country_of_birth_is_not_an_unknown_province() -> None:
    personal_id = PersonalID("123085012345")
    found = structure_warnings(personal_id, birth_date=date(1985, 1, 1), sex=Sex.MALE)
    assert found == frozenset()


def test_there_are_sixty_three_provinces_of_birth_registration() -> None:
    assert len(PROVINCE_CODES) == 63
    assert min(PROVINCE_CODES) == "001"
    assert max(PROVINCE_CODES) == "096"


def test_the_province_codes_are_those_of_the_published_table(shared_data: Path) -> None:
    with (shared_data / "chip" / "vn_province_codes.csv").open(encoding="utf-8") as table:
        published = {row["id_prefix"] for row in csv.DictReader(table)}
    assert published == PROVINCE_CODES
