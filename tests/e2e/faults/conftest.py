"""What all tests of faults have in common: time.

Each waits for a recovery several times, and each wait may take as long as `writers.PATIENCE_S`: a
slow one must fail by its own words, not by the limit of a usual test.
"""

from pathlib import Path

import pytest

TIMEOUT_S = 1_800
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder a limit of their own."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))
