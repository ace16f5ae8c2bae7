"""From messages to domain values, collecting every field at fault.

Owns the paths of fields and the two ways in which broken input is answered: a request is refused
with all its violations at once, an import row is refused alone.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.calendar_date import parse_date
from identity.domain.errors import (
    DateImpossibleError,
    FieldViolation,
    MalformedValueError,
    PageTokenInvalidError,
    RequestInvalidError,
    ValueMissingError,
)
from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.place_of_contract import parse_point_of_sale, parse_province_code
from identity.domain.record_match import RecordClaim
from identity.services.imports import RefusedRow, RowError
from identity.storage.book import BookRow, IndexedRow, index_row
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key
from subid.v1 import (
    date_pb2,
    match_service_pb2,
    population_service_pb2,
    subscription_service_pb2,
)

_Value = TypeVar("_Value")
_Parsed = TypeVar("_Parsed")
_Key = TypeVar("_Key")

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
_PLACE_DIGITS_MAX = 18
"""Any place of so many digits fits the eight octets of a stored one."""
_NANOS_PER_SECOND = 1_000_000_000

_SEXES = {
    population_service_pb2.SEX_UNSPECIFIED: None,
    population_service_pb2.SEX_MALE: Sex.MALE,
    population_service_pb2.SEX_FEMALE: Sex.FEMALE,
}


class Fields:
    """Decodes the fields of one message and remembers what was wrong with each."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.violations: list[FieldViolation] = []

    def take(self, field: str, parse: Callable[[], _Value]) -> _Value | None:
        """The parsed field, or None with its fault noted."""
        try:
            return parse()
        except MalformedValueError as error:
            self.violations.append(
                FieldViolation(
                    field=self._prefix + field, reason=error.reason, description=str(error)
                )
            )
            return None

    def refuse(self) -> RequestInvalidError:
        """The error that tells of every fault noted."""
        return RequestInvalidError(tuple(self.violations))


def holder_claim(message: subscription_service_pb2.HolderClaim, *, path: str) -> HolderClaim:
    """A holder.

    Args:
        message: The message.
        path: Where it stands in the request, such as `holder`.

    Raises:
        RequestInvalidError: Any field at fault.
    """
    fields = Fields(f"{path}.")
    personal_id = fields.take("personal_id", lambda: PersonalID.parse(message.personal_id))
    full_name = fields.take("full_name", lambda: PersonName.parse(message.full_name))
    birth_date = fields.take("birth_date", lambda: _required_day(message, "birth_date"))
    if personal_id is None or full_name is None or birth_date is None:
        raise fields.refuse()
    return HolderClaim(personal_id=personal_id, full_name=full_name, birth_date=birth_date)


def population_record(
    message: population_service_pb2.PopulationRecord, *, path: str = ""
) -> PopulationRecord:
    """A population record.

    Raises:
        RequestInvalidError: Any field at fault.
    """
    fields = Fields(f"{path}." if path else "")
    personal_id = fields.take("personal_id", lambda: PersonalID.parse(message.personal_id))
    full_name = fields.take("full_name", lambda: PersonName.parse(message.full_name))
    birth_date = fields.take("birth_date", lambda: _required_day(message, "birth_date"))
    deceased_on = fields.take("deceased_on", lambda: _optional_day(message, "deceased_on"))
    card_issued_on = fields.take("card_issued_on", lambda: _optional_day(message, "card_issued_on"))
    known_sex = fields.take("sex", lambda: sex(message.sex))
    if fields.violations or personal_id is None or full_name is None or birth_date is None:
        raise fields.refuse()
    return PopulationRecord(
        personal_id=personal_id,
        full_name=full_name,
        birth_date=birth_date,
        sex=known_sex,
        deceased_on=deceased_on,
        card_issued_on=card_issued_on,
    )


def rows(
    messages: Iterable[_Value],
    parse: Callable[[_Value], _Parsed],
    read_key: Callable[[_Value], _Key],
) -> list[_Parsed | RefusedRow[_Key]]:
    """Rows of an import, each parsed or refused alone with the first of its faults.

    Args:
        messages: The rows.
        parse: Reads one.
        read_key: Reads of a refused row what it is about.
    """
    return [_row(index, message, parse, read_key) for index, message in enumerate(messages)]


