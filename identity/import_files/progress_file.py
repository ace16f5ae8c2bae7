"""Remembers beside a file that its import was begun, so that the same command goes on with it.

Owns the file `FILE.subid-import.json`. It holds no row: a name of the import, and what it was begun
with.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from identity.import_files.columns import Target
from identity.import_files.faults import FileFault, ImportFileError
from identity.state_directory import read_whole, write_whole

SUFFIX = ".subid-import.json"
FORMAT = 1
BATCH_ROWS_MAX = 5_000
"""The most that the contract allows."""

_BYTES_MAX = 64 * 1024
"""Of the file: with 1,000 columns it has some 10 KB."""

_ADVICE = "--restart begins a new import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What an import is begun with; the same import has the same.

    Attributes:
        target: What is imported.
        is_snapshot: Whether the file is all that its sender holds.
        sha256: Digest of the file, hexadecimal.
        columns: The column of the file, by place, for each column of the import.
        said: What else is sent with each batch, such as the grounds of a matching.
    """

    target: Target
    is_snapshot: bool
    sha256: str
    columns: tuple[int | None, ...]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import under way.

    Attributes:
        import_id: The request_id of its batches.
        batch_rows: Rows of a batch: a batch that is sent again must hold the same.
        begun: What it was begun with.
    """

    import_id: str
    batch_rows: int
    begun: Begun


def path_for(file: Path) -> Path:
    """Where the progress of a file's import is kept."""
    return file.with_name(file.name + SUFFIX)


def begin_or_go_on(file: Path, begun: Begun, *, batch_rows: int, is_restart: bool) -> Import:
    """The import of a file that was begun before, or a new one, which is on disk on return.

    Args:
        file: The file.
        begun: What it is imported with now.
        batch_rows: Rows of a batch, if it is a new one.
        is_restart: Forget the one that was begun.

    Raises:
        ImportFileError: One was begun with something else, or its progress cannot be read or kept.
    """
    path = path_for(file)
    if not is_restart and (earlier := _read(path)) is not None:
        _refuse_differences(file, earlier.begun, begun)
        return earlier
    new = Import(import_id=str(uuid4()), batch_rows=batch_rows, begun=begun)
    content = json.dumps({"format": FORMAT, **asdict(new)}, indent=2).encode()
    try:
        write_whole(path, content, mode=0o600, may_replace=True)
    except OSError as error:
        raise ImportFileError(
            FileFault.FILE_UNREADABLE, f"{path} cannot be written: {error.strerror}"
        ) from error
    return new


def forget(file: Path) -> None:
    """The import is done."""
    path_for(file).unlink(missing_ok=True)


def _read(path: Path) -> Import | None:
    try:
        return _parsed(json.loads(read_whole(path, bytes_max=_BYTES_MAX)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImportFileError(
            FileFault.PROGRESS_UNREADABLE, f"{path} cannot be read; {_ADVICE}"
        ) from error


def _parsed(read: Any) -> Import:  # noqa: ANN401 - whatever JSON holds
    begun = read["begun"]
    # Files from before a matching could be begun do not have `said`.
    if read["format"] != FORMAT or {*begun, "said"} != {field.name for field in fields(Begun)}:
        raise ValueError("of another version")
    batch_rows = read["batch_rows"]
    if not isinstance(batch_rows, int) or not 1 <= batch_rows <= BATCH_ROWS_MAX:
        raise ValueError("no number of rows")
    return Import(
        import_id=str(UUID(str(read["import_id"]))),
        batch_rows=batch_rows,
        begun=Begun(
            target=Target(begun["target"]),
            is_snapshot=bool(begun["is_snapshot"]),
            sha256=str(begun["sha256"]),
            columns=tuple(begun["columns"]),
            said=tuple(map(str, begun.get("said", ()))),
        ),
    )


def _refuse_differences(file: Path, earlier: Begun, now: Begun) -> None:
    if earlier.sha256 != now.sha256:
        raise ImportFileError(
            FileFault.FILE_CHANGED,
            f"{file} changed since its import was begun: put the old file back; {_ADVICE}",
        )
    if earlier != now:
        sort = "a snapshot" if earlier.is_snapshot else "a delta"
        raise ImportFileError(
            FileFault.IMPORT_DIFFERS,
            f"the import of {file} was begun as {sort} of {earlier.target}, or with other columns "
            f"or grounds: give the same options; {_ADVICE}",
        )
