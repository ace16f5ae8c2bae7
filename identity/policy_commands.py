"""`identity policy …`: which rules hold, whether new ones would do, and what they would lead to.

Owns the commands. How they print is `policy_tables`'s. Heavy modules are imported inside, so that
`--help` is quick. None needs a database.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity.command_line import StateOption, fail, parse_day, refusals_in_one_line, settings_from
from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.policy import CaseCause

if TYPE_CHECKING:
    from identity.domain.policy import PolicyPack

policy_app = typer.Typer(no_args_is_help=True, help="Policy packs: the dated rules.")


_OnOption = Annotated[
    date | None,
    typer.Option(
        "--on", parser=parse_day, metavar="DAY", help="The day in Viet Nam; today unless set."
    ),
]
_CauseOption = Annotated[
    CaseCause,
    typer.Option(metavar="CAUSE", help=f"Why the case is opened: {', '.join(CaseCause)}."),
]
_FromOption = Annotated[
    date, typer.Option("--from", parser=parse_day, metavar="DAY", help="When the case is opened.")
]
_ActivatedOption = Annotated[
    date | None,
    typer.Option(parser=parse_day, metavar="DAY", help="When the contract began, for exemptions."),
]
_PackOption = Annotated[
    list[Path] | None,
    typer.Option("--pack", help="A pack that would apply too; may be repeated.", dir_okay=False),
]
_Files = Annotated[list[Path], typer.Argument(help="Packs, VERSION.toml each.", dir_okay=False)]


@policy_app.command("check")
def check(files: _Files, state: StateOption = None) -> None:
    """Say whether packs can be read, and go together with those that apply now.

    Exit code 2: one cannot be used, or they do not; one line says where and why.
    """
    from identity.policy_files import load_policies  # noqa: PLC0415 - see the module's docstring

    settings = settings_from(state=state)
    with refusals_in_one_line():
        packs = _read(files)
        for pack in packs:
            typer.echo(f"{pack.version}: OK, {pack.series} from {pack.effective_on} on")
        book = load_policies(settings, more=packs)
    days = ", ".join(day.isoformat() for day in book.change_days)
    names = settings.policies.replace(",", ", ")
    typer.echo(f"They go together with {names}. The rules change on {days}.")


@policy_app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(help="One pack, whether it applies or not.")] = None,
    on: _OnOption = None,
    state: StateOption = None,
) -> None:
    """Show one pack, or those that apply on a day: ladders, days, sources, other rules."""
    from identity.policy_files import load_policies, load_policy  # noqa: PLC0415 - as above
    from identity.policy_tables import print_packs  # noqa: PLC0415 - as above

    if name is not None and on is not None:
        fail("a pack says the same on every day: give its name or --on")
    settings = settings_from(state=state)
    with refusals_in_one_line():
        if name is not None:
            packs: Sequence[PolicyPack] = [
                load_policy(name, directory=settings.policies_directory),
            ]
        else:
            day = on or day_of(datetime.now(UTC))
            book = load_policies(settings)
            book.at(_midnight(day))  # refuses a day without rules
            packs = book.in_force(day)
            typer.echo(f"Rules on {day}: {', '.join(pack.version for pack in packs)}\n")
    print_packs(packs)


@policy_app.command("simulate")
def simulate(  # noqa: PLR0913 - each is an option of the command
    *,
    cause: _CauseOption,
    opened_on: _FromOption,
    primary: Annotated[
        bool, typer.Option("--primary", help="The number is a citizen's primary.")
    ] = False,
    activated_on: _ActivatedOption = None,
    pack: _PackOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    state: StateOption = None,
) -> None:
    """Say what would happen to a number, and when, if nobody is late and nobody is verified.

    From midnight on in Viet Nam, under the packs that apply then and later.
    """
    from identity.domain.forecast import forecast  # noqa: PLC0415 - see the module's docstring
    from identity.policy_files import load_policies  # noqa: PLC0415 - as above
    from identity.policy_tables import forecast_json, print_forecast  # noqa: PLC0415 - as above

    settings = settings_from(state=state)
    with refusals_in_one_line():
        found = forecast(
            load_policies(settings, more=_read(pack or [])),
            cause,
            opened_at=_midnight(opened_on),
            is_primary=primary,
            activated_on=activated_on,
        )
    if as_json:
        typer.echo(json.dumps(forecast_json(found), ensure_ascii=False, indent=2))
    else:
        print_forecast(found, cause=cause, opened_on=opened_on)


def _read(files: Sequence[Path]) -> "Sequence[PolicyPack]":
    from identity.policy_files import read_pack  # noqa: PLC0415 - see the module's docstring

    return [read_pack(file) for file in files]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=DAY_ZONE)
