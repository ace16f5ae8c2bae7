"""What the service signs is believed for what it is, and for nothing else."""

import pytest

from telco_sim.signed_documents import (
    EXPORT_TYPE,
    PRESENCE_TYPE,
    DocumentError,
    open_document,
    open_presence,
)
from tests.unit.telco_sim.credulous_agencies import key_set, sign


def test_what_was_signed_is_read() -> None:
    signed = sign({"personal_id": "001090999999"}, kind=EXPORT_TYPE)
    assert open_document(signed, key_set(), kind=EXPORT_TYPE) == {"personal_id": "001090999999"}


def test_a_document_of_another_kind_proves_nothing() -> None:
    with pytest.raises(DocumentError, match="PURPOSE_MISMATCH"):
        open_document(sign({}, kind=PRESENCE_TYPE), key_set(), kind=EXPORT_TYPE)


def test_a_changed_document_proves_nothing() -> None:
    header, payload, signature = sign({"a": 1}, kind=EXPORT_TYPE).split(".")
    _, other, _ = sign({"a": 2}, kind=EXPORT_TYPE).split(".")
    assert payload != other
    with pytest.raises(DocumentError, match="SIGNATURE_INVALID"):
        open_document(f"{header}.{other}.{signature}", key_set(), kind=EXPORT_TYPE)


def test_a_token_counts_at_the_agency_that_it_is_for() -> None:
    token = sign({"aud": "agency"}, kind=PRESENCE_TYPE)
    assert open_presence(token, key_set(), audience="agency") == {"aud": "agency"}
    with pytest.raises(DocumentError, match="AUDIENCE_MISMATCH"):
        open_presence(token, key_set(), audience="agency-writer")
