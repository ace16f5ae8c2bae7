import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetTreeHeadRequest(_message.Message):
    __slots__ = ("is_witnessed",)
    IS_WITNESSED_FIELD_NUMBER: _ClassVar[int]
    is_witnessed: bool
    def __init__(self, is_witnessed: _Optional[bool] = ...) -> None: ...

class AuditKey(_message.Message):
    __slots__ = ("number", "public_key", "handover")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    HANDOVER_FIELD_NUMBER: _ClassVar[int]
    number: int
    public_key: bytes
    handover: bytes
    def __init__(self, number: _Optional[int] = ..., public_key: _Optional[bytes] = ..., handover: _Optional[bytes] = ...) -> None: ...

class GetTreeHeadResponse(_message.Message):
    __slots__ = ("checkpoint", "keys")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    checkpoint: str
    keys: _containers.RepeatedCompositeFieldContainer[AuditKey]
    def __init__(self, checkpoint: _Optional[str] = ..., keys: _Optional[_Iterable[_Union[AuditKey, _Mapping]]] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("old_size", "new_size")
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    old_size: int
    new_size: int
    def __init__(self, old_size: _Optional[int] = ..., new_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("hashes",)
    HASHES_FIELD_NUMBER: _ClassVar[int]
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetInclusionProofRequest(_message.Message):
    __slots__ = ("entry_id", "tree_size", "personal_id")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    entry_id: int
    tree_size: int
    personal_id: str
    def __init__(self, entry_id: _Optional[int] = ..., tree_size: _Optional[int] = ..., personal_id: _Optional[str] = ...) -> None: ...

class GetInclusionProofResponse(_message.Message):
    __slots__ = ("leaf_index", "tree_size", "leaf_hash", "hashes")
    LEAF_INDEX_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    leaf_index: int
    tree_size: int
    leaf_hash: bytes
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, leaf_index: _Optional[int] = ..., tree_size: _Optional[int] = ..., leaf_hash: _Optional[bytes] = ..., hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetReceiptRequest(_message.Message):
    __slots__ = ("entry_id", "personal_id", "is_witnessed")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    IS_WITNESSED_FIELD_NUMBER: _ClassVar[int]
    entry_id: int
    personal_id: str
    is_witnessed: bool
    def __init__(self, entry_id: _Optional[int] = ..., personal_id: _Optional[str] = ..., is_witnessed: _Optional[bool] = ...) -> None: ...

class GetReceiptResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: str
    def __init__(self, receipt: _Optional[str] = ...) -> None: ...

class ListEntriesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class AuditEntryLine(_message.Message):
    __slots__ = ("entry_id", "occur_time", "caller", "action", "outcome", "case_id")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    entry_id: int
    occur_time: _timestamp_pb2.Timestamp
    caller: str
    action: str
    outcome: str
    case_id: str
    def __init__(self, entry_id: _Optional[int] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caller: _Optional[str] = ..., action: _Optional[str] = ..., outcome: _Optional[str] = ..., case_id: _Optional[str] = ...) -> None: ...

class ListEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntryLine]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntryLine, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddWitnessSignatureRequest(_message.Message):
    __slots__ = ("request_id", "checkpoint")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    checkpoint: str
    def __init__(self, request_id: _Optional[str] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class AddWitnessSignatureResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
