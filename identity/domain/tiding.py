"""What the service itself tells a citizen: of a choice that was made, asked for, or is to be made.

Owns the kinds of tidings, the places that each text has, and how they are filled. The words are the
policy pack's. Knows no channel and nobody's number but the one it shows.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.message_text import check_places, refuse_long, told_of
from identity.domain.msisdn import MSISDN
from identity.domain.notice import masked
from identity.domain.policy import Bilingual


class TidingKind(StrEnum):
    """What a citizen is told."""

    PRIMARY_CHANGE_ASKED = "primary_change_asked"
    PRIMARY_CHANGED = "primary_changed"
    PRIMARY_VETOED = "primary_vetoed"
    LOCK_CHANGED = "lock_changed"
    FALLBACKS_CHANGED = "fallbacks_changed"
    CONFIRM_ASKED = "confirm_asked"


PLACES: Mapping[TidingKind, frozenset[str]] = {
    TidingKind.PRIMARY_CHANGE_ASKED: frozenset({"old", "new", "time"}),
    TidingKind.PRIMARY_CHANGED: frozenset({"new", "time"}),
    TidingKind.PRIMARY_VETOED: frozenset({"new"}),
    TidingKind.LOCK_CHANGED: frozenset({"time"}),
    TidingKind.FALLBACKS_CHANGED: frozenset({"time"}),
    TidingKind.CONFIRM_ASKED: frozenset({"number", "date"}),
}
"""The places of each text, all of them needed. `old`, `new` and `number` are numbers with their
middle hidden, `time` and `date` are those of Viet Nam."""

TidingValue = MSISDN | datetime
"""What fills a place: a number is shown with its middle hidden, an instant as `date` or `time`."""

# As long as any other.
_LONGEST: Mapping[str, str] = {
    "old": "091***678",
    "new": "091***678",
    "number": "091***678",
    "date": "31/12/2026",
    "time": "23:59 31/12/2026",
}
_FORMS = {"date": "%d/%m/%Y", "time": "%H:%M %d/%m/%Y"}


def check_tiding(kind: TidingKind, text: Bilingual) -> None:
    """Refuse a text that could not be filled, leaves something out, or is too long.

    Raises:
        TextError: It does; the message begins with the language.
    """
    places = PLACES[kind]
    for language, words in text.by_language.items():
        with told_of(language):
            check_places(words, known=places, needed=places)
            refuse_long(words.format_map(_LONGEST))


def fill_tiding(
    kind: TidingKind, text: Bilingual, values: Mapping[str, TidingValue]
) -> Mapping[str, str]:
    """The words by language.

    Args:
        kind: What is told.
        text: As `check_tiding` lets it pass.
        values: What fills each place of the kind.

    Raises:
        ValueError: A place is not given, or something is that is no place of the kind.
    """
    if values.keys() != PLACES[kind]:
        raise ValueError(f"{kind} takes {', '.join(sorted(PLACES[kind]))}")
    shown = {name: _shown(name, value) for name, value in values.items()}
    return {language: words.format_map(shown) for language, words in text.by_language.items()}


def _shown(name: str, value: TidingValue) -> str:
    if isinstance(value, MSISDN):
        return masked(value)
    return value.astimezone(DAY_ZONE).strftime(_FORMS[name])
