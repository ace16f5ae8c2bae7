"""Rows of a file become messages, and what is wrong with them is the service's to say."""

import pytest

from identity.domain.errors import RequestInvalidError
from identity.rpc import decode
from identity.rpc.import_rows import population_record, record_claim, subscription_row
from subid.v1 import match_service_pb2 as match_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.date_pb2 import Date


def record(**fields: str | None) -> population_pb.PopulationRecord:
    row: dict[str, str | None] = {
        "personal_id": "001090000001",
        "full_name": "Nguyễn Văn An",
        "birth_date": "1990-02-28",
        "sex": None,
        "deceased_on": None,
        "card_issued_on": None,
        **fields,
    }
    return population_record(tuple(row.values()))


def test_a_row_of_an_agency_has_what_it_gives_and_nothing_else() -> None:
    assert record_claim(("001090000001", "An", "1990-02-28")) == match_pb.RecordClaim(
        personal_id="001090000001",
        full_name="An",
        birth_date=Date(year=1990, month=2, day=28),
    )
    bare = record_claim(("001090000001", None, None))
    assert bare == match_pb.RecordClaim(personal_id="001090000001")
    assert not bare.HasField("birth_date")


def test_a_full_row_of_a_book_is_the_whole_message() -> None:
    row = ("0912345678", "001090000001", "An", "1990-02-28", "2020-12-31", "POS-1", "01")
    assert subscription_row(row) == subscription_pb.SubscriptionRow(
        msisdn="0912345678",
        holder=subscription_pb.HolderClaim(
            personal_id="001090000001",
            full_name="An",
            birth_date=Date(year=1990, month=2, day=28),
        ),
        activated_on=Date(year=2020, month=12, day=31),
        point_of_sale="POS-1",
        province_code="01",
    )


def test_an_empty_row_is_an_empty_message() -> None:
    empty = subscription_row((None,) * 7)
    assert empty == subscription_pb.SubscriptionRow(holder=subscription_pb.HolderClaim())
    assert population_record((None,) * 6) == population_pb.PopulationRecord()


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        (None, population_pb.SEX_UNSPECIFIED),
        ("male", population_pb.SEX_MALE),
        (" Female ", population_pb.SEX_FEMALE),
    ],
)
def test_a_sex_is_read_by_its_word(text: str | None, sex: population_pb.Sex) -> None:
    assert record(sex=text).sex == sex


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("sex", "other", "VALUE_MISSING"),
        ("birth_date", None, "VALUE_MISSING"),
        ("birth_date", "1990-02-30", "DATE_IMPOSSIBLE"),
        ("birth_date", "28/02/1990", "DATE_IMPOSSIBLE"),
        ("birth_date", "1990-2-28", "DATE_IMPOSSIBLE"),
        ("birth_date", "1990-02-2²", "DATE_IMPOSSIBLE"),
        ("birth_date", "1990-02-28 00:00:00", "DATE_IMPOSSIBLE"),
        ("deceased_on", "x", "DATE_IMPOSSIBLE"),
        ("card_issued_on", "0000-00-00", "DATE_IMPOSSIBLE"),
    ],
)
def test_a_value_that_is_none_is_refused_by_the_service_at_its_field(
    field: str, value: str | None, reason: str
) -> None:
    with pytest.raises(RequestInvalidError) as caught:
        decode.population_record(record(**{field: value}))
    assert [(each.field, each.reason) for each in caught.value.violations] == [(field, reason)]
