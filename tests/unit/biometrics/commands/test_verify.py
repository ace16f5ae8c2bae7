"""`biometrics verify` says what the engine says, in words, in JSON and in its exit code."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner, Result

from biometrics.cli import app
from biometrics.commands.verify import IMAGE_BYTES_READ_MAX
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort, unit_vectors
from biometrics.face.decode import IMAGE_BYTES_MAX
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import to_json
from biometrics.face.plugins.manifest import parse_manifest
from biometrics.face.plugins.registry import embedder_manifest
from biometrics.face.score import ScoreType
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head of skimage's astronaut as a JPEG file."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.jpg"
    Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220)).save(path)  # type: ignore[no-untyped-call] # scikit-image ships no types
    return path


@pytest.fixture(scope="session")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture without a face."""
    path = tmp_path_factory.mktemp("landscape") / "landscape.png"
    Image.fromarray(skimage.data.coins()).save(path)  # type: ignore[no-untyped-call] # as above
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_match_ends_with_zero_and_shows_score_threshold_and_times(portrait: Path) -> None:
    result = run("verify", portrait, portrait)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:4] == [
        "result              match",
        "score               distance, lower is more alike",
        "comparison score    0.0000",
        f"decision threshold  {DEFAULT.decision_threshold:.4f}",
    ]
    for stage in ("decode", "embed"):
        assert stage in result.output


def test_a_photograph_of_somebody_else_among_the_probes_is_no_match(
    shared_data: Path, portrait: Path, tmp_path: Path
) -> None:
    stranger = shared_data / "faces/london/003/neutral_front.jpg"
    refused = run("verify", portrait, portrait, stranger)
    assert refused.exit_code == 2, refused.output
    assert "several_people" in refused.output
    again = tmp_path / "again.jpg"
    Image.open(portrait).resize((300, 330)).save(again, quality=60)
    pair = sorted((portrait, again), key=lambda own: distance_of(own, stranger))
    (near, near_distance), (far, far_distance) = ((p, distance_of(p, stranger)) for p in pair)
    # At a point so loose that the two probes pass for one person, the mean of them matches and the
    # stranger alone does not.
    loose = replace(
        DEFAULT, decision_threshold=(near_distance + far_distance) / 2, review_threshold=None
    )
    options = ("--operating-point", point_file(tmp_path, loose))
    assert run("verify", far, near, *options).exit_code == 0
    assert run("verify", far, near, stranger, *options).exit_code == 1


def test_a_non_match_ends_with_one(shared_data: Path, portrait: Path) -> None:
    stranger = shared_data / "faces/london/003/neutral_front.jpg"
    result = run("verify", portrait, stranger)
    assert result.exit_code == 1, result.output
    assert "non_match" in result.output


def distance_of(reference: Path, probe: Path) -> float:
    printed = json.loads(run("verify", "--json", reference, probe).output)
    return float(printed["comparison"]["dissimilarity"])


@pytest.mark.parametrize("role", ["reference", "probe"])
def test_a_failure_to_acquire_ends_with_two_and_names_the_reason(
    portrait: Path, landscape: Path, role: str
) -> None:
    files = (landscape, portrait) if role == "reference" else (portrait, landscape)
    result = run("verify", *files)
    assert result.exit_code == 2, result.output
    assert "failure to acquire" in result.output
    printed = " ".join(result.output.split())
    assert f"{role} no_face" in printed
    assert "Look into the camera" in printed
    assert "Hãy nhìn thẳng vào máy ảnh" in printed


def test_a_missing_file_ends_with_two_and_is_named(portrait: Path, tmp_path: Path) -> None:
    result = run("verify", portrait, tmp_path / "absent.jpg")
    assert result.exit_code == 2
    assert "absent.jpg: No such file" in result.output


def test_json_holds_the_comparison_the_failures_and_the_times(
    portrait: Path, landscape: Path
) -> None:
    result = run("verify", "--json", portrait, landscape, portrait)
    assert result.exit_code == 0, result.output
    printed = json.loads(result.output)
    assert printed["result"] == "match"
    assert printed["comparison"]["dissimilarity"] == 0
    assert printed["comparison"]["decision_threshold"] == DEFAULT.decision_threshold
    photographs = printed["probe"]["measurements"]["photographs"]
    assert [photograph["failure"] for photograph in photographs] == ["no_face", None]
    stages = {"decode", "detect", "quality", "align", "embed"}
    assert photographs[1]["stage_times_ms"].keys() >= stages


def test_json_of_a_failure_has_no_comparison(portrait: Path, landscape: Path) -> None:
    result = run("verify", "--json", portrait, landscape)
    assert result.exit_code == 2
    printed = json.loads(result.output)
    assert (printed["result"], printed["comparison"]) == ("failure_to_acquire", None)
    assert printed["probe"]["failure"] == "no_face"
    assert printed["probe"]["advice"].keys() == {"vi", "en"}
    assert printed["reference"]["advice"] is None


