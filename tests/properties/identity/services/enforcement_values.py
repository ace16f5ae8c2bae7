"""Numbers, cases, orders, disputes and waves of the model: plain values that know their own rules.

Owns how a case climbs its ladder and how its clock is held. Reads intervals from the packs; knows
no rows, and nothing of how the service does it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.policy import CaseCause, StepKind, Track

LEVEL = {"inactive": 0, "active": 0, "outgoing_blocked": 1, "suspended": 2, "terminated": 3}
"""How much a state takes away."""

STATE_AFTER = {
    "notify": "active",
    "restore": "active",
    "block_outgoing": "outgoing_blocked",
    "suspend": "suspended",
    "terminate": "terminated",
}
ORDER_INTO = {state: kind for kind, state in STATE_AFTER.items() if kind != "notify"}

OF_LINK = {
    LinkState.MISMATCHED: CaseCause.MISMATCHED,
    LinkState.NOT_FOUND: CaseCause.NOT_FOUND,
    LinkState.DECEASED: CaseCause.DECEASED,
}
OF_THE_NUMBER = {CaseCause.UNVERIFIED, *OF_LINK.values()}
"""Causes that come and go with what the number is; the others are events."""

NEVER_HELD = {CaseCause.DEVICE_CHANGE, CaseCause.SIM_SWAP}
"""Causes whose clocks go on in a dispute."""


@dataclass(eq=False)
class Case:
    """Why a number is on a ladder, and how far up."""

    track: Track
    cause: CaseCause
    opened_at: datetime
    due_at: datetime | None
    steps: int = 0
    frozen_at: datetime | None = None
    wave: UUID | None = None
    wave_due_at: datetime | None = None
    end: str = ""

    @property
    def state(self) -> str:
        """The strictest state of its rungs so far."""
        behind = (STATE_AFTER[step.kind] for step in self.track.steps[: self.steps])
        return max(behind, key=LEVEL.__getitem__, default="active")

    @property
    def waits_for_wave(self) -> bool:
        """Its next rung is a wave's."""
        is_on = not self.end and self.steps < len(self.track.steps)
        return is_on and self.track.steps[self.steps].is_by_wave

    def hold(self, at: datetime, *, is_held: bool) -> None:
        """Hold the clock, or let it go on with what was left."""
        if is_held:
            self.frozen_at = self.frozen_at or at
        elif self.frozen_at is not None:
            if self.due_at is not None:
                self.due_at += at - self.frozen_at
            self.frozen_at = None

    def climb(
        self, at: datetime, *, is_primary: bool, is_notified: bool, wave: UUID | None
    ) -> list[StepKind]:
        """Take the rungs that are due and that nothing holds; of a wave, its one."""
        taken: list[StepKind] = []
        while self.due_at is not None and self.frozen_at is None:
            rung = self.track.steps[self.steps]
            is_block = rung.kind is not StepKind.NOTIFY
            extra = self.track.primary_extra if is_primary and is_block else timedelta()
            is_untold = is_block and self.track.waits_for_notices and not is_notified
            if at < self.due_at + extra or is_untold or rung.is_by_wave is (wave is None):
                break
            if wave is not None:
                self.wave, self.wave_due_at = wave, self.due_at
            self.steps += 1
            is_last = self.steps == len(self.track.steps)
            self.due_at = None if is_last else at + self.track.steps[self.steps].after
            is_notified = is_notified and is_block
            taken.append(rung.kind)
        return taken

    def close(self, end: str) -> None:
        """End it."""
        self.end, self.due_at, self.frozen_at = end, None, None


@dataclass(eq=False)
class Order:
    """What the operator of a number was told to do."""

    number: "Number"
    kind: str
    track: str | None
    at: datetime
    state: str = "open"
    lease: UUID | None = None
    out_until: datetime | None = None
    was_handed: bool = False
    directive_id: UUID | None = None

    def is_out(self, at: datetime) -> bool:
        """The operator has it."""
        return self.state == "open" and self.out_until is not None and at < self.out_until


@dataclass(eq=False)
class Lease:
    """What an operator has in hand; `is_done` where its network did it at once."""

    lease_id: UUID
    operator: str
    orders: list[Order]
    is_done: bool


@dataclass(eq=False)
class Person:
    """A holder, and how what their contract says compares with the register."""

    name: int
    link: LinkState = LinkState.LINKED


@dataclass(eq=False, kw_only=True)
class Number:
    """A number in one person's name at one operator."""

    msisdn: MSISDN
    operator: str
    holder: Person
    state: str
    applied: str
    subscription_id: UUID | None = None
    verified_at: datetime | None = None
    is_primary: bool = False
    dispute: "Dispute | None" = None
    was_disputed: bool = False
    cases: list[Case] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        """Its first dispute holds its clocks; later ones do not."""
        return self.dispute is not None and not self.was_disputed

    @property
    def is_on(self) -> bool:
        """It is registered or served."""
        return self.state != "terminated"

    @property
    def open_cases(self) -> list[Case]:
        """Oldest first."""
        found = [case for case in self.cases if not case.end]
        return sorted(found, key=lambda case: (case.opened_at, case.track.name))

    @property
    def is_notified(self) -> bool:
        """Each notice was delivered."""
        return not any(order.kind == "notify" for order in self.open_orders)

    @property
    def open_orders(self) -> list[Order]:
        """In their order."""
        return [order for order in self.orders if order.state == "open"]

    @property
    def is_eligible(self) -> bool:
        """It may be a primary number."""
        is_reachable = self.state in {"active", "outgoing_blocked"}
        return self.holder.link is LinkState.LINKED and bool(self.verified_at) and is_reachable

    @property
    def standing(self) -> CaseCause | None:
        """Why what it is puts it on a ladder."""
        if self.state in {"inactive", "terminated"}:
            return None
        return OF_LINK.get(self.holder.link) or (None if self.verified_at else CaseCause.UNVERIFIED)


@dataclass(eq=False)
class Dispute:
    """Somebody else claims a number."""

    dispute_id: UUID
    number: Number
    claimant: Person
    deadline: datetime
    state: str = "open"
    decision: str | None = None


@dataclass(eq=False)
class Wave:
    """A step of many, in slices."""

    wave_id: UUID
    slice_count: int
    has_primaries: bool
    previewed_at: datetime
    state: str = "previewed"
    approvers: set[str] = field(default_factory=set)
    done: list[int] = field(default_factory=list)
