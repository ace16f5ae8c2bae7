"""What two citizens' choices must come to, said as plainly as it can be.

Owns a second telling of the rules, in lists and flags: no rows, no keys, no code of the service. It
is slow and simple on purpose; where it and the service differ, one of them is wrong.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

STEP_UP = timedelta(minutes=15)
COOL_DOWN = timedelta(hours=24)
FALLBACKS_MAX = 3
OK = ""
NOT_ELIGIBLE = "PRIMARY_NOT_ELIGIBLE"
LOCKED = "CHOICES_LOCKED"
STALE = "STEP_UP_REQUIRED"
UNKNOWN = "CHANGE_NOT_FOUND"


@dataclass(eq=False)
class Number:
    """One subscription: whose, in which state, and what is known of its holder."""

    owner: "Citizen"
    verified_at: datetime | None
    state: str = "active"
    is_disowned: bool = False

    @property
    def is_eligible(self) -> bool:
        """Somebody can be reached through it."""
        is_on = self.state in {"active", "outgoing_blocked"}
        return is_on and self.verified_at is not None and not self.owner.is_dead


@dataclass(eq=False)
class Citizen:
    """A person, and what they have chosen."""

    is_dead: bool = False
    has_chosen: bool = False
    primary: Number | None = None
    given_up: Number | None = None
    set_at: datetime | None = None
    confirmed_at: datetime | None = None
    pending: tuple[Number, datetime] | None = None
    is_locked: bool = False
    open_until: datetime | None = None
    fallbacks: list[tuple[Number, datetime]] = field(default_factory=list)
    history: list[tuple[str, Number | None, str | None]] = field(default_factory=list)

    def is_shut(self, at: datetime) -> bool:
        """The lock holds."""
        return self.is_locked and (self.open_until is None or at >= self.open_until)

    def note(self, kind: str, number: Number | None = None, cause: str | None = None) -> None:
        """One more line."""
        self.history.append((kind, number, cause))

    def give_up_change(self, kind: str) -> None:
        """What waited waits no more."""
        if self.pending is not None:
            self.note(kind, self.pending[0])
            self.pending = None

    def mark(self, number: Number, at: datetime) -> None:
        """This one from now on."""
        self.primary, self.set_at, self.confirmed_at = number, at, at
        self.has_chosen = True

    # What the citizen asks for; each returns why it was refused.

    def ask(self, number: Number, fresh_at: datetime | None, at: datetime) -> str:
        """Mark a number, or ask for a change with a verification of some instant."""
        if number.owner is not self or not number.is_eligible or number.is_disowned:
            return NOT_ELIGIBLE
        if number.state != "active":
            return NOT_ELIGIBLE
        if number is self.primary:
            self.confirm(at)
            return OK
        if self.is_shut(at):
            return LOCKED
        if self.has_chosen and (fresh_at is None or at - fresh_at > STEP_UP):
            return STALE
        self.give_up_change("change_withdrawn")
        if self.primary is None and self.given_up in {None, number}:
            self.mark(number, at)
            self.note("set", number)
        else:
            self.pending = (number, at + COOL_DOWN)
            self.note("change_asked", number)
        return OK

    def confirm(self, at: datetime) -> str:
        """It is still the one."""
        if self.primary is None:
            return NOT_ELIGIBLE
        self.give_up_change("change_withdrawn")
        self.confirmed_at = at
        self.note("confirmed", self.primary)
        return OK

    def veto(self, *, is_named: bool) -> str:
        """Say no to what waits, by its name or by another."""
        if self.pending is None or not is_named:
            return UNKNOWN
        self.give_up_change("change_vetoed")
        return OK

    def lock(self, minutes: int | None, at: datetime) -> str:
        """Lock for good, open for some minutes, or take the lock off (None)."""
        self.is_locked = minutes is not None
        self.open_until = at + timedelta(minutes=minutes) if minutes else None
        if self.is_shut(at):
            self.give_up_change("change_withdrawn")
            self.fallbacks = [each for each in self.fallbacks if each[1] <= at]
        self.note("locked" if self.is_shut(at) else "unlocked")
        return OK

    def rank(self, numbers: list[Number], fresh_at: datetime | None, at: datetime) -> str:
        """These stand in, in this order; new ones as late and as hard as a new primary number."""
        if not all(n.owner is self and n.is_eligible and not n.is_disowned for n in numbers):
            return NOT_ELIGIBLE
        if self.is_shut(at):
            return LOCKED
        known = dict(self.fallbacks)
        is_grown = any(number not in known for number in numbers)
        if is_grown and self.has_chosen and (fresh_at is None or at - fresh_at > STEP_UP):
            return STALE
        since = at + COOL_DOWN if self.has_chosen else at
        self.fallbacks = [(number, known.get(number, since)) for number in numbers]
        self.note("fallbacks_ranked")
        return OK

    # What happens.

    def lose(self, number: Number, cause: str) -> None:
        """A number is eligible no more."""
        if self.primary is number:
            self.primary = None
            self.given_up = number if cause == "disowned" else None
            self.note("cleared", number, cause)

    def drop(self, number: Number) -> None:
        """A number is the citizen's no more, or given up."""
        self.fallbacks = [each for each in self.fallbacks if each[0] is not number]

    def run_clock(self, at: datetime) -> None:
        """What has waited long enough takes effect, if it still can."""
        if self.pending is None or at < self.pending[1]:
            return
        number = self.pending[0]
        if number.owner is not self or not number.is_eligible:
            self.give_up_change("change_lapsed")
            return
        self.pending = None
        self.mark(number, at)
        self.note("changed", number)

    def reached(self, at: datetime) -> tuple[Number, bool, datetime | None, datetime | None] | None:
        """The number, whether it stands in, when it was set, and when it was confirmed."""
        if self.primary is not None:
            return self.primary, False, self.set_at, self.confirmed_at
        for number, set_at in self.fallbacks:
            if number.is_eligible and number.verified_at is not None and set_at <= at:
                return number, True, set_at, max(set_at, number.verified_at)
        return None
