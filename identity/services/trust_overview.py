"""The trust store as an administrator reads it.

Owns what is said of profiles, anchors and revocation lists, for people and for programs that watch
over a service. Judges nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from asn1crypto import x509

from biometrics.chip.certificate import read_certificate
from biometrics.chip.profiles import AnchorStatus
from biometrics.chip.trust import TrustProfile
from identity.services.trust_records import TrustKind, TrustRecord
from identity.services.trust_store import ListStatus, LoadedTrust

Row = dict[str, Any]
_DAY = timedelta(days=1)


def describe(
    loaded: LoadedTrust, *, at: datetime, within_days: int | None = None
) -> dict[str, Any]:
    """Everything in a store.

    Args:
        loaded: The store.
        at: Now.
        within_days: Only anchors that end, or whose key stops signing, within so many days.

    Returns:
        `at` (an instant), `profiles`, `anchors` (those that end first in front),
        `revocation_lists` and `distrusted`, each a list of rows that JSON can hold.
    """
    anchors = loaded.store.anchors()
    if within_days is not None:
        anchors = loaded.ending(at, within_days=within_days)
    return {
        "at": at.isoformat(timespec="seconds"),
        "profiles": [
            _profile_row(profile, can_pass=loaded.can_pass(name, at))
            for name, profile in loaded.store.profiles.items()
        ],
        "anchors": [_anchor_row(each, at) for each in anchors],
        "revocation_lists": [_list_row(each, at) for each in loaded.lists()],
        "distrusted": [
            _distrusted_row(each) for each in loaded.records if each.kind is TrustKind.DISTRUSTED
        ],
    }


def _profile_row(profile: TrustProfile, *, can_pass: bool) -> Row:
    return {
        "profile": profile.name,
        "country": profile.country or "any",
        "policy": profile.policy.version,
        "anchors": len(profile.anchors),
        "document_signers": len(profile.document_signers),
        "revocation_lists": len(profile.crls),
        "can_pass": can_pass,
    }


def _anchor_row(status: AnchorStatus, at: datetime) -> Row:
    certificate, provenance = status.certificate, status.provenance
    signs_until = status.signs_until
    return {
        "profile": status.profile,
        "subject": _readable(certificate.subject.raw),
        "sha256": certificate.sha256.hex(),
        "valid_until": status.ends_at.date().isoformat(),
        "days_left": round((status.ends_at - at) / _DAY, 1),
        "signs_until": None if signs_until is None else signs_until.date().isoformat(),
        "signing_days_left": None if signs_until is None else round((signs_until - at) / _DAY, 1),
        "origin": None if provenance is None else provenance.origin,
        "added_on": None if provenance is None else provenance.added_on.isoformat(),
    }


def _list_row(status: ListStatus, at: datetime) -> Row:
    crl = status.crl
    return {
        "profile": status.profile,
        "issuer": _readable(crl.issuer.raw),
        "issued_at": crl.this_update.isoformat(),
        "next_due_at": None if crl.next_update is None else crl.next_update.isoformat(),
        "age_days": round(status.age_days(at), 1),
        "revoked": len(crl.serials),
        "is_current": crl.is_current(at),
        "is_usable": status.is_signed and crl.is_current(at),
    }


def _distrusted_row(record: TrustRecord) -> Row:
    return {
        "profile": record.profile,
        "subject": _readable(read_certificate(record.content).subject.raw),
        "sha256": record.digest,
        "reason": record.origin,
        "since": record.added_on.isoformat(),
    }


def _readable(name: bytes) -> str:
    """Country and common name, or all of a name that has neither."""
    read = x509.Name.load(name)
    parts = [read.native[key] for key in ("country_name", "common_name") if key in read.native]
    return " ".join(map(str, parts)) or str(read.human_friendly)
