"""`biometrics chip` as a person at a terminal and a program behind a pipe meet it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from biometrics.cli import app
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import NONCE, PERSONAL_ID, Card, make_card

AT = "2026-06-01"
SECRETS = (PERSONAL_ID, "NGUYEN", "Nguyễn", "900101", "01/01/1990")


@pytest.fixture(scope="module")
def card() -> Card:
    return make_card()


@pytest.fixture
def dump(card: Card, tmp_path: Path) -> Path:
    """The good card's files, its authority, its revocation list and its answer."""
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "sod.bin").write_bytes(card.files.sod)
    for number, data in card.data_groups.items():
        (folder / f"dg{number}.bin").write_bytes(data)
    (tmp_path / "csca.der").write_bytes(card.authority.certificate)
    (tmp_path / "list.crl").write_bytes(state.make_crl(card.authority, 7))
    (tmp_path / "answer.bin").write_bytes(card.active.signature)
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["chip", *map(str, arguments)])


@pytest.fixture
def options(tmp_path: Path) -> list[object]:
    """Everything that a pass of the card takes."""
    return [
        "--profile=vn-cccd",
        f"--anchors={tmp_path / 'csca.der'}",
        f"--crl={tmp_path / 'list.crl'}",
        f"--at={AT}",
        f"--nonce={NONCE.hex()}",
        f"--aa-signature={tmp_path / 'answer.bin'}",
    ]


