"""Anybody may sign a SOD, with anything in it: well-formed extremes still get only codes."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.chip.report import CheckResult, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import verify_chip
from tests.properties.biometrics.chip.elements import Exchange, exchanges
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.issuer import ECDSA_512, NOW, Algorithm

few = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PSS = Algorithm(scheme="pss", hash="sha256")


def assert_told(changed: Card, trust: TrustProfile, *, whole: Card, is_dump: bool = False) -> None:
    """Nothing is raised, each check has its line, a failed one a code, and none that binds passes.

    Args:
        changed: The card with its extreme.
        trust: Who signed it.
        whole: The card as it was, whose report has a line for each check.
        is_dump: Whether its files come without the chip.
    """
    report = report_on(changed, trust, is_dump=is_dump)
    expected = report_on(whole, trust, is_dump=is_dump)
    assert {check.name for check in report.checks} >= {check.name for check in expected.checks}
    failed = [check for check in report.checks if check.result is CheckResult.FAILED]
    assert all(check.code is not None for check in failed)
    # A group that nobody needs, such as DG14 beside an RSA key, is told of and does not bind.
    is_refused = any(check.is_binding for check in failed)
    assert not (is_refused and report.verdict is ChipVerdict.AUTHENTIC)


def report_on(card: Card, trust: TrustProfile, *, is_dump: bool) -> ChipReport:
    files = replace(card.files, is_dump=is_dump)
    return verify_chip(files, trust=trust, at=NOW, active=card.active)


@few
@given(exchange=exchanges)
def test_a_list_of_hashes_with_an_extreme_element(
    card: Card, trust: TrustProfile, exchange: Exchange
) -> None:
    content = exchange.apply(card.draft().content)

    changed = card.with_sod(replace(card.draft(), content=content))
    assert_told(changed, trust, whole=card)


@few
@given(exchange=exchanges)
def test_a_signers_certificate_with_an_extreme_element(
    card: Card, trust: TrustProfile, exchange: Exchange
) -> None:
    tbs = exchange.apply(asn1.sequence(*signed_parts(card)))
    signature = asn1.bit_string(ECDSA_512.sign(card.authority.key, tbs))
    certificate = asn1.sequence(tbs, ECDSA_512.identifier, signature)

    changed = card.with_sod(replace(card.draft(), certificates=(certificate,)))
    assert_told(changed, trust, whole=card)


def signed_parts(card: Card) -> list[bytes]:
    """What the card's authority signed of its signer, as a draft that writes it again."""
    draft = state.signer_draft(card.authority, key=card.signer.key)
    return [
        asn1.der(0xA0, asn1.integer(draft.version)),
        asn1.integer(draft.serial),
        ECDSA_512.identifier,
        draft.issuer,
        asn1.sequence(asn1.utc_time(draft.not_before), asn1.utc_time(draft.not_after)),
        draft.subject,
        state.spki(draft.key),
        asn1.der(0xA3, asn1.sequence(*draft.extensions)),
    ]


@few
@given(exchange=exchanges, algorithm=st.sampled_from([PSS, state.ECDSA_256]))
def test_an_algorithm_with_an_extreme_element(
    card: Card, trust: TrustProfile, exchange: Exchange, algorithm: Algorithm
) -> None:
    key = state.rsa_key(2048, "signer") if algorithm is PSS else card.signer.key
    signed = card.with_signer(lambda draft: replace(draft, key=key, spki=state.spki(key)))
    draft = replace(signed.draft(), algorithm=algorithm)
    identifier = exchange.apply(algorithm.identifier)

    changed = signed.with_sod(replace(draft, identifier=identifier))
    assert_told(changed, trust, whole=signed)


@few
@given(exchange=exchanges, number=st.sampled_from([1, 2, 13, 14, 15]), is_dump=st.booleans())
def test_a_data_group_with_an_extreme_element(
    card: Card, trust: TrustProfile, exchange: Exchange, number: int, *, is_dump: bool
) -> None:
    groups = {**card.data_groups, 15: chip.make_dg15(state.ec_key())}

    changed = card.with_groups({number: exchange.apply(groups[number])})
    whole = card.with_groups({number: groups[number]})
    assert_told(changed, trust, whole=whole, is_dump=is_dump)
