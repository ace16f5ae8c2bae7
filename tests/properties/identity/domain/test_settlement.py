"""Whatever happens to a number and however the clock runs, the ladder keeps its promises.

One subscription lives through random events on a clock that only the test moves. The test keeps
its own books, of rungs by case and of orders as an operator receives them, and holds every
settlement against them.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from identity.domain.directive import Directive
from identity.domain.enforcement import (
    STANDING_CAUSES,
    Case,
    CaseState,
    DirectiveKind,
    next_step_due_at,
    open_case,
    take_due_steps,
)
from identity.domain.link import LinkState
from identity.domain.policy import OPTIONAL_CAUSES, CaseCause, Step, StepKind, Track
from identity.domain.settlement import Change, Settlement, settle
from identity.domain.subscription import ServiceState, Subscription
from tests.unit.identity.domain.samples import (
    CLAIM,
    NOW,
    id_maker,
    link,
    shipped_pack,
    subscription,
    verified_attempt,
)

# Written out again and not taken from the code under test: its table may be what is wrong.
STATES = [
    ServiceState.ACTIVE,
    ServiceState.OUTGOING_BLOCKED,
    ServiceState.SUSPENDED,
    ServiceState.TERMINATED,
]
RUNGS = [StepKind.NOTIFY, StepKind.BLOCK_OUTGOING, StepKind.SUSPEND, StepKind.TERMINATE]
RESULTS = {
    DirectiveKind.RESTORE: ServiceState.ACTIVE,
    DirectiveKind.BLOCK_OUTGOING: ServiceState.OUTGOING_BLOCKED,
    DirectiveKind.SUSPEND: ServiceState.SUSPENDED,
    DirectiveKind.TERMINATE: ServiceState.TERMINATED,
}
BLOCKING = set(RESULTS) - {DirectiveKind.RESTORE}

# Short enough to hit single rungs, exact multiples of the pack's intervals, and very late runs.
hours = st.sampled_from([0, 1, 23, 24, 25, 119, 120, 264, 360, 720, 1440, 5000])
hours |= st.integers(0, 200)
links = st.sampled_from(LinkState)


@dataclass
class Order:
    """One order in the operator's queue, with the number of the settlement that made it."""

    directive: Directive
    settlement_number: int
    is_open: bool = True
    is_overtaken: bool = False


@dataclass
class Ladder:
    """The test's own book of one case."""

    opened_in: int
    rungs: list[datetime] = field(default_factory=list)


def reached(case: Case, track: Track) -> ServiceState:
    taken = [RUNGS.index(step.kind) for step in track.steps[: case.steps_taken]]
    return STATES[max(taken, default=0)]


