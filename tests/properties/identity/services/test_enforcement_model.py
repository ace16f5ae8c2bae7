"""Whatever happens to numbers in whatever order, they stand where a plain model says.

A machine draws what people, operators, the regulator and time do to a few numbers, has the services
do it, and compares every case and every order with `enforcement_model`. Beside that it holds what is
handed out to laws that need no model: nothing without a cause, nothing blocking after a cure, no
block before its notices, each number's orders in their order and each done once; and that a revert
changes the cases of its wave, back to what they were, and no other. At the end every operator works
off what is ordered, and its network must be as is ordered.

Everything is drawn: identifiers are counted, keys are fixed, time is a value. The examples are the
same in every run, unless they are asked for: `ENFORCEMENT_EXAMPLES=500 pytest --hypothesis-seed=1`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select

from identity.domain.caller import Role
from identity.domain.dispute import DisputeDecision
from identity.domain.errors import ClockBackwardsError, DomainError
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause, StepKind
from identity.domain.subscription import ServiceState
from identity.domain.wave import WaveCriteria, WaveState
from identity.security.keys import KEY_BYTES, KeyRing
from identity.security.vault import Vault
from identity.services.advance_enforcement import advance_enforcement
from identity.services.apply_population_changes import (
    Birth,
    Correction,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.complete_verification import record_verdict
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.disown_subscription import disown_subscription
from identity.services.disputes import appeal_dispute, decide_dispute, open_dispute
from identity.services.execute_wave import execute_wave
from identity.services.import_subscriptions import import_subscriptions
from identity.services.open_case import open_case
from identity.services.primary_number import set_primary_number
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.revert_wave import revert_wave
from identity.services.waves import approve_wave, preview_wave, stop_wave
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork, connect
from identity.storage.link_runs import slice_bounds
from identity.storage.tables import directive, enforcement_case, subscription
from tests.databases import own_database, within
from tests.properties.identity.services.enforcement_model import (
    LEVEL,
    STATE_AFTER,
    Case,
    Country,
    Dispute,
    Number,
    Order,
    Person,
    Run,
    Wave,
)
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_record,
    make_session,
    rules,
)

EXAMPLES = "ENFORCEMENT_EXAMPLES"
"""Environment variable: how many examples to draw at random, instead of those that are always the
same."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPERATORS = ("north", "south")
NUMBERS_MAX = 6
OK = ""
T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)

picks = st.integers(0, NUMBERS_MAX - 1)
operators = st.sampled_from(OPERATORS)
links = st.sampled_from([LinkState.LINKED] * 4 + list(LinkState))
jumps = st.sampled_from(
    [*(MINUTE, HOUR, DAY - MINUTE, DAY, 5 * DAY), *(n * DAY for n in (16, 16, 31, 31, 61, 61))]
)
decisions = st.sampled_from([*DisputeDecision, DisputeDecision.CLAIMANT])

Rows = Mapping[UUID, Mapping[str, Any]]


@dataclass(eq=False)
class Lease:
    """What an operator has in hand; `is_done` where its network did it at once."""

    lease_id: UUID
    operator: str
    orders: list[Order]
    is_done: bool


