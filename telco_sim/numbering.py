"""The numbers that operators give out.

Owns five fictional operators with the real number ranges of Vietnam, and a generator of unique
MSISDNs. It refuses to know who uses them. Written apart from the service's own rules on purpose, so
that one mistake cannot hide in both.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class OperatorNumbering:
    """The number ranges of one operator.

    Attributes:
        operator_name: Name in the simulation; fictional, the ranges are those of a real operator.
        msisdn_prefixes: First three digits in national form, with the trunk prefix 0 (Circular
            22/2014/TT-BTTTT and the change of 2018 from eleven digits to ten).
    """

    operator_name: str
    msisdn_prefixes: tuple[str, ...]


OPERATORS: Mapping[str, OperatorNumbering] = MappingProxyType(
    {
        numbering.operator_name: numbering
        for numbering in (
            OperatorNumbering(
                operator_name="song-hong",
                msisdn_prefixes=(
                    *(f"03{digit}" for digit in range(2, 10)),
                    *("086", "096", "097", "098"),
                ),
            ),
            OperatorNumbering(
                operator_name="cuu-long",
                msisdn_prefixes=("081", "082", "083", "084", "085", "088", "091", "094"),
            ),
            OperatorNumbering(
                operator_name="truong-son",
                msisdn_prefixes=("070", "076", "077", "078", "079", "089", "090", "093"),
            ),
            OperatorNumbering(
                operator_name="dong-nai",
                msisdn_prefixes=("056", "058", "092"),
            ),
            OperatorNumbering(
                operator_name="bach-dang",
                msisdn_prefixes=("059",),
            ),
        )
    }
)


class NumberGenerator:
    """Gives out numbers, never one twice; the same seed gives the same numbers."""

    def __init__(self, *, seed: int) -> None:
        """Start at the beginning of each range.

        Args:
            seed: Any integer.
        """
        self._generator = Random(seed)
        self._seed = seed
        self._given: Counter[str] = Counter()

    def msisdn(self, operator_name: str) -> str:
        """Return a new mobile number in national form: 0 and nine digits.

        Raises:
            KeyError: No operator has this name.
            OverflowError: The range that was drawn is used up.
        """
        prefix = self._generator.choice(OPERATORS[operator_name].msisdn_prefixes)
        return prefix + self._next_serial(prefix, digits=7)

    def _next_serial(self, name: str, *, digits: int) -> str:
        """Walk through a range in steps that visit each serial once, in no visible order."""
        range_size = 10**digits
        position = self._given[name]
        if position == range_size:
            raise OverflowError(f"the range {name} is used up")
        self._given[name] += 1
        first = Random(f"{self._seed}/{name}").randrange(range_size)
        step = int(range_size * 0.618) // 10 * 10 + 3  # ends in 3: coprime to a power of ten
        return f"{(first + position * step) % range_size:0{digits}d}"
