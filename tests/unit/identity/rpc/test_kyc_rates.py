"""How often operators may ask: each for itself, and of each number for itself."""

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import RateLimitedError
from identity.domain.kyc import KycPolicy
from identity.rpc.kyc_rates import KycRates

ONE, OTHER = Caller(Role.OPERATOR, "viettel"), Caller(Role.OPERATOR, "mobifone")
NUMBER, ANOTHER = b"\x01" * 16, b"\x02" * 16


def take(rates: KycRates, caller: Caller, number: bytes, policy: KycPolicy, count: int) -> None:
    for _ in range(count):
        rates.take(caller, number, policy)


def test_a_caller_has_so_many_a_minute_over_all_numbers() -> None:
    rates, policy = KycRates(), KycPolicy(caller_per_minute_max=3)
    take(rates, ONE, NUMBER, policy, 2)
    take(rates, ONE, ANOTHER, policy, 1)
    with pytest.raises(RateLimitedError) as refusal:
        rates.take(ONE, ANOTHER, policy)
    assert refusal.value.retry_after_s is not None
    assert 0 < refusal.value.retry_after_s <= 60
    take(rates, OTHER, NUMBER, policy, 3)


def test_of_a_number_so_many_are_answered_an_hour() -> None:
    rates, policy = KycRates(), KycPolicy(number_per_hour_max=2)
    take(rates, ONE, NUMBER, policy, 2)
    with pytest.raises(RateLimitedError) as refusal:
        rates.take(ONE, NUMBER, policy)
    assert refusal.value.retry_after_s is not None
    assert 60 < refusal.value.retry_after_s <= 3_600
    take(rates, ONE, ANOTHER, policy, 2)


def test_servers_count_for_themselves() -> None:
    policy = KycPolicy(number_per_hour_max=1)
    for rates in (KycRates(), KycRates()):
        rates.take(ONE, NUMBER, policy)
        with pytest.raises(RateLimitedError):
            rates.take(ONE, NUMBER, policy)
