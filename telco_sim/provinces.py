"""The provinces that personal identification numbers begin with.

Owns the 63 prefixes of Circular 07/2016/TT-BCA, annex 1, with the names of that time, and a
rough weight of each for drawing a population. It refuses to know the 34 units that came after
2025-07-01: a number keeps the prefix it was issued with.
"""

from dataclasses import dataclass
from enum import StrEnum


class Region(StrEnum):
    """The part of the country, as far as family names and given names differ."""

    NORTH = "north"
    CENTRE = "centre"
    SOUTH = "south"


@dataclass(frozen=True, slots=True)
class Province:
    """One province of birth registration.

    Attributes:
        code: Three digits, the first three of a personal identification number.
        name: Vietnamese name before 2025-07-01.
        region: Part of the country.
        weight: Population in hundred thousands, rounded, after the census of 2019.
    """

    code: str
    name: str
    region: Region
    weight: int


PROVINCES: tuple[Province, ...] = (
    Province("001", "Hà Nội", Region.NORTH, 81),
    Province("002", "Hà Giang", Region.NORTH, 9),
    Province("004", "Cao Bằng", Region.NORTH, 5),
    Province("006", "Bắc Kạn", Region.NORTH, 3),
    Province("008", "Tuyên Quang", Region.NORTH, 8),
    Province("010", "Lào Cai", Region.NORTH, 7),
    Province("011", "Điện Biên", Region.NORTH, 6),
    Province("012", "Lai Châu", Region.NORTH, 5),
    Province("014", "Sơn La", Region.NORTH, 12),
    Province("015", "Yên Bái", Region.NORTH, 8),
    Province("017", "Hòa Bình", Region.NORTH, 9),
    Province("019", "Thái Nguyên", Region.NORTH, 13),
    Province("020", "Lạng Sơn", Region.NORTH, 8),
    Province("022", "Quảng Ninh", Region.NORTH, 13),
    Province("024", "Bắc Giang", Region.NORTH, 18),
    Province("025", "Phú Thọ", Region.NORTH, 15),
    Province("026", "Vĩnh Phúc", Region.NORTH, 12),
    Province("027", "Bắc Ninh", Region.NORTH, 14),
    Province("030", "Hải Dương", Region.NORTH, 19),
    Province("031", "Hải Phòng", Region.NORTH, 20),
    Province("033", "Hưng Yên", Region.NORTH, 13),
    Province("034", "Thái Bình", Region.NORTH, 19),
    Province("035", "Hà Nam", Region.NORTH, 9),
    Province("036", "Nam Định", Region.NORTH, 18),
    Province("037", "Ninh Bình", Region.NORTH, 10),
    Province("038", "Thanh Hóa", Region.CENTRE, 36),
    Province("040", "Nghệ An", Region.CENTRE, 33),
    Province("042", "Hà Tĩnh", Region.CENTRE, 13),
    Province("044", "Quảng Bình", Region.CENTRE, 9),
    Province("045", "Quảng Trị", Region.CENTRE, 6),
    Province("046", "Thừa Thiên Huế", Region.CENTRE, 11),
    Province("048", "Đà Nẵng", Region.CENTRE, 11),
    Province("049", "Quảng Nam", Region.CENTRE, 15),
    Province("051", "Quảng Ngãi", Region.CENTRE, 12),
    Province("052", "Bình Định", Region.CENTRE, 15),
    Province("054", "Phú Yên", Region.CENTRE, 9),
    Province("056", "Khánh Hòa", Region.CENTRE, 12),
    Province("058", "Ninh Thuận", Region.CENTRE, 6),
    Province("060", "Bình Thuận", Region.CENTRE, 12),
    Province("062", "Kon Tum", Region.CENTRE, 5),
    Province("064", "Gia Lai", Region.CENTRE, 15),
    Province("066", "Đắk Lắk", Region.CENTRE, 19),
    Province("067", "Đắk Nông", Region.CENTRE, 6),
    Province("068", "Lâm Đồng", Region.CENTRE, 13),
    Province("070", "Bình Phước", Region.SOUTH, 10),
    Province("072", "Tây Ninh", Region.SOUTH, 12),
    Province("074", "Bình Dương", Region.SOUTH, 24),
    Province("075", "Đồng Nai", Region.SOUTH, 31),
    Province("077", "Bà Rịa - Vũng Tàu", Region.SOUTH, 11),
    Province("079", "Hồ Chí Minh", Region.SOUTH, 90),
    Province("080", "Long An", Region.SOUTH, 17),
    Province("082", "Tiền Giang", Region.SOUTH, 18),
    Province("083", "Bến Tre", Region.SOUTH, 13),
    Province("084", "Trà Vinh", Region.SOUTH, 10),
    Province("086", "Vĩnh Long", Region.SOUTH, 10),
    Province("087", "Đồng Tháp", Region.SOUTH, 16),
    Province("089", "An Giang", Region.SOUTH, 19),
    Province("091", "Kiên Giang", Region.SOUTH, 17),
    Province("092", "Cần Thơ", Region.SOUTH, 12),
    Province("093", "Hậu Giang", Region.SOUTH, 7),
    Province("094", "Sóc Trăng", Region.SOUTH, 12),
    Province("095", "Bạc Liêu", Region.SOUTH, 9),
    Province("096", "Cà Mau", Region.SOUTH, 12),
)