def _row(
    index: int,
    message: _Value,
    parse: Callable[[_Value], _Parsed],
    read_key: Callable[[_Value], _Key],
) -> _Parsed | RefusedRow[_Key]:
    try:
        return parse(message)
    except RequestInvalidError as error:
        first = error.violations[0]
    key: _Key | None = None
    with suppress(MalformedValueError):
        key = read_key(message)
    refusal = RowError(row_index=index, field=first.field, reason=first.reason)
    return RefusedRow(error=refusal, key=key)


def record_claim(message: match_service_pb2.RecordClaim, *, path: str = "") -> RecordClaim:
    """What an agency holds of a person.

    Raises:
        RequestInvalidError: Any field at fault, or neither name nor birth date given.
    """
    try:
        return _clean_claim(message)
    except MalformedValueError:
        fields = Fields(f"{path}." if path else "")
        fields.take("personal_id", lambda: PersonalID.parse(message.personal_id))
        fields.take("full_name", lambda: _optional_name(message))
        fields.take("birth_date", lambda: _optional_day(message, "birth_date"))
        if not fields.violations:
            fields.take("full_name", _neither_given)
        raise fields.refuse() from None


def _clean_claim(message: match_service_pb2.RecordClaim) -> RecordClaim:
    full_name, birth_date = _optional_name(message), _optional_day(message, "birth_date")
    if full_name is None and birth_date is None:
        _neither_given()
    return RecordClaim(
        personal_id=PersonalID.parse(message.personal_id),
        full_name=full_name,
        birth_date=birth_date,
    )


def _optional_name(message: match_service_pb2.RecordClaim) -> PersonName | None:
    return PersonName.parse(message.full_name) if message.full_name else None


def _neither_given() -> None:
    raise ValueMissingError("the name or the birth date is given, or both")


def population_rows(
    messages: Iterable[population_service_pb2.PopulationRecord],
) -> list[PopulationRecord | RefusedRow[PersonalID]]:
    """Rows of the register, each parsed or refused alone."""
    return rows(messages, population_record, lambda message: PersonalID.parse(message.personal_id))


def book_rows(
    messages: Iterable[subscription_service_pb2.SubscriptionRow], sealer: Sealer
) -> list[IndexedRow | RefusedRow[bytes]]:
    """Rows of an operator's book, each parsed and indexed, or refused alone.

    The straight way first: a clean row costs no more than its values. Whatever is at fault is then
    found the slow way, which names it.
    """
    return [_indexed(index, message, sealer) for index, message in enumerate(messages)]


def _indexed(
    index: int, message: subscription_service_pb2.SubscriptionRow, sealer: Sealer
) -> IndexedRow | RefusedRow[bytes]:
    try:
        return index_row(sealer, _clean_row(message))
    except MalformedValueError:
        row = _row(
            index, message, _book_row, lambda row: msisdn_key(sealer, MSISDN.parse(row.msisdn))
        )
    return row if isinstance(row, RefusedRow) else index_row(sealer, row)


def _clean_row(message: subscription_service_pb2.SubscriptionRow) -> BookRow:
    holder = message.holder
    born = holder.birth_date
    return BookRow(
        msisdn=MSISDN.parse(message.msisdn),
        claim=HolderClaim(
            personal_id=PersonalID.parse(holder.personal_id),
            full_name=PersonName.parse(holder.full_name),
            birth_date=parse_date(born.year, born.month, born.day, field="birth_date"),
        ),
        activated_on=_optional_day(message, "activated_on"),
        point_of_sale=parse_point_of_sale(message.point_of_sale),
        province_code=parse_province_code(message.province_code),
    )


