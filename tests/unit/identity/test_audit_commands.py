"""`identity audit …` as an administrator, a citizen at home and a witness use it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from typer.testing import CliRunner, Result

from identity.audit.checkpoint import NoteSigner, format_note
from identity.audit.log import AuditEntry, append
from identity.audit.tree import find_head, newest_head, read_keys
from identity.bootstrap import open_database, prepare
from identity.cli import app
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.services.audit_receipts import get_receipt
from identity.services.call import Call
from identity.services.seal_audit import AuditKeys, seal, verifier_keys
from tests.databases import own_database
from tests.unit.identity.audit.logs import CUT, OwnLog, tampering
from tests.unit.identity.makers import NOW, rules

ENTRY = AuditEntry(occurred_at=NOW, caller="agency:tax", action="get_contact", outcome="available")
AGENCY = Call(caller=Caller(Role.AGENCY, "tax"), at=NOW, rules=rules())


@dataclass(frozen=True)
class Registry:
    """A registry whose log has one sealed entry."""

    settings: Settings
    entry_id: int
    receipt: str
    key: str

    def run(self, *arguments: str) -> Result:
        """A command on it."""
        options = ("--state", str(self.settings.state), "--database", str(self.settings.database))
        return invoke(*arguments, *options)


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["audit", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def registry(postgres_url: str, tmp_path: Path) -> Iterator[Registry]:
    """One for each test, since some rotate its key or tamper with it."""
    with own_database(postgres_url, f"audited_{uuid4().hex}") as url:
        settings = Settings(state=tmp_path / "state", database=url)
        with open_database(settings) as database:
            prepare(database)
            log = OwnLog(database, AuditKeys(settings.state))
            (entry_id,) = log.write(1, ENTRY)
            log.head(at=datetime.now(UTC))
            with database.transaction() as uow:
                receipt = get_receipt(uow, AGENCY, entry_id, citizen=None, is_witnessed=False)
            key = str(log.verifiers()[0])
        yield Registry(settings, entry_id, receipt, key)


@pytest.fixture
def receipt(registry: Registry, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    path.write_text(registry.receipt, encoding="utf-8")
    return path


def test_a_receipt_is_verified_with_nothing_but_a_key(registry: Registry, receipt: Path) -> None:
    key_file = receipt.with_name("log.pub")
    key_file.write_text(f"{registry.key}\n", encoding="utf-8")
    for key in (registry.key, str(key_file)):
        result = invoke("verify", str(receipt), "--key", key)
        assert result.exit_code == 0, result.output
        line = " ".join(result.stdout.split())
        assert line.startswith(f"verified: entry {registry.entry_id} (get_contact by agency:tax")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("leaf_index", 1),
        ("leaf_index", -1),
        ("leaf_index", True),
        ("inclusion_proof", ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
        ("checkpoint", "nothing"),
        ("keys", [{"number": 1, "public_key": "", "handover": None}]),
        ("version", 2),
        ("extra", 1),
    ],
)
def test_a_receipt_with_a_changed_part_is_not_verified(
    registry: Registry, receipt: Path, member: str, value: object
) -> None:
    receipt.write_text(json.dumps({**json.loads(registry.receipt), member: value}))
    result = invoke("verify", str(receipt), "--key", registry.key)
    assert (result.exit_code, result.stdout[:13]) == (1, "not verified:")
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"{" * 2**20, b"0" * (2**20 + 1)])
def test_a_file_that_is_no_receipt_proves_nothing(
    registry: Registry, receipt: Path, content: bytes
) -> None:
    receipt.write_bytes(content)
    result = invoke("verify", str(receipt), "--key", registry.key)
    assert (result.exit_code, result.stdout[:13]) == (1, "not verified:")
    assert result.stdout.count("\n") == 1


def test_a_key_is_told_from_the_name_of_its_file(registry: Registry, receipt: Path) -> None:
    directory = receipt.with_name("a+0011+b")
    directory.mkdir()
    for path in (directory / "log.pub", receipt.with_name("log+pub")):
        path.write_text(f"{registry.key}\n", encoding="utf-8")
        result = invoke("verify", str(receipt), "--key", str(path))
        assert result.exit_code == 0, result.output
    for run in (registry.run, invoke):
        arguments = ("check",) if run == registry.run else ("verify", str(receipt))
        empty = run(*arguments, "--key", "")
        assert (empty.exit_code, "an empty key is none" in empty.stderr) == (2, True)


def test_a_check_without_a_trusted_key_is_none_unless_it_is_asked_for(registry: Registry) -> None:
    (registry.settings.state / "audit.key.pem").unlink()
    refused = registry.run("check")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "not anchored: no trusted key" in refused.stderr
    for anchor in (("--unanchored",), ("--key", registry.key)):
        assert registry.run("check", *anchor).exit_code == 0


@pytest.mark.parametrize(
    ("name", "value"), [("outcome", "not_available"), ("caller", "agency:police"), ("case_id", "x")]
)
def test_a_receipt_with_a_changed_leaf_is_not_verified(
    registry: Registry, receipt: Path, name: str, value: str
) -> None:
    document = json.loads(registry.receipt)
    document["leaf"][name] = value
    receipt.write_text(json.dumps(document))
    result = invoke("verify", str(receipt), "--key", registry.key)
    assert result.exit_code == 1
    assert "not in the tree" in result.stdout


def test_a_receipt_is_not_verified_by_another_key_or_an_unasked_witness(
    registry: Registry, receipt: Path
) -> None:
    name = registry.key.partition("+")[0]
    thief = NoteSigner(name, Ed25519PrivateKey.generate()).verifier()
    witness = NoteSigner("witness.example", Ed25519PrivateKey.generate())
    for options in (
        ("--key", str(thief)),
        ("--key", registry.key, "--witness", str(witness.verifier(is_witness=True))),
    ):
        assert invoke("verify", str(receipt), *options).exit_code == 1
    assert invoke("verify", str(receipt), "--key", "no+key").exit_code == 2
    assert invoke("verify", "nowhere.json", "--key", registry.key).exit_code == 2


def test_the_keys_are_printed_and_an_old_one_leads_to_the_new(
    registry: Registry, tmp_path: Path
) -> None:
    assert registry.run("key").stdout.split() == [registry.key]
    old_file = (registry.settings.state / "audit.key.pem").read_bytes()
    rotated = registry.run("rotate-key")
    assert rotated.exit_code == 0, rotated.output
    keys = registry.run("key").stdout.split()
    assert keys == [registry.key, "".join(rotated.stdout.split()[:1])]
    assert (registry.settings.state / "audit.key.pem").read_bytes() != old_file
    with open_database(registry.settings) as database:
        log = OwnLog(database, AuditKeys(registry.settings.state))
        log.head(at=datetime.now(UTC))
        with database.transaction() as uow:
            renewed = get_receipt(uow, AGENCY, registry.entry_id, citizen=None, is_witnessed=False)
    path = tmp_path / "renewed.json"
    path.write_text(renewed, encoding="utf-8")
    for key in keys:
        assert invoke("verify", str(path), "--key", key).exit_code == 0
    document = json.loads(renewed)
    document["keys"][1]["handover"] = None
    path.write_text(json.dumps(document), encoding="utf-8")
    assert invoke("verify", str(path), "--key", keys[0]).exit_code == 1


def test_a_key_that_others_may_read_or_that_is_another_stops_sealing(registry: Registry) -> None:
    path = registry.settings.state / "audit.key.pem"
    path.chmod(0o640)
    result = registry.run("rotate-key")
    assert (result.exit_code, "chmod 600" in result.stderr) == (2, True)
    path.unlink()
    result = registry.run("rotate-key")
    assert (result.exit_code, "restore it" in result.stderr) == (2, True)
    assert registry.run("rotate-key", "--old-key-lost").exit_code == 0
    assert "key 1 was lost" in registry.run("check").stdout


def test_a_check_says_that_all_is_well_or_names_the_first_bad_entry(registry: Registry) -> None:
    well = registry.run("check", "--key", registry.key)
    assert well.exit_code == 0, well.output
    assert "are as they were sealed" in well.stdout
    with open_database(registry.settings) as database, tampering(database.engine) as connection:
        connection.execute(
            text("UPDATE audit_entry SET caller = 'agency:x' WHERE entry_id = :entry_id"),
            {"entry_id": registry.entry_id},
        )
    bad = registry.run("check")
    assert bad.exit_code == 1
    assert bad.stdout.startswith(f"ENTRY_CHANGED: entry {registry.entry_id}, leaf ")


def test_a_check_takes_heads_and_keys_from_elsewhere(registry: Registry, tmp_path: Path) -> None:
    with open_database(registry.settings) as database, database.transaction() as uow:
        kept = newest_head(uow.connection)
        assert kept is not None
        assert find_head(uow.connection, kept.head.size, kept.head.signed_at) == kept
        (key,) = verifier_keys(read_keys(uow.connection))
    path = tmp_path / "seen.head"
    path.write_text(format_note(kept.head, kept.signature, key), encoding="utf-8")
    assert registry.run("check", "--head", str(path)).exit_code == 0
    thief = NoteSigner(key.name, Ed25519PrivateKey.generate()).verifier()
    refused = registry.run("check", "--key", str(thief))
    assert (refused.exit_code, refused.stdout[:4]) == (1, "KEY:")


def test_a_log_that_was_cut_is_found_by_what_the_sealer_remembers_until_it_is_accepted(
    registry: Registry,
) -> None:
    assert registry.run("accept-restored").exit_code == 2
    with open_database(registry.settings) as database:
        log = OwnLog(database, AuditKeys(registry.settings.state))
        log.write(2, ENTRY)
        assert log.head(at=datetime.now(UTC)).size == 4
        with tampering(database.engine) as connection:
            for statement in CUT:
                connection.execute(text(statement), {"size": 1})
    bad = registry.run("check", "--key", registry.key)
    assert bad.exit_code == 1
    assert bad.stdout.startswith("LEAF_MISSING: no entry, leaf 1: a tree of 4 entries")
    refused = registry.run("rotate-key")
    assert (refused.exit_code, "of 4 entries was signed" in refused.stderr) == (2, True)
    accepted = registry.run("accept-restored")
    assert accepted.exit_code == 0, accepted.output
    assert "goes on from 1 entries" in accepted.stdout
    with open_database(registry.settings) as database:
        OwnLog(database, log.keys).head(at=datetime.now(UTC))
    assert registry.run("check", "--key", registry.key).exit_code == 0


def test_a_memory_that_is_damaged_is_told_in_one_line_and_can_be_put_aside(
    registry: Registry,
) -> None:
    (registry.settings.state / "audit.head").write_text("nothing")
    for command in ("check", "rotate-key"):
        refused = registry.run(command)
        assert (refused.exit_code, "is not known" in refused.stderr) == (2, True)
        assert refused.stderr.count("\n") == 1
    accepted = registry.run("accept-restored")
    assert (accepted.exit_code, "remembered was nothing" in accepted.stdout) == (0, True)
    assert [each.read_text() for each in registry.settings.state.glob("audit.head.*")] == [
        "nothing"
    ]
    assert registry.run("check").exit_code == 0


def test_a_witness_is_registered_by_its_key(registry: Registry) -> None:
    witness = NoteSigner("witness.example", Ed25519PrivateKey.generate())
    key = str(witness.verifier(is_witness=True))
    assert registry.run("add-witness", "ombudsman", key).exit_code == 0
    assert registry.run("add-witness", "ombudsman", registry.key).exit_code == 2
    assert registry.run("add-witness", "No Name", key).exit_code == 2


def test_an_entry_is_sealed_once_a_rotation_was_cut_off(registry: Registry) -> None:
    keys = AuditKeys(registry.settings.state)
    with open_database(registry.settings) as database:
        with database.transaction() as uow:
            keys.rotate(uow, at=NOW, is_lost=False)  # and the process dies before the file moves
        with database.transaction() as uow:
            append(uow.connection, [ENTRY])
        OwnLog(database, keys).settle()
        with database.transaction() as uow:
            assert seal(uow, keys, at=datetime.now(UTC)).entry_count
    assert registry.run("check").exit_code == 0
