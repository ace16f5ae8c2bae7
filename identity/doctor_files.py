"""What is looked at in files: keys, certificates, anchors, packs, networks, backups and the disk.

Owns which of them are looked at and the bounds of what is well. Reads only, and makes nothing: not
even the files that a first start would make.
"""

import re
import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from identity.bootstrap import key_source, load_proven_face_setup
from identity.config import Settings
from identity.domain.policy_book import PolicyBook, Rules
from identity.finding import Finding, Look, failed, ok, warning
from identity.policy_files import load_policies
from identity.services.trust_store import LoadedTrust, load_trust
from identity.state_directory import StateError, free_bytes

AUTHORITY_DAYS_MIN = 365
"""An authority whose end is nearer is told of: a new one must reach every caller before."""

ANCHOR_DAYS_MIN = 90
"""The same of a card authority: its successor is asked for in another house."""

LIFE_LEFT_MIN = 1 / 3
"""A certificate is renewed when two thirds of its life are over, as ACME's clients do (RFC 8555
leaves it to them; Let's Encrypt, integration guide)."""

LIST_HOURS_MIN = 24
"""A revocation list that runs out sooner than that has not been renewed as it should."""

BACKUP_HOURS_MAX = 36
"""A nightly backup that is older was missed."""

BACKUP_DAYS_MAX = 7
"""One that is older than a week is none to rely on."""

FREE_FACTOR = 4
"""Below so many times the reserve the disk is told of before it counts as full."""

LISTEN_TIMEOUT_S = 3.0
"""For a handshake on this machine, or with the next."""

