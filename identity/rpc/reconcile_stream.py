"""One reconciliation: message after message, each answered before the next is taken.

Owns how a report is read and a comparison told. What is stored holds no number: they are put back
from the report itself, or opened from the registry.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

from identity.domain.drift import DriftKind
from identity.domain.errors import FieldViolation, MalformedValueError, RequestInvalidError
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import ServiceState
from identity.rpc import encode
from identity.rpc.edge import Edge, request_key
from identity.services.call import Call
from identity.services.import_progress import refuse_gap, take_batch_once
from identity.services.imports import BatchHead, BatchOrder
from identity.services.reconcile_service_state import (
    Comparison,
    Drift,
    Reported,
    reconcile_batch,
)
from identity.storage.reconciliations import Unreported
from identity.storage.subscriptions import msisdn_key
from subid.v1 import enforcement_service_pb2 as pb

_STATES: Mapping[int, ServiceState] = {
    message: state for state, message in encode.SERVICE_STATES.items()
}


async def reconcile(
    edge: Edge, call: Call, requests: AsyncIterator[pb.ReconcileServiceStateRequest]
) -> AsyncIterator[pb.ReconcileServiceStateResponse]:
    """Compare batch after batch; what a batch came to is there for good when it is answered.

    Raises:
        ImportSequenceError: A message is out of order.
        RequestIDReusedError: A message was taken before with another body.
        RequestInvalidError: It names something that is no number, or a number twice, also in an
            earlier message.
    """
    order: BatchOrder | None = None
    async for request in requests:
        head = BatchHead(
            request_id=UUID(request.request_id),
            batch_index=request.batch_index,
            is_snapshot=True,
            is_last=request.is_last,
        )
        if order is None:
            order = BatchOrder(head)
            await edge.in_thread(partial(_refuse_gap, edge, call, head))
        order.expect(head)
        yield await edge.in_thread(partial(_answer, edge, call, request, head))


def _refuse_gap(edge: Edge, call: Call, head: BatchHead) -> None:
    edge.transactions.run(lambda uow: refuse_gap(uow, call, head))


def _answer(
    edge: Edge, call: Call, request: pb.ReconcileServiceStateRequest, head: BatchHead
) -> pb.ReconcileServiceStateResponse:
    # A stream may take hours: each batch happens when it does.
    now = replace(call, at=edge.clock.now())
    numbers = _numbers(request)
    sealer = edge.transactions.database.sealer
    reported = [
        Reported(msisdn_key(sealer, number), _STATES[each.service_state])
        for number, each in zip(numbers, request.states, strict=True)
    ]
    fields = take_batch_once(
        edge.transactions,
        now,
        request_key(request, now),
        head,
        lambda uow, run: reconcile_batch(uow, now, run, head, reported).to_fields(),
    )
    found = Comparison.from_fields(fields)
    return pb.ReconcileServiceStateResponse(
        batch_index=request.batch_index,
        drifts=[
            *(_drift(each, numbers[each.place], request) for each in found.drifts),
            *_unreported(edge, found),
        ],
        compared_count=found.counts.compared,
        drift_count=found.counts.drifts,
        not_reported_count=found.unreported_count,
    )


def _numbers(request: pb.ReconcileServiceStateRequest) -> list[MSISDN]:
    numbers: list[MSISDN] = []
    seen: set[MSISDN] = set()
    faults: list[FieldViolation] = []
    for place, each in enumerate(request.states):
        try:
            number = MSISDN.parse(each.msisdn)
        except MalformedValueError as error:
            faults.append(_fault(place, error.reason, str(error)))
            continue
        if number in seen:
            faults.append(_fault(place, "REPEATED_UNIQUE", "the number stands there twice"))
        seen.add(number)
        numbers.append(number)
    if faults:
        raise RequestInvalidError(tuple(faults))
    return numbers


def _fault(place: int, reason: str, description: str) -> FieldViolation:
    return FieldViolation(field=f"states[{place}].msisdn", reason=reason, description=description)


def _drift(drift: Drift, number: MSISDN, request: pb.ReconcileServiceStateRequest) -> pb.Drift:
    return pb.Drift(
        msisdn=number.value,
        kind=encode.DRIFT_KINDS[drift.kind],
        ordered_state=None if drift.ordered is None else encode.SERVICE_STATES[drift.ordered],
        reported_state=request.states[drift.place].service_state,
        directive_id="" if drift.directive_id is None else str(drift.directive_id),
    )


def _unreported(edge: Edge, found: Comparison) -> list[pb.Drift]:
    if not found.unreported:
        return []
    numbers = edge.transactions.run(
        lambda uow: uow.reconciliations.numbers_of([each.reference for each in found.unreported])
    )
    return [_not_reported(each, numbers[each.reference[1]]) for each in found.unreported]


def _not_reported(each: Unreported, number: MSISDN) -> pb.Drift:
    return pb.Drift(
        msisdn=number.value,
        kind=encode.DRIFT_KINDS[DriftKind.NOT_REPORTED],
        ordered_state=encode.SERVICE_STATES[each.ordered],
    )
