"""A witness of the shared server, and what it signs.

Owns its key and its registration, and the example requests of AuditService.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.audit.checkpoint import NoteSigner, parse_note
from identity.bootstrap import open_current_database
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.services.call import COMMAND_LINE, Call
from identity.services.witness import cosignature_of
from identity.services.witness_signatures import register_witness
from subid.v1 import audit_service_pb2 as pb
from tests.integration.scene import Scene
from tests.integration.wire import new_id
from tests.integration.writes import Write
from tests.unit.identity.makers import rules

WITNESS = Caller(Role.WITNESS, "ombudsman")
SIGNER = NoteSigner("ombudsman.example", Ed25519PrivateKey.from_private_bytes(b"\x05" * 32))


def register_ombudsman(settings: Settings) -> None:
    """Have a registry take the witness's co-signatures, as its administrator does."""
    caller = Caller(Role.REGULATOR, COMMAND_LINE)
    call = Call(caller=caller, at=datetime.now(UTC), rules=rules())
    with open_current_database(settings) as database, database.transaction() as uow:
        register_witness(uow, call, WITNESS.name, SIGNER.verifier(is_witness=True))


def add_witness_signature(scene: Scene) -> Write:
    """The newest head, co-signed; and the same, co-signed later."""
    witness = scene.act_as(WITNESS.role, WITNESS.name)
    checkpoint = witness.audit.GetTreeHead(pb.GetTreeHeadRequest()).checkpoint
    head = parse_note(checkpoint).head
    request_id, now = new_id(), datetime.now(UTC)
    request, other = (
        pb.AddWitnessSignatureRequest(
            request_id=request_id,
            checkpoint=f"{head.body}\n{cosignature_of(head, SIGNER, at=at).line}",
        )
        for at in (now, now + timedelta(minutes=1))
    )
    return Write(caller=WITNESS, request=request, other=other)


WRITES_OF_WITNESSES: Mapping[str, Callable[[Scene], Write]] = MappingProxyType(
    {"AuditService/AddWitnessSignature": add_witness_signature}
)
