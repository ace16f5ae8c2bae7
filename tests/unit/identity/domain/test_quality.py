"""The six words: their formulas, and shares of nothing."""

from dataclasses import fields, replace

import pytest

from identity.domain.provinces import UNKNOWN_PROVINCE
from identity.domain.quality import BookCounts, Figures, Measure, RowCounts, Share

ROWS = RowCounts(
    row_count=1_000,
    linked_count=880,
    mismatched_count=60,
    not_found_count=40,
    deceased_count=20,
    full_name_mismatched_count=50,
    birth_date_mismatched_count=15,
    verified_count=700,
    absent_count=30,
    unconfirmed_count=70,
    duplicated_count=12,
    complete_count=910,
    activated_on_missing_count=20,
    point_of_sale_missing_count=60,
    province_missing_count=30,
    alive_count=850,
)
BOOK = BookCounts(
    refused_count=8,
    person_count=760,
    plural_person_count=200,
    agreeing_person_count=190,
    reachable_person_count=500,
    primary_person_count=320,
)
COUNTRY = Figures(operator_id=None, province_code=None, rows=ROWS, book=BOOK)


def test_each_word_has_its_formula() -> None:
    assert COUNTRY.shares() == {
        Measure.CORRECT: Share(880, 1_000),
        Measure.SUFFICIENT: Share(910, 1_000),
        Measure.CLEAN: Share(1_000 - 12, 1_000 + 8),
        Measure.ALIVE: Share(850, 1_000),
        Measure.UNIFIED: Share(190, 200),
        Measure.SHARED: Share(320, 500),
    }
    assert list(COUNTRY.shares()) == list(Measure)


def test_a_province_has_the_words_that_rows_have() -> None:
    province = replace(COUNTRY, province_code="01", book=None)
    assert list(province.shares()) == [Measure.CORRECT, Measure.SUFFICIENT, Measure.ALIVE]
    assert not province.is_province_unknown
    assert replace(province, province_code=UNKNOWN_PROVINCE).is_province_unknown


@pytest.mark.parametrize("given", [{"province_code": "01"}, {"book": None}])
def test_a_book_has_all_provinces_and_a_province_is_no_book(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a province is no book"):
        replace(COUNTRY, **given)  # type: ignore[arg-type] # parameters of the test


def test_stale_rows_are_the_absent_and_the_unconfirmed() -> None:
    assert ROWS.stale_count == 100


def test_counts_come_back_by_their_names_and_an_older_day_lacks_the_newer_ones() -> None:
    stored = {field.name: getattr(ROWS, field.name) for field in fields(RowCounts)}
    assert RowCounts.from_fields(stored) == ROWS
    del stored["alive_count"]
    assert RowCounts.from_fields(stored) == replace(ROWS, alive_count=0)
    assert BookCounts.from_fields({"refused_count": 8}).refused_count == 8


def test_a_share_is_a_part_of_its_whole() -> None:
    assert Share(1, 4).ratio == 0.25
    assert Share(0, 0).ratio is None
    for numerator, denominator in ((2, 1), (-1, 1)):
        with pytest.raises(ValueError, match="part of its whole"):
            Share(numerator, denominator)
