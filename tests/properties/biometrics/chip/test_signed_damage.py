"""A state may sign nonsense: damaged content under a good signature still gets only codes."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.chip.report import CheckResult
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import verify_chip
from tests.properties.biometrics.chip.mutations import Mutation, damage, mutations
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.issuer import NOW

few = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@few
@given(number=st.sampled_from([1, 2, 13, 14, 15]), steps=mutations)
def test_a_signed_but_damaged_data_group_is_answered_with_codes(
    card: Card, trust: TrustProfile, number: int, steps: list[Mutation]
) -> None:
    signed = card.with_groups({number: damage(card.data_groups[number], steps)})

    report = verify_chip(signed.files, trust=trust, at=NOW, active=card.active)

    by_name = {check.name: check for check in report.checks}
    assert by_name[f"data_group_{number}_hash"].result is CheckResult.SUCCESSFUL
    unexplained = [
        check
        for check in report.checks
        if check.result is CheckResult.FAILED and check.code is None
    ]
    assert not unexplained


@few
@given(steps=mutations)
def test_a_signed_but_damaged_list_of_hashes_is_answered_with_codes(
    card: Card, trust: TrustProfile, steps: list[Mutation]
) -> None:
    draft = card.draft()
    content = damage(draft.content, steps)

    report = verify_chip(
        card.with_sod(replace(draft, content=content)).files,
        trust=trust,
        at=NOW,
        active=card.active,
    )

    by_name = {check.name: check for check in report.checks}
    assert by_name["sod_signature"].result is CheckResult.SUCCESSFUL
    assert by_name["security_object"].result in (CheckResult.SUCCESSFUL, CheckResult.FAILED)
