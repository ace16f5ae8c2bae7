"""What should become of numbers on the ladders, in plain values: the reference for the real thing.

Owns a country of a few numbers with their cases, orders, disputes and waves, and the rules by which
they go on, each told in the words of docs/concepts. Reads intervals from the packs. Knows no rows,
and nothing of how the service does it: it must stay small enough to be seen to be right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from identity.domain.link import LinkState
from identity.domain.policy import CaseCause, StepKind, Track
from identity.domain.policy_book import Rules
from tests.properties.identity.services.enforcement_values import (
    LEVEL,
    NEVER_HELD,
    OF_THE_NUMBER,
    ORDER_INTO,
    STATE_AFTER,
    Case,
    Dispute,
    Number,
    Order,
    Wave,
)


@dataclass(frozen=True)
class Run:
    """Steps are taken: by the clock, by a wave, or by an event that may not wait for the clock."""

    wave: UUID | None = None
    is_event: bool = False


@dataclass
class Country:
    """All of it."""

    rules: Rules
    numbers: list[Number] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)

    def settle(  # noqa: PLR0913 - all that can happen to a number
        self,
        number: Number,
        at: datetime,
        *,
        before: str | None = None,
        cause: CaseCause | None = None,
        since: datetime | None = None,
        is_cured: bool = False,
        run: Run | None = None,
    ) -> None:
        """Let follow what must from a change; `before` where the change is one of the state."""
        before = before or number.state
        is_given_up = before != "terminated" and not number.is_on
        is_notified = number.is_notified and not (run and run.is_event)
        was_open, old_orders = number.open_cases, number.open_orders
        for case in was_open:
            self._go_on_or_close(number, case, is_cured=is_cured)
        kept = [case for case in was_open if not case.end]
        climbing = [*kept, *self._opened(number, kept, cause, since=since or at, at=at)]
        notices: list[Case] = []
        for case in climbing:
            case.hold(at, is_held=number.is_held and case.cause not in NEVER_HELD)
            if run is not None:
                told = {"is_primary": number.is_primary, "is_notified": is_notified}
                taken = case.climb(at, wave=run.wave, **told)
                notices += [case] * taken.count(StepKind.NOTIFY)
        target = self._target(number, climbing)
        is_milder = LEVEL[target] < LEVEL[before]
        is_quiet = is_given_up or (len(kept) < len(was_open) and not kept)
        for order in old_orders:
            if is_quiet if order.kind == "notify" else is_milder or is_given_up:
                order.state = "superseded"
        number.orders += [Order(number, "notify", case.track.name, at) for case in notices]
        if target not in {before, "inactive"} and not is_given_up:
            number.orders.append(self._order(number, target, climbing, at))
        number.state = target
        if target == "terminated":
            for case in number.open_cases:
                case.close("terminated")
        number.is_primary = number.is_primary and number.is_eligible

    @staticmethod
    def _order(number: Number, target: str, cases: Sequence[Case], at: datetime) -> Order:
        """For the case that has come furthest; nothing needs a reason to be put back."""
        if target == "active":
            return Order(number, "restore", None, at)
        behind = max(cases, key=lambda case: LEVEL[case.state])
        return Order(number, ORDER_INTO[target], behind.track.name, at)

    def _go_on_or_close(self, number: Number, case: Case, *, is_cured: bool) -> None:
        """A case of the number's own state stands while that leads to the same ladder."""
        now = number.standing
        if is_cured or not number.is_on:
            case.close("cured" if is_cured else "withdrawn")
        elif case.cause in OF_THE_NUMBER:
            if now is not None and self._ladder(now).name == case.track.name:
                case.cause = now
            else:
                case.close("withdrawn")

    def _opened(
        self,
        number: Number,
        kept: Sequence[Case],
        cause: CaseCause | None,
        *,
        since: datetime,
        at: datetime,
    ) -> list[Case]:
        """New cases: one at most on each ladder."""
        wanted: list[tuple[CaseCause, datetime]] = []
        has_standing = any(case.cause in OF_THE_NUMBER for case in kept)
        if number.standing is not None and not has_standing:
            wanted.append((number.standing, at))
        is_answered = number.verified_at is not None and since < number.verified_at
        if cause is not None and number.is_on and not is_answered:
            wanted.append((cause, since))
        opened: list[Case] = []
        for why, begins in wanted:
            track = self._ladder(why)
            if all(case.track.name != track.name for case in (*kept, *opened)):
                opened.append(Case(track, why, begins, begins + track.steps[0].after))
        number.cases += opened
        return opened

    def _target(self, number: Number, cases: Iterable[Case]) -> str:
        """The strictest counts; what was never served is withdrawn instead of blocked."""
        if not number.is_on:
            return "terminated"
        state = max((case.state for case in cases), key=LEVEL.__getitem__, default="active")
        if number.state != "inactive":
            return state
        return "inactive" if state == "active" else "terminated"

    def _ladder(self, cause: CaseCause) -> Track:
        return next(track for track in self.rules.tracks.values() if cause in track.causes)

    # What happens.

    def verify(self, number: Number, at: datetime) -> None:
        """The holder shows card and face; where the register says otherwise that proves nothing."""
        if number.holder.link is LinkState.LINKED:
            before, number.state, number.verified_at = number.state, "active", at
            self.settle(number, at, before=before, is_cured=True)

    def give_up(self, number: Number, at: datetime) -> None:
        """The operator serves it no more."""
        before, number.state, number.applied = number.state, "terminated", "terminated"
        self.settle(number, at, before=before)

    def run_clock(self, at: datetime) -> None:
        """Disputes whose time is over end, and whatever is due is stepped."""
        for number in list(self.numbers):
            if number.dispute is not None and number.dispute.deadline <= at:
                self.end_dispute(number.dispute, at)
        for number in self.numbers:
            self.settle(number, at, run=Run())

    def end_dispute(self, dispute: Dispute, at: datetime) -> None:
        """The clocks go on; what was found for the claimant begins anew in their name."""
        number, dispute.state = dispute.number, "closed"
        number.dispute, number.was_disputed = None, True
        if not number.is_on:
            return
        if dispute.decision != "claimant":
            self.settle(number, at)
            return
        heir = Number(
            msisdn=number.msisdn,
            operator=number.operator,
            holder=dispute.claimant,
            state=number.state,
            applied=number.applied,
        )
        events: list[CaseCause | None] = [
            case.cause for case in number.open_cases if case.cause in NEVER_HELD
        ]
        self.give_up(number, at)
        before: str | None = "inactive"  # nothing was ordered of it yet: now it is, in any case
        for cause in events or [None]:
            run = Run(is_event=True) if cause else None
            self.settle(heir, at, before=before, cause=cause, run=run)
            before = None
        self.numbers.append(heir)

    # Waves.

    def awaiting(self, wave: Wave, at: datetime) -> list[Number]:
        """Numbers that a wave would step."""
        return [number for number in self.numbers if self._awaits(number, wave, at)]

    def _awaits(self, number: Number, wave: Wave, at: datetime) -> bool:
        is_wanted = number.is_notified and (wave.has_primaries or not number.is_primary)
        return is_wanted and any(
            case.waits_for_wave
            and case.frozen_at is None
            and case.due_at + (case.track.primary_extra if number.is_primary else timedelta()) <= at
            for case in number.open_cases
            if case.due_at is not None
        )

    def is_wrong(self, wave: Wave, numbers: Iterable[Number]) -> bool:
        """Too many of a slice have been verified since."""
        cases = [case for each in numbers for case in each.cases if case.wave == wave.wave_id]
        cured = sum(case.end == "cured" for case in cases)
        return cured > self.rules.waves.cured_share_max * len(cases)

    def execute(self, wave: Wave, numbers: Iterable[Number], at: datetime) -> None:
        """A slice is done."""
        for number in numbers:
            if self._awaits(number, wave, wave.previewed_at):
                self.settle(number, at, run=Run(wave=wave.wave_id))

    def revert(self, wave: Wave, at: datetime) -> None:
        """Each case that the wave stepped, and that is open, waits again as it did."""
        for number in self.numbers:
            for case in number.open_cases:
                if case.wave == wave.wave_id:
                    steps = [step.is_by_wave for step in case.track.steps]
                    case.steps, case.due_at = steps.index(True), case.wave_due_at
                    case.wave, case.wave_due_at = None, None
                    self.settle(number, at)

    # Operators.

    def ready(self, operator: str, at: datetime) -> list[Order]:
        """What can be handed out: of each number all up to the first that is out."""
        found: list[Order] = []
        for number in self.numbers:
            if number.operator == operator:
                for order in number.open_orders:
                    if order.is_out(at):
                        break
                    found.append(order)
        return found

    def acknowledge(
        self, lease: UUID, said: Sequence[tuple[Order, bool]], at: datetime
    ) -> list[str]:
        """What each acknowledgement is worth; what was executed overtakes what came before it."""
        results = [self._judged(order, lease, at) for order, _ in said]
        accepted = [each for each, told in zip(said, results, strict=True) if told == "accepted"]
        for order, is_executed in accepted:
            order.lease, order.out_until = None, None
            if is_executed:
                order.state = "executed"
        for order, is_executed in accepted:
            if is_executed and order.kind != "notify":
                order.number.applied = STATE_AFTER[order.kind]
                orders = order.number.orders
                for earlier in orders[: orders.index(order)]:
                    if earlier.state == "open" and earlier.kind != "notify":
                        earlier.state = "superseded"
        return results

    @staticmethod
    def _judged(order: Order, lease: UUID, at: datetime) -> str:
        if order.state != "open":
            return {"executed": "already_acknowledged"}.get(order.state, order.state)
        return "accepted" if order.lease == lease and order.is_out(at) else "lease_lost"
