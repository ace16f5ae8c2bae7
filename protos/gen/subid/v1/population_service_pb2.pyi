import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import date_pb2 as _date_pb2
from subid.v1 import imports_pb2 as _imports_pb2
from subid.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sex(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEX_UNSPECIFIED: _ClassVar[Sex]
    SEX_MALE: _ClassVar[Sex]
    SEX_FEMALE: _ClassVar[Sex]

class AssuranceMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSURANCE_METHOD_UNSPECIFIED: _ClassVar[AssuranceMethod]
    ASSURANCE_METHOD_CHIP_AND_FACE: _ClassVar[AssuranceMethod]

class SubscriptionEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_END_UNSPECIFIED: _ClassVar[SubscriptionEnd]
    SUBSCRIPTION_END_RELEASED: _ClassVar[SubscriptionEnd]
    SUBSCRIPTION_END_PORTED_OUT: _ClassVar[SubscriptionEnd]
    SUBSCRIPTION_END_TERMINATED: _ClassVar[SubscriptionEnd]
    SUBSCRIPTION_END_TRANSFERRED: _ClassVar[SubscriptionEnd]

class SubscriberUpdateResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIBER_UPDATE_RESULT_UNSPECIFIED: _ClassVar[SubscriberUpdateResult]
    SUBSCRIBER_UPDATE_RESULT_ACCEPTED: _ClassVar[SubscriberUpdateResult]
    SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED: _ClassVar[SubscriberUpdateResult]
    SUBSCRIBER_UPDATE_RESULT_LEASE_LOST: _ClassVar[SubscriberUpdateResult]
    SUBSCRIBER_UPDATE_RESULT_SUPERSEDED: _ClassVar[SubscriberUpdateResult]
    SUBSCRIBER_UPDATE_RESULT_UNKNOWN: _ClassVar[SubscriberUpdateResult]
SEX_UNSPECIFIED: Sex
SEX_MALE: Sex
SEX_FEMALE: Sex
ASSURANCE_METHOD_UNSPECIFIED: AssuranceMethod
ASSURANCE_METHOD_CHIP_AND_FACE: AssuranceMethod
SUBSCRIPTION_END_UNSPECIFIED: SubscriptionEnd
SUBSCRIPTION_END_RELEASED: SubscriptionEnd
SUBSCRIPTION_END_PORTED_OUT: SubscriptionEnd
SUBSCRIPTION_END_TERMINATED: SubscriptionEnd
SUBSCRIPTION_END_TRANSFERRED: SubscriptionEnd
SUBSCRIBER_UPDATE_RESULT_UNSPECIFIED: SubscriberUpdateResult
SUBSCRIBER_UPDATE_RESULT_ACCEPTED: SubscriberUpdateResult
SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED: SubscriberUpdateResult
SUBSCRIBER_UPDATE_RESULT_LEASE_LOST: SubscriberUpdateResult
SUBSCRIBER_UPDATE_RESULT_SUPERSEDED: SubscriberUpdateResult
SUBSCRIBER_UPDATE_RESULT_UNKNOWN: SubscriberUpdateResult

class PopulationRecord(_message.Message):
    __slots__ = ("personal_id", "full_name", "birth_date", "sex", "deceased_on", "card_issued_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    DECEASED_ON_FIELD_NUMBER: _ClassVar[int]
    CARD_ISSUED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    full_name: str
    birth_date: _date_pb2.Date
    sex: Sex
    deceased_on: _date_pb2.Date
    card_issued_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., sex: _Optional[_Union[Sex, str]] = ..., deceased_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., card_issued_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ImportPopulationRequest(_message.Message):
    __slots__ = ("request_id", "batch_index", "records", "kind", "is_last")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    batch_index: int
    records: _containers.RepeatedCompositeFieldContainer[PopulationRecord]
    kind: _imports_pb2.ImportKind
    is_last: bool
    def __init__(self, request_id: _Optional[str] = ..., batch_index: _Optional[int] = ..., records: _Optional[_Iterable[_Union[PopulationRecord, _Mapping]]] = ..., kind: _Optional[_Union[_imports_pb2.ImportKind, str]] = ..., is_last: _Optional[bool] = ...) -> None: ...

class GetPopulationImportRequest(_message.Message):
    __slots__ = ("import_id",)
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    def __init__(self, import_id: _Optional[str] = ...) -> None: ...

class GetPopulationImportResponse(_message.Message):
    __slots__ = ("next_batch_index", "is_complete", "summary")
    NEXT_BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    next_batch_index: int
    is_complete: bool
    summary: _imports_pb2.ImportSummary
    def __init__(self, next_batch_index: _Optional[int] = ..., is_complete: _Optional[bool] = ..., summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ...) -> None: ...

class ListPopulationImportErrorsRequest(_message.Message):
    __slots__ = ("import_id", "page_token")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    page_token: str
    def __init__(self, import_id: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPopulationImportErrorsResponse(_message.Message):
    __slots__ = ("row_errors", "next_page_token")
    ROW_ERRORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    row_errors: _containers.RepeatedCompositeFieldContainer[_imports_pb2.RowError]
    next_page_token: str
    def __init__(self, row_errors: _Optional[_Iterable[_Union[_imports_pb2.RowError, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ImportPopulationResponse(_message.Message):
    __slots__ = ("summary",)
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    summary: _imports_pb2.ImportSummary
    def __init__(self, summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ...) -> None: ...

class Birth(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: PopulationRecord
    def __init__(self, record: _Optional[_Union[PopulationRecord, _Mapping]] = ...) -> None: ...

class Death(_message.Message):
    __slots__ = ("personal_id", "deceased_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    DECEASED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    deceased_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., deceased_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: PopulationRecord
    def __init__(self, record: _Optional[_Union[PopulationRecord, _Mapping]] = ...) -> None: ...

class NewCard(_message.Message):
    __slots__ = ("personal_id", "issued_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    issued_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., issued_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class MergedRecords(_message.Message):
    __slots__ = ("retired_personal_id", "surviving_personal_id")
    RETIRED_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    SURVIVING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    retired_personal_id: str
    surviving_personal_id: str
    def __init__(self, retired_personal_id: _Optional[str] = ..., surviving_personal_id: _Optional[str] = ...) -> None: ...

class PopulationChange(_message.Message):
    __slots__ = ("birth", "death", "correction", "new_card", "merged_records")
    BIRTH_FIELD_NUMBER: _ClassVar[int]
    DEATH_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    NEW_CARD_FIELD_NUMBER: _ClassVar[int]
    MERGED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    birth: Birth
    death: Death
    correction: Correction
    new_card: NewCard
    merged_records: MergedRecords
    def __init__(self, birth: _Optional[_Union[Birth, _Mapping]] = ..., death: _Optional[_Union[Death, _Mapping]] = ..., correction: _Optional[_Union[Correction, _Mapping]] = ..., new_card: _Optional[_Union[NewCard, _Mapping]] = ..., merged_records: _Optional[_Union[MergedRecords, _Mapping]] = ...) -> None: ...

class ApplyPopulationChangesRequest(_message.Message):
    __slots__ = ("request_id", "changes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    changes: _containers.RepeatedCompositeFieldContainer[PopulationChange]
    def __init__(self, request_id: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[PopulationChange, _Mapping]]] = ...) -> None: ...

class ApplyPopulationChangesResponse(_message.Message):
    __slots__ = ("applied_count", "relinked_count")
    APPLIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RELINKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    applied_count: int
    relinked_count: int
    def __init__(self, applied_count: _Optional[int] = ..., relinked_count: _Optional[int] = ...) -> None: ...

class PullSubscriberUpdatesRequest(_message.Message):
    __slots__ = ("request_id", "update_count_max", "lease_duration")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    update_count_max: int
    lease_duration: _duration_pb2.Duration
    def __init__(self, request_id: _Optional[str] = ..., update_count_max: _Optional[int] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Assurance(_message.Message):
    __slots__ = ("method", "verify_time", "policy_version")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    method: AssuranceMethod
    verify_time: _timestamp_pb2.Timestamp
    policy_version: str
    def __init__(self, method: _Optional[_Union[AssuranceMethod, str]] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy_version: _Optional[str] = ...) -> None: ...

class SubscriberUpdate(_message.Message):
    __slots__ = ("personal_id", "sequence", "subscription_id", "msisdn", "operator_id", "link_state", "assurance", "primary_time", "disown_time", "end", "update_time")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_STATE_FIELD_NUMBER: _ClassVar[int]
    ASSURANCE_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_TIME_FIELD_NUMBER: _ClassVar[int]
    DISOWN_TIME_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    sequence: int
    subscription_id: str
    msisdn: str
    operator_id: str
    link_state: _subscription_pb2.LinkState
    assurance: Assurance
    primary_time: _timestamp_pb2.Timestamp
    disown_time: _timestamp_pb2.Timestamp
    end: SubscriptionEnd
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, personal_id: _Optional[str] = ..., sequence: _Optional[int] = ..., subscription_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., operator_id: _Optional[str] = ..., link_state: _Optional[_Union[_subscription_pb2.LinkState, str]] = ..., assurance: _Optional[_Union[Assurance, _Mapping]] = ..., primary_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., disown_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[SubscriptionEnd, str]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PullSubscriberUpdatesResponse(_message.Message):
    __slots__ = ("updates", "lease_id", "lease_expire_time")
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    updates: _containers.RepeatedCompositeFieldContainer[SubscriberUpdate]
    lease_id: str
    lease_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, updates: _Optional[_Iterable[_Union[SubscriberUpdate, _Mapping]]] = ..., lease_id: _Optional[str] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriberUpdateAcknowledgement(_message.Message):
    __slots__ = ("personal_id", "subscription_id", "sequence")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    subscription_id: str
    sequence: int
    def __init__(self, personal_id: _Optional[str] = ..., subscription_id: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class AcknowledgeSubscriberUpdatesRequest(_message.Message):
    __slots__ = ("request_id", "lease_id", "acknowledgements")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    lease_id: str
    acknowledgements: _containers.RepeatedCompositeFieldContainer[SubscriberUpdateAcknowledgement]
    def __init__(self, request_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., acknowledgements: _Optional[_Iterable[_Union[SubscriberUpdateAcknowledgement, _Mapping]]] = ...) -> None: ...

class AcknowledgeSubscriberUpdatesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedScalarFieldContainer[SubscriberUpdateResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SubscriberUpdateResult, str]]] = ...) -> None: ...
