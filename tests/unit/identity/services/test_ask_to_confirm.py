"""Citizens are asked once a period whether the number that they marked is still the one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from identity.domain.primary_choice import ClearCause
from identity.domain.subscription import Subscription
from identity.services.ask_to_confirm import ask_to_confirm
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.message_tables import message
from tests.unit.identity.makers import NOW, make_call, rules, store_primary
from tests.unit.identity.notification_makers import silent

ASK = NOW + rules().primary.ask_after
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """Somebody with a primary number."""

    uow: UnitOfWork
    item: Subscription

    def count(self) -> int:
        """How often they were asked."""
        query = select(message.c.message_id).where(
            message.c.subscription_id == self.item.subscription_id,
            message.c.template == "confirm_asked",
        )
        return len(self.uow.connection.execute(query).all())

    def run(self, at: datetime, *, call: Call | None = None) -> int:
        """Ask whoever is due."""
        return ask_to_confirm(self.uow, call or make_call(at=at))


@pytest.fixture
def person(uow: UnitOfWork) -> Asked:
    # Committed rows of other tests may be due too: nobody else is, within this transaction.
    uow.connection.execute(text("UPDATE primary_number SET asked_at = 'infinity'"))
    return Asked(uow, store_primary(uow)[1])


def test_nobody_is_asked_before_the_time_and_everybody_once(person: Asked) -> None:
    assert person.run(ASK - TICK) == 0
    assert person.run(ASK) == 1
    assert person.count() == 1
    assert person.run(ASK) == 0
    assert person.run(ASK + timedelta(days=365)) == 0
    assert person.count() == 1


def test_who_confirms_is_asked_again_when_that_is_old(uow: UnitOfWork, person: Asked) -> None:
    person.run(ASK)
    uow.primaries.confirm(person.item.claim.personal_id, at=ASK + timedelta(days=1))
    again = ASK + timedelta(days=1) + rules().primary.ask_after
    assert person.run(again - TICK) == 0
    assert person.run(again) == 1
    assert person.count() == 2


def test_who_confirmed_by_then_or_lost_the_number_is_not_asked(
    uow: UnitOfWork, person: Asked
) -> None:
    uow.primaries.confirm(person.item.claim.personal_id, at=NOW + timedelta(days=400))
    assert person.run(ASK) == 0
    uow.primaries.clear(person.item, ClearCause.BLOCKED, at=ASK)
    assert person.run(ASK + timedelta(days=1_000)) == 0
    assert person.count() == 0


def test_slices_ask_everybody_once_those_of_the_longest_past_first(
    uow: UnitOfWork, person: Asked
) -> None:
    others = [Asked(uow, store_primary(uow)[1]) for _ in range(4)]
    uow.primaries.confirm(person.item.claim.personal_id, at=NOW + timedelta(hours=1))
    call = make_call(at=ASK + timedelta(days=1))
    asked = [ask_to_confirm(uow, call, limit=2) for _ in range(4)]
    assert asked == [2, 2, 1, 0]
    assert [each.count() for each in (person, *others)] == [1] * 5


def test_without_words_nobody_is_asked_and_everybody_stays_due(person: Asked) -> None:
    assert person.run(ASK, call=silent(make_call(at=ASK))) == 0
    assert person.count() == 0
    assert person.run(ASK) == 1


def test_only_what_is_due_is_touched(uow: UnitOfWork, person: Asked) -> None:
    assert person.run(ASK) == 1
    plan = uow.connection.execute(
        text(
            "EXPLAIN SELECT citizen_key FROM primary_number WHERE"
            " (asked_at IS NULL OR asked_at < confirmed_at) AND confirmed_at <= :at"
            " ORDER BY confirmed_at, citizen_key LIMIT 10"
        ),
        {"at": ASK},
    ).scalars()
    assert sum("confirmed_at_citizen_key_idx" in line for line in plan) > 0
