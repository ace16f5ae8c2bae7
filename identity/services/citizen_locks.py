"""A citizen locks new numbers and new choices, opens the lock for a time, and ranks fallbacks.

Owns the use cases; when a lock holds is the domain's (`identity.domain.primary_choice`).
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from identity.domain.errors import FieldViolation, PrimaryNotEligibleError, RequestInvalidError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import ChoiceKind, Choices
from identity.domain.subscription import Subscription
from identity.domain.tiding import TidingKind
from identity.services.call import Call
from identity.services.choice_record import record, withdrawal
from identity.services.disown_subscription import disowned_among
from identity.services.step_up import fresh_verdict
from identity.services.tell_choices import Told, tell_choices
from identity.storage.choices import ChoiceEvent, Decided
from identity.storage.database import UnitOfWork


def set_lock(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, is_locked: bool, open_for: timedelta
) -> Choices:
    """Lock, unlock, or open a lock that shuts by itself.

    Args:
        uow: The transaction.
        call: The circumstances.
        personal_id: The citizen.
        is_locked: Whether there is to be a lock.
        open_for: How long it is open first; zero shuts it at once.

    Raises:
        RequestInvalidError: It would be open for longer than the policy pack allows.
    """
    if open_for > call.rules.primary.unlock_max:
        longest = int(call.rules.primary.unlock_max.total_seconds() // 60)
        description = f"at most {longest} minutes"
        raise RequestInvalidError(
            (FieldViolation(field="open_minutes", reason="TOO_LONG", description=description),)
        )
    key = uow.primaries.key_of(personal_id)
    before = uow.choices.hold(key)
    open_until = call.at + open_for if open_for else None
    after = before.locked(open_until=open_until, at=call.at) if is_locked else before.unlocked()
    if after.is_shut(at=call.at):
        # As a change of the primary number that waits: who locks new choices wants none.
        uow.fallbacks.drop_waiting(key, at=call.at)
    kind = ChoiceKind.LOCKED if after.is_shut(at=call.at) else ChoiceKind.UNLOCKED
    event = ChoiceEvent(happened_at=call.at, kind=kind, caller=str(call.caller))
    decided = Decided(key, after, (*withdrawal(call, before, after), event))
    record(uow, call, [decided], action="set_lock")
    if after.primary is not None:
        numbers = {"number": after.primary}
        told = Told(citizen_key=key, kind=TidingKind.LOCK_CHANGED, numbers=numbers, at=call.at)
        tell_choices(uow, call, [told])
    return after


def refuse_locked(uow: UnitOfWork, call: Call, personal_id: PersonalID) -> None:
    """Refuse a new number in the name of a citizen who has locked that.

    Raises:
        ChoicesLockedError: They have.
    """
    uow.choices.find(uow.primaries.key_of(personal_id)).refuse_new(at=call.at)


def set_fallback_numbers(
    uow: UnitOfWork,
    call: Call,
    personal_id: PersonalID,
    numbers: Sequence[MSISDN],
    *,
    verification_id: UUID | None = None,
) -> Sequence[MSISDN]:
    """Rank the numbers that stand in for the primary one; returns them.

    Args:
        uow: The transaction.
        call: The circumstances.
        personal_id: The citizen.
        numbers: The first choice first.
        verification_id: The verification that the citizen has just made for this.

    Raises:
        PrimaryNotEligibleError: One is not the citizen's own, linked, verified and in service.
        RequestInvalidError: There are more than the policy pack allows.
        ChoicesLockedError: The citizen has locked it.
        StepUpRequiredError: It takes a fresh verification, which this is not.
    """
    own = _eligible(uow, call, personal_id, numbers)
    key = uow.primaries.key_of(personal_id)
    choices = uow.choices.hold(key)
    before = {each.subscription_id: each.set_at for each in uow.fallbacks.find(key)}
    step_up = fresh_verdict(uow, call, key, choices, verification_id)
    since = choices.ranked(
        before,
        [item.subscription_id for item in own],
        call.rules.primary,
        stepped_up_at=None if step_up is None else step_up.decided_at,
        at=call.at,
    )
    is_used = step_up is not None and not before.keys() >= since.keys()
    uow.fallbacks.rank(key, own, at=call.at, since=since)
    event = ChoiceEvent(
        happened_at=call.at,
        kind=ChoiceKind.FALLBACKS_RANKED,
        caller=str(call.caller),
        verification_id=verification_id if is_used else None,
    )
    record(uow, call, [Decided(key, choices, (event,))], action="set_fallback_numbers")
    if choices.primary is not None:
        told = Told(
            citizen_key=key,
            kind=TidingKind.FALLBACKS_CHANGED,
            numbers={"number": choices.primary},
            at=max((call.at, *since.values())),
        )
        tell_choices(uow, call, [told])
    return [item.msisdn for item in own]


def _eligible(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, numbers: Sequence[MSISDN]
) -> Sequence[Subscription]:
    most = call.rules.primary.fallback_count_max
    if len(numbers) > most:
        raise RequestInvalidError(
            (FieldViolation(field="msisdns", reason="TOO_MANY", description=f"at most {most}"),)
        )
    found = uow.subscriptions.find_many_in_service(numbers, lock=True)
    own = [
        found[number]
        for number in numbers
        if number in found and found[number].claim.personal_id == personal_id
    ]
    are_eligible = all(item.is_eligible_as_primary for item in own)
    if len(own) < len(numbers) or not are_eligible or disowned_among(uow, own):
        raise PrimaryNotEligibleError("not verified numbers of yours that are in service")
    return own
