"""The drawing of operators' books."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from subid.v1.subscription_pb2 import LINK_STATE_DECEASED, LINK_STATE_LINKED
from telco_sim.books import (
    ROWS_PER_BATCH,
    Bookkeeper,
    BookRow,
    can_hold,
    e164,
    expected_link_counts,
    expected_refusals,
    new_number,
)
from telco_sim.flaws import ENTERED_TWICE, SERVED_ELSEWHERE, Flaw, RowRefusal
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.population import draw_population

TODAY = date(2026, 11, 21)
PEOPLE = draw_population(1_000, seed=1, today=TODAY)
NAMES = tuple(OPERATORS)


def draw_books(seed: int = 1) -> dict[str, tuple[BookRow, ...]]:
    numbers = NumberGenerator(seed=seed)
    return Bookkeeper(PEOPLE, numbers=numbers, seed=seed, today=TODAY).draw(NAMES)


BOOKS = draw_books()
ROWS = tuple(row for book in BOOKS.values() for row in book)


def test_the_same_seed_draws_the_same_books() -> None:
    assert draw_books() == BOOKS
    assert draw_books(seed=2) != BOOKS


def test_adults_hold_about_one_and_a_third_numbers_each() -> None:
    holders = {row.holder.personal_id for row in ROWS}
    adults = {each.personal_id for each in PEOPLE if can_hold(each, today=TODAY)}
    assert holders == adults
    assert 1.2 < len({row.msisdn for row in ROWS}) / len(holders) < 1.4


def test_every_number_is_accepted_by_one_operator_at_most() -> None:
    operators_of: dict[str, set[str]] = {}
    for name, book in BOOKS.items():
        for row in book:
            if row.is_accepted:
                operators_of.setdefault(row.msisdn, set()).add(name)
    assert max(len(each) for each in operators_of.values()) == 1


def test_every_kind_of_mistake_is_made() -> None:
    assert {row.flaw for row in ROWS} == set(Flaw)


def test_the_dead_are_expected_to_be_found_dead() -> None:
    dead = [row for row in ROWS if not row.holder.is_alive and row.is_accepted]
    assert dead
    assert {row.expected for row in dead} == {LINK_STATE_DECEASED}


def test_a_second_row_is_refused_in_its_batch_and_says_nothing_new_in_a_later_one() -> None:
    for book in BOOKS.values():
        first_batch: dict[str, int] = {}
        for index, row in enumerate(book):
            batch = index // ROWS_PER_BATCH
            if row.flaw is Flaw.ENTERED_TWICE:
                assert first_batch[row.msisdn] == batch
                assert row.expected == ENTERED_TWICE
            elif row.flaw is Flaw.ENTERED_AGAIN:
                assert first_batch[row.msisdn] < batch
                assert row.is_accepted
            elif row.is_accepted:
                assert row.msisdn not in first_batch
                first_batch[row.msisdn] = batch


def test_a_number_that_moved_away_is_in_an_earlier_operators_book() -> None:
    earlier: set[str] = set()
    for book in BOOKS.values():
        moved = {row.msisdn for row in book if row.expected == SERVED_ELSEWHERE}
        assert moved <= earlier
        earlier |= {row.msisdn for row in book if row.is_accepted}


def test_expected_counts_and_refusals_cover_every_row() -> None:
    for book in BOOKS.values():
        refusals = expected_refusals(book)
        assert expected_link_counts(book).total() + len(refusals) == len(book)
        assert all(book[index].expected == refusal for index, refusal in refusals.items())


def test_a_clean_row_says_what_the_register_says() -> None:
    clean = [row for row in ROWS if row.flaw is Flaw.NONE]
    assert {row.expected for row in clean} == {LINK_STATE_LINKED}
    for row in clean:
        assert row.row.holder.personal_id == row.holder.personal_id
        assert row.row.holder.full_name == row.holder.full_name
        assert e164(row.row.msisdn) == row.msisdn


def test_a_mistake_that_a_row_does_not_offer_leaves_it_clean() -> None:
    bookkeeper = Bookkeeper(PEOPLE, numbers=NumberGenerator(seed=1), seed=1, today=TODAY)
    clean = next(row for row in ROWS if row.flaw is Flaw.NONE and row.row.msisdn.startswith("096"))
    assert bookkeeper.spoilt(clean, flaw=Flaw.RETIRED_NUMBER) is clean


def test_numbers_come_from_allocated_ranges() -> None:
    numbers = NumberGenerator(seed=1)
    drawn = [new_number(numbers, operator_name="truong-son") for _ in range(500)]
    assert Counter(each[:4] for each in drawn if each.startswith("089")).keys() == {
        "0896",
        "0897",
        "0898",
        "0899",
    }


@pytest.mark.parametrize(
    ("born", "expected"), [(date(2011, 11, 20), True), (date(2012, 1, 1), False)]
)
def test_a_contract_needs_fifteen_years(born: date, expected: bool) -> None:  # noqa: FBT001 - parametrized
    assert can_hold(replace(PEOPLE[0], birth_date=born), today=TODAY) is expected


def test_a_refusal_is_no_link_state() -> None:
    refused = [row for row in ROWS if isinstance(row.expected, RowRefusal)]
    assert refused
    assert not any(row.is_accepted for row in refused)
