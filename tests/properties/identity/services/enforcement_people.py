"""What people, the register, operators and time do to numbers, done and told to the model.

Owns the acts of the machine that are about single numbers. What follows is the model's to say.
"""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
)

from identity.domain.caller import Role
from identity.domain.dispute import DisputeDecision
from identity.domain.errors import ClockBackwardsError
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.services.advance_enforcement import advance_enforcement
from identity.services.apply_population_changes import (
    Birth,
    Correction,
    apply_population_changes,
)
from identity.services.complete_verification import record_verdict
from identity.services.disown_subscription import disown_subscription
from identity.services.disputes import appeal_dispute, decide_dispute, open_dispute
from identity.services.import_subscriptions import import_subscriptions
from identity.services.open_case import open_case
from identity.services.primary_number import set_primary_number
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind
from identity.storage.book import BookRow, index_row
from identity.storage.tables import directive
from tests.properties.identity.services.enforcement_model import Run
from tests.properties.identity.services.enforcement_values import LEVEL, Dispute, Number, Person
from tests.properties.identity.services.enforcement_world import (
    DAY,
    HOUR,
    MINUTE,
    NUMBERS_MAX,
    OK,
    OPERATORS,
    World,
    decisions,
    jumps,
    links,
    operators,
    picks,
)
from tests.unit.identity.makers import (
    OTHER_NAME,
    make_chip,
    make_face,
    make_record,
    make_session,
    rules,
)


