"""A registry of some size, to explain queries on.

Owns its people and books: they come in through the real imports, so every value is sealed and
indexed as in service. What would take sessions and weeks, such as verifications, cases in the midst
of their ladder and orders, is added by statements over whole tables.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text

from identity.config import DEFAULT_POLICIES
from identity.domain.caller import Caller, Role
from identity.domain.directive import Directive
from identity.domain.enforcement import DirectiveKind
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.policy_book import PolicyBook
from identity.domain.subscription import Subscription
from identity.policy_files import load_policy
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.storage.book import BookRow, index_row
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import citizen

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
IMPORTED_AT = NOW - timedelta(days=40)

PERSON_COUNT = 40_000
"""Enough that no table fits into so few pages that reading all of them would be the best plan."""

OPERATORS = ("viettel", "vinaphone", "mobifone", "vietnamobile")
BATCH_ROWS = 5_000
ORDER_COUNT = 400
"""Orders that are open at the first operator and can be handed out."""

_LIVED = Path(__file__).with_name("plan_registry.sql")

VERIFIED_COUNT = 200
"""People of the lowest numbers: each is verified and has a primary number."""

AUTHORITY = Caller(Role.POPULATION, "register")


def shipped_policies() -> PolicyBook:
    """The packs that the service takes unless told otherwise."""
    return PolicyBook([load_policy(name) for name in DEFAULT_POLICIES.split(",")])


@dataclass(frozen=True)
class World:
    """Who and what is in it."""

    policies: PolicyBook = field(default_factory=shipped_policies)

    def call(self, caller: Caller | None = None, *, at: datetime = NOW) -> Call:
        """The circumstances of a call, by default of the first operator."""
        calling = caller or Caller(Role.OPERATOR, OPERATORS[0])
        return Call(caller=calling, at=at, rules=self.policies.at(at))

    @staticmethod
    def record(number: int) -> PopulationRecord:
        """A person of the register."""
        return PopulationRecord(
            personal_id=PersonalID(f"001090{number:06d}"),
            full_name=PersonName("Nguyễn Văn An"),
            birth_date=date(1990, 1, 1) + timedelta(days=number % 365),
        )

    @staticmethod
    def msisdn(number: int) -> MSISDN:
        """The number of the person of that number."""
        return MSISDN(f"+8491{number:07d}")

    @classmethod
    def row(cls, number: int, *, of: int | None = None) -> BookRow:
        """A row of a book: one number of a person's."""
        record = cls.record(number if of is None else of)
        claim = HolderClaim(
            personal_id=record.personal_id,
            full_name=record.full_name,
            birth_date=record.birth_date,
        )
        return BookRow(msisdn=cls.msisdn(number), claim=claim, activated_on=date(2020, 1, 1))

    @classmethod
    def subscription(cls, uow: UnitOfWork, number: int) -> Subscription:
        """The number as it is stored."""
        found = uow.subscriptions.find_in_service(cls.msisdn(number))
        assert found is not None, "it was imported"
        return found


def numbers_of(operator: str) -> range:
    """The numbers of an operator: each has the same share of the people."""
    share = PERSON_COUNT // len(OPERATORS)
    place = OPERATORS.index(operator)
    return range(place * share, (place + 1) * share)


def build(database: Database) -> World:
    """Fill an empty registry and let the planner know it."""
    world = World()
    for step in _imports(world):
        with database.transaction() as uow:
            step(uow)
    with database.transaction() as uow:
        _order(uow)
    with database.transaction() as uow:
        for statement in _LIVED.read_text(encoding="utf-8").split(";\n"):
            uow.connection.execute(text(statement), {"now": NOW})
    with database.transaction() as uow:
        _verify_first_people(uow)
        uow.secrets.obtain_many(uow.connection.scalars(select(citizen.c.citizen_key)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Every row counts for the statistics, so that the same rows give the same plans.
        connection.execute(text("SET default_statistics_target = 1000"))
        connection.execute(text("VACUUM ANALYZE"))
    return world


def _imports(world: World) -> Iterator[Callable[[UnitOfWork], object]]:
    authority = world.call(AUTHORITY, at=IMPORTED_AT)
    for people in _batches(range(PERSON_COUNT)):
        yield partial(_import_people, call=authority, people=people)
    for operator in OPERATORS:
        call = world.call(Caller(Role.OPERATOR, operator), at=IMPORTED_AT)
        for numbers in _batches(numbers_of(operator)):
            yield partial(_import_book, call=call, numbers=numbers)


def _batches(numbers: range) -> Iterator[range]:
    return (numbers[place : place + BATCH_ROWS] for place in range(0, len(numbers), BATCH_ROWS))


def _import_people(uow: UnitOfWork, call: Call, people: range) -> None:
    import_population(uow, call, [World.record(number) for number in people])


def _import_book(uow: UnitOfWork, call: Call, numbers: range) -> None:
    import_subscriptions(uow, call, [index_row(uow.sealer, World.row(n)) for n in numbers])


def _order(uow: UnitOfWork) -> None:
    """Orders that the first operator has not pulled."""
    numbers = [World.msisdn(number) for number in range(ORDER_COUNT)]
    found = uow.subscriptions.find_many_in_service(numbers)
    uow.directives.add_many(
        (
            Directive(
                directive_id=UUID(int=(4 << 76) + (8 << 60) + place),
                subscription_id=item.subscription_id,
                operator_id=item.operator_id,
                kind=DirectiveKind.BLOCK_OUTGOING,
                causes=(CaseCause.UNVERIFIED,),
                policy_version="vn-2026-04-15",
                track="T2",
                created_at=NOW,
                due_at=NOW + timedelta(hours=24),
            ),
            item,
        )
        for place, item in enumerate(found.values())
    )


def _verify_first_people(uow: UnitOfWork) -> None:
    """People whom a query may be about: each with a primary number that opens."""
    numbers = [World.msisdn(number) for number in range(VERIFIED_COUNT)]
    verified_at = NOW - timedelta(days=1)
    found = uow.subscriptions.find_many_in_service(numbers).values()
    items = [replace(item, verified_at=verified_at) for item in found]
    uow.subscriptions.save_many(items)
    for item in items:
        uow.primaries.set(item, at=verified_at)
        uow.fallbacks.rank(uow.primaries.key_of(item.claim.personal_id), [item], at=verified_at)
