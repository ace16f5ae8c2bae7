"""The local authority: kept once, issuing what says who somebody is and nothing more."""

import ipaddress
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from identity.domain.caller import Caller, Role
from identity.security.callers import identify
from identity.security.certificates import (
    CALLER_DAYS,
    CALLER_DAYS_MAX,
    AuthorityError,
    create_authority,
    load_or_create_authority,
    write_secret,
)

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
CALLER = Caller(Role.AGENCY, "tax")


def names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_a_callers_certificate_names_it_and_serves_for_nothing_else() -> None:
    authority = create_authority(at=NOW)
    issued = authority.issue_caller(CALLER, at=NOW)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    certificate.verify_directly_issued_by(authority.certificate)
    assert identify(names(certificate).get_values_for_type(x509.UniformResourceIdentifier)) == (
        CALLER
    )
    assert names(certificate).get_values_for_type(x509.DNSName) == []
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    assert certificate.not_valid_before_utc <= NOW
    assert certificate.not_valid_after_utc == NOW + timedelta(days=CALLER_DAYS)
    key = load_pem_private_key(issued.private_key, password=None)
    assert key.public_key() == certificate.public_key()
    assert "PRIVATE" not in repr(issued)


def test_the_servers_certificate_is_for_this_machine_and_no_client() -> None:
    issued = create_authority(at=NOW).issue_server(at=NOW)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    assert names(certificate).get_values_for_type(x509.DNSName) == ["localhost"]
    assert names(certificate).get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]
    assert names(certificate).get_values_for_type(x509.UniformResourceIdentifier) == []
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_callers_certificate_ends_when_it_was_asked_to() -> None:
    authority = create_authority(at=NOW)
    for days in (1, CALLER_DAYS_MAX):
        issued = authority.issue_caller(CALLER, at=NOW, days=days)
        certificate = x509.load_pem_x509_certificate(issued.certificate)
        assert certificate.not_valid_after_utc == NOW + timedelta(days=days)


def test_the_servers_certificate_is_for_other_hosts_too_when_they_are_named() -> None:
    given = ("identity.example.vn", "10.1.2.3", "localhost")
    issued = create_authority(at=NOW).issue_server(at=NOW, names=given)
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    assert names(certificate).get_values_for_type(x509.DNSName) == [
        "localhost",
        "identity.example.vn",
    ]
    assert ipaddress.ip_address("10.1.2.3") in names(certificate).get_values_for_type(
        x509.IPAddress
    )


def test_the_authority_signs_certificates_and_no_further_authorities() -> None:
    certificate = create_authority(at=NOW).certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert not usage.digital_signature


def test_another_authoritys_certificate_is_not_ours() -> None:
    ours, theirs = create_authority(at=NOW), create_authority(at=NOW)
    issued = x509.load_pem_x509_certificate(theirs.issue_caller(CALLER, at=NOW).certificate)
    with pytest.raises(InvalidSignature):
        issued.verify_directly_issued_by(ours.certificate)


def test_an_authority_is_made_once_and_kept_private(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "certificates"
    first = load_or_create_authority(directory, at=NOW)
    again = load_or_create_authority(directory, at=NOW + timedelta(days=9))
    assert again.certificate == first.certificate
    assert again.private_key.private_numbers() == first.private_key.private_numbers()
    assert stat.S_IMODE((directory / "ca.key.pem").stat().st_mode) == 0o600


def test_an_authority_that_was_cut_off_in_the_making_is_made_anew(tmp_path: Path) -> None:
    cut_off = load_or_create_authority(tmp_path, at=NOW)
    (tmp_path / "ca.crt.pem").unlink()
    made = load_or_create_authority(tmp_path, at=NOW)
    assert made.certificate.public_key() != cut_off.certificate.public_key()
    issued = x509.load_pem_x509_certificate(made.issue_caller(CALLER, at=NOW).certificate)
    issued.verify_directly_issued_by(made.certificate)
    with pytest.raises(InvalidSignature):
        issued.verify_directly_issued_by(cut_off.certificate)
    assert load_or_create_authority(tmp_path, at=NOW).certificate == made.certificate


def test_a_secret_replaces_an_older_one_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"readable by all and longer")
    path.chmod(0o644)
    write_secret(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_a_secrets_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"untouched")
    (tmp_path / "secret").symlink_to(elsewhere)
    write_secret(tmp_path / "secret", b"new")
    assert elsewhere.read_bytes() == b"untouched"
    assert not (tmp_path / "secret").is_symlink()


def test_of_many_first_callers_all_are_issued_by_one_authority(tmp_path: Path) -> None:
    directory = tmp_path / "certificates"
    with ThreadPoolExecutor(8) as threads:
        made = [threads.submit(load_or_create_authority, directory, at=NOW) for _ in range(8)]
    assert len({each.result().certificate_pem for each in made}) == 1
    assert {path.name for path in directory.iterdir()} == {"ca.crt.pem", "ca.key.pem"}


def truncate(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_bytes(b"")


def take_from_another(name: str) -> Callable[[Path], object]:
    def take(directory: Path) -> None:
        load_or_create_authority(directory / "other", at=NOW)
        (directory / "other" / name).replace(directory / name)

    return take


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (truncate("ca.crt.pem"), "ca.crt.pem is not a certificate"),
        (truncate("ca.key.pem"), "ca.key.pem is not a private key"),
        (lambda directory: (directory / "ca.key.pem").unlink(), "ca.key.pem is missing"),
        (take_from_another("ca.key.pem"), "do not belong together"),
        (take_from_another("ca.crt.pem"), "do not belong together"),
    ],
    ids=["empty certificate", "empty key", "no key", "other key", "other certificate"],
)
def test_a_damaged_authority_is_told_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], object], complaint: str
) -> None:
    load_or_create_authority(tmp_path, at=NOW)
    damage(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.pem")}
    with pytest.raises(AuthorityError, match=complaint):
        load_or_create_authority(tmp_path, at=NOW)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.pem")} == before


def test_an_authority_needs_an_elliptic_curve_key(tmp_path: Path) -> None:
    load_or_create_authority(tmp_path, at=NOW)
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    write_secret(tmp_path / "ca.key.pem", other)
    with pytest.raises(AuthorityError, match="elliptic-curve"):
        load_or_create_authority(tmp_path, at=NOW)
