"""One story of enforcement: notices, a change of device, two waves, a revert, lies, to the end.

Owns who is in it, what the regulator does and when, and what there is in the end, in a form in
which two tellings can be compared. Every request has one name in all tellings. Knows nothing of
deaths of processes.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Table, select, text

from identity.domain.caller import Caller, Role
from identity.domain.policy import StepKind
from identity.domain.settlement import Change
from identity.domain.wave import WaveCriteria
from identity.rpc import decode
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.services.settle_subscriptions import settle_subscription
from identity.services.waves import preview_wave
from identity.storage.database import Database, UnitOfWork
from identity.storage.enforcement_tables import reconciliation, wave, wave_slice
from identity.storage.tables import directive, enforcement_case, subscription
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import wave_service_pb2 as wave_pb
from tests.integration.durable_operator import Network, again
from tests.integration.people import People, record_of, row_of
from tests.integration.wire import TIMEOUT_S, Stubs
from tests.unit.identity.makers import policies

OPERATORS = ("north", "south")
NUMBERS_EACH = 10
VERIFIED = (0, 1)
"""Places of verified numbers at each operator; the first of them is its citizen's primary."""

SLICE_NUMBERS = 3
DAY = timedelta(days=1)
BEGUN_AT = datetime(2031, 2, 25, 16, tzinfo=UTC)
"""An hour before midnight in Viet Nam, some days before the end of February; far ahead of the
machine's clock, so that a simulated one goes on where the last run of enforcement stood."""

LEASE_ENDS = timedelta(seconds=61)

STAGES = ("clock", "orders", "events", "wave", "reports", "revert")


