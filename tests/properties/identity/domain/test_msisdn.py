"""Our numbering plan against libphonenumber, and the written forms against each other.

Where the two disagree, on purpose:
- machine-to-machine ranges (1210 to 1213, 140, 160): libphonenumber says mobile, we refuse;
- 11-digit ranges retired in 2018: libphonenumber says invalid, we read the successor;
- text: libphonenumber takes trailing junk ("0912 345 678x"), extensions, `tel:`, slashes, digits of
  other scripts and numbers without any prefix; we refuse them.
"""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from identity.domain.errors import MSISDNMalformedError
from identity.domain.msisdn import MOBILE_PREFIXES, MSISDN, SUCCESSORS

MACHINE_TO_MACHINE = ("1210", "1211", "1212", "1213", "140", "160")

digit_strings = st.text(alphabet="0123456789", max_size=12)
mobile_nationals = st.sampled_from(MOBILE_PREFIXES).flatmap(
    lambda prefix: st.text(
        alphabet="0123456789", min_size=9 - len(prefix), max_size=9 - len(prefix)
    ).map(lambda rest: prefix + rest)
)
separators = st.text(alphabet=" .-()", max_size=1)


def read(text: str) -> str | None:
    try:
        return MSISDN.parse(text).value
    except MSISDNMalformedError:
        return None


def library_says_mobile(national: str) -> bool:
    number = phonenumbers.PhoneNumber(country_code=84, national_number=int(national))
    is_mobile = phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    return is_mobile and phonenumbers.is_valid_number(number)


def expected(national: str) -> str | None:
    """What the library says, with the differences that are on purpose."""
    if len(national) == 10 and national[:3] in SUCCESSORS:
        national = SUCCESSORS[national[:3]] + national[3:]
    if national.startswith(MACHINE_TO_MACHINE) or not library_says_mobile(national):
        return None
    return f"+84{national}"


def test_every_range_of_four_digits_has_the_verdict_of_libphonenumber() -> None:
    for prefix in range(1000, 10_000):
        national = f"{prefix}12345"
        assert read(f"0{national}") == expected(national), prefix


@given(st.integers(1, 99_999_999_999).map(str))
def test_every_national_number_has_the_verdict_of_libphonenumber(national: str) -> None:
    assert read(f"0{national}") == expected(national)


@given(mobile_nationals)
def test_every_number_in_our_plan_is_mobile_to_libphonenumber(national: str) -> None:
    assert library_says_mobile(national)
    assert read(f"0{national}") == f"+84{national}"


@given(st.sampled_from(sorted(SUCCESSORS)), st.integers(0, 9_999_999))
def test_every_retired_number_has_a_successor_that_libphonenumber_knows(
    code: str, subscriber: int
) -> None:
    successor = f"{SUCCESSORS[code]}{subscriber:07}"
    assert library_says_mobile(successor)
    assert read(f"0{code}{subscriber:07}") == f"+84{successor}"


@given(
    national=mobile_nationals,
    prefix=st.sampled_from(["0", "84", "+84", "0084", "+84(0)", "(+84)"]),
    gaps=st.lists(separators, min_size=9, max_size=9),
)
def test_every_written_form_of_a_number_is_the_same_number(
    national: str, prefix: str, gaps: list[str]
) -> None:
    text = prefix + "".join(gap + digit for gap, digit in zip(gaps, national, strict=True))
    assert read(text) == f"+84{national}"


@given(mobile_nationals)
def test_a_number_that_was_read_reads_as_itself(national: str) -> None:
    msisdn = MSISDN.parse(f"0{national}")
    assert MSISDN.parse(msisdn.value) == msisdn == MSISDN(msisdn.value)


@given(mobile_nationals, st.text(min_size=1, max_size=5))
def test_characters_left_over_are_refused_unless_they_are_separators(
    national: str, junk: str
) -> None:
    assert (read(f"0{national}{junk}") is not None) == (set(junk) <= set(" .-()"))


@given(st.one_of(st.text(max_size=40), st.text(alphabet="+084912 .-()x٩", max_size=20)))
def test_any_text_is_a_mobile_number_in_e164_or_is_refused(text: str) -> None:
    value = read(text)
    assert value is None or library_says_mobile(value.removeprefix("+84"))


@given(st.text(min_size=5, max_size=40))
def test_a_refusal_never_repeats_the_text(text: str) -> None:
    with pytest.raises(MSISDNMalformedError) as refusal:
        MSISDN.parse(f"{text}x")
    assert text not in str(refusal.value)


@given(digit_strings)
def test_a_number_without_any_prefix_is_refused(text: str) -> None:
    if not text.startswith(("0", "84")):
        with pytest.raises(MSISDNMalformedError):
            MSISDN.parse(text)


@given(
    st.one_of(
        st.tuples(st.sampled_from(["0", "84", "+84", "0084", "+840", ""]), mobile_nationals).map(
            "".join
        ),
        st.text(alphabet="+084912357", max_size=13),
    )
)
def test_the_short_way_reads_what_the_long_one_reads(text: str) -> None:
    # A space is no part of the common forms, and none of the number.
    assert read(text) == read(f"{text} ") == read(f" {text}")