def report_of(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def codes_of(result: Result) -> set[str]:
    return {check["code"] for check in report_of(result)["checks"] if check["code"]}


def test_a_good_card_passes_with_exit_code_0(dump: Path, options: list[object]) -> None:
    result = run(dump, *options, "--json")

    report = report_of(result)
    assert (result.exit_code, report["verdict"]) == (0, "PASS")
    assert {"name", "result", "code", "evidence"} <= set(report["checks"][0])
    assert report["profile"] == "vn-cccd"
    assert len(report["document_digest"]) == 64
    assert codes_of(result) == set()


def test_the_table_names_every_check_and_nobody(dump: Path, options: list[object]) -> None:
    as_json = report_of(run(dump, *options, "--json"))

    result = run(dump, *options)

    assert result.exit_code == 0
    assert result.stdout.startswith("PASS")
    lines = [line.split() for line in result.stdout.splitlines()]
    told = {words[1]: words[-2] for words in lines if words[0] == "│"}
    assert told == {
        check["name"]: "yes" if check["is_binding"] else "no" for check in as_json["checks"]
    }
    assert not [secret for secret in SECRETS if secret in result.output + json.dumps(as_json)]


def test_a_forged_card_fails_with_exit_code_1(dump: Path, options: list[object]) -> None:
    sod = (dump / "sod.bin").read_bytes()
    (dump / "sod.bin").write_bytes(sod[:-1] + bytes([sod[-1] ^ 1]))

    result = run(dump, *options, "--json")

    assert (result.exit_code, report_of(result)["verdict"]) == (1, "FAIL")
    assert codes_of(result) == {"SOD_SIGNATURE_INVALID"}
    assert "SOD_SIGNATURE_INVALID" in run(dump, *options).stdout


@pytest.mark.parametrize(
    ("left_out", "code"),
    [
        (("--crl",), "CRL_MISSING"),
        (("--nonce", "--aa-signature"), "AA_REQUIRED"),
        (("--anchors",), "TRUST_ANCHOR_NOT_FOUND"),
    ],
)
def test_what_nobody_gave_is_reviewed_and_not_passed(
    dump: Path, options: list[object], left_out: tuple[str, ...], code: str
) -> None:
    kept = [option for option in options if not str(option).startswith(left_out)]

    result = run(dump, *kept, "--json")

    assert (result.exit_code, report_of(result)["verdict"]) == (1, "REVIEW")
    assert code in codes_of(result)


def test_whatever_files_are_there_are_examined(dump: Path, options: list[object]) -> None:
    for path in dump.glob("*.bin"):
        if path.name != "dg2.bin":
            path.unlink()
    (dump / "dg2.bin").rename(dump / "DG2.BIN")

    result = run(dump, *options, "--json")

    structure = {c["name"]: c["result"] for c in report_of(result)["checks"]}
    assert result.exit_code == 1
    assert structure["data_group_2_structure"] == "successful"
    assert structure["portrait"] == "aborted"


def test_a_folder_of_anchors_may_hold_lists_of_both_kinds(
    dump: Path, options: list[object], tmp_path: Path
) -> None:
    folder = tmp_path / "trust"
    folder.mkdir()
    (tmp_path / "csca.der").rename(folder / "csca.der")
    (tmp_path / "list.crl").rename(folder / "list.crl")
    (folder / "notes.txt").write_text("not for the command")
    kept = [o for o in options if not str(o).startswith(("--anchors", "--crl"))]

    assert run(dump, *kept, f"--anchors={folder}").exit_code == 0


def test_a_signer_that_the_sod_leaves_out_is_given(
    card: Card, dump: Path, options: list[object], tmp_path: Path
) -> None:
    bare = replace(card.draft(), certificates=()).encode()
    (dump / "sod.bin").write_bytes(bare)
    (tmp_path / "signer.der").write_bytes(card.signer.certificate)

    without = run(dump, *options, "--json")
    result = run(dump, *options, f"--dsc={tmp_path / 'signer.der'}")

    assert codes_of(without) == {"SOD_SIGNER_CERT"}
    assert (without.exit_code, result.exit_code) == (1, 0)


def test_four_nonces_and_their_answers_are_given(
    card: Card, dump: Path, options: list[object], tmp_path: Path
) -> None:
    assert card.chip_key is state.rsa_key(2048, "chip")
    nonces = [bytes([number]) * 8 for number in range(1, 5)]
    given: list[object] = [f"--nonce={b''.join(nonces).hex()}"]
    for at, nonce in enumerate(nonces):
        path = tmp_path / f"answer{at}.bin"
        path.write_bytes(chip.sign_actively(state.rsa_key(2048, "chip"), nonce=nonce))
        given.append(f"--aa-signature={path}")

    kept = [o for o in options if not str(o).startswith(("--nonce", "--aa-signature"))]

    assert run(dump, *kept, *given).exit_code == 0


@pytest.mark.parametrize(("name", "kind"), [("face.png", "PNG"), ("face.jpg", "JPEG")])
def test_the_decoded_portrait_is_written(
    dump: Path, options: list[object], tmp_path: Path, name: str, kind: str
) -> None:
    result = run(dump, *options, f"--portrait={tmp_path / name}")

    assert result.exit_code == 0
    with Image.open(tmp_path / name) as opened:
        assert (opened.format, opened.size) == (kind, (96, 128))


def test_a_portrait_nobody_signed_is_not_written(
    dump: Path, options: list[object], tmp_path: Path
) -> None:
    (dump / "dg2.bin").write_bytes(chip.make_dg2(chip.picture("JPEG", 64, 64)))

    result = run(dump, *options, f"--portrait={tmp_path / 'face.png'}")

    assert result.exit_code == 1
    assert result.stderr.startswith("no portrait was written: the checks portrait and")
    assert not (tmp_path / "face.png").exists()


def bad_input(dump: Path, tmp_path: Path, case: str) -> tuple[list[object], str]:
    broken = tmp_path / "broken.der"
    broken.write_bytes(b"\x30\x03abc")
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: dict[str, tuple[list[object], str]] = {
        "no folder": ([tmp_path / "nowhere"], "DUMP_UNREADABLE"),
        "a file": ([tmp_path / "csca.der"], "DUMP_UNREADABLE"),
        "an empty folder": ([empty], "DUMP_EMPTY"),
        "an unknown profile": ([dump, "--profile=vn-cmnd"], "PROFILE_UNKNOWN"),
        "broken anchors": ([dump, f"--anchors={broken}"], "ANCHORS_UNUSABLE"),
        "no anchors in the folder": ([dump, f"--anchors={empty}"], "ANCHORS_UNUSABLE"),
        "anchors that are not there": ([dump, "--anchors=/nowhere"], "FILE_UNREADABLE"),
        "a broken pin": ([dump, f"--pin={broken}"], "ANCHORS_UNUSABLE"),
        "a broken signer": ([dump, f"--dsc={broken}"], "DSC_UNUSABLE"),
        "a broken list": ([dump, f"--crl={broken}"], "CRL_UNUSABLE"),
        "no date": ([dump, "--at=yesterday"], "DATE_MALFORMED"),
        "a day before all days": ([dump, "--at=0001-01-01T00:00+14:00"], "DATE_MALFORMED"),
        "a short nonce": ([dump, "--nonce=0123", f"--aa-signature={broken}"], "NONCE_MALFORMED"),
        "no hexadecimal": ([dump, "--nonce=xy", f"--aa-signature={broken}"], "NONCE_MALFORMED"),
        "a nonce without an answer": ([dump, f"--nonce={NONCE.hex()}"], "NONCE_INCOMPLETE"),
        "an answer without a nonce": ([dump, f"--aa-signature={broken}"], "NONCE_INCOMPLETE"),
    }
    return cases[case]


CASES = (
    "no folder",
    "a file",
    "an empty folder",
    "an unknown profile",
    "broken anchors",
    "no anchors in the folder",
    "anchors that are not there",
    "a broken pin",
    "a broken signer",
    "a broken list",
    "no date",
    "a day before all days",
    "a short nonce",
    "no hexadecimal",
    "a nonce without an answer",
    "an answer without a nonce",
)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_input_is_one_coded_line_and_exit_code_2(
    dump: Path, tmp_path: Path, case: str
) -> None:
    arguments, code = bad_input(dump, tmp_path, case)

    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"{code}: ")
    assert "ParseError" not in result.stderr


