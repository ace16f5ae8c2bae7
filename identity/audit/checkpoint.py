"""Tree heads as checkpoints: signed notes that any log tool reads, and what witnesses add to them.

Owns the forms of C2SP: signed-note, tlog-checkpoint and tlog-cosignature (https://c2sp.org), all
with Ed25519, and how one key hands over to the next. Knows neither where keys lie nor where heads
are kept. The time of a head stands in a line of its own, `time SECONDS`, since a head that is
signed anew without new leaves must tell that it is newer.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from identity.audit.merkle import HASH_BYTES

NOTE_LENGTH_MAX = 64 * 1024
"""Characters of a note; a head with a hundred witnesses has 12,000."""

AHEAD_MAX = timedelta(minutes=5)
"""A head may be this much later than the clock of who looks at it: the clock skew that RFC 4120
(8.2) recommends to accept between machines that keep time. One with NTP is off by milliseconds."""

_LOG_KEY = 1
_WITNESS_KEY = 4
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_KEY_HASH_BYTES = 4
_SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")


class NoteRefusedError(ValueError):
    """A note, a key or a signature that proves nothing; one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with the name it signs by.

    Attributes:
        name: Of the log or the witness; no space, no plus sign.
        public_key: 32 bytes.
        is_witness: Whether it signs as a witness, with the time.
    """

    name: str
    public_key: bytes
    is_witness: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public_key) != _KEY_BYTES:
            raise NoteRefusedError("not a verifier key")

    @property
    def key_hash(self) -> bytes:
        """What a signature names it by: 4 bytes."""
        named = self.name.encode() + b"\n" + self._tagged
        return hashlib.sha256(named).digest()[:_KEY_HASH_BYTES]

    @property
    def _tagged(self) -> bytes:
        return bytes([_WITNESS_KEY if self.is_witness else _LOG_KEY]) + self.public_key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{_encoded(self._tagged)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `NAME+HASH+KEY`.

        Raises:
            NoteRefusedError: It is no such key.
        """
        # The base64 of the key may hold plus signs, the name and the hash none.
        name, _, rest = text.strip().partition("+")
        hashed, _, encoded = rest.partition("+")
        tagged = _decoded(encoded)
        if tagged[:1] not in {bytes([_LOG_KEY]), bytes([_WITNESS_KEY])}:
            raise NoteRefusedError("not an Ed25519 verifier key")
        key = cls(name=name, public_key=tagged[1:], is_witness=tagged[0] == _WITNESS_KEY)
        if key.key_hash.hex() != hashed:
            raise NoteRefusedError("the key is not the one that its name says")
        return key


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key pair of a log or a witness.

    Attributes:
        name: It signs by this name.
        private_key: The key.
    """

    name: str
    private_key: Ed25519PrivateKey = field(repr=False)

    def verifier(self, *, is_witness: bool = False) -> VerifierKey:
        """The public half."""
        public = self.private_key.public_key().public_bytes_raw()
        return VerifierKey(name=self.name, public_key=public, is_witness=is_witness)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """The log at one instant.

    Attributes:
        origin: The log's name.
        size: Leaves of its tree.
        root: Of its tree.
        signed_at: When it was signed, in whole seconds.
    """

    origin: str
    size: int
    root: bytes
    signed_at: datetime

    @property
    def body(self) -> str:
        """What is signed: the text of a checkpoint."""
        seconds = int(self.signed_at.timestamp())
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\ntime {seconds}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """That a witness has seen a head, and that it agrees with all that it saw before.

    Attributes:
        witness: The witness's name.
        key_hash: Of its key.
        signed_at: When.
        signature: 64 bytes.
    """

    witness: str
    key_hash: bytes
    signed_at: datetime
    signature: bytes

    @property
    def line(self) -> str:
        """In a note."""
        seconds = int(self.signed_at.timestamp()).to_bytes(_TIME_BYTES, "big")
        return f"— {self.witness} {_encoded(self.key_hash + seconds + self.signature)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A head with what was signed of it; nothing is believed yet.

    Attributes:
        head: The head.
        signatures: Of each its signer's name and the bytes that follow, the key's hash first.
    """

    head: TreeHead
    signatures: Sequence[tuple[str, bytes]]


def sign_head(head: TreeHead, signer: NoteSigner) -> bytes:
    """The log's signature of a head: 64 bytes."""
    return signer.private_key.sign(head.body.encode())


def format_note(
    head: TreeHead, signature: bytes, key: VerifierKey, cosignatures: Sequence[Cosignature] = ()
) -> str:
    """A head as a signed note."""
    own = f"— {key.name} {_encoded(key.key_hash + signature)}\n"
    return f"{head.body}\n{own}{''.join(each.line for each in cosignatures)}"


def parse_note(text: str) -> SignedHead:
    """Read a head out of a signed note.

    Raises:
        NoteRefusedError: It is none.
    """
    body, gap, signed = text.partition("\n\n")
    lines = signed.split("\n")
    if len(text) > NOTE_LENGTH_MAX or not gap or lines.pop() != "" or not lines:
        raise NoteRefusedError("not a signed note")
    found = [_SIGNATURE_LINE.fullmatch(line) for line in lines]
    signatures = [(each[1], _decoded(each[2])) for each in found if each]
    if len(signatures) < len(lines):
        raise NoteRefusedError("a line of the note is no signature")
    return SignedHead(head=_parse_body(body), signatures=signatures)


