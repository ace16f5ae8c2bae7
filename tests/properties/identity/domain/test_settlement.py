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
    Case,
    CaseState,
    DirectiveKind,
    Run,
    next_step_due_at,
    open_case,
    take_due_steps,
)
from identity.domain.link import LinkState
from identity.domain.policy import OPTIONAL_CAUSES, CaseCause, Step, StepKind, Track
from identity.domain.settlement import UNDISPUTED_CAUSES, Change, Settlement, settle
from identity.domain.subscription import ServiceState, Subscription
from tests.unit.identity.domain.samples import (
    CLAIM,
    NOW,
    id_maker,
    link,
    shipped_rules,
    subscription,
    track_for,
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
    """The test's own book of one case: its rungs, and how long it was held since the last."""

    opened_in: int
    rungs: list[datetime] = field(default_factory=list)
    held_since: datetime | None = None
    held_for: timedelta = timedelta()

    def note(self, case: Case, at: datetime) -> None:
        """Take note of whether a dispute holds the case."""
        if case.frozen_at is not None:
            self.held_since = self.held_since or at
        elif self.held_since is not None:
            self.held_for += at - self.held_since
            self.held_since = None

    def climb(self, at: datetime) -> None:
        """Take note of a rung."""
        self.rungs.append(at)
        self.held_for = timedelta()


def reached(case: Case, track: Track) -> ServiceState:
    taken = [RUNGS.index(step.kind) for step in track.steps[: case.steps_taken]]
    return STATES[max(taken, default=0)]


class _Settlements(RuleBasedStateMachine):
    """One number under the shipped packs."""

    def __init__(self) -> None:
        super().__init__()
        self.in_force = shipped_rules()
        self.new_id = id_maker()
        self.now = NOW
        self.item = subscription()
        self.network = self.item.applied_state
        self.cases: dict[UUID, Case] = {}
        self.ladders: dict[UUID, Ladder] = {}
        self.orders: list[Order] = []
        self.is_primary = self.is_disputed = False
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
        self._settle(self.item, self._change(run=self._run()))
        for case in self._open_cases():
            due_at = next_step_due_at(case, self._track(case), is_primary=self.is_primary)
            assert due_at is None or due_at > self.now or self._is_held(case)
        self._assert_a_second_run_does_nothing()

    # Or few numbers would get to the end of their notices.
    @rule(days=st.integers(2, 6))
    def the_clock_runs_every_day(self, days: int) -> None:
        for _ in range(days):
            self.now += timedelta(days=1)
            self._settle(self.item, self._change(run=self._run()))

    @rule(is_late=st.booleans())
    def a_wave_runs(self, *, is_late: bool) -> None:
        self.now += timedelta(days=6 if is_late else 0)
        wave_id = self.new_id()
        change = replace(self._change(run=self._run(wave_track="T2")), wave_id=wave_id)
        done = self._settle(self.item, change)
        assert done.step_count <= 1
        assert {order.wave_id for order in done.directives} <= {wave_id}
        if done.step_count:
            stepped = next(case for case in done.cases if case.track == "T2")
            assert self._track(stepped).steps[stepped.steps_taken - 1].is_by_wave

    @rule()
    def somebody_claims_it_or_a_dispute_is_decided(self) -> None:
        self.is_disputed = not self.is_disputed
        done = self._settle(self.item, self._change())
        assert (done.directives, done.subscription) == ((), self.item)

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
            cause=CaseCause.DEVICE_CHANGE, cause_at=happened_at, run=Run(is_notified=False)
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
            assert track_for(CaseCause.DEVICE_CHANGE).name in tracks
            assert done.subscription.service_state is not ServiceState.ACTIVE

    @precondition(lambda self: self.item.is_in_service)
    @rule()
    def a_citizen_disowns_the_number(self) -> None:
        self._settle(self.item, self._change(cause=CaseCause.DISOWNED, cause_at=self.now))
        tracks = [case.track for case in self._open_cases()]
        assert track_for(CaseCause.DISOWNED).name in tracks

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
        before, state = self._open_cases(), self.item.service_state
        transferred = replace(self.item, link=subscription(linked=linked).link, verified_at=None)
        self._settle(transferred, self._change(is_claim_changed=True))
        # The clock belongs to the number: it neither stops nor begins anew.
        after = {case.case_id: case for case in self._open_cases()}
        for case in before:
            now = after[case.case_id]
            assert (now.steps_taken, now.next_due_at) == (case.steps_taken, case.next_due_at)
        assert self.item.service_state is state

    @rule()
    def it_becomes_primary_or_stops_being_so(self) -> None:
        self.is_primary = not self.is_primary

    @rule(count=st.integers(1, 12))
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
        rungs = [reached(case, self._track(case)) for case in self._open_cases()]
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

    @invariant()
    def a_dispute_holds_every_clock_but_those_of_a_stolen_sim(self) -> None:
        for case in self._open_cases():
            is_held = self.is_disputed and case.cause not in UNDISPUTED_CAUSES
            assert (case.frozen_at is not None) == is_held

    # How it is checked.

    def _change(
        self,
        *,
        cause: CaseCause | None = None,
        cause_at: datetime | None = None,
        is_cured: bool = False,
        is_claim_changed: bool = False,
        run: Run | None = None,
    ) -> Change:
        return Change(
            before=self.item.service_state,
            cause=cause,
            cause_at=cause_at,
            is_cured=is_cured,
            is_claim_changed=is_claim_changed,
            is_primary=self.is_primary,
            is_disputed=self.is_disputed,
            run=None if run is None else replace(run, is_primary=self.is_primary),
        )

    def _run(self, *, wave_track: str | None = None) -> Run:
        return Run(is_notified=self._is_notified(), wave_track=wave_track)

    def _is_notified(self) -> bool:
        kinds = [order.directive.kind for order in self.orders if order.is_open]
        return DirectiveKind.NOTIFY not in kinds

    def _is_held(self, case: Case) -> bool:
        """Whether the next rung may be overdue."""
        track = self._track(case)
        step = track.steps[case.steps_taken]
        waits = track.waits_for_notices and step.kind is not StepKind.NOTIFY
        is_waiting = waits and not self._is_notified()
        return case.frozen_at is not None or step.is_by_wave or is_waiting

    def _track(self, case: Case) -> Track:
        return self.in_force.track_of(case.policy_version, case.track)

    def _open_cases(self) -> list[Case]:
        return [case for case in self.cases.values() if case.state is CaseState.OPEN]

    def _notices_of(self, case: Case) -> list[Order]:
        return [
            order
            for order in self.orders
            if order.directive.kind is DirectiveKind.NOTIFY
            and order.directive.track == case.track
            and order.settlement_number >= self.ladders[case.case_id].opened_in
        ]

    def _settle(self, item: Subscription, change: Change) -> Settlement:
        done = settle(
            item, self._open_cases(), self.in_force, change=change, at=self.now, new_id=self.new_id
        )
        self.settlement_number += 1
        rungs = self._book_cases(done)
        for case, step in rungs:
            if step.kind is not StepKind.NOTIFY and self._track(case).waits_for_notices:
                assert not any(order.is_open for order in self._notices_of(case))
        self._book_orders(done)
        assert done.step_count == len(rungs)
        notices = [step for _, step in rungs if step.kind is StepKind.NOTIFY]
        notified = [order for order in done.directives if order.kind is DirectiveKind.NOTIFY]
        assert len(notices) == len(notified)
        self._assert_orders_have_their_cases(item, done)
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
            ladder.note(case, self.now)
            for step in self._track(case).steps[len(ladder.rungs) : case.steps_taken]:
                assert case.frozen_at is None
                self._assert_not_too_early(case, ladder, step)
                ladder.climb(self.now)
                rungs.append((case, step))
            self.cases[case.case_id] = case
        return rungs

    def _assert_not_too_early(self, case: Case, ladder: Ladder, step: Step) -> None:
        since = ladder.rungs[-1] if ladder.rungs else case.opened_at
        needed = step.after + ladder.held_for
        if self.is_primary and step.kind is not StepKind.NOTIFY:
            needed += self._track(case).primary_extra
        assert self.now - since >= needed

    def _assert_notified_before(self, case: Case) -> None:
        track = self._track(case)
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

    def _assert_orders_have_their_cases(self, item: Subscription, done: Settlement) -> None:
        """Who is blocked is blocked by a case that has not ended before, and told every cause."""
        live = [case for case in done.cases if case.state in {CaseState.OPEN, CaseState.TERMINATED}]
        for order in done.directives:
            assert (order.kind is DirectiveKind.RESTORE) == (order.causes == ())
            assert order.created_at == self.now
            if order.kind in BLOCKING:
                behind = [case for case in live if self._led_to(case, order.kind)]
                assert (order.policy_version, order.track) in {
                    (case.policy_version, case.track) for case in behind
                }
            if order.kind is not DirectiveKind.RESTORE:
                told = {case.cause for case in live} | _causes_of(item)
                assert (set(order.causes), len(order.causes)) == (told, len(told))
            if order.kind is DirectiveKind.NOTIFY:
                assert order.upcoming is not None
                assert order.upcoming.at >= self.now

    def _led_to(self, case: Case, kind: DirectiveKind) -> bool:
        """What was never in service is withdrawn where others are blocked."""
        state = reached(case, self._track(case))
        if self.item.service_state is ServiceState.INACTIVE:
            return state is not STATES[0]
        return state is RESULTS[kind]

    def _assert_a_second_run_does_nothing(self) -> None:
        before = self.item, dict(self.cases)
        done = self._settle(self.item, self._change(run=self._run()))
        assert (done.directives, done.step_count, done.overtaken) == ((), 0, frozenset())
        assert (self.item, self.cases) == before


def _causes_of(item: Subscription) -> set[CaseCause]:
    """What the number's own state says against it."""
    if item.service_state not in STATES[:3]:
        return set()
    linked = item.link.state
    of_link = set() if linked is LinkState.LINKED else {CaseCause(linked.value)}
    return of_link | (set() if item.verified_at is not None else {CaseCause.UNVERIFIED})


def test_the_ladder_keeps_its_promises_through_any_life_of_a_number() -> None:
    run_state_machine_as_test(
        _Settlements,
        settings=settings(max_examples=120, stateful_step_count=40, deadline=None),
    )


runs_of_any_kind = st.builds(
    Run,
    is_primary=st.booleans(),
    is_notified=st.booleans(),
    wave_track=st.sampled_from([None, None, "T2", "T3"]),
)


@given(
    cause=st.sampled_from(sorted(set(CaseCause) - OPTIONAL_CAUSES)),
    runs=st.lists(st.tuples(hours, runs_of_any_kind), min_size=8, max_size=30),
)
def test_no_run_takes_a_rung_early_or_leaves_a_due_one_that_nothing_holds(
    cause: CaseCause, runs: list[tuple[int, Run]]
) -> None:
    track = track_for(cause)
    case = open_case(subscription(), cause, track, identity=UUID(int=7), at=NOW)
    now = last_rung_at = NOW
    count = 0
    for passed, run in runs:
        now += timedelta(hours=passed)
        expected: list[StepKind] = []
        for step in track.steps[count:]:
            if now - last_rung_at < _needed(track, step, run):
                break
            if _is_held(track, step, run, told_now=StepKind.NOTIFY in expected):
                break
            expected.append(step.kind)
            last_rung_at = now
            if run.wave_track is not None:
                break
        case, taken = take_due_steps(case, track, run, at=now)
        count += len(expected)
        assert (list(taken), case.steps_taken) == (expected, count)


def _needed(track: Track, step: Step, run: Run) -> timedelta:
    is_extended = run.is_primary and step.kind is not StepKind.NOTIFY
    return step.after + (track.primary_extra if is_extended else timedelta(0))


def _is_held(track: Track, step: Step, run: Run, *, told_now: bool) -> bool:
    """By a notice on its way, or because the step is for a wave and this is none, or otherwise."""
    waits = track.waits_for_notices and step.kind is not StepKind.NOTIFY
    takes = run.wave_track == track.name if step.is_by_wave else run.wave_track is None
    return not takes or (waits and (told_now or not run.is_notified))
