"""AuditService on the wire."""

from identity.audit.leaf import EntryRow
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services import audit_receipts
from identity.services.call import Call
from identity.services.witness_signatures import add_witness_signature
from identity.storage.database import UnitOfWork
from subid.v1 import audit_service_pb2 as pb
from subid.v1 import audit_service_pb2_grpc


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def GetTreeHead(self, request: pb.GetTreeHeadRequest, _call: Call) -> pb.GetTreeHeadResponse:
        """Read the newest signed head."""
        found = self._edge.transactions.run(
            lambda uow: audit_receipts.get_tree_head(uow, is_witnessed=request.is_witnessed)
        )
        keys = [
            pb.AuditKey(number=key.number, public_key=key.public_key, handover=key.handover or b"")
            for key in found.keys
        ]
        return pb.GetTreeHeadResponse(checkpoint=found.checkpoint, keys=keys)

    def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, _call: Call
    ) -> pb.GetConsistencyProofResponse:
        """Prove that one tree is the beginning of another."""
        hashes = self._edge.transactions.run(
            lambda uow: audit_receipts.get_consistency_proof(
                uow, old_size=request.old_size, new_size=request.new_size
            )
        )
        return pb.GetConsistencyProofResponse(hashes=hashes)

    def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, call: Call
    ) -> pb.GetInclusionProofResponse:
        """Prove that an entry is in a tree."""
        found = self._edge.transactions.run(
            lambda uow: audit_receipts.get_inclusion_proof(
                uow,
                call,
                request.entry_id,
                size=request.tree_size or None,
                citizen=decode.optional_personal_id(request.personal_id),
            )
        )
        return pb.GetInclusionProofResponse(
            leaf_index=found.leaf_index,
            tree_size=found.size,
            leaf_hash=found.leaf_hash,
            hashes=found.proof,
        )

    def GetReceipt(self, request: pb.GetReceiptRequest, call: Call) -> pb.GetReceiptResponse:
        """Hand out an entry with its proof."""
        receipt = self._edge.transactions.run(
            lambda uow: audit_receipts.get_receipt(
                uow,
                call,
                request.entry_id,
                citizen=decode.optional_personal_id(request.personal_id),
                is_witnessed=request.is_witnessed,
            )
        )
        return pb.GetReceiptResponse(receipt=receipt)

    def ListEntries(self, request: pb.ListEntriesRequest, call: Call) -> pb.ListEntriesResponse:
        """Read a page of the caller's own entries."""
        before = decode.place_token(request.page_token)
        limit = decode.page_size(request.page_size)
        entries, rest = self._edge.transactions.run(
            lambda uow: audit_receipts.list_own_entries(uow, call, before=before, limit=limit)
        )
        return pb.ListEntriesResponse(
            entries=[_line(each) for each in entries],
            next_page_token="" if rest is None else str(rest),
        )

    def AddWitnessSignature(
        self, request: pb.AddWitnessSignatureRequest, call: Call
    ) -> pb.AddWitnessSignatureResponse:
        """Keep what a witness has signed."""

        def add(uow: UnitOfWork) -> pb.AddWitnessSignatureResponse:
            add_witness_signature(uow, call, request.checkpoint)
            return pb.AddWitnessSignatureResponse()

        return self._edge.answer_once(request, call, add, pb.AddWitnessSignatureResponse)


def _line(row: EntryRow) -> pb.AuditEntryLine:
    return pb.AuditEntryLine(
        entry_id=row.entry_id,
        occur_time=encode.timestamp(row.occurred_at),
        caller=row.caller,
        action=row.action,
        outcome=row.outcome,
        case_id=row.case_id or "",
    )
