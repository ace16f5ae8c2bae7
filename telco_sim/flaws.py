"""Mistakes in the rows of an operator's book, and the answer each must get.

Owns what a correct service makes of every mistake: a link state, or a refusal with its field and
reason. The simulation makes one mistake in a row at most, so that the answer is never in doubt.
It refuses to know how rows travel and how the service finds mistakes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from types import MappingProxyType

from subid.v1.date_pb2 import Date
from subid.v1.subscription_pb2 import (
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
    LinkState,
)
from subid.v1.subscription_service_pb2 import SubscriptionRow
from telco_sim import dirt
from telco_sim.messages import date_message
from telco_sim.population import Citizen

_NAME_CHARACTERS_MAX = 100
"""The contract's bound on a full name."""


class Flaw(StrEnum):
    """How a row differs from the truth."""

    NONE = "none"
    DECOMPOSED_NAME = "name in Unicode NFD"
    SEPARATE_TONES = "tones typed apart from their letters"
    NEW_TONE_PLACEMENT = "tone on the second vowel"
    CAPITALS = "name in capitals"
    NON_BREAKING_SPACES = "name with doubled and non-breaking spaces"
    RETIRED_NUMBER = "eleven-digit number retired in 2018"
    INTERNATIONAL_NUMBER = "number with the country code"
    NUMBER_WITHOUT_PLUS = "number with the country code and no plus"
    SPACED_NUMBER = "number in groups"
    WITHOUT_ACCENTS = "name without accents"
    SWAPPED_NAME = "given name first"
    ANOTHER_NAME = "name of somebody else"
    WRONG_BIRTH_DATE = "wrong birth date"
    UNKNOWN_PERSONAL_ID = "personal ID of nobody"
    DEAD_HOLDER = "holder has died"
    SHORT_PERSONAL_ID = "personal ID that lost its first zero"
    LETTER_IN_PERSONAL_ID = "letter O for zero in the personal ID"
    LANDLINE_NUMBER = "number of a landline"
    NUMBER_WITHOUT_ZERO = "number that lost its first zero"
    NO_NAME = "no name"
    OVERLONG_NAME = "name of more than 100 characters"
    DIGIT_IN_NAME = "digit in the name"
    IMPOSSIBLE_BIRTH_DATE = "30 February"
    ENTERED_TWICE = "number entered twice in a batch"
    ENTERED_AGAIN = "number entered again in a later batch"
    SERVED_ELSEWHERE = "number that another operator serves"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefusal:
    """The answer that a broken row must get.

    Attributes:
        field: Path of the field at fault in SubscriptionRow.
        reason: The stable reason.
    """

    field: str
    reason: str


Expected = LinkState | RowRefusal
"""What a row must lead to."""

ENTERED_TWICE = RowRefusal(field="msisdn", reason="ROW_DUPLICATE")
SERVED_ELSEWHERE = RowRefusal(field="msisdn", reason="NUMBER_IN_SERVICE_ELSEWHERE")

