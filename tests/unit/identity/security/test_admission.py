"""Who is let in, by certificates as they are now: revoked, ended, of an authority that may not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding

from identity.domain.caller import Caller, Role
from identity.domain.errors import CallerUnknownError, CertificateRefusedError
from identity.security.admission import RENEWED_AFTER, Admission
from identity.security.certificates import (
    AuthorityError,
    Identity,
    create_authority,
    load_or_create_authority,
    write_public,
    write_secret,
)
from identity.security.external_authorities import AuthoritiesError, read_authorities
from identity.security.issued import RecordError, read_record, revoke
from identity.security.local_authority import (
    RotationError,
    begin_rotation,
    end_rotation,
    issue_recorded,
    known_authorities,
    read_local_authority,
)
from identity.state_directory import ForeignFileError, locked
from tests.integration.outside import DAY, OutsideAuthority

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""SEC 2, 2.4.2."""

WAIT_S = 60.0
"""Whoever waits for a lock that is held waits for longer."""

TAX = Caller(Role.AGENCY, "tax")
VIETTEL = Caller(Role.OPERATOR, "viettel")


class Time:
    """Real time, which passes when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """What time it is."""
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def admission(tmp_path: Path, time: Time) -> Admission:
    return Admission(tmp_path, now=time, server_names=("identity.example.vn",))


def der(identity: Identity) -> bytes:
    return x509.load_pem_x509_certificate(identity.certificate).public_bytes(Encoding.DER)


def issued(state: Path, caller: Caller = TAX, *, days: int = 30, at: datetime = NOW) -> bytes:
    return der(issue_recorded(state / "certificates", caller, at=at, days=days)[0])


def trust(state: Path, authority: OutsideAuthority, says: str, *, crl: bytes = b"") -> None:
    folder = state / "authorities"
    folder.mkdir(exist_ok=True)
    write_public(folder / "ministry.pem", authority.pem)
    write_public(folder / "ministry.crl", crl)
    text = f'[ministry]\ncertificate = "ministry.pem"\n{says}\n'
    write_public(folder / "authorities.toml", text.encode())


def refused(admission: Admission, certificate: bytes, says: str) -> None:
    with pytest.raises(CertificateRefusedError, match=says):
        admission.admit(certificate)


def test_a_caller_of_the_local_authority_is_let_in(admission: Admission, tmp_path: Path) -> None:
    assert admission.admit(issued(tmp_path)) == TAX
    assert admission.admit(issued(tmp_path, VIETTEL)) == VIETTEL


def test_a_certificate_is_revoked_at_once_and_no_other_is(
    admission: Admission, tmp_path: Path
) -> None:
    lost, kept = issued(tmp_path), issued(tmp_path)
    assert admission.admit(lost) == TAX
    serial = f"{x509.load_der_x509_certificate(lost).serial_number:x}"
    (gone,) = revoke(tmp_path / "certificates", lambda each: each.serial == serial, at=NOW)
    assert (gone.caller, gone.revoked_at) == ("agency:tax", NOW)
    refused(admission, lost, "revoked")
    assert admission.admit(kept) == TAX
    assert revoke(tmp_path / "certificates", lambda each: each.serial == serial, at=NOW) == ()


def test_a_revoked_certificate_does_not_come_back_with_its_signature_turned(
    admission: Admission, tmp_path: Path
) -> None:
    """Of (r, s) anybody makes (r, n - s), which is as good: the same key, other bytes."""
    lost = issued(tmp_path)
    turned = with_turned_signature(lost)
    assert turned != lost
    assert admission.admit(turned) == TAX
    serial = f"{x509.load_der_x509_certificate(lost).serial_number:x}"
    revoke(tmp_path / "certificates", lambda each: each.serial == serial, at=NOW)
    refused(admission, lost, "revoked")
    refused(admission, turned, "revoked")


def with_turned_signature(certificate: bytes) -> bytes:
    read = asn1_x509.Certificate.load(certificate)
    r, s = decode_dss_signature(read["signature_value"].native)
    read["signature_value"] = encode_dss_signature(r, ORDER_OF_P256 - s)
    return bytes(read.dump(force=True))


def test_a_certificate_ends_while_its_connection_stays(
    admission: Admission, tmp_path: Path, time: Time
) -> None:
    certificate = issued(tmp_path, days=1)
    time.now = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert admission.admit(certificate) == TAX
    time.now = NOW + timedelta(days=1)
    refused(admission, certificate, "ended")


def test_a_certificate_by_nobody_we_know_is_refused(admission: Admission) -> None:
    refused(admission, der(create_authority(at=NOW).issue_caller(TAX, at=NOW)), "no authority")


def test_a_servers_certificate_names_no_caller(admission: Admission, tmp_path: Path) -> None:
    authority = load_or_create_authority(tmp_path / "certificates", at=NOW)
    with pytest.raises(CallerUnknownError):
        admission.admit(der(authority.issue_server(at=NOW)))


def test_another_authority_names_the_callers_that_it_may_and_no_other(
    admission: Admission, tmp_path: Path
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    of_the_same_role = Caller(Role.AGENCY, "police")
    agency, police, operator = (
        der(ministry.issue(each, at=NOW)) for each in (TAX, of_the_same_role, VIETTEL)
    )
    refused(admission, agency, "no authority")
    trust(tmp_path, ministry, 'callers = ["agency:tax"]')
    assert admission.admit(agency) == TAX
    refused(admission, police, "may not name the caller agency:police")
    refused(admission, operator, "may not name the caller operator:viettel")
    assert ministry.pem in admission.handshake().authorities
    (tmp_path / "authorities" / "authorities.toml").unlink()
    refused(admission, agency, "no authority")
    assert ministry.pem not in admission.handshake().authorities


def test_what_another_authority_revokes_is_refused(admission: Admission, tmp_path: Path) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    good, lost = (der(ministry.issue(TAX, at=NOW)) for _ in range(2))
    says = 'callers = ["agency:tax"]\nrevocation_list = "ministry.crl"'
    trust(tmp_path, ministry, says, crl=ministry.revocation_list(at=NOW))
    assert admission.admit(lost) == TAX
    ministry.revoked.append(x509.load_der_x509_certificate(lost).serial_number)
    trust(tmp_path, ministry, says, crl=ministry.revocation_list(at=NOW))
    refused(admission, lost, "revoked by its authority")
    assert admission.admit(good) == TAX


def test_a_revocation_list_that_is_out_of_date_lets_nobody_in(
    admission: Admission, tmp_path: Path, time: Time
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    certificate = der(ministry.issue(TAX, at=NOW))
    crl = ministry.revocation_list(at=NOW, good_for=DAY / 2)
    trust(tmp_path, ministry, 'callers = ["agency:tax"]\nrevocation_list = "ministry.crl"', crl=crl)
    assert admission.admit(certificate) == TAX
    time.now = NOW + DAY / 2
    refused(admission, certificate, "out of date")


def test_an_authority_that_has_ended_is_believed_no_more(
    admission: Admission, tmp_path: Path
) -> None:
    ended = OutsideAuthority.founded(at=NOW - DAY, days=1)
    trust(tmp_path, ended, 'callers = ["agency:tax"]')
    certificate = der(ended.issue(TAX, at=NOW))
    refused(admission, certificate, "no authority")


@pytest.mark.parametrize("says", ["", "callers = []"])
def test_an_authority_without_a_list_names_nobody(
    admission: Admission, tmp_path: Path, says: str
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    trust(tmp_path, ministry, says)
    refused(admission, der(ministry.issue(TAX, at=NOW)), "may not name the caller agency:tax")


def test_a_certificate_by_an_intermediate_authority_is_refused(
    admission: Admission, tmp_path: Path
) -> None:
    root = OutsideAuthority.founded(at=NOW, path_length=1)
    between = root.with_intermediate(at=NOW)
    certificate = der(between.issue(TAX, at=NOW))
    trust(tmp_path, root, 'callers = ["agency:tax"]')
    refused(admission, certificate, "no authority that is believed now has signed .* directly")
    trust(tmp_path, between, 'callers = ["agency:tax"]')
    assert admission.admit(certificate) == TAX


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ("callers = 1", "list of ROLE:NAME"),
        ('callers = "agency:tax"', "list of ROLE:NAME"),
        ('callers = ["king:tax"]', "'king:tax' is no ROLE:NAME"),
        ('callers = ["agency"]', "'agency' is no ROLE:NAME"),
        ('callers = ["agency:*"]', "is no ROLE:NAME"),
        ('callers = ["agency:tax:post"]', "is no ROLE:NAME"),
        ('callers = ["agency:tax", 1]', "1 is no ROLE:NAME"),
        ('roles = ["agency"]', "certificate, callers"),
        ('callers = ["agency:tax"]\nother = 1', "certificate, callers"),
        ('callers = ["agency:tax"]\nrevocation_list = "../x"', "same directory"),
        (
            'callers = ["agency:tax"]\nrevocation_list = "none"',
            "revocation_list of ministry cannot be",
        ),
        ('callers = ["agency:tax"]\nrevocation_list = "ministry.pem"', "is none"),
        ('callers = ["agency:tax"]\nrevocation_list = "ministry.crl"', "somebody else"),
        ("callers = [", "cannot be read"),
    ],
)
def test_authorities_that_are_not_said_rightly_are_refused_whole(
    tmp_path: Path, says: str, error: str
) -> None:
    other = OutsideAuthority.founded(at=NOW)
    trust(tmp_path, OutsideAuthority.founded(at=NOW), says, crl=other.revocation_list(at=NOW))
    with pytest.raises(AuthoritiesError, match=error):
        read_authorities(tmp_path / "authorities")


@pytest.mark.parametrize("name", ["authorities.toml", "ministry.pem", "ministry.crl"])
def test_authorities_that_somebody_else_could_have_written_are_refused(
    tmp_path: Path, name: str
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    says = 'callers = ["agency:tax"]\nrevocation_list = "ministry.crl"'
    trust(tmp_path, ministry, says, crl=ministry.revocation_list(at=NOW))
    folder = tmp_path / "authorities"
    assert len(read_authorities(folder)) == 1
    (folder / name).chmod(0o666)
    with pytest.raises(ForeignFileError, match=f"{name} can be written by others"):
        read_authorities(folder)


@pytest.mark.parametrize(
    "extension",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=True,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        ),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    ],
)
def test_a_revocation_list_with_a_critical_word_that_we_do_not_know_is_refused(
    tmp_path: Path, extension: x509.ExtensionType
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    says = 'callers = ["agency:tax"]\nrevocation_list = "ministry.crl"'
    for is_critical in (False, True):
        crl = ministry.revocation_list(at=NOW, extension=(extension, is_critical))
        trust(tmp_path, ministry, says, crl=crl)
        if not is_critical:
            assert len(read_authorities(tmp_path / "authorities")) == 1
            continue
        with pytest.raises(AuthoritiesError, match="not the whole"):
            read_authorities(tmp_path / "authorities")


def test_a_callers_certificate_is_no_authority(tmp_path: Path) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    write_public(folder / "a.pem", create_authority(at=NOW).issue_caller(TAX, at=NOW).certificate)
    (folder / "authorities.toml").write_text('[a]\ncertificate = "a.pem"')
    with pytest.raises(AuthoritiesError, match="no authority's"):
        read_authorities(folder)


def test_broken_files_leave_in_force_what_was_said_before(
    admission: Admission, tmp_path: Path
) -> None:
    ministry = OutsideAuthority.founded(at=NOW)
    trust(tmp_path, ministry, 'callers = ["agency:tax"]')
    certificate = der(ministry.issue(TAX, at=NOW))
    assert admission.admit(certificate) == TAX
    trust(tmp_path, ministry, "callers = [")
    assert admission.admit(certificate) == TAX


def test_nobody_waits_for_whoever_holds_the_directory(admission: Admission, tmp_path: Path) -> None:
    folder, certificate = tmp_path / "certificates", issued(tmp_path)
    revoke(folder, lambda _: True, at=NOW)
    with ThreadPoolExecutor(max_workers=1) as thread, locked(folder):
        asked = thread.submit(refused, admission, certificate, "revoked")
        asked.result(timeout=WAIT_S)
        assert thread.submit(admission.handshake).result(timeout=WAIT_S).authorities


def test_what_was_read_before_stays_in_force_in_the_middle_of_a_rotation(
    admission: Admission, tmp_path: Path
) -> None:
    folder, certificate = tmp_path / "certificates", issued(tmp_path)
    former, made = load_or_create_authority(folder, at=NOW), create_authority(at=NOW)
    by_new = der(made.issue_caller(VIETTEL, at=NOW))
    for write, name, content in (
        (write_secret, "former-ca.key.pem", former.private_key_pem),
        (write_public, "former-ca.crt.pem", former.certificate_pem),
        (write_secret, "ca.key.pem", made.private_key_pem),
    ):
        write(folder / name, content)
        assert admission.admit(certificate) == TAX
        refused(admission, by_new, "no authority")
    write_public(folder / "ca.crt.pem", made.certificate_pem)
    assert (admission.admit(certificate), admission.admit(by_new)) == (TAX, VIETTEL)


def test_both_authorities_are_believed_during_a_rotation_and_one_after(
    admission: Admission, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    old = issued(tmp_path)
    before = admission.handshake()
    begin_rotation(folder, at=NOW)
    new = issued(tmp_path, VIETTEL)
    assert (admission.admit(old), admission.admit(new)) == (TAX, VIETTEL)
    during = admission.handshake()
    assert during.identity == before.identity  # callers who know the former alone connect
    assert during.authorities.count(b"BEGIN") == 2
    with pytest.raises(RotationError, match="under way"):
        begin_rotation(folder, at=NOW)
    with pytest.raises(RotationError, match="agency:tax"):
        end_rotation(folder, at=NOW)
    renewed = issued(tmp_path)
    end_rotation(folder, at=NOW)
    refused(admission, old, "no authority")
    assert admission.admit(renewed) == TAX
    after = admission.handshake()
    authority = read_local_authority(folder).current.certificate
    x509.load_pem_x509_certificate(after.identity.certificate).verify_directly_issued_by(authority)
    assert not (folder / "former-ca.key.pem").exists()
    assert len(known_authorities(folder)) == 2  # what old callers signed can be checked
    with pytest.raises(RotationError, match="no rotation"):
        end_rotation(folder, at=NOW)


def test_a_rotation_can_be_forced_to_its_end(admission: Admission, tmp_path: Path) -> None:
    old = issued(tmp_path)
    begin_rotation(tmp_path / "certificates", at=NOW)
    end_rotation(tmp_path / "certificates", at=NOW, is_forced=True)
    refused(admission, old, "no authority")


def test_the_server_renews_its_own_certificate_before_it_ends(
    admission: Admission, time: Time
) -> None:
    first = admission.handshake()
    time.now = NOW + RENEWED_AFTER - timedelta(seconds=1)
    assert admission.handshake() == first
    time.now = NOW + RENEWED_AFTER
    second = x509.load_pem_x509_certificate(admission.handshake().identity.certificate)
    assert second.not_valid_after_utc > time.now + timedelta(days=20)
    names = second.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "identity.example.vn"]


def test_a_servers_certificate_that_is_given_is_shown(admission: Admission, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    given = create_authority(at=NOW).issue_server(at=NOW)
    write_secret(folder / "server.key.pem", given.private_key)
    write_public(folder / "server.crt.pem", given.certificate)
    assert admission.handshake().identity.certificate == given.certificate
    write_secret(folder / "server.key.pem", b"damaged")
    assert admission.handshake().identity.certificate == given.certificate


def test_a_servers_key_of_another_certificate_stops_the_start(tmp_path: Path) -> None:
    load_or_create_authority(tmp_path / "certificates", at=NOW)
    one, two = (create_authority(at=NOW).issue_server(at=NOW) for _ in range(2))
    write_public(tmp_path / "certificates" / "server.crt.pem", one.certificate)
    write_secret(tmp_path / "certificates" / "server.key.pem", two.private_key)
    with pytest.raises(AuthorityError, match="do not belong together"):
        Admission(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"certificates": [{}]}', '{"certificates": 1}', "[" * 100_000],
    ids=["nothing", "no JSON", "no object", "no entry", "no list", "nested without an end"],
)
def test_a_damaged_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "callers.json").write_text(text)
    with pytest.raises(RecordError):
        read_record(tmp_path)


def test_an_entry_is_kept_long_after_its_certificate(tmp_path: Path) -> None:
    issued(tmp_path, days=1)
    for days, kept in ((400, 2), (402, 2)):
        issued(tmp_path, days=1, at=NOW + timedelta(days=days))
        assert len(read_record(tmp_path / "certificates")) == kept
