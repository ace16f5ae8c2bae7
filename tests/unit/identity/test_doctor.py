"""`identity doctor`: what is well is said to be, and each thing that is not is found.

Every fault is made for real: files are opened to others, exchanged and removed, a database is taken
back, its clock left behind, its durability switched off.
"""

import hashlib
import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from identity.audit.key_chain import write_key_file
from identity.audit.log import AuditEntry, append
from identity.bootstrap import open_database, prepare
from identity.cli import app
from identity.config import Settings
from identity.doctor import examine
from identity.doctor_backups import grade_archive
from identity.doctor_database import DatabaseDoctor, grade_connection, grade_server
from identity.doctor_files import FileDoctor
from identity.domain.caller import Caller, Role
from identity.finding import Finding, Grade, looked_at
from identity.policy_files import load_policies
from identity.security.certificates import (
    Identity,
    create_authority,
    load_or_create_authority,
    write_public,
    write_secret,
)
from identity.security.keys import (
    KeyRing,
    generate_key_ring,
    read_key_ring,
    with_new_key,
    write_key_ring,
)
from identity.security.local_authority import (
    begin_rotation,
    end_rotation,
    issue_recorded,
    read_local_authority,
)
from identity.security.vault import Vault
from identity.services.seal_audit import AuditKeys
from identity.services.trust_store import load_trust
from identity.storage.backup_manifest import (
    BackupFile,
    BackupManifest,
    format_manifest,
    format_sealed,
)
from identity.storage.base_backups import MANIFEST_FILE, BackupStore
from identity.storage.database import Database
from identity.storage.server_facts import ArchiveFacts, ConnectionFacts, ServerFacts, inspecting
from identity.storage.wal_archive import stop_archiving
from telco_sim.cards import CardAuthority
from tests.databases import move, own_database

NOW = datetime.now(UTC)
"""Certificates and the database live in real time; what is late is looked at from later."""


def ready(settings: Settings) -> Settings:
    """A service as it stands after its first days: everything that the doctor looks at is well."""
    with open_database(settings, may_begin=True) as database:
        prepare(database)
        with database.transaction() as uow:
            uow.registry.keep_clock(is_simulated=False)
            uow.cases.set_ran_until(NOW)
            for pack in load_policies(settings).chosen:
                uow.policy_packs.keep(pack.version, pack.digest, at=NOW)
            AuditKeys(settings.state).signer(uow, at=NOW)
    load_or_create_authority(settings.state / "certificates", at=NOW)
    cards = CardAuthority(established_on=(NOW - timedelta(days=400)).date())
    settings.trust_directory.mkdir()
    (settings.trust_directory / "csca.der").write_bytes(cards.certificate)
    revoked = cards.revocation_list(at=NOW, good_for=timedelta(days=90))
    (settings.trust_directory / "csca.crl").write_bytes(revoked)
    name_issuer(settings)
    back_up(settings, at=NOW)
    return settings


def name_issuer(settings: Settings) -> Path:
    """Somebody who is believed about citizens."""
    key = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"})
    path = settings.state / "issuers" / "wallet.json"
    path.parent.mkdir()
    said = {"issuer": "https://wallet.example", "keys": [key.as_dict(private=False)]}
    path.write_text(json.dumps(said))
    return path


def back_up(settings: Settings, *, at: datetime, ring: KeyRing | None = None) -> Path:
    """A small backup that is whole, as if it had been taken then; by the keys at hand or others."""
    assert settings.backups is not None
    content = b"18\n"
    manifest = BackupManifest(
        backup_id=f"{at:%Y%m%dT%H%M%SZ}-0a1b2c3d",
        began_at=at,
        ended_at=at,
        start_lsn="0/2000028",
        stop_lsn="0/2000100",
        timeline=1,
        archive_mark="0123456789abcdef",
        schema_version="0001",
        key_ids=[1],
        directories=[],
        files=[
            BackupFile(path="PG_VERSION", size_bytes=3, sha256=hashlib.sha256(content).hexdigest())
        ],
    )
    made = BackupStore(settings.backups).bases / manifest.backup_id
    (made / "data").mkdir(parents=True)
    (made / "data" / "PG_VERSION").write_bytes(content)
    vault = Vault(ring or read_key_ring(settings.state / "keys.json"))
    seal = vault.blind_index("backup", format_manifest(manifest))
    (made / MANIFEST_FILE).write_bytes(format_sealed(manifest, seal))
    return made


