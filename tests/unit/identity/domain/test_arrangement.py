"""What two sides arrange: who must say yes, until when, who ends it, and what ends by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from identity.domain.arrangement import (
    Arrangement,
    ArrangementKind,
    ArrangementPolicy,
    ArrangementState,
    EndCause,
    GuardianshipParty,
    Side,
    birthday,
    comes_of_age_at,
)
from identity.domain.errors import ArrangementNotReadyError

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
POLICY = ArrangementPolicy(ended_by=frozenset(GuardianshipParty))
DAY = timedelta(days=1)
TODDLER = date(2022, 7, 9)
TEENAGER = date(2011, 7, 9)
ADULT = date(1987, 11, 23)
ALL_STATES = list(ArrangementState)


def proposed(kind: ArrangementKind = ArrangementKind.GUARDIANSHIP) -> Arrangement:
    return Arrangement(
        arrangement_id=uuid4(),
        kind=kind,
        proposed_at=NOW,
        lapses_at=NOW + POLICY.answer_within,
    )


def agreed() -> Arrangement:
    return replace(proposed(), state=ArrangementState.AGREED, agreed_at=NOW, attested_at=NOW)


def line(state: ArrangementState = ArrangementState.PROPOSED) -> Arrangement:
    return replace(proposed(ArrangementKind.COMPANY_LINE), state=state)


def refuses(act: Callable[[], object]) -> None:
    with pytest.raises(ArrangementNotReadyError):
        act()


# Who must say yes.


def test_the_papers_are_enough_for_a_child_below_the_age_of_consent() -> None:
    after = proposed().attested(TODDLER, POLICY, at=NOW + DAY)
    assert (after.state, after.agreed_at) == (ArrangementState.AGREED, NOW + DAY)


@pytest.mark.parametrize("is_child_first", [True, False])
def test_from_the_age_of_consent_on_the_child_is_asked_too(*, is_child_first: bool) -> None:
    item = proposed()
    if is_child_first:
        item = item.accepted(TEENAGER, POLICY, at=NOW)
        assert item.state is ArrangementState.PROPOSED
        item = item.attested(TEENAGER, POLICY, at=NOW + DAY)
    else:
        item = item.attested(TEENAGER, POLICY, at=NOW)
        assert item.state is ArrangementState.PROPOSED
        item = item.accepted(TEENAGER, POLICY, at=NOW + DAY)
    assert (item.state, item.agreed_at) == (ArrangementState.AGREED, NOW + DAY)


@pytest.mark.parametrize("birth_date", [None, ADULT])
def test_papers_about_nobody_and_about_an_adult_change_nothing_that_shows(
    birth_date: date | None,
) -> None:
    item = proposed()
    after = item.attested(birth_date, POLICY, at=NOW)
    assert after == item.attested(TEENAGER, POLICY, at=NOW)
    assert after.state is ArrangementState.PROPOSED


@pytest.mark.parametrize("birth_date", [TODDLER, ADULT, None])
def test_whom_no_guardianship_asks_cannot_accept_one(birth_date: date | None) -> None:
    refuses(lambda: proposed().accepted(birth_date, POLICY, at=NOW))


@pytest.mark.parametrize("birth_date", [TODDLER, None])
def test_whom_no_guardianship_asks_cannot_refuse_one(birth_date: date | None) -> None:
    refuses(lambda: proposed().refused(birth_date, POLICY, at=NOW))


def test_an_adult_who_is_named_as_a_child_can_refuse() -> None:
    assert proposed().refused(ADULT, POLICY, at=NOW).state is ArrangementState.REFUSED


def test_nobody_says_the_same_twice() -> None:
    refuses(
        lambda: proposed().accepted(TEENAGER, POLICY, at=NOW).accepted(TEENAGER, POLICY, at=NOW)
    )
    refuses(
        lambda: proposed().attested(TEENAGER, POLICY, at=NOW).attested(TEENAGER, POLICY, at=NOW)
    )


def test_an_employee_alone_agrees_to_a_companys_line_and_no_papers_are_asked_for() -> None:
    after = line().accepted(ADULT, POLICY, at=NOW)
    assert (after.state, after.agreed_at) == (ArrangementState.AGREED, NOW)
    refuses(lambda: line().attested(ADULT, POLICY, at=NOW))
    refuses(lambda: line().accepted(None, POLICY, at=NOW))


@pytest.mark.parametrize("state", [each for each in ALL_STATES if each != "proposed"])
def test_only_a_proposal_is_answered(state: ArrangementState) -> None:
    item = replace(proposed(), state=state, agreed_at=NOW)
    refuses(lambda: item.attested(TODDLER, POLICY, at=NOW))
    refuses(lambda: item.accepted(TEENAGER, POLICY, at=NOW))
    refuses(lambda: item.refused(TEENAGER, POLICY, at=NOW))


# What time does.


def test_a_proposal_lapses_at_its_time_whether_or_not_the_clock_has_run() -> None:
    item = proposed()
    last = item.lapses_at - timedelta(microseconds=1)
    assert item.as_of(TODDLER, POLICY, at=last) == item
    after = item.as_of(TODDLER, POLICY, at=item.lapses_at + DAY)
    assert (after.state, after.closed_at) == (ArrangementState.LAPSED, item.lapses_at)
    refuses(lambda: item.attested(TODDLER, POLICY, at=item.lapses_at))
    refuses(lambda: item.ended(Side.PROPOSER, TODDLER, POLICY, at=item.lapses_at))


def test_a_guardianship_ends_with_the_midnight_of_the_eighteenth_birthday() -> None:
    end = datetime(2040, 7, 8, 17, tzinfo=UTC)
    assert comes_of_age_at(TODDLER, POLICY) == end
    item = agreed()
    assert item.as_of(TODDLER, POLICY, at=end - timedelta(microseconds=1)) == item
    after = item.as_of(TODDLER, POLICY, at=end + DAY)
    assert (after.state, after.end_cause) == (ArrangementState.ENDED, EndCause.OF_AGE)
    assert after.closed_at == end
    refuses(lambda: item.ended(Side.PROPOSER, TODDLER, POLICY, at=end))


def test_a_child_without_a_record_has_no_guardian() -> None:
    after = agreed().as_of(None, POLICY, at=NOW)
    assert (after.state, after.end_cause) == (ArrangementState.ENDED, EndCause.PERSON_GONE)


def test_a_companys_line_has_no_day_on_which_it_ends() -> None:
    item = line(ArrangementState.AGREED)
    assert item.as_of(None, POLICY, at=NOW + 36_500 * DAY) == item


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 4) == date(2012, 2, 29)


# Who ends it.


@pytest.mark.parametrize(
    ("side", "birth_date", "cause"),
    [
        (Side.PROPOSER, TODDLER, EndCause.PROPOSER),
        (Side.CITIZEN, TEENAGER, EndCause.CITIZEN),
        (Side.REGULATOR, TODDLER, EndCause.REGULATOR),
    ],
)
def test_either_ends_a_guardianship_and_so_does_the_regulator(
    side: Side, birth_date: date, cause: EndCause
) -> None:
    after = agreed().ended(side, birth_date, POLICY, at=NOW + DAY)
    assert (after.state, after.end_cause) == (ArrangementState.ENDED, cause)
    assert after.closed_at == NOW + DAY


def test_a_child_below_the_age_of_consent_ends_nothing() -> None:
    refuses(lambda: agreed().ended(Side.CITIZEN, TODDLER, POLICY, at=NOW))


def test_a_pack_can_leave_the_end_to_the_regulator() -> None:
    strict = replace(POLICY, ended_by=frozenset())
    refuses(lambda: agreed().ended(Side.PROPOSER, TODDLER, strict, at=NOW))
    refuses(lambda: agreed().ended(Side.CITIZEN, TEENAGER, strict, at=NOW))
    ended = agreed().ended(Side.REGULATOR, TODDLER, strict, at=NOW)
    assert ended.state is ArrangementState.ENDED


@pytest.mark.parametrize("side", list(Side))
def test_everybody_ends_a_companys_line_whatever_the_pack_says_of_guardians(side: Side) -> None:
    strict = replace(POLICY, ended_by=frozenset())
    ended = line(ArrangementState.AGREED).ended(side, ADULT, strict, at=NOW)
    assert ended.end_cause == EndCause(side.value)


def test_a_proposal_is_taken_back_by_whoever_made_it_and_refused_by_the_other() -> None:
    taken_back = proposed().ended(Side.PROPOSER, None, POLICY, at=NOW)
    assert (taken_back.state, taken_back.end_cause) == (
        ArrangementState.ENDED,
        EndCause.PROPOSER,
    )
    refuses(lambda: line().ended(Side.CITIZEN, ADULT, POLICY, at=NOW))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("state", ["refused", "lapsed", "ended"])
def test_what_is_over_ends_no_more(state: str, side: Side) -> None:
    item = replace(agreed(), state=ArrangementState(state))
    refuses(lambda: item.ended(side, TEENAGER, POLICY, at=NOW))


# What each side sees.


def test_to_whoever_proposed_it_a_refusal_is_a_silence() -> None:
    item = proposed()
    refused = item.refused(TEENAGER, POLICY, at=NOW + DAY)
    assert refused.shown_to(Side.PROPOSER, at=NOW + DAY) == item
    silent = item.as_of(None, POLICY, at=item.lapses_at)
    assert refused.shown_to(Side.PROPOSER, at=item.lapses_at) == silent
    for side in (Side.CITIZEN, Side.REGULATOR):
        assert refused.shown_to(side, at=NOW + DAY) == refused


def test_what_was_refused_stands_in_the_way_of_another_proposal_until_it_would_have_lapsed() -> (
    None
):
    refused = proposed().refused(TEENAGER, POLICY, at=NOW)
    assert refused.is_standing(at=refused.lapses_at - DAY)
    assert not refused.is_standing(at=refused.lapses_at)
    assert agreed().is_standing(at=NOW)
    assert not agreed().ended(Side.PROPOSER, TODDLER, POLICY, at=NOW).is_standing(at=NOW)
