"""Is it the chip the state made, or a copy of its files?

Owns what is asked of the chip itself: when active authentication is owed, and what becomes of
chip authentication that we did not drive. `active` opens the answers.
"""

from collections.abc import Mapping

from biometrics.chip.active import authenticate_actively, parse_dg14
from biometrics.chip.checks import Check, Checklist, not_supported
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.files import ActiveEvidence, ChipAuthenticationEvidence

DG14, DG15 = 14, 15
ACTIVE, CHIP = "active_authentication", "chip_authentication"
_CHIP_AUTHENTICATION = "0.4.0.127.0.7.2.2.3."
"""id-CA, BSI TR-03110-3, clause A.1.1.2: the protocols of chip authentication begin so."""


def check_active(
    evidence: ActiveEvidence | None,
    *,
    groups: Mapping[int, bytes],
    listed: frozenset[int],
    is_dump: bool,
    checklist: Checklist,
) -> None:
    """Check the chip's answer; a document that can answer must.

    Args:
        evidence: Nonce and answer, None when none came.
        groups: The data groups that the state's signature covers.
        listed: Groups the state signed; empty when it is not known.
        is_dump: Nobody sent a nonce, so that none was answered means nothing yet.
        checklist: Gets the check.
    """
    if listed and DG15 not in listed:
        checklist.add(not_supported(ACTIVE, "the document has no DG15"))
    elif listed and evidence is None:
        checklist.add(
            Check(
                name=ACTIVE,
                result=CheckResult.UNDETERMINED if is_dump else CheckResult.FAILED,
                code=ChipCode.AA_REQUIRED,
                evidence="the document lists DG15 and no answer came along",
            )
        )
    else:
        is_withheld = DG14 in listed - groups.keys() and not is_dump
        checklist.run(
            ACTIVE,
            lambda given: _authenticate(given, groups=groups, is_dg14_withheld=is_withheld),
            evidence if DG15 in groups else None,
        )


def _authenticate(
    evidence: ActiveEvidence, *, groups: Mapping[int, bytes], is_dg14_withheld: bool
) -> str:
    """Check the answer, with DG14 where the key is a curve's.

    A copy that cannot answer would leave DG14 out, and have a person look at what it is refused
    for otherwise.
    """
    try:
        return authenticate_actively(evidence, dg15=groups[DG15], dg14=groups.get(DG14))
    except ChipError as error:
        if is_dg14_withheld and error.code is ChipCode.SIG_ALG_UNSUPPORTED:
            raise ChipError(
                ChipCode.DG_MISSING, "DG14, which names the algorithm, was not sent"
            ) from error
        raise


def check_chip_authentication(
    evidence: ChipAuthenticationEvidence | None,
    *,
    groups: Mapping[int, bytes],
    listed: frozenset[int],
    checklist: Checklist,
) -> None:
    """Write down what is known of chip authentication: nothing, and why. It never binds.

    Only a run whose ephemeral key never left the server would count, and there is none here.
    """
    if evidence is not None:
        checklist.add(
            Check(
                name=CHIP,
                result=CheckResult.UNDETERMINED,
                code=ChipCode.CA_EVIDENCE_UNVERIFIABLE,
                evidence="proves nothing: whoever ran the exchange can compute the answer alone",
                is_binding=False,
            )
        )
    elif DG14 in groups and DG15 not in listed:
        checklist.run(CHIP, _require_no_chip_authentication, groups[DG14], is_binding=False)
    else:
        checklist.add(not_supported(CHIP, "not run by the server"))


def _require_no_chip_authentication(dg14: bytes) -> str:
    if any(protocol.startswith(_CHIP_AUTHENTICATION) for protocol in parse_dg14(dg14)):
        raise ChipError(
            ChipCode.CA_REQUIRED,
            "this chip could prove itself by chip authentication only; it may be a copy",
            result=CheckResult.NOT_SUPPORTED,
        )
    return "the chip offers none"
