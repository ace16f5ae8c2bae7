"""What a user is told: the words of a pack with this number's own dates put in.

Owns the places that a text may have, and how they are filled. Knows no channel: the operator sends
the words, in a message or a call of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.message_text import check_places, refuse_long, told_of
from identity.domain.msisdn import MSISDN
from identity.domain.policy import Bilingual, StepKind

PLACES = frozenset({"number", "step", "date", "cure"})
"""The number with its middle hidden, the next step in words, its day, and the way out."""

_NEEDED = frozenset({"step", "date", "cure"})
"""Nobody is told of a block without what it is, when it comes and how to stop it."""

# As long as any other.
_ANY_NUMBER = "091***678"
_ANY_DATE = "31/12/2026"

STEP_WORDS: Mapping[StepKind, Bilingual] = {
    StepKind.NOTIFY: Bilingual(vi="được nhắc lại", en="a further notice"),
    StepKind.BLOCK_OUTGOING: Bilingual(
        vi="bị khóa một chiều (gọi đi, nhắn tin)", en="a block of outgoing calls and messages"
    ),
    StepKind.SUSPEND: Bilingual(vi="bị khóa hai chiều", en="a block both ways"),
    StepKind.TERMINATE: Bilingual(vi="bị thu hồi", en="withdrawal of the number"),
}


def check_template(template: Bilingual, *, cure: Bilingual) -> None:
    """Refuse a text that could not be filled, or that leaves out what must be told.

    Raises:
        TextError: An unknown place, a stray brace, a place missing, or too many characters with
            the way out and the longest other words put in; the message begins with the language.
    """
    for language, text in template.by_language.items():
        with told_of(language):
            check_places(text, known=PLACES, needed=_NEEDED)
    for kind in StepKind:
        filled = _filled(template, number=_ANY_NUMBER, date=_ANY_DATE, kind=kind, cure=cure)
        for language, text in filled.by_language.items():
            with told_of(language):
                refuse_long(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What happens to a number next, and when."""

    kind: StepKind
    at: datetime


def fill(template: Bilingual, *, msisdn: MSISDN, upcoming: NextStep, cure: Bilingual) -> Bilingual:
    """The words for one number.

    Args:
        template: As `check_template` lets it pass.
        msisdn: The number; only its first and last digits are shown.
        upcoming: What is next, and when: its day in Viet Nam is given.
        cure: The way out.
    """
    day = upcoming.at.astimezone(DAY_ZONE).strftime("%d/%m/%Y")
    return _filled(template, number=masked(msisdn), date=day, kind=upcoming.kind, cure=cure)


def masked(msisdn: MSISDN) -> str:
    """A number that its user knows again, and nobody else: `091***678`.

    An asterisk and no bullet: the bullet is not in the GSM 7-bit alphabet, and would make an
    English message cost as many as a Vietnamese one.
    """
    national = "0" + msisdn.value.removeprefix("+84")
    return f"{national[:3]}***{national[-3:]}"


def _filled(
    template: Bilingual, *, number: str, date: str, kind: StepKind, cure: Bilingual
) -> Bilingual:
    step = STEP_WORDS[kind]
    return Bilingual(
        vi=template.vi.format(number=number, step=step.vi, date=date, cure=cure.vi),
        en=template.en.format(number=number, step=step.en, date=date, cure=cure.en),
    )
