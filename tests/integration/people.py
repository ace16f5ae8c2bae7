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
from telco_sim.camera import retake
from telco_sim.cards import Card
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.photographs import PhotographedPerson
from telco_sim.population import Citizen, citizens
from tests.integration.wire import new_id

ADULT_DAYS = 20 * 366

# fmt: off
GOOD_SEEDS = (
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 32, 33, 34, 35, 36, 37, 38, 40, 41, 42, 43, 45, 46, 47, 49, 50, 51, 52, 53,
    56, 57, 59, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 81, 82, 84,
    85, 86, 87, 88, 89, 90, 92, 93, 95, 96, 98, 99, 100, 101, 102, 103, 104, 106, 107, 108,
    109, 110, 111, 112, 113, 114, 115, 117, 118, 120, 121, 122, 123, 125, 126, 128, 129, 131,
    132, 133, 134, 135, 137, 139, 141, 143, 145, 147, 148,
)
# fmt: on
"""Of photographs that show each of the built-in people well, and match their portraits: others are
blurred or too bright on purpose, as those of real phones are."""


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


_taken = count()


def probes_of(person: PhotographedPerson, *, number: int = 1) -> tuple[bytes, ...]:
    """Photographs of a person as a phone takes them, such as no other test has taken."""
    return tuple(_photograph(person) for _ in range(number))


def _photograph(person: PhotographedPerson) -> bytes:
    taken = next(_taken)
    round_number, place = divmod(taken, len(GOOD_SEEDS))
    photograph = person.probe(generator=Random(GOOD_SEEDS[place]))
    return retake(photograph, generator=Random(taken)) if round_number else photograph
