"""A citizen marks a primary number, changes it, confirms it, and says no to a change.

Owns the use cases of a moment; changes that wait take effect by the clock (`due_changes.py`). What
may be chosen is the domain's (`identity.domain.primary_choice`), and that there is never more than
one, nor one that is not eligible, is the database's doing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from identity.audit.log import append
from identity.domain.errors import PrimaryNotEligibleError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import ChoiceKind, Choices, is_to_be_confirmed
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.tiding import TidingKind
from identity.services.call import Call
from identity.services.choice_record import audit_entry, note_marked, record, withdrawal
from identity.services.disown_subscription import disowned_among
from identity.services.step_up import fresh_verdict
from identity.services.tell_choices import Told, numbers_told, tell_choices
from identity.storage.choices import ChoiceEvent, Decided
from identity.storage.database import UnitOfWork
from identity.storage.primaries import PrimaryNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Where a citizen's choice stands after a request.

    Attributes:
        primary: The number in force; None without one.
        choices: The change that waits, and the lock.
        pending_msisdn: The number of that change; None without one, and where it is the citizen's
            no more.
        fallbacks: What stands in for it, where that was asked.
        is_confirmation_due: The citizen is to be asked to confirm it, where that was asked.
    """

    primary: PrimaryNumber | None
    choices: Choices
    pending_msisdn: MSISDN | None = None
    fallbacks: Sequence[MSISDN] = ()
    is_confirmation_due: bool = False


def set_primary_number(
    uow: UnitOfWork,
    call: Call,
    personal_id: PersonalID,
    msisdn: MSISDN,
    *,
    verification_id: UUID | None = None,
) -> Chosen:
    """Mark a number, or ask for a change.

    Args:
        uow: The transaction.
        call: The circumstances.
        personal_id: The citizen.
        msisdn: The number.
        verification_id: The verification that the citizen has just made for this.

    Raises:
        PrimaryNotEligibleError: It is not the citizen's own, linked, verified and in service both
            ways. Somebody else's number and one that does not exist are refused alike.
        ChoicesLockedError: The citizen has locked it.
        StepUpRequiredError: It takes a fresh verification, which this is not.
    """
    item = _eligible(uow, personal_id, msisdn)
    key = uow.primaries.key_of(personal_id)
    # Held from here on: whoever else chooses for this citizen waits, and sees what was chosen.
    before = uow.choices.hold(key)
    given_up = uow.choices.given_up(key) if before.primary is None else None
    step_up = fresh_verdict(uow, call, key, before, verification_id)
    after, kind = before.asked(
        item.subscription_id,
        call.rules.primary,
        stepped_up_at=None if step_up is None else step_up.decided_at,
        at=call.at,
        new_id=call.new_id(),
        given_up=given_up,
    )
    if kind is ChoiceKind.CONFIRMED:
        uow.primaries.confirm(personal_id, at=call.at)
    elif kind is not ChoiceKind.CHANGE_ASKED:
        uow.primaries.set_many([item], at=call.at)
        note_marked(uow, call, [item])
    is_used = step_up is not None and kind is not ChoiceKind.CONFIRMED
    event = ChoiceEvent(
        happened_at=call.at,
        kind=kind,
        caller=str(call.caller),
        subscription_id=item.subscription_id,
        change_id=None if after.pending is None else after.pending.change_id,
        verification_id=verification_id if is_used else None,
    )
    decided = Decided(key, after, (*withdrawal(call, before, after), event))
    record(uow, call, [decided], action="set_primary_number")
    _tell(uow, call, key, before.primary or given_up, item.subscription_id, after)
    return _shown(uow, personal_id, after)


