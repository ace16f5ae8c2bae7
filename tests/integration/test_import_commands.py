"""`identity import …` against a real server: what a file's sender sees, from the first row on."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.domain.caller import Caller, Role
from identity.import_files.columns import COLUMNS, Target
from identity.import_files.progress_file import path_for
from identity.import_run import Order, Outcome, Stage, run_import
from identity.rpc.import_client import ImportClient, open_import_client
from identity.security.client_keys import issue_client_keys
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.population import Citizen
from tests.integration.conftest import ActAs, World
from tests.integration.people import People
from tests.integration.scene import Scene

POPULATION = [column.name for column in COLUMNS[Target.POPULATION]][:3]
BOOK = [column.name for column in COLUMNS[Target.SUBSCRIPTIONS]][:4]
NO_SERVER = "127.0.0.1:1"

Connect = Callable[[], AbstractContextManager[ImportClient]]


def run(world: World, *arguments: str | Path, address: str | None = None) -> Result:
    given = [*map(str, arguments), "--state", str(world.settings.state)]
    return CliRunner().invoke(
        app, ["import", *given, "--address", address or world.address], env={"COLUMNS": "200"}
    )


def write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def record(citizen: Citizen) -> list[str]:
    return [citizen.personal_id, citizen.full_name, citizen.birth_date.isoformat()]


def book(people: People, count: int) -> list[list[str]]:
    return [[people.msisdn(), *record(people.citizen())] for _ in range(count)]


def counts(result: Result) -> dict[str, int]:
    """The table that was printed."""
    cells = [line.split("│") for line in result.stdout.splitlines() if line.count("│") == 3]
    return {cell[1].strip(): int(cell[2].replace(",", "")) for cell in cells}


def test_rows_that_are_refused_come_back_and_are_taken_when_corrected(
    world: World, people: People, tmp_path: Path
) -> None:
    rows = [record(people.citizen()) for _ in range(4)]
    rows[1][0], rows[3][2] = "12", "30/02/1990"
    file = write(tmp_path / "register.csv", POPULATION, rows)
    done = run(world, "population", file)
    assert done.exit_code == 1, done.output
    assert counts(done) == {
        "received": 4,
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "rejected": 2,
    }
    rejects = tmp_path / "register.csv.rejects.csv"
    assert str(rejects) in done.stdout.replace("\n", "")
    assert not path_for(file).exists()
    header, *lines = csv.reader(rejects.read_text().splitlines())
    assert header == [*POPULATION, "reject_row", "reject_field", "reject_reason"]
    assert lines == [
        [*rows[1], "2", "personal_id", "PERSONAL_ID_MALFORMED"],
        [*rows[3], "4", "birth_date", "DATE_IMPOSSIBLE"],
    ]
    corrected = [record(people.citizen()) + line[3:] for line in lines]
    again = run(world, "population", write(rejects, header, corrected))
    assert again.exit_code == 0, again.output
    assert counts(again)["new"] == 2


def test_an_operator_sends_a_parquet_file_with_its_own_names_and_certificate(
    world: World, act_as: ActAs, people: People, tmp_path: Path
) -> None:
    name = people.operator_name()
    made = CliRunner().invoke(
        app,
        [
            *("callers", "issue", "--role", "operator", "--name", name),
            *("--out", str(tmp_path), "--state", str(world.settings.state)),
        ],
    )
    assert made.exit_code == 0, made.output
    citizen, number = people.citizen(), people.msisdn()
    file = tmp_path / "book.parquet"
    duckdb.execute(
        "COPY (SELECT ? AS so, ? AS personal_id, ? AS full_name, CAST(? AS DATE) AS birth_date, "
        f"'x' AS notes, DATE '2020-01-31' AS activated_on) TO '{file}' (FORMAT parquet)",
        [number, *record(citizen)],
    )
    keys: list[str | Path] = [
        *("--certificate", tmp_path / f"{name}.crt.pem"),
        *("--key", tmp_path / f"{name}.key.pem"),
        *("--authority", tmp_path / "ca.crt.pem"),
    ]
    done = run(world, "subscriptions", file, "--map", "so=msisdn", "--ignore", "notes", *keys)
    assert done.exit_code == 0, done.output
    assert counts(done) == {
        "received": 1,
        "new": 1,
        "changed": 0,
        "unchanged": 0,
        "rejected": 0,
        "link: linked": 0,
        "link: mismatched": 0,
        "link: not found": 1,
        "link: deceased": 0,
    }
    operator = act_as(Role.OPERATOR, name).subscriptions
    kept = operator.GetSubscription(pb.GetSubscriptionRequest(msisdn=number))
    assert kept.subscription.msisdn == number


def test_a_snapshot_tells_what_is_gone(
    world: World, scene: Scene, people: People, tmp_path: Path
) -> None:
    operator = ("--operator", people.operator_name())
    rows = book(people, 3)
    first = run(world, "subscriptions", write(tmp_path / "a.csv", BOOK, rows), *operator)
    assert first.exit_code == 0, first.output
    scene.advance(seconds=1)  # what comes while a snapshot is under way is never gone
    file = write(tmp_path / "b.csv", BOOK, rows[:2])
    done = run(world, "subscriptions", file, "--snapshot", *operator)
    assert done.exit_code == 0, done.output
    assert {name: counts(done)[name] for name in ("received", "unchanged", "gone")} == {
        "received": 2,
        "unchanged": 2,
        "gone": 1,
    }


def test_a_snapshot_with_a_row_of_no_number_says_why_nothing_is_gone(
    world: World, scene: Scene, people: People, tmp_path: Path
) -> None:
    operator = ("--operator", people.operator_name())
    rows = book(people, 3)
    run(world, "subscriptions", write(tmp_path / "a.csv", BOOK, rows), *operator)
    scene.advance(seconds=1)
    # A broken row that says its number names it.
    named = [rows[0], [rows[1][0], "broken", *rows[1][2:]]]
    told = run(
        world, "subscriptions", write(tmp_path / "b.csv", BOOK, named), "--snapshot", *operator
    )
    assert (told.exit_code, counts(told)["gone"]) == (1, 1), told.output
    assert "rejected, unidentified" not in counts(told)
    scene.advance(seconds=1)
    unnamed = [rows[0], ["no number", *rows[1][1:]]]
    file = write(tmp_path / "c.csv", BOOK, unnamed)
    told = run(world, "subscriptions", file, "--snapshot", *operator)
    found = {name: counts(told)[name] for name in ("rejected", "gone", "rejected, unidentified")}
    assert found == {"rejected": 1, "gone": 0, "rejected, unidentified": 1}


def test_a_nul_byte_is_a_row_that_is_refused(world: World, people: People, tmp_path: Path) -> None:
    row = record(people.citizen())
    file = write(tmp_path / "register.csv", POPULATION, [row, [row[0], "An\0Bình", row[2]]])
    done = run(world, "population", file)
    assert (done.exit_code, counts(done)["rejected"]) == (1, 1), done.output
    rejected = (tmp_path / "register.csv.rejects.csv").read_text()
    assert "An\0Bình" in rejected
    assert rejected.endswith('2,"full_name","FULL_NAME_MALFORMED"\n')


def test_a_service_that_is_away_is_a_reason_to_run_the_command_again(
    world: World, people: People, tmp_path: Path
) -> None:
    file = write(tmp_path / "register.csv", POPULATION, [record(people.citizen())])
    done = run(world, "population", file, address=NO_SERVER)
    assert done.exit_code == 3
    assert "run the same command again" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert path_for(file).exists()
    assert run(world, "population", file).exit_code == 0


def test_a_caller_without_the_right_is_told_so(
    world: World, people: People, tmp_path: Path
) -> None:
    file = write(tmp_path / "register.csv", POPULATION, [record(people.citizen())])
    caller = Caller(Role.OPERATOR, people.operator_name())
    with pytest.raises(Exception, match="PERMISSION_REFUSED") as caught:
        run_import(
            order(file, Target.POPULATION), connection(world, caller, Target.POPULATION), silent
        )
    assert caught.type.__name__ == "ImportRefusedError"
    assert not caught.value.is_worth_repeating  # type: ignore[attr-defined] # see above


def test_a_file_that_changed_after_a_break_is_refused_until_told_otherwise(
    world: World, people: People, tmp_path: Path
) -> None:
    file = write(tmp_path / "register.csv", POPULATION, [record(people.citizen())])
    assert run(world, "population", file, address=NO_SERVER).exit_code == 3
    write(file, POPULATION, [record(people.citizen()) for _ in range(2)])
    refused = run(world, "population", file)
    assert refused.exit_code == 2
    assert "FILE_CHANGED" in refused.stderr
    done = run(world, "population", file, "--restart")
    assert (done.exit_code, counts(done)["new"]) == (0, 2), done.output


class BreakOff(BaseException):
    """Ctrl-C, at a place that the test chooses."""


def silent(_stage: Stage, _done: int, _of: int | None) -> None:
    pass


def order(file: Path, target: Target = Target.SUBSCRIPTIONS) -> Order:
    return Order(file=file, target=target, renamed={}, ignored=frozenset(), batch_rows=3)


def connection(world: World, caller: Caller, target: Target = Target.SUBSCRIPTIONS) -> Connect:
    """The way to the service as one caller."""
    directory = world.settings.state / "certificates"
    keys = issue_client_keys(directory, caller, at=datetime.now(UTC))
    return lambda: open_import_client(world.address, keys, target)


@pytest.mark.parametrize("stage", [Stage.SEND, Stage.REJECTS])
@pytest.mark.parametrize("kind", ["delta", "snapshot"])
def test_an_import_that_breaks_anywhere_ends_as_one_that_was_left_alone(
    world: World, people: People, tmp_path: Path, stage: Stage, kind: str
) -> None:
    rows = book(people, 20)
    for row in rows[::4]:
        row[1] = "broken"
    file = write(tmp_path / "book.csv", BOOK, rows)
    wanted = replace(order(file), is_snapshot=kind == "snapshot")
    expected = undisturbed(world, people, write(tmp_path / "alone.csv", BOOK, rows), wanted)
    connect = connection(world, Caller(Role.OPERATOR, people.operator_name()))
    # It breaks off with the file's rows 6, 12 and 18 at hand, or as the rejects are to be written.
    breaks: Iterator[int] = iter((6, 12, 18) if stage is Stage.SEND else (0, 0))

    def report_to(limit: int) -> Outcome:
        def report(now: Stage, done: int, _of: int | None) -> None:
            if now is stage and done >= limit:
                raise BreakOff

        return run_import(wanted, connect, report)

    for limit in breaks:
        with pytest.raises(BreakOff):
            report_to(limit)
        assert path_for(file).exists()
        assert not (tmp_path / "book.csv.rejects.csv").exists()
    outcome = run_import(wanted, connect, silent)
    assert outcome.stored_before >= (18 if stage is Stage.SEND else 20)
    assert outcome.reconciliation == expected.reconciliation
    assert not path_for(file).exists()
    assert without_numbers(outcome.rejects) == without_numbers(expected.rejects)
    # The same file once more is another import: all is there already.
    again = run_import(wanted, connect, silent)
    assert again.stored_before == 0
    assert again.reconciliation.unchanged_count == 15


def undisturbed(world: World, people: People, file: Path, wanted: Order) -> Outcome:
    """The outcome of another operator's import of the same people, with numbers of its own."""
    with file.open(encoding="utf-8", newline="") as read:
        header, *rows = csv.reader(read)
    own = write(file, header, [[people.msisdn(), *row[1:]] for row in rows])
    connect = connection(world, Caller(Role.OPERATOR, people.operator_name()))
    return run_import(replace(wanted, file=own), connect, silent)


def without_numbers(file: Path | None) -> list[list[str]]:
    assert file is not None
    return [line[1:] for line in csv.reader(file.read_text(encoding="utf-8").splitlines())]
