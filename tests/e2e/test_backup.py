"""`identity backup` beside a server that serves: restored is just what was acknowledged by then."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from identity.domain.caller import Role
from subid.v1 import agency_service_pb2 as pb
from tests.e2e.server_process import ServerProcess
from tests.integration.scene import register_agency
from tests.patience import asked_until_there

IDENTITY = str(Path(sys.executable).with_name("identity"))
TIMEOUT_S = 120.0
AT_MOST = 300
"""Writes beside a backup: they fit on one page of a list."""


def identity(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [IDENTITY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def done(*arguments: str | Path) -> list[str]:
    ended = identity(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def refused(*arguments: str | Path) -> str:
    ended = identity(*arguments)
    assert ended.returncode == 2, ended.stdout
    (line,) = ended.stderr.splitlines()
    return line


def agencies(server: ServerProcess) -> set[str]:
    stubs = server.act_as(Role.REGULATOR, "regulator").agencies
    page = stubs.ListAgencies(pb.ListAgenciesRequest(page_size=1_000))
    assert not page.next_page_token
    return {each.name for each in page.agencies}


def test_a_registry_comes_back_as_it_was_acknowledged_at_an_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, backups = tmp_path / "state", tmp_path / "backups"
    monkeypatch.setenv("SUBID_BACKUPS", str(backups))
    with ServerProcess(state) as server:
        regulator = server.act_as(Role.REGULATOR, "regulator")
        register_agency(regulator, "before")
        taking = subprocess.Popen(
            [IDENTITY, "backup", "create", "--state", str(state)],
            stdout=subprocess.PIPE,
            text=True,
        )
        during: list[str] = []
        while taking.poll() is None and len(during) < AT_MOST:
            during.append(f"during-{len(during)}")
            register_agency(regulator, during[-1])
        backup = Path(taking.communicate(timeout=TIMEOUT_S)[0].splitlines()[0])
        assert taking.returncode == 0
        register_agency(regulator, "by-then")
        at = datetime.now(UTC)
        register_agency(regulator, "too-late")
        # Two heads on, the first of which may have been begun before.
        for name in ("later", "last"):
            before = (state / "audit.head").read_bytes()
            register_agency(regulator, name)
            wait_for_another_head(state / "audit.head", before)
        assert server.stop() == 0
    shutil.copy(state / "keys.json", tmp_path / "keys.json")
    assert "made with the keys at hand" in done("backup", "verify", backup, "--state", state)
    to = ("--to-time", at.isoformat(), "--keys", tmp_path / "keys.json")
    assert "holds something" in refused("backup", "restore", backup, "--state", state, *to)
    restored = tmp_path / "restored"
    done("backup", "restore", backup, "--state", restored, *to)
    assert "archive of another database" in refused("status", "--state", restored)
    monkeypatch.delenv("SUBID_BACKUPS")
    shutil.copy(state / "audit.key.pem", restored)
    with ServerProcess(restored) as server:
        assert agencies(server) == {"before", *during, "by-then"}
        assert server.stop() == 0
    # What was signed since is not there: nobody seals over it until somebody says that it may be.
    shutil.copy(state / "audit.head", restored)
    with ServerProcess(restored) as server:
        register_agency(server.act_as(Role.REGULATOR, "regulator"), "unsealed")
        assert server.stop() == 0
    assert (restored / "audit.head").read_bytes() == (state / "audit.head").read_bytes()
    assert identity("audit", "check", "--state", restored).returncode == 1
    assert "goes on from" in "".join(done("audit", "accept-restored", "--state", restored))
    with ServerProcess(restored) as server:
        register_agency(server.act_as(Role.REGULATOR, "regulator"), "sealed")
        assert server.stop() == 0
    done("audit", "check", "--state", restored)


def wait_for_another_head(path: Path, before: bytes) -> None:
    """Until the log was signed anew."""
    asked_until_there(
        lambda: path.read_bytes() != before or None, "the audit log is not signed anew"
    )


def test_a_backup_that_is_killed_leaves_nothing_that_looks_whole_and_the_server_well(
    tmp_path: Path,
) -> None:
    state, backups = tmp_path / "state", tmp_path / "backups"
    create = ["backup", "create", str(backups), "--state", str(state)]
    with ServerProcess(state) as server:
        register_agency(server.act_as(Role.REGULATOR, "regulator"), "first")
        # With all that it has started, which would go on without it: each of them is killed.
        taking = subprocess.Popen([IDENTITY, *create, "--max-rate", "32"], start_new_session=True)
        try:
            wait_for_data(taking, backups)
        finally:
            os.killpg(taking.pid, signal.SIGKILL)
            taking.wait(TIMEOUT_S)
        listing = done("backup", "list", "--backups", backups, "--state", state)
        assert listing == [f"{backups}: no backups", "no log is archived"]
        register_agency(server.act_as(Role.REGULATOR, "regulator"), "second")
        made = Path(done(*create)[0])
        assert server.stop() == 0
    done("backup", "verify", made, "--state", state)
    listing = done("backup", "list", "--backups", backups, "--state", state)
    assert [line.partition(": ")[0] for line in listing[:-1]] == [str(made)]


def wait_for_data(taking: subprocess.Popen[bytes], backups: Path) -> None:
    """Until the first file of a backup is there, which is taken so slowly that it has others."""

    def has_begun() -> bool | None:
        has_data = any(backups.glob("base/.unfinished-*/data/*"))
        assert taking.poll() is None, "the backup has ended"
        return has_data or None

    asked_until_there(has_begun, "no backup has begun")


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A registry that was never served, and a backup of it."""
    root = tmp_path_factory.mktemp("backed-up")
    done("migrate", "--state", root / "state")
    lines = done("backup", "create", root / "backups", "--state", root / "state")
    return root / "state", Path(lines[0])


