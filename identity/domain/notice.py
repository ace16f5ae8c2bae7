"""What a user is told: the words of a pack with this number's own dates put in.

Owns the places that a text may have, and how they are filled. Knows no channel: the operator sends
the words, in a message or a call of its own.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.msisdn import MSISDN
from identity.domain.policy import Bilingual, StepKind

PLACES = frozenset({"number", "step", "date", "cure"})
"""The number with its middle hidden, the next step in words, its day, and the way out."""

LENGTH_MAX = 480
"""Characters of a text before its places are filled: some seven messages of 70 Vietnamese letters
(UCS-2, 3GPP TS 23.038), more than anybody reads on a telephone."""

STEP_WORDS: Mapping[StepKind, Bilingual] = {
    StepKind.NOTIFY: Bilingual(vi="nhắc lại", en="a further notice"),
    StepKind.BLOCK_OUTGOING: Bilingual(
        vi="khóa chiều gọi đi", en="a block of outgoing calls and messages"
    ),
    StepKind.SUSPEND: Bilingual(vi="khóa hai chiều", en="a block both ways"),
    StepKind.TERMINATE: Bilingual(vi="thu hồi số", en="withdrawal of the number"),
}


class NoticeError(ValueError):
    """A text with a place that nobody fills, or one that is too long."""


def check_template(text: str) -> None:
    """Refuse a text that could not be filled.

    Raises:
        NoticeError: An unknown place, a stray brace, or too many characters.
    """
    if len(text) > LENGTH_MAX:
        raise NoticeError(f"longer than {LENGTH_MAX} characters")
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise NoticeError(str(error)) from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACES or form or conversion):
            raise NoticeError(f"{{{name}}} is none of {', '.join(sorted(PLACES))}")


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
    words = STEP_WORDS[upcoming.kind]
    number = masked(msisdn)
    return Bilingual(
        vi=template.vi.format(number=number, step=words.vi, date=day, cure=cure.vi),
        en=template.en.format(number=number, step=words.en, date=day, cure=cure.en),
    )


def masked(msisdn: MSISDN) -> str:
    """A number that its user knows again, and nobody else: `091•••678`."""
    national = "0" + str(msisdn).removeprefix("+84")
    return f"{national[:3]}•••{national[-3:]}"
