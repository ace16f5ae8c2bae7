"""The manifest of a backup is believed only in its one form, and its paths stay inside."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.storage.backup_manifest import (
    BackupError,
    BackupFile,
    BackupManifest,
    format_sealed,
    parse_sealed,
)

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SEAL = b"0123456789abcdef"
FILE = BackupFile(path="base/1/112", size_bytes=8192, sha256="ab" * 32)
MANIFEST = BackupManifest(
    backup_id="20260501T120000Z-0a1b2c3d",
    began_at=AT,
    ended_at=AT,
    start_lsn="1/FF000028",
    stop_lsn="2/0",
    timeline=1,
    archive_mark="0123456789abcdef",
    schema_version="0022",
    key_ids=[1, 2],
    directories=["base", "base/1"],
    files=[FILE],
)


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(format_sealed(MANIFEST, SEAL))
    return made


def refused(content: bytes) -> bool:
    with pytest.raises(BackupError, match="not the manifest of a backup"):
        parse_sealed(content, origin="here")
    return True


def test_a_manifest_comes_back_as_it_was_written() -> None:
    assert parse_sealed(format_sealed(MANIFEST, SEAL), origin="here") == (MANIFEST, SEAL)


def test_the_first_segment_is_the_one_in_which_the_log_begins() -> None:
    assert MANIFEST.first_segment == 0x1FF


@pytest.mark.parametrize(
    "path",
    [
        *("../keys.json", "/etc/passwd", "base/../../keys.json", "base//1", "./base", "base/1/"),
        *("", ".", "a\0b", "x" * 1025),
    ],
)
def test_a_path_that_leads_out_or_has_two_spellings_is_refused(path: str) -> None:
    of_file, of_directory = document(), document()
    of_file["manifest"]["files"][0]["path"] = path
    of_directory["manifest"]["directories"][0] = path
    assert refused(json.dumps(of_file).encode())
    assert refused(json.dumps(of_directory).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "tar"),
        ("version", 2),
        ("backup_id", "../x"),
        ("began_at", "2026-05-01T12:00:00"),
        ("ended_at", 7),
        ("start_lsn", "1"),
        ("stop_lsn", "0/X"),
        ("timeline", "1"),
        ("archive_mark", "*"),
        ("schema_version", "0022; DROP"),
        ("key_ids", [-1]),
        ("key_ids", [True]),
        ("directories", ["base", "base"]),
        ("directories", ["base/1/112"]),
        ("files", None),
        ("unknown", 1),
    ],
)
def test_any_other_value_is_refused(field: str, value: object) -> None:
    changed = document()
    changed["manifest"][field] = value
    assert refused(json.dumps(changed).encode())


@pytest.mark.parametrize(
    ("field", "value"), [("sha256", "ab"), ("size_bytes", -1), ("size_bytes", 1.5), ("mode", 7)]
)
def test_any_other_value_of_a_file_is_refused(field: str, value: object) -> None:
    changed = document()
    changed["manifest"]["files"][0][field] = value
    assert refused(json.dumps(changed).encode())


def test_what_is_nested_without_end_is_refused() -> None:
    assert refused(b"[" * 1_000_000)
    assert refused(b'{"manifest":' + b'{"a":' * 500_000)


@given(st.binary() | st.text().map(str.encode))
def test_anything_else_is_refused_in_one_way(content: bytes) -> None:
    assert refused(content)


@given(st.integers(min_value=0, max_value=len(format_sealed(MANIFEST, SEAL)) - 1), st.binary())
def test_a_changed_manifest_is_refused_or_is_another(at: int, put: bytes) -> None:
    whole = format_sealed(MANIFEST, SEAL)
    changed = whole[:at] + put + whole[at + 1 :]
    try:
        found = parse_sealed(changed, origin="here")
    except BackupError:
        return
    assert changed == whole or found != (MANIFEST, SEAL) or json.loads(changed) == json.loads(whole)
