"""Vietnamese mobile numbers in E.164.

Owns the forms in which people and operators write them, the mobile part of the national numbering
plan, and the successors of the 11-digit numbers. Refuses to know which operator serves a number:
since number portability, a prefix does not say.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from identity.domain.errors import MSISDNMalformedError

# The longest text that is read at all; `msisdn` in subid/v1 has the same limit.
TEXT_CHARACTERS_MAX = 32

COUNTRY_CODE = "84"
_NATIONAL_DIGITS = 9

# Leading digits of the 9-digit national numbers of public mobile services, one row for each first
# digit: Circular 22/2014/TT-BTTTT (numbering plan), as allocated to date; the ranges that
# libphonenumber 9.0.43 calls mobile in region VN. Its machine-to-machine ranges (1210 to 1213, 140,
# 160) are left out on purpose: nobody speaks there, so no holder can be asked to show a face.
MOBILE_PREFIXES = (
    *("3",),
    *("51", "522", "523", "528", "559", "56", "58", "59"),
    *("70", "76", "77", "78", "79"),
    *("81", "82", "83", "84", "85", "86", "87", "88", "896", "897", "898", "899"),
    *("90", "91", "92", "93", "94", "95", "96", "97", "98"),
    *("990", "991", "993", "994", "995", "996", "997", "998", "999"),
)

# Decision 798/QĐ-BTTTT of 25 May 2018: the 21 network codes of 11-digit mobile numbers and those
# that replaced them from 15 September 2018, without the leading 0; the last seven digits stayed.
SUCCESSORS = MappingProxyType(
    {
        # MobiFone
        "120": "70",
        "121": "79",
        "122": "77",
        "126": "76",
        "128": "78",
        # VinaPhone
        "123": "83",
        "124": "84",
        "125": "85",
        "127": "81",
        "129": "82",
        # Viettel
        "162": "32",
        "163": "33",
        "164": "34",
        "165": "35",
        "166": "36",
        "167": "37",
        "168": "38",
        "169": "39",
        # Vietnamobile
        "186": "56",
        "188": "58",
        # Gmobile
        "199": "59",
    }
)
_RETIRED_DIGITS = 10

_MOBILE = "|".join(
    f"{prefix}[0-9]{{{_NATIONAL_DIGITS - len(prefix)}}}" for prefix in MOBILE_PREFIXES
)
_E164 = re.compile(rf"\+{COUNTRY_CODE}(?:{_MOBILE})")
# How nearly every row writes its number, read in one step; all other forms take the long way.
_COMMON = re.compile(rf"(?:0|\+?{COUNTRY_CODE})({_MOBILE})")

# One prefix is demanded. Without it, 841234567 could be read as 084 123 4567 or as a number cut
# short after the country code. A 0 after the country code is the habit of writing +84 (0)912….
_DIALLED = re.compile(r"(?:\+84|0084|84)0?([1-9][0-9]*)|0([1-9][0-9]*)")
_SEPARATORS = str.maketrans("", "", " .-()")


@dataclass(frozen=True, slots=True, repr=False)
class MSISDN:
    """One Vietnamese mobile number.

    Its repr, and so its `str` and every log line, hides the digits.

    Attributes:
        value: The number in E.164 (ITU-T), `+84` and nine digits, such as +84912345678.
    """

    value: str

    def __post_init__(self) -> None:
        if not _E164.fullmatch(self.value):
            raise MSISDNMalformedError("an MSISDN is +84 and a mobile number of nine digits")

    def __repr__(self) -> str:
        return "MSISDN(+84*********)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a mobile number as people and operators write it.

        Args:
            text: 0912345678, 84912345678, +84912345678 or 0084912345678, with spaces, dots,
                hyphens and parentheses anywhere; also a 0 between country code and number. A
                number of the 11-digit ranges retired in 2018 is read as its successor. At most 32
                characters.

        Returns:
            The number in E.164.

        Raises:
            MSISDNMalformedError: Anything else: landlines, short codes, machine-to-machine and
                foreign numbers, letters, digits of another script, characters left over.
        """
        common = _COMMON.fullmatch(text)
        if common is not None:
            return cls(f"+{COUNTRY_CODE}{common[1]}")
        if len(text) > TEXT_CHARACTERS_MAX:
            raise MSISDNMalformedError(f"a number has at most {TEXT_CHARACTERS_MAX} characters")
        dialled = _DIALLED.fullmatch(text.translate(_SEPARATORS))
        if dialled is None:
            raise MSISDNMalformedError(
                "a number starts with 0, 84, +84 or 0084 and has digits only"
            )
        return cls(f"+{COUNTRY_CODE}{_successor(dialled[1] or dialled[2])}")


def _successor(national: str) -> str:
    """The national number that took over in 2018, or the same one."""
    if len(national) != _RETIRED_DIGITS or national[:3] not in SUCCESSORS:
        return national
    return SUCCESSORS[national[:3]] + national[3:]
