import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CitizenServiceListSubscriptionsRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class CitizenServiceListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[_subscription_pb2.Subscription]
    next_page_token: str
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[_subscription_pb2.Subscription, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetPrimaryNumberRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "msisdn")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    msisdn: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., msisdn: _Optional[str] = ...) -> None: ...

class PrimaryNumber(_message.Message):
    __slots__ = ("msisdn", "set_time")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    set_time: _timestamp_pb2.Timestamp
    def __init__(self, msisdn: _Optional[str] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetPrimaryNumberResponse(_message.Message):
    __slots__ = ("primary_number",)
    PRIMARY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    primary_number: PrimaryNumber
    def __init__(self, primary_number: _Optional[_Union[PrimaryNumber, _Mapping]] = ...) -> None: ...

class GetPrimaryNumberRequest(_message.Message):
    __slots__ = ("personal_id",)
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    def __init__(self, personal_id: _Optional[str] = ...) -> None: ...

class GetPrimaryNumberResponse(_message.Message):
    __slots__ = ("primary_number",)
    PRIMARY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    primary_number: PrimaryNumber
    def __init__(self, primary_number: _Optional[_Union[PrimaryNumber, _Mapping]] = ...) -> None: ...

class DisownSubscriptionRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "msisdn")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    msisdn: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., msisdn: _Optional[str] = ...) -> None: ...

class DisownSubscriptionResponse(_message.Message):
    __slots__ = ("next_step_time",)
    NEXT_STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    next_step_time: _timestamp_pb2.Timestamp
    def __init__(self, next_step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
