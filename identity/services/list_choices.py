"""A citizen reads what was chosen, changed, vetoed and lost in their name."""

from collections.abc import Sequence
from dataclasses import dataclass

from identity.audit.log import append
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.choice_record import audit_entry
from identity.storage.choices import ChoiceEvent
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePage:
    """Lines of a history, the newest first; `next_before` is None at the end."""

    events: Sequence[ChoiceEvent]
    next_before: int | None


def list_choices(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, before: int | None, limit: int
) -> ChoicePage:
    """A page of a citizen's history.

    Args:
        uow: The transaction.
        call: The circumstances.
        personal_id: The citizen.
        before: The line before which the page begins; None for the newest.
        limit: Lines at most.
    """
    key = uow.primaries.key_of(personal_id)
    events = uow.choices.history(key, before=before, limit=limit + 1)
    append(uow.connection, [audit_entry(call, key, "list_choices", "read")])
    shown, is_last = events[:limit], len(events) <= limit
    return ChoicePage(events=shown, next_before=None if is_last else shown[-1].sequence)
