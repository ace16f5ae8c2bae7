"""What operators have in their books.

Owns the drawing of books: which citizen holds which number at which operator, which rows are
spoilt, and the counts that a correct import must answer. It refuses to know how rows travel.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from subid.v1.subscription_pb2 import LINK_STATE_DECEASED, LINK_STATE_LINKED, LinkState
from subid.v1.subscription_service_pb2 import SubscriptionRow
from telco_sim.contract_places import draw_place
from telco_sim.flaws import (
    ENTERED_TWICE,
    SERVED_ELSEWHERE,
    SHARES,
    Expected,
    Flaw,
    RowRefusal,
    Surroundings,
    spoil,
)
from telco_sim.messages import claim_message, date_message
from telco_sim.numbering import NumberGenerator
from telco_sim.population import Citizen

CONTRACT_AGE_MIN_YEARS = 15
"""Younger people use numbers that stand in a parent's name."""

_DAYS_PER_YEAR = 365.2425

_NUMBERS_PER_HOLDER = {1: 78, 2: 16, 3: 6}
"""Numbers held, and the share of people in percent: about 1.3 a person."""

ROWS_PER_BATCH = 200
"""Rows that travel together: far below the contract's 5,000, so that a small book has batches."""

_ROWS_PER_STRAY_ROW = 100
"""One row in so many is entered a second time, and another is of a number that moved away."""

_UNALLOCATED_PREFIXES = tuple(f"089{digit}" for digit in range(6))
"""Of 089 only 0896 to 0899 are given out (libphonenumber 9.0.43, region VN, mobile)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """One row of a book, with what the simulation knows about it.

    Attributes:
        msisdn: The number in E.164.
        holder: Who really holds the number.
        row: What the book says, in the form of the contract.
        flaw: How that differs from the truth.
        expected: The link state it must lead to, or the refusal it must get.
    """

    msisdn: str
    holder: Citizen
    row: SubscriptionRow
    flaw: Flaw
    expected: Expected

    @property
    def is_accepted(self) -> bool:
        """Whether the service must take the row."""
        return not isinstance(self.expected, RowRefusal)


def can_hold(citizen: Citizen, *, today: date) -> bool:
    """Say whether a citizen is old enough for a contract."""
    return (today - citizen.birth_date).days >= CONTRACT_AGE_MIN_YEARS * _DAYS_PER_YEAR


def e164(national: str) -> str:
    """Return a national number, 0 and nine digits, in E.164."""
    return "+84" + national.removeprefix("0")


def new_number(numbers: NumberGenerator, *, operator_name: str) -> str:
    """Return a new number of an operator, in national form, from an allocated range."""
    while (national := numbers.msisdn(operator_name)).startswith(_UNALLOCATED_PREFIXES):
        continue
    return national


def expected_link_counts(rows: Sequence[BookRow]) -> Counter[LinkState]:
    """Return how many rows a correct import leaves in each link state."""
    return Counter(each.expected for each in rows if not isinstance(each.expected, RowRefusal))


def expected_refusals(rows: Sequence[BookRow]) -> dict[int, RowRefusal]:
    """Return the refusal that a correct import answers, by the row's place in the stream."""
    return {
        index: each.expected
        for index, each in enumerate(rows)
        if isinstance(each.expected, RowRefusal)
    }


