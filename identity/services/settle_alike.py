"""Settle many subscriptions that are alike by settling one of them.

Owns the short way for whole books: what follows from a change is the domain's to say
(`identity.domain.settlement`), and it says the same of all subscriptions that agree in what it
looks at: service state, link state, whether verified, and each open case's track, cause, pack and
steps. A property test holds it to that. Where a new order follows, or a holder was verified, the
long way is taken: orders and what follows for primary numbers are made one by one. What others
were told of a number (its holder disowned it) they are told on, number by number.
"""

from collections.abc import Sequence

from identity.domain.enforcement import Case
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscriber_update import NO_NEWS
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.storage.book import NewNumber
from identity.storage.cases import Reference
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
    if not _is_quiet(settled, example):
        raise AssertionError("nothing is ordered for a number in service before its first step")
    keys = [each.indexed.msisdn_key for each in numbers]
    for case in settled.cases:
        uow.cases.open_alike(case, keys, [each.subscription_id for each in numbers])


def settle_alike(
    uow: UnitOfWork, call: Call, example: Subscription, references: Sequence[Reference]
) -> bool:
    """Bring the cases and orders of stored subscriptions in line, where no new order follows.

    Args:
        uow: The transaction; the subscriptions are locked in it.
        call: The circumstances.
        example: One of them, as it is after the change.
        references: Full keys of all of them.

    Returns:
        Whether it was done; otherwise each must be settled for itself.
    """
    if example.verified_at is not None:
        return False
    cases = uow.cases.list_open([example])[example.subscription_id]
    settled = _settle(call, example, cases)
    if not _is_quiet(settled, example):
        return False
    _write_cases(uow, settled, cases, references)
    if settled.overtaken:
        uow.directives.supersede((identity for _, identity in references), settled.overtaken)
    _tell_on(uow, call, references)
    return True


def _tell_on(uow: UnitOfWork, call: Call, references: Sequence[Reference]) -> None:
    told = uow.subscriber_updates.told_of(identity for _, identity in references)
    if told:
        again = {reference: NO_NEWS for reference in references if reference[1] in told}
        uow.subscriber_updates.note(again, at=call.at)


def _settle(call: Call, example: Subscription, cases: Sequence[Case]) -> Settlement:
    return settle(
        example,
        cases,
        call.policy,
        change=Change(before=example.service_state),
        at=call.at,
        new_id=call.new_id,
    )


def _is_quiet(settled: Settlement, example: Subscription) -> bool:
    return settled.subscription == example and not settled.directives


def _write_cases(
    uow: UnitOfWork,
    settled: Settlement,
    before: Sequence[Case],
    references: Sequence[Reference],
) -> None:
    known = {case.case_id: case for case in before}
    # Changes come first: a ladder's place must be free before a new case takes it.
    for case in settled.cases:
        if case.case_id in known and case != known[case.case_id]:
            uow.cases.change_alike(case, references)
    for case in settled.cases:
        if case.case_id not in known:
            ids = [identity.bytes for _, identity in references]
            uow.cases.open_alike(case, [key for key, _ in references], ids)
