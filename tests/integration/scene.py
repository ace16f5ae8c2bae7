"""People with numbers and cards before one server, and what they do there again and again.

Owns the steps that many tests begin with. Judges no answer: that is each test's own work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.caller import Role
from subid.v1 import agency_pb2 as agency_pb
from subid.v1 import agency_service_pb2 as agency_service_pb
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from subid.v1 import wave_service_pb2 as wave_pb
from telco_sim.cards import Card, CardAuthority
from telco_sim.photographs import PhotographedPerson
from telco_sim.population import Citizen
from tests.integration.people import (
    Evidence,
    People,
    Subscriber,
    claim_of,
    complete_request,
    probes_of,
    record_of,
    row_of,
)
from tests.integration.wire import Stubs, new_id

CARD_AGE = timedelta(days=30)
LEGAL_BASIS = "Law 26/2023/QH15, art. 10"
AGENCY = "tax"
RIGHTS_OF_AGENCY = sorted(
    set(agency_service_pb.Right.keys()) - {"RIGHT_UNSPECIFIED", "RIGHT_ABSENCE_CAUSE"}
)
"""Of the one that tests ask as: all but the one that tells more of people who cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everybody before one server."""

    act_as: Callable[[Role, str], Stubs]
    people: People
    cards: CardAuthority

    @property
    def population(self) -> Stubs:
        """The population authority."""
        return self.act_as(Role.POPULATION, "register")

    @property
    def app(self) -> Stubs:
        """The citizen app."""
        return self.act_as(Role.CITIZEN_APP, "app")

    @property
    def agency(self) -> Stubs:
        """An agency, registered with every right but to know why somebody cannot be reached."""
        return self.act_as(Role.AGENCY, AGENCY)

    @property
    def regulator(self) -> Stubs:
        """The regulator."""
        return self.act_as(Role.REGULATOR, "regulator")

    def operator(self, name: str) -> Stubs:
        """An operator."""
        return self.act_as(Role.OPERATOR, name)

    def record(self, *citizens: Citizen) -> None:
        """Have the population authority tell of citizens."""
        records = [record_of(each) for each in citizens]
        request = population_pb.ImportPopulationRequest(request_id=new_id(), records=records)
        self.population.population.ImportPopulation(iter([request]))

    def citizen(self) -> Citizen:
        """Somebody new whom the register knows."""
        citizen = self.people.citizen()
        self.record(citizen)
        return citizen

    def registered(self, operator: str | None = None, citizen: Citizen | None = None) -> Subscriber:
        """Somebody with a number that was never verified."""
        someone = citizen or self.citizen()
        name = operator or self.people.operator_name()
        subscriber = Subscriber(citizen=someone, msisdn=self.people.msisdn(), operator=name)
        self.operator(name).subscriptions.RegisterSubscription(
            subscription_pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=subscriber.msisdn, holder=claim_of(someone)
            )
        )
        return subscriber

    def imported(self, operator: str, citizen: Citizen | None = None) -> Subscriber:
        """Somebody with a number in service that came with an operator's book."""
        someone = citizen or self.citizen()
        subscriber = Subscriber(citizen=someone, msisdn=self.people.msisdn(), operator=operator)
        request = subscription_pb.ImportSubscriptionsRequest(
            request_id=new_id(), rows=[row_of(someone, subscriber.msisdn)]
        )
        self.operator(operator).subscriptions.ImportSubscriptions(iter([request]))
        return subscriber

    def verified(
        self, face: PhotographedPerson, operator: str | None = None, citizen: Citizen | None = None
    ) -> Subscriber:
        """Somebody with a number in service, verified by chip and face."""
        subscriber = self.registered(operator, citizen)
        answer = self.verify(subscriber, self.evidence(subscriber.citizen, face))
        assert answer.verdict.state == verification_pb.VERDICT_STATE_VERIFIED, answer
        return subscriber

    def card(self, citizen: Citizen, face: PhotographedPerson) -> Card:
        """A genuine card, some weeks old."""
        issued_on = datetime.now(UTC).date() - CARD_AGE
        return self.cards.issue(citizen, portrait=face.portrait(), issued_on=issued_on)

    def evidence(self, citizen: Citizen, face: PhotographedPerson) -> Evidence:
        """A genuine card, and a photograph of the person on it."""
        return Evidence(card=self.card(citizen, face), probes=probes_of(face))

    def start(self, subscriber: Subscriber) -> verification_pb.StartVerificationResponse:
        """Open a session."""
        stub = self.operator(subscriber.operator).verifications
        request = verification_pb.StartVerificationRequest(
            request_id=new_id(), msisdn=subscriber.msisdn
        )
        return stub.StartVerification(request)  # type: ignore[no-any-return] # an untyped stub

    def verify(
        self, subscriber: Subscriber, evidence: Evidence
    ) -> verification_pb.CompleteVerificationResponse:
        """Open a session and present evidence in it."""
        request = complete_request(self.start(subscriber), evidence)
        stub = self.operator(subscriber.operator).verifications
        return stub.CompleteVerification(request)  # type: ignore[no-any-return] # as above

    def subscription(self, subscriber: Subscriber) -> subscription_pb2.Subscription:
        """What the operator sees of the number."""
        request = subscription_pb.GetSubscriptionRequest(msisdn=subscriber.msisdn)
        stub = self.operator(subscriber.operator).subscriptions
        return stub.GetSubscription(request).subscription  # type: ignore[no-any-return] # as above

    def step_up(self, subscriber: Subscriber, face: PhotographedPerson) -> str:
        """Verify a citizen anew, to change the primary number; returns the verification."""
        started = self.start(subscriber)
        request = complete_request(started, self.evidence(subscriber.citizen, face))
        stub = self.operator(subscriber.operator).verifications
        answer = stub.CompleteVerification(request)
        assert answer.verdict.state == verification_pb.VERDICT_STATE_VERIFIED, answer
        return started.verification_id

    def set_primary(
        self, subscriber: Subscriber, *, verification_id: str = ""
    ) -> citizen_pb.SetPrimaryNumberResponse:
        """Mark the number as the citizen's primary, or ask for a change."""
        request = citizen_pb.SetPrimaryNumberRequest(
            request_id=new_id(),
            personal_id=subscriber.citizen.personal_id,
            msisdn=subscriber.msisdn,
            verification_id=verification_id,
        )
        return self.app.citizens.SetPrimaryNumber(request)  # type: ignore[no-any-return] # as above

    def register_agency(
        self,
        name: str,
        *rights: "agency_service_pb.Right | str",
        **given: Any,  # noqa: ANN401 - whatever `register_agency` takes
    ) -> Stubs:
        """An agency, registered as `register_agency` does; what it calls with."""
        register_agency(self.regulator, name, *rights, **given)
        return self.act_as(Role.AGENCY, name)

    def contact(
        self, personal_id: str, purpose: "agency_pb.Purpose" = agency_pb.PURPOSE_LEGAL_NOTICE
    ) -> contact_pb.GetContactResponse:
        """Look a citizen up as an agency."""
        request = contact_pb.GetContactRequest(personal_id=personal_id, grounds=grounds(purpose))
        return self.agency.contacts.GetContact(request)  # type: ignore[no-any-return] # as above

    def advance(self, **difference: float) -> enforcement_pb.AdvanceEnforcementResponse:
        """Run what is due, as much later as is said."""
        run = self.run_until(None)
        if not difference:
            return run
        then = Timestamp()
        then.FromDatetime(run.as_of_time.ToDatetime() + timedelta(**difference))
        return self.run_until(then)

    def run_until(self, instant: Timestamp | None) -> enforcement_pb.AdvanceEnforcementResponse:
        """Run what is due up to an instant, or now."""
        request = enforcement_pb.AdvanceEnforcementRequest(request_id=new_id(), as_of_time=instant)
        return self.regulator.enforcement.AdvanceEnforcement(request)  # type: ignore[no-any-return] # as above

    def report_device_change(self, msisdn: str, operator: str) -> None:
        """What leads to a notice and a block at once."""
        event = subscription_pb.SubscriptionEvent(
            msisdn=msisdn,
            kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE,
            occur_time=self.advance().as_of_time,
        )
        stub = self.operator(operator).subscriptions
        answer = stub.ReportEvents(
            subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
        )
        assert [each.reason for each in answer.results] == [""]

    def pull(
        self, operator: str, *, lease_s: int | None = None
    ) -> enforcement_pb.PullDirectivesResponse:
        """Lease the operator's open directives."""
        request = enforcement_pb.PullDirectivesRequest(
            request_id=new_id(), directive_count_max=10_000
        )
        if lease_s is not None:
            request.lease_duration.FromSeconds(lease_s)
        return self.operator(operator).enforcement.PullDirectives(request)  # type: ignore[no-any-return] # as above

    def acknowledge(
        self, operator: str, pulled: enforcement_pb.PullDirectivesResponse
    ) -> list[int]:
        """Say that everything that was pulled was executed."""
        stubs = self.operator(operator)
        request = stubs.sign(executed_of(pulled))
        return list(stubs.enforcement.AcknowledgeDirectives(request).results)

    def obey(self, operator: str) -> enforcement_pb.PullDirectivesResponse:
        """Do all that the operator is ordered to do, and say so; returns what it was."""
        pulled = self.pull(operator)
        if pulled.directives:
            self.acknowledge(operator, pulled)
        return pulled

    def block_by_wave(self, *operators: str) -> wave_pb.Wave:
        """Block what waits for it on T2 at some operators, approved by two."""
        criteria = wave_pb.WaveCriteria(
            track="T2",
            step=enforcement_pb.DIRECTIVE_KIND_BLOCK_OUTGOING,
            operators=operators,
            has_primaries=True,
        )
        waves = self.regulator.waves
        preview = wave_pb.PreviewWaveRequest(request_id=new_id(), criteria=criteria)
        wave_id = waves.PreviewWave(preview).wave_id
        for name in ("regulator", "deputy"):
            self.act_as(Role.REGULATOR, name).waves.ApproveWave(
                wave_pb.ApproveWaveRequest(request_id=new_id(), wave_id=wave_id)
            )
        wave = wave_pb.Wave()
        while wave.state != wave_pb.WAVE_STATE_COMPLETED:
            execution = wave_pb.ExecuteWaveRequest(
                request_id=new_id(), wave_id=wave_id, slice_count_max=100
            )
            wave = waves.ExecuteWave(execution).wave
            assert wave.state != wave_pb.WAVE_STATE_STOPPED, wave.reason
        return wave

    def block_unverified(self, operator: str) -> None:
        """Let the days of notices of an operator's unverified numbers pass, and block them."""
        self.advance()
        for _ in range(5):
            self.obey(operator)
            self.advance(days=1)
        self.block_by_wave(operator)

    def pull_updates(
        self, *, lease_s: int | None = None
    ) -> population_pb.PullSubscriberUpdatesResponse:
        """Lease what the register is owed, of everybody."""
        request = population_pb.PullSubscriberUpdatesRequest(
            request_id=new_id(), update_count_max=4_000
        )
        if lease_s is not None:
            request.lease_duration.FromSeconds(lease_s)
        return self.population.population.PullSubscriberUpdates(request)  # type: ignore[no-any-return] # as above

    def acknowledge_updates(
        self, pulled: population_pb.PullSubscriberUpdatesResponse
    ) -> list[population_pb.SubscriberUpdateResult]:
        """Say that everything that was pulled is entered."""
        request = acknowledgement_of(pulled)
        return list(self.population.population.AcknowledgeSubscriberUpdates(request).results)

    def explain(self, subscriber: Subscriber) -> enforcement_pb.ExplainSubscriptionResponse:
        """Ask as the operator why the number is on the ladder."""
        request = enforcement_pb.ExplainSubscriptionRequest(msisdn=subscriber.msisdn)
        stub = self.operator(subscriber.operator).enforcement
        return stub.ExplainSubscription(request)  # type: ignore[no-any-return] # as above


