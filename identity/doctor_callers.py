"""What is looked at of those who call: the authorities, the server's certificate, record, issuers.

Owns which of their files are looked at and the bounds of what is well. Reads only, and makes
nothing: not even the files that a first start would make.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from identity.config import Settings
from identity.finding import Finding, Look, failed, ok, warning
from identity.security.certificates import (
    CertificateAuthority,
    is_issued_by,
    read_authority,
    read_certificate,
)
from identity.security.external_authorities import Authority, read_authorities
from identity.security.issued import RECORD, IssuedCertificate, read_record
from identity.security.issuers import read_issuers
from identity.security.local_authority import (
    CERTIFICATE,
    FORMER_CERTIFICATE,
    FORMER_KEY,
    KEY,
    SERVER_CERTIFICATE,
    read_local_authority,
)
from identity.state_directory import locked, refuse_foreign_file

AUTHORITY_DAYS_MIN = 365
"""An authority whose end is nearer is told of: a new one must reach every caller before."""

LIFE_LEFT_MIN = 1 / 3
"""A certificate is renewed when two thirds of its life are over, as ACME's clients do (RFC 8555
leaves it to them; Let's Encrypt, integration guide)."""

LIST_HOURS_MIN = 24
"""A revocation list that runs out sooner than that has not been renewed as it should."""

LISTEN_TIMEOUT_S = 3.0
"""For a handshake on this machine, or with the next."""


