"""What was checked, how each check ended, and what follows.

Owns the report of one verification. Holds what the document says only when the state's signature
covers it. Checks nothing itself; `policy` decides.
"""

from dataclasses import dataclass

from biometrics.chip.checks import Check, Checklist
from biometrics.chip.codes import CheckResult, ChipCode
from biometrics.chip.dg1 import MRZ
from biometrics.chip.dg2 import Portrait
from biometrics.chip.dg13 import CitizenData
from biometrics.chip.policy import ChipVerdict, TrustPolicy, decide
from biometrics.chip.portrait import Picture

__all__ = [
    "Check",
    "CheckResult",
    "Checklist",
    "ChipCode",
    "ChipReport",
    "ChipVerdict",
    "decide",
]


@dataclass(frozen=True, kw_only=True)
class ChipReport:
    """One verification of one document.

    Attributes:
        checks: Every check, in the order of BSI TR-03135-1, clause 5.6.4; none is left out because
            another failed.
        policy: The policy the verdict follows.
        document_digest: Identity of the document, 32 octets: SHA-256 over the signed content, the
            signer's issuer and its serial number. Never over the SOD, to which anyone can add
            certificates and unsigned attributes. None unless signature and chain are good.
        mrz: What DG1 says. Like the next three, None unless signature, chain and the group's own
            hash are good.
        citizen: What DG13 says; Vietnamese cards only.
        portrait: The picture in DG2, as signed.
        picture: The pixels of that portrait; None also when no decoder was given.
    """

    checks: tuple[Check, ...]
    policy: TrustPolicy
    document_digest: bytes | None = None
    mrz: MRZ | None = None
    citizen: CitizenData | None = None
    portrait: Portrait | None = None
    picture: Picture | None = None

    @property
    def verdict(self) -> ChipVerdict:
        """What follows from the checks under the policy."""
        return decide(self.checks, self.policy)

    @property
    def codes(self) -> frozenset[ChipCode]:
        """Every code any check answered."""
        return frozenset(check.code for check in self.checks if check.code is not None)
