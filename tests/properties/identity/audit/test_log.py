"""Whatever entries have in common, each comes back as it was written."""

from datetime import timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.audit.log import AuditEntry, append, read_about_citizen
from tests.unit.identity.makers import NOW

TEXTS = st.sampled_from(["", "a", "b", "{}", '"', "\\", "NULL", "điều"])
FEW = st.none() | TEXTS


@st.composite
def entries_about(draw: st.DrawFn) -> list[AuditEntry]:
    """Entries about one citizen, alike in some columns and unlike in others."""
    key = uuid4().bytes
    entry = st.builds(
        AuditEntry,
        occurred_at=st.sampled_from([NOW, NOW + timedelta(microseconds=1)]),
        caller=TEXTS,
        action=TEXTS,
        outcome=TEXTS,
        citizen_key=st.just(key),
        msisdn_key=st.sampled_from([None, b"", b"\\x00", b"\x00\xff"]),
        purpose=FEW,
        legal_basis=FEW,
        case_id=FEW,
        shown_from=st.sampled_from([None, NOW]),
        fields=FEW,
        details=st.sampled_from([{}, {"count": 1}, {"none": None}]),
    )
    return draw(st.lists(entry, min_size=1, max_size=4))


@given(written=entries_about())
@settings(max_examples=150)
def test_entries_come_back_as_they_were_written(engine: Engine, written: list[AuditEntry]) -> None:
    with engine.connect() as connection:
        append(connection, written)
        key = written[0].citizen_key
        assert key is not None
        assert read_about_citizen(connection, key) == tuple(written)
        connection.rollback()
