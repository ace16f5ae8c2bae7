"""What `biometrics chip` is given: files and words turned into what the library takes.

Owns which file of a folder is what, and one coded line for each input that cannot be used. Judges
nothing: a broken EF.SOD is evidence and goes to the library, a broken `--crl` is a mistake of the
caller's.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from biometrics.chip.active import EXCHANGES, NONCE_OCTETS
from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.files import ActiveEvidence, ChipFiles
from biometrics.chip.profiles import ProfileName, import_master_list, make_profile
from biometrics.chip.revocation_list import read_revocation_list
from biometrics.chip.trust import TrustProfile, split_pem

DUMP_FILE_OCTETS_MAX = 1024 * 1024
"""Four times the largest file the library accepts, which so says itself what is too large."""
TRUST_FILE_OCTETS_MAX = 16 * 1024 * 1024
"""The Dutch master list has 0.6 MB, the German one 0.9 MB."""

CERTIFICATE_SUFFIXES = frozenset({".cer", ".crt", ".der", ".pem"})
_DATA_GROUP = re.compile(r"dg(?P<number>[0-9]{1,2})\.bin")
_SOD = -1
"""Stands for EF.SOD among the numbers of data groups."""
_NONCES_OCTETS = tuple(NONCE_OCTETS * count for count in EXCHANGES)


class InputCode(StrEnum):
    """What is wrong with what the command was given."""

    DUMP_UNREADABLE = "DUMP_UNREADABLE"
    DUMP_EMPTY = "DUMP_EMPTY"
    DUMP_AMBIGUOUS = "DUMP_AMBIGUOUS"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    PROFILE_UNKNOWN = "PROFILE_UNKNOWN"
    ANCHORS_UNUSABLE = "ANCHORS_UNUSABLE"
    DSC_UNUSABLE = "DSC_UNUSABLE"
    CRL_UNUSABLE = "CRL_UNUSABLE"
    DATE_MALFORMED = "DATE_MALFORMED"
    NONCE_MALFORMED = "NONCE_MALFORMED"
    NONCE_INCOMPLETE = "NONCE_INCOMPLETE"
    PORTRAIT_UNWRITABLE = "PORTRAIT_UNWRITABLE"


class InputError(Exception):
    """An input that cannot be used.

    Args:
        code: Which, and why.
        message: One line for the caller.
    """

    def __init__(self, code: InputCode, message: str) -> None:
        super().__init__(f"{code}: {' '.join(message.split())}")
        self.code = code


def read_dump(directory: Path) -> ChipFiles:
    """Return the files of a dump, whichever are there.

    Raises:
        InputError: DUMP_*, FILE_*.
    """
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(InputCode.DUMP_UNREADABLE, f"{directory}: {error.strerror}") from error
    found: dict[int, Path] = {}
    for path in entries:
        number = _number_of(path)
        if number in found:
            raise InputError(InputCode.DUMP_AMBIGUOUS, f"{found[number]} and {path}")
        if number is not None:
            found[number] = path
    if not found:
        raise InputError(InputCode.DUMP_EMPTY, f"{directory}: neither sod.bin nor dg*.bin")
    contents = {number: _read(path, at_most=DUMP_FILE_OCTETS_MAX) for number, path in found.items()}
    sod = contents.pop(_SOD, b"")
    return ChipFiles(sod=sod, data_groups=contents, is_dump=True)


def _number_of(path: Path) -> int | None:
    """Return the number of the data group a file holds, _SOD for EF.SOD, None for neither."""
    name = path.name.lower()
    if name == "sod.bin":
        return _SOD
    match = _DATA_GROUP.fullmatch(name)
    return int(match["number"]) if match else None


def read_instant(text: str | None) -> datetime:
    """Return the instant of `--at`, in UTC, where a day begins at midnight; None is now.

    Raises:
        InputError: DATE_MALFORMED.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(
            InputCode.DATE_MALFORMED, f"{text!r} is no day, YYYY-MM-DD, and no instant"
        ) from error


def read_evidence(nonce: str | None, signatures: Sequence[Path]) -> ActiveEvidence | None:
    """Return the chip's answer, None when neither nonce nor answer is given.

    Raises:
        InputError: NONCE_*, FILE_*.
    """
    if nonce is None and not signatures:
        return None
    if nonce is None or not signatures:
        raise InputError(InputCode.NONCE_INCOMPLETE, "--nonce and --aa-signature go together")
    try:
        octets = bytes.fromhex(nonce)
    except ValueError as error:
        raise InputError(InputCode.NONCE_MALFORMED, "the nonce is not hexadecimal") from error
    if len(octets) not in _NONCES_OCTETS:
        raise InputError(InputCode.NONCE_MALFORMED, f"{len(octets)} octets are not 8 or 32")
    answers = [_read(path, at_most=DUMP_FILE_OCTETS_MAX) for path in signatures]
    return ActiveEvidence(nonce=octets, signature=b"".join(answers))