class _Settlements(RuleBasedStateMachine):
    """One number under one pack."""

    def __init__(self) -> None:
        super().__init__()
        self.pack = shipped_pack()
        self.new_id = id_maker()
        self.now = NOW
        self.item = subscription()
        self.network = self.item.applied_state
        self.cases: dict[UUID, Case] = {}
        self.ladders: dict[UUID, Ladder] = {}
        self.orders: list[Order] = []
        self.is_primary = False
        self.settlement_number = 0

    # What happens.

    @initialize(linked=links, is_new=st.booleans())
    def begin(self, linked: LinkState, *, is_new: bool) -> None:
        state = ServiceState.INACTIVE if is_new else ServiceState.ACTIVE
        self.item = subscription(state=state, linked=linked)
        self.network = state
        self._settle(self.item, self._change())

    @rule(passed=hours)
    def time_passes(self, passed: int) -> None:
        self.now += timedelta(hours=passed)

    @rule(passed=hours)
    def the_clock_runs(self, passed: int) -> None:
        self.now += timedelta(hours=passed)
        self._settle(self.item, self._change(is_clock_run=True))
        for case in self._open_cases():
            due_at = next_step_due_at(
                case, self.pack.tracks[case.track], is_primary=self.is_primary
            )
            assert due_at is None or due_at > self.now
        self._assert_a_second_run_does_nothing()

    @precondition(lambda self: self.item.is_in_service)
    @rule(linked=links)
    def a_record_or_a_claim_changes(self, linked: LinkState) -> None:
        self._settle(self.item.relinked(link(linked), at=self.now), self._change())

    @precondition(lambda self: self.item.is_in_service)
    @rule(linked=links)
    def the_number_is_transferred(self, linked: LinkState) -> None:
        transferred = self.item.transferred_to(CLAIM, link(linked), at=self.now)
        self._settle(transferred, self._change())

    @precondition(lambda self: self.item.service_state in STATES[:3])
    @rule(told_late=st.sampled_from([0, 1, 24, 89 * 24]))
    def the_device_changes(self, told_late: int) -> None:
        happened_at = self.now - timedelta(hours=told_late)
        verified_at = self.item.verified_at
        was_open = {case.case_id for case in self._open_cases()}
        change = self._change(
            cause=CaseCause.DEVICE_CHANGE, cause_at=happened_at, is_clock_run=True
        )
        done = self._settle(self.item, change)
        opened = [
            case
            for case in done.cases
            if case.cause is CaseCause.DEVICE_CHANGE and case.case_id not in was_open
        ]
        if verified_at is not None and happened_at < verified_at:
            assert not opened
        elif done.subscription.is_in_service:
            tracks = [case.track for case in self._open_cases()]
            assert self.pack.track_for(CaseCause.DEVICE_CHANGE).name in tracks
            assert done.subscription.service_state is not ServiceState.ACTIVE

    @precondition(lambda self: self.item.is_in_service)
    @rule()
    def a_citizen_disowns_the_number(self) -> None:
        self._settle(self.item, self._change(cause=CaseCause.DISOWNED, cause_at=self.now))
        tracks = [case.track for case in self._open_cases()]
        assert self.pack.track_for(CaseCause.DISOWNED).name in tracks

    @precondition(lambda self: self.item.is_in_service and self.item.link.state is LinkState.LINKED)
    @rule()
    def the_holder_is_verified(self) -> None:
        before = self.item.service_state
        verified = self.item.verified_by(verified_attempt(at=self.now))
        done = self._settle(verified, self._change(is_cured=True))
        assert not self._open_cases()
        assert {case.state for case in done.cases} <= {CaseState.CURED}
        assert self.item.service_state is ServiceState.ACTIVE
        expected = [] if before is ServiceState.ACTIVE else [DirectiveKind.RESTORE]
        assert [order.kind for order in done.directives] == expected
        still_open = {order.directive.kind for order in self.orders if order.is_open}
        if before not in {ServiceState.INACTIVE, ServiceState.ACTIVE}:
            assert still_open == {DirectiveKind.RESTORE}

    @precondition(lambda self: self.item.is_in_service)
    @rule(linked=links)
    def somebody_else_becomes_the_holder(self, linked: LinkState) -> None:
        before = self.item.service_state
        transferred = replace(self.item, link=subscription(linked=linked).link, verified_at=None)
        self._settle(transferred, self._change(is_new_holder=True))
        for case in self._open_cases():
            is_blocking = reached(case, self.pack.tracks[case.track]) is not STATES[0]
            if case.cause in STANDING_CAUSES and not is_blocking:
                assert (case.opened_at, case.steps_taken) == (self.now, 0)
        assert self.item.service_state.strictness >= before.strictness

    @rule()
    def it_becomes_primary_or_stops_being_so(self) -> None:
        self.is_primary = not self.is_primary

    @rule(count=st.integers(1, 5))
    def the_operator_executes_its_oldest_orders(self, count: int) -> None:
        for order in [order for order in self.orders if order.is_open][:count]:
            order.is_open = False
            self.network = RESULTS.get(order.directive.kind, self.network)
        self.item = replace(self.item, applied_state=self.network)

    # Rarely, or no number would live long enough to be terminated by the ladder.
    @precondition(lambda self: self.item.is_in_service and self.settlement_number > 15)
    @rule()
    def the_operator_releases_it(self) -> None:
        state = ServiceState.TERMINATED
        ended = replace(self.item, service_state=state, applied_state=state)
        done = self._settle(ended, self._change())
        self.network = state
        assert done.directives == ()
        assert not [order for order in self.orders if order.is_open]

    # What always holds.

    @invariant()
    def there_is_at_most_one_open_case_for_each_track(self) -> None:
        assert max(Counter(case.track for case in self._open_cases()).values(), default=1) == 1

    @invariant()
    def the_state_is_that_of_the_strictest_rung_of_an_open_case(self) -> None:
        if self.item.service_state not in STATES[:3]:
            return
        rungs = [reached(case, self.pack.tracks[case.track]) for case in self._open_cases()]
        assert self.item.service_state is max(rungs, key=STATES.index, default=STATES[0])

    @invariant()
    def no_case_outlives_the_service_or_the_verification(self) -> None:
        if not self.item.is_in_service:
            assert not self._open_cases()
        for case in self._open_cases():
            assert self.item.verified_at is None or case.opened_at >= self.item.verified_at

    @invariant()
    def executing_what_is_out_leads_to_what_is_ordered(self) -> None:
        network = self.network
        for order in self.orders:
            if order.is_open:
                network = RESULTS.get(order.directive.kind, network)
        assert network is self.item.service_state

    @invariant()
    def an_open_case_keeps_every_notice_that_it_sent(self) -> None:
        for case in self._open_cases():
            assert not any(order.is_overtaken for order in self._notices_of(case))

    # How it is checked.

    def _change(
        self,
        *,
        cause: CaseCause | None = None,
        cause_at: datetime | None = None,
        is_cured: bool = False,
        is_new_holder: bool = False,
        is_clock_run: bool = False,
    ) -> Change:
        return Change(
            before=self.item.service_state,
            cause=cause,
            cause_at=cause_at,
            is_cured=is_cured,
            is_new_holder=is_new_holder,
            is_primary=self.is_primary,
            is_clock_run=is_clock_run,
        )

    def _open_cases(self) -> list[Case]:
        return [case for case in self.cases.values() if case.state is CaseState.OPEN]

    def _notices_of(self, case: Case) -> list[Order]:
        citation = self.pack.tracks[case.track].citation
        return [
            order
            for order in self.orders
            if order.directive.kind is DirectiveKind.NOTIFY
            and order.directive.citation == citation
            and order.settlement_number >= self.ladders[case.case_id].opened_in
        ]

    def _settle(self, item: Subscription, change: Change) -> Settlement:
        done = settle(
            item, self._open_cases(), self.pack, change=change, at=self.now, new_id=self.new_id
        )
        self.settlement_number += 1
        rungs = self._book_cases(done)
        self._book_orders(done)
        assert done.step_count == len(rungs)
        notices = [step for _, step in rungs if step.kind is StepKind.NOTIFY]
        notified = [order for order in done.directives if order.kind is DirectiveKind.NOTIFY]
        assert len(notices) == len(notified)
        self._assert_orders_have_their_cases(done)
        for case, step in rungs:
            if step.kind is not StepKind.NOTIFY:
                self._assert_notified_before(case)
        self.item = done.subscription
        return done

    def _book_cases(self, done: Settlement) -> list[tuple[Case, Step]]:
        """Take cases into the books; returns each rung taken, checked against the clock."""
        rungs: list[tuple[Case, Step]] = []
        for case in done.cases:
            known = self.cases.get(case.case_id)
            ladder = self.ladders.setdefault(case.case_id, Ladder(self.settlement_number))
            assert known is None or known.state is CaseState.OPEN
            assert known is None or known.opened_at == case.opened_at
            assert (case.closed_at is None) == (case.state is CaseState.OPEN)
            assert case.steps_taken >= len(ladder.rungs)
            for step in self.pack.tracks[case.track].steps[len(ladder.rungs) : case.steps_taken]:
                self._assert_not_too_early(case, ladder, step)
                ladder.rungs.append(self.now)
                rungs.append((case, step))
            self.cases[case.case_id] = case
        return rungs

    def _assert_not_too_early(self, case: Case, ladder: Ladder, step: Step) -> None:
        since = ladder.rungs[-1] if ladder.rungs else case.opened_at
        needed = step.after
        if self.is_primary and step.kind is not StepKind.NOTIFY:
            needed += self.pack.tracks[case.track].primary_extra
        assert self.now - since >= needed

    def _assert_notified_before(self, case: Case) -> None:
        track = self.pack.tracks[case.track]
        kinds = [step.kind for step in track.steps[: case.steps_taken]]
        assert len(self._notices_of(case)) == kinds.count(StepKind.NOTIFY)
        assert kinds.count(StepKind.NOTIFY) == [step.kind for step in track.steps].count(
            StepKind.NOTIFY
        )

    def _book_orders(self, done: Settlement) -> None:
        for order in self.orders:
            if order.is_open and order.directive.kind in done.overtaken:
                order.is_open, order.is_overtaken = False, True
        self.orders.extend(
            Order(directive, self.settlement_number) for directive in done.directives
        )
        kinds = [directive.kind for directive in done.directives]
        assert DirectiveKind.NOTIFY not in kinds[kinds.count(DirectiveKind.NOTIFY) :]
        assert len(set(kinds) - {DirectiveKind.NOTIFY}) == len(kinds) - kinds.count(
            DirectiveKind.NOTIFY
        )

    def _assert_orders_have_their_cases(self, done: Settlement) -> None:
        """Who is blocked is blocked by a case that has not ended before, with its cause."""
        live = [case for case in done.cases if case.state in {CaseState.OPEN, CaseState.TERMINATED}]
        for order in done.directives:
            assert (order.kind is DirectiveKind.RESTORE) == (order.causes == ())
            assert order.created_at == self.now
            if order.kind in BLOCKING:
                behind = [case for case in live if self._led_to(case, order.kind)]
                assert {case.cause for case in behind} == set(order.causes)
                assert order.citation in {self.pack.tracks[case.track].citation for case in behind}

    def _led_to(self, case: Case, kind: DirectiveKind) -> bool:
        """What was never in service is withdrawn where others are blocked."""
        state = reached(case, self.pack.tracks[case.track])
        if self.item.service_state is ServiceState.INACTIVE:
            return state is not STATES[0]
        return state is RESULTS[kind]

    def _assert_a_second_run_does_nothing(self) -> None:
        before = self.item, dict(self.cases)
        done = self._settle(self.item, self._change(is_clock_run=True))
        assert (done.directives, done.step_count, done.overtaken) == ((), 0, frozenset())
        assert (self.item, self.cases) == before


