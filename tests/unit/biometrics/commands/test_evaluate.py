"""`biometrics evaluate` writes a page and a JSON file, and shows people only when asked."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from biometrics.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def london(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, each with themselves and with each other, and a picture without a face."""
    root = shared_data / "faces" / "london"
    people = sorted(folder.name for folder in root.iterdir() if folder.is_dir())[:6]
    lines = ["path_a,path_b,mated,set"]
    for index, one in enumerate(people):
        lines.append(f"london/{one}/neutral_front.jpg,london/{one}/smiling_front.jpg,1,x")
        lines += [
            f"london/{one}/neutral_front.jpg,london/{other}/smiling_front.jpg,0,x"
            for other in people[index + 1 :]
        ]
    faceless = min((shared_data / "faces" / "no_face").iterdir()).name
    lines.append(f"london/{people[0]}/neutral_front.jpg,no_face/{faceless},0,x")
    path = tmp_path_factory.mktemp("london") / "pairs.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_report_is_written(london: Path, shared_data: Path, tmp_path: Path) -> None:
    result = run("--pairs", london, "--root", shared_data / "faces", "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report" / "report.json").read_bytes())
    assert (report["mated"], report["non_mated"]) == (6, 15)
    assert report["fta"][0]["fta"]["errors"] == 1
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "data:image" not in page


def test_thumbnails_are_shown_on_request(london: Path, shared_data: Path, tmp_path: Path) -> None:
    result = run(
        "--pairs", london, "--root", shared_data / "faces", "--out", tmp_path, "--thumbnails"
    )
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,') == 2 * (12 + 6)


def test_a_list_without_two_kinds_of_pairs_is_refused(shared_data: Path, tmp_path: Path) -> None:
    one = "london/002/neutral_front.jpg,london/002/smiling_front.jpg,1"
    (tmp_path / "pairs.csv").write_text(f"path_a,path_b,mated\n{one}\n", encoding="utf-8")
    result = run(
        "--pairs", tmp_path / "pairs.csv", "--root", shared_data / "faces", "--out", tmp_path
    )
    assert result.exit_code == 2
    assert "different people" in result.output


def test_an_operating_point_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "point.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("path_a,path_b,mated\na,b,1\n", encoding="utf-8")
    result = run(
        "--pairs",
        tmp_path / "pairs.csv",
        "--out",
        tmp_path,
        "--operating-point",
        tmp_path / "point.json",
    )
    assert result.exit_code == 2
    assert "biometrics-operating-point/1" in result.output
