"""The other side of AuditService: a log as a witness reaches it.

Owns the calls. Knows neither what a witness demands nor what it remembers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import grpc

from identity.audit.key_chain import ChainedKey
from identity.rpc.client_calls import open_channel, refusals
from identity.security.client_keys import ClientKeys
from subid.v1 import audit_service_pb2 as pb
from subid.v1.audit_service_pb2_grpc import AuditServiceStub

TIMEOUT_S = 30.0
"""For one call."""


class RemoteLog:
    """The log of a service."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub: Any = AuditServiceStub(channel)

    def newest(self) -> tuple[str, Sequence[ChainedKey]]:
        """Its newest signed note, and its keys."""
        answer = self._stub.GetTreeHead(pb.GetTreeHeadRequest(), timeout=TIMEOUT_S)
        keys = [
            ChainedKey(
                number=each.number, public_key=each.public_key, handover=each.handover or None
            )
            for each in answer.keys
        ]
        return answer.checkpoint, keys

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Its proof that one tree is the beginning of another."""
        request = pb.GetConsistencyProofRequest(old_size=old_size, new_size=new_size)
        return list(self._stub.GetConsistencyProof(request, timeout=TIMEOUT_S).hashes)

    def add(self, checkpoint: str) -> None:
        """Hand it a note with a co-signature."""
        request = pb.AddWitnessSignatureRequest(request_id=str(uuid4()), checkpoint=checkpoint)
        self._stub.AddWitnessSignature(request, timeout=TIMEOUT_S)


@contextmanager
def open_remote_log(address: str, keys: ClientKeys) -> Iterator[RemoteLog]:
    """Connect to the log of a service.

    Raises:
        ImportRefusedError: The service, or the way to it, says no.
    """
    with open_channel(address, keys) as channel, refusals():
        yield RemoteLog(channel)
