"""Whatever a reader sends, the answer is a report, and only the card itself is authentic."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.chip.report import CheckResult, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import ActiveEvidence, ChipFiles, verify_chip
from tests.properties.biometrics.chip.mutations import Mutation, damage, mutations
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.issuer import NOW

# The card is made once; no example changes it.
few = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_whole(report: ChipReport) -> bool:
    """Tell whether every check that did not succeed says why, or was aborted."""
    return all(
        check.code is not None or check.result in (CheckResult.ABORTED, CheckResult.NOT_SUPPORTED)
        for check in report.checks
        if check.result is not CheckResult.SUCCESSFUL
    )


@few
@given(steps=mutations)
def test_a_damaged_sod_is_answered_with_codes(
    card: Card, trust: TrustProfile, steps: list[Mutation]
) -> None:
    sod = damage(card.files.sod, steps)

    report = verify_chip(replace(card.files, sod=sod), trust=trust, at=NOW, active=card.active)

    assert is_whole(report)
    if report.verdict is ChipVerdict.AUTHENTIC:
        # What nobody signed may differ; who signed what may not.
        genuine = verify_chip(card.files, trust=trust, at=NOW, active=card.active)
        assert report.document_digest == genuine.document_digest


@few
@given(number=st.sampled_from([1, 2, 13, 14, 15]), steps=mutations)
def test_a_damaged_data_group_is_never_authentic(
    card: Card, trust: TrustProfile, number: int, steps: list[Mutation]
) -> None:
    damaged = damage(card.files.data_groups[number], steps)
    groups = {**card.files.data_groups, number: damaged}

    report = verify_chip(
        replace(card.files, data_groups=groups), trust=trust, at=NOW, active=card.active
    )

    assert is_whole(report)
    is_same = damaged == card.files.data_groups[number]
    assert (report.verdict is ChipVerdict.AUTHENTIC) is is_same


@few
@given(steps=mutations)
def test_a_damaged_answer_is_never_authentic(
    card: Card, trust: TrustProfile, steps: list[Mutation]
) -> None:
    signature = damage(card.active.signature, steps)
    answer = ActiveEvidence(nonce=card.active.nonce, signature=signature)

    report = verify_chip(card.files, trust=trust, at=NOW, active=answer)

    assert is_whole(report)
    assert (report.verdict is ChipVerdict.AUTHENTIC) is (signature == card.active.signature)


@few
@given(
    sod=st.binary(max_size=80),
    groups=st.dictionaries(st.integers(-2, 20), st.binary(max_size=40), max_size=4),
    nonce=st.binary(max_size=33),
    signature=st.binary(max_size=9),
    is_dump=st.booleans(),
)
def test_any_octets_at_all_are_answered_with_codes(
    trust: TrustProfile,
    sod: bytes,
    groups: dict[int, bytes],
    nonce: bytes,
    signature: bytes,
    *,
    is_dump: bool,
) -> None:
    report = verify_chip(
        ChipFiles(sod=sod, data_groups=groups, is_dump=is_dump),
        trust=trust,
        at=NOW,
        active=ActiveEvidence(nonce=nonce, signature=signature),
    )

    assert is_whole(report)
    # A dump without a SOD lacks something; nothing in it is a forgery.
    is_unknown = is_dump and not sod
    assert report.verdict is (ChipVerdict.UNDETERMINED if is_unknown else ChipVerdict.NOT_AUTHENTIC)
