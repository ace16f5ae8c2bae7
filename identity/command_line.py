"""What every command of `identity …` is made with: options, settings, refusals in one line.

Owns no command. Heavy modules are imported inside functions, so that `--help` is quick.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

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
        fail("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors()))
    for name in [name for name in os.environ if name.upper() == KEY_RING_VARIABLE]:
        del os.environ[name]
    return settings


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """What an administrator can put right is said in one line; anything else keeps its trace."""
    from identity.domain.errors import DomainError  # noqa: PLC0415 - see the module's docstring
    from identity.domain.policy import PolicyPackError  # noqa: PLC0415 - as above
    from identity.state_directory import StateError  # noqa: PLC0415 - as above

    try:
        yield
    except (OSError, DomainError, StateError, PolicyPackError) as error:
        fail(str(error))


def fail(message: str, *, exit_code: int = 2) -> Any:  # noqa: ANN401 - never returns
    """End the command with one line on stderr."""
    # A pattern such as [a-z] is no markup, and one line stays one however wide the terminal is.
    Console(stderr=True, soft_wrap=True).print(
        f"error: {message}", style="red", highlight=False, markup=False
    )
    raise typer.Exit(exit_code)
