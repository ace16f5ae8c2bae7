"""How often operators may ask about numbers: per caller and per number, in a moving window.

Owns the counts, which are this server's alone and are gone with it: they keep one caller from
taking all of its time. What several servers must agree on, false answers about a number, is counted
in the database. Times are of the machine, not of the service's clock, and no number is kept: only
its blind index.
"""

import time

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from identity.domain.caller import Caller
from identity.domain.errors import RateLimitedError
from identity.domain.kyc import KycPolicy


class KycRates:
    """The rates of one server. May be used by several threads."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, caller: Caller, msisdn_key: bytes, policy: KycPolicy) -> None:
        """Count a question.

        Args:
            caller: Who asks.
            msisdn_key: Blind index of the number.
            policy: How often they may.

        Raises:
            RateLimitedError: Too often; it is not counted.
        """
        by_caller = RateLimitItemPerMinute(policy.caller_per_minute_max, namespace="kyc-caller")
        by_number = RateLimitItemPerHour(policy.number_per_hour_max, namespace="kyc-number")
        names = (caller.name, msisdn_key.hex())
        for rate, keys in ((by_caller, names[:1]), (by_number, names)):
            if not self._limiter.hit(rate, *keys):
                ends_at = self._limiter.get_window_stats(rate, *keys).reset_time
                error = RateLimitedError("asked too often")
                error.retry_after_s = max(0.0, ends_at - time.time())
                raise error
