"""The quarantine: how long a number that was given up belongs to nobody.

Owns whom a number is kept from, and until when. Banks, agencies and acquaintances go on calling a
number after its holder has left; whoever gets it next must not get their calls. Knows no rows and
no clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription, SubscriptionEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPolicy:
    """What a policy pack says of numbers.

    Attributes:
        quarantine: How long a number that was given up is kept from everybody; zero: not at all.
    """

    quarantine: timedelta = timedelta(0)


def quarantined_until(
    past: Subscription | None,
    policy: NumberPolicy,
    *,
    operator_id: str,
    personal_id: PersonalID,
    at: datetime,
) -> datetime | None:
    """When somebody may have a number; None where that is now.

    A number that was ported out moves at once: the quarantine binds only the operator that let it
    go. One that was withdrawn by an order, or ported out, comes back to the holder of before, whom
    its operator registers and verifies: nobody else hears the calls meant for this person. One that
    was released is kept from everybody.

    Args:
        past: The subscription of the number that was served last, ended; None if none ever was.
        policy: For how long.
        operator_id: Who wants the number.
        personal_id: For whom.
        at: The present.
    """
    if past is None or past.ended_at is None:
        return None
    is_own = operator_id == past.operator_id
    if past.ended_by is SubscriptionEnd.PORTED_OUT and not is_own:
        return None
    is_holder = personal_id == past.claim.personal_id
    if is_own and is_holder and past.ended_by is not SubscriptionEnd.RELEASED:
        return None
    until = past.ended_at + policy.quarantine
    return until if at < until else None
