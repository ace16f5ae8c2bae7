"""How often a caller may call: each for itself, by method, by citizen, and by number."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from limits.storage import MemoryStorage

from identity.domain.caller import Caller, Role
from identity.domain.errors import RateLimitedError
from identity.domain.kyc import KycPolicy
from identity.rpc import call_rates
from identity.rpc.call_rates import PER_MINUTE, CallRates, Counts
from identity.security.permissions import permissions
from tests.patience import asked_until_there

ONE, OTHER = Caller(Role.AGENCY, "tax"), Caller(Role.AGENCY, "police")
METHOD, ANOTHER, SPECIAL = "A/One", "A/Other", "A/Special"
NUMBER, OTHER_NUMBER = b"\x01" * 16, b"\x02" * 16


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


def ask(caller: Caller, number: bytes, policy: KycPolicy, rates: CallRates, count: int) -> None:
    for _ in range(count):
        rates.take_question(caller, number, policy)


def test_an_operator_has_so_many_questions_a_minute_over_all_numbers() -> None:
    rates, policy = CallRates(), KycPolicy(caller_per_minute_max=3)
    ask(ONE, NUMBER, policy, rates, 2)
    ask(ONE, OTHER_NUMBER, policy, rates, 1)
    with pytest.raises(RateLimitedError) as refusal:
        rates.take_question(ONE, OTHER_NUMBER, policy)
    assert refusal.value.retry_after_s is not None
    assert 0 < refusal.value.retry_after_s <= 60
    ask(OTHER, NUMBER, policy, rates, 3)


def test_of_a_number_so_many_questions_are_answered_an_hour() -> None:
    rates, policy = CallRates(), KycPolicy(number_per_hour_max=2)
    ask(ONE, NUMBER, policy, rates, 2)
    with pytest.raises(RateLimitedError) as refusal:
        rates.take_question(ONE, NUMBER, policy)
    assert refusal.value.retry_after_s is not None
    assert 60 < refusal.value.retry_after_s <= 3_600
    ask(ONE, OTHER_NUMBER, policy, rates, 2)


def test_servers_count_for_themselves() -> None:
    policy = KycPolicy(number_per_hour_max=1)
    for rates in (CallRates(), CallRates()):
        rates.take_question(ONE, NUMBER, policy)
        with pytest.raises(RateLimitedError):
            rates.take_question(ONE, NUMBER, policy)


class Watched(Counts):
    """Says how often it looked for counts that have ended."""

    sweeps = 0

    def _sweep(self) -> None:
        self.sweeps += 1
        super()._sweep()


def test_a_thousand_hits_of_many_threads_have_counts_looked_at_once() -> None:
    # The library looks after each, and two threads may start its timer at once.
    assert "_MemoryStorage__schedule_expiry" in vars(MemoryStorage)
    counts = Watched()
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda key: counts.incr(f"key {key % 10}", 60), range(1_000)))
    asked_until_there(lambda: counts.sweeps or None, "a look")
    assert counts.sweeps == 1
    assert [counts.get(f"key {key}") for key in range(10)] == [100] * 10


def test_counts_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_rates, "SWEPT_EVERY_S", 0.02)
    counts = Counts()
    counts.incr("ended", 0.01)

    def is_forgotten() -> bool | None:
        counts.incr("another", 60)
        return "ended" not in counts.storage or None

    asked_until_there(is_forgotten, "the end of a count that has ended")
    assert counts.get("another") > 0
