"""The engine loads late and once, tells people apart on real photographs, and never raises."""

import csv
import io
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure, Template
from biometrics.face.compare import ComparisonDecision
from biometrics.face.engine import PROBES_MAX, FaceEngine
from biometrics.face.models import FaceModels
from biometrics.face.operating_point import DEFAULT


def test_importing_the_engine_loads_no_image_library() -> None:
    script = (
        "import sys, biometrics.face.engine, biometrics.cli;"
        "print(*sorted({'cv2', 'dlib', 'PIL', 'pkg_resources'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "\n"


def test_an_engine_runs_without_pkg_resources(face_jpeg: bytes, tmp_path: Path) -> None:
    (tmp_path / "face.jpg").write_bytes(face_jpeg)
    script = (
        "import sys, pathlib; sys.modules['pkg_resources'] = None;"
        "from biometrics.face.engine import FaceEngine;"
        "print(FaceEngine().reference(pathlib.Path(sys.argv[1]).read_bytes()).failure)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "face.jpg")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None\n"


def test_the_models_are_loaded_at_first_use_and_once(models: FaceModels) -> None:
    loads: list[int] = []

    def load() -> FaceModels:
        loads.append(1)
        return models

    engine = FaceEngine(load_models=load)
    assert loads == []
    engine.probe([b""])
    engine.warm_up()
    engine.warm_up()
    assert loads == [1]


def test_threads_that_arrive_together_load_once(models: FaceModels) -> None:
    threads = 8
    together = threading.Barrier(threads)
    loads: list[int] = []

    def load() -> FaceModels:
        loads.append(1)
        return models

    engine = FaceEngine(load_models=load)

    def arrive(_: int) -> None:
        together.wait()
        engine.warm_up()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(arrive, range(threads)))
    assert loads == [1]


def test_a_failed_load_is_tried_again(models: FaceModels) -> None:
    outcomes: list[Callable[[], FaceModels]] = [lambda: models]

    def load() -> FaceModels:
        if len(outcomes) == 1:
            outcomes.append(lambda: models)
            raise RuntimeError("the disk was away")
        return models

    engine = FaceEngine(load_models=load)
    with pytest.raises(RuntimeError, match="disk"):
        engine.warm_up()
    engine.warm_up()


def test_threads_do_not_mix_faces(engine: FaceEngine, face: Image.Image) -> None:
    images = []
    for width in (180, 200, 240, 300):
        file = io.BytesIO()
        face.resize((width, width * 11 // 10)).save(file, "PNG")
        images.append(file.getvalue())
    alone = [template(engine, image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: template(engine, image), images * 3))
    assert together == alone * 3
    assert len(set(alone)) == len(images)


def template(engine: FaceEngine, image: bytes) -> Template:
    acquisition = engine.probe([image])
    assert acquisition.template is not None, acquisition.failure
    return acquisition.template


def test_a_face_matches_itself(engine: FaceEngine, face_jpeg: bytes) -> None:
    reference = engine.reference(face_jpeg).template
    assert reference is not None
    comparison = engine.compare(reference, template(engine, face_jpeg))
    assert comparison.decision is ComparisonDecision.MATCH
    assert comparison.dissimilarity == 0


def test_a_sideways_probe_is_turned_and_a_sideways_reference_is_not(
    engine: FaceEngine, face: Image.Image
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    face.rotate(90, expand=True).save(file, "PNG", exif=exif)
    upright = engine.probe([file.getvalue()]).measurements
    sideways = engine.reference(file.getvalue()).measurements
    assert upright.image_size_px == face.size
    assert sideways.image_size_px == face.size[::-1]


def test_a_small_face_is_too_small(engine: FaceEngine, face: Image.Image) -> None:
    canvas = Image.new("RGB", (640, 480), "grey")
    canvas.paste(face.resize((90, 99)), (270, 190))
    file = io.BytesIO()
    canvas.save(file, "PNG")
    acquisition = engine.probe([file.getvalue()])
    assert acquisition.failure is AcquisitionFailure.FACE_TOO_SMALL
    assert acquisition.measurements.box_px is not None


@pytest.mark.parametrize("count", [0, PROBES_MAX + 1])
def test_a_probe_has_one_to_five_photographs(engine: FaceEngine, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        engine.probe([b""] * count)


def test_a_probe_lives_with_photographs_that_are_not_usable(
    engine: FaceEngine, face_jpeg: bytes
) -> None:
    acquisition = engine.probe([b"", face_jpeg, b"%PDF-1.7"])
    assert acquisition.template == template(engine, face_jpeg)
    assert [photograph.failure for photograph in acquisition.measurements.photographs] == [
        AcquisitionFailure.UNDECODABLE,
        None,
        AcquisitionFailure.UNSUPPORTED_FORMAT,
    ]


def sample(
    faces: Path, *, dataset: str, mated: str, asian: str, count: int
) -> list[dict[str, str]]:
    with (faces / "pairs.csv").open() as file:
        wanted = (dataset, mated, asian)
        pairs = [
            row
            for row in csv.DictReader(file)
            if (row["dataset"], row["mated"], row["east_se_asian_pair"]) == wanted
        ]
    return pairs[:count]


def dissimilarities(engine: FaceEngine, faces: Path, pairs: list[dict[str, str]]) -> list[float]:
    """One for each pair of which both photographs gave a template."""
    paths = sorted({row[side] for row in pairs for side in ("path_a", "path_b")})
    templates = {path: engine.probe([(faces / path).read_bytes()]).template for path in paths}
    scores = []
    for row in pairs:
        reference, probe = templates[row["path_a"]], templates[row["path_b"]]
        if reference is not None and probe is not None:
            scores.append(engine.compare(reference, probe).dissimilarity)
    return scores


# The counts in these tests were measured on the first rows of pairs.csv; one pair of slack is left
# for the rounding of another processor. They guard against a change for the worse and are no
# statement of accuracy: that needs thousands of pairs and intervals.


def test_two_studio_photographs_of_one_person_match(engine: FaceEngine, faces: Path) -> None:
    pairs = sample(faces, dataset="london", mated="1", asian="0", count=12)
    scores = dissimilarities(engine, faces, pairs)
    assert len(scores) == 12
    assert sum(score <= 0.40 for score in scores) >= 10


def test_press_photographs_of_one_person_match_as_often_as_measured(
    press_engine: FaceEngine, faces: Path
) -> None:
    pairs = sample(faces, dataset="lfw", mated="1", asian="1", count=16)
    scores = dissimilarities(press_engine, faces, pairs)
    assert len(scores) >= 14
    assert sum(score <= 0.40 for score in scores) >= 8
    assert all(score <= 0.60 for score in scores)


def test_different_people_do_not_match(press_engine: FaceEngine, faces: Path) -> None:
    pairs = sample(faces, dataset="lfw", mated="0", asian="0", count=16)
    scores = dissimilarities(press_engine, faces, pairs)
    assert len(scores) >= 15
    assert not any(score <= 0.40 for score in scores)


def test_the_customary_threshold_would_match_different_east_and_southeast_asian_people(
    press_engine: FaceEngine, faces: Path
) -> None:
    pairs = sample(faces, dataset="lfw", mated="0", asian="1", count=30)
    scores = dissimilarities(press_engine, faces, pairs)
    assert len(scores) >= 24
    assert not any(score <= 0.40 for score in scores)
    assert sum(score <= 0.60 for score in scores) >= len(scores) / 4


def test_photographs_of_several_people_are_not_averaged(
    engine: FaceEngine, shared_data: Path
) -> None:
    one, other = [
        path.read_bytes() for path in sorted(shared_data.glob("faces/london/*/neutral_front.jpg"))
    ][:2]
    assert engine.probe([one]).template is not None
    mixed = engine.probe([one, other])
    assert (mixed.template, mixed.failure) == (None, AcquisitionFailure.SEVERAL_PEOPLE)
    assert mixed.measurements.dissimilarity_max is not None
    assert mixed.measurements.dissimilarity_max > DEFAULT.decision_threshold
