"""The file that settings may be written in, and where each setting in force came from.

Owns reading it (TOML, a regular file that nobody else can write, its owner's alone where it holds a
secret) and the order of the sources: command line, environment, file, defaults. What a setting
means is `Settings`'. A value of the file must have the very type of its setting; what is wrong is
told with its key and the file, and never with its value.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, create_model
from pydantic_settings import EnvSettingsSource

from identity.config import Settings
from identity.state_directory import (
    ForeignFileError,
    StateError,
    read_whole,
    refuse_foreign_file,
)

FILE_VARIABLE = "SUBID_CONFIG"
"""Names the file in the environment, in any case of letters as every setting."""

FILE_BYTES_MAX = 64 * 1024
"""Every setting at its longest fits several times."""

MASK = "********"
"""Stands for a secret."""

COMMAND_LINE, ENVIRONMENT, DEFAULT = "command line", "environment", "default"
"""Where a setting may come from, beside a file, which is told by its path."""

_PASSWORDS = (re.compile(r"([?&]password=)[^&]*()"), re.compile(r"(://[^:/?#]*:).*(@)"))
"""Where a URL holds one: in its query, and before its host. In this order: what is masked already
has no @ that the second could take for that before the host."""


class SettingsError(StateError):
    """Settings that cannot be used; the message names each key, and the file if it stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings in force.

    Attributes:
        settings: They.
        file: The file that was read, if any.
        origins: Where each of them came from: `COMMAND_LINE`, `ENVIRONMENT`, the file's path or
            `DEFAULT`, by name.
    """

    settings: Settings
    file: Path | None
    origins: Mapping[str, str]

    def shown(self) -> dict[str, Any]:
        """Every setting as it may be seen, by name: paths as text, secrets as `MASK`."""
        return {name: _shown(getattr(self.settings, name)) for name in Settings.model_fields}


def load_settings(given: Mapping[str, Any], *, file: Path | None = None) -> LoadedSettings:
    """The settings: what was given, else the environment, else a file, else defaults.

    Args:
        given: What the command line says.
        file: The file; None takes the one that the environment names, if it names any.

    Raises:
        SettingsError: One of them is not what it must be, or the file cannot be used.
    """
    path = file or _named_file()
    sources: dict[str, Mapping[str, Any]] = {
        COMMAND_LINE: given,
        ENVIRONMENT: EnvSettingsSource(Settings)(),
    }
    if path is not None:
        sources[str(path)] = read_settings_file(path)
    origins = {
        name: next((origin for origin, values in sources.items() if name in values), DEFAULT)
        for name in Settings.model_fields
    }
    values = {name: value for each in reversed(sources.values()) for name, value in each.items()}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(_told(error, path, origins)) from None
    return LoadedSettings(settings=settings, file=path, origins=origins)


def read_settings_file(path: Path) -> dict[str, Any]:
    """What a file sets, each of the type that its setting has.

    Raises:
        SettingsError: It cannot be read, is no TOML, sets what is no setting or is of another
            type, others may read a secret in it, or somebody else could have written it or put it
            there.
    """
    try:
        refuse_foreign_file(path)
        content = read_whole(path, bytes_max=FILE_BYTES_MAX)
        mode = path.stat().st_mode
        table = tomllib.loads(content.decode("utf-8-sig"))
    except ForeignFileError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8") from error
    except ValueError as error:  # not regular, too large, or no TOML
        raise SettingsError(f"{path}: {error}") from error
    _refuse_open_secrets(path, mode, table)
    try:
        # As JSON: paths and secrets are texts there, and everything else is taken by its very type.
        _file_model().model_validate_json(json.dumps(table, default=str))
    except ValidationError as error:
        raise SettingsError(_told(error, path, dict.fromkeys(table, str(path)))) from None
    return table


def unread_variables(names: Iterable[str]) -> list[str]:
    """Variables that look like settings and are none, such as misspelt ones."""
    known = {f"SUBID_{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
    return sorted(
        name for name in names if name.upper().startswith("SUBID_") and name.upper() not in known
    )


def _named_file() -> Path | None:
    named = [value for name, value in os.environ.items() if name.upper() == FILE_VARIABLE]
    return Path(named[0]) if named and named[0] else None


def _file_model() -> type[BaseModel]:
    """The settings' types, without the sources that `Settings` reads by itself."""
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in Settings.model_fields.items()
    }
    return create_model(
        "SettingsFile", __config__=ConfigDict(extra="forbid", strict=True), **fields
    )


def _refuse_open_secrets(path: Path, mode: int, table: Mapping[str, Any]) -> None:
    secret = [name for name, value in table.items() if _is_secret(name, value)]
    if secret and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(
            f"{path}: {', '.join(secret)}: a secret that others may read: chmod 600 the file"
        )


def _is_secret(name: str, value: object) -> bool:
    field = Settings.model_fields.get(name)
    if field is not None and SecretStr in (field.annotation, *_parts(field.annotation)):
        return True
    return isinstance(value, str) and any(each.search(value) for each in _PASSWORDS)


def _parts(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", ())


def _shown(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, Path):
        return str(value)
    return _masked(value) if isinstance(value, str) else value


def _masked(text: str) -> str:
    for password in _PASSWORDS:
        text = password.sub(rf"\g<1>{MASK}\g<2>", text)
    return text


def _told(error: ValidationError, path: Path | None, origins: Mapping[str, str]) -> str:
    """Every fault in one line; those of the file with its path."""
    return "; ".join(_fault(dict(each), path, origins) for each in error.errors())


def _fault(error: Mapping[str, Any], path: Path | None, origins: Mapping[str, str]) -> str:
    said = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return said  # of several settings together: the message names them
    key = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        near = get_close_matches(key, Settings.model_fields, n=1)
        said = "there is no such setting" + (f"; do you mean {near[0]}?" if near else "")
    place = f"{path}: " if path is not None and origins.get(key) == str(path) else ""
    return f"{place}{key}: {said}"