_PERSONAL_ID_MALFORMED = RowRefusal(field="holder.personal_id", reason="PERSONAL_ID_MALFORMED")
_MSISDN_MALFORMED = RowRefusal(field="msisdn", reason="MSISDN_MALFORMED")
_FULL_NAME_MALFORMED = RowRefusal(field="holder.full_name", reason="FULL_NAME_MALFORMED")
_DATE_IMPOSSIBLE = RowRefusal(field="holder.birth_date", reason="DATE_IMPOSSIBLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a mistake may draw from.

    Attributes:
        people: Everybody who may hold a number, at least two of them with different names.
        known_personal_ids: Every personal ID of the register.
        generator: Source of chance.
    """

    people: tuple[Citizen, ...]
    known_personal_ids: frozenset[str]
    generator: Random


def spoil(row: SubscriptionRow, *, flaw: Flaw, surroundings: Surroundings) -> Expected | None:
    """Make one mistake in a row.

    Args:
        row: A row without mistakes, changed in place.
        flaw: A mistake that is made within a row: a key of SHARES.
        surroundings: Where other people's data come from.

    Returns:
        What the spoilt row must lead to; None when this row does not offer the mistake (a name
        without tones cannot misplace one), and then it stays as it was.
    """
    before = row.SerializeToString()
    expected = _SPOILERS[flaw](row, surroundings)
    return None if row.SerializeToString() == before else expected


_Spoiler = Callable[[SubscriptionRow, Surroundings], Expected]


def _name(change: Callable[[str], str], *, expected: Expected) -> _Spoiler:
    def spoiler(row: SubscriptionRow, _: Surroundings) -> Expected:
        row.holder.full_name = change(row.holder.full_name)
        return expected

    return spoiler


def _number(change: Callable[[str], str | None], *, expected: Expected) -> _Spoiler:
    def spoiler(row: SubscriptionRow, _: Surroundings) -> Expected:
        row.msisdn = change(row.msisdn) or row.msisdn
        return expected

    return spoiler


def _personal_id(change: Callable[[str], str], *, expected: Expected) -> _Spoiler:
    def spoiler(row: SubscriptionRow, _: Surroundings) -> Expected:
        row.holder.personal_id = change(row.holder.personal_id)
        return expected

    return spoiler


def _another_name(row: SubscriptionRow, surroundings: Surroundings) -> Expected:
    own = _plain(row.holder.full_name)
    others = [each.full_name for each in surroundings.people if _plain(each.full_name) != own]
    row.holder.full_name = surroundings.generator.choice(others)
    return LINK_STATE_MISMATCHED


def _wrong_birth_date(row: SubscriptionRow, surroundings: Surroundings) -> Expected:
    birth = row.holder.birth_date
    wrong = dirt.with_wrong_birth_date(
        date(birth.year, birth.month, birth.day), generator=surroundings.generator
    )
    birth.CopyFrom(date_message(wrong))
    return LINK_STATE_MISMATCHED


def _impossible_birth_date(row: SubscriptionRow, _: Surroundings) -> Expected:
    row.holder.birth_date.CopyFrom(Date(year=row.holder.birth_date.year, month=2, day=30))
    return _DATE_IMPOSSIBLE


def _unknown_personal_id(row: SubscriptionRow, surroundings: Surroundings) -> Expected:
    row.holder.personal_id = dirt.unknown_personal_id(
        known=surroundings.known_personal_ids, generator=surroundings.generator
    )
    return LINK_STATE_NOT_FOUND


def _plain(name: str) -> str:
    return dirt.without_accents(name).casefold()


_SPOILERS: Mapping[Flaw, _Spoiler] = MappingProxyType(
    {
        Flaw.DECOMPOSED_NAME: _name(dirt.decomposed, expected=LINK_STATE_LINKED),
        Flaw.SEPARATE_TONES: _name(dirt.with_separate_tones, expected=LINK_STATE_LINKED),
        Flaw.NEW_TONE_PLACEMENT: _name(dirt.with_new_tone_placement, expected=LINK_STATE_LINKED),
        Flaw.CAPITALS: _name(dirt.in_capitals, expected=LINK_STATE_LINKED),
        Flaw.NON_BREAKING_SPACES: _name(
            lambda name: name.replace(" ", " \u00a0") + " ", expected=LINK_STATE_LINKED
        ),
        Flaw.RETIRED_NUMBER: _number(dirt.in_retired_form, expected=LINK_STATE_LINKED),
        Flaw.INTERNATIONAL_NUMBER: _number(dirt.in_international_form, expected=LINK_STATE_LINKED),
        Flaw.NUMBER_WITHOUT_PLUS: _number(
            dirt.in_international_form_without_plus, expected=LINK_STATE_LINKED
        ),
        Flaw.SPACED_NUMBER: _number(
            lambda number: dirt.grouped(number, separator=" "), expected=LINK_STATE_LINKED
        ),
        Flaw.WITHOUT_ACCENTS: _name(dirt.without_accents, expected=LINK_STATE_MISMATCHED),
        Flaw.SWAPPED_NAME: _name(dirt.with_swapped_order, expected=LINK_STATE_MISMATCHED),
        Flaw.ANOTHER_NAME: _another_name,
        Flaw.WRONG_BIRTH_DATE: _wrong_birth_date,
        Flaw.UNKNOWN_PERSONAL_ID: _unknown_personal_id,
        Flaw.SHORT_PERSONAL_ID: _personal_id(
            lambda digits: digits[1:], expected=_PERSONAL_ID_MALFORMED
        ),
        Flaw.LETTER_IN_PERSONAL_ID: _personal_id(
            lambda digits: digits.replace("0", "O"), expected=_PERSONAL_ID_MALFORMED
        ),
        Flaw.LANDLINE_NUMBER: _number(lambda _: "024 3825 1234", expected=_MSISDN_MALFORMED),
        Flaw.NUMBER_WITHOUT_ZERO: _number(dirt.without_leading_zero, expected=_MSISDN_MALFORMED),
        Flaw.NO_NAME: _name(lambda _: "", expected=_FULL_NAME_MALFORMED),
        Flaw.OVERLONG_NAME: _name(
            lambda name: name * (_NAME_CHARACTERS_MAX // len(name) + 1),
            expected=_FULL_NAME_MALFORMED,
        ),
        Flaw.DIGIT_IN_NAME: _name(lambda name: f"{name} 2", expected=_FULL_NAME_MALFORMED),
        Flaw.IMPOSSIBLE_BIRTH_DATE: _impossible_birth_date,
    }
)

NAME_DIFFERS = frozenset({Flaw.WITHOUT_ACCENTS, Flaw.SWAPPED_NAME, Flaw.ANOTHER_NAME})
"""Mistakes by which a row does not agree with the register in the name."""

BIRTH_DATE_DIFFERS = frozenset({Flaw.WRONG_BIRTH_DATE})
"""Mistakes by which it does not agree in the birth date."""

_BROKEN_SHARE = 0.4

SHARES: Mapping[Flaw, float] = MappingProxyType(
    {
        Flaw.NONE: 58,
        Flaw.DECOMPOSED_NAME: 2,
        Flaw.SEPARATE_TONES: 1,
        Flaw.NEW_TONE_PLACEMENT: 18,
        Flaw.CAPITALS: 3,
        Flaw.NON_BREAKING_SPACES: 1,
        Flaw.RETIRED_NUMBER: 2,
        Flaw.INTERNATIONAL_NUMBER: 2,
        Flaw.NUMBER_WITHOUT_PLUS: 1,
        Flaw.SPACED_NUMBER: 1,
        Flaw.WITHOUT_ACCENTS: 2,
        Flaw.SWAPPED_NAME: 0.5,
        Flaw.ANOTHER_NAME: 1.5,
        Flaw.WRONG_BIRTH_DATE: 2,
        Flaw.UNKNOWN_PERSONAL_ID: 1.8,
        Flaw.SHORT_PERSONAL_ID: _BROKEN_SHARE,
        Flaw.LETTER_IN_PERSONAL_ID: _BROKEN_SHARE,
        Flaw.LANDLINE_NUMBER: _BROKEN_SHARE,
        Flaw.NUMBER_WITHOUT_ZERO: _BROKEN_SHARE,
        Flaw.NO_NAME: _BROKEN_SHARE,
        Flaw.OVERLONG_NAME: _BROKEN_SHARE,
        Flaw.DIGIT_IN_NAME: _BROKEN_SHARE,
        Flaw.IMPOSSIBLE_BIRTH_DATE: _BROKEN_SHARE,
    }
)
"""How often each mistake is tried within a row, in percent; few names have a tone to misplace."""
