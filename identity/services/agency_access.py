"""Let agencies in: a grant that covers the access, a quota that has room, and a record of it.

Owns what every read by an agency has in common, for any number of accesses in one transaction. It
is decided before anybody is looked up, so a refusal says nothing about a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta

from identity.audit.log import AuditEntry
from identity.domain.agency import Access, Agency, Grant, Right
from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.errors import DomainError, PurposeNotAllowedError, QuotaExceededError
from identity.services.lookup_watch import stopped
from identity.storage.agencies import Use, UseKey
from identity.storage.database import UnitOfWork

Admission = Grant | DomainError
"""What an access may have, or why it is refused."""


def admit(uow: UnitOfWork, access: Access, *rights: Right) -> Grant:
    """Let one access in.

    Args:
        uow: The transaction that answers it.
        access: It.
        rights: At least one of them must be granted.

    Raises:
        PurposeNotAllowedError: No grant covers it.
        LookupsStoppedError: The agency's look-ups were stopped.
        QuotaExceededError: The day's people are used up.
    """
    (admission,) = admit_all(uow, [access], *rights)
    if isinstance(admission, DomainError):
        raise admission
    return admission


def admit_all(uow: UnitOfWork, accesses: Sequence[Access], *rights: Right) -> list[Admission]:
    """Let accesses in, each by itself, in their order; what is let in is counted."""
    agencies = uow.agencies.find_many({access.caller.name for access in accesses})
    judged = [_judged(access, agencies.get(access.caller.name), rights) for access in accesses]
    groups: dict[UseKey, list[int]] = defaultdict(list)
    for place, (access, admission) in enumerate(zip(accesses, judged, strict=True)):
        if isinstance(admission, Grant):
            groups[_use_key(access)].append(place)
    together = {key: _use_of(accesses, judged, places) for key, places in groups.items()}
    beyond = together.keys() - uow.agencies.use(together)
    if beyond:
        _let_in_first(uow, accesses, judged, {key: groups[key] for key in beyond})
    return judged


def record(
    access: Access,
    citizen_key: bytes | None,
    *,
    action: str,
    outcome: str,
    fields: Iterable[Right] = (),
) -> AuditEntry:
    """The entry of what an agency was told about one person.

    Args:
        access: The access.
        citizen_key: Blind index of the person; None while nobody is known.
        action: What was done, such as `get_contact`.
        outcome: How it ended.
        fields: What was given away.
    """
    return AuditEntry(
        occurred_at=access.at,
        caller=str(access.caller),
        action=action,
        outcome=outcome,
        citizen_key=citizen_key,
        purpose=access.purpose.value,
        legal_basis=access.legal_basis,
        case_id=access.case_id or None,
        shown_from=access.shown_from,
        fields=",".join(sorted(fields)) or None,
    )


def record_refusal(access: Access, error: DomainError, *, action: str) -> AuditEntry:
    """The entry of an access that was refused: nobody was looked up, so it names nobody."""
    return AuditEntry(
        occurred_at=access.at,
        caller=str(access.caller),
        action=action,
        outcome=error.reason,
        purpose=access.purpose.value,
        legal_basis=access.legal_basis,
        case_id=access.case_id or None,
        details={"people_count": access.people_count},
    )


def _judged(access: Access, agency: Agency | None, rights: Iterable[Right]) -> Admission:
    try:
        grant = access.refuse_outside(_grant_of(access, agency), *rights)
    except PurposeNotAllowedError as error:
        return error
    return stopped() if agency is not None and agency.is_stopped else grant


def _grant_of(access: Access, agency: Agency | None) -> Grant | None:
    if agency is None or not agency.is_active:
        return None
    return next((grant for grant in agency.grants if grant.purpose is access.purpose), None)


def _use_key(access: Access) -> UseKey:
    return access.caller.name, access.purpose, day_of(access.at)


def _use_of(accesses: Sequence[Access], judged: Sequence[Admission], places: Sequence[int]) -> Use:
    """What accesses under one grant ask for together."""
    grants = (judged[place] for place in places)
    most = next(grant.people_per_day_max for grant in grants if isinstance(grant, Grant))
    return Use(people_count=sum(accesses[place].people_count for place in places), most=most)


def _let_in_first(
    uow: UnitOfWork,
    accesses: Sequence[Access],
    judged: list[Admission],
    groups: Mapping[UseKey, Sequence[int]],
) -> None:
    """The quotas do not do for all: who came first is let in, as far as there is room.

    The rows are held since they were tried, so what is read of them stays true.
    """
    used = uow.agencies.used_in(groups)
    fitting: dict[UseKey, Use] = {}
    for key, places in groups.items():
        most = _use_of(accesses, judged, places).most
        room = left = most - used[key]
        for place in places:
            if accesses[place].people_count > left:
                judged[place] = _exceeded(accesses[place].at)
            else:
                left -= accesses[place].people_count
        if left < room:
            fitting[key] = Use(people_count=room - left, most=most)
    uow.agencies.use(fitting)


def _exceeded(at: datetime) -> QuotaExceededError:
    tomorrow = datetime.combine(day_of(at) + timedelta(days=1), time(), DAY_ZONE)
    error = QuotaExceededError("the day's quota is used up")
    error.retry_after_s = (tomorrow - at).total_seconds()
    return error
