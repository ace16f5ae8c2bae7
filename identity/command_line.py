"""What every command of `identity …` is made with: options, settings, refusals in one line.

Owns no command. Heavy modules are imported inside functions, so that `--help` is quick.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from identity.domain.calendar_date import YEAR_MAX, YEAR_MIN

StateOption = Annotated[
    Path | None, typer.Option("--state", help="Directory of keys, certificates and data.")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="URL of a PostgreSQL 15 or later.")
]

KEY_RING_VARIABLE = "SUBID_KEY_RING"
"""What `Settings.key_ring` is read from, in any case of letters."""


def settings_from(**given: Any) -> Any:  # noqa: ANN401 - Settings, imported late
    """The settings: what was given on the command line, else the environment, else defaults.

    Keys that came by the environment are taken out of it, so a command reads its settings once: the
    database that it starts has SQL by which its environment can be read (COPY FROM PROGRAM), and
    must never have the keys to its own data.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - see the module's docstring

    from identity.config import Settings  # noqa: PLC0415 - as above

    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        fail("; ".join(": ".join([*map(str, e["loc"][:1]), e["msg"]]) for e in error.errors()))
    for name in [name for name in os.environ if name.upper() == KEY_RING_VARIABLE]:
        del os.environ[name]
    return settings


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
