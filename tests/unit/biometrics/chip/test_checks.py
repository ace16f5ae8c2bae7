"""Every check leaves a line, whatever becomes of it."""

from biometrics.chip.checks import Check, Checklist, not_supported
from biometrics.chip.codes import CheckResult, ChipCode, ChipError


def refuse(_: str) -> str:
    raise ChipError(ChipCode.SOD_TAG, "tag 78", result=CheckResult.UNDETERMINED)


def test_a_checklist_writes_down_how_each_step_ended() -> None:
    checklist = Checklist()

    found = checklist.run("good", str.upper, "text")
    refused = checklist.run("bad", refuse, "text")
    skipped = checklist.run("after", str.upper, refused, is_binding=False)

    assert (found, refused, skipped) == ("TEXT", None, None)
    assert checklist.checks == (
        Check(name="good", result=CheckResult.SUCCESSFUL, evidence="TEXT"),
        Check(
            name="bad",
            result=CheckResult.UNDETERMINED,
            code=ChipCode.SOD_TAG,
            evidence="tag 78",
        ),
        Check(name="after", result=CheckResult.ABORTED, is_binding=False),
    )
    assert checklist.result_of("bad") is CheckResult.UNDETERMINED
    assert checklist.result_of("never made") is None


def test_a_finding_that_is_no_text_is_described() -> None:
    checklist = Checklist()

    checklist.run("count", len, "text", describe=lambda octets: f"{octets} letters")
    checklist.run("silent", len, "text")

    assert [check.evidence for check in checklist.checks] == ["4 letters", ""]


def test_what_is_not_there_is_said_and_does_not_bind() -> None:
    check = not_supported("chip_authentication", "not run", code=ChipCode.CA_REQUIRED)

    assert (check.result, check.code, check.is_binding) == (
        CheckResult.NOT_SUPPORTED,
        ChipCode.CA_REQUIRED,
        False,
    )
