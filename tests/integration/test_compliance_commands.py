"""`identity compliance`: what an official is shown, and what a program reads."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.domain.enforcement import DirectiveKind
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, connect
from tests.databases import own_database
from tests.unit.identity.makers import make_directive, make_subscription


@pytest.fixture
def options(postgres_url: str, worker_id: str, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A registry in which one operator leaves an order undone, as options of a command."""
    with own_database(postgres_url, f"compliance_{worker_id}") as url:
        options = ("--database", url, "--state", str(tmp_path / "state"))
        assert run("migrate", *options).exit_code == 0
        engine = connect(url)
        database = Database(engine, Vault(read_key_ring(tmp_path / "state/keys.json")))
        item = make_subscription(operator_id="song-hong")
        ordered_at = datetime.now(UTC) - timedelta(hours=30)
        order = make_directive(
            item,
            kind=DirectiveKind.SUSPEND,
            created_at=ordered_at,
            due_at=ordered_at + timedelta(hours=24),
        )
        with database.transaction() as uow:
            uow.subscriptions.save(item)
            uow.directives.add_many([(order, item)])
        engine.dispose()
        yield options


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})


def test_the_terminal_shows_each_operator_within_80_columns(options: tuple[str, ...]) -> None:
    result = run("compliance", *options)
    assert result.exit_code == 0, result.output
    for words in ("song-hong", "1 open", "False acknowledgements", "Khiếu nại"):
        assert words in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout


def test_json_csv_and_page_say_the_same(options: tuple[str, ...], tmp_path: Path) -> None:
    page, table = tmp_path / "compliance.html", tmp_path / "compliance.csv"
    files = ("--html", str(page), "--csv", str(table))
    result = run("compliance", "--json", "--months", "2", *files, *options)
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert len(body["months"]) == 2
    (own,) = body["operators"]
    assert own["orders"]["open_late_count"] == 1
    with table.open(encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    assert line["orders_open_late_count"] == "1"
    assert "song-hong" in page.read_text(encoding="utf-8")


def test_a_month_is_the_days_from_its_first_to_its_last(options: tuple[str, ...]) -> None:
    body = json.loads(run("compliance", "--json", "--month", "2024-02", *options).stdout)
    assert (body["first_day"], body["last_day"]) == ("2024-02-01", "2024-02-29")
    assert body["months"][-1] == {"month": "2024-02", "is_final": True, "scores": []}
    assert "Nothing was ordered" in run("compliance", "--month", "2024-02", *options).stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("--month", "2026-13"),
        ("--month", "9999-12"),
        ("--month", "2026-05", "--from", "2026-05-01"),
        ("--to", "9999-12-31"),
        ("--from", "2026-05-02", "--to", "2026-05-01"),
        ("--html", "/nowhere/at/all.html"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_go(
    options: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    result = run("compliance", *wrong, *options)
    assert result.exit_code == 2
    assert "rror" in result.stderr
