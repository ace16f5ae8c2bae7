"""What certificates were issued to callers, and which of them are revoked: the record.

Owns `callers.json` beside the local authority: one entry for each certificate, kept until long
after its end. A revocation names a certificate by its SHA-256, so one of another authority can be
revoked as well. Knows no connection: who refuses what is revoked is `admission.py`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from identity.state_directory import StateError, locked, read_whole, write_whole

RECORD = "callers.json"
RECORD_BYTES_MAX = 64 * 1024 * 1024
KEPT_AFTER_END = timedelta(days=400)
"""An entry is kept for so long after its end: what was signed is still asked about."""


class RecordError(StateError):
    """The record cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """One certificate.

    Attributes:
        fingerprint: SHA-256 of its DER, in small hexadecimal digits.
        serial: Its serial number, in small hexadecimal digits.
        caller: Whom it names, as `role:name`.
        authority: Fingerprint of the authority's certificate; empty when it is another's.
        issued_at: Since when it is recorded.
        ends_at: Its end.
        revoked_at: When it was revoked; None when it was not.
    """

    fingerprint: str
    serial: str
    caller: str
    authority: str
    issued_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of what a certificate's authority signed (RFC 5280, 4.1.1.1), in small hexadecimal.

    Not of the certificate as a whole: of an ECDSA signature (r, s) anybody makes another good one,
    (r, n - s), and a revoked certificate would come back under another digest.
    """
    return hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()


def entry_for(
    certificate: x509.Certificate, caller: str, *, authority: str, at: datetime
) -> IssuedCertificate:
    """The entry of a certificate that is recorded now."""
    return IssuedCertificate(
        fingerprint=fingerprint_of(certificate),
        serial=f"{certificate.serial_number:x}",
        caller=caller,
        authority=authority,
        issued_at=at,
        ends_at=certificate.not_valid_after_utc,
    )


def read_record(directory: Path) -> tuple[IssuedCertificate, ...]:
    """The record in a directory, in the order of issue; empty when there is none.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        said = json.loads(read_whole(directory / RECORD, bytes_max=RECORD_BYTES_MAX))
        return tuple(_entry(each) for each in said["certificates"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordError(f"{directory / RECORD} is no record of certificates") from error


def record(directory: Path, entry: IssuedCertificate) -> None:
    """Add an entry.

    Raises:
        RecordError: The record cannot be read.
    """
    with locked(directory):
        _write(directory, (*read_record(directory), entry), at=entry.issued_at)


def revoke(
    directory: Path, is_meant: Callable[[IssuedCertificate], bool], *, at: datetime
) -> tuple[IssuedCertificate, ...]:
    """Revoke certificates; what was revoked before stays as it is.

    Args:
        directory: Where the record lies.
        is_meant: Says of an entry whether it is to be revoked.
        at: The instant.

    Returns:
        Those that are revoked now and were not before.

    Raises:
        RecordError: The record cannot be read.
    """
    with locked(directory):
        kept = read_record(directory)
        meant = [each.revoked_at is None and is_meant(each) for each in kept]
        after = [
            replace(entry, revoked_at=at) if is_now else entry
            for entry, is_now in zip(kept, meant, strict=True)
        ]
        _write(directory, after, at=at)
    return tuple(entry for entry, is_now in zip(after, meant, strict=True) if is_now)


def _write(directory: Path, entries: Iterable[IssuedCertificate], *, at: datetime) -> None:
    kept = [_said(each) for each in entries if at - each.ends_at < KEPT_AFTER_END]
    content = json.dumps({"certificates": kept}, indent=1)
    write_whole(directory / RECORD, content.encode(), mode=0o644, may_replace=True)


def _entry(said: Any) -> IssuedCertificate:  # noqa: ANN401 - any JSON
    revoked = said["revoked_at"]
    return IssuedCertificate(
        fingerprint=str(said["fingerprint"]),
        serial=str(said["serial"]),
        caller=str(said["caller"]),
        authority=str(said["authority"]),
        issued_at=datetime.fromisoformat(said["issued_at"]),
        ends_at=datetime.fromisoformat(said["ends_at"]),
        revoked_at=None if revoked is None else datetime.fromisoformat(revoked),
    )


def _said(entry: IssuedCertificate) -> dict[str, str | None]:
    revoked = entry.revoked_at
    return {
        "fingerprint": entry.fingerprint,
        "serial": entry.serial,
        "caller": entry.caller,
        "authority": entry.authority,
        "issued_at": entry.issued_at.isoformat(),
        "ends_at": entry.ends_at.isoformat(),
        "revoked_at": None if revoked is None else revoked.isoformat(),
    }
