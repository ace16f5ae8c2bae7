"""Import one batch of an operator's existing subscribers: link each, flag what is unverified.

Owns the use case. A row of the operator's that is known and says the same changes nothing; one
that names another holder or date replaces the claim; a number in another operator's service is
refused for its row alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from identity.audit.log import AuditEntry, append
from identity.domain.errors import (
    NumberInServiceElsewhereError,
    RegistrationRequiredError,
    TerminationPendingError,
)
from identity.domain.holder import HolderClaim
from identity.domain.link import Link, compare_holder
from identity.domain.msisdn import MSISDN
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call, score_names
from identity.services.imports import BatchResult, RowError
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """One row of an operator's book."""

    msisdn: MSISDN
    claim: HolderClaim
    activated_on: date | None


def import_subscriptions(
    uow: UnitOfWork, call: Call, rows: Sequence[BookRow | RowError]
) -> BatchResult:
    """Store, link and settle a batch.

    Args:
        uow: The transaction.
        call: The circumstances; the caller is the operator.
        rows: Each row parsed, or the error that it was refused with, in the order of the batch.
    """
    # Citizens are locked before subscriptions, as everybody does.
    links = _link(uow, [row for row in rows if isinstance(row, BookRow)])
    accepted, errors = _sift(uow, call, rows)
    known = {row.msisdn: current for row, current in accepted if current is not None}
    items = [_subscription(call, row, links[row], current) for row, current in accepted]
    changed = [item for item in items if item != known.get(item.msisdn)]
    changes = {item.subscription_id: _change(item, known) for item in changed}
    settle_subscriptions(uow, call, changed, changes)
    result = BatchResult(
        received_count=len(rows),
        created_count=len(items) - len(known),
        changed_count=len(changed) - (len(items) - len(known)),
        unchanged_count=len(items) - len(changed),
        row_errors=tuple(sorted(errors, key=lambda error: error.row_index)),
        link_counts=dict(Counter(item.link.state.value for item in items)),
    )
    append(uow.connection, [_entry(call, result)])
    return result


def _sift(
    uow: UnitOfWork, call: Call, rows: Sequence[BookRow | RowError]
) -> tuple[list[tuple[BookRow, Subscription | None]], list[RowError]]:
    """Part rows that can be stored, with what is known of their numbers, from refused ones."""
    parsed = [row for row in rows if isinstance(row, BookRow)]
    numbers = [row.msisdn for row in parsed]
    in_service = dict(uow.subscriptions.find_many_in_service(numbers))
    in_service |= uow.subscriptions.find_many_in_service(
        numbers, lock=True, operator_id=call.caller.name
    )
    ended = uow.subscriptions.find_many_ended(numbers)
    accepted: dict[MSISDN, tuple[BookRow, Subscription | None]] = {}
    errors: list[RowError] = []
    for index, row in enumerate(rows):
        if isinstance(row, RowError):
            errors.append(row)
            continue
        current = in_service.get(row.msisdn)
        if row.msisdn in accepted:
            reason = "ROW_DUPLICATE"
        else:
            reason = _refusal(call, current, ended.get(row.msisdn))
        if reason:
            errors.append(RowError(row_index=index, field="msisdn", reason=reason))
        else:
            accepted[row.msisdn] = (row, current)
    return list(accepted.values()), errors


def _refusal(call: Call, current: Subscription | None, last: Subscription | None) -> str:
    if current is not None:
        is_own = current.operator_id == call.caller.name
        return "" if is_own else NumberInServiceElsewhereError.reason
    if last is None:
        return ""
    if last.is_termination_pending:
        return TerminationPendingError.reason
    # Otherwise letting a number go and taking it back would shake off its enforcement clock.
    is_own = last.operator_id == call.caller.name
    return RegistrationRequiredError.reason if is_own else ""


def _link(uow: UnitOfWork, rows: Sequence[BookRow]) -> Mapping[BookRow, Link]:
    records = uow.citizens.find_many_shared(row.claim.personal_id for row in rows)
    return {
        row: compare_holder(row.claim, records.get(row.claim.personal_id), score_names=score_names)
        for row in rows
    }


def _subscription(
    call: Call, row: BookRow, link: Link, current: Subscription | None
) -> Subscription:
    if current is None:
        return Subscription(
            subscription_id=call.new_id(),
            msisdn=row.msisdn,
            operator_id=call.caller.name,
            claim=row.claim,
            link=link,
            service_state=ServiceState.ACTIVE,
            applied_state=ServiceState.ACTIVE,
            activated_on=row.activated_on,
            created_at=call.at,
            updated_at=call.at,
        )
    if current.claim.personal_id != row.claim.personal_id:
        current = current.transferred_to(row.claim, link, at=call.at)
    updated = replace(current, claim=row.claim, link=link, activated_on=row.activated_on)
    return updated if updated == current else replace(updated, updated_at=call.at)


def _change(item: Subscription, known: Mapping[MSISDN, Subscription]) -> Change:
    before = known.get(item.msisdn)
    is_new_holder = before is not None and before.claim.personal_id != item.claim.personal_id
    return Change(before=item.service_state, is_new_holder=is_new_holder)


def _entry(call: Call, result: BatchResult) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="import_subscriptions",
        outcome="stored",
        details={
            "received": result.received_count,
            "rejected": len(result.row_errors),
            **result.link_counts,
        },
    )
