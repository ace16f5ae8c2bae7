"""Run the clock of the enforcement ladder up to an instant.

Owns the run: cases move to retroactive packs, disputes and arrangements whose time has run out are
closed, changes of primary numbers take effect, then what is due is stepped in slices, citizens'
primary numbers after all others, and evidence that the policy no longer demands is erased. Each
slice is a transaction of its own: a run that is cut off has done what it has done, and the next one
goes on. The instant up to which it ran is kept, so that time never goes backwards. Cases that a
wave or a dispute holds are not even read.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.errors import ClockBackwardsError
from identity.services import end_arrangements
from identity.services.ask_to_confirm import ask_to_confirm
from identity.services.call import Call
from identity.services.due_changes import apply_due_changes
from identity.services.end_disputes import close_due
from identity.services.forget_evidence import forget_evidence
from identity.services.step_cases import Stepped, step_cases
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import Place

SLICE_CASES = 20_000
"""Cases read at a time: enough that a transaction costs nothing beside them, few enough that their
numbers are locked for a second or two."""

_BEGIN: Place = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementRun:
    """What one run did."""

    ran_until: datetime
    stepped: Stepped = field(default_factory=Stepped)


@dataclass(frozen=True, slots=True)
class _Slice:
    """What one slice did, and where the next one begins; None at the end."""

    stepped: Stepped
    next: Place | None


def advance_enforcement(
    transactions: Transactions, call: Call, *, slice_cases: int = SLICE_CASES
) -> EnforcementRun:
    """Take every step that is due at `call.at`, and that nothing holds.

    Args:
        transactions: The registry.
        call: The circumstances.
        slice_cases: Cases read at a time.

    Raises:
        ClockBackwardsError: A run reached a later instant already.
    """
    transactions.run(partial(_adopt, call=call))
    while transactions.run(partial(_close_disputes, call=call)):
        pass
    while transactions.run(partial(_close_arrangements, call=call)):
        pass
    # Before the steps: a number that is somebody's primary from now on has its extra time.
    while transactions.run(partial(_apply_changes, call=call)):
        pass
    stepped = Stepped()
    for has_primaries in (False, True):
        place: Place | None = _BEGIN
        while place is not None:
            step = partial(
                _step_slice, call=call, after=place, limit=slice_cases, has_primaries=has_primaries
            )
            done = transactions.run(step)
            stepped, place = stepped + done.stepped, done.next
    while transactions.run(partial(_ask, call=call)):
        pass
    while transactions.run(partial(_expire, call=call)):
        pass
    forget_evidence(transactions, call)
    transactions.run(partial(_finish, call=call, stepped=stepped))
    return EnforcementRun(ran_until=call.at, stepped=stepped)


def _adopt(uow: UnitOfWork, call: Call) -> None:
    _take_turn(uow, call)
    for adoption in call.rules.adoptions:
        uow.cases.adopt(adoption)


def _close_disputes(uow: UnitOfWork, call: Call) -> int:
    _take_turn(uow, call)
    return close_due(uow, call)


def _close_arrangements(uow: UnitOfWork, call: Call) -> int:
    _take_turn(uow, call)
    return end_arrangements.close_due(uow, call)


def _apply_changes(uow: UnitOfWork, call: Call) -> int:
    _take_turn(uow, call)
    return apply_due_changes(uow, call)


def _ask(uow: UnitOfWork, call: Call) -> int:
    _take_turn(uow, call)
    return ask_to_confirm(uow, call)


def _expire(uow: UnitOfWork, call: Call) -> int:
    _take_turn(uow, call)
    return uow.messages.queue.expire(at=call.at, limit=SLICE_CASES)


def _step_slice(
    uow: UnitOfWork, call: Call, after: Place, limit: int, *, has_primaries: bool
) -> _Slice:
    _take_turn(uow, call)
    due, end = uow.due_cases.list_by_clock(
        call.at, after=after, limit=limit, days=call.rules.exemption_days
    )
    numbers = [each for each in due if each.is_primary is has_primaries]
    return _Slice(step_cases(uow, call, numbers), end)


def _take_turn(uow: UnitOfWork, call: Call) -> None:
    """Keep other runs waiting until the transaction ends, and refuse to go back."""
    ran_until = uow.cases.ran_until(lock=True)
    if ran_until is not None and call.at < ran_until:
        raise ClockBackwardsError("enforcement has run up to a later instant already")


def _finish(uow: UnitOfWork, call: Call, stepped: Stepped) -> None:
    _take_turn(uow, call)
    uow.cases.set_ran_until(call.at)
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="advance_enforcement",
        outcome="ran",
        details={"steps": stepped.step_count, "directives": stepped.directive_count},
    )
    append(uow.connection, [entry])
