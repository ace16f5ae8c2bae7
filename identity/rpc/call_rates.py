"""How often a caller may call a method, and ask about one citizen or one number, at one server.

Owns the one table of rates and their counts, which are this server's alone and are gone with it:
they keep one caller from taking all of its time. What several servers must agree on is counted in
the database. Times are of the machine, not of the service's clock. Knows no method's meaning.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import (
    MovingWindowRateLimiter,
    RateLimiter,
    SlidingWindowCounterRateLimiter,
)

from identity.domain.caller import Caller
from identity.domain.errors import RateLimitedError
from identity.domain.kyc import KycPolicy

USUAL_PER_MINUTE = 60_000
"""Calls of one method by one caller: a thousand a second, more than one server answers of most."""

PER_MINUTE: Mapping[str, int] = {
    # Chips and faces: two cores compare some 600 a minute, and everybody else's wait meanwhile.
    "VerificationService/StartVerification": 6_000,
    "VerificationService/CompleteVerification": 3_000,
    "VerificationService/StartPresence": 6_000,
    "VerificationService/CompletePresence": 3_000,
    # Made once in a while by people, or by jobs.
    "AgencyService/RegisterAgency": 600,
    "PrivacyService/DecideDataRequest": 600,
    "EnforcementService/AdvanceEnforcement": 600,
}
"""Calls of one method by one caller in any minute, where that is not the usual number."""

CITIZEN_PER_MINUTE = 600
"""Calls of one method by one caller about one citizen: ten a second, where a person taps once."""

SWEPT_EVERY_S = 30.0
"""How often counts that have ended are forgotten."""


class Counts(MemoryStorage):
    """Counts in memory, forgotten a while after they have ended.

    limits 5.8.0 looks at all counts 10 ms after a hit: where 60,000 citizens were asked about in
    two minutes, that is 0.4 of a core at 60 calls a second. Two hits at once may also start its
    timer twice, which ends one of them with RuntimeError (alisaifee/limits, pull request 352,
    merged and not released yet). This replaces the one method that does both.
    """

    def __init__(self) -> None:
        self._sweep_at_s = 0.0
        self._due = threading.Lock()
        super().__init__()

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - the name of a private method
        with self._due:
            if time.monotonic() < self._sweep_at_s:
                return
            self._sweep_at_s = time.monotonic() + SWEPT_EVERY_S
        threading.Thread(target=self._sweep, name="call rates", daemon=True).start()

    def _sweep(self) -> None:
        # A count that a hit forgot at the same moment; what is left is for the next time.
        with suppress(KeyError):
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined] # private to it


class CallRates:
    """The rates of one server. May be used by several threads.

    Methods and citizens are counted in windows that slide by two counters, whatever the rate: no
    list of times is kept. Questions about numbers have windows that move with each: a pack says
    how many there may be in any hour. No personal ID is kept, only a salted hash of it, and no
    number, only its blind index.
    """

    def __init__(
        self,
        *,
        usual_per_minute: int = USUAL_PER_MINUTE,
        per_minute: Mapping[str, int] = PER_MINUTE,
        citizen_per_minute: int = CITIZEN_PER_MINUTE,
    ) -> None:
        """Begin to count.

        Args:
            usual_per_minute: Of one method by one caller.
            per_minute: The same for methods that differ.
            citizen_per_minute: Of one method by one caller about one citizen.
        """
        storage = Counts()
        self._sliding = SlidingWindowCounterRateLimiter(storage)
        self._moving = MovingWindowRateLimiter(storage)
        self._usual = RateLimitItemPerMinute(usual_per_minute, namespace="caller")
        self._special = {
            method: RateLimitItemPerMinute(most, namespace="caller")
            for method, most in per_minute.items()
        }
        self._citizen = RateLimitItemPerMinute(citizen_per_minute, namespace="citizen")

    def take(self, caller: Caller, method: str) -> None:
        """Count a call.

        Raises:
            RateLimitedError: Too many came; it is not counted.
        """
        self._hit(self._sliding, self._special.get(method, self._usual), str(caller), method)

    def take_citizen(self, caller: Caller, method: str, personal_id: str) -> None:
        """Count a call about one citizen.

        Raises:
            RateLimitedError: Too many came; it is not counted.
        """
        # Python salts hashes of texts anew in each process: what is kept is no personal ID.
        self._hit(self._sliding, self._citizen, str(caller), method, str(hash(personal_id)))

    def take_question(self, caller: Caller, msisdn_key: bytes, policy: KycPolicy) -> None:
        """Count an operator's question about a number.

        Args:
            caller: Who asks.
            msisdn_key: Blind index of the number.
            policy: How often it may, about all numbers and about one.

        Raises:
            RateLimitedError: Too often; it is not counted.
        """
        of_all = RateLimitItemPerMinute(policy.caller_per_minute_max, namespace="question")
        of_one = RateLimitItemPerHour(policy.number_per_hour_max, namespace="number")
        self._hit(self._moving, of_all, str(caller))
        self._hit(self._moving, of_one, str(caller), msisdn_key.hex())

    @staticmethod
    def _hit(limiter: RateLimiter, rate: RateLimitItem, *keys: str) -> None:
        if limiter.hit(rate, *keys):
            return
        ends_at = limiter.get_window_stats(rate, *keys).reset_time
        error = RateLimitedError("called too often")
        error.retry_after_s = max(0.0, ends_at - time.time())
        raise error
