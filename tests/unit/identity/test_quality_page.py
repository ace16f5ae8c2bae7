"""The report as a page and as JSON."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from identity.domain.anomalies import AnomalyKind
from identity.domain.quality import Measure, with_anomalies
from identity.quality_page import FORMAT, quality_html, quality_json
from identity.quality_words import ODDITIES
from tests.unit.identity.quality_reports import empty_report, figures, report


def test_the_page_has_six_numbers_with_their_parts_and_wholes() -> None:
    page = quality_html(report())
    cards = re.findall(r'<section class="word">.*?</section>', page, flags=re.DOTALL)
    assert len(cards) == len(Measure)
    assert "Correct" in cards[0]
    assert "Đúng" in cards[0]
    assert "88.0 %" in cards[0]
    assert "880 of 1,000" in cards[0]
    assert "+8.0 points since 1 May" in cards[0]
    assert "none to count" in cards[4]  # nobody has two numbers


def test_a_word_has_moved_since_the_first_day_that_had_any_to_count() -> None:
    made = report()
    nothing = empty_report().trend[0][1]
    page = quality_html(replace(made, trend=((date(2026, 4, 30), nothing), *made.trend)))
    assert "+8.0 points since 1 May" in page


def test_the_page_shows_what_is_odd_where_it_was_counted() -> None:
    made = report()
    assert "What is odd" not in quality_html(made)
    assert "was decrypted" in quality_html(made)  # that nothing was
    counts = {"song-hong": {AnomalyKind.HOLDER_BELOW_AGE: 1_234}}
    counted = replace(made, figures=with_anomalies(made.figures, counts))
    page = quality_html(counted)
    assert page.count("1,234") == 2  # the operator's, and that of all of them
    assert "Chủ thuê bao chưa đủ tuổi" in page
    assert "was decrypted" not in page  # counting them opens records
    fields = json.loads(quality_json(counted))["figures"]
    assert fields[0]["anomalies"]["holder_below_age"] == 1_234
    assert json.loads(quality_json(made))["figures"][0]["anomalies"] is None


def test_every_anomaly_has_words() -> None:
    assert set(ODDITIES) == set(AnomalyKind)


def test_the_page_loads_nothing_and_stands_alone() -> None:
    page = quality_html(report())
    assert page.count("<svg") == 3
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "<script" not in page


def test_the_page_names_operators_provinces_and_what_to_do() -> None:
    page = quality_html(report())
    for words in ("song-hong", "Hồ Chí Minh", "not known", "Sai ngày sinh", "cuu-long (16)"):
        assert words in page
    assert "4 May 2026, 09:30" in page  # in Viet Nam
    assert page.index("Hồ Chí Minh</th>") < page.index("Hà Nội</th>") < page.index("not known</th>")


def test_what_an_operator_is_called_cannot_become_markup() -> None:
    made = report()
    evil = replace(made.operators[0], operator_id="<img>")
    page = quality_html(replace(made, figures=(*made.figures, evil)))
    assert "<img>" not in page


def test_an_empty_registry_has_a_page() -> None:
    page = quality_html(empty_report())
    assert page.count("none to count") >= 6
    assert "There are no numbers in service." in page
    assert "points since" not in page
    assert "the first day that was measured" in page  # one day is no line
    assert "the first day that was measured" not in quality_html(report())


def test_a_part_of_the_country_is_no_page() -> None:
    own = replace(report(), figures=(figures("song-hong"),))
    with pytest.raises(ValueError, match="all operators together"):
        quality_html(own)


def test_json_has_numerators_and_denominators() -> None:
    body = json.loads(quality_json(report()))
    assert body["format"] == FORMAT
    assert body["day"] == "2026-05-04"
    country, *others = body["figures"]
    assert (country["operator_id"], country["province_code"]) == (None, None)
    assert country["shares"]["correct"] == {"numerator": 880, "denominator": 1_000}
    assert country["shares"]["unified"] == {"numerator": 0, "denominator": 0}
    assert others[-1]["book"] is None
    assert body["trend"][0]["day"] == "2026-05-01"
