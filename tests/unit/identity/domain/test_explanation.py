"""Why a number is on a ladder, in words: all of it, in both languages, for every cause."""

from datetime import datetime, timedelta

import pytest

from identity.domain.enforcement import Case
from identity.domain.explanation import explain
from identity.domain.policy import CaseCause
from tests.unit.identity.domain.samples import NOW, track_for
from tests.unit.identity.domain.settlements import DAY, case

DATED = "%d/%m/%Y"
WITH_LADDER = sorted(set(CaseCause) - {CaseCause.SIM_SWAP})


def told(stands: Case, *, is_primary: bool = False) -> tuple[str, str]:
    words = explain(stands, track_for(stands.cause), is_primary=is_primary)
    return words.vi, words.en


def day(instant: datetime) -> str:
    return instant.strftime(DATED)


@pytest.mark.parametrize("cause", WITH_LADDER)
def test_since_when_by_which_rule_what_is_next_and_how_to_stop_it(cause: CaseCause) -> None:
    track = track_for(cause)
    due_at = NOW + 3 * DAY
    stands = case(cause, steps_taken=len(track.steps) - 1, opened_at=NOW - 9 * DAY, due_at=due_at)
    for text, cure in zip(told(stands), (track.cure.vi, track.cure.en), strict=True):
        assert day(NOW - 9 * DAY) in text
        assert track.citation in text
        assert day(due_at) in text
        assert text.endswith(cure)


def test_every_cause_has_words_of_its_own_in_each_language() -> None:
    texts = [told(case(cause, steps_taken=0)) for cause in WITH_LADDER]
    for language in range(2):
        assert len({text[language].split(".")[0] for text in texts}) == len(WITH_LADDER)


def test_the_block_ahead_is_told_behind_the_notices_and_a_primary_has_its_extra_time() -> None:
    stands = case(CaseCause.UNVERIFIED, steps_taken=3, due_at=NOW)
    assert day(NOW + 2 * DAY) in told(stands)[1]
    assert day(NOW + 7 * DAY) in told(stands, is_primary=True)[1]


def test_a_number_in_dispute_is_told_that_nothing_follows_before_a_decision() -> None:
    stands = case(CaseCause.UNVERIFIED, steps_taken=5, due_at=NOW).frozen(at=NOW)
    vietnamese, english = told(stands)
    assert "in dispute" in english
    assert "tranh chấp" in vietnamese
    assert "Next:" not in english


def test_at_the_end_of_a_ladder_nothing_more_follows() -> None:
    vietnamese, english = told(case(CaseCause.DISOWNED, steps_taken=6))
    assert "Nothing more follows." in english
    assert "Không còn bước nào tiếp theo." in vietnamese


def test_days_are_those_of_viet_nam() -> None:
    late = datetime(2026, 12, 31, 17, tzinfo=NOW.tzinfo)
    stands = case(CaseCause.DISOWNED, steps_taken=5, opened_at=late - DAY, due_at=late)
    for text in told(stands):
        assert "Từ 31/12/2026" in text or "Since 31/12/2026" in text
        assert "01/01/2027" in text
    just_before = late - timedelta(microseconds=1)
    assert "01/01/2027" not in told(case(CaseCause.DISOWNED, steps_taken=5, due_at=just_before))[1]
