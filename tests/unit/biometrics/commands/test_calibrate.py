"""`biometrics calibrate` writes a signed operating point, or says why there is none."""

import json
from pathlib import Path

import pytest
import skimage.data
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from PIL import Image
from typer.testing import CliRunner, Result

from biometrics.cli import app
from biometrics.face.operating_point_file import from_json

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["calibrate", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person in two pictures, and a list that calls a third another person."""
    folder = tmp_path_factory.mktemp("astronaut")
    portrait = Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220))  # type: ignore[no-untyped-call] # scikit-image ships no types
    for name, side in (("one", 220), ("two", 300), ("three", 260)):
        portrait.resize((side, side)).save(folder / f"{name}.png")
    (folder / "pairs.csv").write_text(
        "path_a,path_b,mated\none.png,two.png,1\none.png,three.png,0\n", encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def london(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people, each with themselves and with each other."""
    root = shared_data / "faces" / "london"
    people = sorted(folder.name for folder in root.iterdir() if folder.is_dir())[:12]
    lines = ["path_a,path_b,mated,half"]
    for index, one in enumerate(people):
        lines.append(f"{one}/neutral_front.jpg,{one}/smiling_front.jpg,1,{index % 2}")
        lines += [
            f"{one}/neutral_front.jpg,{other}/smiling_front.jpg,0,{index % 2}"
            for other in people[index + 1 :]
        ]
    path = tmp_path_factory.mktemp("london") / "pairs.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_signed_operating_point_comes_out(
    london: Path, shared_data: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    out = tmp_path / "point.json"
    root = shared_data / "faces" / "london"
    result = run(
        "--pairs", london, "--root", root, "--target-fmr", 0.05, "--out", out, "--sign-key", key
    )
    assert result.exit_code == 0, result.output
    point = from_json(out.read_bytes(), trusted_key=KEY.public_key())
    assert point.evidence is not None
    assert (point.evidence.fmr.trials, point.evidence.fnmr.trials) == (66, 12)
    assert point.evidence.fmr.rate is not None
    assert point.evidence.fmr.rate <= 0.05
    assert "people unseen" in result.output
    assert not point.satisfies(fmr_max=1e-4, fnmr_max=0.05)


def test_a_target_the_pairs_cannot_support_is_refused(astronaut: Path) -> None:
    result = run("--pairs", astronaut / "pairs.csv", "--target-fmr", "1e-4")
    assert result.exit_code == 2
    assert "needs 30000 pairs of different people" in result.output


def test_too_few_people_make_no_cohort(astronaut: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    result = run("--pairs", astronaut / "pairs.csv", "--target-fmr", "0.1", "--make-cohort", cohort)
    assert result.exit_code == 2
    assert "300 are needed" in result.output
    assert not cohort.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target-fmr", "0"], "within 0 and 1"),
        (["--target-fmr", "0.1", "--review-fmr", "0.01"], "review FMR"),
        (["--target-fmr", "0.1", "--review-fmr", "0"], "review FMR"),
        (["--target-fmr", "0.1", "--cohort", "absent"], "No such file"),
        (["--target-fmr", "0.1", "--sign-key", "absent"], "No such file"),
        (["--target-fmr", "0.1", "--cohort", "a", "--make-cohort", "b"], "exclude each other"),
    ],
)
def test_options_that_cannot_be_used_are_refused(
    astronaut: Path, options: list[str], said: str
) -> None:
    result = run("--pairs", astronaut / "pairs.csv", *options)
    assert result.exit_code == 2
    assert said in result.output


def test_files_that_are_something_else_are_refused(astronaut: Path) -> None:
    other = astronaut / "one.png"
    for option in ("--cohort", "--sign-key"):
        pairs = astronaut / "pairs.csv"
        result = run("--pairs", pairs, "--target-fmr", "0.1", option, other)
        assert result.exit_code == 2
        assert "not a" in result.output
    result = run("--pairs", other, "--target-fmr", "0.1")
    assert result.exit_code == 2
    assert "UTF-8" in result.output


def test_a_photograph_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("path_a,path_b,mated\nx.png,y.png,1\n", encoding="utf-8")
    result = run("--pairs", tmp_path / "pairs.csv", "--target-fmr", "0.1")
    assert result.exit_code == 2
    assert "x.png" in result.output


def test_the_operating_point_is_printed_without_a_file(london: Path, shared_data: Path) -> None:
    root = shared_data / "faces" / "london"
    result = run("--pairs", london, "--root", root, "--target-fmr", 0.1)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["signature"] is None


@pytest.mark.parametrize("option", ["--make-cohort", "--out"])
def test_a_missing_folder_is_refused_before_the_work_begins(tmp_path: Path, option: str) -> None:
    # There is no list either: whoever read it first would complain of that.
    wanted = tmp_path / "absent" / "file"
    result = run("--pairs", tmp_path / "none.csv", "--target-fmr", "0.1", option, wanted)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line == f"FILE_UNREADABLE: {wanted}: its folder is missing or closed"
