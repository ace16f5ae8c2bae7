"""Agencies with grants, and what they ask, for the tests of whatever agencies may ask."""

from typing import Any
from uuid import uuid4

from identity.domain.agency import Access, Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.get_contacts import ContactQuestion
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import NOW, make_call, rules

LEGAL_BASIS = "Law 26/2023/QH15, art. 10"


def make_grant(*rights: Right, **given: Any) -> Grant:  # noqa: ANN401 - whatever the grant takes
    """A grant of some rights, or of the number."""
    usual: dict[str, Any] = {
        "purpose": Purpose.SERVICE_DELIVERY,
        "legal_bases": frozenset({LEGAL_BASIS}),
        "rights": frozenset(rights or {Right.NUMBER}),
        "people_per_day_max": 1_000_000,
    }
    return Grant(**usual | given)


def make_agency(*grants: Grant, name: str | None = None, is_active: bool = True) -> Agency:
    """An agency with these grants, of a name that no other test uses unless one is given."""
    return Agency(name=name or f"agency-{uuid4().hex[:20]}", is_active=is_active, grants=grants)


def call_of(agency: Agency, **given: Any) -> Call:  # noqa: ANN401 - whatever the call takes
    """The circumstances of a call of an agency."""
    return make_call(agency.name, role=Role.AGENCY, **given)


def make_access(agency: Agency, **given: Any) -> Access:  # noqa: ANN401 - whatever the access takes
    """What an agency asks under the first of its grants."""
    usual: dict[str, Any] = {
        "caller": Caller(Role.AGENCY, agency.name),
        "at": NOW,
        "purpose": Purpose.SERVICE_DELIVERY,
        "legal_basis": LEGAL_BASIS,
    }
    for grant in list(agency.grants)[:1]:
        usual["purpose"] = grant.purpose
    return Access(**usual | given)


def make_question(agency: Agency, *people: PersonalID, **given: Any) -> ContactQuestion:  # noqa: ANN401 - whatever the access takes
    """What an agency asks about some people."""
    access = make_access(agency, people_count=len(people), **given)
    return ContactQuestion(access=access, people=people, rules=rules())


def store_agency(
    uow: UnitOfWork, *grants: Grant, name: str | None = None, is_active: bool = True
) -> Agency:
    """What `make_agency` makes, registered."""
    agency = make_agency(*grants, name=name, is_active=is_active)
    uow.agencies.save(agency, by="regulator:regulator", at=NOW)
    return agency
