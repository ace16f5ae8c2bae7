"""The numbers operators give out."""

from collections import Counter

import pytest

from telco_sim.numbering import OPERATORS, NumberGenerator


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
    assert first.msisdn("cuu-long") != other.msisdn("cuu-long")


def test_an_unknown_operator_has_no_numbers() -> None:
    with pytest.raises(KeyError):
        NumberGenerator(seed=1).msisdn("nobody")
