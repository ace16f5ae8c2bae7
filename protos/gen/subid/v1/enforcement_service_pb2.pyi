import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CaseCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CASE_CAUSE_UNSPECIFIED: _ClassVar[CaseCause]
    CASE_CAUSE_UNVERIFIED: _ClassVar[CaseCause]
    CASE_CAUSE_MISMATCHED: _ClassVar[CaseCause]
    CASE_CAUSE_NOT_FOUND: _ClassVar[CaseCause]
    CASE_CAUSE_DECEASED: _ClassVar[CaseCause]
    CASE_CAUSE_DEVICE_CHANGE: _ClassVar[CaseCause]
    CASE_CAUSE_DISOWNED: _ClassVar[CaseCause]
    CASE_CAUSE_SIM_SWAP: _ClassVar[CaseCause]

class DirectiveKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTIVE_KIND_UNSPECIFIED: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_NOTIFY: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_BLOCK_OUTGOING: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_SUSPEND: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_TERMINATE: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_RESTORE: _ClassVar[DirectiveKind]

class AcknowledgementOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACKNOWLEDGEMENT_OUTCOME_UNSPECIFIED: _ClassVar[AcknowledgementOutcome]
    ACKNOWLEDGEMENT_OUTCOME_EXECUTED: _ClassVar[AcknowledgementOutcome]
    ACKNOWLEDGEMENT_OUTCOME_FAILED: _ClassVar[AcknowledgementOutcome]

class AcknowledgementResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACKNOWLEDGEMENT_RESULT_UNSPECIFIED: _ClassVar[AcknowledgementResult]
    ACKNOWLEDGEMENT_RESULT_ACCEPTED: _ClassVar[AcknowledgementResult]
    ACKNOWLEDGEMENT_RESULT_ALREADY_ACKNOWLEDGED: _ClassVar[AcknowledgementResult]
    ACKNOWLEDGEMENT_RESULT_LEASE_LOST: _ClassVar[AcknowledgementResult]
    ACKNOWLEDGEMENT_RESULT_SUPERSEDED: _ClassVar[AcknowledgementResult]
    ACKNOWLEDGEMENT_RESULT_UNKNOWN: _ClassVar[AcknowledgementResult]

class LinkChangeCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_CHANGE_CAUSE_UNSPECIFIED: _ClassVar[LinkChangeCause]
    LINK_CHANGE_CAUSE_POPULATION_IMPORT: _ClassVar[LinkChangeCause]
    LINK_CHANGE_CAUSE_POPULATION_CHANGE: _ClassVar[LinkChangeCause]
    LINK_CHANGE_CAUSE_COMPARISON: _ClassVar[LinkChangeCause]
    LINK_CHANGE_CAUSE_BOOK_CORRECTED: _ClassVar[LinkChangeCause]
    LINK_CHANGE_CAUSE_NEW_HOLDER: _ClassVar[LinkChangeCause]
CASE_CAUSE_UNSPECIFIED: CaseCause
CASE_CAUSE_UNVERIFIED: CaseCause
CASE_CAUSE_MISMATCHED: CaseCause
CASE_CAUSE_NOT_FOUND: CaseCause
CASE_CAUSE_DECEASED: CaseCause
CASE_CAUSE_DEVICE_CHANGE: CaseCause
CASE_CAUSE_DISOWNED: CaseCause
CASE_CAUSE_SIM_SWAP: CaseCause
DIRECTIVE_KIND_UNSPECIFIED: DirectiveKind
DIRECTIVE_KIND_NOTIFY: DirectiveKind
DIRECTIVE_KIND_BLOCK_OUTGOING: DirectiveKind
DIRECTIVE_KIND_SUSPEND: DirectiveKind
DIRECTIVE_KIND_TERMINATE: DirectiveKind
DIRECTIVE_KIND_RESTORE: DirectiveKind
ACKNOWLEDGEMENT_OUTCOME_UNSPECIFIED: AcknowledgementOutcome
ACKNOWLEDGEMENT_OUTCOME_EXECUTED: AcknowledgementOutcome
ACKNOWLEDGEMENT_OUTCOME_FAILED: AcknowledgementOutcome
ACKNOWLEDGEMENT_RESULT_UNSPECIFIED: AcknowledgementResult
ACKNOWLEDGEMENT_RESULT_ACCEPTED: AcknowledgementResult
ACKNOWLEDGEMENT_RESULT_ALREADY_ACKNOWLEDGED: AcknowledgementResult
ACKNOWLEDGEMENT_RESULT_LEASE_LOST: AcknowledgementResult
ACKNOWLEDGEMENT_RESULT_SUPERSEDED: AcknowledgementResult
ACKNOWLEDGEMENT_RESULT_UNKNOWN: AcknowledgementResult
LINK_CHANGE_CAUSE_UNSPECIFIED: LinkChangeCause
LINK_CHANGE_CAUSE_POPULATION_IMPORT: LinkChangeCause
LINK_CHANGE_CAUSE_POPULATION_CHANGE: LinkChangeCause
LINK_CHANGE_CAUSE_COMPARISON: LinkChangeCause
LINK_CHANGE_CAUSE_BOOK_CORRECTED: LinkChangeCause
LINK_CHANGE_CAUSE_NEW_HOLDER: LinkChangeCause

