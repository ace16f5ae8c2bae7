"""What agencies write to people: in approved words, to those who may be written to.

Owns templates and how they are filled, who gets which message, and how much of what became of it an
agency learns. Knows no number and no channel.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.agency import Purpose, Right
from identity.domain.errors import FieldViolation, RequestInvalidError
from identity.domain.message import (
    PERSONAL_FAILURES,
    MessageFailure,
    MessageState,
    Urgency,
)
from identity.domain.message_text import TextError, places_of, refuse_long, units
from identity.domain.policy import Bilingual
from identity.domain.primary_choice import PrimaryPolicy, is_confirmed

LIFETIME = timedelta(days=3)
"""How long a notification waits unless its agency says otherwise; ours."""

LIFETIME_MAX = timedelta(days=30)
"""The longest that it can wait; ours."""

STATISTICS_DAYS_MAX = 31
"""Days that are counted at once."""

PLACES_MAX = 20
"""Places of a template: more than a message has room for."""

_PLACE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Language(StrEnum):
    """A language that a notification is written in."""

    VI = "vi"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What an agency may write.

    Attributes:
        agency: The agency.
        name: Its name, unique among the agency's.
        urgency: What it is for.
        text: The words, with the same places in both languages.
        length_max: The most UTF-16 units of the words with their places filled.
        approved_at: When the regulator approved it.
    """

    agency: str
    name: str
    urgency: Urgency
    text: Bilingual
    length_max: int
    approved_at: datetime

    @property
    def places(self) -> frozenset[str]:
        """The names of its places."""
        return places_of(self.text.vi)

    def says_as(self, other: "Template") -> bool:
        """Whether another template of this name is the same one, whenever it was approved."""
        return (self.urgency, self.text, self.length_max) == (
            other.urgency,
            other.text,
            other.length_max,
        )

    def refuse_unfit(self) -> None:
        """Refuse words that could not be filled in the same way in both languages.

        Raises:
            RequestInvalidError: A stray brace, a place that is no name, places that differ between
                the languages, too many of them, or words too long even without values.
        """
        faults = []
        for language, words in self.text.by_language.items():
            try:
                self._refuse_unfit(words)
            except TextError as error:
                faults.append(_fault(f"text_{language}", "TEMPLATE_UNFIT", str(error)))
        if not faults and places_of(self.text.en) != self.places:
            faults.append(_fault("text_en", "TEMPLATE_UNFIT", "not the places of text_vi"))
        if faults:
            raise RequestInvalidError(tuple(faults))

    def fill(self, values: Sequence[tuple[str, str]], language: Language) -> Mapping[str, str]:
        """The words in one language.

        Args:
            values: Names of places and what stands there, in the order of the request.
            language: Which.

        Raises:
            RequestInvalidError: A place is not filled, or filled twice, or is none of the
                template's, or the words become too long.
        """
        given = dict(values)
        if len(given) < len(values) or given.keys() != self.places:
            told = ", ".join(sorted(self.places)) or "none"
            fault = _fault("values", "PLACES_DIFFER", f"the template has these places: {told}")
            raise RequestInvalidError((fault,))
        filled = self.text.by_language[language].format_map(given)
        try:
            refuse_long(filled, length_max=self.length_max)
        except TextError as error:
            raise RequestInvalidError((_fault("values", "TEXT_TOO_LONG", str(error)),)) from error
        return {language.value: filled}

    def _refuse_unfit(self, words: str) -> None:
        places = places_of(words)
        if strange := sorted(name for name in places if not _PLACE_NAME.fullmatch(name)):
            raise TextError(f"a place is named by letters, digits and _: {strange[0]!r} is none")
        if len(places) > PLACES_MAX:
            raise TextError(f"{len(places)} places, and {PLACES_MAX} are allowed")
        shortest = words.format_map(dict.fromkeys(places, ""))
        refuse_long(shortest, length_max=self.length_max)
        if not units(shortest.strip()):
            raise TextError("it says nothing by itself")


def expiry(asked: datetime | None, *, at: datetime) -> datetime:
    """When a notification is of no use any more.

    Args:
        asked: When its agency says; None for the usual.
        at: Now.

    Raises:
        RequestInvalidError: It has passed, or is too far away.
    """
    if asked is None:
        return at + LIFETIME
    if not at < asked <= at + LIFETIME_MAX:
        told = f"it must lie after now and within {LIFETIME_MAX.days} days"
        raise RequestInvalidError((_fault("expire_time", "EXPIRY_IMPOSSIBLE", told),))
    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How somebody can be written to.

    Attributes:
        confirmed_at: When the number was last confirmed; None without a number.
        is_fallback: It only stands in for a primary number.
        has_objected: The person wants no messages for the purpose.
        is_restricted: The person has had the use of their data suspended.
    """

    confirmed_at: datetime | None = None
    is_fallback: bool = False
    has_objected: bool = False
    is_restricted: bool = False


def refusal_of(
    reach: Reach, urgency: Urgency, policy: PrimaryPolicy, *, at: datetime
) -> MessageFailure | None:
    """Why a message does not go to somebody; None when it does.

    An objection counts against services only: the law reaches people who would rather not be
    reached. A warning of danger reaches everybody. A letter with legal effect begins a time limit,
    so it goes to nothing less than a primary number that its citizen has confirmed in time.
    """
    if urgency is Urgency.SERVICE and reach.has_objected:
        return MessageFailure.OBJECTED
    if urgency is not Urgency.SAFETY and reach.is_restricted:
        return MessageFailure.OBJECTED
    if reach.confirmed_at is None:
        return MessageFailure.UNREACHABLE
    if urgency is Urgency.LEGAL:
        is_good = not reach.is_fallback and is_confirmed(reach.confirmed_at, policy, at=at)
        return None if is_good else MessageFailure.NOT_CONFIRMED
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification and what became of it.

    Attributes:
        notification_id: Identifier.
        citizen_key: To whom.
        template: The template.
        urgency: How urgent it is.
        purpose: What it was sent for.
        legal_basis: On which article of law.
        case_id: The agency's own file; empty without one.
        state: Where it stands; None for what the agency may not know.
        failure: Why it failed.
        created_at: When it was sent.
        expires_at: When it is of no use any more.
        done_at: When it was delivered, failed or expired.
    """

    notification_id: UUID
    citizen_key: bytes
    template: str
    urgency: Urgency
    purpose: Purpose
    legal_basis: str
    case_id: str
    state: MessageState | None
    failure: MessageFailure | None
    created_at: datetime
    expires_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationCount:
    """How many notifications of a day, a template and a purpose are in a state.

    Attributes:
        day: On which they were sent, in Viet Nam.
        template: The template.
        purpose: What for.
        state: Where they stand; None for all that an agency may not know.
        count: How many.
    """

    day: date
    template: str
    purpose: Purpose
    state: MessageState | None
    count: int


def as_shown(item: Notification, rights: Collection[Right]) -> Notification:
    """What an agency with some rights learns of a notification.

    Where it learns the state, it learns of what lies with the person only that there was no number
    to write to, unless it has a right to the cause, too.
    """
    if Right.DELIVERY_STATE not in rights:
        return replace(item, state=None, failure=None, done_at=None)
    if item.failure in PERSONAL_FAILURES and Right.ABSENCE_CAUSE not in rights:
        return replace(item, failure=MessageFailure.NOT_AVAILABLE)
    return item


def _fault(field: str, reason: str, description: str) -> FieldViolation:
    return FieldViolation(field=field, reason=reason, description=description)