def _book_row(message: subscription_service_pb2.SubscriptionRow) -> BookRow:
    fields = Fields()
    activated_on = fields.take("activated_on", lambda: _optional_day(message, "activated_on"))
    point_of_sale = fields.take("point_of_sale", lambda: parse_point_of_sale(message.point_of_sale))
    province_code = fields.take("province_code", lambda: parse_province_code(message.province_code))
    if fields.violations:
        raise fields.refuse()
    return BookRow(
        msisdn=msisdn(message.msisdn),
        claim=holder_claim(message.holder, path="holder"),
        activated_on=activated_on,
        point_of_sale=point_of_sale,
        province_code=province_code,
    )


def msisdn(text: str, *, field: str = "msisdn") -> MSISDN:
    """A number.

    Raises:
        RequestInvalidError: It is none.
    """
    fields = Fields()
    value = fields.take(field, lambda: MSISDN.parse(text))
    if value is None:
        raise fields.refuse()
    return value


def day(message: date_pb2.Date, *, field: str) -> date:
    """A day.

    Raises:
        RequestInvalidError: There is no such day.
    """
    fields = Fields()
    value = fields.take(field, lambda: _day(message, field))
    if value is None:
        raise fields.refuse()
    return value


def optional_personal_id(text: str) -> PersonalID | None:
    """A personal ID that may be left empty; the contract has checked its form."""
    return PersonalID.parse(text) if text else None


def instant(message: Timestamp, *, field: str) -> datetime:
    """An instant.

    Raises:
        RequestInvalidError: Outside the years that a day may have: what follows from an instant
            near the end of time could not be computed.
    """
    try:
        value = message.ToDatetime(tzinfo=UTC)
        parse_date(value.year, value.month, value.day, field=field)
    except (ValueError, OverflowError, DateImpossibleError) as error:
        raise _impossible(field, "no such instant") from error
    return value


def duration(message: Duration, *, field: str) -> timedelta:
    """A length of time; the contract has checked its limits.

    Raises:
        RequestInvalidError: Its parts contradict each other.
    """
    if not 0 <= message.nanos < _NANOS_PER_SECOND:
        raise _impossible(field, "nanos are 0 to 999,999,999")
    return message.ToTimedelta()


def _impossible(field: str, description: str) -> RequestInvalidError:
    reason = DateImpossibleError.reason
    return RequestInvalidError(
        (FieldViolation(field=field, reason=reason, description=description),)
    )


def page_size(requested: int) -> int:
    """How many to return: 0 means the default, too many means the most allowed (AIP-158)."""
    return min(requested or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def page_token(token: str) -> UUID | None:
    """After which identifier a page begins.

    Raises:
        PageTokenInvalidError: We issued no such token.
    """
    try:
        return UUID(hex=token) if token else None
    except ValueError as error:
        raise PageTokenInvalidError("this page token was not issued here") from error


def place_token(token: str) -> int | None:
    """Before which place of a numbered list a page begins.

    Raises:
        PageTokenInvalidError: We issued no such token.
    """
    if not token:
        return None
    is_number = token.isascii() and token.isdecimal() and len(token) <= _PLACE_DIGITS_MAX
    if not is_number:
        raise PageTokenInvalidError("this page token was not issued here")
    return int(token)


def _required_day(
    message: subscription_service_pb2.HolderClaim | population_service_pb2.PopulationRecord,
    field: str,
) -> date:
    value = _optional_day(message, field)
    if value is None:
        raise ValueMissingError(f"{field} is missing")
    return value


def _optional_day(
    message: subscription_service_pb2.HolderClaim
    | population_service_pb2.PopulationRecord
    | subscription_service_pb2.SubscriptionRow
    | match_service_pb2.RecordClaim,
    field: str,
) -> date | None:
    return _day(getattr(message, field), field) if message.HasField(field) else None


def _day(message: date_pb2.Date, field: str) -> date:
    return parse_date(message.year, message.month, message.day, field=field)


def sex(value: population_service_pb2.Sex) -> Sex | None:
    """A sex, or that the record does not say.

    Raises:
        ValueMissingError: There is no such sex.
    """
    if value not in _SEXES:
        raise ValueMissingError("no such sex")
    return _SEXES[value]
