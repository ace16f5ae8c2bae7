"""Everybody locks in one order: whatever is done to the same people at once, nobody deadlocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from identity.domain.agency import Agency, Right
from identity.domain.caller import Role
from identity.domain.errors import DomainError
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.subscription import ServiceState, Subscription
from identity.security.vault import Vault
from identity.services.apply_population_changes import Correction, apply_population_changes
from identity.services.arrangements import (
    attest_guardianship,
    end_arrangement,
    propose_guardianship,
)
from identity.services.citizen_locks import set_fallback_numbers, set_lock
from identity.services.contact_changes import pass_on
from identity.services.data_requests import request_erasure, restrict
from identity.services.due_changes import apply_due_changes
from identity.services.get_contacts import get_contacts
from identity.services.messages import pull_messages
from identity.services.primary_number import confirm_primary_number, set_primary_number
from identity.storage.arrangements import Parties
from identity.storage.database import Database, UnitOfWork
from tests.databases import own_engine
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import (
    NOW,
    find,
    make_call,
    make_operator,
    rules,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.households import PAPERS, TODDLER

ROUNDS = 5
"""So often everything is done at once: each pair of things meets in some order or other."""

WITHOUT_STEP_UP = replace(rules(), primary=PrimaryPolicy(step_up_within=timedelta()))
APP = make_call("vneid", role=Role.CITIZEN_APP, under=WITHOUT_STEP_UP)
REGISTER = make_call("npd", role=Role.POPULATION)
CLOCK = make_call("mic", role=Role.REGULATOR)


@pytest.fixture
def database(postgres_url: str, worker_id: str, vault: Vault) -> Iterator[Database]:
    """A registry of its own: what is committed here, a clock that ran too, is nobody else's."""
    with own_engine(postgres_url, f"locks_{worker_id}") as engine:
        yield Database(engine, vault)


@dataclass(frozen=True)
class Family:
    """A guardian with two numbers of one operator, a child, and an agency that asks about both."""

    guardian: PopulationRecord
    child: PopulationRecord
    numbers: Sequence[Subscription]
    agency: Agency

    @property
    def people(self) -> tuple[PersonalID, PersonalID]:
        """Both."""
        return self.guardian.personal_id, self.child.personal_id


def make_family(uow: UnitOfWork) -> Family:
    guardian, operator = store_citizen(uow), make_operator()
    family = Family(
        guardian=guardian,
        child=store_citizen(uow, birth_date=TODDLER),
        numbers=[store_number(uow, guardian, operator_id=operator) for _ in range(2)],
        agency=store_agency(uow, make_grant(Right.NUMBER, Right.CONTACT_CHANGES)),
    )
    choose(family, uow)
    return family


def choose(family: Family, uow: UnitOfWork, *, place: int = 0) -> None:
    number = family.numbers[place].msisdn
    set_primary_number(uow, APP, family.guardian.personal_id, number)


def choose_another(family: Family, uow: UnitOfWork) -> None:
    choose(family, uow, place=1)


def confirm(family: Family, uow: UnitOfWork) -> None:
    confirm_primary_number(uow, APP, family.guardian.personal_id)


def lock(family: Family, uow: UnitOfWork) -> None:
    for is_locked in (True, False):
        set_lock(
            uow,
            APP,
            family.guardian.personal_id,
            is_locked=is_locked,
            open_for=timedelta(minutes=is_locked),
        )


def rank(family: Family, uow: UnitOfWork) -> None:
    numbers = [item.msisdn for item in reversed(family.numbers)]
    set_fallback_numbers(uow, APP, family.guardian.personal_id, numbers)


def block(family: Family, uow: UnitOfWork) -> None:
    for state in (ServiceState.SUSPENDED, ServiceState.ACTIVE):
        found = uow.subscriptions.find_many_in_service(
            [item.msisdn for item in family.numbers], lock=True
        )
        uow.subscriptions.save_many(
            replace(item, service_state=state) for item in reversed(list(found.values()))
        )


def correct(family: Family, uow: UnitOfWork) -> None:
    changes = [Correction(record) for record in (family.child, family.guardian)]
    apply_population_changes(uow, REGISTER, changes)


def arrange(family: Family, uow: UnitOfWork) -> None:
    guardian, child = family.people
    kept = propose_guardianship(uow, APP, guardian, child)
    counter = make_call(find(uow, family.numbers[0]).operator_id)
    parties = Parties(personal_id=child, guardian=guardian)
    identity = kept.arrangement.arrangement_id
    attest_guardianship(uow, counter, identity, parties, document_digest=PAPERS)
    end_arrangement(uow, APP, identity, guardian)


def withdraw(family: Family, uow: UnitOfWork) -> None:
    for is_restricted in (True, False):
        restrict(uow, APP, family.guardian.personal_id, is_restricted=is_restricted)


def ask_to_erase(family: Family, uow: UnitOfWork) -> None:
    request_erasure(uow, APP, family.guardian.personal_id)


def look_up(family: Family, uow: UnitOfWork) -> None:
    get_contacts(uow, [make_question(family.agency, *family.people)])


def pass_hints_on(_family: Family, uow: UnitOfWork) -> None:
    pass_on(uow, at=NOW)


def run_clock(_family: Family, uow: UnitOfWork) -> None:
    apply_due_changes(uow, replace(CLOCK, at=NOW + timedelta(days=30)))


def pull(family: Family, uow: UnitOfWork) -> None:
    operator = make_call(family.numbers[0].operator_id)
    pull_messages(uow, operator, duration=timedelta(seconds=30), limit=5)


Act = Callable[[Family, UnitOfWork], None]
ACTS: Sequence[Act] = (
    *(choose, choose_another, confirm, lock, rank, block, correct, arrange, withdraw, ask_to_erase),
    *(look_up, pass_hints_on, run_clock, pull),
)


def test_whatever_is_done_to_the_same_people_at_once_waits_and_does_not_deadlock(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    def try_once(act: Act, family: Family) -> None:
        try:
            with database.transaction() as uow:
                uow.connection.exec_driver_sql("SET LOCAL deadlock_timeout = '20ms'")
                act(family, uow)
        except DomainError:
            pass  # a refusal: what came before made it so

    with database.transaction() as uow:
        family = make_family(uow)
    for _ in range(ROUNDS):
        outcomes = race([partial(try_once, act, family) for act in ACTS])
        assert [each for each in outcomes if each is not None] == []
