"""A registry of its own whose numbers wait for a wave."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, text

from identity.domain.caller import Role
from identity.domain.enforcement import Case, DirectiveKind
from identity.domain.msisdn import MSISDN
from identity.domain.policy import StepKind
from identity.domain.policy_book import PolicyBook
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.wave import SLICE_NUMBERS, Wave, WaveCriteria
from identity.security.vault import Vault
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.execute_wave import execute_wave
from identity.services.revert_wave import revert_wave
from identity.services.settle_subscriptions import settle_subscription
from identity.services.transactions import Transactions
from identity.services.waves import approve_wave, get_wave, preview_wave
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import metadata
from tests.unit.identity.makers import (
    find,
    make_call,
    make_msisdn,
    policies,
    store_citizen,
    store_number,
)

DAY = timedelta(days=1)
T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)
OPERATORS = ("north", "south")
PEOPLE = 12
NUMBERS = PEOPLE + 1
"""One of the people has two."""


@dataclass
class Country:
    """A registry of its own, with numbers that wait for a wave.

    Attributes:
        transactions: Its transactions.
        at: What time it is.
        numbers: The numbers, all in service, all unverified but where a test says otherwise.
        book: The rules, each in its time.
    """

    transactions: Transactions
    at: datetime
    numbers: list[Subscription]
    book: PolicyBook = field(default_factory=policies)

    def call(self, name: str = "ministry", role: Role = Role.REGULATOR) -> Call:
        """A call at this time."""
        call = make_call(name, role=role, at=self.at)
        return replace(call, rules=self.book.at(self.at))

    def preview(self, criteria: WaveCriteria = T2, *, slice_numbers: int = SLICE_NUMBERS) -> Wave:
        """A wave, tried dry."""
        return self.transactions.run(
            lambda uow: preview_wave(uow, self.call(), criteria, slice_numbers=slice_numbers)
        )

    def approved(self, criteria: WaveCriteria = T2, *, slice_numbers: int = SLICE_NUMBERS) -> Wave:
        """A wave that two have approved."""
        wave = self.preview(criteria, slice_numbers=slice_numbers)
        self.approve(wave, "first")
        return self.approve(wave, "second")

    def approve(self, wave: Wave, name: str) -> Wave:
        """Somebody approves."""
        return self.transactions.run(lambda uow: approve_wave(uow, self.call(name), wave.wave_id))

    def execute(self, wave: Wave, *, slices: int = 100) -> Wave:
        """The regulator executes slices."""
        return execute_wave(self.transactions, self.call(), wave.wave_id, slice_count_max=slices)

    def revert(self, wave: Wave) -> Wave:
        """The regulator puts it back."""
        return revert_wave(self.transactions, self.call(), wave.wave_id, reason="a mistake")

    def get(self, wave: Wave) -> Wave:
        """Where it stands."""
        return self.transactions.run(lambda uow: get_wave(uow, self.call(), wave.wave_id))

    def advance(self, days: float) -> None:
        """Days pass, and the clock runs."""
        self.at += days * DAY
        advance_enforcement(self.transactions, self.call())

    def obey(self) -> list[tuple[DirectiveKind, UUID | None]]:
        """Every operator executes all it can get; returns what it was, and of which wave."""
        done: list[tuple[DirectiveKind, UUID | None]] = []
        for name in OPERATORS:
            call = self.call(name, Role.OPERATOR)
            lease = self.transactions.run(
                lambda uow, call=call: pull_directives(  # type: ignore[misc] # bound at once
                    uow, call, duration=DAY, limit=10_000
                )
            )
            items = [
                Acknowledgement(
                    directive_id=each.directive.directive_id, is_executed=True, failure=""
                )
                for each in lease.directives
            ]
            self.transactions.run(
                lambda uow, call=call, lease=lease, items=items: acknowledge_directives(  # type: ignore[misc] # as above
                    uow, call, lease.lease_id, items
                )
            )
            done += [(each.directive.kind, each.directive.wave_id) for each in lease.directives]
        return done

    def settle(self, item: Subscription, **change: object) -> None:
        """Something happens to a number."""
        self.transactions.run(
            lambda uow: settle_subscription(
                uow,
                self.call(item.operator_id, Role.OPERATOR),
                item,
                Change(before=item.service_state, **change),  # type: ignore[arg-type] # as Change takes them
            )
        )

    def now(self, item: Subscription) -> Subscription:
        """A number as it is stored."""
        return self.transactions.run(lambda uow: find(uow, item))

    def cases(self, item: Subscription) -> Sequence[Case]:
        """Its open cases."""
        return self.transactions.run(lambda uow: uow.cases.list_open([item])[item.subscription_id])

    def states(self) -> list[ServiceState]:
        """What is ordered of each number."""
        return [self.now(item).service_state for item in self.numbers]


def empty(engine: Engine) -> None:
    """Leave nothing of the tests before: neither their numbers nor how far their clock ran."""
    with engine.begin() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names}"))


def spread_msisdn(uow: UnitOfWork, place: int, *, of: int) -> MSISDN:
    """A random number in one of equal parts of the keys: slices of a wave are ranges of keys."""
    while True:
        msisdn = make_msisdn()
        key = uow.sealer.blind_index("msisdn", msisdn.value)
        if key[0] * of // 256 == place:
            return msisdn


def make_country(engine: Engine, vault: Vault) -> Country:
    """Twelve people, one of whom has two numbers, told on five days and waiting since.

    Their keys are spread evenly, so that no slice of a wave is empty by chance.
    """
    empty(engine)
    transactions = Transactions(Database(engine, vault))
    begun = datetime.fromisoformat("2026-05-04T03:00:00+00:00")
    country = Country(transactions, begun, [])
    for place in range(PEOPLE):
        person = transactions.run(store_citizen)
        for _ in range(2 if place == 0 else 1):
            item = transactions.run(
                lambda uow, person=person, place=place: store_number(  # type: ignore[misc] # bound at once
                    uow,
                    person,
                    msisdn=spread_msisdn(uow, len(country.numbers), of=NUMBERS),
                    verified_at=None,
                    operator_id=OPERATORS[place % 2],
                    province_code="01" if place < 3 else "79",
                )
            )
            country.settle(item)
            country.numbers.append(item)
    for _ in range(5):
        country.advance(1)
        country.obey()
    country.at += 2 * DAY
    return country
