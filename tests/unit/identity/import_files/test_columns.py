"""Which columns a file must have, and what it is told when it has others."""

import pytest

from identity.import_files.columns import COLUMNS, FileColumn, Target, select
from identity.import_files.faults import FileFault
from subid.v1.population_service_pb2 import PopulationRecord
from subid.v1.subscription_service_pb2 import HolderClaim, SubscriptionRow
from tests.unit.identity.import_files.files import refused, selected


def columns(*names: str) -> tuple[FileColumn, ...]:
    return tuple(FileColumn(name=name) for name in names)


NEEDED = ("msisdn", "personal_id", "full_name", "birth_date")


def test_columns_are_the_fields_of_the_contract() -> None:
    record = [field.name for field in PopulationRecord.DESCRIPTOR.fields]
    row = [field.name for field in SubscriptionRow.DESCRIPTOR.fields]
    claim = [field.name for field in HolderClaim.DESCRIPTOR.fields]
    row[row.index("holder") : row.index("holder") + 1] = claim
    assert [column.name for column in COLUMNS[Target.POPULATION]] == record
    assert [column.name for column in COLUMNS[Target.SUBSCRIPTIONS]] == row


def test_columns_are_found_in_any_order_and_may_be_left_out_when_optional() -> None:
    selection = selected(columns("birth_date", "province_code", "full_name", *NEEDED[:2]))
    assert selection.places == (3, 4, 2, 0, None, None, 1)


def test_columns_are_found_by_another_name_and_left_out_by_wish() -> None:
    found = columns("SỐ", "personal_id", "full_name", "birth_date", "notes", "msisdn")
    selection = selected(found, renamed={"SỐ": "msisdn"}, ignored={"notes", "msisdn"})
    assert selection.places == (0, 1, 2, 3, None, None, None)


def test_columns_of_a_file_of_rejects_are_not_read_back() -> None:
    found = columns(*NEEDED, "reject_row", "reject_field", "reject_reason")
    assert selected(found).places[:4] == (0, 1, 2, 3)


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_column_is_named_with_what_is_there_instead(missing: str) -> None:
    names = ["theirs" if name == missing else name for name in NEEDED]
    with refused(FileFault.COLUMN_MISSING) as messages:
        selected(columns(*names))
    assert missing in messages[0]
    assert "'theirs'" in messages[0]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_columns_that_are_not_separated_by_commas_are_told_so(mark: str) -> None:
    with refused(FileFault.COLUMN_MISSING) as messages:
        selected(columns(mark.join(NEEDED)))
    assert "commas" in messages[0]


def test_a_field_at_fault_is_told_by_the_name_of_its_column() -> None:
    found = columns("so", *NEEDED[1:], "notes")
    names = selected(found, renamed={"so": "msisdn"}, ignored={"notes"}).names_in(found)
    assert names["msisdn"] == "so"
    assert names["holder.birth_date"] == "birth_date"
    assert "notes" not in names.values()


def test_an_unknown_column_is_refused_and_the_known_ones_are_named() -> None:
    with refused(FileFault.COLUMN_UNKNOWN) as messages:
        selected(columns(*NEEDED, "sex"))
    assert "'sex'" in messages[0]
    assert "point_of_sale" in messages[0]


def test_a_thousand_long_names_make_no_long_message() -> None:
    with refused(FileFault.COLUMN_UNKNOWN) as messages:
        selected(columns(*NEEDED, *(f"{'x' * 10_000}{i}" for i in range(1_000))))
    assert len(messages[0]) < 2_000


def test_a_column_that_stands_twice_is_refused() -> None:
    with refused(FileFault.COLUMN_TWICE):
        selected(columns(*NEEDED, "msisdn"))
    with refused(FileFault.COLUMN_TWICE):
        selected(columns(*NEEDED, "number"), renamed={"number": "msisdn"})


def test_options_that_name_a_column_that_is_not_there_are_refused() -> None:
    with refused(FileFault.COLUMN_MISSING):
        selected(columns(*NEEDED), ignored={"notes"})
    with refused(FileFault.COLUMN_MISSING):
        selected(columns(*NEEDED), renamed={"number": "msisdn"})
    with refused(FileFault.COLUMN_UNKNOWN):
        selected(columns(*NEEDED), renamed={"msisdn": "phone"})


@pytest.mark.parametrize(
    ("name", "type_"),
    [("personal_id", "BIGINT"), ("msisdn", "DOUBLE"), ("full_name", "BLOB"), ("msisdn", "DATE")],
)
def test_a_column_that_is_no_text_is_refused(name: str, type_: str) -> None:
    found = [FileColumn(name=n, type=type_ if n == name else "VARCHAR") for n in NEEDED]
    with refused(FileFault.COLUMN_ILL_TYPED) as messages:
        selected(found)
    assert name in messages[0]
    assert type_ in messages[0]


def test_a_day_may_be_a_date_and_not_an_instant() -> None:
    others = columns("personal_id", "full_name")
    day = FileColumn(name="birth_date", type="DATE")
    found = select((*others, day), Target.POPULATION, renamed={}, ignored=set())
    assert found.date_places() == (("birth_date", 2),)
    instant = FileColumn(name="birth_date", type="TIMESTAMP")
    with refused(FileFault.COLUMN_ILL_TYPED):
        select((*others, instant), Target.POPULATION, renamed={}, ignored=set())
