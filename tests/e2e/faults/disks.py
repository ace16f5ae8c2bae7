"""A disk of one's own: a file with a file system in it, which can be filled, frozen and aborted.

Owns mounting and unmounting. Needs root and the tools of ext4; a test without them is skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SIZE_MB = 384
"""A new registry takes some 100 MB of it."""

_TOOLS = ("mkfs.ext4", "mount", "umount", "fsfreeze", "e2fsck")
_PIECES = (1 << 20, 1 << 12, 1)
"""Octets; a file grows by smaller ones until no file can."""


class Disk:
    """A mounted disk.

    Attributes:
        image: The file that it lies in.
        place: Where it is mounted.
    """

    def __init__(self, image: Path, place: Path) -> None:
        self.image = image
        self.place = place

    def mount(self) -> None:
        """Put it in its place."""
        _run("mount", "-o", "loop", str(self.image), str(self.place))

    def unmount(self) -> None:
        """Take it away; whatever still holds a file of it is ended."""
        _run("umount", "--lazy", str(self.place))

    def fill(self) -> None:
        """Leave no room for anybody."""
        with (self.place / "ballast").open("wb", buffering=0) as ballast:
            for piece in _PIECES:
                with suppress(OSError):  # no room for another one of this size
                    while True:
                        ballast.write(bytes(piece))
            os.fsync(ballast.fileno())

    def make_room(self) -> None:
        """Take away what fills it."""
        (self.place / "ballast").unlink()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have every write wait."""
        _run("fsfreeze", "--freeze", str(self.place))
        try:
            yield
        finally:
            _run("fsfreeze", "--unfreeze", str(self.place))

    def abort(self) -> None:
        """Do as ext4 does when the disk below it fails: from now on nothing can be written."""
        _run("mount", "-o", "remount,abort", str(self.place))

    def repair(self) -> None:
        """What a machine does to its disk when it starts again after that."""
        subprocess.run(["e2fsck", "-p", str(self.image)], check=False, capture_output=True)  # noqa: S607


@contextmanager
def own_disk(folder: Path) -> Iterator[Disk]:
    """A new disk under a folder, or a skip where none can be had."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a disk of one's own needs root and {', '.join(missing or ['a mount'])}")
    disk = Disk(folder / "disk.img", folder / "disk")
    disk.place.mkdir()
    with disk.image.open("wb") as file:
        file.truncate(SIZE_MB << 20)
    # No room kept for root, or what fills the disk would not fill it for PostgreSQL's own user.
    _run("mkfs.ext4", "-q", "-m", "0", str(disk.image))
    try:
        disk.mount()
    except subprocess.CalledProcessError:
        pytest.skip("this machine mounts no file as a disk")
    try:
        yield disk
    finally:
        disk.unmount()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
