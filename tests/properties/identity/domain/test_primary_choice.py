"""Whatever a citizen asks for in whatever order, no number takes another's place in haste."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.domain.errors import DomainError
from identity.domain.primary_choice import ChoiceKind, Choices, PrimaryPolicy
from tests.unit.identity.domain.samples import NOW

MINUTE = timedelta(minutes=1)

POLICIES = st.builds(
    PrimaryPolicy,
    step_up_within=st.integers(0, 3).map(lambda count: count * MINUTE),
    cool_down=st.integers(0, 5).map(lambda count: count * MINUTE),
)
NUMBERS = st.integers(1, 3).map(lambda number: UUID(int=number))
AGES = st.none() | st.integers(0, 4).map(lambda count: count * MINUTE)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), NUMBERS, AGES),
        st.tuples(st.just("lock"), st.integers(0, 3), st.none()),
        st.tuples(st.just("unlock"), st.none(), st.none()),
        st.tuples(st.just("advance"), st.booleans(), st.none()),
        st.tuples(st.just("lose"), st.none(), st.none()),
    ),
    max_size=25,
)


def step(
    choices: Choices, policy: PrimaryPolicy, what: tuple[str, object, object], *, at: datetime
) -> tuple[Choices, ChoiceKind | None]:
    """Do one thing; a refusal changes nothing."""
    match what:
        case ("ask", UUID() as number, age):
            stepped_up_at = at - age if isinstance(age, timedelta) else None
            change = UUID(int=at.minute + 100)
            return choices.asked(number, policy, stepped_up_at=stepped_up_at, at=at, new_id=change)
        case ("lock", int() as minutes, _):
            until = at + minutes * MINUTE if minutes else None
            return choices.locked(open_until=until, at=at), None
        case ("unlock", _, _):
            return choices.unlocked(), None
        case ("advance", bool() as is_eligible, _):
            return choices.advanced(is_eligible=is_eligible, at=at)
    return Choices(has_chosen=True, pending=choices.pending), None


@settings(max_examples=300, deadline=None)
@given(policy=POLICIES, steps=STEPS)
def test_a_number_is_replaced_only_after_its_cool_down_and_never_past_a_lock(
    policy: PrimaryPolicy, steps: list[tuple[str, object, object]]
) -> None:
    choices, at = Choices(), NOW
    for what in steps:
        at += MINUTE
        before = choices
        try:
            choices, kind = step(choices, policy, what, at=at)
        except DomainError:
            continue
        if choices.primary != before.primary and what[0] == "ask":
            assert not before.is_shut(at=at)
            # At once: where there is none, or where the policy gives no time to say no.
            assert before.primary is None or not policy.cool_down
        if kind is ChoiceKind.CHANGED and what[0] == "advance":
            assert before.pending is not None
            assert at - before.pending.asked_at >= policy.cool_down > timedelta()
        if choices.pending is not None:
            assert choices.has_chosen
            assert choices.pending.effective_at == choices.pending.asked_at + policy.cool_down


@settings(max_examples=200, deadline=None)
@given(policy=POLICIES, age=AGES, number=NUMBERS)
def test_only_the_first_number_needs_no_verification_where_the_policy_asks_for_one(
    policy: PrimaryPolicy, age: timedelta | None, number: UUID
) -> None:
    marked = Choices(primary=UUID(int=9), has_chosen=True)
    stepped_up_at = None if age is None else NOW - age
    is_fresh = age is not None and age <= policy.step_up_within
    try:
        marked.asked(number, policy, stepped_up_at=stepped_up_at, at=NOW, new_id=UUID(int=1))
        is_taken = True
    except DomainError:
        is_taken = False
    assert is_taken == (is_fresh or not policy.step_up_within)
    first, kind = Choices().asked(number, policy, stepped_up_at=None, at=NOW, new_id=UUID(int=1))
    assert (first.primary, kind) == (number, ChoiceKind.SET)
