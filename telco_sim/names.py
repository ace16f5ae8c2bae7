"""Vietnamese personal names, drawn as often as people bear them.

Owns the name tables and how a full name is put together for the majority and for a few
peoples whose names follow other rules (they are where software breaks). It refuses to know
ages, numbers and cards. Shares of family names follow Lê Trung Hoa, "Họ và tên người Việt
Nam" (2005), rounded; the order within middle and given names is ours.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from telco_sim.provinces import Region

_FOUR_WORD_SHARE = 0.16
"""Share of Kinh people whose given name has two words, or who carry a second middle name."""

_CUSTOMARY_MIDDLE_NAME_FADES = (1960, 2010)
"""Văn and Thị were near universal for people born before, and rare for people born after."""


class Sex(StrEnum):
    """Sex as the population record states it."""

    MALE = "male"
    FEMALE = "female"


class Ethnicity(StrEnum):
    """A people of Vietnam, by its official Vietnamese name (Decision 121-TCTK/PPCĐ, 1979)."""

    KINH = "Kinh"
    TAY = "Tày"
    THAI = "Thái"
    HMONG = "Mông"
    KHMER = "Khmer"
    EDE = "Ê Đê"


@dataclass(frozen=True, slots=True)
class _Weighted:
    words: tuple[str, ...]
    weights: tuple[float, ...]

    def draw(self, generator: Random) -> str:
        return generator.choices(self.words, self.weights)[0]


def _weighted(table: str) -> _Weighted:
    """Read "word weight, word weight"; a word may hold spaces, a missing weight is 1."""
    words, weights = [], []
    for entry in table.split(","):
        word, _, last = entry.strip().rpartition(" ")
        if last.replace(".", "").isdigit():
            words.append(word)
            weights.append(float(last))
        else:
            words.append(entry.strip())
            weights.append(1.0)
    return _Weighted(tuple(words), tuple(weights))


_FAMILY_NAMES_COMMON = (
    "Nguyễn 38.4, Trần 11, Lê 9.5, Phạm 7, Phan 4.5, Bùi 2, Đặng 2.1, Đỗ 1.4, Hồ 1.3, Ngô 1.3, "
    "Dương 1, Lý 0.5, Trương 2.2, Đinh 1, Đoàn 0.9, Lâm 0.8, Mai 0.8, Trịnh 0.7, Đào 0.7, "
    "Cao 0.7, Lương 0.7, Hà 0.7, Tạ 0.4, Châu 0.3, Tô 0.3, Phùng 0.5, Quách 0.2, Thái 0.3, "
    "La 0.2, Kiều 0.2, Chu 0.2, Nghiêm 0.1, Âu Dương 0.02"
)
_FAMILY_NAMES = {
    Region.NORTH: _weighted(_FAMILY_NAMES_COMMON + ", Hoàng 5.1, Vũ 3.9"),
    Region.CENTRE: _weighted(_FAMILY_NAMES_COMMON + ", Hoàng 4, Võ 3.4, Huỳnh 1.1, Vũ 0.5"),
    Region.SOUTH: _weighted(_FAMILY_NAMES_COMMON + ", Huỳnh 5.1, Võ 3.9, Hoàng 0.5, Vũ 0.4"),
}
_MIDDLE_NAMES = {
    Sex.MALE: _weighted(
        "Văn 14, Minh 9, Đức 9, Hữu 7, Quốc 6, Quang 6, Thanh 6, Xuân 5, Ngọc 5, Công 4, "
        "Đình 4, Hoàng 4, Gia 4, Anh 3, Tuấn 3, Trọng 3, Thành 3, Duy 3, Nhật 3, Bá 2, Thế 2, "
        "Viết 2, Khắc 1, Mạnh 2, Hải 2, Bảo 2, Phúc 2, Tấn 2, Huy 2, Đăng 2"
    ),
    Sex.FEMALE: _weighted(
        "Thị 14, Ngọc 10, Thanh 7, Thu 7, Minh 5, Phương 5, Hồng 5, Kim 5, Bích 3, Mỹ 3, "
        "Thùy 4, Khánh 4, Bảo 4, Diệu 2, Như 3, Quỳnh 3, Hoài 2, Thúy 3, Cẩm 2, Tuyết 1, "
        "Lan 2, Hải 2, Yến 2, Mai 2, Hà 2, Xuân 2, Tú 1, Gia 2, Trúc 2, Huyền 2"
    ),
}
_CUSTOMARY_MIDDLE_NAME = {Sex.MALE: "Văn", Sex.FEMALE: "Thị"}
_GIVEN_NAMES = {
    Sex.MALE: _weighted(
        "Anh 6, Hùng 5, Dũng 5, Tuấn 5, Minh 5, Long 4, Nam 4, Sơn 4, Thắng 4, Hải 4, Huy 4, "
        "Khang 3, Bảo 3, Phúc 3, Đức 3, Hiếu 3, Hoàng 3, Quân 3, Trung 3, Thành 3, Cường 3, "
        "Tùng 2, Tâm 2, Tài 2, Lâm 2, Phong 2, Khoa 2, Kiên 2, Đạt 2, Duy 2, Linh 1, Việt 2, "
        "Vinh 2, Thịnh 2, Toàn 2, Toản 0.5, Hòa 1, Khỏe 0.1, Thụy 0.3, Quý 1, Thư 0.2, Bình 2, "
        "Chiến 1, Công 1, Đông 1, Giang 1, Hậu 1, Lộc 1, Lợi 1, Luân 0.5, Mạnh 2, Nghĩa 1, "
        "Nhân 1, Phước 1, Quang 2, Quyết 1, Sang 1, Tiến 2, Trí 1, Trường 1, Tú 1, Vũ 1, Xuân 0.5"
    ),
    Sex.FEMALE: _weighted(
        "Anh 7, Linh 6, Hương 5, Lan 4, Hoa 4, Mai 4, Trang 4, Hà 4, Thảo 4, Hằng 4, Hạnh 3, "
        "Nga 3, Ngọc 3, Nhung 3, Phương 3, Thủy 3, Hiền 3, Hồng 2, Huyền 3, Yến 2, Vân 3, "
        "Chi 2, My 2, Nhi 3, Vy 3, Thư 2, Trâm 2, Trinh 2, Tuyết 2, Oanh 2, Loan 2, Liên 2, "
        "Dung 2, Duyên 2, Diệp 1, Giang 2, Hòa 1, Thúy 2, Thùy 1, Quỳnh 2, Quyên 1, Như 2, "
        "Ngân 2, Nguyệt 1, Xuân 1, Đào 1, Châu 1, Bích 1, Cúc 1, Ái 0.3, Uyên 1, Khuê 0.2, "
        "Hòe 0.1, Tâm 1, Thơm 1, Lụa 0.5, Mỹ 1, Phượng 2, Ý 0.3, Kiều 1, Tiên 1, An 2"
    ),
}
_GIVEN_NAMES_OF_TWO_WORDS = {
    Sex.MALE: _weighted(
        "Gia Bảo 5, Minh Khôi 4, Anh Tuấn 4, Hoàng Long 3, Nhật Minh 4, Quốc Anh 3, Đăng Khoa 3, "
        "Thiên Phúc 2, Bảo Khang 2, Hải Đăng 2, Trung Kiên 2, Thanh Tùng 2, Đức Anh 2"
    ),
    Sex.FEMALE: _weighted(
        "Bảo Ngọc 5, Khánh Linh 4, Minh Anh 4, Phương Thảo 4, Thanh Hằng 3, Kim Ngân 3, "
        "Thùy Dương 3, Hoài Thương 2, Ngọc Diệp 2, Quỳnh Như 2, Tường Vy 3, Thanh Thúy 2"
    ),
}
_FAMILY_NAMES_TAY = _weighted("Nông 4, Hoàng 4, Lương 2, Bế 2, Ma 2, Đàm 2, Triệu 2, Hứa 1")
_FAMILY_NAMES_THAI = _weighted("Lò 5, Quàng 3, Cà 2, Lường 3, Tòng 2, Vi 2, Hà 1, Đèo 1, Cầm 1")
_FAMILY_NAMES_HMONG = _weighted("Giàng 4, Vàng 3, Sùng 3, Thào 3, Lầu 2, Mùa 2, Hạng 2, Lý 2")
_GIVEN_NAMES_HMONG = {
    Sex.MALE: _weighted("A Páo, A Tủa, A Dơ, A Sử, A Chìa, Seo Phử, Mí Sính, A Lềnh, A Vừ"),
    Sex.FEMALE: _weighted("Thị Mỷ, Thị Dợ, Thị Sua, Thị Chú, Thị Pàng, Thị Mái, Thị Xay"),
}
_FAMILY_NAMES_KHMER = _weighted("Thạch 5, Kim 3, Sơn 3, Danh 3, Lâm 2, Trà 1, Châu 1")
_GIVEN_NAMES_KHMER = {
    Sex.MALE: _weighted("Sa Rết, Sô Phi, Rết Tha, Sóc Kha, Phi Rum, Ngọc Thạch, Sa Mươl"),
    Sex.FEMALE: _weighted("Thị Sa Rum, Sô Phia, Thị Sa Vết, Thị Quanh Đa, Ra Na, Thị Đa Ra"),
}
_CLANS_EDE = _weighted("Niê 5, Mlô 3, Ayun 2, Kbuôr 2, Êban 2, Kđoh 1, Byă 1, Ayŭn 1, Niê Kdăm 1")
_GIVEN_NAMES_EDE = {
    Sex.MALE: _weighted("Y Moan, Y Thịnh, Y Bhăm, Y Khương, Y Wơn, Y Krông, Y Liăm"),
    Sex.FEMALE: _weighted("H'Hen, H'Bia, H'Lâm, H'Ngọc, H'Wen, H'Nga, H'Rut"),
}


def draw_full_name(
    generator: Random,
    *,
    sex: Sex,
    region: Region,
    birth_year: int,
    ethnicity: Ethnicity = Ethnicity.KINH,
    family_name: str | None = None,
) -> str:
    """Draw one full name in Unicode NFC, family name first, tones written the old way (hòa).

    Args:
        generator: Source of chance; the same state gives the same name.
        sex: Sex of the bearer.
        region: Part of the country the family comes from.
        birth_year: Year of birth; it decides how likely Văn or Thị is.
        ethnicity: Whose naming rules apply.
        family_name: The father's family name, to be carried on; drawn when absent.
    """
    match ethnicity:
        case Ethnicity.EDE:  # the clan comes last, and there is no family name before
            return f"{_GIVEN_NAMES_EDE[sex].draw(generator)} {_CLANS_EDE.draw(generator)}"
        case Ethnicity.HMONG:
            family = family_name or _FAMILY_NAMES_HMONG.draw(generator)
            return f"{family} {_GIVEN_NAMES_HMONG[sex].draw(generator)}"
        case Ethnicity.KHMER:
            family = family_name or _FAMILY_NAMES_KHMER.draw(generator)
            return f"{family} {_GIVEN_NAMES_KHMER[sex].draw(generator)}"
        case Ethnicity.TAY:
            family = family_name or _FAMILY_NAMES_TAY.draw(generator)
        case Ethnicity.THAI:
            family = family_name or _FAMILY_NAMES_THAI.draw(generator)
        case Ethnicity.KINH:
            family = family_name or _FAMILY_NAMES[region].draw(generator)
    return f"{family} {_given_words(generator, sex=sex, birth_year=birth_year)}"


def _given_words(generator: Random, *, sex: Sex, birth_year: int) -> str:
    """Draw the middle name and the given name of a person named the Kinh way."""
    middle = _MIDDLE_NAMES[sex].draw(generator)
    if generator.random() < _customary_share(birth_year):
        middle = _CUSTOMARY_MIDDLE_NAME[sex]
    if generator.random() < _FOUR_WORD_SHARE:
        given = _GIVEN_NAMES_OF_TWO_WORDS[sex].draw(generator)
        if given.split()[0] != middle:
            return f"{middle} {given}"
    given = _GIVEN_NAMES[sex].draw(generator)
    while given == middle:
        given = _GIVEN_NAMES[sex].draw(generator)
    return f"{middle} {given}"


def _customary_share(birth_year: int) -> float:
    universal_until, rare_from = _CUSTOMARY_MIDDLE_NAME_FADES
    faded = (birth_year - universal_until) / (rare_from - universal_until)
    return 0.8 - 0.75 * min(max(faded, 0.0), 1.0)
