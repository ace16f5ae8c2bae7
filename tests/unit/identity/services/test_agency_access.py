"""Agencies are let in by a grant, as far as the day's quota goes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from identity.domain.agency import Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.errors import PurposeNotAllowedError, QuotaExceededError
from identity.services.agency_access import admit, admit_all, record
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_access, make_agency, make_grant, store_agency
from tests.unit.identity.conftest import Race
from tests.unit.identity.makers import NOW

TODAY = NOW.date()  # 16:30 in Viet Nam


def used(uow: UnitOfWork, name: str, purpose: Purpose = Purpose.SERVICE_DELIVERY) -> int:
    return uow.agencies.used((name, purpose, TODAY))


def test_what_is_registered_is_found_as_it_was_given(uow: UnitOfWork) -> None:
    grants = (
        make_grant(*Right, legal_bases=frozenset({"Law 1", "Law 2"}), people_per_day_max=7),
        make_grant(Right.NOTIFY, purpose=Purpose.LEGAL_NOTICE),
    )
    agency = store_agency(uow, *grants)
    found = uow.agencies.find(agency.name)
    assert found is not None
    assert (found.name, found.is_active) == (agency.name, True)
    assert set(found.grants) == set(grants)
    assert uow.agencies.find("nobody") is None


def test_a_new_registration_replaces_all_that_was_granted(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(), make_grant(purpose=Purpose.LEGAL_NOTICE))
    admit(uow, make_access(agency), Right.NUMBER)
    uow.agencies.save(
        type(agency)(name=agency.name, is_active=False, grants=()), by="regulator:r", at=NOW
    )
    found = uow.agencies.find(agency.name)
    assert found is not None
    assert (found.is_active, tuple(found.grants)) == (False, ())
    assert used(uow, agency.name) == 1


def test_an_access_is_counted_with_all_its_people(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(people_per_day_max=10))
    assert isinstance(admit(uow, make_access(agency, people_count=9), Right.NUMBER), Grant)
    assert used(uow, agency.name) == 9
    with pytest.raises(QuotaExceededError):
        admit(uow, make_access(agency, people_count=2), Right.NUMBER)
    assert used(uow, agency.name) == 9
    admit(uow, make_access(agency), Right.NUMBER)
    assert used(uow, agency.name) == 10


def test_who_asks_first_for_more_than_a_day_allows_counts_as_nobody(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(people_per_day_max=10))
    for _ in range(2):
        with pytest.raises(QuotaExceededError):
            admit(uow, make_access(agency, people_count=11), Right.NUMBER)
    assert used(uow, agency.name) == 0


@pytest.mark.parametrize(
    ("at", "wait_s"),
    [
        (datetime(2026, 5, 1, 16, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 5, 1, 17, 0, 0, tzinfo=UTC), 24 * 3600),
        (datetime(2026, 5, 1, 5, 0, 0, tzinfo=UTC), 12 * 3600),
    ],
)
def test_a_day_ends_at_midnight_in_viet_nam(uow: UnitOfWork, at: datetime, wait_s: float) -> None:
    agency = store_agency(uow, make_grant(people_per_day_max=1))
    admit(uow, make_access(agency, at=at), Right.NUMBER)
    with pytest.raises(QuotaExceededError) as caught:
        admit(uow, make_access(agency, at=at), Right.NUMBER)
    assert caught.value.retry_after_s == wait_s
    just_before = at + timedelta(seconds=wait_s, microseconds=-1)
    with pytest.raises(QuotaExceededError):
        admit(uow, make_access(agency, at=just_before), Right.NUMBER)
    admit(uow, make_access(agency, at=at + timedelta(seconds=wait_s)), Right.NUMBER)


def test_each_purpose_has_a_quota_of_its_own(uow: UnitOfWork) -> None:
    grants = [
        make_grant(purpose=purpose, people_per_day_max=1)
        for purpose in (Purpose.SERVICE_DELIVERY, Purpose.LEGAL_NOTICE)
    ]
    agency = store_agency(uow, *grants)
    for grant in grants:
        admit(uow, make_access(agency, purpose=grant.purpose), Right.NUMBER)
        with pytest.raises(QuotaExceededError):
            admit(uow, make_access(agency, purpose=grant.purpose), Right.NUMBER)


def test_who_is_not_registered_suspended_or_has_no_such_grant_is_refused_and_not_counted(
    uow: UnitOfWork,
) -> None:
    agencies = [
        make_agency(make_grant()),
        store_agency(uow, make_grant(), is_active=False),
        store_agency(uow, make_grant(purpose=Purpose.LEGAL_NOTICE)),
        store_agency(uow),
    ]
    accesses = [make_access(each, purpose=Purpose.SERVICE_DELIVERY) for each in agencies]
    admitted = admit_all(uow, accesses, Right.NUMBER)
    assert {type(each) for each in admitted} == {PurposeNotAllowedError}
    # They cannot be told apart, either.
    assert len({str(each) for each in admitted}) == 1
    assert {used(uow, each.name) for each in agencies} == {0}


def test_who_came_first_is_let_in_where_the_quota_does_not_do_for_all(uow: UnitOfWork) -> None:
    scarce = store_agency(uow, make_grant(people_per_day_max=5))
    rich = store_agency(uow, make_grant())
    counts = (3, 3, 1, 2, 1)
    accesses = [make_access(scarce, people_count=count) for count in counts]
    accesses.insert(1, make_access(rich, people_count=900))
    admitted = admit_all(uow, accesses, Right.NUMBER)
    assert [isinstance(each, Grant) for each in admitted] == [True, True, False, True, False, True]
    assert (used(uow, scarce.name), used(uow, rich.name)) == (5, 900)


def test_agencies_at_the_end_of_their_quotas_cost_a_group_no_more_statements(
    uow: UnitOfWork,
) -> None:
    def statements(count: int) -> int:
        agencies = [store_agency(uow, make_grant(people_per_day_max=2)) for _ in range(count)]
        accesses = [make_access(each) for each in agencies for _ in range(count)]
        seen: list[str] = []

        def listen(*given: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event
            seen.append(given[2])

        event.listen(uow.connection, "before_cursor_execute", listen)
        admit_all(uow, accesses, Right.NUMBER)
        event.remove(uow.connection, "before_cursor_execute", listen)
        return len(seen)

    assert statements(3) == statements(16)


def test_together_they_never_have_more_than_the_quota(
    transactions: Transactions, race: Race
) -> None:
    with transactions.database.transaction() as uow:
        agency = store_agency(uow, make_grant(people_per_day_max=20))

    def ask() -> int:
        accesses = [make_access(agency, people_count=count) for count in (1, 2, 1)]
        admitted = transactions.run(lambda uow: admit_all(uow, accesses, Right.NUMBER))
        return sum(
            access.people_count
            for access, each in zip(accesses, admitted, strict=True)
            if isinstance(each, Grant)
        )

    given = race([ask] * 8)
    assert sum(given) == 20
    with transactions.database.transaction() as uow:
        assert used(uow, agency.name) == 20


def test_what_was_refused_with_its_transaction_was_never_counted(
    transactions: Transactions,
) -> None:
    with transactions.database.transaction() as uow:
        agency = store_agency(uow, make_grant(people_per_day_max=1))

    def fail(uow: UnitOfWork) -> None:
        admit(uow, make_access(agency), Right.NUMBER)
        raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        transactions.run(fail)
    transactions.run(lambda uow: admit(uow, make_access(agency), Right.NUMBER))


def test_the_record_of_an_access_holds_its_grounds() -> None:
    agency = make_agency()
    later = NOW + timedelta(days=3)
    access = make_access(agency, case_id="c-1", shown_from=later)
    entry = record(
        access,
        b"k" * 16,
        action="get_contact",
        outcome="available",
        fields=(Right.NUMBER, Right.ABSENCE_CAUSE),
    )
    assert entry.caller == str(Caller(Role.AGENCY, agency.name))
    assert (entry.occurred_at, entry.shown_from, entry.case_id) == (NOW, later, "c-1")
    assert (entry.purpose, entry.legal_basis) == ("service_delivery", access.legal_basis)
    assert (entry.action, entry.outcome, entry.citizen_key) == (
        "get_contact",
        "available",
        b"k" * 16,
    )
    assert entry.fields == "absence_cause,number"
    plain = record(make_access(agency), b"k" * 16, action="match", outcome="none")
    assert (plain.case_id, plain.fields, plain.shown_from) == (None, None, None)
