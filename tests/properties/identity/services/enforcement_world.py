"""The registry as the machine of the model meets it: its present, its callers, and what it holds.

Owns one example's transaction, which is rolled back, and the comparison of every case and every
order that is stored with the model. Judges nothing else, and draws nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)
from sqlalchemy import Engine, Table, select

from identity.domain.caller import Role
from identity.domain.dispute import DisputeDecision
from identity.domain.errors import DomainError
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.policy import StepKind
from identity.domain.wave import WaveCriteria
from identity.security.keys import KEY_BYTES, KeyRing
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.storage.database import UnitOfWork
from identity.storage.tables import directive, enforcement_case, subscription
from tests.databases import within
from tests.properties.identity.services.enforcement_model import Country
from tests.properties.identity.services.enforcement_values import Case, Lease, Number, Order, Person
from tests.unit.identity.makers import (
    NOW,
    hasty_rules,
    make_call,
    make_claim,
    rules,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPERATORS = ("north", "south")
NUMBERS_MAX = 6
OK = ""
T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)

picks = st.integers(0, NUMBERS_MAX - 1)
operators = st.sampled_from(OPERATORS)
links = st.sampled_from([LinkState.LINKED] * 4 + list(LinkState))
jumps = st.sampled_from(
    [*(MINUTE, HOUR, DAY - MINUTE, DAY, 5 * DAY), *(n * DAY for n in (16, 16, 31, 31, 61, 61))]
)
decisions = st.sampled_from([*DisputeDecision, DisputeDecision.CLAIMANT])

Rows = Mapping[UUID, Mapping[str, Any]]


class World(RuleBasedStateMachine):
    """The registry at one instant, and the model beside it."""

    engine: Engine

    def open_country(self) -> None:
        """Begin with nothing."""
        self.connection = self.engine.connect()
        ring = KeyRing(active_id=1, sealing={1: b"s" * KEY_BYTES}, index=b"i" * KEY_BYTES)
        self.uow = UnitOfWork(self.connection, Vault(ring))
        self.transactions = within(self.uow)
        self.at, self.counted = NOW, 0
        self.model = Country(rules())
        self.records: dict[Person, PopulationRecord] = {}
        self.registered: set[Person] = set()
        self.leases: list[Lease] = []
        self.network: dict[tuple[str, MSISDN], str] = {}
        self.banned: set[Order] = set()
        self.put_back: dict[UUID, dict[UUID, tuple[int, datetime]]] = {}

    def new_id(self) -> UUID:
        """The next identifier."""
        self.counted += 1
        return UUID(int=self.counted)

    def call(self, name: str, role: Role = Role.REGULATOR) -> Call:
        """A call at the present instant."""
        return make_call(name, role=role, at=self.at, new_id=self.new_id)

    def operator(self, number: Number) -> Call:
        """A call by the operator of a number."""
        return self.call(number.operator, Role.OPERATOR)

    @property
    def app(self) -> Call:
        """A call by the citizen app, under rules by which a choice waits for nothing."""
        return replace(self.call("vneid", Role.CITIZEN_APP), rules=hasty_rules())

    def pick(self, place: int) -> Number | None:
        """A number in service or registered, if there is one."""
        found = [number for number in self.model.numbers if number.is_on]
        return found[place % len(found)] if found else None

    def refusal(self, act: Callable[[], object]) -> str:
        """Act in a transaction; why it was refused, if it was."""
        try:
            with self.connection.begin_nested():
                act()
        except DomainError as error:
            return error.reason
        return OK

    def do(self, act: Callable[[], object]) -> None:
        """Act in a transaction, which is not refused."""
        assert self.refusal(act) == OK

    def event(self, number: Number, kind: EventKind, operator: str, lag: timedelta) -> str:
        """An operator reports something."""
        event = SubscriptionEvent(
            msisdn=number.msisdn,
            kind=kind,
            occurred_at=self.at - lag,
            claim=self.claim(number.holder) if kind is EventKind.PORT_IN else None,
        )
        with self.connection.begin_nested():
            (told,) = report_events(self.uow, self.call(operator, Role.OPERATOR), [event])
        return told

    def claim(self, person: Person) -> HolderClaim:
        """What contracts say of a person."""
        return make_claim(self.records[person])

    def rows(self, table: Table, key: str) -> Rows:
        """All rows of a table."""
        return {row[key]: dict(row) for row in self.connection.execute(select(table)).mappings()}

    @invariant()
    def agree(self) -> None:
        """Every case and every order is as the model says."""
        for number in self.model.numbers:
            if number.subscription_id is None:
                item = self.uow.subscriptions.find_in_service(number.msisdn)
                assert item is not None
                number.subscription_id = item.subscription_id
        stored = self.rows(subscription, "subscription_id")
        assert stored.keys() == {number.subscription_id for number in self.model.numbers}
        cases = self.rows(enforcement_case, "case_id").values()
        orders = sorted(
            self.rows(directive, "directive_id").values(), key=lambda row: row["position"]
        )
        for number in self.model.numbers:
            assert number.subscription_id is not None
            row = stored[number.subscription_id]
            assert (row["service_state"], row["applied_state"]) == (number.state, number.applied)
            own = [row for row in cases if row["subscription_id"] == number.subscription_id]
            assert sorted(map(case_shown, own)) == sorted(map(shown, number.cases))
            told = [row for row in orders if row["subscription_id"] == number.subscription_id]
            for order, row in zip(number.orders, told, strict=True):
                order.directive_id = row["directive_id"]
                state = "open" if row["state"] in {"pending", "leased"} else row["state"]
                assert (row["kind"], row["track"], state) == (order.kind, order.track, order.state)


def case_shown(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What is stored of a case, in words."""
    names = ("track", "cause", "opened_at", "next_due_at", "steps_taken", "frozen_at")
    rest = ("waits_for_wave", "wave_id", "wave_due_at", "state")
    return tuple(str(row[name]) for name in (*names, *rest))


def shown(case: Case) -> tuple[str, ...]:
    """What the model says of a case, in the same words."""
    words = (case.track.name, case.cause, case.opened_at, case.due_at, case.steps, case.frozen_at)
    rest = (case.waits_for_wave, case.wave, case.wave_due_at, case.end or "open")
    return tuple(map(str, (*words, *rest)))
