"""Merged records: what follows for the record, its numbers, and whoever is told of them."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from identity.domain.caller import Role
from identity.domain.errors import CitizenNotFoundError, PersonalIDRetiredError
from identity.domain.holder import PopulationRecord
from identity.domain.link import FieldResult, LinkState
from identity.domain.policy import CaseCause
from identity.domain.subscriber_update import NO_NEWS
from identity.domain.verification import VerdictReason, VerdictState
from identity.services.apply_population_changes import (
    Correction,
    Death,
    MergedRecords,
    NewCard,
    PopulationChange,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.explain_subscription import explain_subscription
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import RowError
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import (
    NOW,
    actions,
    find,
    judge,
    make_call,
    make_claim,
    make_evidence,
    make_msisdn,
    make_operator,
    make_personal_id,
    store_citizen,
    store_number,
    store_primary,
)

DAY = date(2026, 4, 30)


def authority() -> Call:
    return make_call(make_operator(), role=Role.POPULATION)


def merge(uow: UnitOfWork, retired: PopulationRecord, surviving: PopulationRecord) -> Call:
    call = authority()
    merged = MergedRecords(retired.personal_id, surviving.personal_id)
    apply_population_changes(uow, call, [merged])
    return call


def test_numbers_under_the_retired_personal_id_break_and_the_history_says_why(
    uow: UnitOfWork,
) -> None:
    record, item = store_primary(uow)
    surviving = store_citizen(uow)
    other = store_number(uow, surviving)
    call = merge(uow, record, surviving)
    stored = find(uow, item)
    assert stored.link.state is LinkState.MISMATCHED
    assert stored.link.personal_id.result is FieldResult.MISMATCH
    assert stored.verified_at == item.verified_at
    (case,) = uow.cases.list_open([stored])[stored.subscription_id]
    assert case.cause is CaseCause.MISMATCHED
    assert uow.primaries.find(record.personal_id) is None
    assert find(uow, other) == other
    (line,) = uow.link_changes.list_of(msisdn_key(uow.sealer, item.msisdn), item.subscription_id)
    assert (line.action, line.changed_at) == (LinkAction.POPULATION_CHANGE, call.at)
    assert (line.from_state, line.to_state) == (LinkState.LINKED, LinkState.MISMATCHED)
    assert actions(uow.connection, call.caller) == [
        ("apply_population_change", "mergedrecords"),
        ("apply_population_change", "mergedrecords"),
        ("relink", "mismatched"),
    ]


def test_the_authority_is_owed_the_broken_link_and_the_lost_primary(uow: UnitOfWork) -> None:
    record, item = store_primary(uow)
    uow.subscriber_updates.note(
        {(msisdn_key(uow.sealer, item.msisdn), item.subscription_id): NO_NEWS}, at=NOW
    )
    merge(uow, record, store_citizen(uow))
    updates = uow.subscriber_updates.lease(
        lease_id=uuid4(), expires_at=NOW + timedelta(minutes=5), at=NOW, limit=100
    )
    (told,) = [each for each in updates if each.subscription_id == item.subscription_id]
    assert told.personal_id == record.personal_id
    assert (told.standing.link_state, told.standing.primary_since) == (LinkState.MISMATCHED, None)


def test_a_corrected_book_links_the_surviving_personal_id_and_asks_for_a_verification(
    uow: UnitOfWork,
) -> None:
    record, item = store_primary(uow)
    surviving = store_citizen(uow)
    merge(uow, record, surviving)
    call = make_call(item.operator_id)
    row = BookRow(msisdn=item.msisdn, claim=make_claim(surviving), activated_on=item.activated_on)
    result = import_subscriptions(uow, call, [index_row(uow.sealer, row)])
    assert (result.changed_count, result.link_counts) == (1, {"linked": 1})
    stored = find(uow, item)
    assert (stored.link.state, stored.verified_at) == (LinkState.LINKED, None)
    key = msisdn_key(uow.sealer, item.msisdn)
    actions_taken = [line.action for line in uow.link_changes.list_of(key, item.subscription_id)]
    assert actions_taken == [LinkAction.POPULATION_CHANGE, LinkAction.NEW_HOLDER]
    explained = explain_subscription(uow, call, item.msisdn, None)
    assert explained is not None
    assert [line.action for line in explained.link_history] == actions_taken
    app = make_call("vneid", role=Role.CITIZEN_APP)
    for_citizen = explain_subscription(uow, app, item.msisdn, surviving.personal_id)
    assert for_citizen is not None
    assert for_citizen.link_history == ()


def test_a_book_that_names_a_retired_personal_id_is_mismatched_from_the_first(
    uow: UnitOfWork,
) -> None:
    record = store_citizen(uow)
    merge(uow, record, store_citizen(uow))
    row = BookRow(msisdn=make_msisdn(), claim=make_claim(record))
    result = import_subscriptions(uow, make_call(make_operator()), [index_row(uow.sealer, row)])
    assert result.link_counts == {"mismatched": 1}


def test_nobody_is_verified_under_a_retired_personal_id(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    merge(uow, record, store_citizen(uow))
    retired = uow.citizens.find(record.personal_id)
    assert retired is not None
    verdict = judge(make_evidence(retired))
    assert verdict.state is VerdictState.NOT_VERIFIED
    assert verdict.reasons == (VerdictReason.RECORD_MERGED,)


def test_an_older_copy_of_the_register_does_not_revive_a_retired_personal_id(
    uow: UnitOfWork,
) -> None:
    record, surviving = store_citizen(uow), store_citizen(uow)
    item = store_number(uow, record)
    merge(uow, record, surviving)
    result = import_population(uow, authority(), [surviving, record])
    assert result.row_errors == (
        RowError(row_index=1, field="personal_id", reason="PERSONAL_ID_RETIRED"),
    )
    assert (result.unchanged_count, result.changed_count) == (1, 0)
    merged = replace(record, merged_into=surviving.personal_id)
    assert uow.citizens.find(record.personal_id) == merged
    assert find(uow, item).link.state is LinkState.MISMATCHED


def test_a_retired_record_takes_no_further_change(uow: UnitOfWork) -> None:
    record, surviving, third = store_citizen(uow), store_citizen(uow), store_citizen(uow)
    merge(uow, record, surviving)
    changes: list[PopulationChange] = [
        Correction(record),
        Death(record.personal_id, DAY),
        NewCard(record.personal_id, DAY),
        MergedRecords(record.personal_id, third.personal_id),
        MergedRecords(third.personal_id, record.personal_id),
    ]
    for change in changes:
        with pytest.raises(PersonalIDRetiredError):
            apply_population_changes(uow, authority(), [change])


def test_a_survivor_may_be_retired_in_its_turn(uow: UnitOfWork) -> None:
    first, second, third = store_citizen(uow), store_citizen(uow), store_citizen(uow)
    merge(uow, first, second)
    merge(uow, second, third)
    found = uow.citizens.find(first.personal_id)
    assert found is not None
    assert found.merged_into == second.personal_id


@pytest.mark.parametrize("is_retired_known", [True, False])
def test_both_personal_ids_need_a_record(uow: UnitOfWork, *, is_retired_known: bool) -> None:
    known, unknown = store_citizen(uow).personal_id, make_personal_id()
    ids = (known, unknown) if is_retired_known else (unknown, known)
    with pytest.raises(CitizenNotFoundError):
        apply_population_changes(uow, authority(), [MergedRecords(*ids)])
