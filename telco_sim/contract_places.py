"""Where contracts are signed.

Owns which of the 34 units since 1 July 2025 took in each of the 63 former provinces (Resolution
202/2025/QH15; codes of Decision 19/2025/QD-TTg), and the points of sale of an operator. It refuses
to know who signs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

SUCCESSORS: Mapping[str, str] = MappingProxyType(
    {
        former: unit
        for unit, formers in {
            "01": ("001",),
            "04": ("004",),
            "08": ("002", "008"),
            "11": ("011",),
            "12": ("012",),
            "14": ("014",),
            "15": ("010", "015"),
            "19": ("006", "019"),
            "20": ("020",),
            "22": ("022",),
            "24": ("024", "027"),
            "25": ("017", "025", "026"),
            "31": ("030", "031"),
            "33": ("033", "034"),
            "37": ("035", "036", "037"),
            "38": ("038",),
            "40": ("040",),
            "42": ("042",),
            "44": ("044", "045"),
            "46": ("046",),
            "48": ("048", "049"),
            "51": ("051", "062"),
            "52": ("052", "064"),
            "56": ("056", "058"),
            "66": ("054", "066"),
            "68": ("060", "067", "068"),
            "75": ("070", "075"),
            "79": ("074", "077", "079"),
            "80": ("072", "080"),
            "82": ("082", "087"),
            "86": ("083", "084", "086"),
            "91": ("089", "091"),
            "92": ("092", "093", "094"),
            "96": ("095", "096"),
        }.items()
        for former in formers
    }
)
"""The prefix of a former province, and the code of the unit that it is part of now."""

_UNITS = tuple(dict.fromkeys(SUCCESSORS.values()))

_ELSEWHERE_SHARE = 0.12
"""People who sign in another province than that of their birth registration."""

_PROVINCE_UNKNOWN_SHARE = 0.02
_POINT_OF_SALE_UNKNOWN_SHARE = 0.05
"""Old contracts, of which the book no longer says where they were signed."""

_SHOPS_PER_PROVINCE = 4


@dataclass(frozen=True, slots=True)
class ContractPlace:
    """Where a contract was signed, as far as the book says.

    Attributes:
        province_code: Two digits; empty where the book does not say.
        point_of_sale: As the operator names it; empty where the book does not say.
    """

    province_code: str
    point_of_sale: str


def draw_place(former_province: str, *, generator: Random) -> ContractPlace:
    """Draw where somebody signs.

    Args:
        former_province: Prefix of the province of birth registration, three digits.
        generator: Source of chance.
    """
    is_elsewhere = generator.random() < _ELSEWHERE_SHARE
    unit = generator.choice(_UNITS) if is_elsewhere else SUCCESSORS[former_province]
    shop = f"{unit}-{generator.randint(1, _SHOPS_PER_PROVINCE):02d}"
    return ContractPlace(
        province_code="" if generator.random() < _PROVINCE_UNKNOWN_SHARE else unit,
        point_of_sale="" if generator.random() < _POINT_OF_SALE_UNKNOWN_SHARE else shop,
    )
