"""Each photograph is read once, below its root, and a failure to acquire is kept by its reason."""

from pathlib import Path

import numpy as np
import pytest

from biometrics.evaluation.photographs import (
    PhotographError,
    TemplateFolder,
    acquire_photographs,
)
from biometrics.face.acquisition import (
    Acquisition,
    AcquisitionFailure,
    Measurements,
    Template,
)

NOTHING = Measurements(photographs=())


class LengthEngine:
    """Makes a template of the length of a file, and none of an empty one."""

    def __init__(self) -> None:
        self.calls = 0

    def probe(self, images: list[bytes]) -> Acquisition:
        """A template of two values, the first the length."""
        self.calls += 1
        (image,) = images
        if not image:
            return Acquisition(failure=AcquisitionFailure.UNDECODABLE, measurements=NOTHING)
        vector = np.array([len(image), 1.0], dtype=np.float32)
        return Acquisition(
            template=Template(vector=vector, model_digest="ab" * 32), measurements=NOTHING
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "one").write_bytes(b"1")
    (folder / "two").write_bytes(b"22")
    (folder / "empty").write_bytes(b"")
    return folder


def test_templates_and_failures_are_kept_apart(root: Path) -> None:
    made = acquire_photographs(["one", "two", "empty"], root=root, engine=LengthEngine())
    assert set(made.templates) == {"one", "two"}
    assert made.failures == {"empty": "undecodable"}


def test_the_digest_is_that_of_the_content(root: Path) -> None:
    before = acquire_photographs(["one", "two"], root=root, engine=LengthEngine()).digest
    assert acquire_photographs(["two", "one"], root=root, engine=LengthEngine()).digest == before
    (root / "two").write_bytes(b"23")
    assert acquire_photographs(["one", "two"], root=root, engine=LengthEngine()).digest != before


def test_progress_is_told_after_each(root: Path) -> None:
    told: list[int] = []
    acquire_photographs(["one", "two"], root=root, engine=LengthEngine(), on_progress=told.append)
    assert told == [1, 2]


def test_kept_templates_are_not_made_again(root: Path, tmp_path: Path) -> None:
    folder = TemplateFolder(tmp_path / "templates", engine_mark="plain")
    first = LengthEngine()
    made = acquire_photographs(["one", "empty"], root=root, engine=first, folder=folder)
    second = LengthEngine()
    again = acquire_photographs(["one", "empty"], root=root, engine=second, folder=folder)
    assert (first.calls, second.calls) == (2, 0)
    assert again == made


def test_templates_of_another_engine_are_made_again(root: Path, tmp_path: Path) -> None:
    for mark in ("plain", "mirror"):
        engine = LengthEngine()
        folder = TemplateFolder(tmp_path / "templates", engine_mark=mark)
        acquire_photographs(["one"], root=root, engine=engine, folder=folder)
        assert engine.calls == 1


def test_a_kept_template_that_is_cut_off_is_made_again(root: Path, tmp_path: Path) -> None:
    folder = TemplateFolder(tmp_path / "templates", engine_mark="plain")
    acquire_photographs(["one"], root=root, engine=LengthEngine(), folder=folder)
    (kept,) = (tmp_path / "templates").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    engine = LengthEngine()
    assert acquire_photographs(["one"], root=root, engine=engine, folder=folder).templates
    assert engine.calls == 1


def test_kept_templates_are_closed_to_others(root: Path, tmp_path: Path) -> None:
    folder = TemplateFolder(tmp_path / "templates", engine_mark="plain")
    acquire_photographs(["one"], root=root, engine=LengthEngine(), folder=folder)
    (kept,) = (tmp_path / "templates").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert (tmp_path / "templates").stat().st_mode & 0o077 == 0


def test_a_missing_photograph_is_an_error(root: Path) -> None:
    with pytest.raises(PhotographError, match="none"):
        acquire_photographs(["none"], root=root, engine=LengthEngine())


def test_a_link_out_of_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(PhotographError, match="leads out"):
        acquire_photographs(["link"], root=root, engine=LengthEngine())
