"""Everything that is held about a citizen, as one document.

Owns what stands in it besides the rows that storage finds. What it says is described in
docs/reference/export.md. How it is sent is not its matter.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from uuid import UUID

from identity.audit.log import AuditEntry, append, read_about_citizen
from identity.domain.data_request import DataRequestKind
from identity.domain.errors import DataRequestNotFoundError
from identity.domain.personal_id import PersonalID
from identity.security.service_signing import (
    SignatureFault,
    SignatureRefusedError,
    SigningPurpose,
    open_signed,
    sign,
)
from identity.services.call import Call
from identity.services.data_requests import entry
from identity.services.signing_keys import signing_key
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork

EXPORT_VERSION = 1
"""Of the form that docs/reference/export.md describes: changed when what is there means another
thing or is gone. More sections and fields are no other version."""


def export_data(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, data_request_id: UUID
) -> bytes:
    """The document, as things stand now; that it was read is the last line of its accesses.

    Returns:
        JSON in UTF-8.

    Raises:
        DataRequestNotFoundError: The citizen has not asked for this export.
        RecordUnreadableError: A value does not open: its key is lost.
    """
    key = citizen_key(uow.sealer, personal_id)
    asked = uow.data_requests.find(key, data_request_id)
    if asked is None or asked.kind is not DataRequestKind.EXPORT:
        raise DataRequestNotFoundError("you have asked for no such export")
    append(uow.connection, [entry(call, key, "get_export", "read")])
    document = {
        "format": "subid.export",
        "version": EXPORT_VERSION,
        "personal_id": personal_id.value,
        "data_request_id": str(data_request_id),
        "made_at": call.at.astimezone(UTC).isoformat(),
        **uow.personal_data.read(key, at=call.at),
        "accesses": _accesses(read_about_citizen(uow.connection, key), call),
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def signed_export(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, data_request_id: UUID
) -> str:
    """`export_data`, signed; raises the same."""
    document = export_data(uow, call, personal_id, data_request_id)
    return sign(signing_key(uow, at=call.at), document, purpose=SigningPurpose.EXPORT)


def open_document(token: str, keys: Mapping[str, bytes]) -> tuple[SigningPurpose, bytes]:
    """What was signed for a citizen, an export or the proof of an erasure, by public keys alone.

    Raises:
        SignatureRefusedError: It proves nothing.
    """
    try:
        return SigningPurpose.EXPORT, open_signed(token, keys, purpose=SigningPurpose.EXPORT)
    except SignatureRefusedError as error:
        if error.fault is not SignatureFault.PURPOSE_MISMATCH:
            raise
    return SigningPurpose.ERASURE, open_signed(token, keys, purpose=SigningPurpose.ERASURE)


def _accesses(entries: Sequence[AuditEntry], call: Call) -> Sequence[Mapping[str, object]]:
    """Who did what, the oldest first, but for what a court keeps from the person until later."""
    return [
        {
            "occurred_at": each.occurred_at.astimezone(UTC).isoformat(),
            "caller": each.caller,
            "action": each.action,
            "outcome": each.outcome,
            "purpose": each.purpose,
            "legal_basis": each.legal_basis,
            "case_id": each.case_id,
            "fields": each.fields,
            "details": dict(each.details),
        }
        for each in entries
        if each.shown_from is None or each.shown_from <= call.at
    ]
