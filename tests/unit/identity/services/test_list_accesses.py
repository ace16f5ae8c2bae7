"""A person's history: who looked and who changed what, the newest first, embargoes kept."""

from datetime import datetime, timedelta

import pytest

from identity.audit.log import AuditEntry, append, read_about_citizen
from identity.domain.access_history import OWN_LOOKS
from identity.domain.caller import Role
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.list_accesses import AccessPage, list_accesses
from identity.services.read_subscriptions import get_subscription, list_of_citizen
from identity.services.verification_sessions import get_verification, start_verification
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_personal_id,
    store_citizen,
    store_number,
)

DAY = timedelta(days=1)


def read(uow: UnitOfWork, person: PersonalID, case: str, *, until: datetime | None = None) -> None:
    """Somebody looks a person up, under an embargo perhaps."""
    entry = AuditEntry(
        occurred_at=NOW,
        caller="agency:tax",
        action="get_contact",
        outcome="available",
        citizen_key=citizen_key(uow.sealer, person),
        purpose="legal_notice",
        legal_basis="Law 26/2023/QH15, art. 10",
        case_id=case,
        shown_from=until,
        fields="number",
    )
    append(uow.connection, [entry])


def app(*, at: datetime = NOW) -> Call:
    return make_call("app", role=Role.CITIZEN_APP, at=at)


def page(
    uow: UnitOfWork,
    person: PersonalID,
    *,
    at: datetime = NOW,
    before: int | None = None,
    limit: int = 100,
) -> AccessPage:
    return list_accesses(uow, app(at=at), person, before=before, limit=limit)


def cases(found: AccessPage) -> list[str | None]:
    return [each.case_id for each in found.entries]


def test_pages_are_whole_and_the_newest_comes_first(uow: UnitOfWork) -> None:
    person = make_personal_id()
    for number in range(5):
        read(uow, person, f"case-{number}")
    before, seen, sizes = None, [], []
    while True:
        found = page(uow, person, before=before, limit=2)
        seen += cases(found)
        sizes.append(len(found.entries))
        before = found.next_before
        if before is None:
            break
    assert seen == [f"case-{number}" for number in (4, 3, 2, 1, 0)]
    assert sizes == [2, 2, 1]


def test_a_line_says_who_looked_when_at_what_why_and_how_it_ended(uow: UnitOfWork) -> None:
    person = make_personal_id()
    read(uow, person, "case-1")
    (line,) = page(uow, person).entries
    assert line._asdict() == {
        "entry_id": line.entry_id,
        "occurred_us": int(NOW.timestamp()) * 1_000_000,
        "caller": "agency:tax",
        "action": "get_contact",
        "outcome": "available",
        "fields": "number",
        "purpose": "legal_notice",
        "legal_basis": "Law 26/2023/QH15, art. 10",
        "case_id": "case-1",
    }


def test_an_embargo_is_counted_at_once_and_shown_exactly_when_it_ends(uow: UnitOfWork) -> None:
    person = make_personal_id()
    read(uow, person, "open")
    read(uow, person, "embargoed", until=NOW + DAY)
    just_before = page(uow, person, at=NOW + DAY - timedelta(microseconds=1))
    assert (cases(just_before), just_before.withheld_count) == (["open"], 1)
    at_the_end = page(uow, person, at=NOW + DAY)
    assert (cases(at_the_end), at_the_end.withheld_count) == (["embargoed", "open"], 0)


@pytest.mark.parametrize("place", range(5))
def test_an_embargo_that_ends_between_two_pages_neither_skips_nor_repeats(
    uow: UnitOfWork, place: int
) -> None:
    person = make_personal_id()
    for number in range(5):
        read(uow, person, f"case-{number}", until=NOW + DAY if number == place else None)
    first = page(uow, person, limit=2)
    assert first.withheld_count == 1
    rest = page(uow, person, at=NOW + DAY, before=first.next_before)
    seen = [*cases(first), *cases(rest)]
    assert len(seen) == len(set(seen))
    # What lies before the first page's end was not there to be shown; all else is at its place.
    assert first.next_before is not None
    everything = page(uow, person, at=NOW + DAY)
    assert seen == [
        each.case_id
        for each in everything.entries
        if each.case_id != f"case-{place}" or each.entry_id < first.next_before
    ]
    assert cases(everything) == [f"case-{number}" for number in (4, 3, 2, 1, 0)]


def test_an_own_look_is_on_record_and_not_in_the_history(uow: UnitOfWork) -> None:
    person = make_personal_id()
    list_of_citizen(uow, app(), person, after=None, limit=10)
    assert not page(uow, person).entries
    assert not page(uow, person).entries
    recorded = read_about_citizen(uow.connection, citizen_key(uow.sealer, person))
    actions = [entry.action for entry in recorded]
    assert actions == ["list_own_subscriptions", "list_accesses", "list_accesses"]
    assert set(actions) <= OWN_LOOKS


def test_an_operators_looks_at_numbers_and_verifications_are_shown(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    item = store_number(uow, record)
    call = make_call(item.operator_id)
    get_subscription(uow, call, item.msisdn)
    session = start_verification(uow, call, item.msisdn, None)
    get_verification(uow, call, session.verification_id)
    shown = page(uow, record.personal_id).entries
    assert {each.caller for each in shown} == {str(call.caller)}
    assert [each.action for each in shown] == [
        *("get_verification", "start_verification", "get_subscription")
    ]


def test_what_concerned_somebody_else_is_not_shown(uow: UnitOfWork) -> None:
    read(uow, make_personal_id(), "another's", until=NOW + DAY)
    found = page(uow, make_personal_id())
    assert (found.entries, found.withheld_count, found.next_before) == ([], 0, None)
