import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DisputeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPUTE_STATE_UNSPECIFIED: _ClassVar[DisputeState]
    DISPUTE_STATE_OPEN: _ClassVar[DisputeState]
    DISPUTE_STATE_DECIDED: _ClassVar[DisputeState]
    DISPUTE_STATE_APPEALED: _ClassVar[DisputeState]
    DISPUTE_STATE_CLOSED: _ClassVar[DisputeState]

class DisputeDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISPUTE_DECISION_UNSPECIFIED: _ClassVar[DisputeDecision]
    DISPUTE_DECISION_HOLDER: _ClassVar[DisputeDecision]
    DISPUTE_DECISION_CLAIMANT: _ClassVar[DisputeDecision]
    DISPUTE_DECISION_NOBODY: _ClassVar[DisputeDecision]

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_RECENT_CALLS: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_BILLS: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CONTRACT: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_SIM_CARD: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_OTHER: _ClassVar[EvidenceKind]
DISPUTE_STATE_UNSPECIFIED: DisputeState
DISPUTE_STATE_OPEN: DisputeState
DISPUTE_STATE_DECIDED: DisputeState
DISPUTE_STATE_APPEALED: DisputeState
DISPUTE_STATE_CLOSED: DisputeState
DISPUTE_DECISION_UNSPECIFIED: DisputeDecision
DISPUTE_DECISION_HOLDER: DisputeDecision
DISPUTE_DECISION_CLAIMANT: DisputeDecision
DISPUTE_DECISION_NOBODY: DisputeDecision
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_RECENT_CALLS: EvidenceKind
EVIDENCE_KIND_BILLS: EvidenceKind
EVIDENCE_KIND_CONTRACT: EvidenceKind
EVIDENCE_KIND_SIM_CARD: EvidenceKind
EVIDENCE_KIND_OTHER: EvidenceKind

class Evidence(_message.Message):
    __slots__ = ("kind", "document_digest", "place", "is_for_claimant")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    IS_FOR_CLAIMANT_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    document_digest: bytes
    place: str
    is_for_claimant: bool
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., document_digest: _Optional[bytes] = ..., place: _Optional[str] = ..., is_for_claimant: _Optional[bool] = ...) -> None: ...

class AddedEvidence(_message.Message):
    __slots__ = ("evidence", "adder", "add_time")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    ADDER_FIELD_NUMBER: _ClassVar[int]
    ADD_TIME_FIELD_NUMBER: _ClassVar[int]
    evidence: Evidence
    adder: str
    add_time: _timestamp_pb2.Timestamp
    def __init__(self, evidence: _Optional[_Union[Evidence, _Mapping]] = ..., adder: _Optional[str] = ..., add_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DisputeProposal(_message.Message):
    __slots__ = ("caller", "decision", "propose_time")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    caller: str
    decision: DisputeDecision
    propose_time: _timestamp_pb2.Timestamp
    def __init__(self, caller: _Optional[str] = ..., decision: _Optional[_Union[DisputeDecision, str]] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Dispute(_message.Message):
    __slots__ = ("dispute_id", "msisdn", "state", "open_time", "deadline", "evidence", "decision", "deciders", "proposals", "close_time")
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECIDERS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    dispute_id: str
    msisdn: str
    state: DisputeState
    open_time: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    evidence: _containers.RepeatedCompositeFieldContainer[AddedEvidence]
    decision: DisputeDecision
    deciders: _containers.RepeatedScalarFieldContainer[str]
    proposals: _containers.RepeatedCompositeFieldContainer[DisputeProposal]
    close_time: _timestamp_pb2.Timestamp
    def __init__(self, dispute_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., state: _Optional[_Union[DisputeState, str]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence: _Optional[_Iterable[_Union[AddedEvidence, _Mapping]]] = ..., decision: _Optional[_Union[DisputeDecision, str]] = ..., deciders: _Optional[_Iterable[str]] = ..., proposals: _Optional[_Iterable[_Union[DisputeProposal, _Mapping]]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class OpenDisputeRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "claimant_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    CLAIMANT_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    claimant_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., claimant_personal_id: _Optional[str] = ...) -> None: ...

class OpenDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping]] = ...) -> None: ...

class AddEvidenceRequest(_message.Message):
    __slots__ = ("request_id", "dispute_id", "personal_id", "evidence")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dispute_id: str
    personal_id: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    def __init__(self, request_id: _Optional[str] = ..., dispute_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ...) -> None: ...

class AddEvidenceResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping]] = ...) -> None: ...

class DecideDisputeRequest(_message.Message):
    __slots__ = ("request_id", "dispute_id", "decision")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dispute_id: str
    decision: DisputeDecision
    def __init__(self, request_id: _Optional[str] = ..., dispute_id: _Optional[str] = ..., decision: _Optional[_Union[DisputeDecision, str]] = ...) -> None: ...

class DecideDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping]] = ...) -> None: ...

class AppealDisputeRequest(_message.Message):
    __slots__ = ("request_id", "dispute_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    dispute_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., dispute_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class AppealDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping]] = ...) -> None: ...

class GetDisputeRequest(_message.Message):
    __slots__ = ("dispute_id", "personal_id")
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    dispute_id: str
    personal_id: str
    def __init__(self, dispute_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class GetDisputeResponse(_message.Message):
    __slots__ = ("dispute",)
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    dispute: Dispute
    def __init__(self, dispute: _Optional[_Union[Dispute, _Mapping]] = ...) -> None: ...