def named(name: str) -> str:
    """The request_id of one of the story's requests."""
    return str(uuid5(NAMESPACE_URL, f"subid.test/enforcement/{name}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The numbers of each operator, and the people who hold them."""

    people: People = field(
        default_factory=lambda: People(seed=1105, today=datetime(2026, 5, 1, tzinfo=UTC).date())
    )
    numbers: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        numbers = {name: [self.people.msisdn() for _ in range(NUMBERS_EACH)] for name in OPERATORS}
        object.__setattr__(self, "numbers", numbers)

    def enter(self, uow: UnitOfWork) -> None:
        """Have the registry know them, some verified, all in service since just now."""
        for name, numbers in self.numbers.items():
            citizens = [self.people.citizen() for _ in numbers]
            records = [record_of(each) for each in citizens]
            import_population(uow, _call(Role.POPULATION, "register"), _records(records))
            rows = [row_of(*each) for each in zip(citizens, numbers, strict=True)]
            operator = _call(Role.OPERATOR, name)
            import_subscriptions(uow, operator, decode.book_rows(rows, uow.sealer))
            for place in VERIFIED:
                _verify(uow, operator, numbers[place], is_primary=place == 0)
        uow.cases.set_ran_until(BEGUN_AT)


def _call(role: Role, name: str, *, at: datetime = BEGUN_AT) -> Call:
    return Call(caller=Caller(role, name), at=at, rules=policies().at(at))


def _records(records: Sequence[Any]) -> Any:  # noqa: ANN401 - as decode has them
    return decode.population_rows(records)


def _verify(uow: UnitOfWork, call: Call, number: str, *, is_primary: bool) -> None:
    found = uow.subscriptions.find_in_service(decode.msisdn(number))
    assert found is not None
    item = replace(found, verified_at=BEGUN_AT)
    settle_subscription(uow, call, item, Change(before=item.service_state, is_cured=True))
    if is_primary:
        uow.primaries.set(item, at=BEGUN_AT)


@dataclass(kw_only=True)
class Story:
    """One telling.

    Attributes:
        database: The registry's, for what no call of the contract does.
        cast: Who is in it.
        networks: Of each operator.
        stubs: The regulator's, its deputy's and the operators', by name.
        enter: Told which stage begins.
        work: Has operators work at the same time: their names, and what they report or "".
    """

    database: Database
    cast: Cast
    networks: Mapping[str, Network]
    stubs: Mapping[str, Stubs]
    enter: Callable[[str], None]
    work: Callable[[Sequence[str], str], None]
    _at: datetime = BEGUN_AT

    def tell(self) -> None:
        """From the first notice to the last withdrawal."""
        for day in range(5):
            self._advance(BEGUN_AT + day * DAY)
            self._obey(*OPERATORS)
        self._change_devices()
        self._obey(*OPERATORS)
        self._advance(BEGUN_AT + 5 * DAY)
        first = self._execute_wave("first wave")
        self._obey("north")
        # South is still on its way, and north says what is not so.
        number = self.cast.numbers["north"][5]
        self.networks["north"].fall_back(number, subscription_pb2.SERVICE_STATE_ACTIVE)
        self._report("a lie")
        self._obey("north")
        self._revert(first)
        self._obey(*OPERATORS)
        self._advance(BEGUN_AT + 6 * DAY)
        self._execute_wave("second wave")
        for day in (6, 35, 66, 71):
            self._advance(BEGUN_AT + day * DAY)
            self._obey(*OPERATORS)
        self._report("the end")

    def _advance(self, instant: datetime) -> None:
        """Run what is due, unless time has come further already."""
        self._at = max(instant, self._at)
        as_of = Timestamp()
        as_of.FromDatetime(self._at)
        request = pb.AdvanceEnforcementRequest(
            request_id=named(f"advance {self._at.isoformat()}"), as_of_time=as_of
        )
        self.enter("clock")
        self._send(self.stubs["regulator"].enforcement.AdvanceEnforcement, request)

    def _obey(self, *names: str) -> None:
        """Have operators work until nothing of theirs is open, whatever they forget."""
        self.enter("orders")
        self.work(names, "")
        while self._is_open(names):
            self._advance(self._at + LEASE_ENDS)
            self.enter("orders")
            self.work(names, "")

    def _report(self, name: str) -> None:
        self.enter("reports")
        self.work(OPERATORS, name)

    def _change_devices(self) -> None:
        """Of a primary number, another verified one, and one that nobody has verified."""
        self.enter("events")
        occurred = Timestamp()
        occurred.FromDatetime(BEGUN_AT)
        for name in OPERATORS:
            request = subscription_pb.ReportEventsRequest(
                request_id=named(f"events {name}"),
                events=[
                    subscription_pb.SubscriptionEvent(
                        msisdn=self.cast.numbers[name][place],
                        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE,
                        occur_time=occurred,
                    )
                    for place in (*VERIFIED, NUMBERS_EACH - 1)
                ],
            )
            answer = self._send(self.stubs[name].subscriptions.ReportEvents, request)
            assert [each.reason for each in answer.results] == ["", "", ""]

    def _execute_wave(self, name: str) -> str:
        """Block all that wait, in slices of a few numbers; returns the wave."""
        self.enter("wave")
        criteria = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING, has_primaries=True)
        call = _call(Role.REGULATOR, "regulator", at=self._at)
        with self.database.transaction() as uow:
            wave_id = preview_wave(uow, call, criteria, slice_numbers=SLICE_NUMBERS).wave_id
        for caller in ("regulator", "deputy"):
            approval = wave_pb.ApproveWaveRequest(
                request_id=named(f"{name} {caller}"), wave_id=str(wave_id)
            )
            self._send(self.stubs[caller].waves.ApproveWave, approval)
        for place in range(99):
            request = wave_pb.ExecuteWaveRequest(
                request_id=named(f"{name} {place}"), wave_id=str(wave_id), slice_count_max=2
            )
            done = self._send(self.stubs["regulator"].waves.ExecuteWave, request).wave
            if done.state == wave_pb.WAVE_STATE_COMPLETED:
                return str(wave_id)
            assert done.state == wave_pb.WAVE_STATE_RUNNING, done.reason
        raise AssertionError("the wave never ends")

    def _revert(self, wave_id: str) -> None:
        self.enter("revert")
        request = wave_pb.RevertWaveRequest(
            request_id=named("revert"), wave_id=wave_id, reason="a mistake"
        )
        done = self._send(self.stubs["regulator"].waves.RevertWave, request).wave
        assert done.state == wave_pb.WAVE_STATE_REVERTED

    def _is_open(self, names: Sequence[str]) -> bool:
        query = select(directive.c.directive_id).where(
            directive.c.operator_id.in_(names), directive.c.state.in_(("pending", "leased"))
        )
        with self.database.transaction() as uow:
            return uow.connection.execute(query).first() is not None

    @staticmethod
    def _send(method: Callable[..., Any], request: Any) -> Any:  # noqa: ANN401 - an untyped stub
        return again(lambda: method(request, timeout=TIMEOUT_S, wait_for_ready=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What there is at the end.

    Attributes:
        numbers: Ordered and acknowledged state, of each number.
        cases: Of each number.
        orders: Of each number, in their order.
        waves: Each wave with its slices, as they were begun.
        reports: What each report came to.
        effects: What was done to each number in the networks, in its order.
        networks: The state of each number there.
    """

    numbers: Mapping[str, Any]
    cases: Mapping[str, Any]
    orders: Mapping[str, Any]
    waves: Sequence[Any]
    reports: Sequence[Any]
    effects: Mapping[str, Sequence[int]]
    networks: Mapping[str, Mapping[str, int]]


_CASE = (
    "track cause policy_version opened_at steps_taken next_due_at state closed_at waits_for_wave"
)
_ORDER = (
    "operator_id kind causes policy_version track is_primary is_last_number upcoming_kind"
    " upcoming_at state failure_count created_at due_at executed_at superseded_at"
)
_REPORT = "operator_id finished_at compared_count drift_count false_count unreported_count"


def outcome(database: Database, networks: Mapping[str, Network], *, unit: timedelta) -> Outcome:
    """What there is.

    Args:
        database: The registry.
        networks: Of each operator.
        unit: Instants are cut to whole ones of it.
    """
    with database.transaction() as uow:
        waves, slices = _rows(uow, wave, "created_at"), _rows(uow, wave_slice, "place")
        reports = _rows(uow, reconciliation, "began_at")
        return Outcome(
            numbers={
                key: each[0]
                for key, each in _of_numbers(
                    uow, subscription, "service_state applied_state", "created_at", unit
                ).items()
            },
            cases=_of_numbers(uow, enforcement_case, _CASE, "track", unit),
            orders=_of_numbers(uow, directive, _ORDER, "position", unit),
            waves=[
                (_chosen(each, "state slice_count", unit), _slices(each, slices)) for each in waves
            ],
            reports=sorted(_chosen(each, _REPORT, unit) for each in reports),
            effects=_effects(networks),
            networks={name: network.states() for name, network in networks.items()},
        )


def executed_ids(database: Database) -> set[str]:
    """The orders that the registry takes for executed."""
    query = select(directive.c.directive_id).where(directive.c.state == "executed")
    with database.transaction() as uow:
        return {str(identity) for identity in uow.connection.scalars(query)}


def _effects(networks: Mapping[str, Network]) -> Mapping[str, Sequence[int]]:
    effects: dict[str, list[int]] = defaultdict(list)
    for network in networks.values():
        for each in network.effects():
            effects[each.msisdn].append(each.kind)
    return dict(effects)


def _slices(of: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [
        (each["place"], each["directive_count"], each["reverted_count"])
        for each in slices
        if each["wave_id"] == of["wave_id"]
    ]


def _rows(uow: UnitOfWork, table: Table, order: str) -> Sequence[Mapping[str, Any]]:
    query = select(table).order_by(text(order))
    return [dict(row) for row in uow.connection.execute(query).mappings()]


def _of_numbers(
    uow: UnitOfWork, table: Table, columns: str, order: str, unit: timedelta
) -> Mapping[str, Sequence[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in _rows(uow, table, order):
        found[row["msisdn_key"].hex()].append(_chosen(row, columns, unit))
    return dict(found)


def _chosen(row: Mapping[str, Any], columns: str, unit: timedelta) -> tuple[Any, ...]:
    return tuple(_cut(row[name], unit) for name in columns.split())


def _cut(value: Any, unit: timedelta) -> Any:  # noqa: ANN401 - any column
    if not isinstance(value, datetime):
        return value
    return value - (value - BEGUN_AT) % unit
