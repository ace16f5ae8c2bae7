"""Erase the evidence of verdicts when the policy no longer demands it.

Owns the clock's run, in slices, and its entries. The verdict stays: it holds no personal data. What
a number in service is verified by stays as a whole.
"""

from datetime import datetime
from functools import partial

from identity.audit.log import AuditEntry, append
from identity.services.call import Call
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.stored_verdicts import ForgetPlace, Forgotten

SLICE_VERDICTS = 1_000
"""Evidence looked at in one transaction: its rows are locked for milliseconds."""


def forget_evidence(
    transactions: Transactions, call: Call, *, slice_verdicts: int = SLICE_VERDICTS
) -> int:
    """Erase what is older than the policy in force demands.

    Args:
        transactions: The registry.
        call: The circumstances.
        slice_verdicts: How much is looked at in one transaction.

    Returns:
        Of how many verifications evidence was erased.
    """
    keep_for = call.rules.verification.keep_evidence_for
    if keep_for is None:
        return 0
    erased_count = 0
    place: ForgetPlace | None = None
    forget = partial(_forget, call=call, before=call.at - keep_for, slice_verdicts=slice_verdicts)
    while done := transactions.run(partial(forget, after=place)):
        erased_count, place = erased_count + done.erased_count, done.last
    return erased_count


def _forget(
    uow: UnitOfWork,
    *,
    call: Call,
    before: datetime,
    after: ForgetPlace | None,
    slice_verdicts: int,
) -> Forgotten | None:
    done = uow.stored_verdicts.forget(before=before, after=after, limit=slice_verdicts, at=call.at)
    if done is not None and done.erased_count:
        entry = AuditEntry(
            occurred_at=call.at,
            caller=str(call.caller),
            action="forget_evidence",
            outcome="erased",
            details={
                "verifications": done.erased_count,
                "decided_before": before.isoformat(),
                "policy": call.rules.verification.version,
            },
        )
        append(uow.connection, [entry])
    return done
