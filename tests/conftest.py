"""Fixtures that every kind of test may use.

Owns where the real vectors lie; knows nothing of what is in them.
"""

from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs and chip files, or a skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real vectors are not on this machine: {SHARED_DATA.name} folder is absent")
    return SHARED_DATA
