"""Whatever two sides do in whatever order, nothing holds that not both have agreed to.

A machine draws acts; a model of a few plain values says what each must lead to. The model knows
nothing of rows or records: a child is the days on which it is asked and of age. Time is a value,
and everything happens in a transaction that is rolled back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, delete

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.errors import DomainError
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.security.vault import Vault
from identity.services.advance_enforcement import advance_enforcement
from identity.services.arrangements import end_arrangement, get_arrangement, propose_company_line
from identity.storage.arrangements import Parties
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.tables import enforcement_clock
from tests.databases import within
from tests.unit.identity.makers import (
    NOW,
    find,
    make_claim,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.households import ORGANISATION, Household

DAY = timedelta(days=1)
POLICY = rules().arrangements
OK = ""
NOT_READY, NOT_FOUND = "ARRANGEMENT_NOT_READY", "ARRANGEMENT_NOT_FOUND"
ASKED_IN, OF_AGE_IN, NEVER = 6, 9, 10_000
"""Days from the beginning on which the first child is asked, and the second one of age."""

GUARDIANS, CHILDREN = st.integers(0, 2), st.integers(0, 2)


@dataclass
class Said:
    """What became of one proposal."""

    identity: UUID
    lapses_at: datetime
    has_papers: bool = False
    has_consent: bool = False
    state: str = "proposed"

    def now(self, at: datetime) -> str:
        """Where it stands."""
        is_late = self.state == "proposed" and self.lapses_at <= at
        return "lapsed" if is_late else self.state

    def is_in_the_way(self, at: datetime) -> bool:
        """The same cannot be proposed again."""
        is_silent = self.state in {"proposed", "refused"} and at < self.lapses_at
        return is_silent or self.state == "agreed"


@dataclass
class Child:
    """From which instants on somebody is asked, and of age; nobody is where there is no record."""

    asked_from: datetime
    adult_from: datetime
    is_there: bool = True


@dataclass
class Model:
    """Everything that is so."""

    children: list[Child]
    pairs: dict[tuple[int, int], Said] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    line: Said | None = None
    has_number: bool = True

    def stands(self, pair: tuple[int, int], at: datetime) -> str:
        """Where the last proposal of a guardian to a child stands; empty without one."""
        said = self.pairs.get(pair)
        if said is None:
            return ""
        is_over = said.state == "agreed" and self.children[pair[1]].adult_from <= at
        return "ended" if is_over else said.now(at)

    def holds(self, pair: tuple[int, int], at: datetime) -> bool:
        """One acts for the other."""
        return self.stands(pair, at) == "agreed"

    def guardians(self, child: int, at: datetime) -> int:
        """How many a child has."""
        return sum(self.holds((each, child), at) for each in range(3))

    def agree(self, pair: tuple[int, int], at: datetime) -> str:
        """Somebody has said something: does it hold now?"""
        said, child = self.pairs[pair], self.children[pair[1]]
        is_child = child.is_there and at < child.adult_from
        has_consent = said.has_consent or at < child.asked_from
        is_complete = said.has_papers and has_consent and is_child and pair[0] not in self.dead
        if is_complete and self.guardians(pair[1], at) == POLICY.guardian_count_max:
            return "ARRANGEMENT_LIMIT"
        if is_complete:
            said.state = "agreed"
        return OK


class Arrangements(RuleBasedStateMachine):
    """Three guardians, two children, somebody unknown, a company's number, and the time."""

    engine: Engine
    vault: Vault

    @initialize(stage=st.integers(0, 3))
    def begin(self, stage: int) -> None:
        """Nothing is agreed; or papers are in, or two guardians hold, or a line does."""
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        self.uow = UnitOfWork(self.connection, self.vault)
        self.uow.connection.execute(delete(enforcement_clock))
        midnight = datetime(NOW.year, NOW.month, NOW.day, tzinfo=DAY_ZONE)
        first = midnight.date() + ASKED_IN * DAY
        second = midnight.date() + OF_AGE_IN * DAY
        young = store_citizen(self.uow, birth_date=first.replace(year=first.year - 14))
        old = store_citizen(self.uow, birth_date=second.replace(year=second.year - 18))
        nobody = replace(young, personal_id=make_personal_id())
        self.guardians = [store_citizen(self.uow) for _ in range(3)]
        self.children: list[PopulationRecord] = [young, old, nobody]
        never = midnight + NEVER * DAY
        self.model = Model(
            children=[
                Child(asked_from=midnight + ASKED_IN * DAY, adult_from=never),
                Child(asked_from=midnight, adult_from=midnight + OF_AGE_IN * DAY),
                Child(asked_from=midnight, adult_from=never, is_there=False),
            ]
        )
        self.world = Household(uow=self.uow, guardian=self.guardians[0], child=young)
        self.item = store_number(self.uow, self.guardians[0], operator_id=self.world.operator)
        for act in self.beginnings()[stage]:
            act()

    def beginnings(self) -> Sequence[Sequence[Callable[[], None]]]:
        """What may have been done before it grows interesting."""
        papers = (
            lambda: self.propose(guardian=0, child=1),
            lambda: self.attest(guardian=0, child=1),
        )
        two_guardians = (
            lambda: self.propose(guardian=0, child=0),
            lambda: self.attest(guardian=0, child=0),
            lambda: self.propose(guardian=1, child=0),
            lambda: self.attest(guardian=1, child=0),
        )
        return ((), papers, two_guardians, (self.propose_line, self.accept_line))

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
        self.world.at += timedelta(minutes=1)

    def meet(self, guardian: int, child: int) -> tuple[int, int]:
        """Let these two be the household."""
        self.world.guardian, self.world.child = self.guardians[guardian], self.children[child]
        return guardian, child

    def identity(self, pair: tuple[int, int]) -> UUID:
        """Of the last proposal between two; of nothing without one."""
        return self.model.pairs[pair].identity if pair in self.model.pairs else UUID(int=7)

    # What guardians, children and whoever has seen papers do.

    @rule(guardian=GUARDIANS, child=CHILDREN)
    def propose(self, guardian: int, child: int) -> None:
        """A guardian asks."""
        pair, at = self.meet(guardian, child), self.world.at
        said = self.model.pairs.get(pair)
        reason = OK
        if guardian in self.model.dead:
            reason = "ARRANGEMENT_INVALID"
        elif said is not None and said.is_in_the_way(at):
            is_over = self.model.stands(pair, at) == "ended"
            reason = OK if is_over else "ARRANGEMENT_EXISTS"

        def act() -> None:
            made = self.world.propose().arrangement
            self.model.pairs[pair] = Said(made.arrangement_id, made.lapses_at)

        self.expect(reason, act)

    @rule(guardian=GUARDIANS, child=CHILDREN)
    def attest(self, guardian: int, child: int) -> None:
        """Somebody has seen the papers."""
        pair, at = self.meet(guardian, child), self.world.at
        said = self.model.pairs.get(pair)
        reason = NOT_FOUND
        if said is not None:
            reason = NOT_READY
            if said.now(at) == "proposed" and not said.has_papers:
                said.has_papers = True
                reason = self.model.agree(pair, at)
                said.has_papers = reason == OK
        self.expect(reason, lambda: self.world.attest(self.identity(pair)))

    @rule(guardian=GUARDIANS, child=CHILDREN)
    def accept(self, guardian: int, child: int) -> None:
        """A child says yes."""
        pair, at = self.meet(guardian, child), self.world.at
        said = self.model.pairs.get(pair)
        reason = NOT_FOUND
        if said is not None:
            reason = NOT_READY
            is_asked = self.is_asked(child, at) and at < self.model.children[child].adult_from
            is_open = said.now(at) == "proposed" and not said.has_consent
            if is_asked and is_open and guardian not in self.model.dead:
                said.has_consent = True
                reason = self.model.agree(pair, at)
                said.has_consent = reason == OK
        self.expect(reason, lambda: self.world.accept(self.identity(pair)))

    @rule(guardian=GUARDIANS, child=CHILDREN)
    def refuse(self, guardian: int, child: int) -> None:
        """A child says no."""
        pair, at = self.meet(guardian, child), self.world.at
        said = self.model.pairs.get(pair)
        reason = NOT_FOUND
        if said is not None:
            reason = NOT_READY
            is_heard = self.is_asked(child, at) and guardian not in self.model.dead
            if is_heard and said.now(at) == "proposed":
                said.state, reason = "refused", OK
        self.expect(reason, lambda: self.world.refuse(self.identity(pair)))

    @rule(guardian=GUARDIANS, child=CHILDREN, by=st.sampled_from(["guardian", "child", "mic"]))
    def end(self, guardian: int, child: int, by: str) -> None:
        """One of the two, or the regulator, ends it or takes it back."""
        pair, at = self.meet(guardian, child), self.world.at
        stands = self.model.stands(pair, at)
        may = by != "child" or (stands == "agreed" and self.is_asked(child, at))
        reason = NOT_FOUND if not stands else NOT_READY
        if stands in {"proposed", "agreed"} and may:
            self.model.pairs[pair].state, reason = "ended", OK
        if by == "mic":
            call = self.world.regulator
            act = lambda: end_arrangement(self.uow, call, self.identity(pair), None)  # noqa: E731 - two ways to end
        else:
            person = self.world.guardian if by == "guardian" else self.world.child
            act = lambda: self.world.end(self.identity(pair), person)  # noqa: E731 - as above
        self.expect(reason, act)

    def is_asked(self, child: int, at: datetime) -> bool:
        """Whether somebody is old enough, and there."""
        known = self.model.children[child]
        return known.is_there and known.asked_from <= at

    @rule(guardian=GUARDIANS)
    def bury(self, guardian: int) -> None:
        """A guardian dies; the one who uses the company's number lives on."""
        if guardian == 0 or guardian in self.model.dead:
            return
        self.model.dead.add(guardian)
        for pair, said in self.model.pairs.items():
            if pair[0] == guardian and said.state == "agreed":
                said.state = "ended"
        self.world.bury(self.guardians[guardian])

    # What an organisation, its operator and an employee do.

    @rule()
    def propose_line(self) -> None:
        """The operator asks the employee."""
        said, at = self.model.line, self.world.at
        reason = OK if self.model.has_number else "ARRANGEMENT_INVALID"
        if reason == OK and said is not None and said.is_in_the_way(at):
            reason = "ARRANGEMENT_EXISTS"

        def act() -> None:
            made = propose_company_line(
                self.uow,
                self.world.counter,
                self.item.msisdn,
                organisation_code=ORGANISATION,
                employee=self.guardians[0].personal_id,
            ).arrangement
            self.model.line = Said(made.arrangement_id, made.lapses_at)

        self.expect(reason, act)

    @rule()
    def accept_line(self) -> None:
        """The employee says yes."""
        said = self.model.line
        if said is None:
            return
        may = said.now(self.world.at) == "proposed" and self.model.has_number
        self.expect(
            OK if may else NOT_READY, lambda: self.world.accept(said.identity, self.guardians[0])
        )
        said.state = "agreed" if may else said.state

    @rule()
    def refuse_line(self) -> None:
        """The employee says no."""
        said = self.model.line
        if said is None:
            return
        may = said.now(self.world.at) == "proposed"
        self.expect(
            OK if may else NOT_READY, lambda: self.world.refuse(said.identity, self.guardians[0])
        )
        said.state = "refused" if may else said.state

    @rule(is_employee=st.booleans())
    def end_line(self, *, is_employee: bool) -> None:
        """One of the two ends it, or the organisation takes it back."""
        said = self.model.line
        if said is None:
            return
        stands = said.now(self.world.at)
        may = stands == "agreed" or (stands == "proposed" and not is_employee)
        call = self.world.app if is_employee else self.world.counter
        person: PersonalID | None = self.guardians[0].personal_id if is_employee else None
        self.expect(
            OK if may else NOT_READY,
            lambda: end_arrangement(self.uow, call, said.identity, person),
        )
        said.state = "ended" if may else said.state

    @rule()
    def change_user(self) -> None:
        """The operator's book names somebody else, or the employee again."""
        user = self.guardians[1] if self.model.has_number else self.guardians[0]
        now = find(self.uow, self.item)
        moved = now.transferred_to(make_claim(user), now.link, at=self.world.at)
        self.uow.subscriptions.save(moved)
        self.model.has_number = not self.model.has_number
        if self.model.line is not None and self.model.line.state == "agreed":
            self.model.line.state = "ended"

    # What time does.

    @rule(days=st.integers(1, 15))
    def wait(self, days: int) -> None:
        """Days go by, and no clock runs."""
        self.world.at += days * DAY

    @rule(days=st.integers(0, 4))
    def run_the_clock(self, days: int) -> None:
        """The clock runs, at once or later: what anybody can see is as before."""
        self.world.at += days * DAY
        advance_enforcement(within(self.uow), self.world.regulator)

    # What must be so.

    @invariant()
    def one_acts_for_another_exactly_where_the_model_says(self) -> None:
        """By the check itself, and by what agencies are told."""
        at = self.world.at
        keys, guardians = (
            [citizen_key(self.uow.sealer, each.personal_id) for each in people]
            for people in (self.children, self.guardians)
        )
        for pair in product(range(3), range(3)):
            found_id = self.uow.arrangements.guardianship(
                guardians[pair[0]], keys[pair[1]], POLICY, at=at
            )
            expected = self.model.pairs[pair].identity if self.model.holds(pair, at) else None
            assert found_id == expected
        found = self.uow.arrangements.guardians_of(keys, POLICY, at=at)
        for child, key in enumerate(keys):
            assert self.model.guardians(child, at) <= POLICY.guardian_count_max
            assert (key in found) == bool(self.model.guardians(child, at))

    @invariant()
    def the_number_is_a_companys_line_exactly_where_the_model_says(self) -> None:
        """By the number, and by what its operator sees."""
        said = self.model.line
        is_line = said is not None and said.state == "agreed"
        assert find(self.uow, self.item).is_company_line == is_line
        if said is not None:
            seen = get_arrangement(self.uow, self.world.counter, said.identity)
            assert seen is not None
            shown = seen.arrangement.state
            if said.state == "refused":
                # A silence to the last: nobody learns that there was anybody to say no.
                silent = "proposed" if self.world.at < said.lapses_at else "lapsed"
                assert shown == silent
            else:
                assert shown == said.now(self.world.at)

    @invariant()
    def guardians_see_no_more_of_somebody_than_of_nobody(self) -> None:
        """Where nobody has agreed, a proposal shows what one to nobody would."""
        seen = {
            each.arrangement.arrangement_id: each
            for guardian in {guardian for guardian, _ in self.model.pairs}
            for each in self.world.listed(self.guardians[guardian])
        }
        for (guardian, child), said in self.model.pairs.items():
            stands = self.model.stands((guardian, child), self.world.at)
            if stands == "refused":
                stands = "proposed" if self.world.at < said.lapses_at else "lapsed"
            assert seen[said.identity].arrangement.state == stands
            assert seen[said.identity].parties == Parties(
                personal_id=self.children[child].personal_id,
                guardian=self.guardians[guardian].personal_id,
            )


def test_arrangements_go_by_the_model(engine: Engine, vault: Vault) -> None:
    machine = type("Machine", (Arrangements,), {"engine": engine, "vault": vault})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
