"""A report says what is known to be true of synthetic people, as JSON and as a page of its own."""

import json
import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from biometrics.evaluation.evaluate import Subject, evaluate
from biometrics.evaluation.pairs import PairList, read_pairs
from biometrics.evaluation.photographs import Photographs
from biometrics.evaluation.plots import det_plot
from biometrics.evaluation.report import Curve, Report
from biometrics.evaluation.report_files import report_html, report_json
from biometrics.evaluation.scoring import ScoringError
from biometrics.face.acquisition import Template
from biometrics.face.cohort import Cohort, InvalidCohortError, unit_vectors
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.score import ModelMismatchError, ScoreType

MODEL = "ab" * 32
PEOPLE = 330
CROWDED = 40


def world(*, people: int = PEOPLE) -> tuple[PairList, Photographs]:
    """People of whom the first live in one corner of the space, and are hard to tell apart."""
    generator = np.random.default_rng(4)
    faces = generator.normal(size=(people, 24))
    corner = generator.normal(size=24)
    faces[:CROWDED] = 0.45 * faces[:CROWDED] + corner
    lines = ["path_a,path_b,mated,<kind>"]
    templates: dict[str, Template] = {}
    for person in range(people):
        kind = "crowded" if person < CROWDED else "sparse"
        for photograph in (1, 2):
            vector = faces[person] + generator.normal(size=24) / 6
            templates[f"{person}/{photograph}"] = Template(
                vector=vector.astype(np.float32), model_digest=MODEL
            )
        lines.append(f"{person}/1,{person}/2,1,{kind}")
        first, last = (0, CROWDED) if person < CROWDED else (CROWDED, people)
        others = range(max(first, person + 1), min(last, person + 41))
        lines += [f"{person}/1,{other}/2,0,{kind}" for other in others]
    lines.append("0/1,7/missing,0,crowded")
    pair_list = read_pairs("\n".join(lines).encode())
    failures = {"7/missing": "no_face"}
    return pair_list, Photographs(templates=templates, failures=failures, digest="cd" * 32)


SUBJECT = Subject(title="A <test>", measured_on=date(2026, 1, 2))


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluate(*world(), subject=SUBJECT)


def test_the_people_are_each_others_cohort_and_its_score_comes_first(report: Report) -> None:
    kinds = [score.score_type for score in report.scores]
    assert kinds == [ScoreType.COHORT_CENTRED, ScoreType.COSINE, ScoreType.DISTANCE]
    assert report.cohort_identities == PEOPLE
    assert "too few" not in report.scores[0].threshold_source


def test_few_people_are_no_cohort() -> None:
    made = evaluate(*world(people=60), subject=SUBJECT)
    assert [score.score_type for score in made.scores] == [ScoreType.COSINE, ScoreType.DISTANCE]
    assert made.cohort_identities == 0
    assert "too few to show it" in made.scores[0].threshold_source


def test_centring_on_the_cohort_narrows_the_gap(report: Report) -> None:
    centred, _, distance = report.scores
    errors = [score.groups[0].rates.fmr.errors for score in (centred, distance)]
    assert errors[0] < errors[1] / 2


def test_the_crowded_group_raises_the_alarm(report: Report) -> None:
    alarm = report.scores[2].gaps[0]
    assert (alarm.column, alarm.highest, alarm.is_alarm) == ("<kind>", "crowded", True)


def test_gaps_are_read_at_the_rates_the_pairs_support(report: Report) -> None:
    centred, _, distance = report.scores
    # 13,000 pairs of people support 0.1 % and not 0.01 %.
    assert [reading.fmr for reading in distance.gap_readings] == [1e-2, 1e-3]
    (plain,), (with_cohort,) = distance.gap_readings[0].gaps, centred.gap_readings[0].gaps
    assert (plain.highest, plain.is_alarm) == ("crowded", True)
    assert with_cohort.ratio < plain.ratio
    assert "all people at FMR 0.1 %" in report_html(report)


def test_a_curve_is_not_drawn_where_there_is_no_error() -> None:
    perfect = Curve(fmr=(1.0, 0.0), fnmr=(0.0, 1.0), equal_error_rate=0.0, readings=())
    some = Curve(fmr=(1, 0.1, 0.01, 0), fnmr=(0, 0.01, 0.1, 1), equal_error_rate=0.03, readings=())
    drawn = re.compile(r'<path d="M[^"]*" clip-path="[^"]*" style="fill: none; stroke: #1b4f72')
    assert not drawn.search(det_plot({"x": perfect}, title="t"))
    assert drawn.search(det_plot({"x": some}, title="t"))


def test_failures_to_acquire_are_counted_by_group(report: Report) -> None:
    rows = {(row.column, row.value): row.fta for row in report.fta}
    assert (rows["", ""].errors, rows["", ""].trials) == (1, 2 * PEOPLE + 1)
    assert rows["<kind>", "crowded"].errors == 1
    assert rows["<kind>", "sparse"].errors == 0
    assert report.failures == {"no_face": 1}


