"""An error rate with what it was counted from and how sure it is.

Owns the value only. How intervals are computed is the business of `biometrics.evaluation`.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Self


@dataclass(frozen=True, kw_only=True)
class ErrorRate:
    """Errors among trials, with a 95 % interval.

    Attributes:
        errors: Trials that went wrong; >= 0.
        trials: All trials; >= `errors`.
        independent: How many independent trials they are worth at most: pairs of people for
            non-mated trials, people for mated ones. 0..`trials`.
        low: Lower end of the 95 % interval, 0..1.
        high: Upper end, `low`..1. An error rate of no trials has the interval 0..1.

    Raises:
        ValueError: The numbers contradict each other.
    """

    errors: int
    trials: int
    independent: int
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse numbers that no count can have."""
        if not 0 <= self.errors <= self.trials or not 0 <= self.independent <= self.trials:
            raise ValueError("errors and independent trials are at least 0 and at most the trials")
        ends = (self.low, self.high)
        if not all(math.isfinite(end) for end in ends) or not 0 <= self.low <= self.high <= 1:
            raise ValueError("an interval lies within 0 and 1, its lower end first")

    @classmethod
    def unknown(cls) -> Self:
        """The rate of no trials: anything."""
        return cls(errors=0, trials=0, independent=0, low=0.0, high=1.0)

    @property
    def rate(self) -> float | None:
        """Errors over trials, 0..1; None without trials."""
        return self.errors / self.trials if self.trials else None

    def __str__(self) -> str:
        if self.rate is None:
            return "no trials"
        ends = f"{percent(self.low)} to {percent(self.high)}"
        return f"{percent(self.rate)} ({self.errors} of {self.trials}; 95 %: {ends})"


def percent(share: float) -> str:
    """A share of 0..1 in per cent, with two significant digits and no exponent."""
    return f"{Decimal(f'{share * 100:.2g}'):f} %"
