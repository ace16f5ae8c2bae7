"""How shares and gaps are put into words."""

import pytest

from identity.domain.quality import Measure, Share
from identity.quality_words import GAPS, WORDS, change, findings, percent, province_name
from tests.unit.identity.quality_reports import empty_report, report


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (Share(0, 0), "none to count"),
        (Share(0, 7), "0.0 %"),
        (Share(1, 100_000), "< 0.1 %"),
        (Share(1, 3), "33.3 %"),
        (Share(99_999, 100_000), "99.9 %"),
        (Share(126_000_000, 126_000_000), "100.0 %"),
    ],
)
def test_a_share_is_cut_and_never_flattered(share: Share, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (Share(90, 100), Share(85, 100), "+5.0 points"),
        (Share(80, 100), Share(85, 100), "-5.0 points"),
        (Share(9_000, 10_000), Share(9_001, 10_000), "unchanged"),
        (Share(0, 0), Share(1, 2), ""),
        (Share(1, 2), Share(0, 0), ""),
    ],
)
def test_a_change_is_told_in_points(now: Share, before: Share, words: str) -> None:
    assert change(now, before) == words


def test_there_is_a_word_for_each_measure() -> None:
    assert list(WORDS) == list(Measure)
    assert len({word.vietnamese for word in WORDS.values()}) == 6


def test_findings_are_the_gaps_that_exist_the_largest_first() -> None:
    found = {each.gap.name: each for each in findings(report())}
    counts = [each.count for each in findings(report())]
    assert counts == sorted(counts, reverse=True)
    assert found["Birth date differs from the population record"].count == 31
    assert found["Birth date differs from the population record"].worst_operator == "cuu-long"
    assert found["Birth date differs from the population record"].worst_count == 16
    assert found["Row refused at import"].count == 16
    # Nobody has too many numbers, and everybody is verified.
    assert len(found) == len(GAPS) - 2
    assert findings(empty_report()) == ()


def test_a_province_has_its_name_or_its_code() -> None:
    assert [province_name(code) for code in ("01", "00", None, "99")] == [
        "Hà Nội",
        "not known",
        "not known",
        "code 99",
    ]