class People(World):
    """Everything that happens to single numbers."""

    def person(self, link: LinkState) -> Person:
        """Somebody new, whom the register knows as it knows them."""
        person = Person(name=len(self.records))
        self.records[person] = make_record(personal_id=PersonalID(f"{person.name:012d}"))
        if link is not LinkState.NOT_FOUND:
            self.enter(person, link)
        person.link = link
        return person

    def enter(self, person: Person, link: LinkState) -> None:
        """The register says this of a person."""
        record = self.records[person]
        if link is LinkState.MISMATCHED:
            record = replace(record, full_name=PersonName(OTHER_NAME))
        if link is LinkState.DECEASED:
            record = replace(record, deceased_on=date(2026, 4, 30))
        change = Correction(record) if person in self.registered else Birth(record)
        population = self.call("population", Role.POPULATION)
        self.do(lambda: apply_population_changes(self.uow, population, [change]))
        self.registered.add(person)

    @precondition(lambda self: len(self.model.numbers) < NUMBERS_MAX)
    @rule(operator=operators, link=links, is_in_service=st.booleans())
    def arrive(self, operator: str, link: LinkState, *, is_in_service: bool) -> None:
        """A number in an operator's book, or one that is registered only."""
        holder = self.person(link)
        msisdn = MSISDN(f"+8439{len(self.records):07d}")
        call, claim = self.call(operator, Role.OPERATOR), self.claim(holder)
        state = "active" if is_in_service else "inactive"
        if is_in_service:
            row = index_row(self.uow.sealer, BookRow(msisdn=msisdn, claim=claim))
            self.do(lambda: import_subscriptions(self.uow, call, [row]))
            self.network[operator, msisdn] = state
        else:
            self.do(lambda: register_subscription(self.uow, call, msisdn, claim))
        self.begin_number(msisdn, operator, holder, state)

    def begin_number(self, msisdn: MSISDN, operator: str, holder: Person, state: str) -> None:
        """The model has one more number."""
        number = Number(msisdn=msisdn, operator=operator, holder=holder, state=state, applied=state)
        self.model.numbers.append(number)
        self.model.settle(number, self.at)

    @rule(place=picks, link=links)
    def relink(self, place: int, link: LinkState) -> None:
        """The register says otherwise."""
        number = self.pick(place)
        if number is None or link is LinkState.NOT_FOUND:
            return
        number.holder.link = link
        self.enter(number.holder, link)
        for each in self.model.numbers:
            if each.is_on and each.holder is number.holder:
                self.model.settle(each, self.at)

    @rule(place=picks)
    def verify(self, place: int) -> None:
        """The holder presents card and face."""
        number = self.pick(place)
        if number is None:
            return
        (item,) = self.uow.subscriptions.find_many_in_service([number.msisdn]).values()
        session = make_session(
            self.uow, item, expires_at=self.at + DAY, verification_id=self.new_id()
        )
        chip = make_chip(self.claim(number.holder))
        call = self.operator(number)
        self.do(lambda: record_verdict(self.uow, call, session, chip, make_face()))
        if number.holder.link is LinkState.LINKED:
            self.banned.update(o for o in number.open_orders if o.kind != "restore")
        self.model.verify(number, self.at)

    @rule(place=picks)
    def disown(self, place: int) -> None:
        """The holder says that it is not theirs."""
        number = self.pick(place)
        if number is not None:
            who = self.records[number.holder].personal_id
            self.do(lambda: disown_subscription(self.uow, self.app, who, number.msisdn))
            number.is_primary = False
            self.model.settle(number, self.at, cause=CaseCause.DISOWNED)

    @rule(place=picks)
    def choose(self, place: int) -> None:
        """The holder makes it their primary number, where it may be."""
        number = self.pick(place)
        if number is not None:
            who = self.records[number.holder].personal_id
            told = self.refusal(lambda: set_primary_number(self.uow, self.app, who, number.msisdn))
            is_given_up = any(case.cause is CaseCause.DISOWNED for case in number.open_cases)
            is_fit = number.is_eligible and number.state == "active" and not is_given_up
            assert told == (OK if is_fit else "PRIMARY_NOT_ELIGIBLE")
            if is_fit:
                for other in self.model.numbers:
                    other.is_primary = other.is_primary and other.holder != number.holder
                number.is_primary = True

    @rule(place=picks)
    def see_face_under_another_id(self, place: int) -> None:
        """The regulator opens a case, which spares no verified number."""
        number, cause = self.pick(place), CaseCause.FACE_UNDER_ANOTHER_ID
        if number is not None:
            told = self.refusal(
                lambda: open_case(
                    self.uow, self.call("ministry"), number.msisdn, cause, case_reference="1"
                )
            )
            assert told == ("EVENT_INVALID" if number.state == "inactive" else OK)
            if told == OK:
                self.model.settle(number, self.at, cause=cause)

    # What operators report.

    @rule(place=picks, lag=st.sampled_from([timedelta(), HOUR, 3 * DAY, 40 * DAY]))
    def change_device(self, place: int, lag: timedelta) -> None:
        """The SIM is in another device."""
        number = self.pick(place)
        if number is not None:
            told = self.event(number, EventKind.DEVICE_CHANGE, number.operator, lag)
            assert told == ("EVENT_INVALID" if number.state == "inactive" else OK)
            if told == OK:
                run, since = Run(is_event=True), self.at - lag
                cause = CaseCause.DEVICE_CHANGE
                self.model.settle(number, self.at, cause=cause, since=since, run=run)

    @rule(place=picks)
    def swap_sim(self, place: int) -> None:
        """No ladder of the packs asks for anything then."""
        number = self.pick(place)
        if number is not None:
            assert self.event(number, EventKind.SIM_SWAP, number.operator, timedelta()) == OK

    @rule(place=picks, is_port=st.booleans())
    def leave(self, place: int, *, is_port: bool) -> None:
        """The operator lets a number go, to the other one or to nobody."""
        number = self.pick(place)
        if number is None:
            return
        kind = EventKind.PORT_OUT if is_port else EventKind.RELEASE
        told = self.event(number, kind, number.operator, timedelta())
        if number.dispute is not None:
            assert told == "NUMBER_IN_DISPUTE"
        elif is_port and (LEVEL[number.state] or any(c.steps for c in number.open_cases)):
            assert told == "EVENT_INVALID"
        else:
            assert told == OK
            self.network.pop((number.operator, number.msisdn), None)
            self.model.give_up(number, self.at)
            if is_port:
                self.port_in(number)
                self.at += MINUTE  # nobody has said which of two ports in one instant is the later

    def port_in(self, number: Number) -> None:
        """It is in service at the other operator at once."""
        (other,) = set(OPERATORS) - {number.operator}
        assert self.event(number, EventKind.PORT_IN, other, timedelta()) == OK
        self.network[other, number.msisdn] = "active"
        self.begin_number(number.msisdn, other, number.holder, "active")

    # Disputes.

    @rule(place=picks)
    def claim_number(self, place: int) -> None:
        """Somebody else claims a number."""
        number = self.pick(place)
        if number is None or number.dispute is not None:
            return
        claimant, call = self.person(LinkState.LINKED), self.operator(number)
        who = self.records[claimant].personal_id
        with self.connection.begin_nested():
            view = open_dispute(self.uow, call, number.msisdn, who).dispute
        number.dispute = Dispute(
            view.dispute_id, number, claimant, self.at + rules().disputes.decide_within
        )
        self.model.settle(number, self.at)

    def dispute(self, place: int, *states: str) -> Dispute | None:
        """A dispute that stands so, in time, if there is one."""
        found = [number.dispute for number in self.model.numbers if number.dispute is not None]
        fitting = [each for each in found if each.state in states and self.at < each.deadline]
        return fitting[place % len(fitting)] if fitting else None

    @rule(place=picks, decision=decisions)
    def decide(self, place: int, decision: DisputeDecision) -> None:
        """Two of the regulator say whose it is; of an appeal two others, for good."""
        if self.dispute(place, "open", "appealed") is None:
            self.claim_number(place)
        dispute = self.dispute(place, "open", "appealed")
        if dispute is None:
            return
        for name in ("a", "b") if dispute.state == "open" else ("c", "d"):
            call = self.call(name)
            self.do(partial(decide_dispute, self.uow, call, dispute.dispute_id, decision))
        dispute.decision = decision.value
        if dispute.state == "appealed":
            self.model.end_dispute(dispute, self.at)
        else:
            dispute.state, dispute.deadline = "decided", self.at + rules().disputes.appeal_within

    @rule(place=picks)
    def appeal(self, place: int) -> None:
        """The claimant appeals."""
        dispute = self.dispute(place, "decided")
        if dispute is not None:
            who = self.records[dispute.claimant].personal_id
            self.do(lambda: appeal_dispute(self.uow, self.app, dispute.dispute_id, who))
            dispute.state, dispute.deadline = "appealed", self.at + rules().disputes.decide_within

    # Time.

    @rule(jump=jumps)
    def wait(self, jump: timedelta) -> None:
        """Nobody runs the clock."""
        self.at += jump

    @rule(jump=jumps)
    def run_clock(self, jump: timedelta) -> None:
        """The clock is run; primary numbers come last."""
        self.at += jump
        self.agree()  # and learn which number is which
        primaries = {number for number in self.model.numbers if number.is_primary}
        known = set(self.rows(directive, "directive_id"))
        advance_enforcement(self.transactions, self.call("clock"), slice_cases=2)
        self.model.run_clock(self.at)
        made = self.rows(directive, "directive_id")
        of_primaries = {number.subscription_id for number in primaries}
        new = sorted((row["position"], row) for key, row in made.items() if key not in known)
        is_last = [row["subscription_id"] in of_primaries for _, row in new]
        assert is_last == sorted(is_last)

    @rule(jump=jumps)
    def run_clock_back(self, jump: timedelta) -> None:
        """A run before the last one is refused, and changes nothing."""
        ran_until = self.uow.cases.ran_until()
        if ran_until is not None:
            call = replace(self.call("clock"), at=ran_until - jump)
            with pytest.raises(ClockBackwardsError):
                advance_enforcement(self.transactions, call)
