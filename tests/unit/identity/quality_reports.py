"""Reports on quality for the tests of how they are shown.

Owns one small country with two operators; nothing here is measured.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

from identity.domain.quality import BookCounts, Figures, QualityReport, RowCounts

DAY = date(2026, 5, 4)

ROWS = RowCounts(
    row_count=1_000,
    linked_count=880,
    mismatched_count=60,
    not_found_count=40,
    deceased_count=20,
    full_name_mismatched_count=50,
    birth_date_mismatched_count=15,
    verified_count=1_000,
    absent_count=30,
    unconfirmed_count=70,
    duplicated_count=0,
    complete_count=910,
    activated_on_missing_count=20,
    point_of_sale_missing_count=60,
    province_missing_count=30,
    alive_count=850,
)
BOOK = BookCounts(
    refused_count=8,
    person_count=760,
    plural_person_count=0,
    agreeing_person_count=0,
    reachable_person_count=500,
    primary_person_count=320,
)


def figures(operator_id: str | None = None, province_code: str | None = None) -> Figures:
    book = BOOK if province_code is None else None
    return Figures(operator_id=operator_id, province_code=province_code, rows=ROWS, book=book)


def report() -> QualityReport:
    """The country, two operators, three provinces; four days, on the first of which less agreed."""
    first, second = figures("song-hong"), figures("cuu-long")
    worst = replace(second, rows=replace(ROWS, birth_date_mismatched_count=16))
    weak = replace(figures(None, "79"), rows=replace(ROWS, linked_count=700))
    before = replace(figures(), rows=replace(ROWS, linked_count=800))
    return QualityReport(
        day=DAY,
        measured_at=datetime(2026, 5, 4, 2, 30, tzinfo=UTC),
        figures=(
            figures(),
            worst,
            first,
            figures(None, "00"),
            figures(None, "01"),
            weak,
            figures("song-hong", "01"),
        ),
        trend=(
            (date(2026, 5, 1), before),
            (date(2026, 5, 1), first),
            (DAY, figures()),
            (DAY, first),
            (DAY, worst),
        ),
    )


def empty_report() -> QualityReport:
    """A registry that holds nothing, on its first day."""
    nothing = Figures(
        operator_id=None,
        province_code=None,
        rows=RowCounts.from_fields({}),
        book=BookCounts.from_fields({}),
    )
    return QualityReport(
        day=DAY,
        measured_at=datetime(2026, 5, 4, 2, 30, tzinfo=UTC),
        figures=(nothing,),
        trend=((DAY, nothing),),
    )
