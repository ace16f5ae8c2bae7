"""A witness co-signs what follows from what it saw, and refuses a log that has forked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.audit.checkpoint import (
    AHEAD_MAX,
    NOTE_LENGTH_MAX,
    NoteRefusedError,
    NoteSigner,
    TreeHead,
    check_cosignature,
    check_head,
    format_note,
    parse_note,
    sign_head,
)
from identity.audit.head_memory import HeadMemory
from identity.audit.key_chain import ChainedKey, origin_of
from identity.audit.merkle import (
    GrowingTree,
    Subtree,
    consistency_ranges,
    hash_leaf,
    proof_from,
)
from identity.services.witness import witness_head
from identity.state_directory import DirectoryBusyError
from tests.unit.identity.makers import NOW

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
LOG = NoteSigner(origin_of(PUBLIC), KEY)
WITNESS = NoteSigner("witness.example", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))


@dataclass
class HonestLog:
    """A log in memory."""

    signer: NoteSigner = LOG
    nodes: dict[Subtree, bytes] = field(default_factory=dict)
    tree: GrowingTree = field(default_factory=GrowingTree)
    added: list[str] = field(default_factory=list)
    signed_at: int = 0

    def write(self, *contents: bytes) -> "HonestLog":
        """Append leaves and sign a newer head."""
        for each in contents:
            leaf = hash_leaf(each)
            self.nodes[Subtree(0, self.tree.size)] = leaf
            self.nodes |= dict(self.tree.append(leaf))
        self.signed_at += 1
        return self

    def newest(self) -> tuple[str, Sequence[ChainedKey]]:
        """Its head and its key."""
        head = TreeHead(
            origin=self.signer.name,
            size=self.tree.size,
            root=self.tree.root(),
            signed_at=NOW + timedelta(seconds=self.signed_at),
        )
        note = format_note(head, sign_head(head, self.signer), self.signer.verifier())
        return note, [ChainedKey(number=1, public_key=PUBLIC)]

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """An honest proof over what it holds."""
        return proof_from(consistency_ranges(old_size, new_size), self.nodes)

    def add(self, checkpoint: str) -> None:
        """Keep it."""
        self.added.append(checkpoint)


def seen(log: HonestLog, memory: HeadMemory, *, at: datetime = NOW + timedelta(days=1)) -> TreeHead:
    return witness_head(log, memory, WITNESS, trusted=LOG.verifier(), at=at)


@pytest.fixture
def memory(tmp_path: Path) -> HeadMemory:
    return HeadMemory(tmp_path / "seen.head")


def test_a_log_that_grows_is_co_signed_each_time(memory: HeadMemory) -> None:
    log = HonestLog()
    for size, contents in ((3, (b"a", b"b", b"c")), (3, ()), (8, (b"d", b"e", b"f", b"g", b"h"))):
        assert seen(log.write(*contents), memory).size == size
        assert memory.read() == parse_note(log.added[-1]).head
        check_cosignature(parse_note(log.added[-1]), WITNESS.verifier(is_witness=True))
    assert len(log.added) == 3


def test_a_fork_is_refused_and_not_remembered(memory: HeadMemory) -> None:
    seen(HonestLog().write(b"a", b"b", b"c"), memory)
    before = memory.read()
    for contents in ((b"a", b"x", b"c", b"d"), (b"x", b"b", b"c")):
        forked = HonestLog(signed_at=5).write(*contents)
        with pytest.raises(NoteRefusedError, match="fork"):
            seen(forked, memory)
        assert forked.added == []
    assert memory.read() == before


def test_a_log_that_shrank_is_older_or_is_another_one_is_refused(memory: HeadMemory) -> None:
    seen(HonestLog(signed_at=5).write(b"a", b"b", b"c"), memory)
    with pytest.raises(NoteRefusedError, match="shrank"):
        seen(HonestLog(signed_at=9).write(b"a", b"b"), memory)
    with pytest.raises(NoteRefusedError, match="older"):
        seen(HonestLog().write(b"a", b"b", b"c"), memory)
    with pytest.raises(NoteRefusedError, match="another"):
        seen(HonestLog(signer=NoteSigner("subid-audit-other", KEY)).write(b"a"), memory)


def test_a_head_that_the_log_did_not_sign_is_refused(memory: HeadMemory) -> None:
    thief = NoteSigner(LOG.name, Ed25519PrivateKey.generate())
    log = HonestLog(signer=thief).write(b"a")
    with pytest.raises(NoteRefusedError, match="not signed"):
        seen(log, memory)
    assert memory.read() is None


def test_what_is_co_signed_is_remembered_before_it_is_handed_over(memory: HeadMemory) -> None:
    class UnreachableLog(HonestLog):
        def add(self, checkpoint: str) -> None:
            raise ConnectionError(checkpoint)

    with pytest.raises(ConnectionError):
        seen(UnreachableLog().write(b"a"), memory)
    assert memory.read() is not None


def test_a_memory_that_is_damaged_is_no_empty_one(memory: HeadMemory) -> None:
    memory.path.write_text("nothing")
    with pytest.raises(NoteRefusedError):
        seen(HonestLog().write(b"a"), memory)


@pytest.mark.parametrize("content", [b"\xff" * 100, b"x" * (NOTE_LENGTH_MAX + 1)])
def test_a_memory_of_any_other_content_is_refused_as_no_note(
    memory: HeadMemory, content: bytes
) -> None:
    memory.path.write_bytes(content)
    with pytest.raises(NoteRefusedError):
        seen(HonestLog().write(b"a"), memory)


def test_a_head_from_the_future_is_refused_and_one_of_a_clock_that_is_a_little_ahead_is_not(
    memory: HeadMemory,
) -> None:
    log = HonestLog().write(b"a")
    signed_at = parse_note(log.newest()[0]).head.signed_at
    with pytest.raises(NoteRefusedError, match="ahead of this clock"):
        seen(log, memory, at=signed_at - AHEAD_MAX - timedelta(seconds=1))
    assert (memory.read(), log.added) == (None, [])
    assert seen(log, memory, at=signed_at - AHEAD_MAX).size == 1


def test_of_two_runs_with_one_memory_one_is_refused(memory: HeadMemory) -> None:
    log = HonestLog().write(b"a")

    class SlowLog(HonestLog):
        def add(self, checkpoint: str) -> None:
            # While this run is at it, another one begins.
            with pytest.raises(DirectoryBusyError, match="another run"):
                seen(log, memory)
            super().add(checkpoint)

    slow = SlowLog().write(b"a", b"b")
    assert seen(slow, memory).size == 2
    assert (len(slow.added), log.added) == (1, [])
    assert seen(slow.write(b"c"), memory).size == 3


def test_lines_of_others_are_neither_remembered_nor_handed_on(memory: HeadMemory) -> None:
    class TalkativeLog(HonestLog):
        def newest(self) -> tuple[str, Sequence[ChainedKey]]:
            note, keys = super().newest()
            lines = "".join(f"— other.example/{each} {'A' * 96}\n" for each in range(550))
            return f"{note}{lines}", keys

    log = TalkativeLog()
    for content in (b"a", b"b"):
        head = seen(log.write(content), memory)
        note = memory.path.read_text()
        assert log.added[-1] == note
        assert check_head(parse_note(note), LOG.verifier()) == head
        assert len(parse_note(note).signatures) == 2
