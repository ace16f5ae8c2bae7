"""`identity policy …` as whoever writes or reads packs uses it."""

import json
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.policy_tables import UNCONFIRMED

Run = Callable[..., Result]

SHIPPED = "vn-2026-04-15"
TEXT = (resources.files("identity.policies") / f"{SHIPPED}.toml").read_text("utf-8")
OWN = "own-2026-06-01"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `identity policy …` with a state directory of its own, on a terminal of 80 columns."""

    def invoke(*arguments: str) -> Result:
        options = ("--state", str(tmp_path))
        result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["policy", *arguments, *options])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        is_table = arguments[0] != "check" and "--json" not in arguments
        assert not is_table or all(len(line) <= 80 for line in result.stdout.splitlines())
        return result

    return invoke


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a pack that follows the shipped one, with changes; gives its file."""

    def put(*changes: tuple[str, str], version: str = OWN, folder: str = "") -> str:
        text = TEXT.replace(f'version = "{SHIPPED}"', f'version = "{version}"')
        text = text.replace("effective_on = 2026-04-15", "effective_on = 2026-06-01")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / folder / f"{version}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return put


def refusal(result: Result) -> str:
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


# check


def test_a_pack_that_may_follow_is_said_to_be_sound(run: Run, write: Callable[..., str]) -> None:
    done = run("check", write())
    assert done.exit_code == 0
    assert f"{OWN}: OK" in done.stdout
    assert "2026-04-15, 2026-06-01" in done.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("after_hours = 1440", "after_hours = nan"), "tracks.T2.steps[6].after_hours must be a"),
        (("cured_share_max = 0.2", "cured_share = 0.2"), "waves: unknown cured_share"),
        (('series = "vn-', 'series = "own-'), f"on 2026-06-01 {SHIPPED} and {OWN} both have"),
        (("effective_on = 2026-06-01", "effective_on = 2026-04-15"), "both begin on 2026-04-15"),
        (('"disowned"', '"sim_swap"'), "on 2026-06-01 cause disowned needs one track, has none"),
        (("tracks.T3", "tracks.T4"), f"vn-decree-49-2017 and {OWN} both have a track T4"),
        (
            (
                "effective_on = 2026-06-01",
                "effective_on = 2026-06-01\neffective_until = 2026-07-01",
            ),
            "on 2026-07-01 no pack says how holders are verified",
        ),
    ],
)
def test_a_pack_that_would_not_do_is_refused_in_one_line_that_names_the_place(
    run: Run, write: Callable[..., str], change: tuple[str, str], says: str
) -> None:
    assert says in refusal(run("check", write(change)))


def test_a_retroactive_pack_with_other_steps_is_refused(
    run: Run, write: Callable[..., str]
) -> None:
    file = write(
        ("effective_on = 2026-06-01", "effective_on = 2026-06-01\nretroactive = true"),
        ('  { kind = "suspend", after_hours = 1440 },\n', ""),
    )
    says = f"{OWN} is retroactive, so it needs a track T2 with the kinds of steps that {SHIPPED}"
    assert says in refusal(run("check", file))
    assert "two packs have the version" in refusal(run("check", write(), write()))


def test_a_file_of_another_name_one_that_is_no_pack_and_none_are_refused(
    run: Run, write: Callable[..., str], tmp_path: Path
) -> None:
    renamed = Path(write()).rename(tmp_path / "new.toml")
    assert f"its name must be {OWN}.toml" in refusal(run("check", str(renamed)))
    renamed.write_text("version =")
    assert "not TOML" in refusal(run("check", str(renamed)))
    none = str(tmp_path / "none.toml")
    assert refusal(run("check", none)) == f"error: {none}: No such file or directory"
    nowhere = f"error: no pack none comes with the service, nor in {tmp_path / 'policies'}"
    assert refusal(run("show", "none")) == nowhere
    shipped = write(version=SHIPPED)
    assert "comes with the service: give it another name" in refusal(run("check", shipped))


def test_a_draft_is_checked_in_the_place_of_the_one_that_lies_there(
    run: Run, write: Callable[..., str]
) -> None:
    write(folder="policies")
    assert run("check", write(("= 0.40", "= 0.41"))).exit_code == 0


# show


