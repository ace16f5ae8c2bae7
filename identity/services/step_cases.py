"""Take the steps of many numbers: those that are alike as one, the others one by one.

Owns which way is taken. What a step leads to is the domain's (`identity.domain.settlement`), asked
once for each kind of number: numbers that agree in all that it looks at are written by the same few
statements. Verified numbers may be primary, and numbers that are withdrawn leave their holder:
those take the long way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.enforcement import Run
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.settle_alike import Written, write_alike
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import DueNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What was done: rungs taken, and orders that followed."""

    step_count: int = 0
    directive_count: int = 0

    def __add__(self, other: "Stepped") -> "Stepped":
        """Both together."""
        return Stepped(
            step_count=self.step_count + other.step_count,
            directive_count=self.directive_count + other.directive_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStep:
    """The wave that takes steps, and the ladder on which it does."""

    wave_id: UUID
    track: str


def step_cases(
    uow: UnitOfWork, call: Call, numbers: Sequence[DueNumbers], *, wave: WaveStep | None = None
) -> Stepped:
    """Take the due steps of some numbers.

    Args:
        uow: The transaction; the numbers are locked in it.
        call: The circumstances; what is due is due at its instant.
        numbers: The numbers.
        wave: The wave that takes them; None for the clock.
    """
    stepped = Stepped()
    for alike in numbers:
        stepped += _step(uow, call, alike, wave=wave)
    return stepped


def _step(uow: UnitOfWork, call: Call, alike: DueNumbers, *, wave: WaveStep | None) -> Stepped:
    references = alike.references
    example = uow.subscriptions.find_by_reference([references.first])[0]
    if not alike.is_verified:
        change = _change(alike, example, wave=wave)
        cases = uow.cases.list_open([example])[example.subscription_id]
        # Disputes are of single numbers: what one of them holds is no example for the others.
        if any(case.frozen_at is not None for case in cases):
            return _step_each(uow, call, alike, wave=wave)
        settled = settle(example, cases, call.rules, change=change, at=call.at, new_id=call.new_id)
        if settled.subscription == example and list(settled.cases) == cases:
            return Stepped()  # a wave, a notice or extra time holds all of them
        if settled.subscription.is_in_service:
            write_alike(uow, call, settled, Written(example, cases, references))
            append(uow.connection, [_entry(call, [settled], count=len(references), wave=wave)])
            return _stepped([settled], times=len(references))
    return _step_each(uow, call, alike, wave=wave)


def _step_each(uow: UnitOfWork, call: Call, alike: DueNumbers, *, wave: WaveStep | None) -> Stepped:
    items = uow.subscriptions.find_by_reference(list(alike.references))
    changes = {item.subscription_id: _change(alike, item, wave=wave) for item in items}
    settled = settle_subscriptions(uow, call, items, changes)
    taken = [done for done in settled if done.step_count]
    if taken:
        append(uow.connection, [_entry(call, taken, count=len(taken), wave=wave)])
    return _stepped(settled)


def _change(due: DueNumbers, item: Subscription, *, wave: WaveStep | None) -> Change:
    return Change(
        before=item.service_state,
        is_primary=due.is_primary,
        is_last_number=due.is_last_number,
        run=Run(
            is_primary=due.is_primary,
            is_notified=due.is_notified,
            wave_track=None if wave is None else wave.track,
            wave_id=None if wave is None else wave.wave_id,
        ),
        wave_id=None if wave is None else wave.wave_id,
    )


def _stepped(settled: Iterable[Settlement], *, times: int = 1) -> Stepped:
    done = list(settled)
    return Stepped(
        step_count=times * sum(each.step_count for each in done),
        directive_count=times * sum(len(each.directives) for each in done),
    )


def _entry(
    call: Call, settled: Sequence[Settlement], *, count: int, wave: WaveStep | None
) -> AuditEntry:
    """One line for all that were stepped together; each number's own trace is its directive."""
    details: dict[str, Any] = {
        "numbers": count,
        "causes": sorted({case.cause.value for each in settled for case in each.cases}),
        "orders": sorted({order.kind.value for each in settled for order in each.directives}),
    }
    if wave is not None:
        details["wave"] = str(wave.wave_id)
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="enforce",
        outcome=settled[0].subscription.service_state.value,
        details=details,
    )
