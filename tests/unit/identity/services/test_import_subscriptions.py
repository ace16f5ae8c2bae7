"""An operator's book: each row linked, counted once, and refused for itself alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from identity.domain.holder import HolderClaim
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState
from identity.services.call import Call
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchResult, RefusedRow, RowError
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    actions,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    store_citizen,
    store_number,
)

LATER = NOW + timedelta(days=1)
MALFORMED = RowError(row_index=1, field="msisdn", reason="MSISDN_MALFORMED")
BROKEN: RefusedRow[bytes] = RefusedRow(error=MALFORMED, key=None)


def row(claim: HolderClaim, msisdn: MSISDN | None = None) -> BookRow:
    return BookRow(msisdn=msisdn or make_msisdn(), claim=claim, activated_on=date(2020, 1, 2))


def store(uow: UnitOfWork, call: Call, rows: Sequence[BookRow | RefusedRow[bytes]]) -> BatchResult:
    indexed = [
        each if isinstance(each, RefusedRow) else index_row(uow.sealer, each) for each in rows
    ]
    return import_subscriptions(uow, call, indexed)


def counts(result: BatchResult) -> tuple[int, int, int, int]:
    assert result.received_count == (
        result.created_count
        + result.changed_count
        + result.unchanged_count
        + len(result.row_errors)
    )
    return (
        result.received_count,
        result.created_count,
        result.changed_count,
        result.unchanged_count,
    )


def case_causes(uow: UnitOfWork, msisdn: MSISDN) -> list[CaseCause]:
    item = uow.subscriptions.find_in_service(msisdn)
    assert item is not None
    return [case.cause for case in uow.cases.list_open([item])[item.subscription_id]]


def some_call() -> Call:
    return make_call(make_operator())


def test_rows_are_linked_and_put_on_the_ladder_that_fits(uow: UnitOfWork) -> None:
    call = some_call()
    alive, dead = store_citizen(uow), store_citizen(uow, deceased_on=date(2026, 2, 2))
    rows = [
        row(make_claim(alive)),
        row(make_claim(dead)),
        row(make_claim()),
        row(replace(make_claim(alive), full_name=PersonName(OTHER_NAME))),
    ]
    result = store(uow, call, rows)
    assert counts(result) == (4, 4, 0, 0)
    assert result.link_counts == {state.value: 1 for state in LinkState}
    assert [case_causes(uow, each.msisdn) for each in rows] == [
        [CaseCause.UNVERIFIED],
        [CaseCause.DECEASED],
        [CaseCause.NOT_FOUND],
        [CaseCause.MISMATCHED],
    ]
    item = uow.subscriptions.find_in_service(rows[0].msisdn)
    assert item is not None
    assert (item.service_state, item.applied_state) == (ServiceState.ACTIVE,) * 2
    assert (item.activated_on, item.operator_id) == (date(2020, 1, 2), call.caller.name)


def test_a_batch_leaves_one_audit_entry_with_its_counts(uow: UnitOfWork) -> None:
    call = some_call()
    store(uow, call, [row(make_claim()), BROKEN])
    assert actions(uow.connection, call.caller) == [("import_subscriptions", "stored")]


def test_the_same_book_again_changes_nothing(uow: UnitOfWork) -> None:
    call = some_call()
    rows = [row(make_claim(store_citizen(uow))) for _ in range(3)]
    store(uow, call, rows)
    before = uow.subscriptions.find_many_in_service(each.msisdn for each in rows)
    again = store(uow, replace(call, at=LATER), rows)
    assert counts(again) == (3, 0, 0, 3)
    assert again.link_counts == {"linked": 3}
    assert uow.subscriptions.find_many_in_service(each.msisdn for each in rows) == before


def test_a_corrected_book_says_so_in_the_history_of_the_link_and_nothing_else_does(
    uow: UnitOfWork,
) -> None:
    call, record = some_call(), store_citizen(uow)
    misspelt = row(replace(make_claim(record), full_name=PersonName(OTHER_NAME)))
    store(uow, call, [misspelt])
    item = uow.subscriptions.find_in_service(misspelt.msisdn)
    assert item is not None
    corrected = replace(misspelt, claim=make_claim(record))
    moved = replace(corrected, activated_on=date(2021, 3, 4))
    for day, book in enumerate((corrected, moved), start=1):
        store(uow, replace(call, at=NOW + timedelta(days=day)), [book])
    key = msisdn_key(uow.sealer, misspelt.msisdn)
    (line,) = uow.link_changes.list_of(key, item.subscription_id)
    assert (line.action, line.changed_at) == (LinkAction.BOOK_CORRECTED, LATER)
    assert (line.from_state, line.to_state) == (LinkState.MISMATCHED, LinkState.LINKED)


def test_a_number_that_stands_twice_is_taken_at_its_first_place(uow: UnitOfWork) -> None:
    call, msisdn = some_call(), make_msisdn()
    first, second = make_claim(store_citizen(uow)), make_claim(store_citizen(uow))
    rows: list[BookRow | RefusedRow[bytes]] = [
        row(first, msisdn),
        BROKEN,
        row(second, msisdn),
        row(first, msisdn),
    ]
    result = store(uow, call, rows)
    assert counts(result) == (4, 1, 0, 0)
    assert result.row_errors == (
        MALFORMED,
        RowError(row_index=2, field="msisdn", reason="ROW_DUPLICATE"),
        RowError(row_index=3, field="msisdn", reason="ROW_DUPLICATE"),
    )
    item = uow.subscriptions.find_in_service(msisdn)
    assert item is not None
    assert item.claim == first


def test_another_holder_replaces_the_claim_and_what_was_verified_of_the_old(
    uow: UnitOfWork,
) -> None:
    call = some_call()
    old = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(old, at=NOW)
    claim = make_claim(store_citizen(uow))
    changed = BookRow(msisdn=old.msisdn, claim=claim, activated_on=old.activated_on)
    result = store(uow, replace(call, at=LATER), [changed])
    assert counts(result) == (1, 0, 1, 0)
    item = uow.subscriptions.find_in_service(old.msisdn)
    assert item is not None
    assert (item.subscription_id, item.claim) == (old.subscription_id, claim)
    assert (item.verified_at, item.updated_at) == (None, LATER)
    assert case_causes(uow, old.msisdn) == [CaseCause.UNVERIFIED]
    assert uow.primaries.find(old.claim.personal_id) is None
    assert uow.primaries.find(claim.personal_id) is None


def test_another_spelling_of_the_same_holder_keeps_the_verification_but_not_the_primary(
    uow: UnitOfWork,
) -> None:
    call = some_call()
    old = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(old, at=NOW)
    claim = replace(old.claim, full_name=PersonName(OTHER_NAME))
    store(uow, call, [BookRow(msisdn=old.msisdn, claim=claim, activated_on=old.activated_on)])
    item = uow.subscriptions.find_in_service(old.msisdn)
    assert item is not None
    assert (item.verified_at, item.link.state) == (old.verified_at, LinkState.MISMATCHED)
    assert uow.primaries.find(old.claim.personal_id) is None
    assert case_causes(uow, old.msisdn) == [CaseCause.MISMATCHED]


def test_another_date_of_contract_is_a_change_of_nothing_else(uow: UnitOfWork) -> None:
    call = some_call()
    old = store_number(uow, store_citizen(uow), operator_id=call.caller.name)
    uow.primaries.set(old, at=NOW)
    moved = BookRow(msisdn=old.msisdn, claim=old.claim, activated_on=date(2001, 1, 1))
    assert counts(store(uow, call, [moved])) == (1, 0, 1, 0)
    item = uow.subscriptions.find_in_service(old.msisdn)
    assert item is not None
    assert (item.verified_at, item.link.state) == (old.verified_at, LinkState.LINKED)
    assert uow.primaries.find(old.claim.personal_id) is not None


def test_another_operators_number_is_refused_for_its_row_alone(uow: UnitOfWork) -> None:
    call = some_call()
    theirs = store_number(uow, store_citizen(uow))
    good = row(make_claim(store_citizen(uow)))
    result = store(uow, call, [row(make_claim(), theirs.msisdn), good])
    assert counts(result) == (2, 1, 0, 0)
    assert result.row_errors == (
        RowError(row_index=0, field="msisdn", reason="NUMBER_IN_SERVICE_ELSEWHERE"),
    )
    assert uow.subscriptions.find_in_service(theirs.msisdn) == theirs


def test_a_number_that_was_let_go_comes_back_by_registration_only(uow: UnitOfWork) -> None:
    gone, pending, strange = (make_msisdn() for _ in range(3))
    call = some_call()
    person = store_citizen(uow)
    for msisdn, operator_id, applied in (
        (gone, call.caller.name, ServiceState.TERMINATED),
        (pending, call.caller.name, ServiceState.SUSPENDED),
        (strange, "somebody-else", ServiceState.TERMINATED),
    ):
        store_number(
            uow,
            person,
            msisdn=msisdn,
            operator_id=operator_id,
            service_state=ServiceState.TERMINATED,
            applied_state=applied,
        )
    claim = make_claim(person)
    result = store(uow, call, [row(claim, m) for m in (gone, pending, strange)])
    assert [error.reason for error in result.row_errors] == [
        "REGISTRATION_REQUIRED",
        "TERMINATION_PENDING",
    ]
    assert result.created_count == 1


def test_an_import_does_not_wake_what_is_blocked_or_not_yet_verified(uow: UnitOfWork) -> None:
    call = some_call()
    for state in (ServiceState.INACTIVE, ServiceState.SUSPENDED):
        item = store_number(
            uow,
            store_citizen(uow),
            operator_id=call.caller.name,
            service_state=state,
            verified_at=None,
        )
        same = BookRow(msisdn=item.msisdn, claim=item.claim, activated_on=item.activated_on)
        assert counts(store(uow, call, [same])) == (1, 0, 0, 1)
        assert uow.subscriptions.find_in_service(item.msisdn) == item


def test_a_batch_of_nothing_but_errors_is_stored_as_such(uow: UnitOfWork) -> None:
    errors = [replace(MALFORMED, row_index=index) for index in range(3)]
    result = store(uow, some_call(), [RefusedRow(error=error, key=None) for error in errors])
    assert counts(result) == (3, 0, 0, 0)
    assert result.row_errors == tuple(errors)
    assert BatchResult.from_fields(result.to_fields()) == result
