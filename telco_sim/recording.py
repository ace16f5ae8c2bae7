"""What the service was told about people, and everything it said when it refused.

Owns which fields of the contract hold something personal, and the two files that a search for
leaks begins with. It refuses to know where anybody searches.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.message import Message

TOLD_FILE = "told.jsonl"
"""One thing in a line: its kind, its text or its octets in base64, and whose it is."""

REFUSED_FILE = "refused.bin"
"""Status details and metadata of every refusal, octet for octet, one after another."""


class PersonalKind(StrEnum):
    """What is personal about a person."""

    PERSONAL_ID = "personal ID"
    NAME = "name"
    NUMBER = "number"
    BIRTH_DATE = "birth date"
    MACHINE_READABLE_ZONE = "machine-readable zone"
    CARD_DETAILS = "card details"
    IMAGE = "image"


PERSONAL_FIELDS: Mapping[str, PersonalKind] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                *("personal_id", "personal_ids", "acting_personal_id", "child_personal_id"),
                *("guardian_personal_id", "claimant_personal_id", "employee_personal_id"),
                *("retired_personal_id", "surviving_personal_id"),
            ),
            PersonalKind.PERSONAL_ID,
        ),
        "full_name": PersonalKind.NAME,
        "msisdn": PersonalKind.NUMBER,
        "msisdns": PersonalKind.NUMBER,
        "birth_date": PersonalKind.BIRTH_DATE,
        "dg1": PersonalKind.MACHINE_READABLE_ZONE,
        "dg13": PersonalKind.CARD_DETAILS,
        "dg2": PersonalKind.IMAGE,
        "probe_photographs": PersonalKind.IMAGE,
    }
)
"""Fields of requests by their names; the same name means the same wherever it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something personal that a request held.

    Attributes:
        kind: What it is.
        value: Text, a day as YYYY-MM-DD, or octets.
        whose: The full name that stood beside a birth date; empty elsewhere.
    """

    kind: PersonalKind
    value: str | bytes
    whose: str = ""

    def to_line(self) -> str:
        """Return it as one line of JSON."""
        is_text = isinstance(self.value, str)
        value = self.value if isinstance(self.value, str) else base64.b64encode(self.value).decode()
        fields = {"kind": self.kind.value, "text" if is_text else "octets": value}
        return json.dumps({**fields, "whose": self.whose}, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> "Told":
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        octets = fields.get("octets")
        value = fields["text"] if octets is None else base64.b64decode(octets)
        return cls(kind=PersonalKind(fields["kind"]), value=value, whose=fields["whose"])


def told_in(request: Message) -> Iterator[Told]:
    """Yield everything personal that a request holds, however deep it stands."""
    for field, value in request.ListFields():
        kind = PERSONAL_FIELDS.get(field.name)
        for each in value if field.is_repeated else (value,):
            if kind is PersonalKind.BIRTH_DATE:
                whose = getattr(request, "full_name", "")
                yield Told(kind=kind, value=_day(each), whose=whose)
            elif isinstance(each, Message):
                yield from told_in(each)
            elif kind is not None and each:
                yield Told(kind=kind, value=each)


def _day(date: Any) -> str:  # noqa: ANN401 - the contract's date, which is no Python date yet
    return f"{date.year:04d}-{date.month:02d}-{date.day:02d}"


class Recording:
    """Keeps what was told and refused, from any number of threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._told: dict[bytes, Told] = {}
        self._refused: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def heard_request(self, request: Message) -> None:
        """Keep what is personal in a request that is about to be sent."""
        found = [(_digest(each.to_line().encode()), each) for each in told_in(request)]
        with self._lock:
            self._told.update(found)

    def heard_refusal(self, error: grpc.RpcError) -> None:
        """Keep all that came with a refusal: its text, and its metadata octet for octet."""
        call: Any = error  # what a call raises is the call as well, which no type says
        pairs = (*(call.initial_metadata() or ()), *(call.trailing_metadata() or ()))
        parts = [str(call.details()), *(part for pair in pairs for part in pair)]
        octets = b"\n".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        with self._lock:
            self._refused[_digest(octets)] = octets

    def write(self, folder: Path) -> None:
        """Write both files into a folder, made when absent."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = sorted(each.to_line() for each in self._told.values())
        (folder / TOLD_FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        (folder / REFUSED_FILE).write_bytes(b"\n\n".join(self._refused.values()))


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def read_told(folder: Path) -> tuple[Told, ...]:
    """Read what `Recording.write` wrote of what the service was told."""
    text = (folder / TOLD_FILE).read_text(encoding="utf-8")
    return tuple(Told.from_line(line) for line in text.split("\n") if line)
