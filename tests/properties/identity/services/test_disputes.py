"""Whatever people, operators and the regulator do in whatever order, disputes go by the rules.

A machine draws acts; a model of a few plain values says what each must lead to: whose the number
is, where the dispute stands, and what the clocks do. The model knows nothing of cases, rows or
settling. Time is a value, and everything happens in a transaction that is rolled back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, func, select

from identity.domain.dispute import DisputeDecision, DisputeState, Evidence, EvidenceKind
from identity.domain.errors import DomainError
from identity.domain.holder import PopulationRecord
from identity.domain.policy import CaseCause
from identity.domain.settlement import UNDISPUTED_CAUSES
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.disown_subscription import disown_subscription
from identity.services.disputes import add_evidence, appeal_dispute, open_dispute
from identity.services.primary_number import set_primary_number
from identity.services.report_events import EventKind
from identity.storage.database import UnitOfWork
from identity.storage.disputes import KeptDispute, Sight
from identity.storage.tables import directive
from tests.unit.identity.makers import (
    make_claim,
    make_operator,
    step_up,
    store_citizen,
    track_for,
)
from tests.unit.identity.services.quarrels import DAY, POLICY, Quarrel, quarrel

PEOPLE = st.integers(0, 2)
DECISIONS = st.sampled_from(DisputeDecision)
OK = ""
NOT_READY = "DISPUTE_NOT_READY"
PIECE = Evidence(
    kind=EvidenceKind.BILLS, document_digest=b"\x01" * 32, place="a shop", is_for_claimant=True
)
Said = dict[str, DisputeDecision]


@dataclass
class Model:
    """Everything that is so, in a few values.

    Attributes:
        holder: Place of the person who has the number.
        number: Grows with each subscription of the number.
        sides: Places of the holder and the claimant of the last dispute.
        state: Where that stands.
        deadline: Its time.
        appeal_until: Until when its first decision may be appealed against.
        said: What each caller says, before and after an appeal.
        found: The decision in force.
        appeals: Places of the people who have appealed.
        heard: Which claims on which subscription were decided.
        spent: Subscriptions whose clocks a dispute has held: none holds them again.
        lost: Who has lost the number to whom.
    """

    holder: int = 0
    number: int = 0
    sides: tuple[int, ...] = ()
    state: str = "closed"
    deadline: datetime | None = None
    appeal_until: datetime | None = None
    said: tuple[Said, Said] = field(default_factory=lambda: ({}, {}))
    found: DisputeDecision | None = None
    appeals: set[int] = field(default_factory=set)
    heard: set[tuple[int, int]] = field(default_factory=set)
    spent: set[int] = field(default_factory=set)
    lost: set[tuple[int, int]] = field(default_factory=set)

    @property
    def is_disputed(self) -> bool:
        """A dispute is not closed."""
        return self.state != "closed"

    @property
    def is_held(self) -> bool:
        """It is the first dispute about the subscription."""
        return self.is_disputed and self.number not in self.spent

    def is_late(self, at: datetime) -> bool:
        """The time of the dispute has run out."""
        return self.deadline is not None and self.deadline <= at

    def claim(self, person: int, at: datetime) -> str:
        """A person claims the number."""
        is_heard = (self.number, person) in self.heard or (person, self.holder) in self.lost
        if person == self.holder or is_heard:
            return "DISPUTE_INVALID"
        if self.is_disputed:
            return "DISPUTE_EXISTS"
        self.sides, self.state, self.deadline = (self.holder, person), "open", at
        self.deadline += POLICY.decide_within
        self.said, self.found, self.appeals = ({}, {}), None, set()
        return OK

    def show(self, person: int, at: datetime) -> str:
        """A person shows evidence."""
        if person not in self.sides:
            return "DISPUTE_NOT_FOUND"
        return OK if self.state == "open" and not self.is_late(at) else NOT_READY

    def say(self, caller: str, decision: DisputeDecision, at: datetime) -> str:
        """A caller of the regulator says whose the number is."""
        first, again = self.said
        voices = again if self.state == "appealed" else first
        is_biased = self.state == "appealed" and caller in first
        is_open = self.state in {"open", "appealed"} and not self.is_late(at)
        if not is_open or is_biased or voices.get(caller) is decision:
            return NOT_READY
        voices[caller] = decision
        if list(voices.values()).count(decision) == 2:
            self.find(decision, at)
        return OK

    def find(self, decision: DisputeDecision, at: datetime) -> None:
        """Two have said the same."""
        self.found = decision
        if self.state == "appealed":
            self.end()
        else:
            self.state, self.deadline = "decided", at + POLICY.appeal_within
            self.appeal_until = self.deadline

    def appeal(self, person: int, at: datetime) -> str:
        """A person appeals."""
        if person not in self.sides:
            return "DISPUTE_NOT_FOUND"
        is_open = self.state in {"decided", "appealed"} and not self.is_late(at)
        in_time = self.appeal_until is not None and at < self.appeal_until
        if not is_open or not in_time or person in self.appeals:
            return NOT_READY
        self.appeals.add(person)
        if self.state == "decided":
            self.state, self.deadline = "appealed", at + POLICY.decide_within
        return OK

    def end(self) -> None:
        """The decision stands, or there is none."""
        self.state = "closed"
        self.spent.add(self.number)
        loser, winner = self.sides
        if self.found is not None:
            self.heard.add((self.number, winner))
        if self.found is DisputeDecision.CLAIMANT:
            self.lost.add((loser, winner))
            self.holder, self.number = winner, self.number + 1


class Disputes(RuleBasedStateMachine):
    """A number, three people, operators, five callers of the regulator, and the time."""

    engine: Engine
    vault: Vault
    decision: DisputeDecision
    """What the first two say, where it begins with a decision: each has a test of its own."""

    @initialize(is_verified=st.booleans(), stage=st.integers(0, 3))
    def begin(self, *, is_verified: bool, stage: int) -> None:
        """A number, verified or on the ladder; undisputed, claimed, decided or appealed about."""
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        self.uow = UnitOfWork(self.connection, self.vault)
        self.world: Quarrel = quarrel(self.uow, **({} if is_verified else {"verified_at": None}))
        third = store_citizen(self.uow)
        self.people: list[PopulationRecord] = [self.world.holder, self.world.claimant, third]
        self.model = Model()
        self.dispute_id = uuid4()  # of the last one; before the first there is none of that name
        self.left: Mapping[UUID, timedelta | None] = {}
        self.is_gone = False
        far: tuple[Callable[[], object], ...] = (
            lambda: self.claim(person=1),
            lambda: self.say_together(first=0, decision=self.decision),
            lambda: self.appeal(person=0),
        )
        for act in far[:stage]:
            act()

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "transaction"):
            self.transaction.rollback()
            self.connection.close()

    def expect(self, reason: str, act: Callable[[], object]) -> None:
        """Act, and be refused for this reason; empty for not at all."""
        try:
            with self.connection.begin_nested():
                act()
            told = OK
        except DomainError as error:
            told = error.reason
        assert told == reason
        self.look()

    def look(self) -> None:
        """Go on a minute later, with whoever has the number now."""
        found = self.uow.subscriptions.find_in_service(self.world.item.msisdn)
        self.is_gone = found is None
        self.world.item = found or self.world.item
        self.world.at += timedelta(minutes=1)

    def kept(self) -> KeptDispute | None:
        """The last dispute, as it is stored."""
        return self.uow.disputes.find(self.dispute_id, Sight())

    # What people do.

    @rule(person=PEOPLE)
    def claim(self, person: int) -> None:
        """Somebody claims the number, at its operator."""
        if self.is_gone:
            return
        at, cases = self.world.at, self.world.cases()
        reason = self.model.claim(person, at)

        def act() -> None:
            claimant = self.people[person].personal_id
            item = self.world.item
            view = open_dispute(self.uow, self.world.operator, item.msisdn, claimant)
            self.dispute_id = view.dispute.dispute_id

        self.expect(reason, act)
        if reason == OK:
            self.left = {
                case.case_id: None if case.next_due_at is None else case.next_due_at - at
                for case in cases
                if case.cause not in UNDISPUTED_CAUSES
            }

    @rule(person=PEOPLE)
    def show_evidence(self, person: int) -> None:
        """Somebody shows evidence, in the app."""
        who = self.people[person].personal_id
        self.expect(
            self.model.show(person, self.world.at),
            lambda: add_evidence(
                self.uow, self.world.app, self.dispute_id, [PIECE], personal_id=who
            ),
        )

    @rule(person=PEOPLE)
    def appeal(self, person: int) -> None:
        """Somebody appeals, in the app."""
        who = self.people[person].personal_id
        self.expect(
            self.model.appeal(person, self.world.at),
            lambda: appeal_dispute(self.uow, self.world.app, self.dispute_id, who),
        )

    @rule(caller=st.sampled_from("abcde"), decision=DECISIONS)
    def say(self, caller: str, decision: DisputeDecision) -> None:
        """A caller of the regulator says whose the number is."""
        reason = "DISPUTE_NOT_FOUND"
        if self.kept() is not None:
            reason = self.model.say(caller, decision, self.world.at)
        self.expect(reason, lambda: self.world.decide(self.dispute_id, decision, caller))

    @rule(first=st.integers(0, 3), decision=DECISIONS)
    def say_together(self, first: int, decision: DisputeDecision) -> None:
        """Two neighbours say the same."""
        for caller in "abcde"[first : first + 2]:
            self.say(caller, decision)

    @rule()
    def verify(self) -> None:
        """The holder presents card and face."""
        if not self.is_gone:
            self.world.verify(self.people[self.model.holder])
            self.look()

    @rule()
    def choose(self) -> None:
        """The holder makes it the primary number, where it may be."""
        item = self.world.item
        may = item.is_eligible_as_primary and item.service_state is ServiceState.ACTIVE
        is_given_up = any(case.cause is CaseCause.DISOWNED for case in self.world.cases())
        holder = self.people[self.model.holder]
        app = self.world.app
        # Any but the first choice takes a verification that was made for it.
        fresh = step_up(self.uow, holder, item, at=self.world.at, caller=str(app.caller))
        self.expect(
            OK if may and not is_given_up and not self.is_gone else "PRIMARY_NOT_ELIGIBLE",
            lambda: set_primary_number(
                self.uow,
                app,
                holder.personal_id,
                item.msisdn,
                verification_id=fresh,
            ),
        )

    @rule()
    def disown(self) -> None:
        """The holder says "not mine"."""
        if not self.is_gone:
            holder = self.people[self.model.holder].personal_id
            disown_subscription(self.uow, self.world.app, holder, self.world.item.msisdn)
            self.look()

    # What the operator does.

    @rule()
    def change_device(self) -> None:
        """The SIM is in another device."""
        if not self.is_gone:
            assert self.world.event(EventKind.DEVICE_CHANGE) == OK
            self.look()

    @rule(person=PEOPLE)
    def transfer(self, person: int) -> None:
        """The operator tells of a new holder."""
        self.hand_on(person, lambda heir: self.world.event(EventKind.TRANSFER, heir))

    @rule(person=PEOPLE)
    def write_book(self, person: int) -> None:
        """The operator's book names another holder."""
        if person != self.model.holder:
            self.hand_on(person, lambda heir: "".join(self.world.book(heir)))

    def hand_on(self, person: int, act: Callable[[PopulationRecord], str]) -> None:
        """The number goes to somebody else, and not in a dispute."""
        if self.is_gone:
            return
        reason = act(self.people[person])
        is_lost = (person, self.model.holder) in self.model.lost
        if self.model.is_disputed:
            assert reason == "NUMBER_IN_DISPUTE"
        elif person == self.model.holder:
            assert reason == "EVENT_INVALID"
        elif reason:
            assert (reason, is_lost) == ("NUMBER_IN_DISPUTE", True)
        else:
            self.model.holder = person
        self.look()

    @rule()
    def release_in_a_dispute(self) -> None:
        """The operator lets the number go: it may not."""
        if self.model.is_disputed and not self.is_gone:
            assert self.world.event(EventKind.RELEASE) == "NUMBER_IN_DISPUTE"
            self.look()

    @rule()
    def port(self) -> None:
        """The holder takes the number to another operator."""
        if self.is_gone:
            return
        is_blocked = self.world.item.service_state.strictness > 0
        has_begun = is_blocked or any(case.steps_taken for case in self.world.cases())
        reason = self.world.event(EventKind.PORT_OUT)
        if self.model.is_disputed:
            assert reason == "NUMBER_IN_DISPUTE"
        elif has_begun:
            assert reason == "EVENT_INVALID"
        else:
            assert reason == OK
            self.world.item = replace(self.world.item, operator_id=make_operator())
            holder = self.people[self.model.holder]
            assert self.world.event(EventKind.PORT_IN, holder) == OK
            self.model.number += 1
        self.look()

    # What time does.

    @rule(days=st.integers(1, 9))
    def wait(self, days: int) -> None:
        """Days go by."""
        self.world.at += days * DAY

    @rule()
    def let_the_time_run_out(self) -> None:
        """The clock is run as soon as the dispute is over, if there is one."""
        self.world.at = max(self.world.at, self.model.deadline or self.world.at)
        self.run_the_clock(days=0)

    @rule(days=st.integers(0, 3))
    def run_the_clock(self, days: int) -> None:
        """The clock is run, at once or later; the operator obeys."""
        at = self.world.at = self.world.at + days * DAY
        ends = self.model.is_disputed and self.model.is_late(at)
        was_held = self.model.is_held
        if ends:
            self.model.end()
        item, before = self.world.item, {case.case_id: case for case in self.world.cases()}
        self.world.run()
        if ends and was_held and self.model.found is not DisputeDecision.CLAIMANT:
            for case in self.world.cases(item):
                left = self.left.get(case.case_id)
                if left is not None and left > timedelta():
                    # Not a step was skipped, and not an hour of the interval.
                    assert case.steps_taken == before[case.case_id].steps_taken
                    assert case.next_due_at == at + left
        self.look()

    # What must be so.

    @invariant()
    def the_number_is_whose_the_model_says(self) -> None:
        """Nobody got it by any other way, and nobody lost it."""
        if self.is_gone:
            # Nothing but a change of device ends a number here: no other ladder goes so far alone.
            assert self.ended_by_device(self.world.item)
        else:
            assert self.world.item.claim == make_claim(self.people[self.model.holder])

    @invariant()
    def the_dispute_stands_where_the_model_says(self) -> None:
        """State, decision and deadline agree."""
        kept = self.kept()
        if kept is None:
            assert self.model.sides == ()
            return
        dispute = kept.dispute
        assert dispute.state == DisputeState(self.model.state)
        assert (dispute.decision, dispute.deadline) == (self.model.found, self.model.deadline)
        assert len(dispute.deciders) in {0, 2, 4}
        assert len(set(dispute.deciders)) == len(dispute.deciders)

    @invariant()
    def the_first_dispute_holds_every_clock_but_that_of_a_changed_device(self) -> None:
        """And without it none is held."""
        for case in self.world.cases():
            is_held = self.model.is_held and case.cause not in UNDISPUTED_CAUSES
            assert (case.frozen_at is not None) is is_held

    @invariant()
    def nothing_is_ordered_in_a_dispute_but_for_a_changed_device(self) -> None:
        """No notice, no block."""
        kept = self.kept()
        if kept is None or not self.model.is_held:
            return
        query = select(func.count()).where(
            directive.c.subscription_id == kept.dispute.subscription_id,
            directive.c.created_at > kept.dispute.opened_at,
            directive.c.track.is_not(None),
            directive.c.track != track_for(CaseCause.DEVICE_CHANGE).name,
        )
        assert self.connection.execute(query).scalar_one() == 0

    @invariant()
    def nobody_reaches_a_person_by_a_number_they_were_not_verified_for(self) -> None:
        """No primary passes over."""
        for person, record in enumerate(self.people):
            marked = self.uow.primaries.find(record.personal_id)
            if marked is not None:
                assert person == self.model.holder
                assert self.world.item.verified_at is not None

    def ended_by_device(self, item: Subscription) -> bool:
        """The ladder of a changed device has ended a number."""
        query = select(func.count()).where(
            directive.c.subscription_id == item.subscription_id,
            directive.c.kind == "terminate",
            directive.c.track == track_for(CaseCause.DEVICE_CHANGE).name,
        )
        return bool(self.connection.execute(query).scalar_one())


@pytest.mark.parametrize("decision", list(DisputeDecision))
def test_disputes_go_by_the_rules(engine: Engine, vault: Vault, decision: DisputeDecision) -> None:
    given = {"engine": engine, "vault": vault, "decision": decision}
    machine = type("Machine", (Disputes,), given)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=18,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
