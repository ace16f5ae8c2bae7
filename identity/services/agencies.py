"""Register agencies, suspend them, and see what they have used.

Owns what the regulator does with an agency, each in one transaction with its audit entry. What a
registration lets in is `agency_access`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Agency, Grant, Purpose
from identity.domain.calendar_date import day_of
from identity.domain.errors import AgencyNotFoundError
from identity.services.call import Call
from identity.storage.agencies import Registration
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyView:
    """One agency, as the regulator sees it.

    Attributes:
        agency: It.
        registration: When and by whom.
        used_today: About how many people it has asked today, for each purpose that it has.
    """

    agency: Agency
    registration: Registration
    used_today: Mapping[Purpose, int]


def register_agency(uow: UnitOfWork, call: Call, name: str, grants: Sequence[Grant]) -> Agency:
    """Register an agency, or replace all that it was granted; a suspended one stays suspended."""
    known = uow.agencies.hold(name)
    is_active = known is None or known.is_active
    agency = Agency(name=name, is_active=is_active, grants=tuple(grants))
    uow.agencies.save(agency, by=str(call.caller), at=call.at)
    outcome = "registered" if known is None else "replaced"
    _note(uow, call, "register_agency", outcome, agency=name, grants=_told(grants))
    return agency


def set_agency_active(uow: UnitOfWork, call: Call, name: str, *, is_active: bool) -> Agency:
    """Suspend an agency, or let it ask again; what it was granted stays.

    Raises:
        AgencyNotFoundError: There is none.
    """
    known = _found(uow.agencies.hold(name))
    agency = replace(known, is_active=is_active)
    uow.agencies.save(agency, by=str(call.caller), at=call.at)
    action = "resume_agency" if is_active else "suspend_agency"
    outcome = "unchanged" if known.is_active == is_active else "changed"
    _note(uow, call, action, outcome, agency=name)
    return agency


def get_agency(uow: UnitOfWork, call: Call, name: str) -> AgencyView:
    """One agency, and what it has used today.

    Raises:
        AgencyNotFoundError: There is none.
    """
    agency, registration = _found(uow.agencies.find(name)), uow.agencies.registration(name)
    if registration is None:
        raise AgencyNotFoundError("no such agency is registered")
    keys = [(name, grant.purpose, day_of(call.at)) for grant in agency.grants]
    used = uow.agencies.used_in(keys)
    return AgencyView(
        agency=agency,
        registration=registration,
        used_today={purpose: count for (_, purpose, _), count in used.items()},
    )


def list_agencies(uow: UnitOfWork, *, after: str, limit: int) -> tuple[list[Agency], str]:
    """A page of agencies by name, and after which name the next one begins; empty at the end."""
    found = uow.agencies.page(after=after, limit=limit + 1)
    page = found[:limit]
    return page, page[-1].name if len(found) > limit else ""


def _found(agency: Agency | None) -> Agency:
    if agency is None:
        raise AgencyNotFoundError("no such agency is registered")
    return agency


def _told(grants: Sequence[Grant]) -> Mapping[str, object]:
    """Grants as the audit log keeps them: nothing of a person is in them."""
    return {
        grant.purpose.value: {
            "legal_bases": sorted(grant.legal_bases),
            "rights": sorted(grant.rights),
            "people_per_day_max": grant.people_per_day_max,
        }
        for grant in grants
    }


def _note(uow: UnitOfWork, call: Call, action: str, outcome: str, **details: object) -> None:
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=outcome,
        details=details,
    )
    append(uow.connection, [entry])
