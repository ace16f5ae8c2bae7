"""What the regulator does with agencies, and what is written down of it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from identity.audit.log import audit_entry
from identity.domain.agency import Purpose, Right
from identity.domain.caller import Role
from identity.domain.errors import AgencyNotFoundError
from identity.services.agencies import (
    get_agency,
    list_agencies,
    register_agency,
    set_agency_active,
)
from identity.services.agency_access import admit
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import NOW, actions, make_call, make_operator

LATER = NOW + timedelta(days=1)


def regulator(at: datetime = NOW) -> Call:
    return make_call(make_operator(), role=Role.REGULATOR, at=at)


def test_what_is_registered_is_told_with_its_use_of_today(uow: UnitOfWork) -> None:
    call, name = regulator(), make_operator()
    grants = [make_grant(), make_grant(purpose=Purpose.LEGAL_NOTICE)]
    agency = register_agency(uow, call, name, grants)
    admit(uow, make_access(agency, people_count=7), Right.NUMBER)
    admit(uow, make_access(agency, at=LATER), Right.NUMBER)
    view = get_agency(uow, call, name)
    assert set(view.agency.grants) == set(grants)
    assert view.used_today == {Purpose.SERVICE_DELIVERY: 7, Purpose.LEGAL_NOTICE: 0}
    registration = view.registration
    assert (registration.registered_at, registration.changed_at) == (NOW, NOW)
    assert registration.changed_by == str(call.caller)


def test_a_registration_replaces_the_one_before_and_keeps_a_suspension(uow: UnitOfWork) -> None:
    call, name = regulator(), make_operator()
    register_agency(uow, call, name, [make_grant(), make_grant(purpose=Purpose.LEGAL_NOTICE)])
    set_agency_active(uow, call, name, is_active=False)
    again = regulator(at=LATER)
    agency = register_agency(uow, again, name, [make_grant(Right.NOTIFY)])
    assert not agency.is_active
    view = get_agency(uow, again, name)
    assert tuple(view.agency.grants) == (make_grant(Right.NOTIFY),)
    assert (view.registration.registered_at, view.registration.changed_at) == (NOW, LATER)
    assert view.registration.changed_by == str(again.caller)
    assert set_agency_active(uow, call, name, is_active=True).is_active
    assert actions(uow.connection, call.caller) == [
        ("register_agency", "registered"),
        ("suspend_agency", "changed"),
        ("resume_agency", "changed"),
    ]
    assert actions(uow.connection, again.caller) == [("register_agency", "replaced")]


def test_the_log_says_what_was_granted(uow: UnitOfWork) -> None:
    call, name = regulator(), make_operator()
    grant = make_grant(Right.NUMBER, Right.NOTIFY, people_per_day_max=3)
    register_agency(uow, call, name, [grant])
    query = select(audit_entry.c.details).where(audit_entry.c.caller == str(call.caller))
    assert uow.connection.execute(query).scalar() == {
        "agency": name,
        "grants": {
            "service_delivery": {
                "legal_bases": sorted(grant.legal_bases),
                "rights": ["notify", "number"],
                "people_per_day_max": 3,
            }
        },
    }


def test_suspending_twice_is_told_and_changes_nothing(uow: UnitOfWork) -> None:
    call = regulator()
    agency = store_agency(uow, make_grant())
    for _ in range(2):
        assert not set_agency_active(uow, call, agency.name, is_active=False).is_active
    assert actions(uow.connection, call.caller) == [
        ("suspend_agency", "changed"),
        ("suspend_agency", "unchanged"),
    ]


def test_an_agency_that_nobody_registered_is_not_found(uow: UnitOfWork) -> None:
    call, name = regulator(), make_operator()
    with pytest.raises(AgencyNotFoundError):
        get_agency(uow, call, name)
    with pytest.raises(AgencyNotFoundError):
        set_agency_active(uow, call, name, is_active=True)


def test_agencies_are_listed_by_name_page_by_page(uow: UnitOfWork) -> None:
    stored = sorted(store_agency(uow, make_grant()).name for _ in range(5))
    found: list[str] = []
    after = ""
    while True:
        page, after = list_agencies(uow, after=after, limit=2)
        assert 1 <= len(page) <= 2
        found += [agency.name for agency in page]
        if not after:
            break
    assert [name for name in found if name in stored] == stored
    assert found == sorted(set(found))
