"""How good the data are: what is counted, and the six words of Notice 552 as six shares.

Owns the formula of each word, over counts that it is handed (docs/concepts/quality.md). Knows no
table and no clock. A share is always a numerator and a denominator: a percentage of nothing does
not exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from identity.domain.anomalies import AnomalyKind
from identity.domain.provinces import UNKNOWN_PROVINCE


class Measure(StrEnum):
    """The six words of Notice 552/TB-VPCP, in its order."""

    CORRECT = "correct"
    SUFFICIENT = "sufficient"
    CLEAN = "clean"
    ALIVE = "alive"
    UNIFIED = "unified"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPolicy:
    """What a policy pack says of the quality of data.

    Attributes:
        snapshot_age_max: How long a row counts as confirmed by the last complete snapshot.
    """

    snapshot_age_max: timedelta = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, in units.

    Attributes:
        numerator: The part, 0 to `denominator`.
        denominator: The whole; 0 when there is nothing to have a share of.
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 0 <= self.numerator <= self.denominator:
            raise ValueError("a share is a part of its whole")

    @property
    def ratio(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Rows of operators' books: subscriptions in service, registered ones included.

    Attributes:
        row_count: All of them.
        linked_count: Personal ID, name and birth date agree with one living person's record.
        mismatched_count: The personal ID is known, name or birth date differ.
        not_found_count: No population record has the personal ID.
        deceased_count: The holder has died.
        full_name_mismatched_count: Of the mismatched, those whose name differs.
        birth_date_mismatched_count: Of the mismatched, those whose birth date differs.
        verified_count: The holder was verified by chip and face.
        absent_count: The operator's last complete snapshot did not name the row.
        unconfirmed_count: Not absent, told of longer ago than a snapshot counts, and no complete
            snapshot since.
        duplicated_count: Beyond the numbers that one personal ID may have at one operator.
        complete_count: Day of contract, point of sale and province are all known.
        activated_on_missing_count: Without a day of contract.
        point_of_sale_missing_count: Without a point of sale.
        province_missing_count: Without a province.
        alive_count: The personal ID is a living person's, and the row is not stale.
    """

    row_count: int
    linked_count: int
    mismatched_count: int
    not_found_count: int
    deceased_count: int
    full_name_mismatched_count: int
    birth_date_mismatched_count: int
    verified_count: int
    absent_count: int
    unconfirmed_count: int
    duplicated_count: int
    complete_count: int
    activated_on_missing_count: int
    point_of_sale_missing_count: int
    province_missing_count: int
    alive_count: int

    @property
    def stale_count(self) -> int:
        """Rows that no recent snapshot stands behind."""
        return self.absent_count + self.unconfirmed_count

    @classmethod
    def from_fields(cls, counts: Mapping[str, Any]) -> Self:
        """Read counts by their names; one that is not there was not counted yet, and is 0."""
        return cls(**{field.name: int(counts.get(field.name, 0)) for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCounts:
    """What only a whole book shows, or all books together: refused rows, and people.

    Attributes:
        refused_count: Rows refused by imports since the last complete snapshot began.
        person_count: Personal IDs with a row.
        plural_person_count: Those with two rows or more.
        agreeing_person_count: Of these, those whose rows all say the same name and birth date.
        reachable_person_count: Personal IDs with a linked, verified, reachable number.
        primary_person_count: Of these, those with a primary number.
    """

    refused_count: int
    person_count: int
    plural_person_count: int
    agreeing_person_count: int
    reachable_person_count: int
    primary_person_count: int

    @classmethod
    def from_fields(cls, counts: Mapping[str, Any]) -> Self:
        """Read counts by their names, as `RowCounts.from_fields`."""
        return cls(**{field.name: int(counts.get(field.name, 0)) for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The counts of one part of the country's books.

    Attributes:
        operator_id: One operator's; None for all operators.
        province_code: One province's, `UNKNOWN_PROVINCE` for rows without; None for all provinces.
        rows: Its rows.
        book: What a whole book shows; None for a province.
        anomalies: What is odd about it, in numbers in service; None for a province, and where it
            was not counted.
    """

    operator_id: str | None
    province_code: str | None
    rows: RowCounts
    book: BookCounts | None
    anomalies: Mapping[AnomalyKind, int] | None = None

    def __post_init__(self) -> None:
        if (self.book is None) != (self.province_code is not None):
            raise ValueError("a book has all provinces, and a province is no book")
        if self.anomalies is not None and self.book is None:
            raise ValueError("anomalies are counted for whole books")

    @property
    def is_province_unknown(self) -> bool:
        """Whether these are the rows whose province nobody says."""
        return self.province_code == UNKNOWN_PROVINCE

    def shares(self) -> Mapping[Measure, Share]:
        """Each word that can be said of this part, in the order of the notice."""
        rows, book = self.rows, self.book
        shares = {
            Measure.CORRECT: Share(rows.linked_count, rows.row_count),
            Measure.SUFFICIENT: Share(rows.complete_count, rows.row_count),
            Measure.ALIVE: Share(rows.alive_count, rows.row_count),
        }
        if book is not None:
            shares |= {
                Measure.CLEAN: Share(
                    rows.row_count - rows.duplicated_count, rows.row_count + book.refused_count
                ),
                Measure.UNIFIED: Share(book.agreeing_person_count, book.plural_person_count),
                Measure.SHARED: Share(book.primary_person_count, book.reachable_person_count),
            }
        return {measure: shares[measure] for measure in Measure if measure in shares}


def with_anomalies(
    figures: Iterable[Figures], counts: Mapping[str, Mapping[AnomalyKind, int]]
) -> tuple[Figures, ...]:
    """Add anomalies, counted by operator, to whole books; that of all operators gets their sums."""

    def added(each: Figures) -> Figures:
        if each.book is None:
            return each
        own = counts.get(each.operator_id, {}) if each.operator_id else None
        parts = [own] if own is not None else list(counts.values())
        sums = {kind: sum(part.get(kind, 0) for part in parts) for kind in AnomalyKind}
        return replace(each, anomalies=sums)

    return tuple(added(each) for each in figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """One measurement, and how the books stood on the days before.

    Attributes:
        day: The day of the measurement in Viet Nam.
        measured_at: Its instant.
        figures: All operators first, then operators, provinces, and each operator's provinces, as
            far as the reader may see them.
        trend: All provinces of each day, the day of the measurement included, oldest first.
    """

    day: date
    measured_at: datetime
    figures: tuple[Figures, ...]
    trend: tuple[tuple[date, Figures], ...]

    @property
    def country(self) -> Figures | None:
        """All operators together, where the reader may see them."""
        return next((each for each in self.figures if _is_book_of(each, None)), None)

    @property
    def operators(self) -> tuple[Figures, ...]:
        """Each operator's book."""
        return tuple(e for e in self.figures if e.operator_id is not None and e.book is not None)

    @property
    def provinces(self) -> tuple[Figures, ...]:
        """Each province, over all operators."""
        return tuple(e for e in self.figures if e.operator_id is None and e.book is None)

    def trend_of(self, operator_id: str | None) -> tuple[tuple[date, Figures], ...]:
        """One operator's days, or those of all operators together."""
        return tuple((day, each) for day, each in self.trend if _is_book_of(each, operator_id))


def _is_book_of(figures: Figures, operator_id: str | None) -> bool:
    return figures.book is not None and figures.operator_id == operator_id