def test_the_worst_errors_are_the_most_alike_strangers_and_the_least_alike_pairs(
    report: Report,
) -> None:
    strangers = [error.score for error in report.worst_errors if not error.is_mated]
    mated = [error.score for error in report.worst_errors if error.is_mated]
    assert strangers == sorted(strangers, reverse=True)
    assert mated == sorted(mated)
    assert len(strangers) == len(mated) == 12


def test_a_curve_runs_from_all_to_nothing(report: Report) -> None:
    for score in report.scores:
        assert score.curve is not None
        assert (score.curve.fmr[0], score.curve.fmr[-1]) == (1.0, 0.0)
        assert (score.curve.fnmr[0], score.curve.fnmr[-1]) == (0.0, 1.0)
        assert np.all(np.diff(score.curve.fmr) <= 0)


def test_an_operating_point_gives_the_threshold_of_its_score() -> None:
    pair_list, photographs = world()
    other = Subject(title="t", measured_on=date(2026, 1, 2), operating_point=DEFAULT)
    with pytest.raises(ModelMismatchError):
        evaluate(pair_list, photographs, subject=other)
    templates = {
        path: Template(vector=template.vector, model_digest=DEFAULT.model_digest)
        for path, template in photographs.templates.items()
    }
    same = Photographs(templates=templates, failures=photographs.failures, digest="cd" * 32)
    made = evaluate(pair_list, same, subject=other)
    assert made.scores[0].score_type is ScoreType.DISTANCE
    assert made.scores[0].threshold == DEFAULT.decision_threshold


def test_pairs_of_one_kind_only_are_refused() -> None:
    _, photographs = world()
    pair_list = read_pairs(b"path_a,path_b,mated\n0/1,0/2,1\n")
    with pytest.raises(ScoringError, match="different people"):
        evaluate(pair_list, photographs, subject=SUBJECT)


def test_the_json_has_every_number(report: Report) -> None:
    made = json.loads(report_json(report))
    assert made["format"] == "biometrics-evaluation/1"
    assert made["measured_on"] == "2026-01-02"
    assert made["scores"][0]["rates"]["fmr"]["trials"] == report.non_mated
    assert b"NaN" not in report_json(report)


def test_the_page_is_self_contained_and_escapes_what_it_shows(report: Report) -> None:
    page = report_html(report)
    assert page.count("<svg") == 6
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "<script" not in page
    assert "<kind>" not in page
    assert "A &lt;test&gt;" in page
    assert "<img" not in page


def test_a_gap_of_the_main_score_is_an_alarm_on_the_page(report: Report) -> None:
    uneven = replace(report, scores=report.scores[2:])
    assert uneven.alarms
    assert "Alarm:" in report_html(uneven)
    even = replace(report, scores=(replace(report.scores[0], gaps=()),))
    assert "Alarm:" not in report_html(even)


def test_pictures_are_shown_only_when_handed_over(report: Report) -> None:
    paths = {path for error in report.worst_errors for path in (error.path_a, error.path_b)}
    page = report_html(report, thumbnails=dict.fromkeys(paths, "data:image/jpeg;base64,AAAA"))
    assert page.count("<img") == 2 * len(report.worst_errors)


def test_the_same_report_gives_the_same_page(report: Report) -> None:
    assert report_html(report) == report_html(report)


def test_where_there_is_no_cohort_the_thresholds_are_those_of_the_fallback() -> None:
    fallback = OperatingPoint(
        score_type=ScoreType.COSINE, decision_threshold=0.123, source="fallback", model_digest=MODEL
    )
    point = OperatingPoint(
        score_type=ScoreType.COHORT_CENTRED,
        decision_threshold=0.02,
        source="main",
        model_digest=MODEL,
        cohort_digest="ef" * 32,
        fallback=fallback,
    )
    made = evaluate(*world(people=60), subject=replace(SUBJECT, operating_point=point)).scores[0]
    assert (made.score_type, made.threshold) == (ScoreType.COSINE, 0.123)
    assert made.threshold_source == "operating point: fallback"


@pytest.mark.parametrize(
    ("people", "values", "said"), [(20, 24, "300 are needed"), (300, 9, "the templates have 24")]
)
def test_a_cohort_that_cannot_centre_scores_is_refused(people: int, values: int, said: str) -> None:
    rows = unit_vectors(np.random.default_rng(1).normal(size=(people, values)))
    cohort = Cohort(vectors=rows.astype(np.float32), model_digest=MODEL)
    with pytest.raises(InvalidCohortError, match=said):
        evaluate(*world(people=20), subject=replace(SUBJECT, cohort=cohort))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$x_{$", "$x_{$"),
        ("5$", "5$"),
        (r"\$a$", r"\$a$"),
        ("a\0b\x1bc", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
    ],
)
def test_names_of_groups_are_drawn_as_they_are(name: str, shown: str) -> None:
    curve = Curve(fmr=(0.1, 0.01), fnmr=(0.01, 0.1), equal_error_rate=0.03, readings=())
    element = ET.fromstring(det_plot({name: curve}, title=name))  # noqa: S314 - it is our own
    texts = [text.text for text in element.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(shown) == 2
