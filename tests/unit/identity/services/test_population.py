"""Population records: imported or changed, and whoever they touch is compared again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest

from identity.domain.caller import Role
from identity.domain.errors import CitizenExistsError, CitizenNotFoundError
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState
from identity.services.apply_population_changes import (
    Birth,
    Correction,
    Death,
    NewCard,
    PopulationChange,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.imports import RefusedRow, RowError
from identity.services.relink_citizens import relink_citizens
from identity.services.transactions import Transactions
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, UnitOfWork
from tests.unit.identity.makers import (
    OTHER_NAME,
    actions,
    find,
    make_call,
    make_claim,
    make_link,
    make_msisdn,
    make_operator,
    make_personal_id,
    make_record,
    make_subscription,
    store_citizen,
    store_number,
    store_primary,
    wait_until_somebody_waits_for,
)

DIED_ON = date(2026, 4, 30)


def authority() -> Call:
    return make_call(make_operator(), role=Role.POPULATION)


def test_an_import_counts_and_stores_records(uow: UnitOfWork) -> None:
    call = authority()
    known, fresh = store_citizen(uow), make_record()
    changed = replace(store_citizen(uow), full_name=PersonName(OTHER_NAME))
    broken = RowError(row_index=2, field="full_name", reason="FULL_NAME_MALFORMED")
    rows: list[PopulationRecord | RefusedRow[PersonalID]] = [
        known,
        fresh,
        RefusedRow(error=broken, key=None),
        changed,
        replace(fresh, deceased_on=DIED_ON),
    ]
    result = import_population(uow, call, rows)
    assert (result.received_count, result.created_count) == (5, 1)
    assert (result.changed_count, result.unchanged_count) == (1, 1)
    assert result.row_errors == (
        broken,
        RowError(row_index=4, field="personal_id", reason="ROW_DUPLICATE"),
    )
    assert uow.citizens.find(fresh.personal_id) == fresh
    assert actions(uow.connection, call.caller) == [("import_population", "stored")]


def test_an_import_relinks_whom_it_touches(uow: UnitOfWork) -> None:
    call = authority()
    record = make_record()
    item = store_number(uow, record, link=make_link(LinkState.NOT_FOUND), verified_at=None)
    import_population(uow, call, [record])
    assert find(uow, item).link.state is LinkState.LINKED
    assert actions(uow.connection, call.caller) == [
        ("relink", "linked"),
        ("import_population", "stored"),
    ]


def test_a_death_links_clears_the_primary_and_opens_the_case(uow: UnitOfWork) -> None:
    call = authority()
    record, item = store_primary(uow)
    second = store_number(uow, record, operator_id=make_operator())
    relinked = apply_population_changes(uow, call, [Death(record.personal_id, DIED_ON)])
    assert relinked == 2
    for number in (item, second):
        stored = find(uow, number)
        assert stored.link.state is LinkState.DECEASED
        assert stored.verified_at == number.verified_at
        (case,) = uow.cases.list_open([stored])[stored.subscription_id]
        assert (case.cause, case.track, case.opened_at) == (CaseCause.DECEASED, "T4", call.at)
    assert uow.primaries.find(record.personal_id) is None
    known = uow.citizens.find(record.personal_id)
    assert known == replace(record, deceased_on=DIED_ON)
    assert actions(uow.connection, call.caller) == [
        ("apply_population_change", "death"),
        ("relink", "deceased"),
        ("relink", "deceased"),
    ]


def test_a_death_that_was_a_mistake_withdraws_the_case_but_restores_no_primary(
    uow: UnitOfWork,
) -> None:
    record, item = store_primary(uow)
    apply_population_changes(uow, authority(), [Death(record.personal_id, DIED_ON)])
    apply_population_changes(uow, authority(), [Correction(record)])
    stored = find(uow, item)
    assert stored.link.state is LinkState.LINKED
    assert uow.cases.list_open([stored])[stored.subscription_id] == []
    assert uow.primaries.find(record.personal_id) is None


def test_a_birth_links_numbers_that_waited_for_it(uow: UnitOfWork) -> None:
    record = make_record()
    item = store_number(uow, record, link=make_link(LinkState.NOT_FOUND), verified_at=None)
    assert apply_population_changes(uow, authority(), [Birth(record)]) == 1
    assert find(uow, item).link.state is LinkState.LINKED
    assert uow.citizens.find(record.personal_id) == record


def test_a_corrected_name_breaks_a_link_and_a_new_card_does_not(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    card = NewCard(record.personal_id, date(2026, 4, 1))
    assert apply_population_changes(uow, authority(), [card]) == 0
    assert uow.primaries.find(record.personal_id) is not None
    renamed = replace(record, full_name=PersonName(OTHER_NAME), card_issued_on=card.issued_on)
    assert apply_population_changes(uow, authority(), [Correction(renamed)]) == 1
    assert find(uow, item).link.state is LinkState.MISMATCHED
    assert uow.primaries.find(record.personal_id) is None
    assert uow.citizens.find(record.personal_id) == renamed


def test_changes_of_one_person_build_on_each_other(uow: UnitOfWork) -> None:
    record = make_record()
    changes: list[PopulationChange] = [
        Birth(record),
        NewCard(record.personal_id, date(2025, 1, 1)),
        Death(record.personal_id, DIED_ON),
    ]
    apply_population_changes(uow, authority(), changes)
    assert uow.citizens.find(record.personal_id) == replace(
        record, card_issued_on=date(2025, 1, 1), deceased_on=DIED_ON
    )


@pytest.mark.parametrize("kind", ["death", "correction", "new_card"])
def test_a_change_of_an_unknown_person_is_refused(uow: UnitOfWork, kind: str) -> None:
    stranger = make_record()
    changes: dict[str, PopulationChange] = {
        "death": Death(stranger.personal_id, DIED_ON),
        "correction": Correction(stranger),
        "new_card": NewCard(stranger.personal_id, DIED_ON),
    }
    with pytest.raises(CitizenNotFoundError):
        apply_population_changes(uow, authority(), [changes[kind]])


def test_a_second_birth_is_refused(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    with pytest.raises(CitizenExistsError):
        apply_population_changes(uow, authority(), [Birth(record)])
    twin = make_record()
    with pytest.raises(CitizenExistsError):
        apply_population_changes(uow, authority(), [Birth(twin), Birth(twin)])


def test_changes_are_applied_all_or_none(database: Database, transactions: Transactions) -> None:
    with database.transaction() as uow:
        record, item = store_primary(uow)
    call = authority()
    changes: list[PopulationChange] = [
        Death(record.personal_id, DIED_ON),
        Death(make_personal_id(), DIED_ON),
    ]
    with pytest.raises(CitizenNotFoundError):
        transactions.run(lambda uow: apply_population_changes(uow, call, changes))
    with database.transaction() as uow:
        assert uow.citizens.find(record.personal_id) == record
        assert find(uow, item) == item
        assert uow.primaries.find(record.personal_id) is not None
        assert actions(uow.connection, call.caller) == []


def test_changes_of_one_record_at_once_do_not_undo_each_other(
    database: Database, transactions: Transactions
) -> None:
    """A new card that was being entered while the death came in must not bring anybody to life."""
    with database.transaction() as uow:
        record = store_citizen(uow)
    death = Death(record.personal_id, DIED_ON)
    card = NewCard(record.personal_id, date(2026, 4, 2))
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as uow:
            apply_population_changes(uow, authority(), [death])
            late = thread.submit(
                transactions.run, lambda uow: apply_population_changes(uow, authority(), [card])
            )
            wait_until_somebody_waits_for(uow)
        late.result(10)
    with database.transaction() as uow:
        assert uow.citizens.find(record.personal_id) == replace(
            record, deceased_on=DIED_ON, card_issued_on=card.issued_on
        )


def test_relinking_without_a_difference_changes_nothing(uow: UnitOfWork) -> None:
    call = authority()
    record = store_citizen(uow)
    item = make_subscription(make_claim(record), msisdn=make_msisdn())
    uow.subscriptions.save(item)
    key = citizen_key(uow.sealer, record.personal_id)
    assert relink_citizens(uow, call, [key], action="test") == 0
    assert find(uow, item) == item
    assert relink_citizens(uow, call, [], action="test") == 0
    assert actions(uow.connection, call.caller) == []


def test_a_broken_link_orders_nothing_before_the_clock_runs(uow: UnitOfWork) -> None:
    operator = make_operator()
    record = store_citizen(uow)
    item = store_number(uow, record, operator_id=operator)
    apply_population_changes(uow, authority(), [Death(record.personal_id, DIED_ON)])
    assert find(uow, item).service_state is ServiceState.ACTIVE
    ends_at = item.updated_at + timedelta(hours=1)
    lease = partial(uow.directives.lease, operator, lease_id=uuid4(), expires_at=ends_at, limit=9)
    assert lease(at=item.updated_at) == []
