"""An import is remembered beside its file, and gone on with only if it is the same."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from identity.import_files.columns import Target
from identity.import_files.faults import FileFault
from identity.import_files.progress_file import Begun, Import, begin_or_go_on, forget, path_for
from tests.unit.identity.import_files.files import refused

BEGUN = Begun(
    target=Target.SUBSCRIPTIONS, is_snapshot=False, sha256="ab" * 32, columns=(0, 1, None, 2)
)


def begin(
    folder: Path, begun: Begun = BEGUN, *, is_restart: bool = False, batch_rows: int = 5_000
) -> Import:
    return begin_or_go_on(folder / "book.csv", begun, batch_rows=batch_rows, is_restart=is_restart)


def test_the_same_import_goes_on_with_its_name_and_its_batches(tmp_path: Path) -> None:
    first = begin(tmp_path, batch_rows=100)
    assert begin(tmp_path, batch_rows=5_000) == first
    assert first.batch_rows == 100


def test_another_import_has_another_name(tmp_path: Path) -> None:
    first = begin(tmp_path)
    forget(tmp_path / "book.csv")
    assert begin(tmp_path).import_id != first.import_id


def test_a_restart_forgets_the_import_that_was_begun(tmp_path: Path) -> None:
    first = begin(tmp_path)
    again = begin(tmp_path, replace(BEGUN, is_snapshot=True), is_restart=True)
    assert again.import_id != first.import_id
    assert begin(tmp_path, replace(BEGUN, is_snapshot=True)) == again


def test_a_file_that_changed_is_refused_with_advice(tmp_path: Path) -> None:
    begin(tmp_path)
    with refused(FileFault.FILE_CHANGED) as messages:
        begin(tmp_path, replace(BEGUN, sha256="cd" * 32))
    assert "--restart" in messages[0]


@pytest.mark.parametrize(
    "other",
    [
        replace(BEGUN, is_snapshot=True),
        replace(BEGUN, target=Target.POPULATION),
        replace(BEGUN, columns=(0, 2, None, 1)),
    ],
)
def test_other_options_are_refused_with_advice(tmp_path: Path, other: Begun) -> None:
    begin(tmp_path)
    with refused(FileFault.IMPORT_DIFFERS) as messages:
        begin(tmp_path, other)
    assert "--restart" in messages[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format": 1, "begun": {}}',
        b'{"format": 1, "begun": 3}',
        b"[" * 10_000,
        b" " * 100_000,
    ],
)
def test_progress_that_cannot_be_read_is_refused_with_advice(
    tmp_path: Path, content: bytes
) -> None:
    path_for(tmp_path / "book.csv").write_bytes(content)
    with refused(FileFault.PROGRESS_UNREADABLE) as messages:
        begin(tmp_path)
    assert "--restart" in messages[0]


@pytest.mark.parametrize("batch_rows", [0, -1, 5_001, 10**12])
def test_a_number_of_rows_that_no_batch_has_is_refused(tmp_path: Path, batch_rows: int) -> None:
    begin(tmp_path, batch_rows=batch_rows)
    with refused(FileFault.PROGRESS_UNREADABLE):
        begin(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("batch_rows", 1e999), ("import_id", 5)])
def test_a_value_of_another_kind_is_refused(tmp_path: Path, name: str, value: object) -> None:
    begin(tmp_path)
    path = path_for(tmp_path / "book.csv")
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with refused(FileFault.PROGRESS_UNREADABLE):
        begin(tmp_path)


def test_a_pipe_in_the_place_of_progress_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(path_for(tmp_path / "book.csv"))
    with refused(FileFault.PROGRESS_UNREADABLE):
        begin(tmp_path)


def test_a_device_without_an_end_in_the_place_of_progress_is_refused(tmp_path: Path) -> None:
    path_for(tmp_path / "book.csv").symlink_to("/dev/zero")
    with refused(FileFault.PROGRESS_UNREADABLE):
        begin(tmp_path)


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    with refused(FileFault.FILE_UNREADABLE):
        begin(tmp_path / "absent")