@contextmanager
def received(settings: Settings) -> Iterator[None]:
    """Somebody takes the log, as `pg_receivewal` does: PostgreSQL counts it as a receiver."""
    url = make_url(str(settings.database)).set(drivername="postgresql")
    plain = url.render_as_string(hide_password=False)
    with psycopg.connect(plain, replication="database", autocommit=True):
        yield


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    with own_database(postgres_url, f"doctor_{uuid4().hex}") as url:
        yield ready(
            Settings(
                state=tmp_path / "state",
                database=url,
                listen=f"127.0.0.1:{free_port()}",
                backups=tmp_path / "backups",
                disk_reserve_mb=0,
            )
        )


def in_files(settings: Settings, name: str, *, at: datetime = NOW, **given: Path) -> Finding:
    """One finding in files, without the others' time."""
    looks = FileDoctor(settings, at, **given).looks()
    (found,) = looked_at(look for look in looks if look[0] == name)
    return found


def real() -> datetime:
    """The machine's clock, which the database's is compared with."""
    return datetime.now(UTC)


def _same(at: datetime) -> datetime:
    return at


def in_database(settings: Settings, name: str, *, now: Callable[[], datetime] = real) -> Finding:
    """One finding in the database."""
    ring = read_key_ring(settings.state / "keys.json")
    with inspecting(str(settings.database)) as engine:
        database = Database(engine, Vault(ring))
        policies = load_policies(settings)
        looks = DatabaseDoctor(database, settings, policies, now).looks()
        (found,) = looked_at(look for look in looks if look[0] == name)
        return found


def changed_by(settings: Settings) -> dict[str, tuple[int, int]]:
    """Every file of the service with its size and time."""
    roots = [settings.state, *([settings.backups] if settings.backups else [])]
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_a_service_that_is_well_is_said_to_be_and_nothing_is_changed(settings: Settings) -> None:
    before = changed_by(settings)
    with received(settings):
        found = examine(settings, now=real)
    assert [each for each in found if each.grade is not Grade.OK] == []
    assert [each.name for each in found] == [
        *("keys", "audit-key", "authority", "server-certificate", "callers-record", "callers"),
        *("authorities", "issuers", "trust", "policies", "face-model", "backups", "disk"),
        *("database", "connection", "archive", "migrations", "clock", "keys-of-database"),
        *("audit", "audit-key-of-database", "enforcement", "packs-of-database"),
    ]
    assert not any(each.todo for each in found)
    assert changed_by(settings) == before


def test_the_database_refuses_the_doctor_every_write(settings: Settings) -> None:
    with (
        inspecting(str(settings.database)) as engine,
        engine.connect() as connection,
        pytest.raises(Exception, match="read-only transaction"),
    ):
        connection.execute(text("CREATE TABLE written (x int)"))


