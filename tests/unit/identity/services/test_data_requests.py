"""What a citizen asks about their data is kept, done where it can be, and never silently late."""

from datetime import timedelta
from uuid import uuid4

import pytest

from identity.audit.log import read_about_citizen
from identity.domain.agency import Purpose
from identity.domain.caller import Role
from identity.domain.data_request import DataRequestKind, DataRequestOutcome, DataRequestState
from identity.domain.errors import (
    DataRequestClosedError,
    DataRequestNotFoundError,
    ErasureNotYetError,
    PageTokenInvalidError,
)
from identity.services.data_requests import (
    acknowledge_request,
    find_request,
    list_open_requests,
    list_requests,
    object_to,
    request_erasure,
    request_export,
    restrict,
    withdraw_objection,
)
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import NOW, make_call, make_personal_id, store_citizen, store_number

APP = make_call("vneid", role=Role.CITIZEN_APP)
REGULATOR = make_call("mic", role=Role.REGULATOR)
SERVICES = frozenset({Purpose.SERVICE_DELIVERY})


def test_an_objection_holds_until_it_is_withdrawn(uow: UnitOfWork) -> None:
    personal_id = make_personal_id()
    key = citizen_key(uow.sealer, personal_id)
    asked = object_to(uow, APP, personal_id, SERVICES)
    assert (asked.kind, asked.outcome) == (DataRequestKind.OBJECTION, DataRequestOutcome.DONE)
    assert uow.restrictions.find([key])[key].objected_purposes == SERVICES
    object_to(uow, APP, personal_id, SERVICES)
    withdraw_objection(uow, APP, personal_id, SERVICES)
    assert not uow.restrictions.find([key])[key].has_objected


def test_a_restriction_holds_until_it_is_lifted_and_leaves_objections_alone(
    uow: UnitOfWork,
) -> None:
    personal_id = make_personal_id()
    key = citizen_key(uow.sealer, personal_id)
    object_to(uow, APP, personal_id, SERVICES)
    restrict(uow, APP, personal_id, is_restricted=True)
    found = uow.restrictions.find([key])[key]
    assert (found.is_restricted, found.has_objected) == (True, True)
    restrict(uow, APP, personal_id, is_restricted=False)
    found = uow.restrictions.find([key])[key]
    assert (found.is_restricted, found.has_objected) == (False, True)


def test_every_request_is_kept_and_audited(uow: UnitOfWork) -> None:
    personal_id = store_citizen(uow).personal_id
    asked = [
        object_to(uow, APP, personal_id, SERVICES),
        restrict(uow, APP, personal_id, is_restricted=True),
        restrict(uow, APP, personal_id, is_restricted=False),
        withdraw_objection(uow, APP, personal_id, SERVICES),
        request_export(uow, APP, personal_id),
        request_erasure(uow, APP, personal_id),
    ]
    assert [each.kind for each in asked] == [
        *(DataRequestKind.OBJECTION, DataRequestKind.RESTRICTION, DataRequestKind.RELEASE),
        *(DataRequestKind.WITHDRAWAL, DataRequestKind.EXPORT, DataRequestKind.ERASURE),
    ]
    assert {each.data_request_id for each in asked} == {
        each.data_request_id for each in list_requests(uow, APP, personal_id, after=None, limit=10)
    }
    entries = read_about_citizen(uow.connection, citizen_key(uow.sealer, personal_id))
    assert [each.action for each in entries][-7:] == [
        *(f"request_{each.kind.value}" for each in asked),
        "list_data_requests",
    ]
    for each in asked:
        assert find_request(uow, APP, personal_id, each.data_request_id) == each


def test_pages_follow_each_other_without_a_gap(uow: UnitOfWork) -> None:
    personal_id = make_personal_id()
    asked = {request_export(uow, APP, personal_id).data_request_id for _ in range(7)}
    seen: list[object] = []
    after = None
    while page := list_requests(uow, APP, personal_id, after=after, limit=3):
        seen += [each.data_request_id for each in page]
        after = page[-1].data_request_id
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == asked


def test_nobody_reads_the_requests_of_another(uow: UnitOfWork) -> None:
    mine, theirs = make_personal_id(), make_personal_id()
    asked = request_export(uow, APP, theirs)
    with pytest.raises(DataRequestNotFoundError):
        find_request(uow, APP, mine, asked.data_request_id)
    with pytest.raises(PageTokenInvalidError):
        list_requests(uow, APP, mine, after=asked.data_request_id, limit=3)
    assert list_requests(uow, APP, mine, after=None, limit=3) == []


def test_an_erasure_is_asked_for_once(uow: UnitOfWork) -> None:
    personal_id = make_personal_id()
    asked = request_erasure(uow, APP, personal_id)
    assert asked.state is DataRequestState.OPEN
    assert request_erasure(uow, make_call("other-app", role=Role.CITIZEN_APP), personal_id) == asked


def test_who_has_a_number_in_service_cannot_be_erased(uow: UnitOfWork) -> None:
    person = store_citizen(uow)
    store_number(uow, person)
    with pytest.raises(ErasureNotYetError, match="SUBSCRIPTION_IN_SERVICE"):
        request_erasure(uow, APP, person.personal_id)


def test_an_acknowledgement_stops_the_first_clock(uow: UnitOfWork) -> None:
    asked = request_erasure(uow, APP, make_personal_id())
    known = acknowledge_request(uow, REGULATOR, asked.data_request_id)
    assert known.state is DataRequestState.ACKNOWLEDGED
    assert not known.is_overdue(at=asked.act_by)
    with pytest.raises(DataRequestNotFoundError):
        acknowledge_request(uow, REGULATOR, uuid4())


def test_what_was_done_at_once_is_not_acknowledged_again(uow: UnitOfWork) -> None:
    asked = request_export(uow, APP, make_personal_id())
    with pytest.raises(DataRequestClosedError):
        acknowledge_request(uow, REGULATOR, asked.data_request_id)


def test_what_is_late_is_counted_and_stands_in_front(uow: UnitOfWork) -> None:
    before = list_open_requests(uow, REGULATOR, limit=100).counts
    first = request_erasure(uow, APP, make_personal_id())
    later = make_call("vneid", role=Role.CITIZEN_APP, at=NOW + timedelta(days=10))
    second = request_erasure(uow, later, make_personal_id())

    def counted(at_days: int) -> tuple[int, int, int]:
        call = make_call("mic", role=Role.REGULATOR, at=NOW + timedelta(days=at_days))
        found = list_open_requests(uow, call, limit=100)
        places = [each.data_request_id for each in found.first]
        assert places.index(first.data_request_id) < places.index(second.data_request_id)
        now = found.counts
        return (
            now.open_count - before.open_count,
            now.unacknowledged_count - before.unacknowledged_count,
            now.late_count - before.late_count,
        )

    assert counted(1) == (2, 0, 0)
    assert counted(12) == (2, 1, 0)
    assert counted(25) == (2, 2, 1)
    assert counted(60) == (2, 2, 2)
