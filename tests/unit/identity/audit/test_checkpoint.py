"""Signed notes of heads, held against a published vector, and what is refused of them."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from identity.audit.checkpoint import (
    NoteRefusedError,
    NoteSigner,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_head,
    cosign,
    format_note,
    parse_note,
    sign_head,
    verify,
)

LOG = NoteSigner("subid-audit-0011223344556677", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
WITNESS = NoteSigner("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
HEAD = TreeHead(origin=LOG.name, size=20, root=b"\x07" * 32, signed_at=AT)


def note() -> str:
    return format_note(HEAD, sign_head(HEAD, LOG), LOG.verifier(), [cosign(HEAD, WITNESS, at=AT)])


def test_keys_and_signatures_are_those_of_the_published_example() -> None:
    # golang.org/x/mod/sumdb/note, the example of the package.
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert (key.name, key.key_hash.hex()) == ("PeterNeumann", "c74f20a3")
    signed = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert signed[:4] == key.key_hash
    verify(key.public_key, signed[4:], text.encode())


def test_a_note_is_read_as_it_was_written_and_both_signatures_count() -> None:
    signed = parse_note(note())
    assert check_head(signed, LOG.verifier()) == HEAD
    seen = check_cosignature(signed, WITNESS.verifier(is_witness=True))
    assert (seen.witness, seen.signed_at) == (WITNESS.name, AT)


def test_a_note_has_the_lines_of_a_checkpoint() -> None:
    lines = note().split("\n")
    root = base64.b64encode(HEAD.root).decode()
    assert lines[:5] == [LOG.name, "20", root, "time 1777627800", ""]
    assert lines[5].startswith(f"— {LOG.name} ")
    assert lines[6].startswith(f"— {WITNESS.name} ")


@pytest.mark.parametrize("key", [LOG.verifier(), WITNESS.verifier(is_witness=True)])
def test_a_key_is_read_as_it_is_written(key: VerifierKey) -> None:
    assert VerifierKey.parse(str(key)) == key
    assert VerifierKey.parse(f"{key}\n") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "SomebodyElse+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRefusedError):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n20\n", "\n21\n"),
        ("\n20\n", "\n020\n"),
        ("time 1777627800", "time 1777627801"),
        ("time 1777627800", "date 1777627800"),
        ("time 1777627800\n", ""),
        ("time 1777627800", "time 1777627800\nmore"),
        ("BwcH", "BwcG"),
        ("\n\n", "\n"),
        ("— subid", "- subid"),
        (LOG.name, "subid-audit-0011223344556678"),
    ],
)
def test_a_changed_note_proves_nothing(old: str, new: str) -> None:
    changed = note().replace(old, new)
    assert changed != note()
    with pytest.raises(NoteRefusedError):
        check_head(parse_note(changed), LOG.verifier())


def test_another_key_has_not_signed() -> None:
    stranger = NoteSigner(LOG.name, Ed25519PrivateKey.generate())
    with pytest.raises(NoteRefusedError, match="not signed by"):
        check_head(parse_note(note()), stranger.verifier())
    with pytest.raises(NoteRefusedError, match="not signed by"):
        check_cosignature(parse_note(note()), LOG.verifier(is_witness=True))


def test_a_signature_that_stands_twice_or_is_another_heads_is_refused() -> None:
    own = note().split("\n")[5]
    with pytest.raises(NoteRefusedError, match="malformed"):
        check_head(parse_note(f"{note()}{own}\n"), LOG.verifier())
    other = replace(HEAD, size=21)
    swapped = format_note(other, sign_head(HEAD, LOG), LOG.verifier())
    with pytest.raises(NoteRefusedError, match="does not verify"):
        check_head(parse_note(swapped), LOG.verifier())


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_note_or_is_refused(text: str) -> None:
    with pytest.raises(NoteRefusedError):
        check_head(parse_note(text), LOG.verifier())


@given(st.data())
def test_a_note_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    whole = note()
    place = data.draw(st.integers(0, whole.index(f"— {WITNESS.name}") - 1))
    put = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != whole[place]))
    with pytest.raises(NoteRefusedError):
        check_head(parse_note(whole[:place] + put + whole[place + 1 :]), LOG.verifier())
