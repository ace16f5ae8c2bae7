"""Personal IDs hold for every text and every birth."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.errors import PersonalIDMalformedError
from identity.domain.personal_id import (
    PROVINCE_CODES,
    PersonalID,
    Sex,
    StructureWarning,
    structure_warnings,
)

digits = st.text(alphabet="0123456789", min_size=12, max_size=12)
births = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


def legacy_number(*, place: str, birth_date: date, sex: Sex, tail: int) -> PersonalID:
    century_and_sex = (birth_date.year // 100 - 19) * 2 + (sex is Sex.FEMALE)
    return PersonalID(f"{place}{century_and_sex}{birth_date.year % 100:02}{tail:06}")


@given(digits)
def test_every_series_of_twelve_digits_is_a_personal_id(text: str) -> None:
    assert PersonalID.parse(text).value == text


@given(st.one_of(st.text(), st.text(alphabet="0123456789 ٣", min_size=11, max_size=13)))
def test_a_text_is_a_personal_id_or_is_refused(text: str) -> None:
    if len(text) == 12 and set(text) <= set("0123456789"):
        assert PersonalID.parse(text).value == text
    else:
        with pytest.raises(PersonalIDMalformedError):
            PersonalID.parse(text)


@given(
    place=st.sampled_from(sorted(PROVINCE_CODES)),
    birth_date=births,
    sex=st.sampled_from(Sex),
    tail=st.integers(0, 999_999),
)
def test_a_number_built_by_the_legacy_structure_raises_no_warning(
    place: str, birth_date: date, sex: Sex, tail: int
) -> None:
    personal_id = legacy_number(place=place, birth_date=birth_date, sex=sex, tail=tail)
    assert structure_warnings(personal_id, birth_date=birth_date, sex=sex) == frozenset()


@given(birth_date=births, recorded=births, sex=st.sampled_from(Sex), said=st.sampled_from(Sex))
def test_the_warnings_are_exactly_the_parts_that_differ(
    birth_date: date, recorded: date, sex: Sex, said: Sex
) -> None:
    personal_id = legacy_number(place="001", birth_date=birth_date, sex=sex, tail=7)
    found = structure_warnings(personal_id, birth_date=recorded, sex=said)
    assert (StructureWarning.SEX_DIFFERS in found) == (sex is not said)
    assert (StructureWarning.BIRTH_YEAR_DIFFERS in found) == (birth_date.year != recorded.year)
    assert StructureWarning.UNKNOWN_PROVINCE not in found


@given(personal_id=digits.map(PersonalID), birth_date=births, sex=st.none() | st.sampled_from(Sex))
def test_any_number_may_be_unusual_and_none_is_refused(
    personal_id: PersonalID, birth_date: date, sex: Sex | None
) -> None:
    found = structure_warnings(personal_id, birth_date=birth_date, sex=sex)
    assert found <= set(StructureWarning)
    assert sex is not None or StructureWarning.SEX_DIFFERS not in found
