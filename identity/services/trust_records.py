"""What the trust directory holds: certificates and revocation lists, each with origin and date.

Owns the file `trust.json`, which `identity trust` writes whole, and the reading of what an
administrator laid beside it by hand. Judges nothing: a record is octets with a label.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from identity.domain.verification import TRUST_PROFILE
from identity.security.watched import files_in
from identity.state_directory import StateError, write_whole

FILE_NAME = "trust.json"
FORMAT = 1
_MODE = 0o644

CERTIFICATE_SUFFIXES = frozenset({".der", ".cer", ".crt", ".pem"})
LIST_SUFFIX = ".crl"


class TrustError(StateError):
    """A trust directory, certificate or list that cannot be used; the message names it."""


class TrustKind(StrEnum):
    """What a record is."""

    ANCHOR = "anchor"
    """An authority's certificate. A link certificate is one as soon as an anchor signed it."""
    LISTED_ANCHOR = "listed_anchor"
    """An authority's certificate by the word of a master list. It vouches for documents as any
    anchor does, and for no further master list: else each state on a list could add others."""
    DOCUMENT_SIGNER = "document_signer"
    """A signer whose certificate documents leave out; no anchor."""
    CRL = "crl"
    DISTRUSTED = "distrusted"
    """A certificate whose key is believed no more, whatever else the directory holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRecord:
    """One certificate or revocation list.

    Attributes:
        profile: Name of the profile it belongs to.
        kind: What it is.
        content: DER, or PEM as it was laid in the directory.
        origin: Where it came from, in an administrator's words.
        added_on: When it came.
    """

    profile: str
    kind: TrustKind
    content: bytes = field(repr=False)
    origin: str
    added_on: date

    @property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def read_records(directory: Path) -> tuple[TrustRecord, ...]:
    """Everything in a trust directory.

    What lies in the directory itself belongs to the identity cards' profile (`vn-cccd`), what lies
    in a subdirectory to the profile of that name.

    Raises:
        TrustError: `trust.json` is not one, or a file cannot be read.
    """
    try:
        return (*read_own_records(directory), *_read_laid_down(directory))
    except OSError as error:
        raise TrustError(f"{directory}: {error}") from error


def read_own_records(directory: Path) -> tuple[TrustRecord, ...]:
    """What `identity trust` put there; nothing when it never did.

    Raises:
        TrustError: `trust.json` is not one.
    """
    path = directory / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (ValueError, RecursionError) as error:  # also a nesting without an end
        raise TrustError(f"{path}: not JSON") from error
    try:
        return tuple(_record(fields) for fields in _fields_of(document))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise TrustError(f"{path}: not a trust file of format {FORMAT}") from error


def write_own_records(directory: Path, records: Iterable[TrustRecord]) -> None:
    """Put records in the place of all that `read_own_records` reads, at once."""
    document = {"format": FORMAT, "records": [_fields(record) for record in records]}
    content = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / FILE_NAME, content, mode=_MODE, may_replace=True)


def _read_laid_down(directory: Path) -> Iterator[TrustRecord]:
    for path in files_in(directory):
        if path.suffix == LIST_SUFFIX:
            kind = TrustKind.CRL
        elif path.suffix in CERTIFICATE_SUFFIXES:
            kind = TrustKind.ANCHOR
        else:
            continue
        written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        yield TrustRecord(
            profile=TRUST_PROFILE if path.parent == directory else path.parent.name,
            kind=kind,
            content=path.read_bytes(),
            origin=f"file {path.relative_to(directory)}",
            added_on=written_at.date(),
        )


def _fields_of(document: Any) -> list[dict[str, str]]:  # noqa: ANN401 - JSON
    if document["format"] != FORMAT:
        raise ValueError("another format")
    return list(document["records"])


def _fields(record: TrustRecord) -> dict[str, str]:
    return {
        "profile": record.profile,
        "kind": record.kind.value,
        "origin": record.origin,
        "added_on": record.added_on.isoformat(),
        "sha256": record.digest,
        "content": base64.b64encode(record.content).decode(),
    }


def _record(fields: dict[str, str]) -> TrustRecord:
    record = TrustRecord(
        profile=fields["profile"],
        kind=TrustKind(fields["kind"]),
        content=base64.b64decode(fields["content"], validate=True),
        origin=fields["origin"],
        added_on=date.fromisoformat(fields["added_on"]),
    )
    if record.digest != fields["sha256"]:
        raise ValueError("the content is not the one that was written")
    return record
