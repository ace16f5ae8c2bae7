"""What a citizen may choose next: at once, after a while, or not at all."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from identity.domain.errors import (
    ChangeNotFoundError,
    ChoicesLockedError,
    StepUpRequiredError,
)
from identity.domain.link import LinkState
from identity.domain.primary_choice import (
    ChoiceKind,
    Choices,
    ClearCause,
    PendingChange,
    PrimaryPolicy,
    is_confirmed,
    is_to_be_confirmed,
    why_cleared,
)
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from tests.unit.identity.domain.samples import NOW, subscription

POLICY = PrimaryPolicy()
HASTY = PrimaryPolicy(step_up_within=timedelta(), cool_down=timedelta())
FIRST, SECOND, THIRD, CHANGE, OTHER_CHANGE = (UUID(int=place) for place in range(1, 6))
MARKED = Choices(primary=FIRST, has_chosen=True)
WAITING = replace(
    MARKED,
    pending=PendingChange(
        change_id=CHANGE,
        subscription_id=SECOND,
        asked_at=NOW,
        effective_at=NOW + POLICY.cool_down,
    ),
)
INSTANT = timedelta(microseconds=1)


def test_the_first_number_is_marked_at_once_without_a_verification() -> None:
    chosen, kind = Choices().asked(FIRST, POLICY, stepped_up_at=None, at=NOW, new_id=CHANGE)
    assert (chosen, kind) == (MARKED, ChoiceKind.SET)


def test_a_change_waits_for_its_cool_down_and_then_takes_effect() -> None:
    asked, kind = MARKED.asked(SECOND, POLICY, stepped_up_at=NOW, at=NOW, new_id=CHANGE)
    assert (asked, kind) == (WAITING, ChoiceKind.CHANGE_ASKED)
    due_at = NOW + POLICY.cool_down
    assert asked.advanced(is_eligible=True, at=due_at - INSTANT) == (asked, None)
    changed = asked.advanced(is_eligible=True, at=due_at)
    assert changed == (replace(MARKED, primary=SECOND), ChoiceKind.CHANGED)


def test_a_change_to_a_number_that_is_not_eligible_any_more_lapses() -> None:
    lapsed = WAITING.advanced(is_eligible=False, at=NOW + POLICY.cool_down)
    assert lapsed == (MARKED, ChoiceKind.CHANGE_LAPSED)


def test_without_a_cool_down_a_change_takes_effect_at_once() -> None:
    changed, kind = MARKED.asked(SECOND, HASTY, stepped_up_at=None, at=NOW, new_id=CHANGE)
    assert (changed, kind) == (replace(MARKED, primary=SECOND), ChoiceKind.CHANGED)


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [
        (timedelta(), True),
        (POLICY.step_up_within, True),
        (POLICY.step_up_within + INSTANT, False),
        (-INSTANT, False),
    ],
)
def test_a_change_takes_a_verification_of_the_last_minutes(
    age: timedelta, *, is_fresh: bool
) -> None:
    def ask() -> object:
        return MARKED.asked(SECOND, POLICY, stepped_up_at=NOW - age, at=NOW, new_id=CHANGE)

    if is_fresh:
        ask()
    else:
        with pytest.raises(StepUpRequiredError):
            ask()


def test_a_change_without_any_verification_is_refused() -> None:
    with pytest.raises(StepUpRequiredError):
        MARKED.asked(SECOND, POLICY, stepped_up_at=None, at=NOW, new_id=CHANGE)


def test_after_a_loss_another_number_is_marked_at_once_and_takes_a_verification() -> None:
    lost = replace(MARKED, primary=None)
    with pytest.raises(StepUpRequiredError):
        lost.asked(SECOND, POLICY, stepped_up_at=None, at=NOW, new_id=CHANGE)
    chosen, kind = lost.asked(SECOND, POLICY, stepped_up_at=NOW, at=NOW, new_id=CHANGE)
    assert (chosen, kind) == (replace(MARKED, primary=SECOND), ChoiceKind.SET)


def test_to_mark_the_marked_number_confirms_it_and_withdraws_what_waits() -> None:
    asked = WAITING.asked(FIRST, POLICY, stepped_up_at=None, at=NOW, new_id=OTHER_CHANGE)
    assert asked == (MARKED, ChoiceKind.CONFIRMED)
    assert WAITING.withdrawn_for(MARKED) == WAITING.pending
    assert WAITING.withdrawn_for(WAITING) is None
    assert MARKED.withdrawn_for(WAITING) is None


def test_another_change_takes_the_place_of_the_one_that_waits() -> None:
    asked, _ = WAITING.asked(THIRD, POLICY, stepped_up_at=NOW, at=NOW, new_id=OTHER_CHANGE)
    assert asked.pending is not None
    assert (asked.primary, asked.pending.subscription_id) == (FIRST, THIRD)
    assert WAITING.withdrawn_for(asked) == WAITING.pending


def test_a_veto_leaves_the_number_and_names_its_change() -> None:
    assert WAITING.vetoed(CHANGE) == MARKED
    for choices, change_id in ((WAITING, OTHER_CHANGE), (MARKED, CHANGE)):
        with pytest.raises(ChangeNotFoundError):
            choices.vetoed(change_id)


def test_a_lock_refuses_new_numbers_until_it_is_open() -> None:
    shut = MARKED.locked(open_until=None, at=NOW)
    with pytest.raises(ChoicesLockedError):
        shut.refuse_new(at=NOW)
    with pytest.raises(ChoicesLockedError):
        shut.asked(SECOND, POLICY, stepped_up_at=NOW, at=NOW, new_id=CHANGE)
    # To confirm is no new choice.
    assert shut.asked(FIRST, POLICY, stepped_up_at=None, at=NOW, new_id=CHANGE)[0] == shut
    shut.unlocked().refuse_new(at=NOW)


def test_a_lock_that_was_opened_shuts_by_the_passing_of_time() -> None:
    until = NOW + timedelta(minutes=10)
    opened = WAITING.locked(open_until=until, at=NOW)
    assert opened.pending == WAITING.pending
    assert opened.open_until(at=until - INSTANT) == until
    opened.refuse_new(at=until - INSTANT)
    assert opened.is_shut(at=until)
    assert opened.open_until(at=until) is None
    # What was asked for while it was open takes effect all the same.
    _, kind = opened.advanced(is_eligible=True, at=NOW + POLICY.cool_down)
    assert kind is ChoiceKind.CHANGED


def test_to_shut_the_lock_withdraws_the_change_that_waits() -> None:
    assert WAITING.locked(open_until=None, at=NOW).pending is None
    assert WAITING.unlocked().pending == WAITING.pending


@pytest.mark.parametrize(
    ("item", "cause"),
    [
        (subscription(state=ServiceState.SUSPENDED, verified_at=NOW), ClearCause.BLOCKED),
        (subscription(linked=LinkState.MISMATCHED, verified_at=NOW), ClearCause.UNLINKED),
        (subscription(linked=LinkState.NOT_FOUND, verified_at=NOW), ClearCause.UNLINKED),
        (subscription(linked=LinkState.DECEASED, verified_at=NOW), ClearCause.DECEASED),
        (subscription(linked=LinkState.MISMATCHED, verified_at=None), ClearCause.HANDED_OVER),
        (
            subscription(verified_at=NOW).ended(SubscriptionEnd.PORTED_OUT, at=NOW),
            ClearCause.ENDED,
        ),
        (
            subscription(verified_at=NOW).ended(SubscriptionEnd.TRANSFERRED, at=NOW),
            ClearCause.HANDED_OVER,
        ),
    ],
)
def test_a_loss_has_one_cause(item: Subscription, cause: ClearCause) -> None:
    assert not item.is_eligible_as_primary
    assert why_cleared(item) is cause


def test_a_number_is_asked_about_before_it_is_no_good_for_legal_notice() -> None:
    asked_at, ends_at = NOW + POLICY.ask_after, NOW + POLICY.confirm_within
    assert not is_to_be_confirmed(NOW, POLICY, at=asked_at - INSTANT)
    assert is_to_be_confirmed(NOW, POLICY, at=asked_at)
    assert is_confirmed(NOW, POLICY, at=ends_at - INSTANT)
    assert not is_confirmed(NOW, POLICY, at=ends_at)
