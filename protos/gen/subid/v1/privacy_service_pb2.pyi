import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataRequestKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_REQUEST_KIND_UNSPECIFIED: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_EXPORT: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_OBJECTION: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_WITHDRAWAL: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_RESTRICTION: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_RELEASE: _ClassVar[DataRequestKind]
    DATA_REQUEST_KIND_ERASURE: _ClassVar[DataRequestKind]

class DataRequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_REQUEST_STATE_UNSPECIFIED: _ClassVar[DataRequestState]
    DATA_REQUEST_STATE_OPEN: _ClassVar[DataRequestState]
    DATA_REQUEST_STATE_ACKNOWLEDGED: _ClassVar[DataRequestState]
    DATA_REQUEST_STATE_CLOSED: _ClassVar[DataRequestState]

class DataRequestOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_REQUEST_OUTCOME_UNSPECIFIED: _ClassVar[DataRequestOutcome]
    DATA_REQUEST_OUTCOME_DONE: _ClassVar[DataRequestOutcome]
    DATA_REQUEST_OUTCOME_REFUSED: _ClassVar[DataRequestOutcome]
DATA_REQUEST_KIND_UNSPECIFIED: DataRequestKind
DATA_REQUEST_KIND_EXPORT: DataRequestKind
DATA_REQUEST_KIND_OBJECTION: DataRequestKind
DATA_REQUEST_KIND_WITHDRAWAL: DataRequestKind
DATA_REQUEST_KIND_RESTRICTION: DataRequestKind
DATA_REQUEST_KIND_RELEASE: DataRequestKind
DATA_REQUEST_KIND_ERASURE: DataRequestKind
DATA_REQUEST_STATE_UNSPECIFIED: DataRequestState
DATA_REQUEST_STATE_OPEN: DataRequestState
DATA_REQUEST_STATE_ACKNOWLEDGED: DataRequestState
DATA_REQUEST_STATE_CLOSED: DataRequestState
DATA_REQUEST_OUTCOME_UNSPECIFIED: DataRequestOutcome
DATA_REQUEST_OUTCOME_DONE: DataRequestOutcome
DATA_REQUEST_OUTCOME_REFUSED: DataRequestOutcome

class DataRequest(_message.Message):
    __slots__ = ("data_request_id", "kind", "state", "open_time", "acknowledge_by_time", "act_by_time", "acknowledge_time", "close_time", "outcome", "reason", "is_overdue")
    DATA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_BY_TIME_FIELD_NUMBER: _ClassVar[int]
    ACT_BY_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IS_OVERDUE_FIELD_NUMBER: _ClassVar[int]
    data_request_id: str
    kind: DataRequestKind
    state: DataRequestState
    open_time: _timestamp_pb2.Timestamp
    acknowledge_by_time: _timestamp_pb2.Timestamp
    act_by_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    outcome: DataRequestOutcome
    reason: str
    is_overdue: bool
    def __init__(self, data_request_id: _Optional[str] = ..., kind: _Optional[_Union[DataRequestKind, str]] = ..., state: _Optional[_Union[DataRequestState, str]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_by_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., act_by_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[DataRequestOutcome, str]] = ..., reason: _Optional[str] = ..., is_overdue: _Optional[bool] = ...) -> None: ...

class RequestExportRequest(_message.Message):
    __slots__ = ("request_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class RequestExportResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class GetExportRequest(_message.Message):
    __slots__ = ("personal_id", "data_request_id")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    data_request_id: str
    def __init__(self, personal_id: _Optional[str] = ..., data_request_id: _Optional[str] = ...) -> None: ...

class GetExportResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class ObjectRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "purposes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    purposes: _containers.RepeatedScalarFieldContainer[_agency_pb2.Purpose]
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_agency_pb2.Purpose, str]]] = ...) -> None: ...

class ObjectResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class WithdrawObjectionRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "purposes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    purposes: _containers.RepeatedScalarFieldContainer[_agency_pb2.Purpose]
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_agency_pb2.Purpose, str]]] = ...) -> None: ...

class WithdrawObjectionResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class RestrictRequest(_message.Message):
    __slots__ = ("request_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class RestrictResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class LiftRestrictionRequest(_message.Message):
    __slots__ = ("request_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class LiftRestrictionResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class RequestErasureRequest(_message.Message):
    __slots__ = ("request_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class RequestErasureResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class GetDataRequestRequest(_message.Message):
    __slots__ = ("personal_id", "data_request_id")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    data_request_id: str
    def __init__(self, personal_id: _Optional[str] = ..., data_request_id: _Optional[str] = ...) -> None: ...

class GetDataRequestResponse(_message.Message):
    __slots__ = ("data_request", "proof")
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    proof: str
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ..., proof: _Optional[str] = ...) -> None: ...

class ListDataRequestsRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDataRequestsResponse(_message.Message):
    __slots__ = ("data_requests", "next_page_token")
    DATA_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    data_requests: _containers.RepeatedCompositeFieldContainer[DataRequest]
    next_page_token: str
    def __init__(self, data_requests: _Optional[_Iterable[_Union[DataRequest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeDataRequestRequest(_message.Message):
    __slots__ = ("request_id", "data_request_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data_request_id: str
    def __init__(self, request_id: _Optional[str] = ..., data_request_id: _Optional[str] = ...) -> None: ...

class AcknowledgeDataRequestResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class DecideDataRequestRequest(_message.Message):
    __slots__ = ("request_id", "data_request_id", "is_granted", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IS_GRANTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    data_request_id: str
    is_granted: bool
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., data_request_id: _Optional[str] = ..., is_granted: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class DecideDataRequestResponse(_message.Message):
    __slots__ = ("data_request",)
    DATA_REQUEST_FIELD_NUMBER: _ClassVar[int]
    data_request: DataRequest
    def __init__(self, data_request: _Optional[_Union[DataRequest, _Mapping]] = ...) -> None: ...

class ListOpenDataRequestsRequest(_message.Message):
    __slots__ = ("page_size",)
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    def __init__(self, page_size: _Optional[int] = ...) -> None: ...

class ListOpenDataRequestsResponse(_message.Message):
    __slots__ = ("data_requests", "open_count", "unacknowledged_count", "late_count", "closed_late_count")
    DATA_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNACKNOWLEDGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    data_requests: _containers.RepeatedCompositeFieldContainer[DataRequest]
    open_count: int
    unacknowledged_count: int
    late_count: int
    closed_late_count: int
    def __init__(self, data_requests: _Optional[_Iterable[_Union[DataRequest, _Mapping]]] = ..., open_count: _Optional[int] = ..., unacknowledged_count: _Optional[int] = ..., late_count: _Optional[int] = ..., closed_late_count: _Optional[int] = ...) -> None: ...
