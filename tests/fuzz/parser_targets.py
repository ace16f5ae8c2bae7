"""Our own parsers as targets: what strangers, administrators and disks hand to us.

Owns seven targets beside those of the chip, each with seeds that are in order. The promise is
theirs: only coded refusals, at most 50 ms and 64 MB for one input. What is no UTF-8 is refused
before a parser of text sees it, as its callers do.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path

from identity.domain.errors import RequestInvalidError
from identity.domain.policy import PolicyPackError
from identity.domain.policy_text import parse_policy_pack
from identity.import_files import progress_file
from identity.import_files.columns import COLUMNS, FileColumn, select
from identity.import_files.columns import Target as ImportTarget
from identity.import_files.faults import ImportFileError
from identity.import_files.progress_file import Begun, begin_or_go_on, path_for
from identity.rpc.limits import read
from identity.security.keys import KeyFileError, KeyRing, format_key_ring, parse_key_ring
from identity.security.service_signing import (
    KeySetError,
    SignatureRefusedError,
    SigningKey,
    SigningPurpose,
    format_key_set,
    open_signed,
    parse_key_set,
    sign,
)
from tests.fuzz.chip_targets import BrokenPromiseError, Target
from tests.integration.contract import METHODS, example
from tests.integration.wire import method_key

KEY = SigningKey.of(bytes(range(32)))
BEGUN = Begun(
    target=ImportTarget.SUBSCRIPTIONS, is_snapshot=False, sha256="00" * 32, columns=(0, 1, None)
)


def _refused_by(
    parse: Callable[[str], object], *refusals: type[Exception]
) -> Callable[[bytes], bool]:
    coded: tuple[type[Exception], ...] = (UnicodeDecodeError, *refusals)

    def answer(octets: bytes) -> bool:
        try:
            parse(octets.decode())
        except coded:
            return True
        return False

    return answer


def read_request(octets: bytes) -> bool:
    """Read a body as a request of the method that the first octet names."""
    method = METHODS[octets[0] % len(METHODS)] if octets else METHODS[0]
    try:
        read(method_key(method), octets[1:])
    except RequestInvalidError as error:
        if not all(each.reason for each in error.violations):
            raise BrokenPromiseError("a violation without a reason") from error
        return True
    return False


def select_columns(text: str) -> object:
    """Find the columns of an import in a file whose first line has these names."""
    found = [FileColumn(name=name) for name in text.split(",")]
    return select(found, ImportTarget.SUBSCRIPTIONS, renamed={}, ignored=frozenset())


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="subid-fuzz-progress-"))


def go_on(octets: bytes) -> bool:
    """Go on with an import whose progress file holds these octets."""
    book = _folder() / "book.csv"
    path_for(book).write_bytes(octets)
    try:
        begin_or_go_on(book, BEGUN, batch_rows=10, is_restart=False)
    except ImportFileError as error:
        return bool(error.fault)
    return False


def open_token(text: str) -> object:
    """Open a signed document."""
    return open_signed(text, {KEY.key_id: KEY.public_key}, purpose=SigningPurpose.EXPORT)


def _requests() -> tuple[bytes, ...]:
    return tuple(
        bytes([place]) + example(method).SerializeToString() for place, method in enumerate(METHODS)
    )


_FILES = resources.files("identity.policies")
_PACKS = tuple(
    each.read_bytes()
    for each in sorted(_FILES.iterdir(), key=lambda each: each.name)
    if each.name.endswith(".toml")
)
_PROGRESS = {
    "format": progress_file.FORMAT,
    "import_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
    "batch_rows": 10,
    "begun": asdict(BEGUN),
}
_HEAD = ",".join(column.name for column in COLUMNS[ImportTarget.SUBSCRIPTIONS])
_RING = KeyRing(active_id=1, sealing={1: bytes(32), 2: bytes(32)}, index=bytes(32))

PARSER_TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(name="request", answer=read_request, seeds=_requests()),
        Target(name="policy", answer=_refused_by(parse_policy_pack, PolicyPackError), seeds=_PACKS),
        Target(
            name="columns",
            answer=_refused_by(select_columns, ImportFileError),
            seeds=(_HEAD.encode(),),
        ),
        Target(name="progress", answer=go_on, seeds=(json.dumps(_PROGRESS).encode(),)),
        Target(
            name="key_ring",
            answer=_refused_by(lambda text: parse_key_ring(text, origin="fuzz"), KeyFileError),
            seeds=(format_key_ring(_RING).encode(),),
        ),
        Target(
            name="key_set",
            answer=_refused_by(parse_key_set, KeySetError),
            seeds=(format_key_set([KEY.public_key]).encode(),),
        ),
        Target(
            name="signed",
            answer=_refused_by(open_token, SignatureRefusedError),
            seeds=(sign(KEY, b'{"a": 1}', purpose=SigningPurpose.EXPORT).encode(),),
        ),
    )
}
