"""Faces found and reasons given, photograph by photograph, against `face_recognition`.

Owns the sets of the folder of photographs. Refuses to compare faces.
"""

from pathlib import Path

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.engine import FaceEngine
from biometrics.face.models import Detector
from biometrics.face.pipeline import dlib_models
from tests.benchmarks.accuracy_results import Detected, Gated
from tests.unit.biometrics.face.test_quality import RIGHT

DEFECTS = "defects: "
"""What the names of sets of photographs with one labelled defect begin with."""


def photograph_sets(faces: Path) -> dict[str, list[Path]]:
    """Every set of the folder, the defects one by one."""
    sets = {name: _pictures(faces / name) for name in ("lfw", "london", "azure_face", "no_face")}
    for path in _pictures(faces / "defects"):
        sets.setdefault(DEFECTS + _defect(path).replace("_", " "), []).append(path)
    return sets


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv")


def _defect(path: Path) -> str:
    return path.stem.rsplit("_", 1)[0]


def detected(faces: Path) -> tuple[Detected, ...]:
    """Both detectors on every photograph. Takes two minutes, most of them the other one's."""
    detector = dlib_models().detector
    rows: list[Detected] = []
    for name, paths in photograph_sets(faces).items():
        found = [(_baseline_finds(path), _finds(path, detector)) for path in paths]
        rows.append(
            Detected(
                name=name,
                photographs=len(found),
                baseline=sum(baseline for baseline, _ in found),
                ours=sum(ours for _, ours in found),
                missed=sum(baseline and not ours for baseline, ours in found),
            )
        )
    return tuple(rows)


def _baseline_finds(path: Path) -> bool:
    # Imported on use: it loads its models, and only this process of several needs them.
    import face_recognition  # noqa: PLC0415 - see above

    return bool(face_recognition.face_locations(face_recognition.load_image_file(path)))


def _finds(path: Path, detector: Detector) -> bool:
    decoded = decode(path.read_bytes(), has_orientation=True)
    return isinstance(decoded, DecodedImage) and bool(detector.detect(decoded.pixels))


def gated(faces: Path) -> tuple[Gated, ...]:
    """What the gate of live photographs says of the defects, and of the studio, which has none."""
    engine = FaceEngine()
    rows: list[Gated] = []
    for name, paths in photograph_sets(faces).items():
        is_defect = name.startswith(DEFECTS)
        if not is_defect and name != "london":
            continue
        said = [(_defect(path), *_reasons(engine, path)) for path in paths]
        rows.append(
            Gated(
                name=name.removeprefix(DEFECTS),
                photographs=len(said),
                named=sum(bool(reasons) for _, _, reasons in said),
                right=sum(RIGHT[defect] in reasons for defect, _, reasons in said)
                if is_defect
                else None,
                refused=sum(failure is not None for _, failure, _ in said),
            )
        )
    return tuple(rows)


def _reasons(
    engine: FaceEngine, path: Path
) -> tuple[AcquisitionFailure | None, set[AcquisitionFailure]]:
    acquisition = engine.probe([path.read_bytes()])
    (photograph,) = acquisition.measurements.photographs
    return acquisition.failure, {*photograph.faults, *filter(None, [acquisition.failure])}
