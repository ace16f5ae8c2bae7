"""What some operators did in some days, drawn at random, stored, and counted by hand.

Owns a plain list of what happened, and the figures that follow from it by loops over that list. The
queries are held to these: nothing here knows of SQL but the rows that it writes.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from sqlalchemy import delete, insert

from identity.domain.calendar_date import day_of
from identity.domain.compliance import Days, ExecutionTimes, OperatorKpis
from identity.domain.policy import CaseCause
from identity.domain.quality import Share
from identity.domain.subscription import Subscription
from identity.storage.database import UnitOfWork
from identity.storage.enforcement_tables import complaint, reconciliation, wave_slice
from identity.storage.quality_tables import quality_day
from identity.storage.tables import directive, enforcement_case
from tests.unit.identity.makers import make_operator, make_subscription, reference_of, rules

LEAP_DAY = date(2028, 2, 29)
DAYS = Days(LEAP_DAY, date(2028, 3, 1))
FIRST = datetime(2028, 2, 28, 17, tzinfo=UTC)
AFTER = datetime(2028, 3, 1, 17, tzinfo=UTC)
"""The midnights in Viet Nam that begin and end `DAYS`, computed by hand."""

NOW = datetime(2028, 3, 2, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
BLOCKS = ("block_outgoing", "suspend")
DUTY = rules().tracks["T1"]

instants = st.one_of(
    st.sampled_from([FIRST - TICK, FIRST, FIRST + TICK, AFTER - TICK, AFTER, AFTER + TICK]),
    st.datetimes(datetime(2028, 2, 28), datetime(2028, 3, 2), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given
)
"""Around the midnights, and any others within four days."""

lengths = st.sampled_from([timedelta(), TICK, *(timedelta(hours=n) for n in (1, 2, 3, 24, 30))])


@dataclass(frozen=True, kw_only=True)
class Order:
    """A directive as it stands."""

    number: int
    kind: str
    created_at: datetime
    due_at: datetime
    state: str
    executed_at: datetime | None = None
    superseded_at: datetime | None = None
    failure_count: int = 0
    track: str | None = "T2"
    causes: tuple[str, ...] = (CaseCause.UNVERIFIED.value,)
    wave_id: UUID | None = None

    @property
    def is_executed(self) -> bool:
        """Whether it was done."""
        return self.executed_at is not None

    @property
    def is_open_late(self) -> bool:
        """Whether it should have been done by now."""
        return self.state in {"pending", "leased"} and self.due_at < NOW

    @property
    def is_overtaken_late(self) -> bool:
        """Whether it should have been done before it was overtaken."""
        return self.superseded_at is not None and self.superseded_at > self.due_at

    @property
    def is_late(self) -> bool:
        """Whether it was done too late, or never and should have been."""
        is_done_late = self.executed_at is not None and self.executed_at > self.due_at
        return is_done_late or self.is_open_late or self.is_overtaken_late

    @property
    def is_duty(self) -> bool:
        """Whether it is a block after a change of device."""
        is_caused = CaseCause.DEVICE_CHANGE.value in self.causes
        return self.kind == "block_outgoing" and self.track == DUTY.name and is_caused


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Numbers that a wave blocked, and those of them that were put back when it was reverted."""

    wave_id: UUID
    kind: str
    executed_at: datetime
    blocked: frozenset[int]
    reverted_at: datetime | None
    back: frozenset[int]
    back_kind: str
    place: int = 0


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a reconciliation found at an operator, 0 or 1; one that is under way has no end."""

    operator: int
    finished_at: datetime | None
    compared: int
    drift: int
    false: int
    unreported: int


@dataclass(kw_only=True)
class History:
    """What happened, to numbers 0 to 3; the even ones are the first operator's."""

    orders: list[Order]
    slices: list[Slice]
    ended: list[tuple[int, str, datetime]] = field(default_factory=list)
    complaints: list[tuple[int, datetime]] = field(default_factory=list)
    reconciled: list[Compared] = field(default_factory=list)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Any order: of the duty, of another ladder, to restore, a notice."""
    kind = draw(st.sampled_from(["notify", "restore", "terminate", *BLOCKS, "block_outgoing"]))
    created_at = draw(instants)
    state = draw(st.sampled_from(["pending", "leased", "superseded", "executed", "executed"]))
    track = None if kind == "restore" else draw(st.sampled_from(["T1", "T2"]))
    told_late_by = draw(lengths) if track == DUTY.name else timedelta()
    within = DUTY.execute_within if track in {None, DUTY.name} else timedelta(hours=24)
    due_at = created_at - told_late_by + within
    overtaken_at = lengths.map(lambda length: created_at + length) | st.just(due_at)
    other, device = CaseCause.UNVERIFIED.value, CaseCause.DEVICE_CHANGE.value
    return Order(
        number=draw(st.integers(0, 3)),
        kind=kind,
        created_at=created_at,
        due_at=due_at,
        state=state,
        executed_at=created_at + draw(lengths) if state == "executed" else None,
        # None where it was overtaken before that was kept.
        superseded_at=draw(st.none() | overtaken_at) if state == "superseded" else None,
        failure_count=draw(st.integers(0, 2)),
        track=track,
        causes=draw(st.sampled_from([(device,), (other, device), (other,)])) if track else (),
    )


@st.composite
def slices(draw: st.DrawFn) -> Slice:
    """A slice of a wave, some of whose numbers a revert has put back."""
    blocked = draw(st.frozensets(st.integers(0, 3), min_size=1))
    executed_at = draw(instants)
    is_reverted = draw(st.booleans())
    kind = draw(st.sampled_from(BLOCKS))
    milder = ["restore", "block_outgoing"] if kind == "suspend" else ["restore"]
    return Slice(
        wave_id=uuid4(),
        kind=kind,
        executed_at=executed_at,
        blocked=blocked,
        reverted_at=executed_at + draw(lengths) if is_reverted else None,
        back=draw(st.frozensets(st.sampled_from(sorted(blocked)))) if is_reverted else frozenset(),
        back_kind=draw(st.sampled_from(milder)),
    )


_numbers = st.integers(0, 3)
_ends = st.sampled_from(["cured", "withdrawn", "terminated"])


@st.composite
def reconciliations(draw: st.DrawFn) -> Compared:
    """One that is finished, or under way."""
    compared = draw(st.integers(0, 20))
    return Compared(
        operator=draw(st.integers(0, 1)),
        finished_at=draw(st.none() | instants),
        compared=compared,
        drift=draw(st.integers(0, compared)),
        false=draw(st.integers(0, compared)),
        unreported=draw(st.integers(0, 5)),
    )


histories = st.builds(
    History,
    orders=st.lists(orders(), max_size=14),
    slices=st.lists(slices(), max_size=2),
    ended=st.lists(st.tuples(_numbers, _ends, instants), max_size=6),
    complaints=st.lists(
        st.tuples(_numbers, instants), max_size=4, unique_by=lambda each: (each[0], day_of(each[1]))
    ),
    reconciled=st.lists(reconciliations(), max_size=4, unique_by=lambda each: each.finished_at),
)


@dataclass(frozen=True)
class Country:
    """Two operators with two numbers each, stored."""

    uow: UnitOfWork
    operators: tuple[str, str]
    items: Sequence[Subscription]

    @classmethod
    def founded(cls, uow: UnitOfWork) -> "Country":
        """Operators and numbers that no other test has."""
        operators = tuple(sorted((make_operator(), make_operator())))
        uow.connection.execute(delete(quality_day))  # measured by another test
        items = [make_subscription(operator_id=operators[place % 2]) for place in range(4)]
        uow.subscriptions.save_many(items)
        return cls(uow, (operators[0], operators[1]), items)

    def live(self, history: History) -> None:
        """Store what happened."""
        rows = [self._order(order) for order in _all_orders(history)]
        for table, stored in (
            (directive, rows),
            (wave_slice, [_slice(each) for each in history.slices]),
            (enforcement_case, [self._case(*each) for each in history.ended]),
            (complaint, [self._complaint(*each) for each in history.complaints]),
            (reconciliation, [self._reconciliation(each) for each in history.reconciled]),
        ):
            if stored:
                self.uow.connection.execute(insert(table), stored)

    def _named(self, number: int) -> dict[str, Any]:
        key, identity = reference_of(self.uow, self.items[number])
        return {"msisdn_key": key, "subscription_id": identity}

    def _order(self, order: Order) -> dict[str, Any]:
        return {
            **self._named(order.number),
            "directive_id": uuid4(),
            "operator_id": self.items[order.number].operator_id,
            "kind": order.kind,
            "causes": list(order.causes),
            "policy_version": None if order.track is None else DUTY.policy_version,
            "track": order.track,
            "wave_id": order.wave_id,
            "state": order.state,
            "failure_count": order.failure_count,
            "created_at": order.created_at,
            "due_at": order.due_at,
            "executed_at": order.executed_at,
            "superseded_at": order.superseded_at,
        }

    def _case(self, number: int, state: str, at: datetime) -> dict[str, Any]:
        return {
            **self._named(number),
            "case_id": uuid4(),
            "track": "T2",
            "cause": CaseCause.UNVERIFIED.value,
            "policy_version": DUTY.policy_version,
            "opened_at": FIRST - timedelta(days=9),
            "steps_taken": 1,
            "state": state,
            "closed_at": at,
        }

    def _complaint(self, number: int, at: datetime) -> dict[str, Any]:
        named = self._named(number)
        operator = self.items[number].operator_id
        return {**named, "filed_on": day_of(at), "operator_id": operator, "filed_at": at}

    def _reconciliation(self, each: Compared) -> dict[str, Any]:
        return {
            "operator_id": self.operators[each.operator],
            "request_id": uuid4(),
            "began_at": FIRST - timedelta(days=9),
            "finished_at": each.finished_at,
            "compared_count": each.compared,
            "drift_count": each.drift,
            "false_count": each.false,
            "unreported_count": each.unreported,
        }


def _slice(each: Slice) -> dict[str, Any]:
    reverted = None if each.reverted_at is None else len(each.back)
    return {
        "wave_id": each.wave_id,
        "place": each.place,
        "directive_count": len(each.blocked),
        "executed_at": each.executed_at,
        "reverted_at": each.reverted_at,
        "reverted_count": reverted,
    }


def _all_orders(history: History) -> list[Order]:
    """The orders, and those that waves and their reverts made; the latter come last."""
    made = list(history.orders)
    for each in history.slices:
        made += [_of_wave(each, each.kind, number, each.executed_at) for number in each.blocked]
    for each in history.slices:
        if each.reverted_at is not None:
            made += [_of_wave(each, each.back_kind, at, each.reverted_at) for at in each.back]
    return made


def _of_wave(each: Slice, kind: str, number: int, at: datetime) -> Order:
    due_at = at + timedelta(hours=24)
    return Order(
        number=number,
        kind=kind,
        created_at=at,
        due_at=due_at,
        state="pending",
        wave_id=each.wave_id,
    )


NEVER = Compared(operator=0, finished_at=None, compared=0, drift=0, false=0, unreported=0)


def is_asked_for(at: datetime | None) -> bool:
    """Whether an instant lies in the days."""
    return at is not None and FIRST <= at < AFTER


def counted(history: History, operator: int, name: str) -> OperatorKpis:
    """The figures of one operator, by hand."""
    own = [
        each
        for each in _all_orders(history)
        if each.number % 2 == operator and is_asked_for(each.created_at)
    ]
    ended = [state for n, state, at in history.ended if n % 2 == operator and is_asked_for(at)]
    complaints = [at for n, at in history.complaints if n % 2 == operator and is_asked_for(at)]
    compared = [
        each
        for each in history.reconciled
        if each.operator == operator and is_asked_for(each.finished_at)
    ]
    last = max(compared, key=lambda each: each.finished_at or NOW, default=NEVER)
    answered = [each for each in own if each.is_executed or each.failure_count]
    return OperatorKpis(
        operator_id=name,
        coverage=Share(0, 0),
        orders=_times(each for each in own if each.kind != "notify"),
        notices=_times(each for each in own if each.kind == "notify"),
        device_changes=_times((each for each in own if each.is_duty), since=_event_of),
        drift=Share(last.drift + last.unreported, last.compared + last.unreported),
        reconciled_at=last.finished_at,
        false_acknowledgements=Share(
            sum(each.false for each in compared), sum(each.compared for each in compared)
        ),
        cures=Share(ended.count("cured"), len(ended)),
        reverted_blocks=Share(
            _put_back(history, operator), sum(each.kind in BLOCKS for each in own)
        ),
        complaint_count=len(complaints),
        failures=Share(sum(each.failure_count > 0 for each in own), len(answered)),
    )


def _put_back(history: History, operator: int) -> int:
    return sum(
        number % 2 == operator
        for each in history.slices
        if is_asked_for(each.executed_at)
        for number in each.back
    )


def _event_of(order: Order) -> datetime:
    return order.due_at - DUTY.execute_within


def _times(
    orders: Iterable[Order], *, since: Callable[[Order], datetime] = lambda order: order.created_at
) -> ExecutionTimes:
    chosen = list(orders)
    taken = sorted(
        (each.executed_at - since(each)).total_seconds()
        for each in chosen
        if each.executed_at is not None
    )
    return ExecutionTimes(
        executed_count=len(taken),
        late_count=sum(each.is_late for each in chosen),
        open_late_count=sum(each.is_open_late for each in chosen),
        overtaken_late_count=sum(each.is_overtaken_late for each in chosen),
        p50_s=taken[math.ceil(0.5 * len(taken)) - 1] if taken else None,
        p95_s=taken[math.ceil(0.95 * len(taken)) - 1] if taken else None,
    )