@dataclass(frozen=True)
class CallerDoctor:
    """Looks at what callers and the server prove themselves with.

    Attributes:
        settings: The settings.
        at: The present.
        callers: Directory of callers' certificates, if any is to be looked at.
    """

    settings: Settings
    at: datetime
    callers: Path | None = None

    @property
    def _directory(self) -> Path:
        return self.settings.state / "certificates"

    def looks(self) -> Iterator[Look]:
        """Everything that is looked at, in the order in which the service needs it."""
        state = self.settings.state
        yield "authority", self.authority, f"restore {self._directory} from its backup"
        yield "server-certificate", self.server_certificate, "see what listens there"
        yield "callers-record", self.record, f"restore {self._directory / RECORD} from its backup"
        yield "callers", self.callers_ends, "see the directory that --callers names"
        yield "authorities", self.authorities, f"put {state}/authorities right, or restore it"
        yield "issuers", self.issuers, f"put {state}/issuers right, or restore it"

    def authority(self) -> Finding:
        """Whether the authority that callers are issued by is whole and lasts, and a former one."""
        name, directory = "authority", self._directory
        if not (directory / CERTIFICATE).exists() and not (directory / KEY).exists():
            return warning(name, f"{directory} holds none yet", "the first start makes one")
        current, *former = self._own()
        left = current.certificate.not_valid_after_utc - self.at
        path = directory / CERTIFICATE
        if left <= timedelta():
            return failed(name, f"{path} has ended", "make a new one and issue every caller anew")
        if former and former[0].certificate.not_valid_after_utc <= self.at:
            return failed(
                name,
                f"{directory / FORMER_CERTIFICATE} has ended, and the server shows one of its",
                "issue who is left anew, and end the change with `identity callers retire`",
            )
        if left < timedelta(days=AUTHORITY_DAYS_MIN):
            return warning(
                name, f"{path} ends in {left.days} days", "plan a new one: every caller needs it"
            )
        more = "; the former one is believed until `identity callers retire`" if former else ""
        return ok(name, f"{path} is good for {left.days} days{more}")

    def server_certificate(self) -> Finding:
        """Whether the server that runs here shows the certificate that it should, and it lasts."""
        name, listen = "server-certificate", self.settings.listen
        der, path = _shown_on(listen), self._directory / SERVER_CERTIFICATE
        if path.exists():
            return self._of_given(name, path, der)
        if der is None:
            return ok(name, f"no server runs on {listen}; it gets a new one when it starts")
        # While the authority changes, the server shows a certificate by the former one.
        if not any(is_issued_by(der, each.certificate) for each in self._own()):
            return failed(
                name,
                f"what runs on {listen} shows a certificate of another authority",
                "see whether it is this service, on this state directory",
            )
        shown = x509.load_der_x509_certificate(der)
        return self._of_life(name, f"that of {listen}", shown, "start the server again")

    def _of_given(self, name: str, path: Path, der: bytes | None) -> Finding:
        read_local_authority(self._directory)  # refuses a key that is open, or not its own
        given = read_certificate(path)
        if der is not None and der != given.public_bytes(Encoding.DER):
            return failed(
                name,
                f"what runs on {self.settings.listen} shows another certificate than {path}",
                "start it again, or see whether it is this service, on this state directory",
            )
        return self._of_life(name, str(path), given, "put the next one there")

    def record(self) -> Finding:
        """Whether the record of what was issued and revoked is whole, and whose turn is next."""
        name, path = "callers-record", self._directory / RECORD
        if not path.exists():
            return ok(name, f"{path} is not there: no certificate was issued or revoked here")
        refuse_foreign_file(path)
        entries = read_record(self._directory)
        revoked = sum(each.revoked_at is not None for each in entries)
        last: dict[str, IssuedCertificate] = {}
        for each in sorted(entries, key=lambda entry: entry.ends_at):
            if each.revoked_at is None and each.ends_at > self.at:
                last[each.caller] = each
        due = [
            each
            for each in last.values()
            if each.ends_at - self.at < LIFE_LEFT_MIN * (each.ends_at - each.issued_at)
        ]
        if due:
            return warning(
                name,
                f"{len(due)} of {len(last)} callers have none that lasts; the next to end is that"
                f" of {due[0].caller}, {due[0].ends_at:%Y-%m-%d %H:%M} UTC",
                "issue them anew with `identity callers issue`",
            )
        return ok(name, f"{len(last)} callers have one that lasts; {revoked} are revoked")

    def callers_ends(self) -> Finding:
        """How long callers' certificates last, of those in a directory that is named."""
        name, directory = "callers", self.callers
        if directory is None:
            return ok(name, "not looked at: --callers names a directory of their certificates")
        found = sorted(each for each in directory.rglob("*.crt.pem") if each.name != "ca.crt.pem")
        if not found:
            return warning(name, f"{directory} holds no *.crt.pem", "name where they lie")
        graded = [
            self._of_life(name, str(path), read_certificate(path), "issue it anew")
            for path in found
        ]
        return _worst(graded) or ok(name, f"{len(found)} certificates last")

    def authorities(self) -> Finding:
        """Whether the authorities of others that are believed, and their lists, last."""
        name, directory = "authorities", self.settings.state / "authorities"
        found = read_authorities(directory)
        if not found:
            return ok(name, f"{directory} names none: only certificates from here are taken")
        graded = [finding for each in found for finding in self._of_authority(name, each)]
        return _worst(graded) or ok(name, f"{len(found)} of others are believed, and last")

    def _of_authority(self, name: str, authority: Authority) -> Iterator[Finding]:
        ends = authority.certificate.not_valid_after_utc
        if ends <= self.at:
            yield failed(name, f"{authority.name} has ended", "ask for its successor")
        elif ends - self.at < timedelta(days=AUTHORITY_DAYS_MIN):
            said = f"{authority.name} ends in {(ends - self.at).days} days"
            yield warning(name, said, "ask for its successor")
        if authority.revocation_list is None:
            return
        until, todo = authority.revocation_list.next_update_utc, "fetch its next one"
        if until is None or until <= self.at:
            yield failed(name, f"the revocation list of {authority.name} has run out", todo)
        elif until - self.at < timedelta(hours=LIST_HOURS_MIN):
            said = f"the revocation list of {authority.name} ends {until:%Y-%m-%d %H:%M} UTC"
            yield warning(name, said, todo)

    def issuers(self) -> Finding:
        """Whether anybody is believed who says that a citizen is there."""
        name, directory = "issuers", self.settings.state / "issuers"
        found = read_issuers(directory)
        if not found:
            return warning(
                name,
                f"{directory} names none: no citizen can act",
                "add one with `identity issuers add`, or restore them",
            )
        return ok(name, f"{len(found)} are believed, with {sum(map(len, found.values()))} keys")

    def _own(self) -> tuple[CertificateAuthority, ...]:
        """The authority that issues, and the former one while it is being changed.

        Raises:
            StateError: A file is missing, damaged, open to others, or two do not belong together.
        """
        directory = self._directory
        with locked(directory):  # no change is half written
            current = read_authority(directory / CERTIFICATE, directory / KEY)
            former = directory / FORMER_CERTIFICATE
            if not former.exists():
                return (current,)
            return (current, read_authority(former, directory / FORMER_KEY))

    def _of_life(self, name: str, whose: str, certificate: x509.Certificate, todo: str) -> Finding:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins <= self.at < ends:
            return failed(
                name, f"{whose} is not valid now: it ends {ends:%Y-%m-%d %H:%M} UTC", todo
            )
        if (ends - self.at) < LIFE_LEFT_MIN * (ends - begins):
            return warning(name, f"{whose} ends {ends:%Y-%m-%d %H:%M} UTC", todo)
        return ok(name, f"{whose} ends {ends:%Y-%m-%d %H:%M} UTC")


def _worst(graded: Iterable[Finding]) -> Finding | None:
    """The first of the worst, with the number of the others; None when all are well."""
    bad = [each for each in graded if each.todo]
    if not bad:
        return None
    worst = next((each for each in bad if each.grade.value == "failed"), bad[0])
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    return Finding(name=worst.name, grade=worst.grade, said=worst.said + more, todo=worst.todo)


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
