"""What was checked, how each check ended, and what follows.

Owns the report of one verification and its verdict, which is a pure function of the checks and
the policy. Holds what the document says only when the state's signature covers it. Checks
nothing itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.dg1 import MRZ
from biometrics.chip.dg2 import Portrait
from biometrics.chip.dg13 import CitizenData
from biometrics.chip.trust import TrustPolicy

__all__ = [
    "Check",
    "CheckResult",
    "Checklist",
    "ChipCode",
    "ChipReport",
    "ChipVerdict",
    "decide",
]

_Subject = TypeVar("_Subject")
_Finding = TypeVar("_Finding")


class ChipVerdict(StrEnum):
    """What the checks together say of the chip."""

    AUTHENTIC = "authentic"
    NOT_AUTHENTIC = "not_authentic"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: Stable name: `sod_signature`, `data_group_2_hash`.
        result: How it ended.
        code: Why, when it was not plainly successful.
        evidence: A short phrase for a person who investigates; never personal data.
        is_binding: Whether the verdict depends on it. Plausibility checks and data groups that
            nobody needs are reported and do not bind.
    """

    name: str
    result: CheckResult
    code: ChipCode | None = None
    evidence: str = ""
    is_binding: bool = True


def decide(checks: Iterable[Check], policy: TrustPolicy) -> ChipVerdict:
    """Return the verdict.

    Not authentic: a binding check failed. Undetermined: none failed, but not every binding check
    was successful. Authentic: every binding check was. No check at all is undetermined.

    A missing revocation list binds only when the policy requires one.
    """
    binding = [
        check
        for check in checks
        if check.is_binding
        and (check.code is not ChipCode.CRL_MISSING or policy.require_revocation)
    ]
    if any(check.result is CheckResult.FAILED for check in binding):
        return ChipVerdict.NOT_AUTHENTIC
    if binding and all(check.result is CheckResult.SUCCESSFUL for check in binding):
        return ChipVerdict.AUTHENTIC
    return ChipVerdict.UNDETERMINED


@dataclass(frozen=True, kw_only=True)
class ChipReport:
    """One verification of one document.

    Attributes:
        checks: Every check, in the order it was made; none is left out because another failed.
        policy: The policy the verdict follows.
        document_digest: Identity of the document, 32 octets: SHA-256 over the signed content, the
            signer's issuer and its serial number. Never over the SOD, to which anyone can add
            certificates and unsigned attributes. None unless signature and chain are good.
        mrz: What DG1 says. Like the next two, None unless signature, chain and the group's own
            hash are good.
        citizen: What DG13 says; Vietnamese cards only.
        portrait: The picture in DG2.
    """

    checks: tuple[Check, ...]
    policy: TrustPolicy
    document_digest: bytes | None = None
    mrz: MRZ | None = None
    citizen: CitizenData | None = None
    portrait: Portrait | None = None

    @property
    def verdict(self) -> ChipVerdict:
        """What follows from the checks under the policy."""
        return decide(self.checks, self.policy)

    @property
    def codes(self) -> frozenset[ChipCode]:
        """Every code any check answered."""
        return frozenset(check.code for check in self.checks if check.code is not None)


class Checklist:
    """Makes checks one after the other and writes each down, whatever becomes of it."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks so far, in order."""
        return tuple(self._checks)

    def result_of(self, name: str) -> CheckResult | None:
        """Return how the check of this name ended, None when it was not made."""
        return next((check.result for check in self._checks if check.name == name), None)

    def add(self, check: Check) -> None:
        """Write down a check that was made elsewhere."""
        self._checks.append(check)

    def run(
        self,
        name: str,
        step: Callable[[_Subject], _Finding],
        subject: _Subject | None,
        *,
        is_binding: bool = True,
    ) -> _Finding | None:
        """Make one check and return what it found.

        Args:
            name: Name of the check.
            step: Does it: returns a finding other than None, or raises ChipError.
            subject: What it is done to; None, when an earlier check did not yield it, aborts.
            is_binding: As in `Check`.

        Returns:
            The finding, or None when there is none. A finding that is text becomes the evidence.
        """
        if subject is None:
            self.add(Check(name=name, result=CheckResult.ABORTED, is_binding=is_binding))
            return None
        try:
            finding = step(subject)
        except ChipError as error:
            self.add(
                Check(
                    name=name,
                    result=error.result,
                    code=error.code,
                    evidence=error.evidence,
                    is_binding=is_binding,
                )
            )
            return None
        evidence = finding if isinstance(finding, str) else ""
        self.add(
            Check(
                name=name,
                result=CheckResult.SUCCESSFUL,
                evidence=evidence,
                is_binding=is_binding,
            )
        )
        return finding
