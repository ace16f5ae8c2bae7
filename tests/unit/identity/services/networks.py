"""Operators' networks for tests: numbers as the registry has them, and what a network reports.

Owns how a number comes to stand as it does: the orders behind it, executed, open or overtaken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from identity.domain.directive import Directive
from identity.domain.drift import ORDER_INTO
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.services.call import Call
from identity.services.imports import BatchHead
from identity.services.reconcile_service_state import Comparison, Reported, reconcile_batch
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    make_directive,
    make_msisdn,
    make_subscription,
    reference_of,
    references_of,
)

METHOD = "subid.v1.ReconcileServiceStateRequest"


@dataclass(frozen=True, kw_only=True)
class Past:
    """How a number came to stand as it does.

    Attributes:
        ordered: What is ordered.
        applied: What was acknowledged or reported last.
        acknowledged: The state that the last executed order led to; None without any.
        is_open: The order into `ordered` is open; else it was given and overtaken or executed.
    """

    ordered: ServiceState
    applied: ServiceState
    acknowledged: ServiceState | None = None
    is_open: bool = False


def store(uow: UnitOfWork, operator: str, past: Past) -> Subscription:
    """A number of an operator with the orders behind it."""
    is_ended = past.ordered is ServiceState.TERMINATED
    item = make_subscription(
        operator_id=operator,
        service_state=past.ordered,
        applied_state=past.applied,
        verified_at=None,
        created_at=NOW.replace(month=3),
        ended_at=NOW.replace(month=4) if is_ended else None,
        ended_by=SubscriptionEnd.TERMINATED if is_ended else None,
    )
    uow.subscriptions.save(item)
    into = ORDER_INTO.get(past.ordered)
    if into is not None:  # given before what was executed last: overtaken, unless it was that
        order(uow, item, past.ordered)
        uow.directives.supersede(references_of(uow, item), [into], at=NOW)
    if past.acknowledged is not None:
        executed = order(uow, item, past.acknowledged)
        handed = uow.directives.find_handed(operator, [executed.directive_id])
        uow.directives.mark_executed(handed.values(), at=NOW)
    if past.is_open and into is not None:
        order(uow, item, past.ordered)
    return item


def order(uow: UnitOfWork, item: Subscription, state: ServiceState) -> Directive:
    """Order a number into a state."""
    made = make_directive(item, kind=ORDER_INTO[state])
    uow.directives.add_many([(made, item)])
    return made


def report(
    uow: UnitOfWork,
    call: Call,
    states: Mapping[Subscription, ServiceState] | Sequence[tuple[Subscription, ServiceState]],
    *,
    request_id: UUID,
    batch_index: int = 0,
    is_last: bool = False,
) -> Comparison:
    """Report what a network does; what comes of it, as it is read back when it is asked again."""
    pairs = list(states.items() if isinstance(states, Mapping) else states)
    run = uow.import_runs.begin(
        str(call.caller), request_id, method=METHOD, is_snapshot=True, at=call.at
    )
    head = BatchHead(
        request_id=request_id, batch_index=batch_index, is_snapshot=True, is_last=is_last
    )
    reported = [Reported(reference_of(uow, item)[0], state) for item, state in pairs]
    found = reconcile_batch(uow, call, run, head, reported)
    assert Comparison.from_fields(json.loads(json.dumps(found.to_fields()))) == found
    return found


def somebody_elses(operator: str = "another") -> Subscription:
    """A number that is not stored; store it to have another operator serve it."""
    return make_subscription(operator_id=operator, msisdn=make_msisdn(), verified_at=None)
