"""How often a caller may call: each for itself, each method for itself, each citizen for itself."""

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import RateLimitedError
from identity.rpc.call_rates import PER_MINUTE, CallRates
from identity.security.permissions import permissions

ONE, OTHER = Caller(Role.AGENCY, "tax"), Caller(Role.AGENCY, "police")
METHOD, ANOTHER, SPECIAL = "A/One", "A/Other", "A/Special"


def small() -> CallRates:
    return CallRates(usual_per_minute=3, per_minute={SPECIAL: 1}, citizen_per_minute=2)


def take(rates: CallRates, caller: Caller, method: str, count: int) -> None:
    for _ in range(count):
        rates.take(caller, method)


def test_a_caller_has_so_many_a_minute_of_each_method() -> None:
    rates = small()
    take(rates, ONE, METHOD, 3)
    with pytest.raises(RateLimitedError) as refusal:
        rates.take(ONE, METHOD)
    assert refusal.value.retry_after_s is not None
    assert 0 <= refusal.value.retry_after_s <= 120
    take(rates, ONE, ANOTHER, 3)
    take(rates, OTHER, METHOD, 3)


def test_a_method_that_costs_more_has_a_rate_of_its_own() -> None:
    rates = small()
    take(rates, ONE, SPECIAL, 1)
    with pytest.raises(RateLimitedError):
        rates.take(ONE, SPECIAL)


def test_about_one_citizen_so_many_are_answered() -> None:
    rates = small()
    for _ in range(2):
        rates.take_citizen(ONE, METHOD, "001187012345")
    with pytest.raises(RateLimitedError):
        rates.take_citizen(ONE, METHOD, "001187012345")
    rates.take_citizen(ONE, METHOD, "001187012346")
    rates.take_citizen(OTHER, METHOD, "001187012345")


def test_the_table_names_methods_that_there_are() -> None:
    assert PER_MINUTE.keys() <= permissions().keys()
