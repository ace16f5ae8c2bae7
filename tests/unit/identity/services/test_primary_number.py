"""A citizen's choice in the registry: what is stored, what is told, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.domain.caller import Role
from identity.domain.enforcement import Run
from identity.domain.errors import (
    ChangeNotFoundError,
    ChoicesLockedError,
    DomainError,
    PrimaryNotEligibleError,
    RequestInvalidError,
    StepUpRequiredError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.policy import CaseCause
from identity.domain.primary_choice import ChoiceKind, ClearCause
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.advance_enforcement import advance_enforcement
from identity.services.apply_population_changes import (
    Correction,
    Death,
    MergedRecords,
    apply_population_changes,
)
from identity.services.call import Call
from identity.services.citizen_locks import set_fallback_numbers, set_lock
from identity.services.disown_subscription import DisownKind, disown_subscription
from identity.services.due_changes import apply_due_changes
from identity.services.import_subscriptions import import_subscriptions
from identity.services.list_choices import list_choices
from identity.services.primary_number import (
    Chosen,
    confirm_primary_number,
    get_primary_number,
    set_primary_number,
    veto_primary_change,
)
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.settle_subscriptions import settle_subscription
from identity.services.transactions import Transactions
from identity.storage.book import BookRow, index_row
from identity.storage.choices import ChoiceEvent
from identity.storage.database import Database, UnitOfWork
from identity.storage.message_tables import message
from tests.databases import within
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    actions,
    find,
    hasty_rules,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    make_personal_id,
    make_record,
    make_session,
    step_up,
    store_citizen,
    store_number,
)

COOL_DOWN = timedelta(hours=24)
DUE = NOW + COOL_DOWN
MINUTE = timedelta(minutes=1)


def app(at: datetime = NOW, **given: Any) -> Call:  # noqa: ANN401 - whatever a call takes
    return make_call("vneid", role=Role.CITIZEN_APP, at=at, **given)


def person(uow: UnitOfWork, count: int = 2) -> tuple[PopulationRecord, list[Subscription]]:
    """A citizen with numbers that may be primary."""
    record = store_citizen(uow)
    return record, [store_number(uow, record, operator_id=make_operator()) for _ in range(count)]


def choose(uow: UnitOfWork, item: Subscription, at: datetime = NOW, **given: Any) -> Chosen:  # noqa: ANN401 - as set_primary_number
    return set_primary_number(uow, app(at), item.claim.personal_id, item.msisdn, **given)


def change(uow: UnitOfWork, record: PopulationRecord, item: Subscription) -> UUID:
    """Ask for a change; returns which."""
    asked = choose(uow, item, verification_id=step_up(uow, record, item))
    assert asked.choices.pending is not None
    return asked.choices.pending.change_id


def history(uow: UnitOfWork, record: PopulationRecord) -> list[ChoiceEvent]:
    """Oldest first; without a gap, and up to where the citizen's row says."""
    key = uow.primaries.key_of(record.personal_id)
    lines = list(reversed(uow.choices.history(key, before=None, limit=1_000)))
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert uow.choices.find(key).sequence == len(lines)
    return lines


def kinds(uow: UnitOfWork, record: PopulationRecord) -> list[str]:
    return [line.kind.value for line in history(uow, record)]


def primary(uow: UnitOfWork, record: PopulationRecord) -> UUID | None:
    found = uow.primaries.find(record.personal_id)
    return None if found is None else found.subscription_id


