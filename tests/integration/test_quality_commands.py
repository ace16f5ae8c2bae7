"""`identity quality`: what an official is shown, and what a job of the night keeps."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, connect
from identity.storage.quality_tables import quality_day
from tests.databases import own_database
from tests.unit.identity.makers import make_subscription, store_primary


@pytest.fixture
def options(postgres_url: str, worker_id: str, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A registry with two numbers at two operators, as options of a command."""
    with own_database(postgres_url, f"quality_{worker_id}") as url:
        options = ("--database", url, "--state", str(tmp_path / "state"))
        assert run("migrate", *options).exit_code == 0
        engine = connect(url)
        database = Database(engine, Vault(read_key_ring(tmp_path / "state/keys.json")))
        with database.transaction() as uow:
            store_primary(uow)
            uow.subscriptions.save(make_subscription(operator_id="song-hong", province_code="79"))
        yield options
        engine.dispose()


def run(*arguments: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})


def days(options: tuple[str, ...]) -> list[Any]:
    engine = connect(options[1])
    with engine.connect() as connection:
        kept = list(connection.execute(select(quality_day.c.day).distinct()).scalars())
    engine.dispose()
    return kept


def test_the_terminal_shows_six_words_for_each_operator(options: tuple[str, ...]) -> None:
    result = run("quality", *options)
    assert result.exit_code == 0, result.output
    for words in ("Correct (Đúng)", "Shared (Dùng", "all operators", "song-hong", "2 of 2"):
        assert words in result.stdout
    assert days(options) == []


@pytest.mark.parametrize(("columns", "table_count"), [(200, 2), (55, 6)])
def test_a_narrow_terminal_gets_more_tables_and_every_figure(
    options: tuple[str, ...], columns: int, table_count: int
) -> None:
    result = run("quality", "--anomalies", *options, columns=columns)
    assert result.stdout.count("┏") == table_count
    assert "…" not in result.stdout
    assert result.stdout.count("song-hong") == 2  # once with the words, once with what is odd


def test_json_is_for_programs(options: tuple[str, ...]) -> None:
    result = run("quality", "--json", *options)
    body = json.loads(result.stdout)
    country = body["figures"][0]
    assert country["rows"]["row_count"] == 2
    assert country["shares"]["shared"] == {"numerator": 1, "denominator": 2}
    assert [each["day"] for each in body["trend"]] == [body["day"]] * 3


def test_what_is_odd_is_counted_when_it_is_asked_for(options: tuple[str, ...]) -> None:
    shown = run("quality", "--anomalies", *options)
    assert shown.exit_code == 0, shown.output
    assert "What is odd" in shown.stdout
    body = json.loads(run("quality", "--anomalies", "--json", *options).stdout)
    country = body["figures"][0]["anomalies"]
    assert country["person_above_cap"] == country["holder_deceased"] == 0
    assert country["personal_id_birth_year_differs"] in {0, 1, 2}
    assert json.loads(run("quality", "--json", *options).stdout)["figures"][0]["anomalies"] is None


def test_the_page_is_written_and_the_day_kept(options: tuple[str, ...], tmp_path: Path) -> None:
    page = tmp_path / "quality.html"
    result = run("quality", "--record", "--html", str(page), *options)
    assert result.exit_code == 0, result.output
    assert f"report: {page}" in result.stdout.replace("\n", "")
    assert "Hồ Chí Minh" in page.read_text(encoding="utf-8")
    (day,) = days(options)
    assert run("quality", "--record", *options).exit_code == 0
    assert days(options) == [day]


def test_a_page_that_cannot_be_written_is_said_in_one_line(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    result = run("quality", "--html", str(tmp_path / "nowhere" / "quality.html"), *options)
    assert result.exit_code == 2
    assert "error:" in result.stderr
