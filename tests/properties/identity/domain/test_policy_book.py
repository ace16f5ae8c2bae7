"""Any day has exactly one set of rules or a clear error, and no new pack changes what was decided.

Packs are drawn on a few days around the ends of years and a leap day, so that they meet often.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.enforcement import Case, next_step_due_at
from identity.domain.forecast import adopted, forecast
from identity.domain.policy import CaseCause, PolicyPack, PolicyPackError, StepKind
from identity.domain.policy_book import PolicyBook
from tests.unit.identity.domain.packs import made

DAYS = [
    *(date(2027, 12, 30) + timedelta(days=count) for count in range(4)),
    *(date(2028, 2, 27) + timedelta(days=count) for count in range(4)),
]
BEGIN = DAYS[0]
END = DAYS[-1] + timedelta(days=2)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)

days = st.sampled_from(DAYS)
any_days = st.dates(BEGIN - 5 * DAY, END)
instants = st.datetimes(
    datetime(2027, 12, 25),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(2028, 3, 10),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
intervals = st.sampled_from([0, 0.5, 1, 24, 36.25, 72, 1440])


@st.composite
def series(draw: st.DrawFn) -> list[PolicyPack]:
    """Packs of one series, each with a first day and an interval of its own."""
    begins = sorted(draw(st.sets(days, min_size=1, max_size=4)))
    return [
        made(
            f"pack-{place}",
            on=begin,
            is_retroactive=place > 0 and draw(st.booleans()),
            suspend_after_hours=draw(intervals),
        )
        for place, begin in enumerate(begins)
    ]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=DAY_ZONE)


@given(series(), instants)
def test_every_instant_has_the_rules_of_the_latest_pack_or_none_yet(
    packs: list[PolicyPack], at: datetime
) -> None:
    book = PolicyBook(packs)
    begun = [pack for pack in packs if midnight(pack.effective_on) <= at]
    if not begun:
        with pytest.raises(PolicyPackError, match="no pack says how holders are verified"):
            book.at(at)
        return
    rules = book.at(at)
    assert rules.verification.version == begun[-1].version
    assert rules.tracks == begun[-1].tracks
    assert book.at(at) == rules


@given(series(), st.permutations(range(4)))
def test_the_order_in_which_packs_are_named_makes_no_difference(
    packs: list[PolicyPack], order: list[int]
) -> None:
    shuffled = PolicyBook([packs[place] for place in order if place < len(packs)])
    plain = PolicyBook(packs)
    for day in plain.change_days:
        one, other = shuffled.at(midnight(day)), plain.at(midnight(day))
        assert one.verification == other.verification
        assert set(one.adoptions) == set(other.adoptions)


@given(series())
def test_rules_change_at_midnight_in_viet_nam_and_at_no_other_instant(
    packs: list[PolicyPack],
) -> None:
    book = PolicyBook(packs)
    for pack in packs:
        first = midnight(pack.effective_on)
        assert (first.astimezone(UTC).hour, day_of(first)) == (17, pack.effective_on)
        assert book.at(first).verification.version == pack.version
        last = first + DAY - TICK
        assert book.at(last).verification.version == pack.version
        if pack is not packs[0]:
            assert book.at(first - TICK).verification.version != pack.version
    first_day = packs[0].effective_on
    days_on = [first_day + count * DAY for count in range((END - first_day).days)]
    for one, other in pairwise(days_on):
        is_change = book.at(midnight(one)) != book.at(midnight(other))
        assert not is_change or other in {pack.effective_on for pack in packs}


def read(spans: list[tuple[date, date | None]]) -> tuple[list[PolicyPack], PolicyBook] | str:
    """Packs of a series each, and their book; or why there is none."""
    try:
        packs = [
            made(f"pack-{at}", on=on, until=until, series=f"series-{at}")
            for at, (on, until) in enumerate(spans)
        ]
        return packs, PolicyBook(packs)
    except PolicyPackError as refusal:
        return str(refusal)


@given(st.lists(st.tuples(days, st.none() | days), min_size=1, max_size=3), any_days)
def test_packs_of_different_series_go_together_on_every_day_or_are_refused_at_once(
    spans: list[tuple[date, date | None]], day: date
) -> None:
    drawn = read(spans)
    if isinstance(drawn, str):
        assert drawn.startswith(("on 20", "effective_until must lie after"))
        return
    packs, book = drawn
    holding = [
        pack
        for pack in packs
        if pack.effective_on <= day and not (pack.effective_until and pack.effective_until <= day)
    ]
    if day < min(pack.effective_on for pack in packs):
        with pytest.raises(PolicyPackError, match="no pack says"):
            book.at(midnight(day))
    else:
        (only,) = holding
        assert book.at(midnight(day)).verification.version == only.version


@given(series(), days, st.data())
def test_a_new_pack_changes_nothing_that_was_decided_before_its_first_day(
    packs: list[PolicyPack], day: date, data: st.DataObject
) -> None:
    new = made(
        "new",
        on=day,
        series=packs[0].series,
        is_retroactive=data.draw(st.booleans()),
        suspend_after_hours=data.draw(intervals),
    )
    known = [pack for pack in packs if pack.effective_on != day]
    if not known or known[0].effective_on > day:
        return
    before, after = PolicyBook(known), PolicyBook([*known, new])
    for pack in known:
        for at in (midnight(pack.effective_on), midnight(day) - TICK, midnight(END)):
            if at < midnight(known[0].effective_on):
                continue
            # Past verdicts and cases find the very rules that they were decided by.
            for name, track in pack.tracks.items():
                assert after.at(at).track_of(pack.version, name) is track
            if at < midnight(day):
                assert after.at(at).tracks == before.at(at).tracks
                assert after.at(at).verification == before.at(at).verification
                assert after.at(at).adoptions == before.at(at).adoptions


@given(
    st.sampled_from(DAYS[:6]),
    st.sampled_from(DAYS[6:]),
    st.tuples(intervals, intervals),
    st.integers(0, 2),
    st.booleans(),
)
def test_an_open_case_keeps_its_pack_or_moves_by_exactly_what_its_interval_changed(
    opened_on: date,
    new_on: date,
    after_hours: tuple[float, float],
    steps_taken: int,
    is_retroactive: bool,  # noqa: FBT001 - hypothesis hands its values in by place
) -> None:
    old = made("old", on=BEGIN, suspend_after_hours=after_hours[0])
    new = made("new", on=new_on, is_retroactive=is_retroactive, suspend_after_hours=after_hours[1])
    book = PolicyBook([old, new])
    ladder = old.tracks["B"].steps
    due_at = None if steps_taken == len(ladder) else midnight(opened_on) + 3 * DAY
    case = Case(
        case_id=UUID(int=1),
        subscription_id=UUID(int=2),
        track="B",
        cause=CaseCause.UNVERIFIED,
        policy_version="old",
        opened_at=midnight(opened_on),
        steps_taken=steps_taken,
        next_due_at=due_at,
    )
    assert adopted(case, book.at(midnight(new_on) - TICK)) == case
    moved = adopted(case, book.at(midnight(new_on)))
    assert adopted(moved, book.at(midnight(END))) == moved
    assert (moved.steps_taken, moved.opened_at) == (steps_taken, case.opened_at)
    if not is_retroactive:
        assert moved == case
        return
    assert moved.policy_version == "new"
    if due_at is None:
        assert moved.next_due_at is None
    else:
        shift = new.tracks["B"].steps[steps_taken].after - ladder[steps_taken].after
        expected = due_at + shift
        assert next_step_due_at(moved, new.tracks["B"], is_primary=False) == expected


@given(series(), instants, st.booleans())
def test_a_case_takes_every_step_of_its_ladder_once_in_order_whatever_packs_come(
    packs: list[PolicyPack],
    opened_at: datetime,
    is_primary: bool,  # noqa: FBT001 - hypothesis hands its values in by place
) -> None:
    if opened_at < midnight(packs[0].effective_on):
        return
    book = PolicyBook(packs)
    found = forecast(book, CaseCause.UNVERIFIED, opened_at=opened_at, is_primary=is_primary)
    assert [step.kind for step in found.steps] == [StepKind.NOTIFY, StepKind.SUSPEND]
    times = [opened_at, *(step.at for step in found.steps)]
    assert times == sorted(times)
    began_under = book.at(opened_at).verification.version
    last = found.steps[-1]
    taken_over = [
        pack
        for pack in packs
        if pack.is_retroactive and opened_at < midnight(pack.effective_on) <= last.at
    ]
    expected = taken_over[-1].version if taken_over else began_under
    assert last.policy_version == expected
    if not taken_over:
        ladder = book.at(opened_at).track_of(began_under, "B")
        extra = ladder.primary_extra if is_primary else timedelta()
        assert last.at - opened_at == ladder.steps[1].after + extra