def test_the_rules_of_a_day_are_shown_with_their_sources_and_marks(run: Run) -> None:
    done = run("show", "--on", "2026-05-01")
    assert done.exit_code == 0
    shown = done.stdout
    assert shown.startswith(f"Rules on 2026-05-01: vn-decree-49-2017, {SHIPPED}\n")
    for track in ("T1: ", "T2: ", "T3: ", "T4: "):
        assert f"\n{track}" in shown
    # T2, T3 and T4; verification, holders, numbers, disputes, primary, arrangements, privacy and
    # presence.
    assert shown.count(UNCONFIRMED) == 11
    (row,) = [line for line in shown.splitlines() if "suspend" in line and "65" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        *("suspend", "65", "75", "the clock")
    ]
    assert "Circular 08/2026/TT-BKHCN, device change" in shown
    assert "45 days" in shown
    assert "0.4 " in shown
    assert "10 min" in shown


def test_words_lists_and_days_of_a_section_are_shown_whole(run: Run) -> None:
    shown = " ".join(run("show", SHIPPED).stdout.replace("│", " ").split())
    pack = tomllib.loads(TEXT)
    for words in ("vi", "en"):
        assert pack["messages"]["lock_changed"][words] in shown
    assert ", ".join(sorted(pack["arrangements"]["guardian_acts"])) in shown
    assert ", ".join(map(str, pack["privacy"]["holidays"])) in shown


def test_without_a_day_the_rules_of_today_are_shown(run: Run) -> None:
    assert run("show").stdout.startswith("Rules on 20")


def test_one_pack_is_shown_whether_it_applies_or_not(run: Run, write: Callable[..., str]) -> None:
    write(
        ("effective_on = 2026-06-01", "effective_on = 2026-06-01\nretroactive = true"),
        ("after_hours = 24, by_wave = true", "after_hours = 24"),
        (
            '{ kind = "suspend", after_hours = 1440 }',
            '{ kind="suspend", after_hours=37.5, by_wave=true }',
        ),
        ('citation = "Circular 08/2026/TT-BKHCN, numbers', 'citation = "[bold] :id: numbers'),
        (
            "# Ours, not the law's: a citizen's main number is the last to go dark.",
            'exempt = [{ activated_from = 2026-04-15, citation = "Verified at the start." }]',
        ),
        folder="policies",
    )
    shown = run("show", OWN).stdout
    heading = f"{OWN} (vn-subscriber-verification): from 2026-06-01 on, for open cases too"
    assert " ".join(shown.split()).startswith(heading)
    assert "[bold] :id: numbers" in shown
    assert "Exempt are contracts begun from 2026-04-15 on: Verified at the start." in shown
    (row,) = [line for line in shown.splitlines() if "a wave" in line]
    assert "6 + 13.5 h" in row
    assert "T4" not in shown
    assert OWN not in run("show", "--on", "2026-07-01").stdout


def test_a_day_without_rules_an_unknown_pack_and_both_at_once_are_refused(run: Run) -> None:
    says = "on 2020-01-01 no pack says how holders are verified"
    assert says in refusal(run("show", "--on", "2020-01-01"))
    assert "none-1" in refusal(run("show", "none-1"))
    assert "give its name or --on" in refusal(run("show", SHIPPED, "--on", "2026-05-01"))


@pytest.mark.parametrize("day", ["2026-02-29", "1 May", "1899-12-31", "9999-12-31", ""])
def test_a_day_that_is_none_is_refused(run: Run, day: str) -> None:
    assert run("show", "--on", day).exit_code == 2
    assert run("simulate", "--cause", "unverified", "--from", day).exit_code == 2


# simulate


def steps_of(done: Result) -> list[tuple[str, str]]:
    assert done.exit_code == 0
    return [(step["kind"], step["at"][:16]) for step in json.loads(done.stdout)["steps"]]


def simulate(run: Run, *arguments: str) -> Result:
    return run("simulate", "--cause", "unverified", *arguments)


def test_every_step_is_told_with_its_day(run: Run) -> None:
    shown = simulate(run, "--from", "2026-05-01").stdout
    assert shown.startswith(f"unverified on 2026-05-01: T2 of {SHIPPED}\n")
    assert UNCONFIRMED in shown
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in shown.splitlines()
        if "2026-" in line and "│" in line
    ]
    assert [row[:4] for row in rows[-3:]] == [
        ["5", "2026-05-06", "block_outgoing", "2026-05-07 00:00"],
        ["65", "2026-07-05", "suspend", "2026-07-06 00:00"],
        ["70", "2026-07-10", "terminate", "2026-07-11 00:00"],
    ]
    assert [row[2] for row in rows[:5]] == ["notify"] * 5
    assert "once the notices" in shown


