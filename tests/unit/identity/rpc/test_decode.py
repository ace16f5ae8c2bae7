"""From messages to domain values: what is taken, and which field is blamed."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.errors import PageTokenInvalidError, RequestInvalidError
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID, Sex
from identity.rpc import decode
from identity.services.imports import RefusedRow, RowError
from subid.v1 import population_service_pb2, subscription_service_pb2
from subid.v1.date_pb2 import Date

BORN = Date(year=1990, month=5, day=17)


def claim(**fields: object) -> subscription_service_pb2.HolderClaim:
    content = {"personal_id": "001090123456", "full_name": "Nguyễn Thị Thử", "birth_date": BORN}
    return subscription_service_pb2.HolderClaim(**{**content, **fields})  # type: ignore[arg-type] # any field


def record(**fields: object) -> population_service_pb2.PopulationRecord:
    content = {"personal_id": "001090123456", "full_name": "Nguyễn Thị Thử", "birth_date": BORN}
    return population_service_pb2.PopulationRecord(**{**content, **fields})  # type: ignore[arg-type] # any field


def violations(error: RequestInvalidError) -> list[tuple[str, str]]:
    return [(each.field, each.reason) for each in error.violations]


def test_a_holder_is_read() -> None:
    value = decode.holder_claim(claim(full_name=" Nguyễn  Thị Thử "), path="holder")
    assert value.personal_id == PersonalID("001090123456")
    assert value.full_name.value == "Nguyễn Thị Thử"
    assert value.birth_date == date(1990, 5, 17)


def test_every_fault_of_a_holder_is_blamed_under_its_path() -> None:
    bad = subscription_service_pb2.HolderClaim(personal_id="1", full_name="\x00")
    with pytest.raises(RequestInvalidError) as caught:
        decode.holder_claim(bad, path="events[3].holder")
    assert violations(caught.value) == [
        ("events[3].holder.personal_id", "PERSONAL_ID_MALFORMED"),
        ("events[3].holder.full_name", "FULL_NAME_MALFORMED"),
        ("events[3].holder.birth_date", "VALUE_MISSING"),
    ]


def test_no_description_of_a_fault_repeats_the_value() -> None:
    bad = claim(personal_id="00109012345x", full_name="Nguyễn 2", birth_date=Date(year=1990))
    with pytest.raises(RequestInvalidError) as caught:
        decode.holder_claim(bad, path="holder")
    told = " ".join(each.description for each in caught.value.violations) + str(caught.value)
    assert "00109012345x" not in told
    assert "Nguyễn" not in told


def test_a_record_may_leave_out_what_is_not_known() -> None:
    value = decode.population_record(record())
    assert (value.sex, value.deceased_on, value.card_issued_on) == (None, None, None)
    full = decode.population_record(
        record(
            sex=population_service_pb2.SEX_FEMALE,
            deceased_on=Date(year=2024, month=2, day=29),
            card_issued_on=Date(year=2021, month=1, day=1),
        )
    )
    assert full.sex is Sex.FEMALE
    assert full.deceased_on == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"sex": 9}, ("sex", "VALUE_MISSING")),
        ({"deceased_on": Date()}, ("deceased_on", "DATE_IMPOSSIBLE")),
        (
            {"card_issued_on": Date(year=2023, month=2, day=29)},
            ("card_issued_on", "DATE_IMPOSSIBLE"),
        ),
    ],
)
def test_an_optional_field_that_is_there_must_be_right(
    fields: dict[str, object], fault: tuple[str, str]
) -> None:
    with pytest.raises(RequestInvalidError) as caught:
        decode.population_record(record(**fields))
    assert violations(caught.value) == [fault]


def test_rows_are_refused_one_by_one_with_their_first_fault() -> None:
    rows = decode.population_rows([record(), record(personal_id="", full_name=""), record()])
    error = RowError(row_index=1, field="personal_id", reason="PERSONAL_ID_MALFORMED")
    assert rows[1] == RefusedRow(error=error, key=None)
    assert rows[0] == rows[2] == decode.population_record(record())


def test_a_refused_row_says_what_it_is_about_where_that_can_be_read() -> None:
    broken = record(full_name="", birth_date=None)
    (refused,) = decode.population_rows([broken])
    error = RowError(row_index=0, field="full_name", reason="FULL_NAME_MALFORMED")
    assert refused == RefusedRow(error=error, key=PersonalID(broken.personal_id))


def test_a_bug_in_a_row_is_not_taken_for_a_broken_row() -> None:
    def broken(_row: object) -> object:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        decode.rows([record()], broken, broken)


def test_a_number_is_read_in_any_form() -> None:
    assert decode.msisdn("0912 345 678") == MSISDN("+84912345678")
    with pytest.raises(RequestInvalidError) as caught:
        decode.msisdn("911", field="rows[0].msisdn")
    assert violations(caught.value) == [("rows[0].msisdn", "MSISDN_MALFORMED")]


def test_an_empty_personal_id_is_none() -> None:
    assert decode.optional_personal_id("") is None
    assert decode.optional_personal_id("001090123456") == PersonalID("001090123456")


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [
        (-62_135_596_801, 0),
        (-2_208_988_801, 0),  # a second before 1900
        (7_258_118_400, 0),  # the first of 2200
        (2**63 - 1, 0),
        (-(2**63), 0),
        (0, -1),
        (0, 1_000_000_000),
    ],
)
def test_an_instant_outside_the_calendar_is_refused(seconds: int, nanos: int) -> None:
    with pytest.raises(RequestInvalidError) as caught:
        decode.instant(Timestamp(seconds=seconds, nanos=nanos), field="as_of_time")
    assert violations(caught.value) == [("as_of_time", "DATE_IMPOSSIBLE")]


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (-2_208_988_800, datetime(1900, 1, 1, tzinfo=UTC)),
        (7_258_118_399, datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_aware_and_in_utc(seconds: int, value: datetime) -> None:
    assert decode.instant(Timestamp(seconds=seconds), field="t") == value


def test_a_duration_keeps_its_fraction() -> None:
    message = Duration(seconds=3, nanos=500_000_000)
    assert decode.duration(message, field="d") == timedelta(seconds=3.5)


@pytest.mark.parametrize("nanos", [-1, 1_000_000_000])
def test_a_duration_that_contradicts_itself_is_refused(nanos: int) -> None:
    with pytest.raises(RequestInvalidError) as caught:
        decode.duration(Duration(seconds=3, nanos=nanos), field="lease_duration")
    assert violations(caught.value) == [("lease_duration", "DATE_IMPOSSIBLE")]


@pytest.mark.parametrize(
    ("requested", "given"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_a_page_has_a_default_and_a_largest_size(requested: int, given: int) -> None:
    assert decode.page_size(requested) == given


def test_a_page_token_is_one_of_ours() -> None:
    identity = UUID("12345678-1234-5678-1234-567812345678")
    assert decode.page_token("") is None
    assert decode.page_token(identity.hex) == identity
    for token in ("x", "é" * 32, "0" * 31, "\x00" * 32):
        with pytest.raises(PageTokenInvalidError):
            decode.page_token(token)


def test_a_place_token_is_a_place_and_nothing_else() -> None:
    assert decode.place_token("") is None
    assert decode.place_token("17") == 17
    for foreign in ("-1", "1.0", "x", "9" * 19, "\u0661"):
        with pytest.raises(PageTokenInvalidError):
            decode.place_token(foreign)
