"""Settle many subscriptions that are alike by settling one of them.

Owns the short way for whole books: what follows from a change is the domain's to say
(`identity.domain.settlement`), and it says the same of all subscriptions that agree in what it
looks at: service state, link state, whether verified, and each open case's track, cause, pack and
steps. A property test holds it to that. Where a holder was verified, a number is withdrawn or a
dispute holds its cases, the long way is taken: what follows for people and their primary numbers is
made one by one. What others were told of a number (its holder disowned it) they are told on, number
by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from identity.domain.enforcement import Case
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscriber_update import NO_NEWS
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.arrays import References
from identity.storage.book import NewNumber
from identity.storage.database import UnitOfWork


def open_alike(
    uow: UnitOfWork, call: Call, example: Subscription, numbers: Sequence[NewNumber]
) -> None:
    """Open the cases of new subscriptions in service.

    Args:
        uow: The transaction; the subscriptions are stored in it, with no case and no order.
        call: The circumstances.
        example: One of them.
        numbers: All of them.
    """
    settled = _settle(call, example, ())
    if settled.subscription != example or settled.directives:
        raise AssertionError("nothing is ordered for a number in service before its first step")
    ordered = sorted((each.indexed.msisdn_key, each.subscription_id) for each in numbers)
    keys, ids = zip(*ordered, strict=True)
    references = References(b"".join(keys), b"".join(ids))
    for case in settled.cases:
        uow.cases.open_alike(case, references)


def settle_alike(
    uow: UnitOfWork,
    call: Call,
    example: Subscription,
    references: References,
    *,
    wave_id: UUID | None = None,
) -> bool:
    """Bring the cases and orders of stored subscriptions in line.

    Args:
        uow: The transaction; the subscriptions are locked in it.
        call: The circumstances.
        example: One of them, as it is after the change.
        references: Full keys of all of them.
        wave_id: The wave that is put back, where that is what happened.

    Returns:
        Whether it was done; otherwise each must be settled for itself.
    """
    if example.verified_at is not None:
        return False
    cases = uow.cases.list_open([example])[example.subscription_id]
    # Disputes are of single numbers: what one of them holds is no example for the others.
    if any(case.frozen_at is not None for case in cases):
        return False
    settled = _settle(call, example, cases, wave_id=wave_id)
    if not settled.subscription.is_in_service:
        return False
    write_alike(uow, call, settled, Written(example, cases, references))
    return True


@dataclass(frozen=True, slots=True)
class Written:
    """Subscriptions that are alike: one of them, its open cases of before, and all of them."""

    example: Subscription
    cases: Sequence[Case]
    references: References


def write_alike(
    uow: UnitOfWork,
    call: Call,
    settled: Settlement,
    alike: Written,
) -> None:
    """Write for many subscriptions what was settled for one of them.

    Args:
        uow: The transaction; the subscriptions are locked in it.
        call: The circumstances.
        settled: What followed for the example; it stays in service.
        alike: The subscriptions.
    """
    references = alike.references
    if settled.subscription.service_state is not alike.example.service_state:
        uow.subscriptions.order_alike(references, settled.subscription.service_state, at=call.at)
    _write_cases(uow, settled, alike)
    if settled.overtaken:
        uow.directives.supersede(references, settled.overtaken, at=call.at)
    for order in settled.directives:
        uow.directives.add_alike(order, references)
    _tell_on(uow, call, references)


def _tell_on(uow: UnitOfWork, call: Call, references: References) -> None:
    again = dict.fromkeys(uow.subscriber_updates.told_of(references), NO_NEWS)
    if again:
        uow.subscriber_updates.note(again, at=call.at)


def _settle(
    call: Call, example: Subscription, cases: Sequence[Case], *, wave_id: UUID | None = None
) -> Settlement:
    return settle(
        example,
        cases,
        call.rules,
        change=Change(before=example.service_state, wave_id=wave_id),
        at=call.at,
        new_id=call.new_id,
    )


def _write_cases(uow: UnitOfWork, settled: Settlement, alike: Written) -> None:
    known = {case.case_id: case for case in alike.cases}
    # Changes come first: a ladder's place must be free before a new case takes it.
    for case in settled.cases:
        before = known.get(case.case_id)
        if before is None or case == before:
            continue
        if case.steps_taken != before.steps_taken:
            uow.cases.step_alike(case, alike.references)
        if (case.cause, case.state) != (before.cause, before.state):
            uow.cases.change_alike(case, alike.references)
    for case in settled.cases:
        if case.case_id not in known:
            uow.cases.open_alike(case, alike.references)
