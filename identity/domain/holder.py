"""Who a subscription is said to belong to, and who the register knows.

Owns the two sides of a link as values. Refuses to know how they compare (`link.py`).
"""

from dataclasses import dataclass, field
from datetime import date

from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID, Sex

__all__ = ["HolderClaim", "PopulationRecord", "Sex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderClaim:
    """What an operator says of its subscriber: who the contract names.

    Attributes:
        personal_id: The personal identification number.
        full_name: The full name.
        birth_date: The date of birth.
    """

    personal_id: PersonalID
    full_name: PersonName
    birth_date: date = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRecord:
    """One person in the National Population Database.

    Attributes:
        personal_id: The personal identification number.
        full_name: The full name.
        birth_date: The date of birth.
        sex: The sex; None when the record does not say.
        deceased_on: The day of death; None for the living.
        card_issued_on: The issue date of the person's current ID card; None when not known. An
            older card is superseded.
        merged_into: The personal ID under which the person's records were put together; None for
            all but a retired one. A retired personal ID proves nothing and is never used again.
    """

    personal_id: PersonalID
    full_name: PersonName
    birth_date: date = field(repr=False)
    sex: Sex | None = field(default=None, repr=False)
    deceased_on: date | None = field(default=None, repr=False)
    card_issued_on: date | None = field(default=None, repr=False)
    merged_into: PersonalID | None = field(default=None, repr=False)
