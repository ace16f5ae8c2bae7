"""What every command of `identity …` is made with: options, settings, refusals in one line.

Owns no command. Heavy modules are imported inside functions, so that `--help` is quick.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from identity.domain.calendar_date import YEAR_MAX, YEAR_MIN

if TYPE_CHECKING:
    from identity.config_file import LoadedSettings

StateOption = Annotated[
    Path | None, typer.Option("--state", help="Directory of keys, certificates and data.")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="URL of a PostgreSQL 15 or later.")
]

KEY_RING_VARIABLE = "SUBID_KEY_RING"
"""What `Settings.key_ring` is read from, in any case of letters."""


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="File of settings, TOML; else SUBID_CONFIG names it."),
]

_config_file: ContextVar[Path | None] = ContextVar("subid_config_file", default=None)
"""What `--config` of the command that runs says."""


def settings_from(**given: Any) -> Any:  # noqa: ANN401 - Settings, imported late
    """The settings: given on the command line, else the environment, else the file, else defaults.

    Keys that came by the environment are taken out of it, so a command reads its settings once: the
    database that it starts has SQL by which its environment can be read (COPY FROM PROGRAM), and
    must never have the keys to its own data.
    """
    return loaded_settings(**given).settings


def loaded_settings(**given: Any) -> "LoadedSettings":  # noqa: ANN401 - as settings_from
    """`settings_from`, with where each of them came from."""
    from identity.config_file import (  # noqa: PLC0415 - see the module's docstring
        SettingsError,
        load_settings,
    )

    said = {name: value for name, value in given.items() if value is not None}
    try:
        loaded = load_settings(said, file=_config_file.get())
    except SettingsError as error:
        return fail(str(error))  # type: ignore[no-any-return] # it never returns
    for name in [name for name in os.environ if name.upper() == KEY_RING_VARIABLE]:
        del os.environ[name]
    return loaded


def offer_config(app: typer.Typer) -> None:
    """Give `--config` to every command that takes settings: that is, to each with `--state`.

    Here and not at each of them, so that none is forgotten.
    """
    for group in app.registered_groups:
        if group.typer_instance is not None:
            offer_config(group.typer_instance)
    for command in app.registered_commands:
        callback = command.callback
        if callback is not None and "state" in inspect.signature(callback).parameters:
            command.callback = _with_config(callback)


def _with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with one more option, which its settings are read from."""

    @wraps(command)
    def run(*, config: Path | None = None, **given: Any) -> Any:  # noqa: ANN401 - any command's
        before = _config_file.set(config)
        try:
            return command(**given)
        finally:
            _config_file.reset(before)

    signature = inspect.signature(command)
    option = inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigOption
    )
    # Where typer looks for the options that a command has.
    run.__signature__ = signature.replace(  # type: ignore[attr-defined] # read by inspect (PEP 362)
        parameters=[*signature.parameters.values(), option]
    )
    run.__annotations__ = {**command.__annotations__, "config": ConfigOption}
    return run


def parse_day(text: str) -> date:
    """A day given as an option.

    Raises:
        BadParameter: It is none, or of a year that no day can have.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("it must be a day such as 2026-05-01") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise typer.BadParameter(f"the year must be {YEAR_MIN} to {YEAR_MAX}")
    return day


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """What an administrator can put right is said in one line; anything else keeps its trace."""
    from identity.domain.errors import (  # noqa: PLC0415 - see the module's docstring
        DomainError,
        RequestInvalidError,
    )
    from identity.domain.policy import PolicyPackError  # noqa: PLC0415 - as above
    from identity.state_directory import StateError  # noqa: PLC0415 - as above

    try:
        yield
    except RequestInvalidError as error:
        fail("; ".join(f"{fault.field}: {fault.description}" for fault in error.violations))
    except OSError as error:
        is_of_file = error.filename is not None and error.strerror is not None
        fail(f"{error.filename}: {error.strerror}" if is_of_file else str(error))
    except (DomainError, StateError, PolicyPackError) as error:
        fail(str(error))


def fail(message: str, *, exit_code: int = 2) -> Any:  # noqa: ANN401 - never returns
    """End the command with one line on stderr."""
    # A pattern such as [a-z] is no markup, and one line stays one however wide the terminal is.
    Console(stderr=True, soft_wrap=True).print(
        f"error: {message}", style="red", highlight=False, markup=False
    )
    raise typer.Exit(exit_code)
