"""What a profile's owner decided, and the verdict that follows from it.

Owns the policy of a trust profile, the three named policies, and the verdict: a pure function of
the checks and the policy. Makes no check and reads no file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from biometrics.chip.checks import Check
from biometrics.chip.codes import CheckResult, ChipCode


class ChipVerdict(StrEnum):
    """What the checks together say of the chip, and the word for it in a report."""

    AUTHENTIC = "PASS"
    UNDETERMINED = "REVIEW"
    NOT_AUTHENTIC = "FAIL"


class Quirk(StrEnum):
    """A known departure of one issuer from the standard, which its documents are let pass with.

    Each shows in the report as a successful check with a code.
    """

    SHA1 = "sha1"
    """SHA-1 in EF.SOD or in the signer's certificate."""
    ID_DATA_CONTENT = "id_data_content"
    """The content type id-data, where the standard has an LDS security object."""
    LEGACY_CONTENT = "legacy_content"
    """A content type from before Doc 9303: 1.3.27.1.1.1, 1.2.528.1.1006.1.20.1."""


REVIEWABLE = frozenset({ChipCode.DSC_EXPIRED, ChipCode.CSCA_EXPIRED, ChipCode.DOCUMENT_EXPIRED})
"""What an owner may have a person look at rather than refuse: age, which is no sign of forgery."""


@dataclass(frozen=True, kw_only=True)
class TrustPolicy:
    """What a profile's owner decided; the rest is not up for decision.

    Attributes:
        version: Names these decisions in reports.
        require_revocation: Whether a document whose signer no revocation list covers may not be
            called authentic. A list that is present but stale or badly signed always blocks.
        mandatory: Checks without whose success nothing passes, whatever the document says of
            itself: a check that is not supported does not bind, unless it is named here.
        document_codes: First letters of the document codes in the zone; empty allows all.
        has_citizen_data: Whether DG13 of a Vietnamese document is the citizen's data. Other
            documents than the identity card may put anything there.
        quirks: Declared for the issuers of a country, by ISO 3166-1 alpha-2 code. MD5 is never let
            pass.
        reviewed: Codes of REVIEWABLE that end in review, not in refusal.
    """

    version: str = "1"
    require_revocation: bool = False
    mandatory: frozenset[str] = frozenset()
    document_codes: frozenset[str] = frozenset()
    has_citizen_data: bool = True
    quirks: Mapping[str, frozenset[Quirk]] = field(default_factory=dict)
    reviewed: frozenset[ChipCode] = frozenset()

    def __post_init__(self) -> None:
        """Refuse to let a forgery end in review."""
        if unknown := self.reviewed - REVIEWABLE:
            raise ValueError(f"no policy may send to review: {sorted(unknown)}")

    def has_quirk(self, quirk: Quirk, countries: Iterable[str]) -> bool:
        """Tell whether the quirk is declared for one of these countries."""
        return any(quirk in self.quirks.get(country, ()) for country in countries)


VN_CARD = TrustPolicy(
    version="vn-cccd-1",
    require_revocation=True,
    mandatory=frozenset({"citizen", "personal_id", "birth_date", "sex", "name"}),
    document_codes=frozenset({"I"}),
)
"""The Vietnamese identity card: TD1, and a DG13 that agrees with the zone."""
VN_PASSPORT = TrustPolicy(
    version="vn-passport-1",
    require_revocation=True,
    document_codes=frozenset({"P"}),
    has_citizen_data=False,
)
"""The Vietnamese passport, of another authority than the card."""
ICAO = TrustPolicy(
    version="icao-1",
    quirks={
        "BE": frozenset({Quirk.LEGACY_CONTENT}),
        "CN": frozenset({Quirk.ID_DATA_CONTENT}),
        "FR": frozenset({Quirk.LEGACY_CONTENT}),
        "NL": frozenset({Quirk.LEGACY_CONTENT}),
    },
)
"""Any state's documents. Half of the world publishes no revocation list that can be had, so a
missing one is reported and does not block; SHA-1 is for an owner to declare, state by state."""


def decide(checks: Iterable[Check], policy: TrustPolicy) -> ChipVerdict:
    """Return the verdict.

    Not authentic: a binding check failed. Undetermined: none failed, but not every binding or
    mandatory check was successful. Authentic: every one was. No check at all is undetermined.

    A missing revocation list binds only when the policy requires one, and failures that the policy
    reviews count as undetermined.
    """
    made = list(checks)
    binding = [check for check in made if _is_binding(check, policy)]
    if any(
        check.result is CheckResult.FAILED and check.code not in policy.reviewed
        for check in binding
    ):
        return ChipVerdict.NOT_AUTHENTIC
    is_complete = policy.mandatory <= {check.name for check in made}
    if binding and is_complete and all(check.result is CheckResult.SUCCESSFUL for check in binding):
        return ChipVerdict.AUTHENTIC
    return ChipVerdict.UNDETERMINED


def _is_binding(check: Check, policy: TrustPolicy) -> bool:
    if check.name in policy.mandatory:
        return True
    is_tolerated = check.code is ChipCode.CRL_MISSING and not policy.require_revocation
    return check.is_binding and not is_tolerated