_BACKUP = re.compile(r"([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{8}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class FileDoctor:
    """Looks at files.

    Attributes:
        settings: The settings.
        at: The present.
        callers: Directory of callers' certificates, if any is to be looked at.
    """

    settings: Settings
    at: datetime
    callers: Path | None = None

    @cached_property
    def policies(self) -> PolicyBook:
        """The packs that apply.

        Raises:
            OSError: One is missing.
            PolicyPackError: One is broken, or they do not go together.
        """
        return load_policies(self.settings)

    @property
    def rules(self) -> Rules:
        """What applies now; raises as `policies`."""
        return self.policies.at(self.at)

    def looks(self) -> Iterator[Look]:
        """Everything that is looked at, in the order in which the service needs it."""
        state = self.settings.state
        yield (
            "keys",
            self.keys,
            f"restore the keys from their backup, or chmod 600 {state}/keys.json",
        )
        yield "authority", self.authority, f"restore {state}/certificates from its backup"
        yield "server-certificate", self.server_certificate, "see what listens there"
        yield "callers", self.callers_ends, "see the directory that --callers names"
        yield "trust", self.trust, "see `identity trust list`"
        yield "policies", self.packs, "see `identity policy check`"
        yield (
            "face-model",
            self.face_model,
            "see `biometrics models verify` and SUBID_OPERATING_POINT",
        )
        yield "backups", self.backups, "see the directory that `backups` names"
        yield "disk", self.disk, "see the disk that the state directory lies on"

    def keys(self) -> Finding:
        """Whether the key ring is there, whole, and its owner's alone."""
        source = key_source(self.settings)
        ring = source.read()
        if ring is None:
            return warning(
                "keys",
                f"{source.name} holds no keys yet",
                "none are needed before the first start, which makes them; later, restore them",
            )
        return ok("keys", f"{source.name} holds {len(ring.sealing)}, {ring.active_id} is active")

    def authority(self) -> Finding:
        """Whether the authority that callers are issued by is whole and lasts."""
        name, directory = "authority", self.settings.state / "certificates"
        path, key_path = directory / "ca.crt.pem", directory / "ca.key.pem"
        if not path.exists() and not key_path.exists():
            return warning(name, f"{directory} holds none yet", "the first start makes one")
        if key_path.stat().st_mode & _OTHERS:
            return failed(name, f"others may read {key_path}", f"chmod 600 {key_path}")
        certificate = read_pem_certificate(path)
        if _private_public(key_path) != certificate.public_key():
            return failed(
                name, f"{key_path} is not the key of {path}", "restore both from one backup"
            )
        left = certificate.not_valid_after_utc - self.at
        if left <= timedelta():
            return failed(name, f"{path} has ended", "make a new one and issue every caller anew")
        if left < timedelta(days=AUTHORITY_DAYS_MIN):
            return warning(
                name, f"{path} ends in {left.days} days", "plan a new one: every caller needs it"
            )
        return ok(name, f"{path} is good for {left.days} days")

    def server_certificate(self) -> Finding:
        """Whether the server that runs here shows a certificate of this authority that lasts."""
        name, listen = "server-certificate", self.settings.listen
        der = _shown_on(listen)
        if der is None:
            return ok(name, f"no server runs on {listen}; it gets a new one when it starts")
        shown = x509.load_der_x509_certificate(der)
        authority = read_pem_certificate(self.settings.state / "certificates" / "ca.crt.pem")
        try:
            shown.verify_directly_issued_by(authority)
        except (InvalidSignature, ValueError, TypeError):
            return failed(
                name,
                f"what runs on {listen} shows a certificate of another authority",
                "see whether it is this service, on this state directory",
            )
        return self._of_life(name, f"that of {listen}", shown, "start the server again")

    def callers_ends(self) -> Finding:
        """How long callers' certificates last, of those in a directory that is named."""
        name, directory = "callers", self.callers
        if directory is None:
            return ok(name, "not looked at: --callers names a directory of their certificates")
        found = sorted(each for each in directory.rglob("*.crt.pem") if each.name != "ca.crt.pem")
        if not found:
            return warning(name, f"{directory} holds no *.crt.pem", "name where they lie")
        graded = [
            self._of_life(name, str(path), read_pem_certificate(path), "issue it anew")
            for path in found
        ]
        bad = [each for each in graded if each.todo]
        if not bad:
            return ok(name, f"{len(found)} certificates last")
        worst = next((each for each in bad if each.grade.value == "failed"), bad[0])
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        return Finding(name=name, grade=worst.grade, said=worst.said + more, todo=worst.todo)

    def trust(self) -> Finding:
        """Whether any card could pass, and for how long."""
        name, profile = "trust", self.rules.verification.trust_profile
        loaded = load_trust(self.settings.trust_directory)
        if not loaded.can_pass(profile, self.at):
            return failed(
                name,
                f"no card can pass by {profile}: it has no anchor, or no current revocation list",
                "see `identity trust list`, and import what is missing",
            )
        if ending := loaded.ending(self.at, within_days=ANCHOR_DAYS_MIN):
            days = round(ending[0].days_left(self.at))
            return warning(
                name,
                f"an anchor of {ending[0].profile} ends, or stops signing, in {days} days",
                "ask its authority for the next one",
            )
        return self._of_lists(loaded)

    def _of_lists(self, loaded: LoadedTrust) -> Finding:
        soon = self.at + timedelta(hours=LIST_HOURS_MIN)
        lists = loaded.lists()
        for status in lists:
            if not (status.is_signed and status.crl.is_current(soon)):
                return warning(
                    "trust",
                    f"a revocation list of {status.profile} runs out within {LIST_HOURS_MIN} hours,"
                    " has run out, or is signed by no anchor",
                    "import a new one with `identity trust import-crl`",
                )
        oldest = max((status.age_days(self.at) for status in lists), default=0.0)
        count = len(loaded.store.anchors())
        return ok("trust", f"{count} anchors; the oldest revocation list is of {oldest:.1f} days")

    def packs(self) -> Finding:
        """Whether the policy packs that are chosen can be used together."""
        chosen = [pack.version for pack in self.policies.chosen]
        return ok("policies", f"{', '.join(chosen)} apply")

    def face_model(self) -> Finding:
        """Whether the network that compares faces is the one that the thresholds were set for."""
        setup = load_proven_face_setup(self.settings, self.rules)
        setup.make_engine().warm_up()
        return ok(
            "face-model", f"{setup.model} at {setup.precision}, digest {setup.model_digest[:16]}…"
        )

    def backups(self) -> Finding:
        """How old the newest whole backup is."""
        name, directory = "backups", self.settings.backups
        if directory is None:
            return warning(
                name, "not configured", "set `backups`, and see docs/operating/backup.md"
            )
        newest = max(_backups_in(directory), default=None)
        if newest is None:
            return failed(name, f"{directory} holds no whole backup", "take one now")
        age = self.at - newest
        said = f"the newest of {directory} was begun {newest:%Y-%m-%d %H:%M} UTC"
        if age > timedelta(days=BACKUP_DAYS_MAX):
            return failed(name, said, "take one now, and see why none was taken")
        if age > timedelta(hours=BACKUP_HOURS_MAX):
            return warning(name, said, "see why none was taken since")
        return ok(name, said)

    def disk(self) -> Finding:
        """How much may still be written."""
        name, state = "disk", self.settings.state
        free, reserve = free_bytes(_existing(state)) >> 20, self.settings.disk_reserve_mb
        said = f"{free:,} MiB are free where {state} lies"
        todo = "make room: PostgreSQL stops when it cannot write"
        if free < reserve:
            return failed(name, f"{said}, less than the reserve of {reserve:,}", todo)
        return warning(name, said, todo) if free < FREE_FACTOR * reserve else ok(name, said)

    def _of_life(self, name: str, whose: str, certificate: x509.Certificate, todo: str) -> Finding:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins <= self.at < ends:
            return failed(
                name, f"{whose} is not valid now: it ends {ends:%Y-%m-%d %H:%M} UTC", todo
            )
        if (ends - self.at) < LIFE_LEFT_MIN * (ends - begins):
            return warning(name, f"{whose} ends {ends:%Y-%m-%d %H:%M} UTC", todo)
        return ok(name, f"{whose} ends {ends:%Y-%m-%d %H:%M} UTC")


def read_pem_certificate(path: Path) -> x509.Certificate:
    """A certificate in a file.

    Raises:
        OSError: The file cannot be read.
        StateError: It holds none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise StateError(f"{path} is not a certificate") from error


def _private_public(path: Path) -> object:
    """The public half of a private key in a file."""
    try:
        return load_pem_private_key(path.read_bytes(), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StateError(f"{path} is not a private key") from error


def _shown_on(listen: str) -> bytes | None:
    """The certificate that a server shows, as DER; None without a server."""
    host, _, port = listen.rpartition(":")
    # Nothing that it says is believed: it is only asked what it shows.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    place = (host.strip("[]"), int(port))
    try:
        plain = socket.create_connection(place, timeout=LISTEN_TIMEOUT_S)
    except OSError:
        return None
    with plain, context.wrap_socket(plain) as secured:
        return secured.getpeercert(binary_form=True)


def _backups_in(directory: Path) -> Iterator[datetime]:
    """When each whole backup was begun: its name says so, and its manifest is written last."""
    for manifest in directory.glob("base/*/manifest.json"):
        begun = _BACKUP.fullmatch(manifest.parent.name)
        if begun:
            yield datetime.strptime(begun[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _existing(directory: Path) -> Path:
    """The directory, or the nearest above it that is there."""
    return next(
        each for each in (directory.absolute(), *directory.absolute().parents) if each.exists()
    )
