import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from subid.v1 import date_pb2 as _date_pb2
from subid.v1 import localized_text_pb2 as _localized_text_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MessageUrgency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_URGENCY_UNSPECIFIED: _ClassVar[MessageUrgency]
    MESSAGE_URGENCY_SERVICE: _ClassVar[MessageUrgency]
    MESSAGE_URGENCY_LEGAL: _ClassVar[MessageUrgency]
    MESSAGE_URGENCY_SAFETY: _ClassVar[MessageUrgency]
    MESSAGE_URGENCY_TIDINGS: _ClassVar[MessageUrgency]

class Language(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANGUAGE_UNSPECIFIED: _ClassVar[Language]
    LANGUAGE_VI: _ClassVar[Language]
    LANGUAGE_EN: _ClassVar[Language]

class NotificationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_STATE_UNSPECIFIED: _ClassVar[NotificationState]
    NOTIFICATION_STATE_ACCEPTED: _ClassVar[NotificationState]
    NOTIFICATION_STATE_HANDED_OVER: _ClassVar[NotificationState]
    NOTIFICATION_STATE_DELIVERED: _ClassVar[NotificationState]
    NOTIFICATION_STATE_FAILED: _ClassVar[NotificationState]
    NOTIFICATION_STATE_EXPIRED: _ClassVar[NotificationState]

class NotificationFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_FAILURE_UNSPECIFIED: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_NOT_AVAILABLE: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_UNREACHABLE: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_OBJECTED: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_NOT_CONFIRMED: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_ABSENT: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_BARRED: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_UNKNOWN_NUMBER: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_REJECTED: _ClassVar[NotificationFailure]
    NOTIFICATION_FAILURE_NETWORK_FAULT: _ClassVar[NotificationFailure]

class ReceiptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECEIPT_OUTCOME_UNSPECIFIED: _ClassVar[ReceiptOutcome]
    RECEIPT_OUTCOME_SUBMITTED: _ClassVar[ReceiptOutcome]
    RECEIPT_OUTCOME_DELIVERED: _ClassVar[ReceiptOutcome]
    RECEIPT_OUTCOME_FAILED: _ClassVar[ReceiptOutcome]

class ReceiptFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECEIPT_FAILURE_UNSPECIFIED: _ClassVar[ReceiptFailure]
    RECEIPT_FAILURE_ABSENT: _ClassVar[ReceiptFailure]
    RECEIPT_FAILURE_BARRED: _ClassVar[ReceiptFailure]
    RECEIPT_FAILURE_UNKNOWN_NUMBER: _ClassVar[ReceiptFailure]
    RECEIPT_FAILURE_REJECTED: _ClassVar[ReceiptFailure]
    RECEIPT_FAILURE_NETWORK_FAULT: _ClassVar[ReceiptFailure]

class ReceiptResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECEIPT_RESULT_UNSPECIFIED: _ClassVar[ReceiptResult]
    RECEIPT_RESULT_ACCEPTED: _ClassVar[ReceiptResult]
    RECEIPT_RESULT_ALREADY_ENDED: _ClassVar[ReceiptResult]
    RECEIPT_RESULT_LEASE_LOST: _ClassVar[ReceiptResult]
    RECEIPT_RESULT_UNKNOWN: _ClassVar[ReceiptResult]
MESSAGE_URGENCY_UNSPECIFIED: MessageUrgency
MESSAGE_URGENCY_SERVICE: MessageUrgency
MESSAGE_URGENCY_LEGAL: MessageUrgency
MESSAGE_URGENCY_SAFETY: MessageUrgency
MESSAGE_URGENCY_TIDINGS: MessageUrgency
LANGUAGE_UNSPECIFIED: Language
LANGUAGE_VI: Language
LANGUAGE_EN: Language
NOTIFICATION_STATE_UNSPECIFIED: NotificationState
NOTIFICATION_STATE_ACCEPTED: NotificationState
NOTIFICATION_STATE_HANDED_OVER: NotificationState
NOTIFICATION_STATE_DELIVERED: NotificationState
NOTIFICATION_STATE_FAILED: NotificationState
NOTIFICATION_STATE_EXPIRED: NotificationState
NOTIFICATION_FAILURE_UNSPECIFIED: NotificationFailure
NOTIFICATION_FAILURE_NOT_AVAILABLE: NotificationFailure
NOTIFICATION_FAILURE_UNREACHABLE: NotificationFailure
NOTIFICATION_FAILURE_OBJECTED: NotificationFailure
NOTIFICATION_FAILURE_NOT_CONFIRMED: NotificationFailure
NOTIFICATION_FAILURE_ABSENT: NotificationFailure
NOTIFICATION_FAILURE_BARRED: NotificationFailure
NOTIFICATION_FAILURE_UNKNOWN_NUMBER: NotificationFailure
NOTIFICATION_FAILURE_REJECTED: NotificationFailure
NOTIFICATION_FAILURE_NETWORK_FAULT: NotificationFailure
RECEIPT_OUTCOME_UNSPECIFIED: ReceiptOutcome
RECEIPT_OUTCOME_SUBMITTED: ReceiptOutcome
RECEIPT_OUTCOME_DELIVERED: ReceiptOutcome
RECEIPT_OUTCOME_FAILED: ReceiptOutcome
RECEIPT_FAILURE_UNSPECIFIED: ReceiptFailure
RECEIPT_FAILURE_ABSENT: ReceiptFailure
RECEIPT_FAILURE_BARRED: ReceiptFailure
RECEIPT_FAILURE_UNKNOWN_NUMBER: ReceiptFailure
RECEIPT_FAILURE_REJECTED: ReceiptFailure
RECEIPT_FAILURE_NETWORK_FAULT: ReceiptFailure
RECEIPT_RESULT_UNSPECIFIED: ReceiptResult
RECEIPT_RESULT_ACCEPTED: ReceiptResult
RECEIPT_RESULT_ALREADY_ENDED: ReceiptResult
RECEIPT_RESULT_LEASE_LOST: ReceiptResult
RECEIPT_RESULT_UNKNOWN: ReceiptResult

class Template(_message.Message):
    __slots__ = ("agency", "name", "urgency", "text", "length_max", "approve_time")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    APPROVE_TIME_FIELD_NUMBER: _ClassVar[int]
    agency: str
    name: str
    urgency: MessageUrgency
    text: _localized_text_pb2.LocalizedText
    length_max: int
    approve_time: _timestamp_pb2.Timestamp
    def __init__(self, agency: _Optional[str] = ..., name: _Optional[str] = ..., urgency: _Optional[_Union[MessageUrgency, str]] = ..., text: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., length_max: _Optional[int] = ..., approve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RegisterTemplateRequest(_message.Message):
    __slots__ = ("request_id", "agency", "name", "urgency", "text_vi", "text_en", "length_max")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    TEXT_VI_FIELD_NUMBER: _ClassVar[int]
    TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    agency: str
    name: str
    urgency: MessageUrgency
    text_vi: str
    text_en: str
    length_max: int
    def __init__(self, request_id: _Optional[str] = ..., agency: _Optional[str] = ..., name: _Optional[str] = ..., urgency: _Optional[_Union[MessageUrgency, str]] = ..., text_vi: _Optional[str] = ..., text_en: _Optional[str] = ..., length_max: _Optional[int] = ...) -> None: ...

class RegisterTemplateResponse(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: Template
    def __init__(self, template: _Optional[_Union[Template, _Mapping]] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ("agency", "page_size", "page_token")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    agency: str
    page_size: int
    page_token: str
    def __init__(self, agency: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates", "next_page_token")
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[Template]
    next_page_token: str
    def __init__(self, templates: _Optional[_Iterable[_Union[Template, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class TemplateValue(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class SendNotificationRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "relay_token", "grounds", "template", "values", "language", "expire_time")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    relay_token: bytes
    grounds: _agency_pb2.Grounds
    template: str
    values: _containers.RepeatedCompositeFieldContainer[TemplateValue]
    language: Language
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., relay_token: _Optional[bytes] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ..., template: _Optional[str] = ..., values: _Optional[_Iterable[_Union[TemplateValue, _Mapping]]] = ..., language: _Optional[_Union[Language, str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SendNotificationResponse(_message.Message):
    __slots__ = ("notification_id",)
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    def __init__(self, notification_id: _Optional[str] = ...) -> None: ...

class GetNotificationRequest(_message.Message):
    __slots__ = ("notification_id",)
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    def __init__(self, notification_id: _Optional[str] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("notification_id", "template", "urgency", "purpose", "case_id", "state", "failure", "create_time", "expire_time", "done_time")
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    DONE_TIME_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    template: str
    urgency: MessageUrgency
    purpose: _agency_pb2.Purpose
    case_id: str
    state: NotificationState
    failure: NotificationFailure
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    done_time: _timestamp_pb2.Timestamp
    def __init__(self, notification_id: _Optional[str] = ..., template: _Optional[str] = ..., urgency: _Optional[_Union[MessageUrgency, str]] = ..., purpose: _Optional[_Union[_agency_pb2.Purpose, str]] = ..., case_id: _Optional[str] = ..., state: _Optional[_Union[NotificationState, str]] = ..., failure: _Optional[_Union[NotificationFailure, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., done_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetNotificationResponse(_message.Message):
    __slots__ = ("notification",)
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    notification: Notification
    def __init__(self, notification: _Optional[_Union[Notification, _Mapping]] = ...) -> None: ...

class ListNotificationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNotificationsResponse(_message.Message):
    __slots__ = ("notifications", "next_page_token")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    next_page_token: str
    def __init__(self, notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetNotificationStatisticsRequest(_message.Message):
    __slots__ = ("agency", "first_date", "last_date")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    agency: str
    first_date: _date_pb2.Date
    last_date: _date_pb2.Date
    def __init__(self, agency: _Optional[str] = ..., first_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., last_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class NotificationCount(_message.Message):
    __slots__ = ("date", "template", "state", "notification_count")
    DATE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    template: str
    state: NotificationState
    notification_count: int
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., template: _Optional[str] = ..., state: _Optional[_Union[NotificationState, str]] = ..., notification_count: _Optional[int] = ...) -> None: ...

class GetNotificationStatisticsResponse(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[NotificationCount]
    def __init__(self, counts: _Optional[_Iterable[_Union[NotificationCount, _Mapping]]] = ...) -> None: ...

class PullMessagesRequest(_message.Message):
    __slots__ = ("request_id", "message_count_max", "lease_duration", "wait_duration")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_COUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    WAIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    message_count_max: int
    lease_duration: _duration_pb2.Duration
    wait_duration: _duration_pb2.Duration
    def __init__(self, request_id: _Optional[str] = ..., message_count_max: _Optional[int] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wait_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class OutgoingMessage(_message.Message):
    __slots__ = ("message_id", "msisdn", "urgency", "text", "expire_time")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    msisdn: str
    urgency: MessageUrgency
    text: _localized_text_pb2.LocalizedText
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, message_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., urgency: _Optional[_Union[MessageUrgency, str]] = ..., text: _Optional[_Union[_localized_text_pb2.LocalizedText, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PullMessagesResponse(_message.Message):
    __slots__ = ("messages", "lease_id", "lease_expire_time")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[OutgoingMessage]
    lease_id: str
    lease_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, messages: _Optional[_Iterable[_Union[OutgoingMessage, _Mapping]]] = ..., lease_id: _Optional[str] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("message_id", "outcome", "failure")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    outcome: ReceiptOutcome
    failure: ReceiptFailure
    def __init__(self, message_id: _Optional[str] = ..., outcome: _Optional[_Union[ReceiptOutcome, str]] = ..., failure: _Optional[_Union[ReceiptFailure, str]] = ...) -> None: ...

class AcknowledgeMessagesRequest(_message.Message):
    __slots__ = ("request_id", "lease_id", "receipts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    lease_id: str
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    def __init__(self, request_id: _Optional[str] = ..., lease_id: _Optional[str] = ..., receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ...) -> None: ...

class AcknowledgeMessagesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedScalarFieldContainer[ReceiptResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ReceiptResult, str]]] = ...) -> None: ...
