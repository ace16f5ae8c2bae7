"""The 12-digit personal identification number (số định danh cá nhân).

Owns its form and the soft signals of its legacy structure. Refuses to know whether a person has
the number: only the population records say that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from identity.domain.errors import PersonalIDMalformedError

# Law on Identification 26/2023/QH15, article 12: a series of 12 natural digits, nothing more.
# `[0-9]`, because `\d` also means the digits of every other script.
_FORM = re.compile(r"[0-9]{12}")

# Circular 07/2016/TT-BCA, annex: the codes of the 63 provinces of birth registration. Numbers
# issued before the mergers of 1 July 2025 (Resolution 202/2025/QH15) keep them.
PROVINCE_CODES = frozenset(
    "001 002 004 006 008 010 011 012 014 015 017 "  # noqa: SIM905 - a table, not 63 quoted strings
    "019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 044 045 046 "
    "048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 "
    "082 083 084 086 087 089 091 092 093 094 095 096".split()
)
# The same circular writes a country of birth into the same three digits, from here on. Which
# codes are taken is not judged.
_COUNTRY_CODE_MIN = "100"


class Sex(StrEnum):
    """The sex in a population record."""

    MALE = "male"
    FEMALE = "female"


class StructureWarning(StrEnum):
    """What is unusual about a personal ID, seen from its legacy structure."""

    UNKNOWN_PROVINCE = "unknown_province"
    SEX_DIFFERS = "sex_differs"
    BIRTH_YEAR_DIFFERS = "birth_year_differs"


@dataclass(frozen=True, slots=True, repr=False)
class PersonalID:
    """One person's number: exactly twelve digits 0-9.

    Its repr, and so its `str` and every log line, hides the digits.

    Attributes:
        value: The twelve digits.
    """

    value: str

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(self.value):
            raise PersonalIDMalformedError("a personal ID is exactly twelve digits 0-9")

    def __repr__(self) -> str:
        return "PersonalID(************)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a personal ID as a register or a contract writes it.

        Args:
            text: Exactly twelve ASCII digits. Spaces are not trimmed: a machine wrote this field,
                and one that pads it may have cut it as well.

        Returns:
            The number.

        Raises:
            PersonalIDMalformedError: Anything else.
        """
        return cls(text)


def structure_warnings(
    personal_id: PersonalID, *, birth_date: date, sex: Sex | None
) -> frozenset[StructureWarning]:
    """Compare a number with the structure that personal IDs had until 1 July 2024.

    The structure was PPP C YY NNNNNN: province or country of birth registration, century with
    sex, year of birth, six random digits (Circular 59/2021/TT-BCA, lapsed on 1 July 2024). The
    law in force promises twelve digits and no structure, so a warning is a reason to look, never
    one to refuse.

    Args:
        personal_id: The number.
        birth_date: The date of birth in the record.
        sex: The sex in the record; None when it does not say, then sex is not judged.

    Returns:
        Every warning that applies.
    """
    return frozenset(_warnings(personal_id.value, birth_date=birth_date, sex=sex))


def _warnings(digits: str, *, birth_date: date, sex: Sex | None) -> Iterator[StructureWarning]:
    place = digits[:3]
    if place < _COUNTRY_CODE_MIN and place not in PROVINCE_CODES:
        yield StructureWarning.UNKNOWN_PROVINCE
    # 0 and 1 stand for men and women born in 19YY, 2 and 3 in 20YY, and so on to 8 and 9.
    centuries, is_female = divmod(int(digits[3]), 2)
    if sex is not None and (sex is Sex.FEMALE) != bool(is_female):
        yield StructureWarning.SEX_DIFFERS
    if 1900 + 100 * centuries + int(digits[4:6]) != birth_date.year:
        yield StructureWarning.BIRTH_YEAR_DIFFERS