def test_a_broken_file_is_named(dump: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ml"
    broken.write_bytes(b"no list")
    for option in ("pin", "dsc", "crl", "anchors"):
        assert str(broken) in run(dump, f"--{option}={broken}").stderr
    assert str(broken) in run(dump, f"--anchors={tmp_path}").stderr


def test_an_instant_is_judged_and_told_in_utc(dump: Path) -> None:
    as_json = run(dump, "--at=2026-06-01T01:30+07:00", "--json")

    assert report_of(as_json)["at"] == "2026-05-31T18:30:00+00:00"
    assert "at 2026-05-31 18:30 UTC" in run(dump, "--at=2026-06-01T01:30+07:00").stdout


def test_a_portrait_that_cannot_be_written_is_a_bad_input(
    dump: Path, options: list[object], tmp_path: Path
) -> None:
    result = run(dump, *options, f"--portrait={tmp_path / 'no' / 'face.png'}")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("PORTRAIT_UNWRITABLE: ")


def test_a_file_too_large_to_be_one_of_a_chip_is_refused(dump: Path) -> None:
    (dump / "dg2.bin").write_bytes(bytes(1024 * 1024 + 1))

    result = run(dump)

    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "FILE_TOO_LARGE")


@pytest.mark.parametrize("name", ["DG1.bin", "dg01.bin"])
def test_two_files_of_one_name_are_refused(dump: Path, name: str) -> None:
    (dump / name).write_bytes(b"")

    result = run(dump)

    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "DUMP_AMBIGUOUS")


def test_the_dutch_list_alone_is_anchors_enough(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "chip"
    (tmp_path / "sod.bin").write_bytes((folder / "sod" / "FI_e66f75f1.sod.bin").read_bytes())
    dutch = folder / "master_lists" / "NL_ML_2026-07-22.ml"

    result = run(tmp_path, f"--anchors={dutch}", "--at=2026-11-21", "--json")

    by_name = {check["name"]: check["result"] for check in report_of(result)["checks"]}
    assert by_name["certificate_chain"] == by_name["validity"] == "successful"
    assert by_name["issuer_country"] == "successful"