class Enforcement(RuleBasedStateMachine):
    """A few numbers of two operators, and all that may happen to them."""

    engine: Engine

    @initialize(
        arriving=st.lists(st.tuples(operators, links), min_size=2, max_size=4),
        chosen=st.sets(picks, max_size=3),
        stage=st.integers(0, 4),
    )
    def begin(self, arriving: list[tuple[str, LinkState]], chosen: set[int], stage: int) -> None:
        """Some numbers that have just come, that wait for a wave, or that a wave has stepped.

        Some of them were verified, and most of those chosen as primary, and yet have a case.
        """
        self.connection = self.engine.connect()
        ring = KeyRing(active_id=1, sealing={1: b"s" * KEY_BYTES}, index=b"i" * KEY_BYTES)
        self.uow = UnitOfWork(self.connection, Vault(ring))
        self.transactions = within(self.uow)
        self.at, self.counted = NOW, 0
        self.model = Country(rules())
        self.records: dict[Person, PopulationRecord] = {}
        self.registered: set[Person] = set()
        self.leases: list[Lease] = []
        self.network: dict[tuple[str, MSISDN], str] = {}
        self.banned: set[Order] = set()
        self.put_back: dict[UUID, dict[UUID, tuple[int, datetime]]] = {}
        for operator, link in arriving:
            self.arrive(operator, link, is_in_service=True)
        for place in chosen:
            self.verify(place)
            if place:
                self.choose(place)
            self.see_face_under_another_id(place)
        far: tuple[Callable[[], object], ...] = (
            lambda: self.obey_for_days(5),
            lambda: self.run_clock(DAY),
            lambda: self.order_wave(2, has_primaries=True),
            lambda: self.execute(0, 2),
        )
        for act in far[:stage]:
            act()

    def teardown(self) -> None:
        """Everything that is ordered is done; then nothing is left behind."""
        if not hasattr(self, "connection"):
            return
        try:
            if self.model.numbers:
                self.work_off()
        finally:
            self.connection.rollback()
            self.connection.close()

    # Circumstances.

    def new_id(self) -> UUID:
        """The next identifier."""
        self.counted += 1
        return UUID(int=self.counted)

    def call(self, name: str, role: Role = Role.REGULATOR) -> Call:
        """A call at the present instant."""
        return make_call(name, role=role, at=self.at, new_id=self.new_id)

    def operator(self, number: Number) -> Call:
        """A call by the operator of a number."""
        return self.call(number.operator, Role.OPERATOR)

    @property
    def app(self) -> Call:
        """A call by the citizen app."""
        return self.call("vneid", Role.CITIZEN_APP)

    def pick(self, place: int) -> Number | None:
        """A number in service or registered, if there is one."""
        found = [number for number in self.model.numbers if number.is_on]
        return found[place % len(found)] if found else None

    def refusal(self, act: Callable[[], object]) -> str:
        """Act in a transaction; why it was refused, if it was."""
        try:
            with self.connection.begin_nested():
                act()
        except DomainError as error:
            return error.reason
        return OK

    def do(self, act: Callable[[], object]) -> None:
        """Act in a transaction, which is not refused."""
        assert self.refusal(act) == OK

    def event(self, number: Number, kind: EventKind, operator: str, lag: timedelta) -> str:
        """An operator reports something."""
        event = SubscriptionEvent(
            msisdn=number.msisdn,
            kind=kind,
            occurred_at=self.at - lag,
            claim=self.claim(number.holder) if kind is EventKind.PORT_IN else None,
        )
        with self.connection.begin_nested():
            (told,) = report_events(self.uow, self.call(operator, Role.OPERATOR), [event])
        return told

    # People.

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

    def claim(self, person: Person) -> Any:
        """What contracts say of a person."""
        return make_claim(self.records[person])

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
            told = self.refusal(
                lambda: set_primary_number(self.uow, self.app, who, number.msisdn)
            )
            is_fit = number.is_eligible and number.state == "active"
            assert told == (OK if is_fit else "PRIMARY_NOT_ELIGIBLE")
            number.is_primary = number.is_primary or is_fit

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
        elif is_port and LEVEL[number.state]:
            assert told == "EVENT_INVALID"
        else:
            assert told == OK
            self.network.pop((number.operator, number.msisdn), None)
            self.model.give_up(number, self.at)
            if is_port:
                self.port_in(number)

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

    @rule(days=st.integers(1, 5))
    def obey_for_days(self, days: int) -> None:
        """Some days on which the clock is run; then all is done that was ordered."""
        for _ in range(days):
            self.run_clock(DAY)
        for operator in OPERATORS:
            self.obey(operator)

    # Waves.

    def wave(self, place: int, *states: str) -> Wave | None:
        """A wave that stands so, if there is one."""
        fitting = self.named(*states)
        return fitting[place % len(fitting)] if fitting else None

    def named(self, *states: str) -> list[Wave]:
        """The waves that stand so."""
        return [wave for wave in self.model.waves if wave.state in states]

    @rule(slice_numbers=st.integers(1, 4), has_primaries=st.booleans())
    def preview(self, slice_numbers: int, *, has_primaries: bool) -> None:
        """A wave is tried dry."""
        criteria = replace(T2, has_primaries=has_primaries)
        with self.connection.begin_nested():
            shown = preview_wave(
                self.uow, self.call("ministry"), criteria, slice_numbers=slice_numbers
            )
        wave = Wave(shown.wave_id, shown.slice_count, has_primaries)
        assert shown.preview.subscription_count == len(self.model.awaiting(wave, self.at))
        self.model.waves.append(wave)

    @rule(slice_numbers=st.integers(1, 4), has_primaries=st.booleans())
    def order_wave(self, slice_numbers: int, *, has_primaries: bool) -> None:
        """A wave that two approve at once."""
        self.preview(slice_numbers, has_primaries=has_primaries)
        self.approve(len(self.named("previewed", "stopped")) - 1, "ab")

    @rule(place=picks, names=st.sampled_from(["a", "b", "ab", "aa"]))
    def approve(self, place: int, names: str) -> None:
        """People of the regulator approve."""
        wave = self.wave(place, "previewed", "stopped")
        for name in names if wave is not None else ():
            told = self.refusal(
                partial(approve_wave, self.uow, self.call(name), wave.wave_id)
            )
            is_fit = name not in wave.approvers and wave.state in {"previewed", "stopped"}
            assert told == (OK if is_fit else "WAVE_NOT_READY")
            wave.approvers.add(name)
            if len(wave.approvers) == 2:
                wave.state = "running" if wave.done else "approved"

    @rule(place=picks, slices=st.integers(1, 4))
    def execute(self, place: int, slices: int) -> None:
        """Slices of a wave are executed, unless nobody has approved."""
        if (wave := self.wave(place, "previewed", "approved", "running", "stopped")) is None:
            return
        is_fit = wave.state in {"approved", "running"}
        for _ in range(slices):
            before = self.rows(enforcement_case, "case_id")
            told = self.refusal(
                lambda: execute_wave(
                    self.transactions, self.call("ministry"), wave.wave_id, slice_count_max=1
                )
            )
            assert told == (OK if is_fit else "WAVE_NOT_READY")
            is_fit = is_fit and self.execute_slice(wave)
            self.remember_stepped(wave, before)

    def execute_slice(self, wave: Wave) -> bool:
        """The model's next slice; whether there may be another."""
        if any(self.model.is_wrong(wave, self.slice(wave, place)) for place in wave.done):
            wave.state, wave.approvers = "stopped", set()
            return False
        place = len(wave.done)
        self.model.execute(wave, self.slice(wave, place), self.at)
        wave.done.append(place)
        wave.state = "completed" if len(wave.done) == wave.slice_count else "running"
        return wave.state == "running"

    def slice(self, wave: Wave, place: int) -> list[Number]:
        """The numbers of a slice: those of a range of keys."""
        low, high = slice_bounds(place, of=wave.slice_count)
        keys = {n: self.uow.sealer.blind_index("msisdn", n.msisdn.value) for n in self.model.numbers}
        return [n for n, key in keys.items() if key >= low and (high is None or key < high)]

    def remember_stepped(self, wave: Wave, before: Rows) -> None:
        """How the cases stood that a wave has just stepped."""
        for key, row in self.rows(enforcement_case, "case_id").items():
            if row["wave_id"] == wave.wave_id and before[key]["wave_id"] is None:
                was = (before[key]["steps_taken"], before[key]["next_due_at"])
                self.put_back.setdefault(wave.wave_id, {})[key] = was

    @rule(place=picks)
    def stop(self, place: int) -> None:
        """Somebody presses the button."""
        wave = self.wave(place, "previewed", "approved", "running")
        if wave is not None:
            self.do(lambda: stop_wave(self.uow, self.call("ministry"), wave.wave_id, "wait"))
            wave.state, wave.approvers = "stopped", set()

    @rule(place=picks)
    def revert(self, place: int) -> None:
        """A wave is put back: its open cases exactly, and nothing else."""
        wave = self.wave(place, *WaveState)
        if wave is None:
            return
        before = self.rows(enforcement_case, "case_id")
        self.do(
            lambda: revert_wave(
                self.transactions, self.call("ministry"), wave.wave_id, reason="a mistake"
            )
        )
        self.model.revert(wave, self.at)
        wave.state = "reverted"
        stood = self.put_back.pop(wave.wave_id, {})
        for key, row in self.rows(enforcement_case, "case_id").items():
            if key in stood and before[key]["state"] == "open":
                assert (row["steps_taken"], row["next_due_at"]) == stood[key]
                assert row["waits_for_wave"]
            else:
                assert row == before[key]

    # Operators.

    @rule(
        operator=operators,
        lasts=st.sampled_from([HOUR, 2 * DAY]),
        limit=st.sampled_from([1, 2, 99]),
        is_done=st.booleans(),
    )
    def pull(self, operator: str, lasts: timedelta, limit: int, *, is_done: bool) -> None:
        """An operator pulls; its network does it at once, or when it acknowledges."""
        self.lease(operator, lasts, limit, is_done=is_done)

    def lease(self, operator: str, lasts: timedelta, limit: int, *, is_done: bool) -> Lease:
        """What an operator gets, which is what it may get."""
        self.agree()  # and learn what new orders are called
        ready = self.model.ready(operator, self.at)
        call = self.call(operator, Role.OPERATOR)
        with self.connection.begin_nested():
            told = pull_directives(self.uow, call, duration=lasts, limit=limit)
        by_id = {o.directive_id: o for number in self.model.numbers for o in number.orders}
        handed = [by_id[each.directive.directive_id] for each in told.directives]
        self.judge_handed(handed, ready, limit)
        for order in handed:
            order.lease, order.out_until, order.was_handed = told.lease_id, told.expires_at, True
            if is_done:
                self.switch(order)
        lease = Lease(told.lease_id, operator, handed, is_done)
        self.leases = [*self.leases[-5:], lease] if handed else self.leases
        return lease

    def judge_handed(self, handed: list[Order], ready: list[Order], limit: int) -> None:
        """What was handed out is what may be, in its order, for a cause, after its notices."""
        assert len(handed) == len(set(handed)) <= limit
        assert set(handed) <= set(ready)
        assert bool(handed) is bool(ready)
        assert limit < len(ready) or set(handed) == set(ready)
        assert self.banned.isdisjoint(handed)
        for number in {order.number: None for order in handed}:
            own = [order for order in handed if order.number is number]
            assert own == [order for order in ready if order.number is number][: len(own)]
            for order in own:
                self.judge_cause(order, told=own[: own.index(order)])

    @staticmethod
    def judge_cause(order: Order, *, told: list[Order]) -> None:
        """A case stands behind it that has come so far, and whose notices were sent before."""
        if order.kind == "restore":
            return
        ended = [] if order.number.is_on else [c for c in order.number.cases if c.end == "terminated"]
        behind = [*order.number.open_cases, *ended]
        assert behind
        if order.kind == "notify":
            return
        level = LEVEL[STATE_AFTER[order.kind]]
        assert any(LEVEL[case.state] >= level for case in behind)
        for case in behind:
            if case.track.name == order.track and LEVEL[case.state] >= level:
                place = order.number.orders.index(order)
                notices = [
                    each
                    for each in order.number.orders[:place]
                    if (each.kind, each.track) == ("notify", order.track)
                    and (each.was_handed or each in told)
                    and (each.state == "executed" or not case.track.waits_for_notices)
                ]
                kinds = [step.kind for step in case.track.steps]
                assert len(notices) >= kinds.index(StepKind.NOTIFY) + kinds.count(StepKind.NOTIFY)

    def switch(self, order: Order) -> None:
        """A network does as it is told, whatever it was told before."""
        number = (order.number.operator, order.number.msisdn)
        if order.kind != "notify":
            self.network[number] = STATE_AFTER[order.kind]

    @rule(place=picks, fails=st.sets(st.integers(0, 3)), is_twice=st.booleans())
    def acknowledge(self, place: int, fails: set[int], *, is_twice: bool) -> None:
        """An operator acknowledges what it had or has in hand, in time or late, once or twice."""
        if not self.leases:
            return
        lease = self.leases[-1 - place % len(self.leases)]
        failed = set() if lease.is_done else fails
        for _ in range(1 + is_twice):
            self.answer(lease, failed)

    def answer(self, lease: Lease, fails: set[int]) -> None:
        """An acknowledgement, and what it is worth."""
        said = [(order, at not in fails) for at, order in enumerate(lease.orders)]
        items = [
            Acknowledgement(
                directive_id=order.directive_id or uuid4(),
                is_executed=is_executed,
                failure="" if is_executed else "no answer",
            )
            for order, is_executed in said
        ]
        call = self.call(lease.operator, Role.OPERATOR)
        with self.connection.begin_nested():
            told = acknowledge_directives(self.uow, call, lease.lease_id, items)
        assert [each.value for each in told] == self.model.acknowledge(
            lease.lease_id, said, self.at
        )
        for (order, is_executed), result in zip(said, told, strict=True):
            if result == "accepted" and is_executed and not lease.is_done:
                self.switch(order)

    def obey(self, operator: str) -> None:
        """An operator does everything that it can get, and says so."""
        while True:
            lease = self.lease(operator, HOUR, 99, is_done=True)
            if not lease.orders:
                return
            self.answer(lease, set())

    def work_off(self) -> None:
        """When everything is done that is ordered, the networks are as is ordered."""
        self.at += 3 * DAY  # every lease has ended
        for operator in OPERATORS:
            self.obey(operator)
        self.agree()
        for number in self.model.numbers:
            assert number.open_orders == []
            place = (number.operator, number.msisdn)
            if number.is_on and number.state != "inactive":
                assert self.network[place] == number.state

    # What must be so.

    def rows(self, table: Any, key: str) -> Rows:
        """All rows of a table."""
        return {row[key]: dict(row) for row in self.connection.execute(select(table)).mappings()}

    @invariant()
    def agree(self) -> None:
        """Every case and every order is as the model says."""
        for number in self.model.numbers:
            if number.subscription_id is None:
                item = self.uow.subscriptions.find_in_service(number.msisdn)
                assert item is not None
                number.subscription_id = item.subscription_id
        stored = self.rows(subscription, "subscription_id")
        assert stored.keys() == {number.subscription_id for number in self.model.numbers}
        cases = self.rows(enforcement_case, "case_id").values()
        orders = sorted(
            self.rows(directive, "directive_id").values(), key=lambda row: row["position"]
        )
        for number in self.model.numbers:
            row = stored[number.subscription_id]
            assert (row["service_state"], row["applied_state"]) == (number.state, number.applied)
            own = [row for row in cases if row["subscription_id"] == number.subscription_id]
            assert sorted(map(case_shown, own)) == sorted(map(shown, number.cases))
            told = [row for row in orders if row["subscription_id"] == number.subscription_id]
            for order, row in zip(number.orders, told, strict=True):
                order.directive_id = row["directive_id"]
                state = "open" if row["state"] in {"pending", "leased"} else row["state"]
                assert (row["kind"], row["track"], state) == (order.kind, order.track, order.state)


