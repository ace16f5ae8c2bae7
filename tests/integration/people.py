"""Citizens, numbers and cards for tests that share one server: nobody is given out twice.

Owns how a simulated citizen becomes messages and a person before the camera. Knows no rule of the
service.
"""

import threading
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random

from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from subid.v1.date_pb2 import Date
from telco_sim.cards import Card
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.photographs import PhotographedPerson
from telco_sim.population import Citizen, citizens
from tests.integration.wire import new_id

ADULT_DAYS = 20 * 366


class People:
    """Gives out adult living citizens and free numbers, each once."""

    def __init__(self, *, seed: int, today: date) -> None:
        self._today = today
        self._citizens = citizens(seed=seed, today=today)
        self._numbers = NumberGenerator(seed=seed)
        self._names = count(1)
        self._lock = threading.Lock()

    def citizen(self) -> Citizen:
        """Somebody new."""
        born_before = self._today - timedelta(days=ADULT_DAYS)
        with self._lock:
            return next(
                each for each in self._citizens if each.is_alive and each.birth_date < born_before
            )

    def msisdn(self) -> str:
        """A free number in E.164."""
        with self._lock:
            return "+84" + self._numbers.msisdn(next(iter(OPERATORS)))[1:]

    def operator_name(self) -> str:
        """An operator that no other test speaks for."""
        return f"operator-{next(self._names)}"


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A citizen with a number at an operator."""

    citizen: Citizen
    msisdn: str
    operator: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a person presents: a card, and photographs."""

    card: Card
    probes: tuple[bytes, ...]


def date_message(day: date) -> Date:
    """A day as the contract has it."""
    return Date(year=day.year, month=day.month, day=day.day)


def record_of(citizen: Citizen) -> population_pb.PopulationRecord:
    """The population record of a citizen."""
    return population_pb.PopulationRecord(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=date_message(citizen.birth_date),
    )


def claim_of(citizen: Citizen) -> subscription_pb.HolderClaim:
    """The holder as an honest operator's book has it."""
    return subscription_pb.HolderClaim(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=date_message(citizen.birth_date),
    )


def row_of(citizen: Citizen, msisdn: str) -> subscription_pb.SubscriptionRow:
    """A row of an honest operator's book."""
    return subscription_pb.SubscriptionRow(msisdn=msisdn, holder=claim_of(citizen))


def complete_request(
    session: verification_pb.StartVerificationResponse | verification_pb.StartPresenceResponse,
    evidence: Evidence,
) -> verification_pb.CompleteVerificationRequest:
    """Everything a session asks for."""
    groups = evidence.card.data_groups
    return verification_pb.CompleteVerificationRequest(
        request_id=new_id(),
        verification_id=session.verification_id,
        chip_files=verification_pb.ChipFiles(
            sod=evidence.card.sod,
            dg1=groups[1],
            dg2=groups[2],
            dg13=groups[13],
            dg15=groups.get(15, b""),
        ),
        active_authentication_signature=evidence.card.answer(session.chip_nonce),
        probe_photographs=evidence.probes,
    )


_moments = count(1)


def probes_of(person: PhotographedPerson, *, seed: int, number: int = 1) -> tuple[bytes, ...]:
    """Photographs of a person as a phone takes them, a moment after those of any other test."""
    generator = Random(seed)
    moment = Random(next(_moments))
    return tuple(person.probe(generator=generator) for _ in range(number))
