"""The numbers operators give out."""

from collections import Counter

import pytest

from telco_sim.numbering import OPERATORS, NumberGenerator, luhn_check_digit


def is_luhn_valid(digits: str) -> bool:
    """Check by the formula as ISO/IEC 7812-1 states it, from the right, check digit included."""
    total = 0
    for position, digit in enumerate(reversed([int(each) for each in digits])):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


@pytest.mark.parametrize(
    ("digits", "check_digit"),
    [("7992739871", "3"), ("49015420323751", "8"), ("0", "0")],  # the second: GSMA's sample IMEI
)
def test_the_check_digit_is_that_of_published_examples(digits: str, check_digit: str) -> None:
    assert luhn_check_digit(digits) == check_digit


@pytest.mark.parametrize("operator_name", list(OPERATORS))
def test_mobile_numbers_lie_in_their_operators_ranges_and_are_unique(operator_name: str) -> None:
    numbers = NumberGenerator(seed=1)
    msisdns = [numbers.msisdn(operator_name) for _ in range(3000)]
    prefixes = OPERATORS[operator_name].msisdn_prefixes
    assert len(set(msisdns)) == len(msisdns)
    assert all(len(each) == 10 and each.isdigit() for each in msisdns)
    assert set(Counter(each[:3] for each in msisdns)) == set(prefixes)


def test_no_two_operators_share_a_range() -> None:
    prefixes = [prefix for each in OPERATORS.values() for prefix in each.msisdn_prefixes]
    assert len(set(prefixes)) == len(prefixes)
    assert all(len(prefix) == 3 and prefix.startswith("0") for prefix in prefixes)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    first, second, other = (NumberGenerator(seed=seed) for seed in (5, 5, 6))
    assert [first.msisdn("cuu-long") for _ in range(9)] == [
        second.msisdn("cuu-long") for _ in range(9)
    ]
    assert first.imei() != other.imei()


def test_a_subscriber_identity_names_country_and_network() -> None:
    numbers = NumberGenerator(seed=1)
    imsis = [numbers.imsi("song-hong") for _ in range(500)]
    assert len(set(imsis)) == 500
    assert all(len(each) == 15 and each.startswith("45204") for each in imsis)


def test_a_sim_card_number_ends_in_its_check_digit() -> None:
    numbers = NumberGenerator(seed=1)
    iccids = [numbers.iccid("truong-son") for _ in range(500)]
    assert len(set(iccids)) == 500
    assert all(len(each) == 19 and each.startswith("898401") for each in iccids)
    assert all(is_luhn_valid(each) for each in iccids)


def test_a_device_number_ends_in_its_check_digit() -> None:
    numbers = NumberGenerator(seed=1)
    imeis = [numbers.imei() for _ in range(500)]
    assert len(set(imeis)) == 500
    assert all(len(each) == 15 and is_luhn_valid(each) for each in imeis)


def test_an_unknown_operator_has_no_numbers() -> None:
    with pytest.raises(KeyError):
        NumberGenerator(seed=1).msisdn("nobody")
