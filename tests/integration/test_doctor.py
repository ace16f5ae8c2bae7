"""`identity doctor` beside a server that runs: it finds the server, and leaves it alone."""

import json

from typer.testing import CliRunner

from identity.cli import app
from tests.integration.conftest import World


def test_the_doctor_looks_at_a_running_server(world: World) -> None:
    options = ("--state", str(world.settings.state), "--database", str(world.settings.database))
    environment = {"SUBID_LISTEN": world.address, "SUBID_DISK_RESERVE_MB": "0"}
    done = CliRunner().invoke(app, ["doctor", "--json", *options], env=environment)
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.exit_code == 1
    warned = {name for name, each in found.items() if each["grade"] != "ok"}
    # Whether the shared server has an issuer, or its log is taken, is the affair of other tests.
    assert warned - {"archive", "issuers"} == {"backups"}
    assert found["server-certificate"]["said"].startswith(f"that of {world.address} ends")
    assert "simulated clock" in found["enforcement"]["said"]
