"""Another implementation agrees on the signature of every EF.SOD in the vectors."""

import shutil
import subprocess
from pathlib import Path

import pytest

from biometrics.chip import tlv
from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.signature_algorithm import (
    digest,
    find_hash,
    read_signature_algorithm,
    verify_signature,
)
from biometrics.chip.signed_data import SignedData
from biometrics.chip.sod import read_sod

OPENSSL = shutil.which("openssl")
NOT_OURS = {"bsi2008_EF_SOD.bin": ChipCode.UNSUPPORTED_CURVE}
"""Where OpenSSL knows a curve that we refuse."""

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not on this machine")


def is_signature_good_to_openssl(envelope: bytes, folder: Path) -> bool:
    path = folder / "envelope.der"
    path.write_bytes(envelope)
    ended = subprocess.run(
        [str(OPENSSL), "cms", "-verify", "-noverify", "-inform", "DER", "-in", str(path)],
        capture_output=True,
        check=False,
    )
    return ended.returncode == 0


def is_signature_good_to_us(sod: bytes) -> bool:
    """As OpenSSL judges: the hash of the content and the signature, and nothing else."""
    signed = read_sod(sod)
    (signer,) = (
        certificate
        for certificate in map(read_certificate, signed.certificates)
        if signed.signer.is_for(certificate)
    )
    hashed = find_hash(signed.digest_oid)
    assert hashed is not None
    assert signed.signed_attributes is not None
    return digest(signed.content, hashed) == message_digest(signed) and verify_signature(
        signer.subject_key,
        read_signature_algorithm(signed.signature_algorithm, digest_algorithm=hashed),
        signature=signed.signature,
        data=b"\x31" + signed.signed_attributes[1:],
    )


def message_digest(signed: SignedData) -> bytes:
    attributes = tlv.read_all(tlv.read_one(signed.signed_attributes or b"").value)
    kind = bytes.fromhex("06092A864886F70D010904")
    (value,) = (part for part in attributes if kind in part.raw)
    return tlv.read_all(tlv.read_all(value.value)[1].value)[0].value


def test_openssl_agrees_on_every_sod(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted(path for path in (shared_data / "chip").rglob("*.bin") if is_sod(path))
    theirs: dict[str, bool] = {}
    ours: dict[str, bool | ChipCode] = {}

    for path in paths:
        sod = path.read_bytes()
        try:
            ours[path.name] = is_signature_good_to_us(sod)
        except ChipError as error:
            ours[path.name] = error.code
            if error.code is ChipCode.TLV_TRUNCATED:
                continue  # no envelope either of us could read
        theirs[path.name] = is_signature_good_to_openssl(tlv.read_first(sod).value, tmp_path)

    assert len(paths) == 17
    assert sum(theirs.values()) >= 13
    disagreed = {name: ours[name] for name, good in theirs.items() if ours[name] is not good}
    assert disagreed == NOT_OURS
    assert ours["sod_78a2b951.bin"] is ours["sod_1ae97e17.bin"] is False
    assert ours["20_truncated_sod.sod.bin"] is ChipCode.TLV_TRUNCATED


def is_sod(path: Path) -> bool:
    return "sod" in path.name.lower() and path.read_bytes()[:1] == b"\x77"