def test_a_change_waits_is_shown_and_takes_effect_when_the_clock_runs(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    verification_id = step_up(uow, record, second)
    asked = choose(uow, second, verification_id=verification_id)
    assert asked.primary is not None
    assert asked.primary.msisdn == first.msisdn
    assert asked.pending_msisdn == second.msisdn
    assert asked.choices.pending is not None
    assert asked.choices.pending.effective_at == DUE
    shown = get_primary_number(uow, app(), record.personal_id)
    assert (shown.primary, shown.choices.pending, shown.pending_msisdn) == (
        asked.primary,
        asked.choices.pending,
        second.msisdn,
    )
    regulator = make_call("regulator", role=Role.REGULATOR, at=DUE - MINUTE)
    advance_enforcement(within(uow), regulator)
    assert primary(uow, record) == first.subscription_id
    # After an outage of a week it takes effect all the same.
    late = DUE + timedelta(days=7)
    advance_enforcement(within(uow), replace(regulator, at=late))
    changed = uow.primaries.find(record.personal_id)
    assert changed is not None
    assert (changed.msisdn, changed.set_at) == (second.msisdn, late)
    lines = history(uow, record)
    assert [line.kind for line in lines] == [
        ChoiceKind.SET,
        ChoiceKind.CHANGE_ASKED,
        ChoiceKind.CHANGED,
    ]
    assert [line.caller for line in lines] == ["citizen-app:vneid", "citizen-app:vneid", None]
    assert lines[1].verification_id == verification_id
    assert {line.change_id for line in lines[1:]} == {asked.choices.pending.change_id}
    assert uow.choices.list_due(at=late, limit=9) == []


def test_a_change_to_a_number_that_was_lost_meanwhile_lapses(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    change(uow, record, second)
    uow.subscriptions.save(replace(second, service_state=ServiceState.SUSPENDED))
    assert apply_due_changes(uow, app(DUE)) == 1
    assert primary(uow, record) == first.subscription_id
    assert kinds(uow, record) == ["set", "change_asked", "change_lapsed"]


def test_a_change_to_a_number_that_is_somebody_elses_now_lapses(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    heir = store_citizen(uow)
    choose(uow, first)
    change(uow, record, second)
    uow.subscriptions.save(replace(second, claim=make_claim(heir)))
    apply_due_changes(uow, app(DUE))
    assert kinds(uow, record) == ["set", "change_asked", "change_lapsed"]
    assert primary(uow, heir) is None


def test_many_changes_take_effect_slice_by_slice(uow: UnitOfWork) -> None:
    people = [person(uow) for _ in range(5)]
    for record, (first, second) in people:
        choose(uow, first)
        change(uow, record, second)
    counts = [apply_due_changes(uow, app(DUE), limit=2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    for record, (_, second) in people:
        assert primary(uow, record) == second.subscription_id
        assert kinds(uow, record) == ["set", "change_asked", "changed"]


def test_two_runs_at_once_change_each_number_once(
    database: Database, transactions: Transactions, race: Callable[..., list[Any]]
) -> None:
    with database.transaction() as uow:
        people = [person(uow) for _ in range(6)]
        for record, (first, second) in people:
            choose(uow, first)
            change(uow, record, second)
    answers = race(
        [partial(transactions.run, lambda uow: apply_due_changes(uow, app(DUE)))] * 4
        + [
            partial(transactions.run, partial(withdraw, record=record, item=first))
            for record, (first, _) in people[:2]
        ]
    )
    assert not [each for each in answers if isinstance(each, Exception)]
    with database.transaction() as uow:
        for record, (_, second) in people:
            assert kinds(uow, record).count("changed") <= 1
            assert primary(uow, record) in {second.subscription_id, None}
            if (record, second) not in [(r, s) for r, (_, s) in people[:2]]:
                assert kinds(uow, record) == ["set", "change_asked", "changed"]


def withdraw(uow: UnitOfWork, *, record: PopulationRecord, item: Subscription) -> None:
    """The number of before ends while the change takes effect."""
    del record
    current = uow.subscriptions.find_in_service(item.msisdn, lock=True)
    assert current is not None
    uow.subscriptions.save(replace(current, service_state=ServiceState.TERMINATED))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _uow, _record, _item: None,
        lambda _uow, _record, _item: uuid4(),
        lambda uow, record, item: step_up(uow, record, item, at=NOW - 16 * MINUTE),
        lambda uow, record, item: step_up(uow, record, item, dissimilarity=0.9),
        lambda uow, _record, item: make_session(uow, item).verification_id,
        lambda uow, _record, _item: step_up(uow, *another(uow)),
    ],
    ids=["none", "unknown", "old", "not verified", "not completed", "another's"],
)
def test_a_change_takes_a_fresh_verification_of_this_citizen(
    uow: UnitOfWork, spoil: Callable[[UnitOfWork, PopulationRecord, Subscription], UUID | None]
) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    with pytest.raises(StepUpRequiredError):
        choose(uow, second, verification_id=spoil(uow, record, second))
    assert kinds(uow, record) == ["set"]


def another(uow: UnitOfWork) -> tuple[PopulationRecord, Subscription]:
    record, (item, _) = person(uow)
    return record, item


def test_a_verification_lets_a_citizen_change_once(uow: UnitOfWork) -> None:
    record, (first, second, third) = person(uow, 3)
    choose(uow, first)
    used = step_up(uow, record, first)
    choose(uow, second, verification_id=used)
    with pytest.raises(StepUpRequiredError):
        choose(uow, third, verification_id=used)
    # To confirm the present number needs none, whatever is named.
    confirmed = choose(uow, first, verification_id=used)
    assert confirmed.choices.pending is None
    assert kinds(uow, record) == ["set", "change_asked", "change_withdrawn", "confirmed"]


def test_a_verification_named_where_none_is_needed_is_kept_for_later(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    fresh = step_up(uow, record, first)
    choose(uow, first, verification_id=fresh)
    assert history(uow, record)[0].verification_id is None
    choose(uow, second, verification_id=fresh)
    assert history(uow, record)[1].verification_id == fresh


def test_a_veto_names_its_change_and_ends_it(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    change_id = change(uow, record, second)
    with pytest.raises(ChangeNotFoundError):
        veto_primary_change(uow, app(), record.personal_id, uuid4())
    stranger = make_personal_id()
    with pytest.raises(ChangeNotFoundError):
        veto_primary_change(uow, app(), stranger, change_id)
    veto_primary_change(uow, app(), record.personal_id, change_id)
    with pytest.raises(ChangeNotFoundError):
        veto_primary_change(uow, app(), record.personal_id, change_id)
    assert apply_due_changes(uow, app(DUE)) == 0
    assert primary(uow, record) == first.subscription_id
    assert kinds(uow, record) == ["set", "change_asked", "change_vetoed"]


def test_a_number_is_confirmed_by_its_citizen_and_by_a_verification(uow: UnitOfWork) -> None:
    record, (first, _) = person(uow)
    with pytest.raises(PrimaryNotEligibleError):
        confirm_primary_number(uow, app(), record.personal_id)
    choose(uow, first)
    long_after = NOW + timedelta(days=500)
    stale = get_primary_number(uow, app(long_after), record.personal_id)
    assert stale.is_confirmation_due
    confirmed = confirm_primary_number(uow, app(long_after), record.personal_id)
    assert (confirmed.set_at, confirmed.confirmed_at) == (NOW, long_after)
    assert not get_primary_number(uow, app(long_after), record.personal_id).is_confirmation_due
    later = long_after + timedelta(days=9)
    uow.primaries.confirm_verified(replace(first, verified_at=later))
    found = uow.primaries.find(record.personal_id)
    assert found is not None
    assert (found.confirmed_at, found.verified_at) == (later, later)
    assert kinds(uow, record) == ["set", "confirmed", "confirmed"]


def test_a_lock_refuses_choices_and_new_numbers_and_leaves_nothing_behind(
    uow: UnitOfWork,
) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    operator = make_call(make_operator())
    claim = make_claim(record)
    refused: list[Callable[[], object]] = [
        lambda: choose(uow, second, verification_id=step_up(uow, record, second)),
        lambda: set_fallback_numbers(uow, app(), record.personal_id, [second.msisdn]),
        lambda: register_subscription(uow, operator, make_msisdn(), claim),
    ]
    for attempt in refused:
        with pytest.raises(ChoicesLockedError):
            attempt()
    own = store_number(uow, store_citizen(uow), operator_id=operator.caller.name)
    events = [
        SubscriptionEvent(msisdn=own.msisdn, kind=EventKind.TRANSFER, occurred_at=NOW, claim=claim),
        SubscriptionEvent(
            msisdn=make_msisdn(), kind=EventKind.PORT_IN, occurred_at=NOW, claim=claim
        ),
    ]
    assert report_events(uow, operator, events) == [ChoicesLockedError.reason] * 2
    assert find(uow, own) == own
    held = uow.subscriptions.list_of_citizens([record.personal_id])
    assert {each.subscription_id for each in held} == {
        first.subscription_id,
        second.subscription_id,
    }
    assert kinds(uow, record) == ["set", "locked"]


def test_a_locked_citizens_own_number_can_be_ported(uow: UnitOfWork) -> None:
    record, (first, _) = person(uow)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    out = SubscriptionEvent(msisdn=first.msisdn, kind=EventKind.PORT_OUT, occurred_at=NOW)
    assert report_events(uow, make_call(first.operator_id), [out]) == [""]
    into = replace(out, kind=EventKind.PORT_IN, claim=first.claim)
    assert report_events(uow, make_call(make_operator()), [into]) == [""]


def test_a_number_that_a_locked_citizen_let_go_is_a_new_one(uow: UnitOfWork) -> None:
    record, (first, _) = person(uow)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    gone = SubscriptionEvent(msisdn=first.msisdn, kind=EventKind.RELEASE, occurred_at=NOW)
    assert report_events(uow, make_call(first.operator_id), [gone]) == [""]
    served = replace(find(uow, first), applied_state=ServiceState.TERMINATED)
    uow.subscriptions.save(served)
    later = NOW + timedelta(days=500)
    into = replace(gone, kind=EventKind.PORT_IN, claim=first.claim, occurred_at=later)
    assert report_events(uow, make_call(make_operator(), at=later), [into]) == ["CHOICES_LOCKED"]


def test_a_book_records_what_is_whatever_is_locked(uow: UnitOfWork) -> None:
    record = store_citizen(uow)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    row = index_row(uow.sealer, BookRow(msisdn=make_msisdn(), claim=make_claim(record)))
    assert not import_subscriptions(uow, make_call(make_operator()), [row]).row_errors
    assert len(uow.subscriptions.list_of_citizens([record.personal_id])) == 1


def test_a_lock_is_open_for_its_minutes_and_then_shut_by_itself(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    opened = set_lock(uow, app(), record.personal_id, is_locked=True, open_for=10 * MINUTE)
    assert opened.unlocked_until == NOW + 10 * MINUTE
    choose(uow, first, at=NOW + 9 * MINUTE)
    with pytest.raises(ChoicesLockedError):
        choose(
            uow,
            second,
            at=NOW + 10 * MINUTE,
            verification_id=step_up(uow, record, first, at=NOW + 9 * MINUTE),
        )
    with pytest.raises(RequestInvalidError):
        set_lock(uow, app(), record.personal_id, is_locked=True, open_for=61 * MINUTE)
    set_lock(uow, app(), record.personal_id, is_locked=False, open_for=timedelta())
    assert kinds(uow, record) == ["unlocked", "set", "unlocked"]


def test_to_shut_the_lock_stops_the_change_that_waits(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    change_id = change(uow, record, second)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    lines = history(uow, record)
    assert [line.kind.value for line in lines[2:]] == ["change_withdrawn", "locked"]
    assert lines[2].change_id == change_id
    assert apply_due_changes(uow, app(DUE)) == 0


def test_fallbacks_are_the_citizens_own_and_as_many_as_the_policy_allows(uow: UnitOfWork) -> None:
    record, items = person(uow, 4)
    numbers = [item.msisdn for item in items]
    assert set_fallback_numbers(uow, app(), record.personal_id, numbers[:3]) == numbers[:3]
    shown = get_primary_number(uow, app(), record.personal_id)
    assert list(shown.fallbacks) == numbers[:3]
    with pytest.raises(RequestInvalidError):
        set_fallback_numbers(uow, app(), record.personal_id, numbers)
    _, foreign = another(uow)
    unverified = store_number(uow, record, verified_at=None)
    for unfit in (foreign.msisdn, unverified.msisdn, make_msisdn()):
        with pytest.raises(PrimaryNotEligibleError):
            set_fallback_numbers(uow, app(), record.personal_id, [numbers[0], unfit])
    assert set_fallback_numbers(uow, app(), record.personal_id, []) == []
    assert kinds(uow, record) == ["fallbacks_ranked"] * 2


def reached(uow: UnitOfWork, record: PopulationRecord, *, at: datetime) -> MSISDN | None:
    key = uow.primaries.key_of(record.personal_id)
    found = uow.reachable.find([key], at=at).get(key)
    return None if found is None else found.msisdn


def test_whoever_has_the_app_cannot_rank_a_number_and_give_the_primary_one_up(
    uow: UnitOfWork,
) -> None:
    record, (own, stolen) = person(uow)
    choose(uow, own)
    with pytest.raises(StepUpRequiredError):
        set_fallback_numbers(uow, app(), record.personal_id, [stolen.msisdn])
    fresh = step_up(uow, record, stolen)
    set_fallback_numbers(uow, app(), record.personal_id, [stolen.msisdn], verification_id=fresh)
    with pytest.raises(StepUpRequiredError):  # it has served
        choose(uow, stolen, verification_id=fresh)
    told = select(message.c.subscription_id).where(message.c.template == "fallbacks_changed")
    assert uow.connection.scalars(
        told.where(message.c.citizen_key == uow.primaries.key_of(record.personal_id))
    ).all() == [own.subscription_id]
    disown_subscription(uow, app(), record.personal_id, own.msisdn)
    assert reached(uow, record, at=DUE - MINUTE) is None
    assert reached(uow, record, at=DUE) == stolen.msisdn


def test_to_shut_the_lock_takes_out_what_does_not_stand_in_yet(uow: UnitOfWork) -> None:
    record, (own, known, stolen) = person(uow, 3)
    set_fallback_numbers(uow, app(), record.personal_id, [known.msisdn])
    choose(uow, own)
    fresh = step_up(uow, record, stolen)
    both = [stolen.msisdn, known.msisdn]
    set_fallback_numbers(uow, app(), record.personal_id, both, verification_id=fresh)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    shown = get_primary_number(uow, app(DUE), record.personal_id)
    assert list(shown.fallbacks) == [known.msisdn]


def test_to_give_the_primary_number_up_is_no_way_around_the_wait(uow: UnitOfWork) -> None:
    record, (own, stolen) = person(uow)
    choose(uow, own)
    disown_subscription(uow, app(), record.personal_id, own.msisdn)
    asked = choose(uow, stolen, verification_id=step_up(uow, record, stolen))
    assert (asked.primary, asked.pending_msisdn) == (None, stolen.msisdn)
    told = select(message.c.subscription_id).where(message.c.template == "primary_change_asked")
    assert set(uow.connection.scalars(told)) >= {own.subscription_id, stolen.subscription_id}
    assert asked.choices.pending is not None
    veto_primary_change(uow, app(), record.personal_id, asked.choices.pending.change_id)
    # However long ago that was; only the very number that was given up comes back at once.
    asked = choose(
        uow,
        stolen,
        at=NOW + timedelta(days=9),
        verification_id=step_up(uow, record, stolen, at=NOW + timedelta(days=9)),
    )
    assert asked.primary is None
    apply_due_changes(uow, app(NOW + timedelta(days=10)))
    assert primary(uow, record) == stolen.subscription_id
    assert kinds(uow, record)[2:] == ["change_asked", "change_vetoed", "change_asked", "changed"]


def test_numbers_that_stand_in_change_places_at_once_and_without_a_verification(
    uow: UnitOfWork,
) -> None:
    record, (first, second, third) = person(uow, 3)
    numbers = [first.msisdn, second.msisdn]
    set_fallback_numbers(uow, app(), record.personal_id, numbers)
    choose(uow, third)
    later = NOW + MINUTE
    set_fallback_numbers(uow, app(later), record.personal_id, numbers[::-1])
    uow.subscriptions.save(replace(third, service_state=ServiceState.SUSPENDED))
    assert reached(uow, record, at=later) == second.msisdn


@pytest.mark.parametrize("kind", DisownKind)
def test_a_number_that_was_given_up_reaches_nobody_until_it_is_verified(
    uow: UnitOfWork, kind: DisownKind
) -> None:
    record, (first, second, third) = person(uow, 3)
    set_fallback_numbers(uow, app(), record.personal_id, [second.msisdn, third.msisdn])
    choose(uow, first)
    change(uow, record, second)
    for item in (first, second):
        disown_subscription(uow, app(), record.personal_id, item.msisdn, kind=kind)
    key = uow.primaries.key_of(record.personal_id)
    assert uow.reachable.find([key], at=DUE)[key].msisdn == third.msisdn
    refused: list[Callable[[], object]] = [
        lambda: choose(uow, first, verification_id=step_up(uow, record, third)),
        lambda: set_fallback_numbers(uow, app(), record.personal_id, [first.msisdn]),
    ]
    for attempt in refused:
        with pytest.raises(PrimaryNotEligibleError):
            attempt()
    lines = history(uow, record)
    assert [(line.kind, line.cause) for line in lines[3:]] == [
        (ChoiceKind.CLEARED, ClearCause.DISOWNED),
        (ChoiceKind.CHANGE_LAPSED, None),
    ]
    cured = replace(first, verified_at=NOW)
    settle_subscription(uow, app(), cured, Change(before=first.service_state, is_cured=True))
    again = choose(uow, cured, verification_id=step_up(uow, record, third))
    assert again.primary is not None
    assert again.primary.msisdn == first.msisdn


def suspended(uow: UnitOfWork, item: Subscription, _: PopulationRecord) -> None:
    """The clock takes the steps of a ladder up to the one that suspends."""
    change_of_device = Change(
        before=item.service_state, cause=CaseCause.DEVICE_CHANGE, cause_at=NOW
    )
    settle_subscription(uow, make_call(item.operator_id), item, change_of_device)
    for days in (0, 1, 40):
        run = Change(before=find(uow, item).service_state, run=Run(is_primary=True))
        call = make_call(item.operator_id, at=NOW + timedelta(days=days))
        settle_subscription(uow, call, find(uow, item), run)
    assert find(uow, item).service_state is ServiceState.SUSPENDED


def reported(kind: EventKind) -> Callable[[UnitOfWork, Subscription, PopulationRecord], None]:
    def report(uow: UnitOfWork, item: Subscription, _: PopulationRecord) -> None:
        heir = make_claim(store_citizen(uow)) if kind is EventKind.TRANSFER else None
        event = SubscriptionEvent(msisdn=item.msisdn, kind=kind, occurred_at=NOW, claim=heir)
        assert report_events(uow, make_call(item.operator_id), [event]) == [""]

    return report


def imported(uow: UnitOfWork, item: Subscription, _: PopulationRecord) -> None:
    row = BookRow(msisdn=item.msisdn, claim=make_claim(store_citizen(uow)))
    import_subscriptions(uow, make_call(item.operator_id), [index_row(uow.sealer, row)])


def registered(
    change_of: Callable[[UnitOfWork, PopulationRecord], Any],
) -> Callable[[UnitOfWork, Subscription, PopulationRecord], None]:
    def apply(uow: UnitOfWork, _: Subscription, record: PopulationRecord) -> None:
        call = make_call("npd", role=Role.POPULATION)
        apply_population_changes(uow, call, [change_of(uow, record)])

    return apply


def disowned(uow: UnitOfWork, item: Subscription, record: PopulationRecord) -> None:
    disown_subscription(uow, app(), record.personal_id, item.msisdn)


@pytest.mark.parametrize(
    ("lose", "cause"),
    [
        (suspended, ClearCause.BLOCKED),
        (reported(EventKind.PORT_OUT), ClearCause.ENDED),
        (reported(EventKind.RELEASE), ClearCause.ENDED),
        (reported(EventKind.TRANSFER), ClearCause.HANDED_OVER),
        (imported, ClearCause.HANDED_OVER),
        (
            registered(lambda _, who: Death(who.personal_id, deceased_on=date(2026, 4, 30))),
            ClearCause.DECEASED,
        ),
        (
            registered(
                lambda _, who: Correction(
                    make_record(personal_id=who.personal_id, full_name=PersonName(OTHER_NAME))
                )
            ),
            ClearCause.UNLINKED,
        ),
        (
            registered(
                lambda uow, who: MergedRecords(who.personal_id, store_citizen(uow).personal_id)
            ),
            ClearCause.UNLINKED,
        ),
        (disowned, ClearCause.DISOWNED),
    ],
    ids=[
        *("suspended", "ported out", "released", "transferred", "imported", "died", "corrected"),
        *("merged", "disowned"),
    ],
)
def test_however_a_number_is_lost_its_citizens_history_says_why(
    uow: UnitOfWork,
    lose: Callable[[UnitOfWork, Subscription, PopulationRecord], None],
    cause: ClearCause,
) -> None:
    record, (first, second) = person(uow)
    set_fallback_numbers(uow, app(), record.personal_id, [second.msisdn])
    choose(uow, first)
    lose(uow, first, record)
    assert primary(uow, record) is None
    lost = history(uow, record)[-1]
    assert (lost.kind, lost.cause, lost.subscription_id) == (
        ChoiceKind.CLEARED,
        cause,
        first.subscription_id,
    )
    assert kinds(uow, record) == ["fallbacks_ranked", "set", "cleared"]


def test_many_losses_at_once_are_told_each_in_its_own_history(uow: UnitOfWork) -> None:
    people = [person(uow, 1) for _ in range(20)]
    for _, (item,) in people:
        choose(uow, item)
    without = [store_number(uow, store_citizen(uow)) for _ in range(5)]
    uow.subscriptions.save_many(
        replace(item, service_state=ServiceState.SUSPENDED, updated_at=DUE)
        for item in (*(item for _, (item,) in people), *without)
    )
    for record, _ in people:
        lost = history(uow, record)[-1]
        assert (lost.kind, lost.cause, lost.happened_at) == (
            ChoiceKind.CLEARED,
            ClearCause.BLOCKED,
            DUE,
        )


def test_the_history_is_read_in_pages_and_each_read_is_on_record(uow: UnitOfWork) -> None:
    record, items = person(uow, 3)
    call = make_call(make_operator(), role=Role.CITIZEN_APP, under=hasty_rules())
    for place in (0, 1, 2, 0, 1):
        set_primary_number(uow, call, record.personal_id, items[place].msisdn)
    found: list[int] = []
    before: int | None = None
    sizes = []
    while True:
        page = list_choices(uow, call, record.personal_id, before=before, limit=2)
        found += [event.sequence for event in page.events]
        sizes.append(len(page.events))
        before = page.next_before
        if before is None:
            break
    assert (found, sizes) == ([5, 4, 3, 2, 1], [2, 2, 1])
    assert actions(uow.connection, call.caller)[-3:] == [("list_choices", "read")] * 3
    nobody = list_choices(uow, call, make_personal_id(), before=None, limit=2)
    assert (list(nobody.events), nobody.next_before) == ([], None)


def test_a_refused_choice_leaves_no_row(uow: UnitOfWork) -> None:
    record, _ = person(uow)
    with pytest.raises(DomainError), uow.connection.begin_nested():
        veto_primary_change(uow, app(), record.personal_id, uuid4())
    assert history(uow, record) == []


def told(uow: UnitOfWork, record: PopulationRecord) -> dict[str, set[UUID]]:
    """Which numbers of a citizen were told what."""
    query = select(message.c.template, message.c.subscription_id).where(
        message.c.citizen_key == uow.primaries.key_of(record.personal_id)
    )
    found: dict[str, set[UUID]] = {}
    for template, identity in uow.connection.execute(query):
        found.setdefault(template, set()).add(identity)
    return found


def test_both_numbers_are_told_of_a_change_when_it_is_asked_for_and_when_it_is_made(
    uow: UnitOfWork,
) -> None:
    record, (first, second) = person(uow)
    both = {first.subscription_id, second.subscription_id}
    choose(uow, first)
    assert told(uow, record) == {"primary_changed": {first.subscription_id}}
    change(uow, record, second)
    assert told(uow, record)["primary_change_asked"] == both
    assert told(uow, record)["primary_changed"] == {first.subscription_id}
    assert apply_due_changes(uow, app(DUE)) == 1
    assert told(uow, record)["primary_changed"] == both


def test_both_numbers_are_told_of_a_veto_and_nobody_of_a_confirmation(uow: UnitOfWork) -> None:
    record, (first, second) = person(uow)
    choose(uow, first)
    change_id = change(uow, record, second)
    veto_primary_change(uow, app(), record.personal_id, change_id)
    both = {first.subscription_id, second.subscription_id}
    assert told(uow, record)["primary_vetoed"] == both
    before = told(uow, record)
    choose(uow, first)
    confirm_primary_number(uow, app(), record.personal_id)
    assert told(uow, record) == before


def test_the_primary_number_is_told_of_the_lock(uow: UnitOfWork) -> None:
    record, (first, _) = person(uow)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    assert told(uow, record) == {}
    choose_open = app(NOW + MINUTE)
    set_lock(uow, choose_open, record.personal_id, is_locked=False, open_for=timedelta())
    choose(uow, first)
    set_lock(uow, app(), record.personal_id, is_locked=True, open_for=timedelta())
    assert told(uow, record)["lock_changed"] == {first.subscription_id}
