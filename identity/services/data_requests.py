"""A citizen asks about their data: it is kept with its clocks, and most of it done at once.

Owns objections and restrictions, and the life of a request; what an export holds is
`export_data`'s, what an erasure does `erase_person`'s.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Purpose
from identity.domain.data_request import DataRequest, DataRequestKind, open_request
from identity.domain.erasure import refuse_standing
from identity.domain.errors import DataRequestNotFoundError, PageTokenInvalidError
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.data_requests import KeptRequest, RequestCounts
from identity.storage.database import UnitOfWork
from identity.storage.restrictions import Restriction


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequests:
    """Requests of everybody that wait, and how it stands with all of them."""

    first: Sequence[DataRequest]
    counts: RequestCounts


def object_to(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, purposes: Collection[Purpose]
) -> DataRequest:
    """Have agencies not contact a citizen for some purposes."""

    def objecting(before: Restriction) -> Restriction:
        return replace(before, objected_purposes=before.objected_purposes | frozenset(purposes))

    return _change(uow, call, personal_id, DataRequestKind.OBJECTION, objecting)


def withdraw_objection(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, purposes: Collection[Purpose]
) -> DataRequest:
    """Have agencies contact a citizen for some purposes again."""

    def agreeing(before: Restriction) -> Restriction:
        return replace(before, objected_purposes=before.objected_purposes - frozenset(purposes))

    return _change(uow, call, personal_id, DataRequestKind.WITHDRAWAL, agreeing)


def restrict(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, is_restricted: bool
) -> DataRequest:
    """Suspend the processing of a citizen's data, or go on with it."""
    kind = DataRequestKind.RESTRICTION if is_restricted else DataRequestKind.RELEASE
    return _change(
        uow, call, personal_id, kind, lambda before: replace(before, is_restricted=is_restricted)
    )


def request_export(uow: UnitOfWork, call: Call, personal_id: PersonalID) -> DataRequest:
    """Ask for everything that is held; it can be read from now on."""
    key = citizen_key(uow.sealer, personal_id)
    done = _opened(call, DataRequestKind.EXPORT).done(at=call.at)
    return _add(uow, call, key, done)


def request_erasure(uow: UnitOfWork, call: Call, personal_id: PersonalID) -> DataRequest:
    """Ask to be erased; a request that is open already is found again.

    Raises:
        ErasureNotYetError: Something stands against it.
    """
    key = citizen_key(uow.sealer, personal_id)
    # Of two at once the second finds what the first has asked.
    uow.citizens.hold_alone([key])
    refuse_standing(uow.erasures.obstacles(key, keep=keep_for(call), at=call.at), at=call.at)
    asked = uow.data_requests.find_open_erasure(key)
    return asked or _add(uow, call, key, _opened(call, DataRequestKind.ERASURE))


def keep_for(call: Call) -> timedelta:
    """How long data are kept after a subscription has ended: also while its number is nobody's."""
    return max(call.rules.privacy.keep_after_end, call.rules.numbers.quarantine)


def find_request(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, data_request_id: UUID
) -> DataRequest:
    """One of a citizen's own requests.

    Raises:
        DataRequestNotFoundError: The citizen has made no such request.
    """
    key = citizen_key(uow.sealer, personal_id)
    found = uow.data_requests.find(key, data_request_id)
    if found is None:
        raise DataRequestNotFoundError("you have made no such request")
    append(uow.connection, [entry(call, key, "get_data_request", found.state.value)])
    return found


def list_requests(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, after: UUID | None, limit: int
) -> Sequence[DataRequest]:
    """A page of a citizen's requests, the newest first.

    Raises:
        PageTokenInvalidError: The page before was another citizen's.
    """
    key = citizen_key(uow.sealer, personal_id)
    if after is not None and uow.data_requests.find(key, after) is None:
        raise PageTokenInvalidError("not a page of these requests")
    found = uow.data_requests.list_of_citizen(key, after=after, limit=limit)
    append(uow.connection, [entry(call, key, "list_data_requests", str(len(found)))])
    return found


def list_open_requests(uow: UnitOfWork, call: Call, *, limit: int) -> OpenRequests:
    """What waits of everybody's requests; it names nobody."""
    counts = uow.data_requests.count(at=call.at)
    outcome = f"{counts.open_count}"
    append(uow.connection, [entry(call, None, "list_open_data_requests", outcome)])
    return OpenRequests(first=uow.data_requests.list_open(limit=limit), counts=counts)


def acknowledge_request(uow: UnitOfWork, call: Call, data_request_id: UUID) -> DataRequest:
    """Say that a request is being dealt with; the first time counts.

    Raises:
        DataRequestNotFoundError: There is no such request.
        DataRequestClosedError: It is over.
    """
    kept = hold_request(uow, data_request_id)
    known = replace(kept, request=kept.request.acknowledged(at=call.at))
    uow.data_requests.save(known)
    append(uow.connection, [entry(call, kept.citizen_key, "acknowledge_data_request", "known")])
    return known.request


def hold_request(uow: UnitOfWork, data_request_id: UUID) -> KeptRequest:
    """A request of anybody's; nobody else changes it until the transaction ends.

    Raises:
        DataRequestNotFoundError: There is none.
    """
    kept = uow.data_requests.hold(data_request_id)
    if kept is None:
        raise DataRequestNotFoundError("there is no such request")
    return kept


def _change(
    uow: UnitOfWork,
    call: Call,
    personal_id: PersonalID,
    kind: DataRequestKind,
    change: Callable[[Restriction], Restriction],
) -> DataRequest:
    key = citizen_key(uow.sealer, personal_id)
    held = uow.restrictions.hold(key, at=call.at)
    uow.restrictions.save(key, change(held), at=call.at)
    return _add(uow, call, key, _opened(call, kind).done(at=call.at))


def _opened(call: Call, kind: DataRequestKind) -> DataRequest:
    return open_request(kind, call.rules.privacy, at=call.at, identity=call.new_id())


def _add(uow: UnitOfWork, call: Call, key: bytes, asked: DataRequest) -> DataRequest:
    uow.data_requests.add(key, asked)
    append(uow.connection, [entry(call, key, f"request_{asked.kind.value}", asked.state.value)])
    return asked


def entry(
    call: Call,
    key: bytes | None,
    action: str,
    outcome: str,
    details: Mapping[str, object] | None = None,
) -> AuditEntry:
    """The audit entry of something about a citizen's data."""
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=outcome,
        citizen_key=key,
        details=details or {},
    )