def test_an_empty_machine_is_told_and_left_empty(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", listen=f"127.0.0.1:{free_port()}")
    found = {each.name: each.grade for each in examine(settings, now=real)}
    warned = {name for name, grade in found.items() if grade is Grade.WARNING}
    assert {"keys", "audit-key", "authority", "issuers", "backups", "database"} <= warned
    assert found["trust"] is Grade.FAILED
    assert not settings.state.exists()


def test_an_embedded_database_is_started_looked_at_and_stopped(tmp_path: Path) -> None:
    settings = ready(
        Settings(
            state=tmp_path / "state",
            listen=f"127.0.0.1:{free_port()}",
            backups=tmp_path / "backups",
            disk_reserve_mb=0,
        )
    )

    def of_database(name: str = "database") -> Finding:
        found = {each.name: each for each in examine(settings, now=real)}
        assert found["migrations"].grade is Grade.OK
        return found[name]

    assert of_database().grade is Grade.OK
    assert not (settings.state / "postgres" / "postmaster.pid").exists()
    for name in ("fsync", "full_page_writes"):
        with open_database(settings) as database, database.engine.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            autocommit.execute(text(f"ALTER SYSTEM SET {name} = off"))
    found = of_database()
    assert found.grade is Grade.FAILED
    assert "fsync and full_page_writes off" in found.said
    assert of_database("archive").said.startswith("the log is archived: the last ")
    assert settings.backups is not None
    (settings.backups / "wal").rename(settings.backups / "elsewhere")
    assert of_database("archive").grade is Grade.FAILED
    stop_archiving(settings.state / "postgres")
    assert of_database("archive").said.startswith("the log is not archived")


@pytest.mark.parametrize("make", ["open", "broken"])
def test_keys_that_others_may_read_or_that_are_broken_are_found(
    settings: Settings, make: str
) -> None:
    path = settings.state / "keys.json"
    if make == "open":
        path.chmod(0o644)
    else:
        path.write_text("{}")
    found = in_files(settings, "keys")
    assert found.grade is Grade.FAILED
    assert str(path) in found.said
    last = examine(settings, now=real)[-1]
    assert (last.name, last.grade) == ("database", Grade.FAILED)


def test_keys_that_are_gone_are_found(settings: Settings) -> None:
    (settings.state / "keys.json").unlink()
    assert in_files(settings, "keys").grade is Grade.WARNING
    found = {each.name: each.grade for each in examine(settings, now=real)}
    assert found["keys-of-database"] is Grade.FAILED


def test_keys_of_another_registry_and_keys_that_are_lost_are_found(settings: Settings) -> None:
    path = settings.state / "keys.json"
    own = read_key_ring(path)
    write_key_ring(path, generate_key_ring(), may_replace=True)
    assert in_database(settings, "keys-of-database").grade is Grade.FAILED
    write_key_ring(path, with_new_key(own, key_id=2, is_active=True), may_replace=True)
    with open_database(settings) as database:
        prepare(database)
    assert in_database(settings, "keys-of-database").grade is Grade.OK
    write_key_ring(path, own, may_replace=True)
    found = in_database(settings, "keys-of-database")
    assert found.grade is Grade.FAILED
    assert "lacks 2" in found.said


def test_entries_that_nobody_seals_are_found(settings: Settings) -> None:
    entry = AuditEntry(occurred_at=NOW, caller="agency:tax", action="read", outcome="available")
    with open_database(settings) as database, database.transaction() as uow:
        append(uow.connection, [entry])
    for waits_s, grade in ((59, Grade.OK), (61, Grade.WARNING), (601, Grade.FAILED)):
        now = partial(_same, NOW + timedelta(seconds=waits_s))
        assert in_database(settings, "audit", now=now).grade is grade
    assert "waits for 601 s" in in_database(settings, "audit", now=now).said


def test_an_authority_that_is_open_exchanged_or_ending_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    key = settings.state / "certificates" / "ca.key.pem"
    for days, grade in ((0, Grade.OK), (3_300, Grade.WARNING), (3_651, Grade.FAILED)):
        found = in_files(settings, "authority", at=NOW + timedelta(days=days))
        assert found.grade is grade
    key.chmod(0o640)
    assert in_files(settings, "authority").said == f"{key} can be read by others: chmod 600"
    key.chmod(0o600)
    load_or_create_authority(tmp_path / "other", at=NOW)
    key.write_bytes((tmp_path / "other" / "ca.key.pem").read_bytes())
    assert "do not belong together" in in_files(settings, "authority").said
    key.write_bytes(b"nothing")
    assert in_files(settings, "authority").grade is Grade.FAILED
    key.unlink()
    assert "is missing beside" in in_files(settings, "authority").said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_authority_whose_key_is_somebody_elses_is_found(settings: Settings) -> None:
    os.chown(settings.state / "certificates" / "ca.key.pem", 65_534, -1)
    assert "belongs to somebody else" in in_files(settings, "authority").said


@contextmanager
def showing(directory: Path, certificate: bytes, key: bytes) -> Iterator[str]:
    """A server that shows a certificate to whoever asks."""
    (directory / "shown.pem").write_bytes(certificate + key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "shown.pem")
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            with plain, context.wrap_socket(plain, server_side=True) as secured:
                secured.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


def test_what_the_server_shows_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    own = load_or_create_authority(settings.state / "certificates", at=NOW)
    other = load_or_create_authority(tmp_path / "other", at=NOW)
    for authority, days, grade in (
        (own, 0, Grade.OK),
        (own, 25, Grade.WARNING),
        (own, 31, Grade.FAILED),
        (other, 0, Grade.FAILED),
    ):
        issued = authority.issue_server(at=NOW)
        with showing(tmp_path, issued.certificate, issued.private_key) as address:
            listening = settings.model_copy(update={"listen": address})
            found = in_files(listening, "server-certificate", at=NOW + timedelta(days=days))
        assert found.grade is grade, found


def shows(settings: Settings, folder: Path, issued: Identity, *, days: int = 0) -> Finding:
    """What is found of a server that shows a certificate, days later."""
    with showing(folder, issued.certificate, issued.private_key) as address:
        listening = settings.model_copy(update={"listen": address})
        return in_files(listening, "server-certificate", at=NOW + timedelta(days=days))


def test_while_the_authority_changes_the_servers_certificate_is_the_former_ones(
    settings: Settings, tmp_path: Path
) -> None:
    directory = settings.state / "certificates"
    former = read_local_authority(directory).current.issue_server(at=NOW)
    current = begin_rotation(directory, at=NOW)
    assert "the former one is believed" in in_files(settings, "authority").said
    for issued in (former, current.issue_server(at=NOW)):
        assert shows(settings, tmp_path, issued).grade is Grade.OK
    (directory / "former-ca.key.pem").chmod(0o644)
    assert in_files(settings, "authority").grade is Grade.FAILED
    (directory / "former-ca.key.pem").chmod(0o600)
    end_rotation(directory, at=NOW)
    assert shows(settings, tmp_path, former).grade is Grade.FAILED
    assert shows(settings, tmp_path, current.issue_server(at=NOW)).grade is Grade.OK


def test_a_former_authority_that_has_ended_is_found(settings: Settings) -> None:
    directory = settings.state / "certificates"
    begin_rotation(directory, at=NOW + timedelta(days=3_000))
    found = in_files(settings, "authority", at=NOW + timedelta(days=3_651))
    assert found.grade is Grade.FAILED
    assert "former-ca.crt.pem has ended" in found.said


def test_a_servers_certificate_that_was_given_is_the_one_to_be_shown(
    settings: Settings, tmp_path: Path
) -> None:
    directory = settings.state / "certificates"
    given = create_authority(at=NOW).issue_server(at=NOW)
    write_public(directory / "server.crt.pem", given.certificate)
    write_secret(directory / "server.key.pem", given.private_key)
    for days, grade in ((0, Grade.OK), (25, Grade.WARNING), (31, Grade.FAILED)):
        assert shows(settings, tmp_path, given, days=days).grade is grade
    assert in_files(settings, "server-certificate").grade is Grade.OK
    own = read_local_authority(directory).current.issue_server(at=NOW)
    assert "shows another certificate" in shows(settings, tmp_path, own).said
    write_secret(directory / "server.key.pem", own.private_key)
    assert "do not belong together" in in_files(settings, "server-certificate").said


def test_a_record_of_callers_that_is_broken_open_or_of_certificates_that_end_is_found(
    settings: Settings,
) -> None:
    directory = settings.state / "certificates"
    issue_recorded(directory, Caller(Role.AGENCY, "tax"), at=NOW, days=30)
    for days, grade in ((0, Grade.OK), (25, Grade.WARNING), (31, Grade.OK)):
        found = in_files(settings, "callers-record", at=NOW + timedelta(days=days))
        assert found.grade is grade
    assert "agency:tax" in in_files(settings, "callers-record", at=NOW + timedelta(days=25)).said
    record = directory / "callers.json"
    record.chmod(0o666)
    assert in_files(settings, "callers-record").said == (
        f"{record} can be written by others: chmod go-w"
    )
    record.chmod(0o644)
    record.write_text("[]")
    assert in_files(settings, "callers-record").grade is Grade.FAILED


def test_authorities_of_others_that_end_or_are_broken_are_found(settings: Settings) -> None:
    directory = settings.state / "authorities"
    directory.mkdir()
    theirs = create_authority(at=NOW)
    (directory / "theirs.pem").write_bytes(theirs.certificate_pem)
    (directory / "theirs.crl").write_bytes(
        x509.CertificateRevocationListBuilder()
        .issuer_name(theirs.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
        .sign(theirs.private_key, SHA256())
        .public_bytes(Encoding.DER)
    )
    named = '[them]\ncertificate = "theirs.pem"\ncallers = ["agency:tax"]\n'
    (directory / "authorities.toml").write_text(f'{named}revocation_list = "theirs.crl"\n')
    for days, grade in ((0, Grade.OK), (6.5, Grade.WARNING), (8, Grade.FAILED)):
        found = in_files(settings, "authorities", at=NOW + timedelta(days=days))
        assert found.grade is grade, found
    (directory / "authorities.toml").write_text(named)
    for days, grade in ((8, Grade.OK), (3_300, Grade.WARNING), (3_651, Grade.FAILED)):
        found = in_files(settings, "authorities", at=NOW + timedelta(days=days))
        assert found.grade is grade, found
    (directory / "theirs.pem").chmod(0o666)
    assert "theirs.pem can be written" in in_files(settings, "authorities").said
    (directory / "theirs.pem").unlink()
    assert in_files(settings, "authorities").grade is Grade.FAILED


def test_issuers_that_are_gone_broken_or_open_are_found(settings: Settings) -> None:
    path = settings.state / "issuers" / "wallet.json"
    path.chmod(0o666)
    assert in_files(settings, "issuers").said == f"{path} can be written by others: chmod go-w"
    path.write_text("{}")
    assert in_files(settings, "issuers").grade is Grade.FAILED
    path.unlink()
    assert "no citizen can act" in in_files(settings, "issuers").said


def test_an_audit_key_that_is_gone_open_or_anothers_is_found(settings: Settings) -> None:
    path = settings.state / "audit.key.pem"
    assert in_database(settings, "audit-key-of-database").grade is Grade.OK
    path.chmod(0o644)
    assert in_files(settings, "audit-key").said == f"{path} can be read by others: chmod 600"
    write_key_file(path, Ed25519PrivateKey.generate(), may_replace=True)
    assert in_files(settings, "audit-key").grade is Grade.OK
    found = in_database(settings, "audit-key-of-database")
    assert found.grade is Grade.FAILED
    assert "which is not in" in found.said
    path.unlink()
    assert in_files(settings, "audit-key").grade is Grade.WARNING
    assert in_database(settings, "audit-key-of-database").grade is Grade.FAILED


def test_callers_whose_certificates_end_are_named(settings: Settings, tmp_path: Path) -> None:
    directory = tmp_path / "callers"
    directory.mkdir()
    assert in_files(settings, "callers", callers=directory).grade is Grade.WARNING
    authority = load_or_create_authority(settings.state / "certificates", at=NOW)
    for name in ("tax", "health"):
        issued = authority.issue_caller(Caller(Role.AGENCY, name), at=NOW)
        (directory / f"{name}.crt.pem").write_bytes(issued.certificate)
    (directory / "ca.crt.pem").write_bytes(authority.certificate_pem)
    for days, grade in ((0, Grade.OK), (25, Grade.WARNING), (31, Grade.FAILED)):
        found = in_files(settings, "callers", at=NOW + timedelta(days=days), callers=directory)
        assert found.grade is grade
    assert "health.crt.pem" in found.said
    assert "and 1 more" in found.said
    (directory / "health.crt.pem").write_bytes(b"nothing")
    assert "is not a certificate" in in_files(settings, "callers", callers=directory).said


def test_trust_that_runs_out_is_found(settings: Settings) -> None:
    for days, grade in ((0, Grade.OK), (89.5, Grade.WARNING), (91, Grade.FAILED)):
        assert in_files(settings, "trust", at=NOW + timedelta(days=days)).grade is grade
    (settings.trust_directory / "csca.crl").unlink()
    assert in_files(settings, "trust").grade is Grade.FAILED
    (settings.trust_directory / "csca.der").write_bytes(b"nothing")
    assert in_files(settings, "trust").grade is Grade.FAILED


def test_a_card_authority_that_ends_is_found(settings: Settings) -> None:
    anchors = load_trust(settings.trust_directory).store.anchors()
    ends = min(anchor.ends_at for anchor in anchors)
    found = in_files(settings, "trust", at=ends + timedelta(days=1))
    assert found.grade is Grade.FAILED


def test_policy_packs_that_are_broken_absent_or_changed_are_found(settings: Settings) -> None:
    absent = settings.model_copy(update={"policies": "vn-2026-04-15,vn-none"})
    found = in_files(absent, "policies")
    assert found.grade is Grade.FAILED
    assert "vn-none" in found.said
    with open_database(settings) as database, database.transaction() as uow:
        uow.policy_packs.keep("vn-1999-01-01", b"\0" * 32, at=NOW)
    found = in_database(settings, "packs-of-database")
    assert found.grade is Grade.FAILED
    assert "vn-1999-01-01" in found.said


def test_a_network_that_is_not_there_is_found(settings: Settings) -> None:
    other = settings.model_copy(update={"face_model": "no-such-network"})
    found = in_files(other, "face-model")
    assert found.grade is Grade.FAILED
    assert "no-such-network" in found.said


def test_backups_that_are_old_unfinished_or_none_are_found(settings: Settings) -> None:
    for hours, grade in ((1, Grade.OK), (37, Grade.WARNING), (24 * 8, Grade.FAILED)):
        assert in_files(settings, "backups", at=NOW + timedelta(hours=hours)).grade is grade
    assert settings.backups is not None
    (manifest,) = settings.backups.rglob("manifest.json")
    manifest.unlink()
    assert f"{settings.backups} holds no whole backup" in in_files(settings, "backups").said
    back_up(settings, at=NOW + timedelta(hours=2))
    found = in_files(settings, "backups", at=NOW + timedelta(hours=3))
    assert found.grade is Grade.WARNING
    assert "1 are none to rely on" in found.said
    none = settings.model_copy(update={"backups": None})
    assert in_files(none, "backups").said == "not configured"


@pytest.mark.parametrize("fault", ["empty", "cut", "of other keys"])
def test_a_newer_backup_that_cannot_be_relied_on_makes_none_newer(
    settings: Settings, fault: str
) -> None:
    later = NOW + timedelta(days=9)
    made = back_up(settings, at=later, ring=generate_key_ring() if "keys" in fault else None)
    if fault == "empty":
        (made / MANIFEST_FILE).write_bytes(b"")
    elif fault == "cut":
        (made / "data" / "PG_VERSION").write_bytes(b"1")
    found = in_files(settings, "backups", at=later)
    assert found.grade is Grade.FAILED
    assert f"begun {NOW:%Y-%m-%d %H:%M}" in found.said


ARCHIVING = ArchiveFacts(
    now=NOW,
    is_on=True,
    last_name="000000010000000000000002",
    last_at=NOW - timedelta(hours=1),
    failed_count=0,
    last_failed_at=None,
    waiting_since=None,
    receiver_count=0,
)


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({}, Grade.OK),
        ({"last_name": None, "last_at": None}, Grade.OK),
        ({"failed_count": 3, "last_failed_at": NOW - timedelta(hours=2)}, Grade.OK),
        ({"failed_count": 3, "last_failed_at": NOW}, Grade.FAILED),
        ({"last_at": None, "failed_count": 3, "last_failed_at": NOW}, Grade.FAILED),
        ({"waiting_since": NOW - timedelta(minutes=9)}, Grade.OK),
        ({"waiting_since": NOW - timedelta(minutes=11)}, Grade.FAILED),
        ({"last_name": "000000010000000000000003"}, Grade.FAILED),
        ({"is_on": False}, Grade.FAILED),
    ],
)
def test_a_log_that_does_not_arrive_is_found(
    tmp_path: Path, change: dict[str, Any], grade: Grade
) -> None:
    (tmp_path / "000000010000000000000002.gz").touch()
    facts = replace(ARCHIVING, **change)
    assert grade_archive(facts, archive=tmp_path, is_embedded=True).grade is grade


