"""No table with something about a person can be forgotten by an export or an erasure."""

import pytest
from sqlalchemy import Column, LargeBinary, Table

from identity.audit.log import metadata as audit_metadata
from identity.storage.personal_tables import EXPLAINED, PERSONAL_TABLES, PersonalTable
from identity.storage.tables import metadata


def personal() -> set[str]:
    """Tables with a key of a person or a number, or with something sealed."""
    return {
        table.name
        for owner in (metadata, audit_metadata)
        for table in owner.sorted_tables
        if any(column.name.endswith(("citizen_key", "msisdn_key", "_sealed")) for column in table.c)
        or any(
            column.name in {"row_key", "holder_key", "claimant_key", "subject_key"}
            for column in table.c
        )
    }


def forgotten() -> set[str]:
    return personal() - {each.table.name for each in PERSONAL_TABLES} - EXPLAINED.keys()


def test_every_table_about_people_is_exported_or_explained() -> None:
    assert forgotten() == set()
    assert all(len(why) > 10 for why in EXPLAINED.values())


def test_a_new_table_that_nobody_thought_of_is_noticed() -> None:
    new = Table("zz_new", metadata, Column("citizen_key", LargeBinary))
    try:
        assert forgotten() == {"zz_new"}
    finally:
        metadata.remove(new)


def test_no_table_is_both_and_none_is_made_up() -> None:
    names = [each.table.name for each in PERSONAL_TABLES]
    assert len(names) == len(set(names))
    assert set(names) | EXPLAINED.keys() == personal()
    assert not set(names) & EXPLAINED.keys()
    sections = [each.section for each in PERSONAL_TABLES]
    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("each", PERSONAL_TABLES, ids=lambda each: each.section)
def test_the_columns_that_a_section_goes_by_are_there(each: PersonalTable) -> None:
    names = set(each.table.c.keys())
    assert names >= {*each.owners, *each.order}
    assert each.since is None or each.since in names
    if not each.owners:
        assert names >= {"msisdn_key", "subscription_id"}
