"""What operators sign: taken only with their signature, kept with it, and checked again later.

Owns the proof that an operator has said what the registry counts as said. What an acknowledgement
does is `directives.py`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from cryptography import x509

from identity.domain.errors import AcknowledgementUnsignedError, CallerUnknownError
from identity.security.certificates import caller_in, is_issued_by
from identity.security.signatures import is_signed_by
from identity.services.call import Call
from identity.storage.acknowledgements import KeptAcknowledgement, fingerprint_of
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request that its caller has signed, or says so.

    Attributes:
        request_id: Its identifier.
        text: What is signed of it.
        signature: The signature.
    """

    request_id: UUID
    text: str
    signature: bytes


class Flaw(StrEnum):
    """Why a kept acknowledgement proves nothing."""

    CERTIFICATE = "it is not the certificate that was kept, or none"
    AUTHORITY = "its certificate is not by the authority"
    CALLER = "its certificate names another caller"
    SIGNATURE = "its signature does not verify"


@dataclass(frozen=True, slots=True)
class Flawed:
    """A kept acknowledgement that proves nothing."""

    kept: KeptAcknowledgement
    flaw: Flaw


def keep_signed(uow: UnitOfWork, call: Call, signed: Signed) -> None:
    """Keep what a caller has signed.

    Raises:
        AcknowledgementUnsignedError: It is not signed with the key of the certificate that they
            called with.
    """
    certificate, content = call.certificate, signed.text.encode()
    if certificate is None or not is_signed_by(
        certificate, signature=signed.signature, content=content
    ):
        raise AcknowledgementUnsignedError("the signature is not by the key of your certificate")
    uow.acknowledgements.keep(
        KeptAcknowledgement(
            caller=str(call.caller),
            request_id=signed.request_id,
            signed_text=signed.text,
            signature=signed.signature,
            certificate=certificate,
            fingerprint=fingerprint_of(certificate),
            received_at=call.at,
        )
    )


def find_flaws(uow: UnitOfWork, authorities: Sequence[x509.Certificate]) -> Iterator[Flawed | None]:
    """Check every kept acknowledgement; None for each that proves what it says.

    Args:
        uow: The transaction.
        authorities: Whose certificates callers have, or had.
    """
    for kept in uow.acknowledgements.all():
        flaw = _flaw(kept, authorities)
        yield None if flaw is None else Flawed(kept, flaw)


def _flaw(kept: KeptAcknowledgement, authorities: Sequence[x509.Certificate]) -> Flaw | None:
    if fingerprint_of(kept.certificate) != kept.fingerprint:
        return Flaw.CERTIFICATE
    try:
        if not any(is_issued_by(kept.certificate, each) for each in authorities):
            return Flaw.AUTHORITY
        if str(caller_in(kept.certificate)) != kept.caller:
            return Flaw.CALLER
        content = kept.signed_text.encode()
        is_signed = is_signed_by(kept.certificate, signature=kept.signature, content=content)
    except CallerUnknownError:
        return Flaw.CALLER
    except ValueError:
        return Flaw.CERTIFICATE
    return None if is_signed and _names_request(kept) else Flaw.SIGNATURE


def _names_request(kept: KeptAcknowledgement) -> bool:
    """Whether the text names its request: a row moved to another one proves nothing of it.

    In whatever letters its sender wrote it: an identifier is the same in capitals.
    """
    named = kept.signed_text.split("\n", 2)[1:2]
    return [name.lower() for name in named] == [str(kept.request_id)]
