"""State agencies: what each may ask for, and on what grounds.

Owns the rights, the grants and when an access is within one. Knows nobody whom an agency asks
about: whatever is refused here is refused before anybody is looked up.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from identity.domain.caller import Caller
from identity.domain.errors import PurposeNotAllowedError


class Purpose(StrEnum):
    """What an agency will use an answer for."""

    SERVICE_DELIVERY = "service_delivery"
    LEGAL_NOTICE = "legal_notice"
    PUBLIC_SAFETY = "public_safety"
    RECORD_UPKEEP = "record_upkeep"
    IDENTITY_CHECK = "identity_check"


class Right(StrEnum):
    """What an agency can be given for a purpose, each by itself."""

    NUMBER = "number"
    MASKED_NUMBER = "masked_number"
    RELAY_TOKEN = "relay_token"  # noqa: S105 - the name of a right
    REACHABILITY = "reachability"
    ABSENCE_CAUSE = "absence_cause"
    CONTACT_CHANGES = "contact_changes"
    NOTIFY = "notify"
    DELIVERY_STATE = "delivery_state"
    RECORD_MATCH = "record_match"
    CHIP_PRESENCE = "chip_presence"
    FACE_PRESENCE = "face_presence"
    PERSONAL_ID = "personal_id"
    EMBARGO = "embargo"


EMBARGO_MAX = timedelta(days=366)
"""The longest time for which a court can keep a read from the person; ours, until a law says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one agency may do for one purpose.

    Attributes:
        purpose: What for.
        legal_bases: The articles of law that it may name, as the regulator registered them.
        rights: What it can be given.
        people_per_day_max: The most people it may ask about in a day of Viet Nam.
    """

    purpose: Purpose
    legal_bases: frozenset[str]
    rights: frozenset[Right]
    people_per_day_max: int

    def best_of(self, rights: Iterable[Right]) -> Right:
        """The first of some rights that is granted; at least one is."""
        for right in rights:
            if right in self.rights:
                return right
        raise AssertionError("an access is let in by one of the rights that it needs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency.

    Attributes:
        name: As in its certificate.
        is_active: Whether it may ask at all.
        grants: One for each purpose that it has.
        is_stopped: Its look-ups were stopped, because they looked like guesses. Said when it is
            read, never when it is registered.
    """

    name: str
    is_active: bool
    grants: Collection[Grant]
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access of an agency to data of people, and its grounds.

    Attributes:
        caller: Who asks.
        at: When.
        purpose: What for.
        legal_basis: The article of law that allows it.
        case_id: The agency's own file; empty without one.
        shown_from: From when on the people concerned can see it; None at once.
        people_count: About how many people it asks.
    """

    caller: Caller
    at: datetime
    purpose: Purpose
    legal_basis: str
    case_id: str = ""
    shown_from: datetime | None = None
    people_count: int = 1

    def refuse_outside(self, grant: Grant | None, *rights: Right) -> Grant:
        """The grant that covers this access; it has at least one of some rights.

        Raises:
            PurposeNotAllowedError: None does.
        """
        if grant is None or self.legal_basis not in grant.legal_bases:
            raise PurposeNotAllowedError("no grant for this purpose on this legal basis")
        if grant.rights.isdisjoint(rights):
            raise PurposeNotAllowedError("the grant does not cover this")
        self._refuse_embargo(grant)
        return grant

    def _refuse_embargo(self, grant: Grant) -> None:
        if self.shown_from is None:
            return
        if Right.EMBARGO not in grant.rights:
            raise PurposeNotAllowedError("the grant allows no embargo")
        if not self.case_id:
            raise PurposeNotAllowedError("an embargo is a court's: name the case")
        if self.shown_from > self.at + EMBARGO_MAX:
            raise PurposeNotAllowedError(f"an embargo lasts at most {EMBARGO_MAX.days} days")
