"""From rows of a file to messages of the contract.

Owns how text becomes a field. It judges nothing: what is no day or no sex is sent as one that the
service refuses, with the row it stands in.
"""

from functools import lru_cache

from identity.import_files.reader import Row
from subid.v1 import match_service_pb2 as match_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.date_pb2 import Date

_ISO_DAY_CHARACTERS = 10
_SEXES = {
    "": population_pb.SEX_UNSPECIFIED,
    "male": population_pb.SEX_MALE,
    "female": population_pb.SEX_FEMALE,
}
_NO_SEX = 99
"""A value that the contract does not know."""


def population_record(row: Row) -> population_pb.PopulationRecord:
    """A record of the columns `personal_id` to `card_issued_on`."""
    personal_id, full_name, birth_date, sex, deceased_on, card_issued_on = row
    return population_pb.PopulationRecord(
        personal_id=personal_id,
        full_name=full_name,
        birth_date=_day(birth_date),
        sex=_SEXES.get((sex or "").strip().lower(), _NO_SEX),  # type: ignore[arg-type] # an open enum
        deceased_on=_day(deceased_on),
        card_issued_on=_day(card_issued_on),
    )


def subscription_row(row: Row) -> subscription_pb.SubscriptionRow:
    """A row of the columns `msisdn` to `province_code`."""
    msisdn, personal_id, full_name, birth_date, activated_on, point_of_sale, province_code = row
    return subscription_pb.SubscriptionRow(
        msisdn=msisdn,
        holder=subscription_pb.HolderClaim(
            personal_id=personal_id, full_name=full_name, birth_date=_day(birth_date)
        ),
        activated_on=_day(activated_on),
        point_of_sale=point_of_sale,
        province_code=province_code,
    )


def record_claim(row: Row) -> match_pb.RecordClaim:
    """A record of the columns `personal_id`, `full_name` and `birth_date`."""
    personal_id, full_name, birth_date = row
    return match_pb.RecordClaim(
        personal_id=personal_id, full_name=full_name, birth_date=_day(birth_date)
    )


def _day(text: str | None) -> Date | None:
    """A day, one that does not exist for anything that is not written YYYY-MM-DD, or none."""
    if text is None:
        return None
    return _iso_day(text) if len(text) == _ISO_DAY_CHARACTERS else Date()


@lru_cache(maxsize=100_000)  # two centuries and a half; birth dates come again and again
def _iso_day(text: str) -> Date:
    year, month, day = text[:4], text[5:7], text[8:]
    is_iso = text[4] == text[7] == "-" and text.isascii() and (year + month + day).isdigit()
    return Date(year=int(year), month=int(month), day=int(day)) if is_iso else Date()
