"""Machines whose clocks are wrong by an hour, either way, and are put right between two starts."""

from datetime import UTC, datetime
from pathlib import Path

import libfaketime
import pytest

from identity.security.certificates import load_or_create_authority
from tests.e2e.faults.scenery import SERVING, until_health, writing
from tests.e2e.server_process import ServerProcess

LIBRARY = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"


def skewed_by(offset: str) -> dict[str, str]:
    """An environment whose processes, the database's as well, see another time."""
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME": offset,
        # What waits for some seconds waits for these seconds: only the wall's clock is wrong.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


@pytest.mark.skipif(not LIBRARY.exists(), reason="the library that bends time is for Linux")
@pytest.mark.parametrize(("first", "second"), [("+1h", "-1h"), ("-1h", "+1h")])
def test_a_clock_that_is_an_hour_off_and_jumps_costs_nothing(
    tmp_path: Path, first: str, second: str
) -> None:
    state = tmp_path / "state"
    # The authority is older than any test of it: the callers' clocks are right.
    load_or_create_authority(state / "certificates", at=datetime.now(UTC))
    with ServerProcess(state, environment=skewed_by(first), is_simulated=False) as server:
        address = server.address
        with writing(server, seed=14) as writers:
            server.stop()
            with ServerProcess(
                state, listen=address, environment=skewed_by(second), is_simulated=False
            ) as jumped:
                writers.go_on()
                jumped.stop()
            with ServerProcess(state, listen=address, is_simulated=False) as right:
                writers.go_on()
                writers.stop()
                writers.refuse_losses()
                until_health(right, SERVING)
                assert right.stop() == 0
    assert '"event": "failed"' not in server.errors