def case_shown(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What is stored of a case, in words."""
    names = ("track", "cause", "opened_at", "next_due_at", "steps_taken", "frozen_at")
    rest = ("waits_for_wave", "wave_id", "wave_due_at", "state")
    return tuple(str(row[name]) for name in (*names, *rest))


def shown(case: Case) -> tuple[str, ...]:
    """What the model says of a case, in the same words."""
    words = (case.track.name, case.cause, case.opened_at, case.due_at, case.steps, case.frozen_at)
    rest = (case.waits_for_wave, case.wave, case.wave_due_at, case.end or "open")
    return tuple(map(str, (*words, *rest)))


@pytest.fixture(scope="module")
def empty_engine(postgres_url: str) -> Iterator[Engine]:
    """A database with nothing in it but what an example puts there."""
    with own_database(postgres_url, f"model_{uuid4().hex}") as url:
        engine = connect(url)
        yield engine
        engine.dispose()


def test_numbers_stand_where_the_model_says(empty_engine: Engine) -> None:
    asked = os.environ.get(EXAMPLES)
    run_state_machine_as_test(
        type("Machine", (Enforcement,), {"engine": empty_engine}),
        settings=settings(
            max_examples=int(asked or 20),
            derandomize=asked is None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],  # shrinking takes minutes: examples are short as they are
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