def test_the_ladder_keeps_its_promises_through_any_life_of_a_number() -> None:
    run_state_machine_as_test(
        _Settlements,
        settings=settings(max_examples=120, stateful_step_count=40, deadline=None),
    )


@given(
    cause=st.sampled_from(sorted(set(CaseCause) - OPTIONAL_CAUSES)),
    runs=st.lists(st.tuples(hours, st.booleans()), min_size=8, max_size=30),
)
def test_no_run_of_the_clock_takes_a_rung_early_or_leaves_a_due_one(
    cause: CaseCause, runs: list[tuple[int, bool]]
) -> None:
    case = open_case(subscription(), cause, shipped_pack(), identity=UUID(int=7), at=NOW)
    track = shipped_pack().track_for(cause)
    now = last_rung_at = NOW
    count = 0
    for passed, is_primary in runs:
        now += timedelta(hours=passed)
        expected: list[StepKind] = []
        for step in track.steps[count:]:
            is_extended = is_primary and step.kind is not StepKind.NOTIFY
            extra = track.primary_extra if is_extended else timedelta(0)
            if now - last_rung_at < step.after + extra:
                break
            expected.append(step.kind)
            last_rung_at = now
        case, taken = take_due_steps(case, track, at=now, is_primary=is_primary)
        count += len(expected)
        assert (list(taken), case.steps_taken) == (expected, count)
