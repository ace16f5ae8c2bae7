"""Who is let in: the certificate of a connection, and the assertion of a call.

Owns the state directory's three folders of trust (`certificates`, `authorities`, `issuers`) as they
are now, what the server shows and believes in a handshake, and the checks that a handshake does not
do: revocation, whom an authority may name, and the end of a certificate on an open connection.
Lives in real time, whatever the simulated clock says. Knows no method.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from identity.domain.caller import Caller
from identity.domain.errors import CertificateRefusedError
from identity.domain.personal_id import PersonalID
from identity.security.assertions import bearer_token, verify_assertion
from identity.security.certificates import (
    SERVER_DAYS,
    Identity,
    caller_in,
    load_or_create_authority,
)
from identity.security.external_authorities import Authority, read_authorities
from identity.security.issued import fingerprint_of
from identity.security.issuers import read_issuers
from identity.security.local_authority import LocalAuthority, read_local_authority
from identity.security.watched import Watched
from identity.state_directory import locked

CERTIFICATES, AUTHORITIES, ISSUERS = "certificates", "authorities", "issuers"

RENEWED_AFTER = dt.timedelta(days=SERVER_DAYS) * 2 / 3
"""Age at which the server makes itself another certificate: ten days are left for a restart."""

_KNOWN_MAX = 4096
"""Certificates whose checks are remembered: far above the callers of a country."""


def real_time() -> dt.datetime:
    """What time it is."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the server shows in a handshake, and the PEM certificates that it believes."""

    identity: Identity
    authorities: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """A certificate that was let in, and until when nothing can have changed."""

    caller: Caller
    until: dt.datetime


class Admission:
    """Lets callers in, by what lies in a state directory. May be asked from any thread.

    Args:
        state: The state directory; a local authority is made in it on first use.
        server_names: DNS names and addresses of the server beyond the machine's own.
        now: What time it is, really.

    Raises:
        StateError: A file cannot be used.
    """

    def __init__(
        self,
        state: Path,
        *,
        server_names: Iterable[str] = (),
        now: Callable[[], dt.datetime] = real_time,
    ) -> None:
        self._now = now
        self._server_names = tuple(server_names)
        load_or_create_authority(state / CERTIFICATES, at=now())
        with locked(state / CERTIFICATES):
            self._local = Watched(state / CERTIFICATES, read_local_authority)
        self._external = Watched(state / AUTHORITIES, read_authorities)
        self._issuers = Watched(state / ISSUERS, read_issuers)
        self._lock = threading.Lock()
        self._shown: tuple[x509.Certificate, dt.datetime, Identity] | None = None
        self._known_by: tuple[LocalAuthority, tuple[Authority, ...]] | None = None
        self._known: dict[bytes, _Known] = {}

    def handshake(self) -> Handshake:
        """What the next handshake shows and believes."""
        local, external = self._local.current(), self._external.current()
        others = (each.certificate.public_bytes(Encoding.PEM) for each in external)
        return Handshake(self._server_identity(local), b"".join((local.bundle, *others)))

    def admit(self, certificate: bytes) -> Caller:
        """Whom a certificate lets in.

        Args:
            certificate: DER, shown in a handshake, which has proved that its key is there.

        Raises:
            CertificateRefusedError: It is revoked, has ended, or is not signed directly by an
                authority that may name this caller.
            CallerUnknownError: It names no caller.
        """
        trusted = (self._local.current(), self._external.current())
        if self._known_by != trusted:
            self._known_by, self._known = trusted, {}
        known, now = self._known.get(certificate), self._now()
        if known is None or now >= known.until:
            known = _examine(certificate, *trusted, at=now)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[certificate] = known
        return known.caller

    def prove(self, authorization: Sequence[str], certificate: bytes) -> PersonalID:
        """Whom the assertion of a call proves.

        Args:
            authorization: The values of the call's `authorization`.
            certificate: DER of the caller's certificate.

        Raises:
            AssertionMissingError: There is none.
            AssertionInvalidError: It proves nobody.
        """
        token = bearer_token(authorization)
        issuers = self._issuers.current()
        return verify_assertion(token, issuers, certificate=certificate, at=self._now())

    def _server_identity(self, local: LocalAuthority) -> Identity:
        if local.server is not None:
            return local.server
        authority, now = local.known_to_all, self._now()
        with self._lock:
            if (
                self._shown is None
                or self._shown[0] != authority.certificate
                or now - self._shown[1] >= RENEWED_AFTER
            ):
                issued = authority.issue_server(at=now, names=self._server_names)
                self._shown = (authority.certificate, now, issued)
            return self._shown[2]


def _examine(
    certificate: bytes, local: LocalAuthority, external: Iterable[Authority], *, at: dt.datetime
) -> _Known:
    shown = x509.load_der_x509_certificate(certificate)
    if fingerprint_of(shown) in local.revoked:
        raise CertificateRefusedError("the certificate is revoked")
    if not shown.not_valid_before_utc <= at < shown.not_valid_after_utc:
        raise CertificateRefusedError("the certificate has ended, or has not begun")
    for own in local.authorities:
        if _issued(own.certificate, shown, at):
            ends = (shown.not_valid_after_utc, own.certificate.not_valid_after_utc)
            return _Known(caller_in(certificate), min(ends))
    for authority in external:
        if _issued(authority.certificate, shown, at):
            return _by_another(authority, shown, at=at)
    raise CertificateRefusedError(
        "no authority that is believed now has signed the certificate directly"
    )


def _by_another(authority: Authority, shown: x509.Certificate, *, at: dt.datetime) -> _Known:
    until = min(shown.not_valid_after_utc, authority.certificate.not_valid_after_utc)
    if authority.revocation_list is not None:
        until = min(until, _refuse_revoked(authority.revocation_list, shown, at=at))
    caller = caller_in(shown.public_bytes(Encoding.DER))
    if caller not in authority.callers:
        raise CertificateRefusedError(f"the authority may not name the caller {caller}")
    return _Known(caller, until)


def _issued(own: x509.Certificate, shown: x509.Certificate, at: dt.datetime) -> bool:
    """Whether an authority's own key signed a certificate; what lies between is not looked for."""
    if not own.not_valid_before_utc <= at < own.not_valid_after_utc:
        return False
    try:
        shown.verify_directly_issued_by(own)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _refuse_revoked(
    listed: x509.CertificateRevocationList, shown: x509.Certificate, *, at: dt.datetime
) -> dt.datetime:
    """Until when the list speaks; one that speaks no more lets nobody in."""
    ends_at = listed.next_update_utc
    if ends_at is None or at >= ends_at:
        raise CertificateRefusedError("the authority's revocation list is out of date")
    if listed.get_revoked_certificate_by_serial_number(shown.serial_number) is not None:
        raise CertificateRefusedError("the certificate is revoked by its authority")
    return ends_at
