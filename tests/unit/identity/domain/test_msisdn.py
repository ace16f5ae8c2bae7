"""The forms in which a mobile number is written, and what is no mobile number."""

import pytest

from identity.domain.errors import MSISDNMalformedError
from identity.domain.msisdn import MSISDN, SUCCESSORS


@pytest.mark.parametrize(
    "text",
    [
        "0912345678",
        "84912345678",
        "+84912345678",
        "0084912345678",
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "(091) 234-5678",
        "(+84) 912 345 678",
        "+84 (0) 912 345 678",
        " 0912345678 ",
    ],
)
def test_every_usual_form_is_the_same_number(text: str) -> None:
    assert MSISDN.parse(text).value == "+84912345678"


def test_a_national_prefix_equal_to_the_country_code_is_read_as_a_prefix() -> None:
    assert MSISDN.parse("0841234567").value == "+84841234567"
    assert MSISDN.parse("84841234567").value == "+84841234567"


@pytest.mark.parametrize(
    ("retired", "successor"),
    [
        ("0120", "070"),
        ("0121", "079"),
        ("0122", "077"),
        ("0126", "076"),
        ("0128", "078"),
        ("0123", "083"),
        ("0124", "084"),
        ("0125", "085"),
        ("0127", "081"),
        ("0129", "082"),
        ("0162", "032"),
        ("0163", "033"),
        ("0164", "034"),
        ("0165", "035"),
        ("0166", "036"),
        ("0167", "037"),
        ("0168", "038"),
        ("0169", "039"),
        ("0186", "056"),
        ("0188", "058"),
        ("0199", "059"),
    ],
)
def test_a_number_retired_in_2018_is_read_as_its_successor(retired: str, successor: str) -> None:
    expected = MSISDN.parse(f"{successor}1234567")
    assert MSISDN.parse(f"{retired}1234567") == expected
    assert MSISDN.parse(f"+84 {retired[1:]} 123 4567") == expected


def test_all_twenty_one_retired_codes_have_a_successor_of_their_own() -> None:
    assert len(SUCCESSORS) == len(set(SUCCESSORS.values())) == 21


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("nothing", ""),
        ("separators alone", " .-()"),
        ("no prefix: it may have been cut short", "912345678"),
        ("a landline in Hà Nội", "024 3825 2916"),
        ("a landline in Hồ Chí Minh", "(028) 3829 5000"),
        ("a landline code that was moved", "04 3825 2916"),
        ("emergency", "113"),
        ("a directory service", "1080"),
        ("premium rate", "1900 1234"),
        ("free phone", "1800 1091"),
        ("internet telephony", "0672 123 456"),
        ("machine to machine", "0140 123 456"),
        ("a retired range that never was", "0161 123 4567"),
        ("a mobile range that nobody has", "0992 123 456"),
        ("another country", "+85512345678"),
        ("another country, 00", "0085512345678"),
        ("one digit short", "091234567"),
        ("one digit long", "09123456789"),
        ("two prefixes", "+840084912345678"),
        ("plus and 0", "+0912345678"),
        ("plus inside", "09+12345678"),
        ("a letter at the end", "0912 345 678x"),
        ("an extension", "0912345678 ext 5"),
        ("letters for digits", "0912 ABC DEF"),
        ("a URI", "tel:0912345678"),
        ("a line break at the end", "0912345678\n"),
        ("NUL at the end", "0912345678\x00"),
        ("fullwidth digits", "０９１２３４５６７８"),  # noqa: RUF001 - the case itself
        ("Arabic-Indic digits", "٠٩١٢٣٤٥٦٧٨"),
        ("longer than any number", "0912345678" + " " * 23),
    ],
)
def test_what_is_no_vietnamese_mobile_number_is_refused(what: str, text: str) -> None:
    with pytest.raises(MSISDNMalformedError):
        pytest.fail(f"{what} was read as {MSISDN.parse(text).value}")


@pytest.mark.parametrize(
    "value",
    ["0912345678", "84912345678", "912345678", "+8491234567", "+8491234567٩", "+84+84912345678"],
)
def test_only_e164_can_be_constructed(value: str) -> None:
    with pytest.raises(MSISDNMalformedError):
        MSISDN(value)


def test_the_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(MSISDNMalformedError) as refusal:
        MSISDN.parse("0912 345 678x")
    assert "345" not in str(refusal.value)


def test_no_way_of_printing_an_msisdn_shows_the_subscriber_number() -> None:
    msisdn = MSISDN.parse("0912345678")
    printed = f"{msisdn} {msisdn!r} {[msisdn]}"
    assert not any(digit in printed for digit in "12356790")
