import datetime

from buf.validate import validate_pb2 as _validate_pb2
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

class SubscriptionEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_EVENT_KIND_UNSPECIFIED: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_SIM_SWAP: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_PORT_IN: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_PORT_OUT: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_RELEASE: _ClassVar[SubscriptionEventKind]
    SUBSCRIPTION_EVENT_KIND_TRANSFER: _ClassVar[SubscriptionEventKind]
SUBSCRIPTION_EVENT_KIND_UNSPECIFIED: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_DEVICE_CHANGE: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_SIM_SWAP: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_PORT_IN: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_PORT_OUT: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_RELEASE: SubscriptionEventKind
SUBSCRIPTION_EVENT_KIND_TRANSFER: SubscriptionEventKind

class HolderClaim(_message.Message):
    __slots__ = ("personal_id", "full_name", "birth_date")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    full_name: str
    birth_date: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class SubscriptionRow(_message.Message):
    __slots__ = ("msisdn", "holder", "activated_on", "point_of_sale", "province_code")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_ON_FIELD_NUMBER: _ClassVar[int]
    POINT_OF_SALE_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_CODE_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    holder: HolderClaim
    activated_on: _date_pb2.Date
    point_of_sale: str
    province_code: str
    def __init__(self, msisdn: _Optional[str] = ..., holder: _Optional[_Union[HolderClaim, _Mapping]] = ..., activated_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., point_of_sale: _Optional[str] = ..., province_code: _Optional[str] = ...) -> None: ...

class ImportSubscriptionsRequest(_message.Message):
    __slots__ = ("request_id", "batch_index", "rows", "kind", "is_last")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    batch_index: int
    rows: _containers.RepeatedCompositeFieldContainer[SubscriptionRow]
    kind: _imports_pb2.ImportKind
    is_last: bool
    def __init__(self, request_id: _Optional[str] = ..., batch_index: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[SubscriptionRow, _Mapping]]] = ..., kind: _Optional[_Union[_imports_pb2.ImportKind, str]] = ..., is_last: _Optional[bool] = ...) -> None: ...

class GetSubscriptionImportRequest(_message.Message):
    __slots__ = ("import_id",)
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    def __init__(self, import_id: _Optional[str] = ...) -> None: ...

class GetSubscriptionImportResponse(_message.Message):
    __slots__ = ("next_batch_index", "is_complete", "summary", "links")
    NEXT_BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    next_batch_index: int
    is_complete: bool
    summary: _imports_pb2.ImportSummary
    links: LinkCounts
    def __init__(self, next_batch_index: _Optional[int] = ..., is_complete: _Optional[bool] = ..., summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ..., links: _Optional[_Union[LinkCounts, _Mapping]] = ...) -> None: ...

class ListSubscriptionImportErrorsRequest(_message.Message):
    __slots__ = ("import_id", "page_token")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    page_token: str
    def __init__(self, import_id: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSubscriptionImportErrorsResponse(_message.Message):
    __slots__ = ("row_errors", "next_page_token")
    ROW_ERRORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    row_errors: _containers.RepeatedCompositeFieldContainer[_imports_pb2.RowError]
    next_page_token: str
    def __init__(self, row_errors: _Optional[_Iterable[_Union[_imports_pb2.RowError, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LinkCounts(_message.Message):
    __slots__ = ("linked_count", "mismatched_count", "not_found_count", "deceased_count")
    LINKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MISMATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOT_FOUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    DECEASED_COUNT_FIELD_NUMBER: _ClassVar[int]
    linked_count: int
    mismatched_count: int
    not_found_count: int
    deceased_count: int
    def __init__(self, linked_count: _Optional[int] = ..., mismatched_count: _Optional[int] = ..., not_found_count: _Optional[int] = ..., deceased_count: _Optional[int] = ...) -> None: ...

class ImportSubscriptionsResponse(_message.Message):
    __slots__ = ("summary", "links")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    summary: _imports_pb2.ImportSummary
    links: LinkCounts
    def __init__(self, summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ..., links: _Optional[_Union[LinkCounts, _Mapping]] = ...) -> None: ...

class RegisterSubscriptionRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "holder")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    holder: HolderClaim
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., holder: _Optional[_Union[HolderClaim, _Mapping]] = ...) -> None: ...

class RegisterSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping]] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("msisdn",)
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    def __init__(self, msisdn: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: _subscription_pb2.Subscription
    def __init__(self, subscription: _Optional[_Union[_subscription_pb2.Subscription, _Mapping]] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "link_states")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LINK_STATES_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    link_states: _containers.RepeatedScalarFieldContainer[_subscription_pb2.LinkState]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., link_states: _Optional[_Iterable[_Union[_subscription_pb2.LinkState, str]]] = ...) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[_subscription_pb2.Subscription]
    next_page_token: str
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[_subscription_pb2.Subscription, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SubscriptionEvent(_message.Message):
    __slots__ = ("msisdn", "kind", "occur_time", "holder")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    kind: SubscriptionEventKind
    occur_time: _timestamp_pb2.Timestamp
    holder: HolderClaim
    def __init__(self, msisdn: _Optional[str] = ..., kind: _Optional[_Union[SubscriptionEventKind, str]] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., holder: _Optional[_Union[HolderClaim, _Mapping]] = ...) -> None: ...

class ReportEventsRequest(_message.Message):
    __slots__ = ("request_id", "events")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    events: _containers.RepeatedCompositeFieldContainer[SubscriptionEvent]
    def __init__(self, request_id: _Optional[str] = ..., events: _Optional[_Iterable[_Union[SubscriptionEvent, _Mapping]]] = ...) -> None: ...

class SubscriptionEventResult(_message.Message):
    __slots__ = ("event_index", "reason")
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_index: int
    reason: str
    def __init__(self, event_index: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ReportEventsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SubscriptionEventResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SubscriptionEventResult, _Mapping]]] = ...) -> None: ...
