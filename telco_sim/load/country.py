"""A country that is only asked for calls: people with numbers, and what is called about them.

Owns the first import and the drawing of calls by their weights. Knows no time and no fault.
"""

from datetime import UTC, datetime, timedelta
from random import Random

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from subid.v1 import agency_pb2, agency_service_pb2, contact_service_pb2
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.agency_service_pb2_grpc import AgencyServiceStub
from subid.v1.contact_service_pb2_grpc import ContactServiceStub
from subid.v1.date_pb2 import Date
from subid.v1.enforcement_service_pb2_grpc import EnforcementServiceStub
from subid.v1.population_service_pb2_grpc import PopulationServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from telco_sim.load.caller import Call
from telco_sim.load.plan import WEIGHTS, LoadPlan, Work
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.population import Citizen, citizens
from telco_sim.server import CallerIdentity
from telco_sim.wire import new_request_id

OPERATOR = next(iter(OPERATORS))
AGENCY = "load-agency"
CALLERS = (
    CallerIdentity(role="operator", name=OPERATOR),
    CallerIdentity(role="agency", name=AGENCY),
    CallerIdentity(role="population", name="register"),
    CallerIdentity(role="regulator", name="regulator"),
)
BATCH_ROWS = 1_000
PULL_MAX = 100
PEOPLE_PER_DAY_MAX = 100_000_000
ADULT_DAYS = 20 * 366

_GROUNDS = agency_pb2.Grounds(
    purpose=agency_pb2.PURPOSE_SERVICE_DELIVERY, legal_basis="Law 26/2023/QH15, art. 10"
)


class LoadedCountry:
    """Who there is, and the next call.

    Args:
        plan: The run.
        channels: A connection for each caller, by name.
    """

    def __init__(self, plan: LoadPlan, channels: dict[str, grpc.aio.Channel]) -> None:
        today = datetime.now(UTC).date()
        self._generator = Random(plan.seed)
        self._numbers = NumberGenerator(seed=plan.seed)
        self._born_before = today - timedelta(days=ADULT_DAYS)
        self._everybody = citizens(seed=plan.seed, today=today)
        self._people = [self._adult() for _ in range(plan.citizen_count)]
        self._books = [self._msisdn() for _ in self._people]
        self._channels = channels
        self._subscriptions = SubscriptionServiceStub(channels[OPERATOR])
        self._enforcement = EnforcementServiceStub(channels[OPERATOR])
        self._contacts = ContactServiceStub(channels[AGENCY])

    @property
    def msisdns(self) -> frozenset[str]:
        """The numbers of the first import."""
        return frozenset(self._books)

    async def settle(self) -> None:
        """Import the people and their numbers, and register the agency."""
        register = PopulationServiceStub(self._channels["register"])
        name = new_request_id()
        for start in range(0, len(self._people), BATCH_ROWS):
            await register.ImportPopulation(iter([self._records(name, start)]))
        name = new_request_id()
        for start in range(0, len(self._people), BATCH_ROWS):
            await self._subscriptions.ImportSubscriptions(iter([self._rows(name, start)]))
        regulator = AgencyServiceStub(self._channels["regulator"])
        await regulator.RegisterAgency(
            agency_service_pb2.RegisterAgencyRequest(
                request_id=new_request_id(),
                name=AGENCY,
                grants=[
                    agency_service_pb2.Grant(
                        purpose=_GROUNDS.purpose,
                        legal_bases=[_GROUNDS.legal_basis],
                        rights=[agency_service_pb2.RIGHT_NUMBER],
                        people_per_day_max=PEOPLE_PER_DAY_MAX,
                    )
                ],
            )
        )

    def draw(self) -> Call:
        """The next call, by the weights."""
        (work,) = self._generator.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))
        match work:
            case Work.LOOK_UP:
                return self._look_up()
            case Work.CONTACT:
                return self._contact()
            case Work.REGISTER:
                return self._register()
            case Work.EVENT:
                return self._event()
            case Work.PULL:
                return self._pull()

    def _look_up(self) -> Call:
        request = pb.GetSubscriptionRequest(msisdn=self._generator.choice(self._books))
        return Call(work=Work.LOOK_UP, method=self._subscriptions.GetSubscription, request=request)

    def _contact(self) -> Call:
        person = self._generator.choice(self._people)
        request = contact_service_pb2.GetContactRequest(
            personal_id=person.personal_id, grounds=_GROUNDS
        )
        return Call(work=Work.CONTACT, method=self._contacts.GetContact, request=request)

    def _register(self) -> Call:
        request = pb.RegisterSubscriptionRequest(
            request_id=new_request_id(),
            msisdn=self._msisdn(),
            # Of the register: an operator that names people whom nobody knows is stopped.
            holder=_claim(self._generator.choice(self._people)),
        )
        method = self._subscriptions.RegisterSubscription
        return Call(work=Work.REGISTER, method=method, request=request, is_write=True)

    def _event(self) -> Call:
        event = pb.SubscriptionEvent(
            msisdn=self._generator.choice(self._books),
            kind=pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP,
            occur_time=_an_hour_ago(),
        )
        request = pb.ReportEventsRequest(request_id=new_request_id(), events=[event])
        method = self._subscriptions.ReportEvents
        return Call(work=Work.EVENT, method=method, request=request, is_write=True)

    def _pull(self) -> Call:
        request = enforcement_pb.PullDirectivesRequest(
            request_id=new_request_id(), directive_count_max=PULL_MAX
        )
        return Call(work=Work.PULL, method=self._enforcement.PullDirectives, request=request)

    def _records(self, name: str, start: int) -> population_pb.ImportPopulationRequest:
        return population_pb.ImportPopulationRequest(
            request_id=name,
            batch_index=start // BATCH_ROWS,
            records=[_record(each) for each in self._people[start : start + BATCH_ROWS]],
        )

    def _rows(self, name: str, start: int) -> pb.ImportSubscriptionsRequest:
        end = start + BATCH_ROWS
        pairs = zip(self._books[start:end], self._people[start:end], strict=True)
        return pb.ImportSubscriptionsRequest(
            request_id=name,
            batch_index=start // BATCH_ROWS,
            rows=[pb.SubscriptionRow(msisdn=number, holder=_claim(who)) for number, who in pairs],
        )

    def _adult(self) -> Citizen:
        return next(
            each
            for each in self._everybody
            if each.is_alive and each.birth_date < self._born_before
        )

    def _msisdn(self) -> str:
        return "+84" + self._numbers.msisdn(OPERATOR)[1:]


def _an_hour_ago() -> Timestamp:
    instant = Timestamp()
    instant.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    return instant


def _birth_date(citizen: Citizen) -> Date:
    born = citizen.birth_date
    return Date(year=born.year, month=born.month, day=born.day)


def _record(citizen: Citizen) -> population_pb.PopulationRecord:
    return population_pb.PopulationRecord(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=_birth_date(citizen),
    )


def _claim(citizen: Citizen) -> pb.HolderClaim:
    return pb.HolderClaim(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=_birth_date(citizen),
    )
