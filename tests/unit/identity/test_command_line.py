"""What every command is made with: settings that leave no key behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from identity.security.keys import format_key_ring, generate_key_ring

_LOOK_AROUND = """
import json, sys
from pathlib import Path
from identity.bootstrap import open_database
from identity.command_line import settings_from

settings = settings_from(state=Path(sys.argv[1]))
with open_database(settings, may_begin=True) as database, database.transaction() as uow:
    run = uow.connection.exec_driver_sql
    run("CREATE TEMPORARY TABLE seen (line text)")
    run("COPY seen FROM PROGRAM 'env' WITH (DELIMITER E'\\x01')")
    seen = [line for line, in run("SELECT line FROM seen")]
print(json.dumps({"keys": sorted(database.sealer.key_ids), "seen": seen}))
"""


@pytest.mark.parametrize("variable", ["SUBID_KEY_RING", "subid_key_ring"])
def test_the_database_that_a_command_starts_cannot_see_the_keys_of_the_environment(
    tmp_path: Path, variable: str
) -> None:
    ring = format_key_ring(generate_key_ring()).replace("\n", "")
    done = subprocess.run(
        [sys.executable, "-c", _LOOK_AROUND, str(tmp_path / "state")],
        env={**os.environ, variable: ring, "SUBID_KEY_SOURCE": "environment"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["keys"] == [1]
    names = {line.partition("=")[0] for line in told["seen"]}
    assert "SUBID_KEY_SOURCE" in names, "it saw another environment"
    assert variable not in names