def test_a_backup_is_restored_with_its_own_keys_only(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    state, backup = backed_up
    restore = ("backup", "restore", backup, "--state", tmp_path / "new")
    assert "name a copy of keys.json" in refused(*restore)
    done("migrate", "--state", tmp_path / "other")
    assert "other keys" in refused(*restore, "--keys", tmp_path / "other" / "keys.json")
    assert "other keys" in refused("backup", "verify", backup, "--state", tmp_path / "other")
    told = done("backup", "verify", backup, "--state", tmp_path / "none")
    assert told[-1] == "no keys at hand: nobody can say who made it"
    open_to_all = shutil.copy(state / "keys.json", tmp_path / "keys.json")
    Path(open_to_all).chmod(0o644)
    assert "chmod 600" in refused(*restore, "--keys", open_to_all)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".new*"))


def test_a_damaged_backup_is_not_restored_and_leaves_nothing(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    state, backup = backed_up
    damaged = Path(shutil.copytree(backup, tmp_path / "backup", copy_function=os.link))
    found = damaged / "data" / "global" / "pg_control"
    content = bytearray(found.read_bytes())
    content[100] ^= 1
    found.unlink()
    found.write_bytes(content)
    keys = ("--keys", state / "keys.json")
    said = refused("backup", "restore", damaged, "--state", tmp_path / "new", *keys)
    assert "pg_control is damaged" in said
    assert "pg_control is damaged" in refused("backup", "verify", damaged, "--state", state)
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_what_is_no_directory_of_backups_or_holds_none_to_rely_on_is_said(
    backed_up: tuple[Path, Path], tmp_path: Path
) -> None:
    state, _ = backed_up
    (tmp_path / "file").touch()
    for nowhere in (tmp_path / "none", tmp_path / "file"):
        place = ("--backups", nowhere, "--state", state)
        assert f"{nowhere} is no directory of backups" in refused("backup", "list", *place)
        assert f"{nowhere} is no dir" in refused("backup", "prune", "--keep", "1", *place)
        assert f"{nowhere} is no backup" in refused("backup", "verify", nowhere, "--state", state)
    broken = tmp_path / "backups" / "base" / "20260501T000000Z-00000000"
    broken.mkdir(parents=True)
    place = ("--backups", tmp_path / "backups", "--state", state)
    skipped, none, archived = done("backup", "prune", "--keep", "1", *place)
    assert skipped.startswith(f"{broken} not counted and not removed: none to rely on: ")
    assert none == f"{tmp_path / 'backups'}: no backup to rely on"
    assert archived == "no log is archived"
    assert broken.is_dir()


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "nowhere", "--state", "new", "--to-time", "yesterday"],
        ["restore", "nowhere", "--state", "new", "--to-time", "2026-05-01T12:00:00"],
        ["prune", "--keep", "0"],
        ["create", "--max-rate", "1"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(arguments: list[str]) -> None:
    assert identity("backup", *arguments).returncode == 2
