"""Who may watch the feed of changed contacts, from where on, and what is read after being away."""

from datetime import timedelta

import pytest

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.domain.caller import Role
from identity.domain.errors import PositionExpiredError, PurposeNotAllowedError
from identity.services.call import Call
from identity.services.contact_changes import (
    Beginning,
    begin_watch,
    forget_old,
    note_interest,
    pass_on,
    read_feed,
    read_missed,
)
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import NOW, actions, make_call, make_personal_id

DAY = timedelta(days=1)
WATCHES = make_grant(Right.NUMBER, Right.CONTACT_CHANGES)


def call_of(agency: Agency) -> Call:
    return make_call(agency.name, role=Role.AGENCY)


def begin_at(uow: UnitOfWork, call: Call, position: int | None) -> Beginning:
    begun = begin_watch(uow, call, position)
    assert isinstance(begun, Beginning)
    return begun


def interested(uow: UnitOfWork, agency: Agency, *, grant: Grant = WATCHES) -> bytes:
    """A person about whom an agency has asked."""
    key = citizen_key(uow.sealer, make_personal_id())
    note_interest(uow, [(make_access(agency), grant, key)], lasts=DAY)
    return key


def change(uow: UnitOfWork, *keys: bytes) -> None:
    """The contacts of people change, one after the other, and all is passed on."""
    for key in keys:
        uow.contact_changes.note_changed([key])
        while pass_on(uow, at=NOW):
            pass


def forget_everything(uow: UnitOfWork) -> None:
    while forget_old(uow, kept=DAY, at=NOW + 2 * DAY):
        pass


@pytest.mark.parametrize(
    "grants", [(), (make_grant(Right.NUMBER, Right.REACHABILITY),)], ids=["none", "others"]
)
def test_an_agency_without_the_right_may_not_watch(
    uow: UnitOfWork, grants: tuple[Grant, ...]
) -> None:
    call = call_of(store_agency(uow, *grants))
    assert isinstance(begin_watch(uow, call, None), PurposeNotAllowedError)
    assert actions(uow.connection, call.caller) == [
        ("watch_contact_changes", "PURPOSE_NOT_ALLOWED")
    ]


def test_an_agency_that_may_not_ask_or_is_unknown_may_not_watch(uow: UnitOfWork) -> None:
    closed = store_agency(uow, WATCHES, is_active=False)
    for call in (call_of(closed), make_call("nobody-knows-it", role=Role.AGENCY)):
        assert isinstance(begin_watch(uow, call, None), PurposeNotAllowedError)


def test_one_grant_of_several_is_enough_and_the_watch_is_on_record(uow: UnitOfWork) -> None:
    agency = store_agency(
        uow, make_grant(Right.NUMBER), make_grant(*WATCHES.rights, purpose=Purpose.LEGAL_NOTICE)
    )
    begun = begin_at(uow, call_of(agency), None)
    assert begun.position == begun.last
    begin_at(uow, call_of(agency), begun.position)
    assert actions(uow.connection, call_of(agency).caller) == [
        ("watch_contact_changes", "begun"),
        ("watch_contact_changes", "resumed"),
    ]


def test_only_a_grant_that_covers_the_feed_makes_an_interest(uow: UnitOfWork) -> None:
    agency = store_agency(uow, WATCHES)
    begin = begin_at(uow, call_of(agency), None).position
    without = interested(uow, agency, grant=make_grant(Right.NUMBER))
    covered = interested(uow, agency)
    change(uow, without, covered)
    found = read_feed(uow, after=begin)
    own = [hint.citizen_key for hint in found.hints if hint.agency == agency.name]
    assert own == [covered]


def test_what_was_missed_is_read_in_parts_and_each_says_where_to_go_on(uow: UnitOfWork) -> None:
    agency, other = store_agency(uow, WATCHES), store_agency(uow, WATCHES)
    keys = [interested(uow, agency) for _ in range(5)]
    strangers = [interested(uow, other) for _ in range(2)]
    after = begin_at(uow, call_of(agency), None).position
    change(uow, *keys, *strangers)
    until = begin_at(uow, call_of(agency), None).last
    read, sizes = [], []
    while after < until:
        part = read_missed(uow, agency.name, after=after, until=until, limit=2)
        read += [hint.citizen_key for hint in part.hints]
        sizes.append(len(part.hints))
        after = part.last
    assert (read, sizes) == (keys, [2, 2, 1])
    assert after == until


def test_a_position_that_is_too_old_and_one_that_is_not_there_yet_are_refused(
    uow: UnitOfWork,
) -> None:
    agency = store_agency(uow, WATCHES)
    old = begin_at(uow, call_of(agency), None).position
    change(uow, interested(uow, agency))
    new = begin_at(uow, call_of(agency), None).position
    begin_at(uow, call_of(agency), old)
    assert "ask about everybody again" in str(begin_watch(uow, call_of(agency), new + 1))
    forget_everything(uow)
    assert isinstance(begin_watch(uow, call_of(agency), old), PositionExpiredError)
    with pytest.raises(PositionExpiredError):
        read_missed(uow, agency.name, after=old, until=new, limit=10)
    begin_at(uow, call_of(agency), new)


def test_what_is_kept_is_kept(uow: UnitOfWork) -> None:
    agency = store_agency(uow, WATCHES)
    forget_everything(uow)
    begin = begin_at(uow, call_of(agency), None).position
    key = interested(uow, agency)
    change(uow, key)
    while forget_old(uow, kept=DAY, at=NOW + DAY):
        pass
    found = read_missed(uow, agency.name, after=begin, until=begin + 1_000, limit=10)
    assert [hint.citizen_key for hint in found.hints] == [key]
