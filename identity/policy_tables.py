"""How policy packs and forecasts are shown: on the terminal in 80 columns, and as JSON.

Owns words and tables. Knows no file and decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.forecast import Forecast, ForecastStep
from identity.domain.policy import Bilingual, CaseCause, PolicyPack, StepKind, Track

UNCONFIRMED = "! to be confirmed against the gazette"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def print_packs(packs: Sequence[PolicyPack]) -> None:
    """Print what packs say, one after the other."""
    console = _console()
    for pack in packs:
        console.print(_heading(pack), style="bold")
        for track in pack.tracks.values():
            _print_track(console, track)
        _print_sections(console, pack)


def _console() -> Console:
    # A citation in brackets is no markup, and ":id:" is no picture.
    return Console(markup=False, emoji=False, highlight=False)


def _heading(pack: PolicyPack) -> str:
    until = "" if pack.effective_until is None else f" and before {pack.effective_until}"
    retroactive = ", for open cases too" if pack.is_retroactive else ""
    return f"{pack.version} ({pack.series}): from {pack.effective_on} on{until}{retroactive}"


def _print_track(console: Console, track: Track) -> None:
    console.print(f"\n{track.name}: {', '.join(sorted(track.causes)) or 'open cases only'}")
    _print_source(console, track.citation, is_unconfirmed=track.is_unconfirmed)
    table = Table("step", "day", "of a primary", "taken by")
    for row in _rungs(track):
        table.add_row(*row)
    console.print(table)
    console.print(f"Operators have {_length(track.execute_within)} to execute each order.")
    if track.waits_for_notices:
        console.print("A block waits until every notice before it was delivered.")
    for exemption in track.exemptions:
        begin, end = exemption.activated_from, exemption.activated_before
        since = "" if begin is None else f" from {begin} on"
        until = "" if end is None else f" before {end}"
        console.print(f"Exempt are contracts begun{since}{until}: {exemption.citation}")


def _print_source(console: Console, citation: str, *, is_unconfirmed: bool) -> None:
    console.print(citation)
    if is_unconfirmed:
        console.print(UNCONFIRMED, style="yellow")


def _rungs(track: Track) -> Iterator[tuple[str, str, str, str]]:
    """Each rung with its days, notices in one row."""
    due, extra = timedelta(), timedelta()
    rungs: list[tuple[StepKind, timedelta, timedelta, bool]] = []
    for step in track.steps:
        due += step.after
        if step.kind is not StepKind.NOTIFY:
            extra += track.primary_extra
        rungs.append((step.kind, due, due + extra, step.is_by_wave))
    for kind, group in groupby(rungs, key=lambda rung: rung[0]):
        of_kind = list(group)
        days = ", ".join(_days(due) for _, due, _, _ in of_kind)
        primary_days = ", ".join(_days(due) for _, _, due, _ in of_kind)
        # Notices are never a wave's, and every other kind stands once.
        yield kind, days, primary_days, "a wave" if of_kind[0][3] else "the clock"


def _print_sections(console: Console, pack: PolicyPack) -> None:
    for name, source in pack.sources.items():
        console.print(f"\n{name}")
        _print_source(console, source.citation, is_unconfirmed=source.is_unconfirmed)
        table = Table(show_header=False)
        for key, value in _values(getattr(pack, name)).items():
            table.add_row(key, value)
        console.print(table)
    console.print()


def _values(policy: Any) -> Mapping[str, str]:  # noqa: ANN401 - whichever section of a pack
    """What a section sets, by its names; the version stands in the heading."""
    if isinstance(policy, Mapping):
        return {name: _told(value) for name, value in policy.items()}
    told: dict[str, str] = {}
    for each in fields(policy):
        value = getattr(policy, each.name)
        if is_dataclass(value):
            told |= _values(value)
        elif value is not None and each.name != "version":
            told[each.name] = _told(value)
    return told


def _told(value: object) -> str:
    match value:
        case timedelta():
            return _length(value)
        case Bilingual():
            return f"{value.vi}\n{value.en}"
        case frozenset():
            return ", ".join(sorted(map(str, value)))
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def print_forecast(found: Forecast, *, cause: CaseCause, opened_on: date) -> None:
    """Print what a cause leads to."""
    console = _console()
    track = found.track
    if track is None:
        console.print(f"{cause} on {opened_on}: no pack has a ladder for it")
        return
    console.print(f"{cause} on {opened_on}: {track.name} of {track.policy_version}", style="bold")
    _print_source(console, track.citation, is_unconfirmed=track.is_unconfirmed)
    if found.exemption is not None:
        console.print(f"exempt: {found.exemption.citation}")
        return
    table = Table()
    for name in ("day", "on", "step", "executed by", "note"):
        table.add_column(name, no_wrap=name != "note", justify="right" if name == "day" else "left")
    for step in found.steps:
        on = step.at.astimezone(DAY_ZONE)
        table.add_row(
            str((on.date() - opened_on).days),
            _instant(on).removesuffix(" 00:00"),
            step.kind,
            _instant(step.execute_by),
            ";\n".join(_notes(step, track)),
        )
    console.print(table)


def _notes(step: ForecastStep, track: Track) -> Iterator[str]:
    if step.is_by_wave:
        yield "by a wave, no sooner"
    if step.waits_for_notices:
        yield "once the notices were delivered"
    if step.policy_version != track.policy_version:
        yield f"under {step.policy_version}"


def forecast_json(found: Forecast) -> dict[str, object]:
    """The same for programs; instants in Viet Nam's time."""
    track = found.track
    return {
        "track": None if track is None else track.name,
        "policy_version": None if track is None else track.policy_version,
        "citation": None if track is None else track.citation,
        "is_unconfirmed": None if track is None else track.is_unconfirmed,
        "exemption": None if found.exemption is None else found.exemption.citation,
        "steps": [
            {
                "kind": step.kind,
                "at": step.at.astimezone(DAY_ZONE).isoformat(),
                "execute_by": step.execute_by.astimezone(DAY_ZONE).isoformat(),
                "policy_version": step.policy_version,
                "is_by_wave": step.is_by_wave,
                "waits_for_notices": step.waits_for_notices,
            }
            for step in found.steps
        ],
    }


def _days(length: timedelta) -> str:
    whole, rest = divmod(length, _DAY)
    return f"{whole} + {rest / _HOUR:g} h" if rest else str(whole)


def _length(length: timedelta) -> str:
    """A length of time in the unit that it is told in."""
    for unit, name in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if length > unit and not length % unit:
            return f"{length // unit} {name}"
    return f"{length.total_seconds():g} s"


def _instant(at: datetime) -> str:
    return at.astimezone(DAY_ZONE).strftime("%Y-%m-%d %H:%M")
