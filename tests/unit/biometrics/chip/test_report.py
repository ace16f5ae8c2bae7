"""A report decides by its own policy and shows every code."""

from biometrics.chip.policy import TrustPolicy
from biometrics.chip.report import Check, CheckResult, ChipCode, ChipReport, ChipVerdict

GOOD = Check(name="x", result=CheckResult.SUCCESSFUL)
MISSING = Check(name="x", result=CheckResult.UNDETERMINED, code=ChipCode.CRL_MISSING)


def test_a_report_decides_by_its_own_policy() -> None:
    checks = (GOOD, MISSING)
    strict = ChipReport(checks=checks, policy=TrustPolicy(require_revocation=True))

    assert ChipReport(checks=checks, policy=TrustPolicy()).verdict is ChipVerdict.AUTHENTIC
    assert strict.verdict is ChipVerdict.UNDETERMINED
    assert strict.codes == {ChipCode.CRL_MISSING}