def confirm_primary_number(uow: UnitOfWork, call: Call, personal_id: PersonalID) -> PrimaryNumber:
    """Say that the number is still the one to be reached by.

    Raises:
        PrimaryNotEligibleError: None is marked.
    """
    key = uow.primaries.key_of(personal_id)
    before = uow.choices.hold(key)
    if before.primary is None:
        raise PrimaryNotEligibleError("you have no primary number to confirm")
    uow.primaries.confirm(personal_id, at=call.at)
    after = before.confirmed()
    event = ChoiceEvent(
        happened_at=call.at,
        kind=ChoiceKind.CONFIRMED,
        caller=str(call.caller),
        subscription_id=before.primary,
    )
    decided = Decided(key, after, (*withdrawal(call, before, after), event))
    record(uow, call, [decided], action="confirm_primary_number")
    found = uow.primaries.find(personal_id)
    if found is None:
        raise AssertionError("held, it cannot go")
    return found


def veto_primary_change(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, change_id: UUID
) -> None:
    """Say no to a change before it takes effect.

    Raises:
        ChangeNotFoundError: There is no such change, or it is over.
    """
    key = uow.primaries.key_of(personal_id)
    before = uow.choices.hold(key)
    kept = before.vetoed(change_id)
    event = ChoiceEvent(
        happened_at=call.at,
        kind=ChoiceKind.CHANGE_VETOED,
        caller=str(call.caller),
        subscription_id=None if before.pending is None else before.pending.subscription_id,
        change_id=change_id,
    )
    record(uow, call, [Decided(key, kept, (event,))], action="veto_primary_change")
    if before.pending is not None:
        vetoed = Told(
            citizen_key=key,
            kind=TidingKind.PRIMARY_VETOED,
            numbers=numbers_told(before.primary, before.pending.subscription_id),
            at=call.at,
        )
        tell_choices(uow, call, [vetoed])


def get_primary_number(uow: UnitOfWork, call: Call, personal_id: PersonalID) -> Chosen:
    """What the citizen has marked, what waits, what stands in, and the lock."""
    key = uow.primaries.key_of(personal_id)
    shown = _shown(uow, personal_id, uow.choices.find(key))
    outcome = "none" if shown.primary is None else "read"
    append(uow.connection, [audit_entry(call, key, "get_primary_number", outcome)])
    return replace(
        shown,
        fallbacks=[each.msisdn for each in uow.fallbacks.find(key)],
        is_confirmation_due=shown.primary is not None
        and is_to_be_confirmed(shown.primary.confirmed_at, call.rules.primary, at=call.at),
    )


def _eligible(uow: UnitOfWork, personal_id: PersonalID, msisdn: MSISDN) -> Subscription:
    item = uow.subscriptions.find_in_service(msisdn, lock=True)
    is_own = item is not None and item.claim.personal_id == personal_id
    if item is None or not is_own or item.service_state is not ServiceState.ACTIVE:
        raise PrimaryNotEligibleError("not a verified number of yours that is in service")
    if not item.is_eligible_as_primary or disowned_among(uow, [item]):
        raise PrimaryNotEligibleError("not a verified number of yours that is in service")
    return item


def _tell(
    uow: UnitOfWork, call: Call, key: bytes, before: UUID | None, chosen: UUID, after: Choices
) -> None:
    """Tell both numbers of a change, or that one is asked for; a confirmation is told nobody."""
    if after.pending is None and before == chosen:
        return
    told = Told(
        citizen_key=key,
        kind=TidingKind.PRIMARY_CHANGED
        if after.pending is None
        else TidingKind.PRIMARY_CHANGE_ASKED,
        numbers=numbers_told(before, chosen),
        at=call.at if after.pending is None else after.pending.effective_at,
    )
    tell_choices(uow, call, [told])


def _shown(uow: UnitOfWork, personal_id: PersonalID, choices: Choices) -> Chosen:
    primary = uow.primaries.find(personal_id)
    if choices.pending is None:
        return Chosen(primary=primary, choices=choices)
    held = (uow.primaries.key_of(personal_id), choices.pending.subscription_id)
    items = uow.subscriptions.find_by_reference(list(uow.choices.references_of([held]).values()))
    msisdn = items[0].msisdn if items else None
    return Chosen(primary=primary, choices=choices, pending_msisdn=msisdn)
