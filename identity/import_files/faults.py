"""What can be wrong with a file, each with a stable code.

Owns the codes. Values of the file never stand in a message: they are personal data.
"""

from enum import StrEnum


class FileFault(StrEnum):
    """Why a file, or what lies beside it, cannot be used."""

    FILE_UNREADABLE = "FILE_UNREADABLE"
    FILE_COMPRESSED = "FILE_COMPRESSED"
    FILE_EMPTY = "FILE_EMPTY"
    FILE_NOT_UTF8 = "FILE_NOT_UTF8"
    FILE_MALFORMED = "FILE_MALFORMED"
    FILE_CHANGED = "FILE_CHANGED"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    ROW_TOO_LARGE = "ROW_TOO_LARGE"
    COLUMN_MISSING = "COLUMN_MISSING"
    COLUMN_UNKNOWN = "COLUMN_UNKNOWN"
    COLUMN_TWICE = "COLUMN_TWICE"
    COLUMN_ILL_TYPED = "COLUMN_ILL_TYPED"
    SNAPSHOT_OF_REJECTS = "SNAPSHOT_OF_REJECTS"
    IMPORT_DIFFERS = "IMPORT_DIFFERS"
    PROGRESS_UNREADABLE = "PROGRESS_UNREADABLE"


class ImportFileError(Exception):
    """A file that cannot be imported as it is; one line that says why.

    Attributes:
        fault: What is wrong.
    """

    def __init__(self, fault: FileFault, message: str) -> None:
        super().__init__(f"{fault}: {message}")
        self.fault = fault