@pytest.mark.parametrize(
    ("is_embedded", "receivers", "grade"),
    [(True, 0, Grade.WARNING), (False, 0, Grade.WARNING), (False, 1, Grade.OK)],
)
def test_a_log_that_nobody_asked_to_archive_is_told_of(
    *, is_embedded: bool, receivers: int, grade: Grade
) -> None:
    facts = replace(ARCHIVING, is_on=False, receiver_count=receivers)
    assert grade_archive(facts, archive=None, is_embedded=is_embedded).grade is grade


def test_a_disk_that_is_full_or_nearly_is_found(settings: Settings) -> None:
    found = os.statvfs(settings.state)
    free_mb = found.f_bavail * found.f_frsize >> 20
    for reserve, grade in (
        (0, Grade.OK),
        (free_mb // 2, Grade.WARNING),
        (free_mb * 2, Grade.FAILED),
    ):
        assert (
            in_files(settings.model_copy(update={"disk_reserve_mb": reserve}), "disk").grade
            is grade
        )


def test_a_database_that_is_not_there_is_found(settings: Settings) -> None:
    url = make_url(str(settings.database)).set(database="none_of_this_name")
    gone = settings.model_copy(update={"database": url.render_as_string(hide_password=False)})
    found = examine(gone, now=real)[-1]
    assert (found.name, found.grade) == ("database", Grade.FAILED)


def test_a_schema_that_is_not_current_is_found(settings: Settings) -> None:
    assert in_database(settings, "migrations").grade is Grade.OK
    with open_database(settings) as database:
        move(database.engine, "-1")
    found = {each.name: each.grade for each in examine(settings, now=real)}
    assert found["migrations"] is Grade.FAILED
    assert "enforcement" not in found


def test_durability_that_is_switched_off_is_found(settings: Settings) -> None:
    assert in_database(settings, "database").grade is Grade.OK
    with open_database(settings) as database, database.engine.connect() as connection:
        name = make_url(str(settings.database)).database
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        connection.commit()
    found = in_database(settings, "database")
    assert found.grade is Grade.FAILED
    assert "synchronous_commit off" in found.said


def test_a_database_far_away_has_to_show_its_certificate(settings: Settings) -> None:
    assert in_database(settings, "connection").said == "the database is on this machine"
    far = ConnectionFacts(host="db.example", is_of_machine=False, sslmode="verify-full")
    assert grade_connection(far).grade is Grade.OK
    for weaker in ("disable", "allow", "prefer", "require", "verify-ca"):
        found = grade_connection(replace(far, sslmode=weaker))
        assert found.grade is Grade.FAILED
        assert f"db.example is reached with sslmode={weaker}" in found.said


def test_a_server_that_is_too_old_is_found() -> None:
    facts = ServerFacts(version=140_005, now=NOW, durability={"fsync": "on"})
    assert grade_server(facts).said == "PostgreSQL 14.5 is too old"
    assert grade_server(replace(facts, version=150_000)).grade is Grade.OK


@pytest.mark.parametrize(
    ("apart_s", "grade"),
    [(0, Grade.OK), (-30, Grade.WARNING), (30, Grade.WARNING), (-90, Grade.FAILED)],
)
def test_clocks_that_are_apart_are_found(settings: Settings, apart_s: int, grade: Grade) -> None:
    def now() -> datetime:
        return real() + timedelta(seconds=apart_s)

    assert in_database(settings, "clock", now=now).grade is grade


def test_enforcement_that_is_late_is_found(settings: Settings) -> None:
    for hours, grade in ((1, Grade.OK), (3, Grade.WARNING), (25, Grade.FAILED)):
        late = NOW + timedelta(hours=hours)
        assert in_database(settings, "enforcement", now=partial(_same, late)).grade is grade
    with open_database(settings) as database, database.engine.begin() as connection:
        connection.execute(text("DELETE FROM enforcement_clock"))
    assert in_database(settings, "enforcement").said == "it has never run"
    with open_database(settings) as database, database.engine.begin() as connection:
        connection.execute(text("UPDATE registry SET clock_kind = 'simulated'"))
    assert in_database(settings, "enforcement").grade is Grade.OK


def test_a_look_that_fails_in_an_unheard_of_way_is_a_finding_without_its_text() -> None:
    def look() -> Finding:
        raise ProgrammingError("SELECT secret", {}, Exception("0901234567"))

    (found,) = looked_at([("one", look, "see the log")])
    assert found == Finding(
        name="one",
        grade=Grade.FAILED,
        said="it could not be looked at: ProgrammingError",
        todo="see the log",
    )


def test_the_command_ends_with_the_worst_grade(settings: Settings) -> None:
    def run(*more: str) -> tuple[int, str]:
        options = ("--state", str(settings.state), "--database", str(settings.database), *more)
        environment = {
            "SUBID_BACKUPS": str(settings.backups),
            "SUBID_LISTEN": settings.listen,
            "SUBID_DISK_RESERVE_MB": "0",
        }
        done = CliRunner().invoke(app, ["doctor", *options], env=environment)
        return done.exit_code, done.stdout

    with received(settings):
        code, told = run("--json")
    assert code == 0, told
    assert {each["grade"] for each in json.loads(told)} == {"ok"}
    assert settings.backups is not None
    shutil.rmtree(settings.backups)
    back_up(settings, at=NOW - timedelta(days=2))
    assert run()[0] == 1
    (settings.state / "keys.json").chmod(0o644)
    code, told = run()
    assert code == 2
    assert "chmod 600" in told