def register_agency(
    regulator: Stubs,
    name: str,
    *rights: "agency_service_pb.Right | str",
    purposes: "Sequence[agency_pb.Purpose | str]" = (),
    people_per_day_max: int = 1_000_000,
) -> None:
    """Register an agency, for all purposes and with all rights unless some are said."""
    grants = [
        agency_service_pb.Grant(
            purpose=purpose,
            legal_bases=[LEGAL_BASIS],
            rights=rights or agency_service_pb.Right.keys()[1:],
            people_per_day_max=people_per_day_max,
        )
        for purpose in purposes or agency_pb.Purpose.keys()[1:]
    ]
    request = agency_service_pb.RegisterAgencyRequest(request_id=new_id(), name=name, grants=grants)
    regulator.agencies.RegisterAgency(request)


def grounds(
    purpose: "agency_pb.Purpose" = agency_pb.PURPOSE_LEGAL_NOTICE, legal_basis: str = LEGAL_BASIS
) -> agency_pb.Grounds:
    """The grounds of an access that every agency registered here has."""
    return agency_pb.Grounds(purpose=purpose, legal_basis=legal_basis)


def executed_of(
    pulled: enforcement_pb.PullDirectivesResponse,
) -> enforcement_pb.AcknowledgeDirectivesRequest:
    """The request, not signed yet, that says that everything that was pulled was executed."""
    return enforcement_pb.AcknowledgeDirectivesRequest(
        request_id=new_id(),
        lease_id=pulled.lease_id,
        acknowledgements=[
            enforcement_pb.Acknowledgement(
                directive_id=directive.directive_id,
                outcome=enforcement_pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
            )
            for directive in pulled.directives
        ],
    )


def acknowledgement_of(
    pulled: population_pb.PullSubscriberUpdatesResponse,
) -> population_pb.AcknowledgeSubscriberUpdatesRequest:
    """The request that says that everything that was pulled is entered."""
    return population_pb.AcknowledgeSubscriberUpdatesRequest(
        request_id=new_id(),
        lease_id=pulled.lease_id,
        acknowledgements=[
            population_pb.SubscriberUpdateAcknowledgement(
                personal_id=each.personal_id,
                subscription_id=each.subscription_id,
                sequence=each.sequence,
            )
            for each in pulled.updates
        ],
    )
