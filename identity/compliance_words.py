"""What the figures of operators are called, in English and Vietnamese, and how they are read.

Owns the words of the terminal and the page. The formulas are the domain's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from identity.domain.compliance import ExecutionTimes, OperatorKpis, ScorePart
from identity.domain.quality import Share
from identity.quality_words import percent


@dataclass(frozen=True, slots=True)
class Word:
    """A name in both languages, and what it means in a sentence."""

    english: str
    vietnamese: str
    meaning: str


PARTS: Mapping[str, Word] = MappingProxyType(
    {
        "coverage": Word("Coverage", "Tỷ lệ xác thực", "Numbers whose holder is verified."),
        "on_time": Word(
            "On time", "Đúng hạn", "Orders executed in time, or notices: the worse of both."
        ),
        "device_change_on_time": Word(
            "Two-hour duty",
            "Khóa trong 2 giờ",
            "Blocks within two hours of a change of device, of all that were due.",
        ),
        "without_drift": Word("In step", "Khớp trạng thái", "Numbers in the state ordered."),
        "honest": Word(
            "Honest", "Trung thực", "Numbers compared that were not acknowledged falsely."
        ),
        "without_failure": Word(
            "Reliable", "Không lỗi", "Orders and notices that never failed, of those answered."
        ),
    }
)
"""The parts of a score, by their stable names."""

TIMES: Mapping[str, Word] = MappingProxyType(
    {
        "orders": Word("Orders", "Lệnh", "All orders but notices, from the order."),
        "notices": Word("Notices", "Thông báo", "From the order to the delivery."),
        "device_changes": Word(
            "Device changes", "Đổi thiết bị", "Blocks, from the change of device itself."
        ),
    }
)
"""The kinds of orders whose times are measured, by the fields of `OperatorKpis`."""

SHARES: Mapping[str, Word] = MappingProxyType(
    {
        "coverage": Word("Coverage", "Tỷ lệ xác thực", "Verified rows, of all in service."),
        "drift": Word(
            "Drift",
            "Lệch trạng thái",
            "Numbers in another state than ordered, not named, or not the operator's, at the last"
            " reconciliation.",
        ),
        "false_acknowledgements": Word(
            "False acknowledgements",
            "Báo cáo sai",
            "Numbers acknowledged and found otherwise, of all compared.",
        ),
        "cures": Word("Cures", "Đã khắc phục", "Cases that a verification ended, of all ended."),
        "reverted_blocks": Word(
            "Blocks put back", "Khóa bị hoàn tác", "With their wave, of all blocks ordered."
        ),
        "failures": Word(
            "Failures",
            "Thất bại",
            "Orders and notices that failed at least once, of those answered.",
        ),
    }
)
"""The figures that are shares, by the fields of `OperatorKpis`."""

COMPLAINTS = Word("Complaints", "Khiếu nại", "Of citizens; of one number one a day counts.")

_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float | None) -> str:
    """A length of time as it is read, in the largest unit of which there is one."""
    if seconds is None:
        return "-"
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{seconds / size:.1f} {unit}"


def points(value: float | None) -> str:
    """A score as it is read, cut and not rounded: 100.0 means all."""
    # What a float has lost in its last bits is no tenth.
    return "-" if value is None else f"{int(10 * value + 1e-6) / 10:.1f}"


def parts_of(share: Share) -> str:
    """A share and what it is made of, on two lines."""
    return f"{percent(share)}\n{share.numerator:,} of {share.denominator:,}"


def _late(times: ExecutionTimes) -> str:
    never_done = f"{times.open_late_count:,} open, {times.overtaken_late_count:,} overtaken"
    return f"{times.late_count:,}\n{never_done}"


_OF_TIMES: Mapping[str, Callable[[ExecutionTimes], str]] = MappingProxyType(
    {
        "executed": lambda times: f"{times.executed_count:,}",
        "late": _late,
        "half within": lambda times: duration(times.p50_s),
        "95 % within": lambda times: duration(times.p95_s),
    }
)


def figure_rows(operators: Sequence[OperatorKpis]) -> dict[str, list[str]]:
    """Each figure's cells, one for each operator, by its label."""
    rows: dict[str, list[str]] = {}
    for name, word in TIMES.items():
        for label, cell in _OF_TIMES.items():
            rows[f"{word.english}: {label}"] = [cell(getattr(each, name)) for each in operators]
    for name, word in SHARES.items():
        label = f"{word.english}\n({word.vietnamese})"
        rows[label] = [parts_of(getattr(each, name)) for each in operators]
    rows[f"{COMPLAINTS.english} ({COMPLAINTS.vietnamese})"] = [
        f"{each.complaint_count:,}" for each in operators
    ]
    return rows


def part_cell(part: ScorePart | None) -> str:
    """A part of a score as it is read."""
    return "-" if part is None else points(part.points)
