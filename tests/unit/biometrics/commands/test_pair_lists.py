"""A list that cannot be used ends both commands with one line that begins with a code."""

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from biometrics.cli import app
from biometrics.commands.pair_lists import Refusal
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort, unit_vectors
from biometrics.face.operating_point import DEFAULT

HEADER = "path_a,path_b,mated"
NAMED = f"{HEADER},identity_a,identity_b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs of one person, a picture without a face, a pipe and a way out."""
    folder = tmp_path_factory.mktemp("photographs")
    portrait = Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220))  # type: ignore[no-untyped-call] # scikit-image ships no types
    portrait.save(folder / "a.png")
    portrait.resize((260, 260)).save(folder / "b.png")
    Image.new("RGB", (200, 200), "grey").save(folder / "grey.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    (folder / "out.png").symlink_to("/etc/hostname")
    (folder / "loop.png").symlink_to("loop.png")
    return folder


@pytest.mark.parametrize("command", ["calibrate", "evaluate"])
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", Refusal.PAIRS_INVALID, "lacks the columns"),
        (f"{HEADER}\n", Refusal.PAIRS_INVALID, "no pairs"),
        ("a,b,c\n1,2,3\n", Refusal.PAIRS_INVALID, "lacks the columns"),
        (f"{HEADER}\na.png,\xff,1\n", Refusal.PAIRS_INVALID, "not UTF-8"),
        (f"{HEADER}\na.png,b.png,1\nb.png,a.png,1\n", Refusal.PAIRS_INVALID, "compared twice"),
        (f"{NAMED}\na.png,b.png,0,x,x\n", Refusal.PAIRS_INVALID, "contradicts"),
        (f"{HEADER}\n../a.png,b.png,1\n", Refusal.PAIRS_INVALID, "below the root"),
        (f"{HEADER},portrait_age_years\na.png,b.png,1,old\n", Refusal.PAIRS_INVALID, "years"),
        (f"{HEADER}\na.png,none.png,1\n", Refusal.PHOTOGRAPH_UNREADABLE, "none.png"),
        (f"{HEADER}\na.png,out.png,1\n", Refusal.PHOTOGRAPH_UNREADABLE, "out of the folder"),
        (f"{HEADER}\na.png,pipe.png,1\n", Refusal.PHOTOGRAPH_UNREADABLE, "not a file"),
        (f"{HEADER}\na.png,folder.png,1\n", Refusal.PHOTOGRAPH_UNREADABLE, "not a file"),
        (f"{HEADER}\na.png,loop.png,1\n", Refusal.PHOTOGRAPH_UNREADABLE, "loop.png"),
        (f"{HEADER}\na.png,grey.png,1\n", Refusal.NOTHING_TO_SCORE, "no pair"),
    ],
)
def test_a_bad_list_is_refused_in_one_coded_line(
    command: str, content: str, code: Refusal, said: str, folder: Path, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_bytes(content.encode("latin-1"))
    rest = ["--target-fmr", "0.1"] if command == "calibrate" else ["--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [command, "--pairs", str(pairs), "--root", str(folder), *rest])
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{code}: ")
    assert said in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["calibrate", "--target-fmr", "0.5"], Refusal.TARGET_UNSUPPORTED),
        (["evaluate", "--out", "report"], Refusal.NOTHING_TO_SCORE),
    ],
    ids=["calibrate", "evaluate"],
)
def test_pairs_of_one_kind_are_refused(command: list[str], code: Refusal, folder: Path) -> None:
    pairs = folder / "one_kind.csv"
    pairs.write_text(f"{HEADER}\na.png,b.png,1\n", encoding="utf-8")
    result = CliRunner().invoke(app, [*command, "--pairs", str(pairs)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{code}: ")


def test_a_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["evaluate", "--pairs", str(tmp_path / "none"), "--out", str(tmp_path)]
    )
    assert (result.exit_code, result.stderr) == (
        2,
        f"FILE_UNREADABLE: {tmp_path / 'none'}: No such file or directory\n",
    )


@pytest.mark.parametrize("command", ["calibrate", "evaluate"])
def test_a_folder_of_templates_that_is_none_or_open_is_refused(
    command: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "pairs.csv").write_text(f"{HEADER}\na.png,b.png,1\n", encoding="utf-8")
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    rest = ["--target-fmr", "0.1"] if command == "calibrate" else ["--out", str(tmp_path / "out")]
    for name, said in (("file", "File exists"), ("open", "open to other users: needs mode 0700")):
        options = ["--pairs", tmp_path / "pairs.csv", "--root", folder]
        options += ["--templates", tmp_path / name]
        result = CliRunner().invoke(app, [command, *map(str, options), *rest])
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert line == f"{Refusal.FILE_UNREADABLE}: {tmp_path / name}: {said}"


def test_a_cohort_of_another_length_is_refused_in_one_coded_line(
    folder: Path, tmp_path: Path
) -> None:
    rows = unit_vectors(np.random.default_rng(5).normal(size=(COHORT_IDENTITIES_MIN, 64)))
    cohort = Cohort(vectors=rows.astype(np.float32), model_digest=DEFAULT.model_digest)
    (tmp_path / "cohort").write_bytes(cohort.to_bytes())
    Image.open(folder / "a.png").resize((240, 240)).save(folder / "c.png")
    (tmp_path / "pairs.csv").write_text(f"{HEADER}\na.png,b.png,1\na.png,c.png,0\n")
    options = ["--pairs", tmp_path / "pairs.csv", "--root", folder, "--out", tmp_path / "out"]
    options += ["--cohort", tmp_path / "cohort"]
    result = CliRunner().invoke(app, ["evaluate", *map(str, options)])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("COHORT_INVALID: the cohort has 64 values")