def read_trust(
    name: str,
    *,
    anchors: Path | None,
    pins: Iterable[Path],
    signers: Iterable[Path],
    crls: Iterable[Path],
) -> TrustProfile:
    """Return the named profile with what the caller trusts.

    Args:
        name: One of the named profiles.
        anchors: A certificate, a master list, or a folder of certificates, revocation lists
            (`*.crl`) and master lists (`*.ml`); a list in a folder may be pinned by a certificate
            beside it.
        pins: Authorities that may stand behind a master list.
        signers: Document signers that a SOD leaves out.
        crls: Revocation lists.

    Raises:
        InputError: PROFILE_UNKNOWN, ANCHORS_UNUSABLE, DSC_UNUSABLE, CRL_UNUSABLE, FILE_*.
    """
    if name not in set(ProfileName):
        raise InputError(InputCode.PROFILE_UNKNOWN, f"{name!r}; there are {', '.join(ProfileName)}")
    certificates, lists, found_crls = _sort(anchors)
    pinned = [_check_certificate(path, InputCode.ANCHORS_UNUSABLE) for path in pins]
    kept_signers = [_check_certificate(path, InputCode.DSC_UNUSABLE) for path in signers]
    kept_crls = [_check(path, InputCode.CRL_UNUSABLE, read_revocation_list) for path in found_crls]
    kept_crls += [_check(path, InputCode.CRL_UNUSABLE, read_revocation_list) for path in crls]
    profile = make_profile(name, certificates=certificates, crls=kept_crls)
    for path, data in lists:
        # A list is taken in today, whatever instant the document is judged at.
        try:
            profile = import_master_list(
                profile, data, pinned=(*pinned, *certificates), at=datetime.now(UTC)
            )
        except (ValueError, ChipError) as error:
            raise InputError(InputCode.ANCHORS_UNUSABLE, f"{path}: {error}") from error
    return profile.with_document_signers(kept_signers)


def _sort(anchors: Path | None) -> tuple[list[bytes], list[tuple[Path, bytes]], list[Path]]:
    """Return certificates, master lists with their paths, and paths of revocation lists."""
    if anchors is None:
        return [], [], []
    if not anchors.is_dir():
        data = _read_trusted(anchors, InputCode.ANCHORS_UNUSABLE)
        return ([data], [], []) if _is_certificate(data) else ([], [(anchors, data)], [])
    paths = sorted(path for path in anchors.iterdir() if path.is_file())
    of_kind = {
        kind: [path for path in paths if path.suffix.lower() in suffixes]
        for kind, suffixes in (
            ("certificates", CERTIFICATE_SUFFIXES),
            ("lists", {".ml"}),
            ("crls", {".crl"}),
        )
    }
    if not of_kind["certificates"] and not of_kind["lists"]:
        raise InputError(
            InputCode.ANCHORS_UNUSABLE, f"{anchors}: no *.der, *.cer, *.crt, *.pem or *.ml"
        )
    certificates = [
        _check_certificate(path, InputCode.ANCHORS_UNUSABLE) for path in of_kind["certificates"]
    ]
    lists = [(path, _read_trusted(path, InputCode.ANCHORS_UNUSABLE)) for path in of_kind["lists"]]
    return certificates, lists, of_kind["crls"]


def _is_certificate(data: bytes) -> bool:
    try:
        return all(read_certificate(der) for der in split_pem([data]))
    except ValueError:
        return False


def _check_certificate(path: Path, code: InputCode) -> bytes:
    return _check(path, code, read_certificate)


def _check(path: Path, code: InputCode, read: Callable[[bytes], object]) -> bytes:
    """Say which file is broken: from all together nobody could tell."""
    data = _read_trusted(path, code)
    try:
        for der in split_pem([data]):
            read(der)
    except ValueError as error:
        raise InputError(code, f"{path}: {error}") from error
    return data


def _read_trusted(path: Path, code: InputCode) -> bytes:
    data = _read(path, at_most=TRUST_FILE_OCTETS_MAX)
    if not data:
        raise InputError(code, f"{path}: empty")
    return data


def _read(path: Path, *, at_most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise InputError(InputCode.FILE_UNREADABLE, f"{path}: {error.strerror}") from error
    if len(data) > at_most:
        raise InputError(InputCode.FILE_TOO_LARGE, f"{path}: more than {at_most} octets")
    return data