def test_a_leap_day_and_the_end_of_a_year_are_days_like_others(run: Run) -> None:
    leap = steps_of(simulate(run, "--from", "2028-02-25", "--json"))
    assert [at for _, at in leap[3:6]] == [
        *("2028-02-28T00:00", "2028-02-29T00:00", "2028-03-01T00:00")
    ]
    year = steps_of(simulate(run, "--from", "2026-12-30", "--json"))
    assert [at for _, at in year[1:3]] == ["2026-12-31T00:00", "2027-01-01T00:00"]


def test_a_primary_goes_later(run: Run) -> None:
    primary = steps_of(simulate(run, "--from", "2026-05-01", "--primary", "--json"))
    assert primary[5:] == [
        ("block_outgoing", "2026-05-11T00:00"),
        ("suspend", "2026-07-15T00:00"),
        ("terminate", "2026-07-25T00:00"),
    ]


def test_a_device_change_is_a_matter_of_hours(run: Run) -> None:
    done = run("simulate", "--cause", "device_change", "--from", "2026-05-01", "--json")
    told = json.loads(done.stdout)
    assert (told["track"], told["policy_version"], told["is_unconfirmed"]) == ("T1", SHIPPED, False)
    assert told["steps"][1] == {
        "kind": "block_outgoing",
        "at": "2026-05-01T00:00:00+07:00",
        "execute_by": "2026-05-01T02:00:00+07:00",
        "policy_version": SHIPPED,
        "is_by_wave": False,
        "waits_for_notices": False,
    }


def test_a_pack_that_is_not_in_force_yet_is_tried_with_its_waves_and_for_open_cases(
    run: Run, write: Callable[..., str]
) -> None:
    file = write(
        ("effective_on = 2026-06-01", "effective_on = 2026-06-01\nretroactive = true"),
        ("after_hours = 24, by_wave = true", "after_hours = 24"),
        ('"suspend", after_hours = 1440', '"suspend", after_hours = 720, by_wave = true'),
    )
    without = simulate(run, "--from", "2026-05-01", "--json")
    assert steps_of(without)[6] == ("suspend", "2026-07-05T00:00")
    shown = simulate(run, "--from", "2026-05-01", "--pack", file)
    assert shown.exit_code == 0
    assert "by a wave, no sooner;" in shown.stdout
    assert f"under {OWN}" in shown.stdout
    tried = simulate(run, "--from", "2026-05-01", "--pack", file, "--json")
    assert steps_of(tried)[5:] == [
        ("block_outgoing", "2026-05-06T00:00"),
        ("suspend", "2026-06-05T00:00"),
        ("terminate", "2026-06-10T00:00"),
    ]
    assert [step["policy_version"] for step in json.loads(tried.stdout)["steps"][5:]] == [
        *(SHIPPED, OWN, OWN)
    ]


def test_whoever_is_exempt_and_what_has_no_ladder_is_told(
    run: Run, write: Callable[..., str]
) -> None:
    file = write(
        (
            "# Ours, not the law's: a citizen's main number is the last to go dark.",
            'exempt = [{ activated_from = 2026-04-15, citation = "Verified at the start." }]',
        )
    )
    options = ("--from", "2026-07-01", "--pack", file, "--activated-on", "2026-04-15")
    assert "exempt: Verified at the start." in simulate(run, *options).stdout
    told = json.loads(simulate(run, *options, "--json").stdout)
    assert (told["track"], told["exemption"], told["steps"]) == ("T2", "Verified at the start.", [])
    nowhere = ("simulate", "--cause", "sim_swap", "--from", "2026-07-01")
    assert run(*nowhere).stdout == "sim_swap on 2026-07-01: no pack has a ladder for it\n"
    assert json.loads(run(*nowhere, "--json").stdout)["track"] is None


def test_what_cannot_be_simulated_is_refused(run: Run, write: Callable[..., str]) -> None:
    assert "on 2020-01-01 no pack says" in refusal(simulate(run, "--from", "2020-01-01"))
    broken = write(("= 0.40", "= 0.7"))
    assert "face_dissimilarity_max" in refusal(
        simulate(run, "--from", "2026-05-01", "--pack", broken)
    )
    assert run("simulate", "--cause", "none", "--from", "2026-05-01").exit_code == 2
    assert simulate(run).exit_code == 2