class Bookkeeper:
    """Draws the books of several operators for one population."""

    def __init__(
        self, people: Sequence[Citizen], *, numbers: NumberGenerator, seed: int, today: date
    ) -> None:
        """Take the population.

        Args:
            people: Everybody in the register, the dead included.
            numbers: Where new numbers come from.
            seed: Any integer; the same seed draws the same books.
            today: The day by which every contract has begun.
        """
        self._generator = Random(f"{seed}/books")
        self._places = Random(f"{seed}/places")
        self._surroundings = Surroundings(
            people=tuple(each for each in people if can_hold(each, today=today)),
            known_personal_ids=frozenset(each.personal_id for each in people),
            generator=self._generator,
        )
        self._numbers = numbers
        self._today = today

    def draw(self, operator_names: Sequence[str]) -> dict[str, tuple[BookRow, ...]]:
        """Draw the book of each operator.

        The books are meant to be imported in the order of the names: a number that has moved
        from one operator to another stands in both books, and the later import is refused.
        """
        rows: dict[str, list[BookRow]] = {name: [] for name in operator_names}
        for citizen in self._surroundings.people:
            for _ in range(self._draw_number_count()):
                name = self._generator.choice(operator_names)
                rows[name].append(self._draw_row(citizen, operator_name=name))
        books: dict[str, tuple[BookRow, ...]] = {}
        for name, own in rows.items():
            earlier = [row for book in books.values() for row in book if row.is_accepted]
            books[name] = self._completed(own, earlier=earlier)
        return books

    def _draw_number_count(self) -> int:
        counts = tuple(_NUMBERS_PER_HOLDER)
        return self._generator.choices(counts, tuple(_NUMBERS_PER_HOLDER.values()))[0]

    def _draw_row(self, citizen: Citizen, *, operator_name: str) -> BookRow:
        clean = self._clean_row(citizen, operator_name=operator_name)
        if not citizen.is_alive:
            return replace(clean, flaw=Flaw.DEAD_HOLDER, expected=LINK_STATE_DECEASED)
        flaw = self._generator.choices(tuple(SHARES), tuple(SHARES.values()))[0]
        return clean if flaw is Flaw.NONE else self.spoilt(clean, flaw=flaw)

    def spoilt(self, clean: BookRow, *, flaw: Flaw) -> BookRow:
        """Return a clean row with a mistake; the same row where it does not offer the mistake."""
        row = SubscriptionRow()
        row.CopyFrom(clean.row)
        expected = spoil(row, flaw=flaw, surroundings=self._surroundings)
        if expected is None:
            return clean
        return replace(clean, row=row, flaw=flaw, expected=expected)

    def _clean_row(self, citizen: Citizen, *, operator_name: str) -> BookRow:
        national = new_number(self._numbers, operator_name=operator_name)
        age_days = self._generator.randint(30, 3_000)
        place = draw_place(citizen.province_code, generator=self._places)
        row = SubscriptionRow(
            msisdn=national,
            holder=claim_message(citizen),
            activated_on=date_message(self._today - timedelta(days=age_days)),
            point_of_sale=place.point_of_sale,
            province_code=place.province_code,
        )
        return BookRow(
            msisdn=e164(national),
            holder=citizen,
            row=row,
            flaw=Flaw.NONE,
            expected=LINK_STATE_LINKED,
        )

    def _completed(
        self, rows: Sequence[BookRow], *, earlier: Sequence[BookRow]
    ) -> tuple[BookRow, ...]:
        """Shuffle the rows, and strew in stray ones: moved away, or entered a second time."""
        shuffled = self._generator.sample(rows, len(rows))
        for row in self._some([each for each in rows if each.is_accepted], of=len(rows)):
            shuffled.insert(self._generator.randint(0, len(shuffled)), row)
        moved = [
            replace(each, flaw=Flaw.SERVED_ELSEWHERE, expected=SERVED_ELSEWHERE)
            for each in self._some(earlier, of=len(rows))
        ]
        return _with_repeats_judged([*shuffled, *moved])

    def _some(self, rows: Sequence[BookRow], *, of: int) -> list[BookRow]:
        return self._generator.sample(rows, min(len(rows), 2 + of // _ROWS_PER_STRAY_ROW))


def _with_repeats_judged(rows: Sequence[BookRow]) -> tuple[BookRow, ...]:
    """Say what the second row of a number leads to."""
    batch_of_first: dict[str, int] = {}
    return tuple(
        _judged(row, batch=index // ROWS_PER_BATCH, batch_of_first=batch_of_first)
        for index, row in enumerate(rows)
    )


def _judged(row: BookRow, *, batch: int, batch_of_first: dict[str, int]) -> BookRow:
    """Judge one row.

    In the batch of the first, the second row of a number is refused; in a later batch the number
    is known by then, and the row says nothing new.
    """
    if not row.is_accepted:
        return row
    first = batch_of_first.get(row.msisdn)
    if first is None:
        batch_of_first[row.msisdn] = batch
        return row
    if first == batch:
        return replace(row, flaw=Flaw.ENTERED_TWICE, expected=ENTERED_TWICE)
    return replace(row, flaw=Flaw.ENTERED_AGAIN)
