"""The simulated country as a scenario sees it.

Owns who is in it, how large it is, what the simulation knows to be true, and which lines a
chapter may use without getting in the way of another. It refuses to know what happens.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random

from subid.v1.enforcement_service_pb2 import AdvanceEnforcementResponse
from subid.v1.subscription_pb2 import LINK_STATE_LINKED, LinkState
from telco_sim.agencies import Agency, AgencyRecord, Look
from telco_sim.authorities import PopulationAuthority, Regulator
from telco_sim.books import can_hold
from telco_sim.citizens import CitizenApp
from telco_sim.clock import SimulatedClock
from telco_sim.conduct import OperatorRecord
from telco_sim.directives import DirectiveDesk
from telco_sim.journal import Journal
from telco_sim.ledger import DirectiveLedger
from telco_sim.message_desks import MessageDesk
from telco_sim.messages import instant_of
from telco_sim.numbering import NumberGenerator
from telco_sim.operators import Line, Operator
from telco_sim.population import Citizen
from telco_sim.studio import Studio
from telco_sim.tenures import Tenures
from telco_sim.updates import UpdateDesk
from telco_sim.wire import Caller, Wiretap


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large the country is and how long it is watched.

    Attributes:
        citizen_count: Records of the register.
        seed: Whatever is drawn follows from it.
        verification_count: Existing numbers whose holders verify in the beginning.
        registration_count: New numbers.
        day_count: Days that pass.
    """

    citizen_count: int = 1_000
    seed: int = 1
    verification_count: int = 40
    registration_count: int = 15
    day_count: int = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One line and the operator that serves it."""

    operator: Operator
    line: Line

    @property
    def holder(self) -> Citizen:
        """Who holds the line."""
        return self.line.holder

    @property
    def msisdn(self) -> str:
        """The number in E.164."""
        return self.line.msisdn


class CountryTooSmallError(Exception):
    """Nobody is left for a part; the text names it and what helps."""

    def __init__(self, part: str) -> None:
        super().__init__(f"nobody is left to play {part}: try more --citizens or --verifications")


class Cast:
    """Gives out parts: a holder who has a part gets no other, nor do the holder's lines."""

    def __init__(self, operators: Iterable[Operator], *, generator: Random) -> None:
        """Line up the subscribers of all operators in an order of chance."""
        self._waiting = [
            Subscriber(operator=operator, line=line)
            for operator in operators
            for line in operator.lines.values()
        ]
        generator.shuffle(self._waiting)
        self._holders_cast: set[str] = set()
        self._roles: dict[str, Subscriber] = {}
        self._turns: dict[str, Iterator[int]] = {}

    def take(
        self,
        count: int,
        *,
        link: LinkState = LINK_STATE_LINKED,
        operator: Operator | None = None,
        suits: Callable[[Subscriber], bool] = lambda _: True,
    ) -> tuple[Subscriber, ...]:
        """Cast subscribers, each with another holder who has no part yet.

        Args:
            count: How many; fewer come when the country is too small.
            link: How their data stand against the register.
            operator: Whose; None for anybody's.
            suits: Whether a subscriber suits the part.
        """
        taken: list[Subscriber] = []
        for each in self._waiting:
            if len(taken) == count:
                break
            is_wanted = each.line.link == link and operator in {None, each.operator}
            if is_wanted and self._is_free(each.holder) and suits(each):
                self.give_part(each.holder)
                taken.append(each)
        return tuple(taken)

    def role(
        self, name: str, *, suits: Callable[[Subscriber], bool] = lambda _: True
    ) -> Subscriber:
        """Return the linked subscriber who plays a role, the same one whenever it is asked for.

        Raises:
            CountryTooSmallError: Nobody is left who suits.
        """
        if name not in self._roles:
            found = self.take(1, suits=suits)
            if not found:
                raise CountryTooSmallError(name)
            (self._roles[name],) = found
        return self._roles[name]

    def turn(
        self, name: str, *, turns: int, suits: Callable[[Subscriber], bool] = lambda _: True
    ) -> Subscriber:
        """Return who plays a role for some turns, and then somebody else who suits.

        Raises:
            CountryTooSmallError: Nobody is left who suits.
        """
        number = next(self._turns.setdefault(name, count()))
        return self.role(f"{name} {number // turns}", suits=suits)

    def give_part(self, citizen: Citizen) -> None:
        """Keep a citizen from being cast for anything else."""
        self._holders_cast.add(citizen.personal_id)

    def has_part(self, citizen: Citizen) -> bool:
        """Say whether a citizen has been cast for anything."""
        return not self._is_free(citizen)

    def _is_free(self, citizen: Citizen) -> bool:
        return citizen.personal_id not in self._holders_cast


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a chapter needs.

    Attributes:
        plan: How large and how long.
        started_on: The first day, in Viet Nam.
        people: Every record of the register.
        operators: The operators, in the order in which they import.
        desks: Each operator's desk for directives, by the operator's name.
        population: The population authority.
        update_desk: Its desk for updates.
        message_desks: Each operator's desk for messages, by the operator's name.
        agency: A state agency that is granted numbers.
        agencies: Every agency, that one too, by name.
        regulator: The regulator.
        second_regulator: A colleague there.
        appeal_regulators: Two more, who decide appeals.
        app: The citizen app.
        callers: Every connection by the caller's name, those of strangers included.
        studio: Cards and photographs.
        numbers: New numbers.
        cast: Who has which part.
        clock: The service's clock, as the regulator last heard it.
        journal: Counts and checks.
        ledger: Directives.
        wiretap: What was seen on the wires.
        verified: Subscribers who were verified, in that order.
        primaries: The primary number that each citizen should have now, by personal ID.
        fallbacks: The number that stands in for a lost primary number, by personal ID.
        objectors: Personal IDs of those who object to being contacted for services now.
        looks: What agencies did with people's data, in that order.
        tenures: What the register ought to be told of.
        released: Subscribers whose numbers were given up, and not yet given away again.
        explained: Subscriptions whose block was explained, by identifier and state.
        disputes: Disputes that cheats were tried with, by number.
        records: How each operator obeyed, when operators were judged.
        agency_records: What each agency asked and got, when that was looked at.
    """

    plan: Plan
    started_on: date
    people: tuple[Citizen, ...]
    operators: Sequence[Operator]
    desks: Mapping[str, DirectiveDesk]
    population: PopulationAuthority
    update_desk: UpdateDesk
    message_desks: Mapping[str, MessageDesk]
    agency: Agency
    agencies: Mapping[str, Agency]
    regulator: Regulator
    second_regulator: Regulator
    appeal_regulators: tuple[Regulator, ...]
    app: CitizenApp
    callers: Mapping[str, Caller]
    studio: Studio
    numbers: NumberGenerator
    cast: Cast
    clock: SimulatedClock
    journal: Journal
    ledger: DirectiveLedger
    wiretap: Wiretap
    verified: list[Subscriber] = field(default_factory=list)
    primaries: dict[str, str] = field(default_factory=dict)
    fallbacks: dict[str, str] = field(default_factory=dict)
    objectors: set[str] = field(default_factory=set)
    looks: list[Look] = field(default_factory=list)
    tenures: Tenures = field(default_factory=Tenures)
    released: list[Subscriber] = field(default_factory=list)
    explained: set[tuple[str, int]] = field(default_factory=set)
    disputes: dict[str, str] = field(default_factory=dict)
    records: list[OperatorRecord] = field(default_factory=list)
    agency_records: list[AgencyRecord] = field(default_factory=list)

    def let_pass(self, duration: timedelta) -> AdvanceEnforcementResponse:
        """Move the service's clock, and this one after it.

        Raises:
            Refusal: The service said no.
        """
        advanced = self.regulator.advance(self.clock.now() + duration)
        self.clock.advance_to(instant_of(advanced.as_of_time))
        return advanced

    def verified_subscriber(
        self, *, suits: Callable[[Subscriber], bool] = lambda _: True
    ) -> Subscriber:
        """Return the one who was verified last among those who suit.

        Raises:
            CountryTooSmallError: Nobody was verified who suits.
        """
        for each in reversed(self.verified):
            if suits(each):
                return each
        raise CountryTooSmallError("a verified holder")

    def has_tried_face(self, citizen: Citizen) -> bool:
        """Say whether somebody with this citizen's face was verified: its portrait is good."""
        return any(
            not self.studio.has_other_face(citizen, than=each.holder) for each in self.verified
        )

    def adult(self) -> Citizen:
        """Return a living citizen without a part who may hold a number, and give a part."""
        today = self.clock.today()
        return self.somebody("an adult", suits=lambda each: can_hold(each, today=today))

    def somebody(self, part: str, *, suits: Callable[[Citizen], bool]) -> Citizen:
        """Return a living citizen without a part who suits one, and give it.

        Raises:
            CountryTooSmallError: The country has nobody like that left.
        """
        for each in self.people:
            if each.is_alive and not self.cast.has_part(each) and suits(each):
                self.cast.give_part(each)
                return each
        raise CountryTooSmallError(part)

    def operator_other_than(self, operator: Operator) -> Operator:
        """Return a competitor."""
        return next(each for each in self.operators if each is not operator)
