"""The numbers that operators give out.

Owns five fictional operators with the real number ranges of Vietnam, and generators of unique
MSISDN, IMSI, ICCID and IMEI. It refuses to know who uses them. Written apart from the
service's own rules on purpose, so that one mistake cannot hide in both.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

MOBILE_COUNTRY_CODE = "452"
"""Viet Nam (ITU-T E.212, annex)."""

COUNTRY_CODE = "84"
"""Viet Nam (ITU-T E.164)."""


@dataclass(frozen=True, slots=True)
class OperatorNumbering:
    """The number ranges of one operator.

    Attributes:
        operator_name: Name in the simulation; fictional, the ranges are those of a real operator.
        msisdn_prefixes: First three digits in national form, with the trunk prefix 0 (Circular
            22/2014/TT-BTTTT and the change of 2018 from eleven digits to ten).
        mobile_network_code: Two digits after the mobile country code (ITU-T E.212).
        issuer_identifier: Two digits after 89 and the country code (ITU-T E.118).
    """

    operator_name: str
    msisdn_prefixes: tuple[str, ...]
    mobile_network_code: str
    issuer_identifier: str


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
                mobile_network_code="04",
                issuer_identifier="04",
            ),
            OperatorNumbering(
                operator_name="cuu-long",
                msisdn_prefixes=("081", "082", "083", "084", "085", "088", "091", "094"),
                mobile_network_code="02",
                issuer_identifier="02",
            ),
            OperatorNumbering(
                operator_name="truong-son",
                msisdn_prefixes=("070", "076", "077", "078", "079", "089", "090", "093"),
                mobile_network_code="01",
                issuer_identifier="01",
            ),
            OperatorNumbering(
                operator_name="dong-nai",
                msisdn_prefixes=("056", "058", "092"),
                mobile_network_code="05",
                issuer_identifier="05",
            ),
            OperatorNumbering(
                operator_name="bach-dang",
                msisdn_prefixes=("059",),
                mobile_network_code="07",
                issuer_identifier="07",
            ),
        )
    }
)

_TYPE_ALLOCATION_CODES = tuple(f"35{number:06d}" for number in range(901_234, 901_274))
"""Forty made-up handset models under 35, a reporting body of GSMA TS.06."""


class NumberGenerator:
    """Gives out numbers of each kind, never one twice; the same seed gives the same numbers."""

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

    def imsi(self, operator_name: str) -> str:
        """Return a new subscriber identity: 15 digits (3GPP TS 23.003, clause 2.2)."""
        network = MOBILE_COUNTRY_CODE + OPERATORS[operator_name].mobile_network_code
        return network + self._next_serial("IMSI" + network, digits=10)

    def iccid(self, operator_name: str) -> str:
        """Return a new SIM card number: 19 digits, the last by Luhn (ITU-T E.118, clause 4.1)."""
        issuer = "89" + COUNTRY_CODE + OPERATORS[operator_name].issuer_identifier
        digits = issuer + self._next_serial("ICCID" + issuer, digits=12)
        return digits + luhn_check_digit(digits)

    def imei(self) -> str:
        """Return a new device number: 15 digits, the last by Luhn (3GPP TS 23.003, clause 6.2)."""
        model = self._generator.choice(_TYPE_ALLOCATION_CODES)
        digits = model + self._next_serial("IMEI" + model, digits=6)
        return digits + luhn_check_digit(digits)

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


def luhn_check_digit(digits: str) -> str:
    """Return the digit that completes a number by Luhn's formula (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)
