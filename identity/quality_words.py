"""The report on quality in words: what each of the six means, and what to do about each gap.

Owns the sentences, English with the Vietnamese words beside them, and how a share is written. Knows
neither page nor terminal, and computes nothing that it shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from identity.domain.anomalies import AnomalyKind
from identity.domain.provinces import PROVINCES
from identity.domain.quality import Figures, Measure, QualityReport, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One of the six words.

    Attributes:
        english: The word.
        vietnamese: As the notice has it.
        meaning: What the number says, in a sentence.
        part: What its numerator counts.
        whole: What its denominator counts.
    """

    english: str
    vietnamese: str
    meaning: str
    part: str
    whole: str


WORDS: Mapping[Measure, Word] = MappingProxyType(
    {
        Measure.CORRECT: Word(
            english="Correct",
            vietnamese="Đúng",
            meaning="The operator's record agrees with the population record of a living person.",
            part="numbers whose personal ID, name and birth date agree",
            whole="numbers in service",
        ),
        Measure.SUFFICIENT: Word(
            english="Sufficient",
            vietnamese="Đủ",
            meaning="The operator has told all that a record needs.",
            part="numbers with day of contract, point of sale and province",
            whole="numbers in service",
        ),
        Measure.CLEAN: Word(
            english="Clean",
            vietnamese="Sạch",
            meaning="What operators send can be read, and nobody has too many numbers.",
            part="numbers within the limit for one person at one operator",
            whole="numbers in service and rows that were refused",
        ),
        Measure.ALIVE: Word(
            english="Alive",
            vietnamese="Sống",
            meaning="A living person holds the number, and the operator has confirmed it of late.",
            part="numbers of living persons in a recent book",
            whole="numbers in service",
        ),
        Measure.UNIFIED: Word(
            english="Unified",
            vietnamese="Thống nhất",
            meaning="All records of one person say the same name and birth date.",
            part="people whose records agree with one another",
            whole="people with two numbers or more",
        ),
        Measure.SHARED: Word(
            english="Shared",
            vietnamese="Dùng chung",
            meaning="State agencies can reach the person at a number the person has chosen.",
            part="people with a primary number",
            whole="people with a verified number",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that can be put right.

    Attributes:
        name: What it is.
        vietnamese: The same in Vietnamese.
        remedy: Who does what about it.
        count: How much there is of it in a book.
    """

    name: str
    vietnamese: str
    remedy: str
    count: Callable[[Figures], int]


GAPS: tuple[Gap, ...] = (
    Gap(
        name="Name differs from the population record",
        vietnamese="Sai họ tên",
        remedy="The operator corrects the name in its book, or the holder verifies with the card.",
        count=lambda each: each.rows.full_name_mismatched_count,
    ),
    Gap(
        name="Birth date differs from the population record",
        vietnamese="Sai ngày sinh",
        remedy="The operator corrects the birth date in its book, or the holder verifies.",
        count=lambda each: each.rows.birth_date_mismatched_count,
    ),
    Gap(
        name="Personal ID of nobody",
        vietnamese="Không tìm thấy số định danh",
        remedy="The operator asks the holder for the ID card. Decree 49/2017 sets the clock.",
        count=lambda each: each.rows.not_found_count,
    ),
    Gap(
        name="Holder has died",
        vietnamese="Chủ thuê bao đã mất",
        remedy="The operator finds who uses the number: that person registers it, or it ends.",
        count=lambda each: each.rows.deceased_count,
    ),
    Gap(
        name="Not in the operator's last book",
        vietnamese="Không còn trong sổ của nhà mạng",
        remedy="The operator reports the release of the number, or puts it back into its book.",
        count=lambda each: each.rows.absent_count,
    ),
    Gap(
        name="Not confirmed by a recent book",
        vietnamese="Chưa được xác nhận lại",
        remedy="The operator sends its whole book as a snapshot.",
        count=lambda each: each.rows.unconfirmed_count,
    ),
    Gap(
        name="Beyond the numbers of one person at one operator",
        vietnamese="Vượt số thuê bao cho phép",
        remedy="The operator shows a contract for each further number, or ends it.",
        count=lambda each: each.rows.duplicated_count,
    ),
    Gap(
        name="Row refused at import",
        vietnamese="Dòng bị từ chối khi nhập",
        remedy="The operator corrects the rows that its import named, and sends them again.",
        count=lambda each: 0 if each.book is None else each.book.refused_count,
    ),
    Gap(
        name="Day of contract missing",
        vietnamese="Thiếu ngày ký hợp đồng",
        remedy="The operator completes its book.",
        count=lambda each: each.rows.activated_on_missing_count,
    ),
    Gap(
        name="Point of sale missing",
        vietnamese="Thiếu điểm giao dịch",
        remedy="The operator completes its book.",
        count=lambda each: each.rows.point_of_sale_missing_count,
    ),
    Gap(
        name="Province missing",
        vietnamese="Thiếu tỉnh, thành phố",
        remedy="The operator completes its book.",
        count=lambda each: each.rows.province_missing_count,
    ),
    Gap(
        name="Never verified by chip and face",
        vietnamese="Chưa xác thực sinh trắc học",
        remedy="The operator invites the holder to verify before the ladder blocks the number.",
        count=lambda each: each.rows.row_count - each.rows.verified_count,
    ),
)
"""In the order of a reader's questions; a report shows them by how much there is of each."""


ODDITIES: Mapping[AnomalyKind, tuple[str, str]] = MappingProxyType(
    {
        AnomalyKind.PERSONAL_ID_PROVINCE_UNKNOWN: (
            "Personal ID of no known province",
            "Số định danh có mã tỉnh không tồn tại",
        ),
        AnomalyKind.PERSONAL_ID_SEX_DIFFERS: (
            "Personal ID stands for the other sex",
            "Số định danh không khớp giới tính",
        ),
        AnomalyKind.PERSONAL_ID_BIRTH_YEAR_DIFFERS: (
            "Personal ID stands for another year of birth",
            "Số định danh không khớp năm sinh",
        ),
        AnomalyKind.HOLDER_DECEASED: ("Holder has died", "Chủ thuê bao đã mất"),
        AnomalyKind.HOLDER_BELOW_AGE: (
            "Holder too young to sign alone",
            "Chủ thuê bao chưa đủ tuổi",
        ),
        AnomalyKind.PERSON_ABOVE_CAP: (
            "Holder has many numbers at all operators",
            "Đứng tên nhiều thuê bao tại các nhà mạng",
        ),
        AnomalyKind.PERSON_ABOVE_OPERATOR_CAP: (
            "Holder has many numbers at this operator",
            "Đứng tên nhiều thuê bao tại nhà mạng này",
        ),
        AnomalyKind.POINT_OF_SALE_ABOVE_BOUND: (
            "Point of sale started many on one day",
            "Điểm giao dịch kích hoạt nhiều trong ngày",
        ),
        AnomalyKind.PROBE_OF_TWO_PEOPLE: (
            "One photograph used for two people",
            "Một ảnh chụp dùng cho hai người",
        ),
    }
)
"""Each anomaly, in English and Vietnamese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A gap as it stands in a report.

    Attributes:
        gap: Which.
        count: How much there is of it, at all operators that the reader sees.
        worst_operator: Who has most of it.
        worst_count: How much.
    """

    gap: Gap
    count: int
    worst_operator: str
    worst_count: int


def findings(report: QualityReport) -> tuple[Finding, ...]:
    """What there is to be done, the largest first; nothing where all is well."""
    found = [finding for gap in GAPS if (finding := _finding(gap, report)) is not None]
    return tuple(sorted(found, key=lambda each: -each.count))


def _finding(gap: Gap, report: QualityReport) -> Finding | None:
    counts = {each.operator_id or "": gap.count(each) for each in report.operators}
    worst = max(counts, key=lambda name: counts[name], default="")
    if not counts.get(worst):
        return None
    return Finding(
        gap=gap, count=sum(counts.values()), worst_operator=worst, worst_count=counts[worst]
    )


def percent(share: Share) -> str:
    """A share as it is read: never rounded up to all, nor down to nothing."""
    if share.denominator == 0:
        return "none to count"
    tenths = 1_000 * share.numerator // share.denominator
    if tenths == 0 and share.numerator:
        return "< 0.1 %"
    return f"{tenths // 10}.{tenths % 10} %"


def change(now: Share, before: Share) -> str:
    """How a share has moved, in points; empty where one of the two is a share of nothing."""
    if now.ratio is None or before.ratio is None:
        return ""
    points = 100 * (now.ratio - before.ratio)
    return "unchanged" if abs(points) < 0.05 else f"{points:+.1f} points"  # noqa: PLR2004 - shows as 0.0


def province_name(code: str | None) -> str:
    """A province by its name; an unknown code as it is."""
    return PROVINCES.get(code or "", "not known" if code in (None, "00") else f"code {code}")
