"""Where the weights lie and whether they are the ones we mean.

Owns finding the files of the installed `face_recognition_models` package and checking their
SHA-256. Refuses to know what is in them, and never downloads.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path


class WeightsError(RuntimeError):
    """The installation lacks the weights, or has others than the pinned ones."""


def installed_weights(name: str, *, sha256: str) -> Path:
    """The path of the weight file `name`, checked.

    Args:
        name: File name in the `models` folder of `face_recognition_models`.
        sha256: The digest the file must have, in lower-case hexadecimal digits.

    Raises:
        WeightsError: The package or the file is missing, or the digest differs.
    """
    # The package is located but never imported: its import needs `pkg_resources`, which current
    # setuptools no longer has.
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise WeightsError("the package face_recognition_models is not installed")
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise WeightsError(f"face_recognition_models has no {name}")
    check_digest(path, sha256=sha256)
    return path


def check_digest(path: Path, *, sha256: str) -> None:
    """Refuse a weight file that is not the pinned one.

    Raises:
        WeightsError: The SHA-256 of the file is not `sha256`.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _compare(digest, sha256, name=path.name)


def check_bytes(weights: bytes, *, name: str, sha256: str) -> None:
    """`check_digest` for weights that were read already.

    Raises:
        WeightsError: The SHA-256 of `weights` is not `sha256`.
    """
    _compare(hashlib.sha256(weights).hexdigest(), sha256, name=name)


def _compare(digest: str, expected: str, *, name: str) -> None:
    if digest != expected:
        raise WeightsError(f"{name} has SHA-256 {digest}, expected {expected}")
