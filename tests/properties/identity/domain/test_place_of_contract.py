"""Any text is a place of contract as it stands, nothing at all, or refused by its own reason."""

import string

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.errors import PointOfSaleMalformedError, ProvinceCodeMalformedError
from identity.domain.place_of_contract import parse_point_of_sale, parse_province_code

SIGNS = string.ascii_letters + string.digits + "._-/"

texts = st.text(max_size=70) | st.text(SIGNS, max_size=70) | st.text(string.digits, max_size=3)


@given(texts)
def test_a_point_of_sale_is_a_text_of_few_signs_and_stays_as_it_is(text: str) -> None:
    is_one = 1 <= len(text) <= 64 and all(sign in SIGNS for sign in text)
    try:
        value = parse_point_of_sale(text)
    except PointOfSaleMalformedError:
        assert text
        assert not is_one
    else:
        assert value == (text or None)
        assert is_one or not text


@given(texts)
def test_a_province_is_two_digits_and_stays_as_it_is(text: str) -> None:
    is_one = len(text) == 2 and all(sign in string.digits for sign in text)
    try:
        value = parse_province_code(text)
    except ProvinceCodeMalformedError:
        assert text
        assert not is_one
    else:
        assert value == (text or None)
        assert is_one or not text
