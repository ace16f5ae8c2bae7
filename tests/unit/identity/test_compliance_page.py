"""The report on compliance as a page, with its charts, as JSON and as CSV."""

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree.ElementTree import fromstring  # what we drew ourselves

from identity.compliance_charts import months_chart, scores_chart, times_chart
from identity.compliance_page import FORMAT, compliance_csv, compliance_html, compliance_json
from identity.compliance_words import PARTS, SHARES, duration, points
from identity.domain.compliance import WEIGHTS
from tests.unit.identity.kpi_reports import empty, kpis, whole


def test_every_part_of_a_score_has_words() -> None:
    assert list(PARTS) == list(WEIGHTS)


def test_times_and_points_are_read_easily() -> None:
    times = [duration(s) for s in (None, 0, 59.94, 60, 7_200, 86_400, 400_000)]
    assert times == ["-", "0.0 s", "59.9 s", "1.0 min", "2.0 h", "1.0 days", "4.6 days"]
    assert [points(p) for p in (None, 0, 99.99, 100, 59.3)] == ["-", "0.0", "99.9", "100.0", "59.3"]


def test_the_page_loads_nothing_and_stands_alone() -> None:
    page = compliance_html(whole())
    assert page.count("<svg") == 3
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "<script" not in page


def test_the_page_names_who_lies_and_who_lags() -> None:
    page = compliance_html(whole())
    liar = page[page.index("What they do besides") :]
    assert "14.0 %<small>280 of 2,000" in liar
    assert "75<small>30 open</small><small>5 overtaken</small>" in page
    assert "of one number one a day counts" in page
    assert "Score of May 2026" in page
    assert "the month is not over" in page.lower()
    assert "31 May 2026, 00:30" in page  # in Viet Nam
    assert page.index("cuu-long</th>") < page.index("song-hong</th>") < page.index("me-kong</th>")
    for word in SHARES.values():
        assert word.vietnamese in page


def test_what_an_operator_is_called_cannot_become_markup() -> None:
    made = whole()
    evil = replace(made, kpis=replace(made.kpis, operators=(kpis("<img>"),)))
    assert "<img>" not in compliance_html(evil)


def test_an_empty_registry_has_a_page_and_a_head_of_a_table() -> None:
    page = compliance_html(empty())
    assert "nothing to score" in page
    assert "Nothing was ordered" in page
    (head,) = csv.reader(io.StringIO(compliance_csv(empty())))
    assert head == next(csv.reader(io.StringIO(compliance_csv(whole()))))
    assert json.loads(compliance_json(empty()))["operators"] == []


def test_csv_has_a_line_for_each_operator_and_nothing_made_up() -> None:
    lines = list(csv.DictReader(io.StringIO(compliance_csv(whole()))))
    assert [line["operator_id"] for line in lines] == ["cuu-long", "me-kong", "song-hong"]
    liar = lines[1]
    assert liar["false_acknowledgements_numerator"] == "280"
    assert liar["device_changes_open_late_count"] == "4"
    assert liar["device_changes_p50_s"] == ""
    assert liar["score_month"] == "2026-05"
    assert 0 < float(liar["score"]) < float(lines[2]["score"])


def test_json_is_for_programs() -> None:
    body = json.loads(compliance_json(whole()))
    assert body["format"] == FORMAT
    assert (body["first_day"], body["last_day"]) == ("2026-05-01", "2026-05-30")
    own = body["operators"][2]
    assert own["drift"] == {"numerator": 5, "denominator": 1_000}
    assert own["orders"]["p50_s"] == 5_400
    assert [each["month"] for each in body["months"]] == ["2026-03", "2026-04", "2026-05"]
    assert [each["is_final"] for each in body["months"]] == [True, True, False]
    best = body["months"][2]["scores"][0]
    mean = sum(part["points"] * part["weight"] for part in best["parts"])
    assert abs(best["score"] - mean) < 1e-9


def test_each_chart_is_one_drawing_and_the_same_each_time() -> None:
    for drawn, again in zip(_drawn(), _drawn(), strict=True):
        assert fromstring(drawn).tag.endswith("svg")  # noqa: S314 - as above
        assert drawn == again
        assert ">song-hong<" in drawn


def _drawn() -> tuple[str, ...]:
    made = whole()
    return (
        scores_chart(made.months[-1].scores),
        times_chart(made.kpis.operators),
        months_chart(made.months),
    )


def test_months_without_a_score_have_their_place() -> None:
    first, second, last = whole().months
    drawn = months_chart((replace(first, scores=()), replace(second, scores=()), last))
    for each in (first, second, last):
        assert f">{each.month.first:%Y-%m}<" in drawn


def test_nobody_can_be_drawn() -> None:
    for drawn in (scores_chart(()), times_chart(()), months_chart(())):
        assert drawn.startswith("<svg")
