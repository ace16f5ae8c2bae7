"""A well-formed example for each method of AuditService, for the walks over all methods."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from google.protobuf.message import Message

from subid.v1 import audit_service_pb2 as pb
from tests.integration.wire import new_id

PERSONAL_ID = "001090123456"
"""Of whom the other examples speak."""

EXAMPLES_OF_AUDIT: Mapping[str, Callable[[], Message]] = MappingProxyType(
    {
        "AuditService/GetTreeHead": pb.GetTreeHeadRequest,
        "AuditService/GetConsistencyProof": pb.GetConsistencyProofRequest,
        "AuditService/GetInclusionProof": lambda: pb.GetInclusionProofRequest(
            entry_id=1, personal_id=PERSONAL_ID
        ),
        "AuditService/GetReceipt": lambda: pb.GetReceiptRequest(
            entry_id=1, personal_id=PERSONAL_ID
        ),
        "AuditService/ListEntries": lambda: pb.ListEntriesRequest(page_size=1),
        "AuditService/AddWitnessSignature": lambda: pb.AddWitnessSignatureRequest(
            request_id=new_id(), checkpoint="none"
        ),
    }
)
