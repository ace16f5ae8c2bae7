"""A master list is believed because of a pinned authority, never because of itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from biometrics.chip.master_list import read_master_list
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import SODDraft
from tests.unit.biometrics.chip.issuer import NOW, CertificateDraft, Identity

MASTER_LIST, LIST_SIGNING = "2.23.136.1.1.2", "2.23.136.1.1.3"
PUBLISHER = state.make_authority("CSCA NL", "NL")
LISTED = tuple(state.make_authority(f"CSCA {n}").certificate for n in range(3))
PURPOSE = state.extension("2.5.29.37", asn1.sequence(asn1.oid(LIST_SIGNING)), is_critical=True)

Change = Callable[[CertificateDraft], CertificateDraft]


def list_signer(change: Change = lambda draft: draft, by: Identity = PUBLISHER) -> Identity:
    draft = replace(
        state.signer_draft(by), extensions=(state.key_usage(state.DIGITAL_SIGNATURE), PURPOSE)
    )
    return change(draft).sign(by.key)


def content(*certificates: bytes, version: int = 0) -> bytes:
    return asn1.sequence(asn1.integer(version), asn1.set_of(*certificates))


def master_list(signer: Identity, octets: bytes | None = None, **changes: str) -> bytes:
    draft = SODDraft(
        content=content(*LISTED) if octets is None else octets,
        signer=signer,
        content_type=changes.get("content_type", MASTER_LIST),
    )
    return draft.encode()[4:]  # without the tag of EF.SOD


def read(data: bytes, pinned: Identity = PUBLISHER, at: datetime = NOW) -> tuple[bytes, ...]:
    return read_master_list(data, pinned=pinned.certificate, at=at)


def test_the_certificates_come_out_as_they_were_signed() -> None:
    assert read(master_list(list_signer())) == LISTED


def test_a_list_of_another_publisher_is_refused() -> None:
    with pytest.raises(ValueError, match="pinned"):
        read(master_list(list_signer()), pinned=state.make_authority("CSCA DE", "DE"))


def test_an_authority_inside_the_list_does_not_vouch_for_it() -> None:
    stranger = state.make_authority("CSCA NL", "NL")
    own = master_list(list_signer(by=stranger), content(*LISTED, stranger.certificate))

    with pytest.raises(ValueError, match="pinned"):
        read(own)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        (state.extension("2.5.29.37", asn1.sequence(asn1.oid(LIST_SIGNING))),),
        (
            state.extension(
                "2.5.29.37", asn1.sequence(asn1.oid("1.3.6.1.5.5.7.3.1")), is_critical=True
            ),
        ),
    ],
)
def test_a_signer_of_documents_may_not_sign_lists(extensions: tuple[bytes, ...]) -> None:
    signer = list_signer(lambda draft: replace(draft, extensions=extensions))

    with pytest.raises(ValueError, match="signer"):
        read(master_list(signer))


@pytest.mark.parametrize("year", [2020, 2023, 2041])
def test_signer_and_authority_must_be_valid(year: int) -> None:
    with pytest.raises(ValueError, match="valid"):
        read(master_list(list_signer()), at=datetime(year, 6, 1, tzinfo=UTC))


def test_a_security_object_is_no_master_list() -> None:
    data = master_list(list_signer(), content_type=chip.LDS_SECURITY_OBJECT)

    with pytest.raises(ValueError, match="no master list"):
        read(data)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        asn1.NULL,
        content(*LISTED, version=1),
        asn1.sequence(asn1.integer(0)),
        asn1.sequence(asn1.integer(0), asn1.sequence()),
        content(*LISTED) + asn1.NULL,
    ],
)
def test_another_content_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(master_list(list_signer(), octets))


def test_an_altered_list_is_refused() -> None:
    data = bytearray(master_list(list_signer()))
    data[-1] ^= 1

    with pytest.raises(ValueError, match="SOD_SIGNATURE_INVALID"):
        read(bytes(data))


@pytest.mark.parametrize("data", [b"", b"garbage"])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="refused"):
        read(data)


def test_a_missing_signer_is_refused() -> None:
    signer = list_signer()
    draft = SODDraft(
        content=content(*LISTED), signer=signer, content_type=MASTER_LIST, certificates=()
    )

    with pytest.raises(ValueError, match="missing"):
        read(draft.encode()[4:])