def check_head(signed: SignedHead, key: VerifierKey) -> TreeHead:
    """The head, if a log's key signed it.

    Raises:
        NoteRefusedError: It did not.
    """
    signature_by(signed, key)
    return signed.head


def signature_by(signed: SignedHead, key: VerifierKey) -> bytes:
    """What a log's key has signed a head with: 64 bytes.

    Raises:
        NoteRefusedError: It did not.
    """
    return _refuse_unsigned(signed, key, signed.head.body.encode(), length=_SIGNATURE_BYTES)


def check_cosignature(signed: SignedHead, key: VerifierKey) -> Cosignature:
    """What a witness added to a note.

    Raises:
        NoteRefusedError: It did not sign it.
    """
    added = _refuse_unsigned(signed, key, None, length=_TIME_BYTES + _SIGNATURE_BYTES)
    cosignature = _cosignature(key, added)
    verify_cosignature(signed.head, cosignature, key)
    return cosignature


def verify_cosignature(head: TreeHead, cosignature: Cosignature, key: VerifierKey) -> None:
    """Check what a witness added to a head.

    Raises:
        NoteRefusedError: The key did not sign just this.
    """
    if (cosignature.witness, cosignature.key_hash) != (key.name, key.key_hash):
        raise NoteRefusedError(f"not signed by {key.name} with this key")
    verify(key.public_key, cosignature.signature, _witnessed(head, cosignature.signed_at))


def cosign(head: TreeHead, witness: NoteSigner, *, at: datetime) -> Cosignature:
    """Sign a head as a witness. That it agrees with what was seen is the caller's to know."""
    return Cosignature(
        witness=witness.name,
        key_hash=witness.verifier(is_witness=True).key_hash,
        signed_at=at.replace(microsecond=0),
        signature=witness.private_key.sign(_witnessed(head, at)),
    )


def refuse_ahead(head: TreeHead, *, at: datetime) -> None:
    """A head must not come from the future: what follows it would have to be later still.

    Args:
        head: The head.
        at: Now, by the clock of who looks.

    Raises:
        NoteRefusedError: It is more than `AHEAD_MAX` ahead.
    """
    if head.signed_at - at > AHEAD_MAX:
        raise NoteRefusedError(
            f"the head is of {head.signed_at:%Y-%m-%dT%H:%M:%SZ}, which is more than"
            f" {AHEAD_MAX.total_seconds():.0f} s ahead of this clock"
        )


def handover_statement(origin: str, old_key: bytes, new_key: bytes) -> bytes:
    """What an old key signs when a new one takes its place."""
    keys = f"{_encoded(old_key)}\n{_encoded(new_key)}\n"
    return f"subid-audit-handover/v1\n{origin}\n{keys}".encode()


def verify(public_key: bytes, signature: bytes, content: bytes) -> None:
    """Check an Ed25519 signature.

    Raises:
        NoteRefusedError: It is not the key's over just this.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError) as error:
        raise NoteRefusedError("the signature does not verify") from error


def _refuse_unsigned(
    signed: SignedHead, key: VerifierKey, content: bytes | None, *, length: int
) -> bytes:
    """What one key added, after the hash that names it; verified where the content is given."""
    own = [
        each[_KEY_HASH_BYTES:]
        for name, each in signed.signatures
        if name == key.name and each[:_KEY_HASH_BYTES] == key.key_hash
    ]
    if not own:
        raise NoteRefusedError(f"not signed by {key.name} with this key")
    if len(own) > 1 or len(own[0]) != length:
        raise NoteRefusedError(f"the signature of {key.name} is malformed")
    if content is not None:
        verify(key.public_key, own[0], content)
    return own[0]


def _cosignature(key: VerifierKey, added: bytes) -> Cosignature:
    return Cosignature(
        witness=key.name,
        key_hash=key.key_hash,
        signed_at=_instant(int.from_bytes(added[:_TIME_BYTES], "big")),
        signature=added[_TIME_BYTES:],
    )


def _witnessed(head: TreeHead, at: datetime) -> bytes:
    return f"cosignature/v1\ntime {int(at.timestamp())}\n{head.body}".encode()


def _parse_body(body: str) -> TreeHead:
    try:
        origin, size, root, time = body.split("\n")
    except ValueError as error:
        raise NoteRefusedError("not a head of this kind of log") from error
    word, _, seconds = time.partition(" ")
    head = _decoded(root)
    if not (origin and _SIZE.fullmatch(size) and _SIZE.fullmatch(seconds) and word == "time"):
        raise NoteRefusedError("not a head of this kind of log")
    if len(head) != HASH_BYTES:
        raise NoteRefusedError("a root has 32 bytes")
    return TreeHead(origin=origin, size=int(size), root=head, signed_at=_instant(int(seconds)))


def _instant(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NoteRefusedError("the time is none") from error


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decoded(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteRefusedError("not base64") from error
    if _encoded(value) != text:
        raise NoteRefusedError("not canonical base64")
    return value
