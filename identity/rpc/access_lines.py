"""Lines of an access history, to the wire.

Owns how an entry of the audit log looks to the person whom it concerns.
"""

from functools import lru_cache

from identity.audit.history import ShownEntry
from identity.domain.access_history import AccessKind, kind_of
from identity.rpc.grounds import PURPOSES
from identity.services.list_accesses import AccessPage
from subid.v1 import citizen_service_pb2 as pb
from subid.v1.agency_pb2 import PURPOSE_UNSPECIFIED

_MICROS_PER_SECOND = 1_000_000
_NANOS_PER_MICRO = 1_000
_KINDS = {
    AccessKind.READ: pb.ACCESS_KIND_READ,
    AccessKind.CHANGE: pb.ACCESS_KIND_CHANGE,
}
_PURPOSES = {purpose.value: number for number, purpose in PURPOSES.items()}


def response(page: AccessPage) -> pb.ListAccessesResponse:
    """A page."""
    message = pb.ListAccessesResponse(
        withheld_count=page.withheld_count,
        next_page_token="" if page.next_before is None else str(page.next_before),
    )
    for entry in page.entries:
        _write(entry, message.accesses.add())
    return message


def _write(entry: ShownEntry, line: pb.Access) -> None:
    # Taken apart in one go: by name each part takes as long as all of them.
    entry_id, occurred_us, *shared, case_id = entry
    line.CopyFrom(_alike(*shared))
    line.entry_id = entry_id
    if case_id is not None:
        line.case_id = case_id
    seconds, micros = divmod(occurred_us, _MICROS_PER_SECOND)
    line.access_time.seconds = seconds
    line.access_time.nanos = micros * _NANOS_PER_MICRO


@lru_cache(maxsize=4096)
def _alike(
    caller: str,
    action: str,
    outcome: str,
    fields: str | None,
    purpose: str | None,
    legal_basis: str | None,
) -> pb.Access:
    """What many lines share, made once: a page has a thousand. Lines take copies of it."""
    return pb.Access(
        caller=caller,
        kind=_KINDS[kind_of(action)],
        action=action,
        outcome=outcome,
        fields=fields.split(",") if fields else (),
        purpose=_PURPOSES[purpose] if purpose else PURPOSE_UNSPECIFIED,
        legal_basis=legal_basis,
    )