class AdvanceEnforcementRequest(_message.Message):
    __slots__ = ("request_id", "as_of_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    as_of_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AdvanceEnforcementResponse(_message.Message):
    __slots__ = ("step_count", "directive_count", "as_of_time")
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    step_count: int
    directive_count: int
    as_of_time: _timestamp_pb2.Timestamp
    def __init__(self, step_count: _Optional[int] = ..., directive_count: _Optional[int] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PullDirectivesRequest(_message.Message):
    __slots__ = ("request_id", "directive_count_max", "lease_duration")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    directive_count_max: int
    lease_duration: _duration_pb2.Duration
    def __init__(self, request_id: _Optional[str] = ..., directive_count_max: _Optional[int] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Directive(_message.Message):
    __slots__ = ("directive_id", "msisdn", "kind", "causes", "citation", "due_time", "cure", "create_time")
    DIRECTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    CURE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    directive_id: str
    msisdn: str
    kind: DirectiveKind
    causes: _containers.RepeatedScalarFieldContainer[CaseCause]
    citation: str
    due_time: _timestamp_pb2.Timestamp
    cure: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, directive_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., kind: _Optional[_Union[DirectiveKind, str]] = ..., causes: _Optional[_Iterable[_Union[CaseCause, str]]] = ..., citation: _Optional[str] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cure: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PullDirectivesResponse(_message.Message):
    __slots__ = ("directives", "lease_id", "lease_expire_time")
    DIRECTIVES_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    directives: _containers.RepeatedCompositeFieldContainer[Directive]
    lease_id: str
    lease_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, directives: _Optional[_Iterable[_Union[Directive, _Mapping]]] = ..., lease_id: _Optional[str] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Acknowledgement(_message.Message):
    __slots__ = ("directive_id", "outcome", "failure")
    DIRECTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    directive_id: str
    outcome: AcknowledgementOutcome
    failure: str
    def __init__(self, directive_id: _Optional[str] = ..., outcome: _Optional[_Union[AcknowledgementOutcome, str]] = ..., failure: _Optional[str] = ...) -> None: ...

class AcknowledgeDirectivesRequest(_message.Message):
    __slots__ = ("request_id", "lease_id", "acknowledgements")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    lease_id: str
    acknowledgements: _containers.RepeatedCompositeFieldContainer[Acknowledgement]
    def __init__(self, request_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., acknowledgements: _Optional[_Iterable[_Union[Acknowledgement, _Mapping]]] = ...) -> None: ...

class AcknowledgeDirectivesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedScalarFieldContainer[AcknowledgementResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AcknowledgementResult, str]]] = ...) -> None: ...

class ExplainSubscriptionRequest(_message.Message):
    __slots__ = ("msisdn", "personal_id")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    personal_id: str
    def __init__(self, msisdn: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class EnforcementCase(_message.Message):
    __slots__ = ("track", "cause", "open_time", "citation", "next_step", "next_step_time", "cure")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    CURE_FIELD_NUMBER: _ClassVar[int]
    track: str
    cause: CaseCause
    open_time: _timestamp_pb2.Timestamp
    citation: str
    next_step: DirectiveKind
    next_step_time: _timestamp_pb2.Timestamp
    cure: str
    def __init__(self, track: _Optional[str] = ..., cause: _Optional[_Union[CaseCause, str]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citation: _Optional[str] = ..., next_step: _Optional[_Union[DirectiveKind, str]] = ..., next_step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cure: _Optional[str] = ...) -> None: ...

class LinkChange(_message.Message):
    __slots__ = ("change_time", "cause", "from_state", "to_state")
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    change_time: _timestamp_pb2.Timestamp
    cause: LinkChangeCause
    from_state: _subscription_pb2.LinkState
    to_state: _subscription_pb2.LinkState
    def __init__(self, change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[_Union[LinkChangeCause, str]] = ..., from_state: _Optional[_Union[_subscription_pb2.LinkState, str]] = ..., to_state: _Optional[_Union[_subscription_pb2.LinkState, str]] = ...) -> None: ...

class ExplainSubscriptionResponse(_message.Message):
    __slots__ = ("service_state", "cases", "link_history")
    SERVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    LINK_HISTORY_FIELD_NUMBER: _ClassVar[int]
    service_state: _subscription_pb2.ServiceState
    cases: _containers.RepeatedCompositeFieldContainer[EnforcementCase]
    link_history: _containers.RepeatedCompositeFieldContainer[LinkChange]
    def __init__(self, service_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ..., cases: _Optional[_Iterable[_Union[EnforcementCase, _Mapping]]] = ..., link_history: _Optional[_Iterable[_Union[LinkChange, _Mapping]]] = ...) -> None: ...
