"""The verdict is a pure function of the checks and the policy."""

from itertools import permutations

import pytest

from biometrics.chip.codes import ChipError
from biometrics.chip.report import (
    Check,
    Checklist,
    CheckResult,
    ChipCode,
    ChipReport,
    ChipVerdict,
    decide,
)
from biometrics.chip.trust import TrustPolicy

POLICY = TrustPolicy()
STRICT = TrustPolicy(require_revocation=True)


def check(result: CheckResult, code: ChipCode | None = None, *, is_binding: bool = True) -> Check:
    return Check(name="x", result=result, code=code, is_binding=is_binding)


GOOD = check(CheckResult.SUCCESSFUL)
BAD = check(CheckResult.FAILED, ChipCode.DG_HASH_MISMATCH)


@pytest.mark.parametrize("result", set(CheckResult) - {CheckResult.SUCCESSFUL, CheckResult.FAILED})
def test_anything_but_success_withholds_the_verdict(result: CheckResult) -> None:
    assert decide([GOOD, check(result)], POLICY) is ChipVerdict.UNDETERMINED


def test_all_successful_is_authentic() -> None:
    assert decide([GOOD, GOOD], POLICY) is ChipVerdict.AUTHENTIC


def test_nothing_checked_is_undetermined() -> None:
    assert decide([], POLICY) is ChipVerdict.UNDETERMINED
    assert decide([check(CheckResult.SUCCESSFUL, is_binding=False)], POLICY) is (
        ChipVerdict.UNDETERMINED
    )


def test_one_failure_decides_in_any_order() -> None:
    checks = [GOOD, BAD, check(CheckResult.UNDETERMINED), check(CheckResult.ABORTED)]

    verdicts = {decide(order, POLICY) for order in permutations(checks)}

    assert verdicts == {ChipVerdict.NOT_AUTHENTIC}


def test_a_check_that_does_not_bind_decides_nothing() -> None:
    idle = check(CheckResult.FAILED, ChipCode.PIN_STRUCTURE_WARNING, is_binding=False)

    assert decide([GOOD, idle], STRICT) is ChipVerdict.AUTHENTIC


def test_a_missing_revocation_list_binds_by_policy() -> None:
    missing = check(CheckResult.UNDETERMINED, ChipCode.CRL_MISSING)

    assert decide([GOOD, missing], POLICY) is ChipVerdict.AUTHENTIC
    assert decide([GOOD, missing], STRICT) is ChipVerdict.UNDETERMINED


@pytest.mark.parametrize("code", [ChipCode.CRL_STALE, ChipCode.CRL_SIGNATURE_INVALID])
def test_a_revocation_list_that_is_no_use_always_binds(code: ChipCode) -> None:
    assert decide([GOOD, check(CheckResult.UNDETERMINED, code)], POLICY) is (
        ChipVerdict.UNDETERMINED
    )


def test_a_report_decides_by_its_own_policy() -> None:
    missing = check(CheckResult.UNDETERMINED, ChipCode.CRL_MISSING)

    assert ChipReport(checks=(GOOD, missing), policy=POLICY).verdict is ChipVerdict.AUTHENTIC
    assert ChipReport(checks=(GOOD, missing), policy=STRICT).verdict is ChipVerdict.UNDETERMINED
    assert ChipReport(checks=(GOOD, missing), policy=STRICT).codes == {ChipCode.CRL_MISSING}


def test_a_checklist_writes_down_how_each_step_ended() -> None:
    checklist = Checklist()

    def refuse(_: str) -> str:
        raise ChipError(ChipCode.SOD_TAG, "tag 78", result=CheckResult.UNDETERMINED)

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
