import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import enforcement_service_pb2 as _enforcement_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WaveState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAVE_STATE_UNSPECIFIED: _ClassVar[WaveState]
    WAVE_STATE_PREVIEWED: _ClassVar[WaveState]
    WAVE_STATE_APPROVED: _ClassVar[WaveState]
    WAVE_STATE_RUNNING: _ClassVar[WaveState]
    WAVE_STATE_STOPPED: _ClassVar[WaveState]
    WAVE_STATE_COMPLETED: _ClassVar[WaveState]
    WAVE_STATE_REVERTED: _ClassVar[WaveState]
WAVE_STATE_UNSPECIFIED: WaveState
WAVE_STATE_PREVIEWED: WaveState
WAVE_STATE_APPROVED: WaveState
WAVE_STATE_RUNNING: WaveState
WAVE_STATE_STOPPED: WaveState
WAVE_STATE_COMPLETED: WaveState
WAVE_STATE_REVERTED: WaveState

class WaveCriteria(_message.Message):
    __slots__ = ("track", "step", "operators", "province_codes", "causes", "subscription_count_max", "has_primaries")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_CODES_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    HAS_PRIMARIES_FIELD_NUMBER: _ClassVar[int]
    track: str
    step: _enforcement_service_pb2.DirectiveKind
    operators: _containers.RepeatedScalarFieldContainer[str]
    province_codes: _containers.RepeatedScalarFieldContainer[str]
    causes: _containers.RepeatedScalarFieldContainer[_enforcement_service_pb2.CaseCause]
    subscription_count_max: int
    has_primaries: bool
    def __init__(self, track: _Optional[str] = ..., step: _Optional[_Union[_enforcement_service_pb2.DirectiveKind, str]] = ..., operators: _Optional[_Iterable[str]] = ..., province_codes: _Optional[_Iterable[str]] = ..., causes: _Optional[_Iterable[_Union[_enforcement_service_pb2.CaseCause, str]]] = ..., subscription_count_max: _Optional[int] = ..., has_primaries: _Optional[bool] = ...) -> None: ...

class PreviewWaveRequest(_message.Message):
    __slots__ = ("request_id", "criteria")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    criteria: WaveCriteria
    def __init__(self, request_id: _Optional[str] = ..., criteria: _Optional[_Union[WaveCriteria, _Mapping]] = ...) -> None: ...

class WaveCount(_message.Message):
    __slots__ = ("name", "subscription_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    subscription_count: int
    def __init__(self, name: _Optional[str] = ..., subscription_count: _Optional[int] = ...) -> None: ...

class WavePreview(_message.Message):
    __slots__ = ("subscription_count", "by_operator", "by_province", "by_age", "primary_count", "last_number_count", "recently_verified_count", "held_count")
    SUBSCRIPTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    BY_OPERATOR_FIELD_NUMBER: _ClassVar[int]
    BY_PROVINCE_FIELD_NUMBER: _ClassVar[int]
    BY_AGE_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_NUMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECENTLY_VERIFIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HELD_COUNT_FIELD_NUMBER: _ClassVar[int]
    subscription_count: int
    by_operator: _containers.RepeatedCompositeFieldContainer[WaveCount]
    by_province: _containers.RepeatedCompositeFieldContainer[WaveCount]
    by_age: _containers.RepeatedCompositeFieldContainer[WaveCount]
    primary_count: int
    last_number_count: int
    recently_verified_count: int
    held_count: int
    def __init__(self, subscription_count: _Optional[int] = ..., by_operator: _Optional[_Iterable[_Union[WaveCount, _Mapping]]] = ..., by_province: _Optional[_Iterable[_Union[WaveCount, _Mapping]]] = ..., by_age: _Optional[_Iterable[_Union[WaveCount, _Mapping]]] = ..., primary_count: _Optional[int] = ..., last_number_count: _Optional[int] = ..., recently_verified_count: _Optional[int] = ..., held_count: _Optional[int] = ...) -> None: ...

class PreviewWaveResponse(_message.Message):
    __slots__ = ("wave_id", "preview")
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    wave_id: str
    preview: WavePreview
    def __init__(self, wave_id: _Optional[str] = ..., preview: _Optional[_Union[WavePreview, _Mapping]] = ...) -> None: ...

class Wave(_message.Message):
    __slots__ = ("wave_id", "criteria", "state", "creator", "create_time", "approvers", "preview", "slice_done_count", "slice_count", "directive_count", "reverted_count", "reason")
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    APPROVERS_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    SLICE_DONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SLICE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    wave_id: str
    criteria: WaveCriteria
    state: WaveState
    creator: str
    create_time: _timestamp_pb2.Timestamp
    approvers: _containers.RepeatedScalarFieldContainer[str]
    preview: WavePreview
    slice_done_count: int
    slice_count: int
    directive_count: int
    reverted_count: int
    reason: str
    def __init__(self, wave_id: _Optional[str] = ..., criteria: _Optional[_Union[WaveCriteria, _Mapping]] = ..., state: _Optional[_Union[WaveState, str]] = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., approvers: _Optional[_Iterable[str]] = ..., preview: _Optional[_Union[WavePreview, _Mapping]] = ..., slice_done_count: _Optional[int] = ..., slice_count: _Optional[int] = ..., directive_count: _Optional[int] = ..., reverted_count: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ApproveWaveRequest(_message.Message):
    __slots__ = ("request_id", "wave_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    wave_id: str
    def __init__(self, request_id: _Optional[str] = ..., wave_id: _Optional[str] = ...) -> None: ...

class ApproveWaveResponse(_message.Message):
    __slots__ = ("wave",)
    WAVE_FIELD_NUMBER: _ClassVar[int]
    wave: Wave
    def __init__(self, wave: _Optional[_Union[Wave, _Mapping]] = ...) -> None: ...

class ExecuteWaveRequest(_message.Message):
    __slots__ = ("request_id", "wave_id", "slice_count_max")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    SLICE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    wave_id: str
    slice_count_max: int
    def __init__(self, request_id: _Optional[str] = ..., wave_id: _Optional[str] = ..., slice_count_max: _Optional[int] = ...) -> None: ...

class ExecuteWaveResponse(_message.Message):
    __slots__ = ("wave",)
    WAVE_FIELD_NUMBER: _ClassVar[int]
    wave: Wave
    def __init__(self, wave: _Optional[_Union[Wave, _Mapping]] = ...) -> None: ...

class StopWaveRequest(_message.Message):
    __slots__ = ("request_id", "wave_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    wave_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., wave_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StopWaveResponse(_message.Message):
    __slots__ = ("wave",)
    WAVE_FIELD_NUMBER: _ClassVar[int]
    wave: Wave
    def __init__(self, wave: _Optional[_Union[Wave, _Mapping]] = ...) -> None: ...

class RevertWaveRequest(_message.Message):
    __slots__ = ("request_id", "wave_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    wave_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., wave_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RevertWaveResponse(_message.Message):
    __slots__ = ("wave",)
    WAVE_FIELD_NUMBER: _ClassVar[int]
    wave: Wave
    def __init__(self, wave: _Optional[_Union[Wave, _Mapping]] = ...) -> None: ...

class GetWaveRequest(_message.Message):
    __slots__ = ("wave_id",)
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    wave_id: str
    def __init__(self, wave_id: _Optional[str] = ...) -> None: ...

class GetWaveResponse(_message.Message):
    __slots__ = ("wave",)
    WAVE_FIELD_NUMBER: _ClassVar[int]
    wave: Wave
    def __init__(self, wave: _Optional[_Union[Wave, _Mapping]] = ...) -> None: ...
