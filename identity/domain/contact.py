"""What an agency may be told of how to reach somebody.

Owns when a number is good for a purpose, who is not to be contacted, and which form of a number a
grant allows. Knows no rows and no clock, and not whose number it is.
"""

from datetime import datetime
from enum import StrEnum

from identity.domain.agency import Purpose, Right
from identity.domain.msisdn import MSISDN
from identity.domain.primary_choice import PrimaryPolicy, is_confirmed

FORMS = (Right.NUMBER, Right.MASKED_NUMBER, Right.RELAY_TOKEN)
"""The forms in which a number is given, that which says the most first."""

SEEN_DIGITS = 3
"""How much of a masked number shows, besides its country: with it a citizen knows which of a few
numbers is meant, and a stranger is left with a million."""


class ContactStatus(StrEnum):
    """Whether there is a number to reach a citizen by."""

    AVAILABLE = "available"
    DEGRADED = "degraded"
    STALE = "stale"
    NOT_AVAILABLE = "not_available"


class AbsenceCause(StrEnum):
    """Why there is none."""

    UNKNOWN_PERSON = "unknown_person"
    DECEASED = "deceased"
    NO_NUMBER = "no_number"
    OBJECTED = "objected"
    RESTRICTED = "restricted"


def status_of(
    *,
    is_fallback: bool,
    confirmed_at: datetime,
    purpose: Purpose,
    policy: PrimaryPolicy,
    at: datetime,
) -> ContactStatus:
    """What a citizen's number is good for.

    Args:
        is_fallback: It stands in for the one that the citizen has chosen.
        confirmed_at: When the citizen last said, or proved, that it is the one.
        purpose: What for.
        policy: What the pack in force says.
        at: Now.
    """
    if purpose is Purpose.LEGAL_NOTICE and not is_confirmed(confirmed_at, policy, at=at):
        return ContactStatus.STALE
    return ContactStatus.DEGRADED if is_fallback else ContactStatus.AVAILABLE


def why_barred(purpose: Purpose, *, has_objected: bool, is_restricted: bool) -> AbsenceCause | None:
    """Why a citizen must not be contacted; None who may be.

    Args:
        purpose: What for.
        has_objected: The citizen has objected to this purpose.
        is_restricted: The use of the citizen's data is suspended: only for safety it is not.
    """
    if is_restricted and purpose is not Purpose.PUBLIC_SAFETY:
        return AbsenceCause.RESTRICTED
    return AbsenceCause.OBJECTED if has_objected else None


def masked(msisdn: MSISDN) -> str:
    """A number with all but its country and its last digits hidden: `+84 ••• ••• 678`."""
    return f"+84 ••• ••• {msisdn.value[-SEEN_DIGITS:]}"