def test_no_template_is_ever_printed(portrait: Path) -> None:
    for arguments in ((), ("--json",)):
        output = run("verify", portrait, portrait, *arguments).output
        assert "template" not in output
        assert "vector" not in output


def test_a_file_over_the_limit_is_refused_and_not_cut(portrait: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(portrait.read_bytes().ljust(IMAGE_BYTES_MAX + 1, b"\0"))
    result = run("verify", portrait, large)
    assert result.exit_code == 2
    assert "image_too_large" in result.output
    assert IMAGE_BYTES_READ_MAX == IMAGE_BYTES_MAX + 1


def test_more_than_five_photographs_are_a_usage_error(portrait: Path) -> None:
    result = run("verify", portrait, *[portrait] * 6)
    assert result.exit_code == 2
    assert "at most 5" in result.output


def test_verify_is_one_of_the_commands() -> None:
    assert "verify" in run("--help").output


def point_file(tmp_path: Path, point: OperatingPoint) -> Path:
    path = tmp_path / "point.json"
    path.write_bytes(to_json(point))
    return path


def test_a_doubtful_face_ends_with_three(portrait: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jpg"
    Image.open(portrait).resize((300, 330)).save(other, quality=60)
    strict = replace(DEFAULT, decision_threshold=1e-6, review_threshold=0.39)
    options = ("--operating-point", point_file(tmp_path, strict))
    result = run("verify", portrait, other, *options)
    assert result.exit_code == 3, result.output
    assert "result              review" in result.output
    assert "review threshold    0.3900" in result.output


def test_an_installed_network_compares_at_an_operating_point_of_its_own(
    portrait: Path, tmp_path: Path
) -> None:
    weights = network()
    (tmp_path / "own.toml").write_text(manifest_text(weights))
    (tmp_path / "own.onnx").write_bytes(weights)
    models = ("--models", tmp_path / "models")
    brought = (tmp_path / "own.toml", tmp_path / "own.onnx")
    run("models", "install", *brought, "--accept-licence", "Apache-2.0", *models)
    chosen = ("--model", "test-network", *models)
    without = run("verify", portrait, portrait, *chosen)
    assert without.exit_code == 2, without.output
    assert "another network" in without.output
    own = OperatingPoint(
        score_type=ScoreType.COSINE,
        decision_threshold=0.99,
        source="made in a test",
        model_digest=embedder_manifest(parse_manifest(manifest_text(weights))).template_digest(),
    )
    options = ("--operating-point", point_file(tmp_path, own))
    assert run("verify", portrait, portrait, *chosen, *options).exit_code == 0
    absent = run("verify", portrait, portrait, "--model", "absent", *models)
    assert absent.exit_code == 2
    assert "absent is not installed" in absent.output


def cohort_of(values: int) -> Cohort:
    rows = unit_vectors(np.random.default_rng(5).normal(size=(COHORT_IDENTITIES_MIN, values)))
    return Cohort(vectors=rows.astype(np.float32), model_digest=DEFAULT.model_digest)


def centred_on(cohort: Cohort) -> OperatingPoint:
    return OperatingPoint(
        score_type=ScoreType.COHORT_CENTRED,
        decision_threshold=0.05,
        source="made in a test",
        cohort_digest=cohort.digest,
    )


@pytest.mark.parametrize("probes", [1, 2])
def test_parts_that_do_not_fit_are_refused_in_one_coded_line(
    portrait: Path, tmp_path: Path, probes: int
) -> None:
    (tmp_path / "short").write_bytes(cohort_of(64).to_bytes())
    foreign = replace(DEFAULT, model_digest="cd" * 32)
    cases = [
        (foreign, (), "MODEL_MISMATCH: the decision threshold"),
        (centred_on(cohort_of(128)), (), "MODEL_MISMATCH: the thresholds need a cohort"),
        (
            centred_on(cohort_of(64)),
            ("--cohort", tmp_path / "short"),
            "COHORT_INVALID: the cohort has 64 values for each person, the templates have 128",
        ),
    ]
    for point, options, said in cases:
        chosen = ("--operating-point", point_file(tmp_path, point), *options)
        result = run("verify", portrait, *[portrait] * probes, *chosen)
        assert (result.exit_code, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith(said)


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (0, "nothing but zeros")])
def test_a_network_without_a_usable_vector_is_refused_in_one_coded_line(
    portrait: Path, tmp_path: Path, value: float, said: str
) -> None:
    weights = network(weights=np.full((3, 128), value, dtype=np.float32))
    (tmp_path / "own.toml").write_text(manifest_text(weights))
    (tmp_path / "own.onnx").write_bytes(weights)
    models = ("--models", tmp_path / "models")
    brought = (tmp_path / "own.toml", tmp_path / "own.onnx")
    run("models", "install", *brought, "--accept-licence", "Apache-2.0", *models)
    result = run("verify", portrait, portrait, "--model", "test-network", *models)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("MODEL_UNUSABLE: ")
    assert said in line
