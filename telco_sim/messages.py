"""From values of the simulation to messages of the contract.

Owns the conversions, one way and back, and nothing else.
"""

from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1.date_pb2 import Date
from subid.v1.population_service_pb2 import SEX_FEMALE, SEX_MALE, PopulationRecord
from subid.v1.subscription_service_pb2 import HolderClaim
from telco_sim.names import Sex
from telco_sim.population import Citizen


def date_message(day: date) -> Date:
    """Return a calendar day as a message."""
    return Date(year=day.year, month=day.month, day=day.day)


def instant_message(instant: datetime) -> Timestamp:
    """Return an instant as a message.

    Raises:
        ValueError: The instant carries no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant}")
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def instant_of(message: Timestamp) -> datetime:
    """Return the instant of a message, aware, in UTC."""
    return message.ToDatetime(tzinfo=UTC)


def record_message(citizen: Citizen, *, card_issued_on: date | None = None) -> PopulationRecord:
    """Return a citizen as the population authority reports one."""
    return PopulationRecord(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=date_message(citizen.birth_date),
        sex=SEX_FEMALE if citizen.sex is Sex.FEMALE else SEX_MALE,
        deceased_on=None if citizen.deceased_on is None else date_message(citizen.deceased_on),
        card_issued_on=None if card_issued_on is None else date_message(card_issued_on),
    )


def claim_message(citizen: Citizen) -> HolderClaim:
    """Return what an operator writes down of a citizen who shows a card, without a mistake."""
    return HolderClaim(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=date_message(citizen.birth_date),
    )
