import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import localized_text_pb2 as _localized_text_pb2
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
    CASE_CAUSE_FACE_UNDER_ANOTHER_ID: _ClassVar[CaseCause]
    CASE_CAUSE_OPERATOR_REPORT: _ClassVar[CaseCause]
    CASE_CAUSE_NO_LONGER_USED: _ClassVar[CaseCause]

class DirectiveKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTIVE_KIND_UNSPECIFIED: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_NOTIFY: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_BLOCK_OUTGOING: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_SUSPEND: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_TERMINATE: _ClassVar[DirectiveKind]
    DIRECTIVE_KIND_RESTORE: _ClassVar[DirectiveKind]

class KeptRoute(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEPT_ROUTE_UNSPECIFIED: _ClassVar[KeptRoute]
    KEPT_ROUTE_EMERGENCY_CALLS: _ClassVar[KeptRoute]
    KEPT_ROUTE_VERIFICATION: _ClassVar[KeptRoute]

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
    LINK_CHANGE_CAUSE_DISPUTE_DECIDED: _ClassVar[LinkChangeCause]

class DriftKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRIFT_KIND_UNSPECIFIED: _ClassVar[DriftKind]
    DRIFT_KIND_NOT_APPLIED: _ClassVar[DriftKind]
    DRIFT_KIND_STRICTER_THAN_ORDERED: _ClassVar[DriftKind]
    DRIFT_KIND_UNKNOWN_NUMBER: _ClassVar[DriftKind]
    DRIFT_KIND_NOT_REPORTED: _ClassVar[DriftKind]
CASE_CAUSE_UNSPECIFIED: CaseCause
CASE_CAUSE_UNVERIFIED: CaseCause
CASE_CAUSE_MISMATCHED: CaseCause
CASE_CAUSE_NOT_FOUND: CaseCause
CASE_CAUSE_DECEASED: CaseCause
CASE_CAUSE_DEVICE_CHANGE: CaseCause
CASE_CAUSE_DISOWNED: CaseCause
CASE_CAUSE_SIM_SWAP: CaseCause
CASE_CAUSE_FACE_UNDER_ANOTHER_ID: CaseCause
CASE_CAUSE_OPERATOR_REPORT: CaseCause
CASE_CAUSE_NO_LONGER_USED: CaseCause
DIRECTIVE_KIND_UNSPECIFIED: DirectiveKind
DIRECTIVE_KIND_NOTIFY: DirectiveKind
DIRECTIVE_KIND_BLOCK_OUTGOING: DirectiveKind
DIRECTIVE_KIND_SUSPEND: DirectiveKind
DIRECTIVE_KIND_TERMINATE: DirectiveKind
DIRECTIVE_KIND_RESTORE: DirectiveKind
KEPT_ROUTE_UNSPECIFIED: KeptRoute
KEPT_ROUTE_EMERGENCY_CALLS: KeptRoute
KEPT_ROUTE_VERIFICATION: KeptRoute
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
LINK_CHANGE_CAUSE_DISPUTE_DECIDED: LinkChangeCause
DRIFT_KIND_UNSPECIFIED: DriftKind
DRIFT_KIND_NOT_APPLIED: DriftKind
DRIFT_KIND_STRICTER_THAN_ORDERED: DriftKind
DRIFT_KIND_UNKNOWN_NUMBER: DriftKind
DRIFT_KIND_NOT_REPORTED: DriftKind

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
    __slots__ = ("request_id", "directive_count_max", "lease_duration", "wait_duration")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WAIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    directive_count_max: int
    lease_duration: _duration_pb2.Duration
    wait_duration: _duration_pb2.Duration
    def __init__(self, request_id: _Optional[str] = ..., directive_count_max: _Optional[int] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Directive(_message.Message):
    __slots__ = ("directive_id", "msisdn", "kind", "causes", "citation", "due_time", "create_time", "way_out", "notice", "kept_routes", "track", "is_primary", "is_last_number", "wave_id")
    DIRECTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WAY_OUT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    KEPT_ROUTES_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    IS_PRIMARY_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    WAVE_ID_FIELD_NUMBER: _ClassVar[int]
    directive_id: str
    msisdn: str
    kind: DirectiveKind
    causes: _containers.RepeatedScalarFieldContainer[CaseCause]
    citation: str
    due_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    way_out: _localized_text_pb2.LocalizedText
    notice: _localized_text_pb2.LocalizedText
    kept_routes: _containers.RepeatedScalarFieldContainer[KeptRoute]
    track: str
    is_primary: bool
    is_last_number: bool
    wave_id: str
    def __init__(self, directive_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., kind: _Optional[_Union[DirectiveKind, str]] = ..., causes: _Optional[_Iterable[_Union[CaseCause, str]]] = ..., citation: _Optional[str] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., way_out: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., notice: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., kept_routes: _Optional[_Iterable[_Union[KeptRoute, str]]] = ..., track: _Optional[str] = ..., is_primary: _Optional[bool] = ..., is_last_number: _Optional[bool] = ..., wave_id: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("directive_id", "outcome", "failure", "execute_time")
    DIRECTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    EXECUTE_TIME_FIELD_NUMBER: _ClassVar[int]
    directive_id: str
    outcome: AcknowledgementOutcome
    failure: str
    execute_time: _timestamp_pb2.Timestamp
    def __init__(self, directive_id: _Optional[str] = ..., outcome: _Optional[_Union[AcknowledgementOutcome, str]] = ..., failure: _Optional[str] = ..., execute_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AcknowledgeDirectivesRequest(_message.Message):
    __slots__ = ("request_id", "lease_id", "acknowledgements", "signature")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    lease_id: str
    acknowledgements: _containers.RepeatedCompositeFieldContainer[Acknowledgement]
    signature: bytes
    def __init__(self, request_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., acknowledgements: _Optional[_Iterable[_Union[Acknowledgement, _Mapping]]] = ..., signature: _Optional[bytes] = ...) -> None: ...

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
    __slots__ = ("track", "cause", "open_time", "citation", "next_step", "next_step_time", "way_out", "explanation", "freeze_time", "waits_for_wave", "is_unconfirmed", "policy_version")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    WAY_OUT_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    FREEZE_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_WAVE_FIELD_NUMBER: _ClassVar[int]
    IS_UNCONFIRMED_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    track: str
    cause: CaseCause
    open_time: _timestamp_pb2.Timestamp
    citation: str
    next_step: DirectiveKind
    next_step_time: _timestamp_pb2.Timestamp
    way_out: _localized_text_pb2.LocalizedText
    explanation: _localized_text_pb2.LocalizedText
    freeze_time: _timestamp_pb2.Timestamp
    waits_for_wave: bool
    is_unconfirmed: bool
    policy_version: str
    def __init__(self, track: _Optional[str] = ..., cause: _Optional[_Union[CaseCause, str]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., citation: _Optional[str] = ..., next_step: _Optional[_Union[DirectiveKind, str]] = ..., next_step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., way_out: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., explanation: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., freeze_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waits_for_wave: _Optional[bool] = ..., is_unconfirmed: _Optional[bool] = ..., policy_version: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("service_state", "cases", "link_history", "dispute_id")
    SERVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    LINK_HISTORY_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_ID_FIELD_NUMBER: _ClassVar[int]
    service_state: _subscription_pb2.ServiceState
    cases: _containers.RepeatedCompositeFieldContainer[EnforcementCase]
    link_history: _containers.RepeatedCompositeFieldContainer[LinkChange]
    dispute_id: str
    def __init__(self, service_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ..., cases: _Optional[_Iterable[_Union[EnforcementCase, _Mapping]]] = ..., link_history: _Optional[_Iterable[_Union[LinkChange, _Mapping]]] = ..., dispute_id: _Optional[str] = ...) -> None: ...

class ReportedState(_message.Message):
    __slots__ = ("msisdn", "service_state")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    SERVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    service_state: _subscription_pb2.ServiceState
    def __init__(self, msisdn: _Optional[str] = ..., service_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ...) -> None: ...

class ReconcileServiceStateRequest(_message.Message):
    __slots__ = ("request_id", "batch_index", "states", "is_last")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    batch_index: int
    states: _containers.RepeatedCompositeFieldContainer[ReportedState]
    is_last: bool
    def __init__(self, request_id: _Optional[str] = ..., batch_index: _Optional[int] = ..., states: _Optional[_Iterable[_Union[ReportedState, _Mapping]]] = ..., is_last: _Optional[bool] = ...) -> None: ...

class Drift(_message.Message):
    __slots__ = ("msisdn", "kind", "ordered_state", "reported_state", "directive_id")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORDERED_STATE_FIELD_NUMBER: _ClassVar[int]
    REPORTED_STATE_FIELD_NUMBER: _ClassVar[int]
    DIRECTIVE_ID_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    kind: DriftKind
    ordered_state: _subscription_pb2.ServiceState
    reported_state: _subscription_pb2.ServiceState
    directive_id: str
    def __init__(self, msisdn: _Optional[str] = ..., kind: _Optional[_Union[DriftKind, str]] = ..., ordered_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ..., reported_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ..., directive_id: _Optional[str] = ...) -> None: ...

class ReconcileServiceStateResponse(_message.Message):
    __slots__ = ("batch_index", "drifts", "compared_count", "drift_count", "not_reported_count")
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    DRIFTS_FIELD_NUMBER: _ClassVar[int]
    COMPARED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DRIFT_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOT_REPORTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    batch_index: int
    drifts: _containers.RepeatedCompositeFieldContainer[Drift]
    compared_count: int
    drift_count: int
    not_reported_count: int
    def __init__(self, batch_index: _Optional[int] = ..., drifts: _Optional[_Iterable[_Union[Drift, _Mapping]]] = ..., compared_count: _Optional[int] = ..., drift_count: _Optional[int] = ..., not_reported_count: _Optional[int] = ...) -> None: ...

class OpenCaseRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "cause", "case_reference")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CASE_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    cause: CaseCause
    case_reference: str
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., cause: _Optional[_Union[CaseCause, str]] = ..., case_reference: _Optional[str] = ...) -> None: ...

class OpenCaseResponse(_message.Message):
    __slots__ = ("enforcement_case",)
    ENFORCEMENT_CASE_FIELD_NUMBER: _ClassVar[int]
    enforcement_case: EnforcementCase
    def __init__(self, enforcement_case: _Optional[_Union[EnforcementCase, _Mapping]] = ...) -> None: ...

class FileComplaintRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class FileComplaintResponse(_message.Message):
    __slots__ = ("file_time",)
    FILE_TIME_FIELD_NUMBER: _ClassVar[int]
    file_time: _timestamp_pb2.Timestamp
    def __init__(self, file_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
