"""Changes of primary numbers take effect when their time has come.

Owns what the clock does with them, a slice in a transaction. Whoever chooses at the same moment is
waited for, and what was chosen meanwhile holds: a change that was vetoed, or replaced by another,
does nothing.
"""

from collections.abc import Mapping
from uuid import UUID

from identity.domain.primary_choice import ChoiceKind, Choices
from identity.domain.subscription import Subscription
from identity.domain.tiding import TidingKind
from identity.services.call import Call
from identity.services.choice_record import note_marked, record
from identity.services.tell_choices import Told, numbers_told, tell_choices
from identity.storage.choices import ChoiceEvent, Decided, DueChange
from identity.storage.database import UnitOfWork

SLICE_CHANGES = 500
"""Changes that take effect in one transaction: their numbers are locked for a second or two."""


def apply_due_changes(uow: UnitOfWork, call: Call, *, limit: int = SLICE_CHANGES) -> int:
    """Let changes take effect; returns how many were due, 0 at the end of them.

    A number that is not eligible any more leaves the primary number as it is.
    """
    due = uow.choices.list_due(at=call.at, limit=limit)
    # Locked in the order that everybody keeps: subscriptions, then citizens.
    references = [each.reference for each in due if each.reference is not None]
    found = uow.subscriptions.find_by_reference(references, lock=True)
    held = uow.choices.hold_many(each.citizen_key for each in due)
    items = {(uow.primaries.key_of(i.claim.personal_id), i.subscription_id): i for i in found}
    decided: list[Decided] = []
    marked: list[Subscription] = []
    for each in due:
        one = _decide(call, each, held[each.citizen_key], items)
        if one is not None:
            decided.append(one)
            if _is_changed(one):
                marked.append(items[each.citizen_key, each.subscription_id])
    uow.primaries.set_many(marked, at=call.at)
    record(uow, call, decided, action="apply_primary_change")
    note_marked(uow, call, marked)
    tell_choices(uow, call, [_told(call, each, held) for each in decided if _is_changed(each)])
    return len(due)


def _is_changed(decided: Decided) -> bool:
    return decided.events[0].kind is ChoiceKind.CHANGED


def _told(call: Call, decided: Decided, held: Mapping[bytes, Choices]) -> Told:
    key, after = decided.citizen_key, decided.choices
    if after.primary is None:
        raise AssertionError("a change leaves a primary number")
    numbers = numbers_told(held[key].primary, after.primary)
    return Told(citizen_key=key, kind=TidingKind.PRIMARY_CHANGED, numbers=numbers, at=call.at)


def _decide(
    call: Call,
    due: DueChange,
    before: Choices,
    items: Mapping[tuple[bytes, UUID], Subscription],
) -> Decided | None:
    """What becomes of a change; None where there is none any more, or another one."""
    pending = before.pending
    if pending is None or pending.subscription_id != due.subscription_id:
        return None
    item = items.get((due.citizen_key, due.subscription_id))
    is_eligible = item is not None and item.is_eligible_as_primary
    after, kind = before.advanced(is_eligible=is_eligible, at=call.at)
    if kind is None:
        return None
    event = ChoiceEvent(
        happened_at=call.at,
        kind=kind,
        subscription_id=pending.subscription_id,
        change_id=pending.change_id,
    )
    return Decided(due.citizen_key, after, (event,))
