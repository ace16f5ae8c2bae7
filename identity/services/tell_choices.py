"""Tell citizens what was chosen in their name, at the number of before and at the new one.

Owns who is told what. Whoever has got hold of a citizen's app cannot keep the citizen from knowing:
the number of before is told, too. The words are the policy pack's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from identity.domain.subscription import Subscription
from identity.domain.tiding import PLACES, TidingKind, TidingValue
from identity.services.call import Call
from identity.services.tidings import Tiding, post_tidings
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that was chosen.

    Attributes:
        citizen_key: In whose name.
        kind: What is told.
        numbers: Subscriptions of the citizen, by the places of the text (`old`, `new`); each is
            told.
        at: What the text says as `time`.
    """

    citizen_key: bytes
    kind: TidingKind
    numbers: Mapping[str, UUID] = field(default_factory=dict)
    at: datetime


def numbers_told(old: UUID | None, new: UUID) -> Mapping[str, UUID]:
    """The numbers of a change: the one of before, if there was one, and the new one."""
    return {"new": new} if old is None else {"old": old, "new": new}


def tell_choices(uow: UnitOfWork, call: Call, chosen: Sequence[Told]) -> None:
    """Write what each choice has to tell, to the numbers that are still the citizen's."""
    held = uow.choices.references_of(
        (each.citizen_key, identity) for each in chosen for identity in each.numbers.values()
    )
    found = uow.subscriptions.find_by_reference(list(held.values()))
    items = {item.subscription_id: item for item in found}
    post_tidings(uow, call, [tiding for each in chosen for tiding in _tidings(each, items)])


def _tidings(chosen: Told, items: Mapping[UUID, Subscription]) -> Sequence[Tiding]:
    told = {
        place: items[identity] for place, identity in chosen.numbers.items() if identity in items
    }
    values: dict[str, TidingValue] = {place: item.msisdn for place, item in told.items()}
    values["time"] = chosen.at
    places = PLACES[chosen.kind]
    if not places <= values.keys():
        return []  # the number that it is about is gone: there is nothing left to tell
    filled = {place: values[place] for place in places}
    recipients = {item.subscription_id: item for item in told.values()}
    return [
        Tiding(subscription=item, kind=chosen.kind, values=filled) for item in recipients.values()
    ]
