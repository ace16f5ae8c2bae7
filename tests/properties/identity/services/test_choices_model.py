"""Whatever happens to numbers and whatever citizens ask for, choices are what a plain model says.

A machine draws what two citizens, their numbers and time do, has the services do it, and compares
after each step who is reached and how, what waits, what is locked, and every line of each history.
The examples are the same in every run unless they are asked for:
`CHOICE_EXAMPLES=500 pytest --hypothesis-seed=1`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select

from identity.domain.caller import Role
from identity.domain.errors import DomainError
from identity.domain.holder import PopulationRecord
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.services.apply_population_changes import Death, apply_population_changes
from identity.services.call import Call
from identity.services.citizen_locks import set_fallback_numbers, set_lock
from identity.services.disown_subscription import disown_subscription
from identity.services.due_changes import apply_due_changes
from identity.services.primary_number import (
    confirm_primary_number,
    set_primary_number,
    veto_primary_change,
)
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.choice_tables import citizen_choice
from identity.storage.database import UnitOfWork
from tests.properties.identity.services.choices_model import FALLBACKS_MAX, OK, Citizen, Number
from tests.unit.identity.makers import (
    NOW,
    find,
    make_call,
    make_claim,
    make_link,
    make_subscription,
    step_up,
    store_citizen,
)

EXAMPLES = "CHOICE_EXAMPLES"
PEOPLE, NUMBERS = 2, 7
MINUTE = timedelta(minutes=1)

people = st.integers(0, PEOPLE - 1)
picks = st.integers(0, NUMBERS - 1)
jumps = st.sampled_from([MINUTE, 5 * MINUTE, 16 * MINUTE, timedelta(hours=12), timedelta(days=1)])
ages = st.sampled_from([None, timedelta(), 15 * MINUTE, 16 * MINUTE, "used"])


class Choosing(RuleBasedStateMachine):
    """Two citizens with some numbers, and all that they may do."""

    engine: Engine

    @initialize()
    def begin(self) -> None:
        """Each citizen has three numbers that may be primary."""
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        self.uow = UnitOfWork(self.connection, Vault(generate_key_ring()))
        self.at = NOW
        self.citizens = [Citizen() for _ in range(PEOPLE)]
        self.records: list[PopulationRecord] = [store_citizen(self.uow) for _ in range(PEOPLE)]
        self.numbers: list[Number] = []
        self.stored: dict[Number, Subscription] = {}
        self.used: list[UUID | None] = [None] * PEOPLE
        for place in range(NUMBERS - 1):
            self.arrive(place % PEOPLE)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "connection"):
            self.transaction.rollback()
            self.connection.close()

    def arrive(self, who: int, **given: object) -> None:
        """A number of a citizen, verified and in service."""
        item = make_subscription(
            make_claim(self.records[who]), verified_at=self.at - timedelta(days=1), **given
        )
        self.uow.subscriptions.save(item)
        number = Number(owner=self.citizens[who], verified_at=item.verified_at)
        self.numbers.append(number)
        self.stored[number] = item

    def call(self) -> Call:
        """A call by the citizen app, now."""
        return make_call("vneid", role=Role.CITIZEN_APP, at=self.at)

    def refusal(self, act: Callable[[], object]) -> str:
        """Act in a transaction; why it was refused, if it was."""
        try:
            with self.connection.begin_nested():
                act()
        except DomainError as error:
            return error.reason
        return OK

    def change(self, number: Number, **given: object) -> Subscription:
        """Store a number otherwise than it was."""
        item = replace(find(self.uow, self.stored[number]), updated_at=self.at, **given)  # type: ignore[arg-type] # whatever a subscription takes
        self.uow.subscriptions.save(item)
        return item

    def verification(self, who: int, age: timedelta | str | None) -> UUID | None:
        """A verification of some age; `used` is the one that has served already."""
        if age is None or isinstance(age, str):
            return None if age is None else self.used[who]
        item, key = self.stored[self.numbers[0]], self.key(who)
        return step_up(self.uow, self.records[who], item, at=self.at - age, citizen_key=key)

    def key(self, who: int) -> bytes:
        """The key of a citizen."""
        return self.uow.primaries.key_of(self.records[who].personal_id)

    # What citizens ask for.

    @rule(who=people, pick=picks, age=ages)
    def ask(self, who: int, pick: int, age: timedelta | str | None) -> None:
        """Mark a number, or ask for a change."""
        number, citizen = self.numbers[pick % len(self.numbers)], self.citizens[who]
        verification_id = self.verification(who, age)
        fresh_at = self.at - age if isinstance(age, timedelta) else None
        needed = citizen.has_chosen and number is not citizen.primary
        refusal = self.refusal(
            lambda: set_primary_number(
                self.uow,
                self.call(),
                self.records[who].personal_id,
                self.stored[number].msisdn,
                verification_id=verification_id,
            )
        )
        assert refusal == citizen.ask(self.in_service(number), fresh_at, self.at)
        if refusal == OK and needed:
            self.used[who] = verification_id

    def in_service(self, number: Number) -> Number:
        """Who has the number of a subscription now: what ended may have been given anew."""
        msisdn = self.stored[number].msisdn
        same = [each for each in self.numbers if self.stored[each].msisdn == msisdn]
        return next((each for each in same if each.state != "terminated"), number)

    @rule(who=people)
    def confirm(self, who: int) -> None:
        """It is still the one."""
        personal_id = self.records[who].personal_id
        refusal = self.refusal(lambda: confirm_primary_number(self.uow, self.call(), personal_id))
        assert refusal == self.citizens[who].confirm(self.at)

    @rule(who=people, is_named=st.booleans())
    def veto(self, who: int, *, is_named: bool) -> None:
        """Say no to what waits."""
        pending = self.uow.choices.find(self.key(who)).pending
        change_id = pending.change_id if pending and is_named else uuid4()
        personal_id = self.records[who].personal_id
        refusal = self.refusal(
            lambda: veto_primary_change(self.uow, self.call(), personal_id, change_id)
        )
        assert refusal == self.citizens[who].veto(is_named=is_named)

    @rule(who=people, minutes=st.sampled_from([None, 0, 0, 10]))
    def lock(self, who: int, minutes: int | None) -> None:
        """Lock, open for a while, or unlock."""
        refusal = self.refusal(
            lambda: set_lock(
                self.uow,
                self.call(),
                self.records[who].personal_id,
                is_locked=minutes is not None,
                open_for=(minutes or 0) * MINUTE,
            )
        )
        assert refusal == self.citizens[who].lock(minutes, self.at)

    @rule(who=people, chosen=st.lists(picks, max_size=FALLBACKS_MAX, unique=True), age=ages)
    def rank(self, who: int, chosen: Sequence[int], age: timedelta | str | None) -> None:
        """Have numbers stand in."""
        citizen = self.citizens[who]
        listed = [self.in_service(self.numbers[pick % len(self.numbers)]) for pick in chosen]
        numbers = list(dict.fromkeys(listed))
        verification_id = self.verification(who, age)
        fresh_at = self.at - age if isinstance(age, timedelta) else None
        known = [number for number, _ in citizen.fallbacks]
        needed = citizen.has_chosen and any(number not in known for number in numbers)
        refusal = self.refusal(
            lambda: set_fallback_numbers(
                self.uow,
                self.call(),
                self.records[who].personal_id,
                [self.stored[each].msisdn for each in numbers],
                verification_id=verification_id,
            )
        )
        assert refusal == citizen.rank(numbers, fresh_at, self.at)
        if refusal == OK and needed:
            self.used[who] = verification_id

    @rule(pick=picks)
    def disown(self, pick: int) -> None:
        """Give a number up."""
        number = self.numbers[pick % len(self.numbers)]
        if number.state != "active":
            return
        owner = number.owner
        personal_id = self.stored[number].claim.personal_id
        disown_subscription(self.uow, self.call(), personal_id, self.stored[number].msisdn)
        owner.lose(number, "disowned")
        owner.drop(number)
        if owner.pending is not None and owner.pending[0] is number:
            owner.give_up_change("change_lapsed")
        number.is_disowned = True

    # What happens.

    @rule(jump=jumps, is_run=st.booleans(), limit=st.integers(1, 3))
    def time_passes(self, jump: timedelta, limit: int, *, is_run: bool) -> None:
        """Time passes, and the clock may run, in slices."""
        self.at += jump
        if is_run:
            while apply_due_changes(self.uow, self.call(), limit=limit):
                pass
            for citizen in self.citizens:
                citizen.run_clock(self.at)

    @rule(pick=picks, state=st.sampled_from(["active", "outgoing_blocked", "suspended"]))
    def block(self, pick: int, state: str) -> None:
        """A number is blocked, or put back."""
        number = self.numbers[pick % len(self.numbers)]
        if number.state == "terminated":
            return
        self.change(number, service_state=ServiceState(state))
        number.state = state
        if state == "suspended":
            number.owner.lose(number, "blocked")

    @rule(pick=picks)
    def port_out(self, pick: int) -> None:
        """A number ends."""
        number = self.numbers[pick % len(self.numbers)]
        if number.state == "terminated":
            return
        item = find(self.uow, self.stored[number])
        self.uow.subscriptions.save(item.ended(SubscriptionEnd.PORTED_OUT, at=self.at))
        number.state = "terminated"
        number.owner.lose(number, "ended")
        number.owner.drop(number)

    @precondition(lambda self: len(self.numbers) < NUMBERS)
    @rule(who=people, pick=picks)
    def recycle(self, who: int, pick: int) -> None:
        """A number that has ended is given to somebody, who is verified."""
        number = self.numbers[pick % len(self.numbers)]
        if self.in_service(number).state == "terminated" and not self.citizens[who].is_dead:
            self.arrive(who, msisdn=self.stored[number].msisdn)

    @rule(pick=picks, who=people)
    def hand_over(self, pick: int, who: int) -> None:
        """A number goes to the other citizen, whom nobody has verified on it."""
        number, heir = self.numbers[pick % len(self.numbers)], self.citizens[who]
        if number.state == "terminated" or number.owner is heir or heir.is_dead:
            return
        item = find(self.uow, self.stored[number])
        claim = make_claim(self.records[who])
        self.uow.subscriptions.save(item.transferred_to(claim, make_link(), at=self.at))
        self.stored[number] = find(self.uow, item)
        number.owner.lose(number, "handed_over")
        number.owner.drop(number)
        number.owner, number.verified_at = heir, None

    @rule(pick=picks)
    def verify(self, pick: int) -> None:
        """A holder is verified on a number, which answers whatever was held against it."""
        number = self.numbers[pick % len(self.numbers)]
        if number.state == "terminated" or number.owner.is_dead:
            return
        item = find(self.uow, self.stored[number])
        proved = replace(
            item, verified_at=self.at, updated_at=self.at, service_state=ServiceState.ACTIVE
        )
        settle_subscription(
            self.uow, self.call(), proved, Change(before=item.service_state, is_cured=True)
        )
        self.uow.primaries.confirm_verified(proved)
        self.uow.fallbacks.confirm_verified(proved)
        number.state, number.verified_at, number.is_disowned = "active", self.at, False
        if number.owner.primary is number:
            number.owner.confirmed_at = self.at
            number.owner.note("confirmed", number)

    @precondition(lambda self: not any(citizen.is_dead for citizen in self.citizens))
    @rule(who=people, is_meant=st.integers(0, 5))
    def die(self, who: int, is_meant: int) -> None:
        """A citizen dies; seldom, for nothing much happens to them afterwards."""
        if is_meant:
            return
        death = Death(self.records[who].personal_id, deceased_on=date(2026, 4, 30))
        call = make_call("npd", role=Role.POPULATION, at=self.at)
        apply_population_changes(self.uow, call, [death])
        citizen = self.citizens[who]
        citizen.is_dead = True
        for number in self.numbers:
            if number.owner is citizen and number.state != "terminated":
                number.state = "active"  # nothing but its cases says how it is served
                citizen.lose(number, "deceased")

    # What must hold.

    @invariant()
    def agrees(self) -> None:
        """The registry says of each citizen what the model says."""
        if not hasattr(self, "citizens"):
            return
        keys = [self.key(who) for who in range(PEOPLE)]
        reached = self.uow.reachable.find(keys, at=self.at)
        for key, citizen in zip(keys, self.citizens, strict=True):
            self.agree_on_choice(key, citizen)
            self.agree_on_history(key, citizen)
            found, expected = reached.get(key), citizen.reached(self.at)
            if expected is None:
                assert found is None
                continue
            number, is_fallback, set_at, confirmed_at = expected
            assert found is not None
            assert (found.subscription_id, found.msisdn, found.is_fallback) == (
                self.stored[number].subscription_id,
                self.stored[number].msisdn,
                is_fallback,
            )
            assert (found.set_at, found.confirmed_at, found.verified_at) == (
                set_at,
                confirmed_at,
                number.verified_at,
            )

    def agree_on_choice(self, key: bytes, citizen: Citizen) -> None:
        """What is marked, what waits, what stands in, and the lock."""
        choices = self.uow.choices.find(key)
        assert choices.primary == self.id_of(citizen.primary)
        assert choices.has_chosen == citizen.has_chosen
        assert choices.is_shut(at=self.at) == citizen.is_shut(self.at)
        pending = choices.pending
        assert (pending and (pending.subscription_id, pending.effective_at)) == (
            citizen.pending and (self.id_of(citizen.pending[0]), citizen.pending[1])
        )
        ranked = [each.subscription_id for each in self.uow.fallbacks.find(key)]
        assert ranked == [self.id_of(number) for number, _ in citizen.fallbacks]

    def agree_on_history(self, key: bytes, citizen: Citizen) -> None:
        """Every line, in its order, without a gap."""
        lines = list(reversed(self.uow.choices.history(key, before=None, limit=1_000)))
        assert [line.sequence for line in lines] == list(range(1, len(citizen.history) + 1))
        assert [
            (line.kind.value, line.subscription_id, line.cause and line.cause.value)
            for line in lines
        ] == [(kind, self.id_of(number), cause) for kind, number, cause in citizen.history]
        query = select(citizen_choice.c.sequence).where(citizen_choice.c.citizen_key == key)
        assert (self.connection.scalar(query) or 0) == len(lines)

    def id_of(self, number: Number | None) -> UUID | None:
        """The subscription of a number."""
        return None if number is None else self.stored[number].subscription_id


def test_choices_stand_where_the_model_says(engine: Engine) -> None:
    asked = os.environ.get(EXAMPLES)
    run_state_machine_as_test(
        type("Machine", (Choosing,), {"engine": engine}),
        settings=settings(
            max_examples=int(asked or 10),
            derandomize=asked is None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],  # shrinking takes minutes: examples are short as they are
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
