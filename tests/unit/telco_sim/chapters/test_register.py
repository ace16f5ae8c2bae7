"""The register's import, and the comparison of its answer with what must be answered."""

from datetime import date

import pytest

from subid.v1.imports_pb2 import ImportSummary, RowError
from telco_sim.chapters.register import (
    check_refusals,
    check_summary,
    expected_summary,
    with_broken_records,
)
from telco_sim.flaws import RowRefusal
from telco_sim.journal import Finding, Invariant, Journal
from telco_sim.messages import record_message
from telco_sim.population import draw_population

RECORDS = [record_message(each) for each in draw_population(9, seed=1, today=date(2026, 11, 21))]
NO_NAME = RowRefusal(field="full_name", reason="FULL_NAME_MALFORMED")


@pytest.fixture
def journal() -> Journal:
    return Journal()


def finding(journal: Journal, invariant: Invariant) -> Finding:
    (found,) = journal.findings(invariant)
    return found


def test_broken_records_stand_where_they_are_said_to() -> None:
    records, refusals = with_broken_records(RECORDS)
    assert len(records) == len(RECORDS) + 3
    assert [records[index] for index in range(len(records)) if index not in refusals] == RECORDS
    assert records[0].personal_id == RECORDS[0].personal_id[1:]
    assert records[-1].birth_date.day == 30
    assert refusals[len(records) - 1].reason == "DATE_IMPOSSIBLE"


def test_a_correct_answer_is_in_order(journal: Journal) -> None:
    refusals = {3: NO_NAME}
    summary = expected_summary(10, refusals=refusals, unchanged=2)
    summary.row_errors.append(RowError(row_index=3, field="full_name", reason=NO_NAME.reason))
    check_summary(journal, summary, expected=summary, subject="register")
    check_refusals(journal, summary, refusals=refusals, subject="register")
    assert summary.created_count == 7
    assert finding(journal, Invariant.IMPORTS_ADD_UP).holds
    assert finding(journal, Invariant.BROKEN_ROWS_REFUSED).holds


def test_counts_that_do_not_add_up_are_noticed(journal: Journal) -> None:
    summary = ImportSummary(received_count=10, created_count=8, rejected_count=1)
    check_summary(journal, summary, expected=summary, subject="register")
    assert finding(journal, Invariant.IMPORTS_ADD_UP).broken_count == 1


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [RowError(row_index=4, field="full_name", reason="FULL_NAME_MALFORMED")],
        [RowError(row_index=3, field="birth_date", reason="FULL_NAME_MALFORMED")],
        [RowError(row_index=3, field="full_name", reason="DATE_IMPOSSIBLE")],
    ],
)
def test_another_refusal_than_the_expected_is_noticed(
    errors: list[RowError], journal: Journal
) -> None:
    summary = ImportSummary(row_errors=errors)
    check_refusals(journal, summary, refusals={3: NO_NAME}, subject="register")
    assert finding(journal, Invariant.BROKEN_ROWS_REFUSED).broken_count > 0
