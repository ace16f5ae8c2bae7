"""The verdict is a pure function of the checks and the policy, and each named policy is strict."""

from dataclasses import replace
from itertools import permutations

import pytest

from biometrics.chip.checks import Check
from biometrics.chip.codes import CheckResult, ChipCode
from biometrics.chip.policy import (
    ICAO,
    VN_CARD,
    VN_PASSPORT,
    ChipVerdict,
    Quirk,
    TrustPolicy,
    decide,
)

POLICY = TrustPolicy()
STRICT = TrustPolicy(require_revocation=True)


def check(
    result: CheckResult,
    code: ChipCode | None = None,
    *,
    name: str = "x",
    is_binding: bool = True,
) -> Check:
    return Check(name=name, result=result, code=code, is_binding=is_binding)


GOOD = check(CheckResult.SUCCESSFUL)
BAD = check(CheckResult.FAILED, ChipCode.DG_HASH_MISMATCH)
MISSING = check(CheckResult.UNDETERMINED, ChipCode.CRL_MISSING)


@pytest.mark.parametrize("result", set(CheckResult) - {CheckResult.SUCCESSFUL, CheckResult.FAILED})
def test_anything_but_success_withholds_the_verdict(result: CheckResult) -> None:
    assert decide([GOOD, check(result)], POLICY) is ChipVerdict.UNDETERMINED


def test_all_successful_is_a_pass() -> None:
    assert decide([GOOD, GOOD], POLICY) is ChipVerdict.AUTHENTIC
    assert decide([GOOD], POLICY) == "PASS"


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
    assert decide([GOOD, MISSING], POLICY) is ChipVerdict.AUTHENTIC
    assert decide([GOOD, MISSING], ICAO) is ChipVerdict.AUTHENTIC
    assert decide([GOOD, MISSING], STRICT) is ChipVerdict.UNDETERMINED
    assert decide([GOOD, MISSING], VN_PASSPORT) is ChipVerdict.UNDETERMINED


@pytest.mark.parametrize("policy", [POLICY, STRICT, ICAO, VN_PASSPORT])
@pytest.mark.parametrize("code", [ChipCode.CRL_STALE, ChipCode.CRL_SIGNATURE_INVALID])
def test_a_revocation_list_that_is_no_use_always_binds(code: ChipCode, policy: TrustPolicy) -> None:
    assert decide([GOOD, check(CheckResult.UNDETERMINED, code)], policy) is (
        ChipVerdict.UNDETERMINED
    )


def test_a_mandatory_check_must_be_made_and_succeed() -> None:
    policy = TrustPolicy(mandatory=frozenset({"citizen"}))

    def verdict(result: CheckResult) -> ChipVerdict:
        return decide([GOOD, check(result, name="citizen", is_binding=False)], policy)

    assert decide([GOOD], policy) is ChipVerdict.UNDETERMINED
    assert verdict(CheckResult.SUCCESSFUL) is ChipVerdict.AUTHENTIC
    assert verdict(CheckResult.NOT_SUPPORTED) is ChipVerdict.UNDETERMINED
    assert verdict(CheckResult.FAILED) is ChipVerdict.NOT_AUTHENTIC


def test_a_policy_may_send_age_to_review_and_never_to_a_pass() -> None:
    old = check(CheckResult.FAILED, ChipCode.DSC_EXPIRED)
    lenient = TrustPolicy(reviewed=frozenset({ChipCode.DSC_EXPIRED}))

    assert decide([GOOD, old], POLICY) is ChipVerdict.NOT_AUTHENTIC
    assert decide([GOOD, old], lenient) is ChipVerdict.UNDETERMINED
    assert decide([GOOD, old, BAD], lenient) is ChipVerdict.NOT_AUTHENTIC


@pytest.mark.parametrize("code", [ChipCode.SOD_SIGNATURE_INVALID, ChipCode.DSC_REVOKED])
def test_no_policy_sends_a_forgery_to_review(code: ChipCode) -> None:
    with pytest.raises(ValueError, match=code):
        TrustPolicy(reviewed=frozenset({code}))


def test_a_quirk_is_one_countrys() -> None:
    policy = replace(POLICY, quirks={"RU": frozenset({Quirk.SHA1})})

    assert policy.has_quirk(Quirk.SHA1, ["RU"])
    assert not policy.has_quirk(Quirk.SHA1, ["VN"])
    assert not policy.has_quirk(Quirk.SHA1, [])
    assert not policy.has_quirk(Quirk.LEGACY_CONTENT, ["RU"])


@pytest.mark.parametrize("policy", [VN_CARD, VN_PASSPORT])
def test_the_vietnamese_policies_declare_nothing_and_miss_nothing(policy: TrustPolicy) -> None:
    assert policy.require_revocation
    assert not policy.quirks
    assert not policy.reviewed
    assert len({VN_CARD.version, VN_PASSPORT.version, ICAO.version}) == 3


def test_sha1_is_declared_by_owners_and_not_by_us() -> None:
    assert not any(Quirk.SHA1 in quirks for quirks in ICAO.quirks.values())
