"""What the regulator does to many numbers at once, and what operators do with their orders.

Owns the laws that need no model: a revert puts back the cases of its wave and no other; what is
handed out has a cause, comes after its notices, never after a cure, and in its order.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
)

from identity.domain.caller import Role
from identity.domain.policy import StepKind
from identity.domain.wave import WaveState
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.execute_wave import execute_wave
from identity.services.revert_wave import revert_wave
from identity.services.waves import approve_wave, preview_wave, stop_wave
from identity.storage.link_runs import slice_bounds
from identity.storage.tables import enforcement_case
from tests.properties.identity.services.enforcement_people import People
from tests.properties.identity.services.enforcement_values import (
    LEVEL,
    STATE_AFTER,
    Lease,
    Number,
    Order,
    Wave,
)
from tests.properties.identity.services.enforcement_world import (
    DAY,
    HOUR,
    OK,
    OPERATORS,
    T2,
    Rows,
    operators,
    picks,
)


class Orders(People):
    """Waves, leases and networks."""

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
        wave = Wave(shown.wave_id, shown.slice_count, has_primaries, self.at)
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
        if wave is None:
            return
        for name in names:
            told = self.refusal(partial(approve_wave, self.uow, self.call(name), wave.wave_id))
            is_fit = name not in wave.approvers and wave.state in {"previewed", "stopped"}
            assert told == (OK if is_fit else "WAVE_NOT_READY")
            wave.approvers.add(name)
            if len(wave.approvers) == 2:
                wave.state = "approved"

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
        done = wave.done if wave.state == "running" else []
        if any(self.model.is_wrong(wave, self.slice(wave, place)) for place in done):
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
        keys = {
            n: self.uow.sealer.blind_index("msisdn", n.msisdn.value) for n in self.model.numbers
        }
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
        ended = (
            [] if order.number.is_on else [c for c in order.number.cases if c.end == "terminated"]
        )
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
                    and each.at >= case.opened_at
                    and (each.was_handed or each in told)
                    and (each.state == "executed" or not case.track.waits_for_notices)
                ]
                kinds = [step.kind for step in case.track.steps]
                before = kinds[: kinds.index(StepKind(order.kind))]
                assert len(notices) >= before.count(StepKind.NOTIFY)

    def switch(self, order: Order) -> None:
        """A network does as it is told, whatever it was told before."""
        number = (order.number.operator, order.number.msisdn)
        if order.kind != "notify":
            self.network[number] = STATE_AFTER[order.kind]

    @rule(
        operator=operators,
        limit=st.sampled_from([1, 2, 99]),
        fails=st.sets(st.integers(0, 3)),
        lag=st.sampled_from([timedelta(), timedelta(), 2 * HOUR]),
        is_done=st.booleans(),
    )
    def pull_by_two(
        self, operator: str, limit: int, fails: set[int], lag: timedelta, *, is_done: bool
    ) -> None:
        """Two servers of an operator pull, and the second one is the first to be done, or late."""
        first = self.lease(operator, HOUR, limit, is_done=is_done)
        second = self.lease(operator, HOUR, 99, is_done=is_done)
        self.at += lag
        for lease in (second, first):
            self.answer(lease, set() if is_done else fails)

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

    @rule(days=st.integers(1, 5), is_told=st.booleans())
    def pass_days(self, days: int, *, is_told: bool) -> None:
        """Some days on which the clock is run; then all is done that was ordered, or nothing."""
        for _ in range(days):
            self.run_clock(DAY)
        for operator in OPERATORS if is_told else ():
            self.obey(operator)
