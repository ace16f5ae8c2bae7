"""Presence at a counter: on what grounds it is checked, how it ends, and what a token says of it.

Owns the claims of a presence token and when they count. Knows neither how a card is read nor how a
token is signed: it makes the claims before, and judges those whose signature is good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from identity.domain.agency import Access, Purpose, Right
from identity.domain.caller import Caller
from identity.domain.verification import VerdictState

ISSUER = "urn:subid:service"
"""Who says so: the `iss` of every token."""

CLOCK_SKEW_MAX = timedelta(seconds=60)
"""How far the clock of whoever checks a token may be from ours."""

TOKEN_LIFETIME_MAX = timedelta(minutes=15)
"""No pack can have a token count for longer: it says who is there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresencePolicy:
    """What a pack says of presence.

    Attributes:
        token_lifetime: How long a token counts, 30 seconds to `TOKEN_LIFETIME_MAX`.
    """

    token_lifetime: timedelta = timedelta(minutes=5)


class PresenceState(StrEnum):
    """How a presence check ended."""

    PRESENT = "present"
    NOT_PRESENT = "not_present"
    INCONCLUSIVE = "inconclusive"


PRESENCE_STATES: Mapping[VerdictState, PresenceState] = {
    VerdictState.VERIFIED: PresenceState.PRESENT,
    VerdictState.NOT_VERIFIED: PresenceState.NOT_PRESENT,
    VerdictState.FAILURE_TO_ACQUIRE: PresenceState.INCONCLUSIVE,
    VerdictState.REVIEW: PresenceState.INCONCLUSIVE,
}
"""What a verdict means for an agency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceGrounds:
    """Why an agency checks who is there, and how.

    Attributes:
        purpose: What for.
        legal_basis: The article of law that allows it.
        case_id: The agency's own file; empty without one.
        shown_from: From when on the person can see it; None at once.
        with_face: Whether the face is compared with the card's portrait.
    """

    purpose: Purpose
    legal_basis: str
    case_id: str = ""
    shown_from: datetime | None = None
    with_face: bool = False

    @classmethod
    def of(cls, access: Access, *, with_face: bool) -> "PresenceGrounds":
        """Those that an agency names."""
        return cls(
            purpose=access.purpose,
            legal_basis=access.legal_basis,
            case_id=access.case_id,
            shown_from=access.shown_from,
            with_face=with_face,
        )

    @property
    def right(self) -> Right:
        """What a grant must cover: the face does not include the card by itself."""
        return Right.FACE_PRESENCE if self.with_face else Right.CHIP_PRESENCE

    def access(self, caller: Caller, *, at: datetime, people_count: int) -> Access:
        """The access of an agency on these grounds."""
        return Access(
            caller=caller,
            at=at,
            purpose=self.purpose,
            legal_basis=self.legal_basis,
            case_id=self.case_id,
            shown_from=self.shown_from,
            people_count=people_count,
        )


class ChipLevel(StrEnum):
    """What the chip of an accepted card has shown: the `acr` of a token. Append-only."""

    ACTIVE = "urn:subid:acr:chip-active"
    """Its files are the state's, and it signed this session's nonce: it is no copy."""
    PASSIVE = "urn:subid:acr:chip-passive"
    """Its files are the state's. It has no key to sign with, so it may be a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceToken:
    """What a token says.

    Attributes:
        verification_id: The session that it comes from; no two tokens have the same.
        audience: The agency that it is for.
        subject: A pseudonym of this person for this agency, or the personal ID.
        issued_at: When it was decided, to the second.
        expires_at: When it stops counting.
        methods: `chip`, and `face` where the face was compared (RFC 8176).
        level: What the chip has shown.
        purpose: What for.
        case_id: The agency's own file; empty without one.
        policy_version: The policy it was decided under.
    """

    verification_id: str
    audience: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    methods: tuple[str, ...]
    level: ChipLevel
    purpose: Purpose
    case_id: str
    policy_version: str


class TokenFault(StrEnum):
    """Why a token whose signature is good does not count."""

    CLAIMS_MALFORMED = "CLAIMS_MALFORMED"
    ISSUER_UNKNOWN = "ISSUER_UNKNOWN"
    AUDIENCE_MISMATCH = "AUDIENCE_MISMATCH"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"


class TokenRefusedError(ValueError):
    """A token that does not count.

    Attributes:
        fault: Why.
    """

    def __init__(self, fault: TokenFault, says: str) -> None:
        """Say why."""
        super().__init__(f"{fault}: {says}")
        self.fault = fault


def methods_of(*, with_face: bool) -> tuple[str, ...]:
    """The `amr` of a token."""
    return ("chip", "face") if with_face else ("chip",)


def claims_of(token: PresenceToken) -> Mapping[str, object]:
    """The claims of a token, by their registered names (RFC 7519, OpenID Connect)."""
    issued_s = int(token.issued_at.timestamp())
    return {
        "iss": ISSUER,
        "aud": token.audience,
        "sub": token.subject,
        "iat": issued_s,
        "nbf": issued_s,
        "exp": int(token.expires_at.timestamp()),
        "jti": token.verification_id,
        "amr": list(token.methods),
        "acr": token.level.value,
        "purpose": token.purpose.value,
        "case_id": token.case_id,
        "policy_version": token.policy_version,
    }


def read_claims(claims: object, *, audience: str, at: datetime) -> PresenceToken:
    """What a token says, if it is for an agency and counts at an instant.

    Args:
        claims: What was signed, as JSON has it.
        audience: The agency that asks.
        at: When.

    Raises:
        TokenRefusedError: It does not count.
    """
    if not isinstance(claims, Mapping) or claims.get("iss") != ISSUER:
        raise TokenRefusedError(TokenFault.ISSUER_UNKNOWN, f"it is not by {ISSUER}")
    # One agency, in so many words: a list of several would be for none of them alone.
    if claims.get("aud") != audience:
        raise TokenRefusedError(TokenFault.AUDIENCE_MISMATCH, "it is for another agency")
    try:
        token = _token(claims, at=at)
        begins_at = _instant(claims["nbf"], at=at)
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise TokenRefusedError(TokenFault.CLAIMS_MALFORMED, "a claim is missing") from error
    if token.expires_at - token.issued_at > TOKEN_LIFETIME_MAX:
        raise TokenRefusedError(TokenFault.CLAIMS_MALFORMED, "it counts for too long")
    if at < max(token.issued_at, begins_at) - CLOCK_SKEW_MAX:
        raise TokenRefusedError(TokenFault.NOT_YET_VALID, "its time has not come")
    if at >= token.expires_at + CLOCK_SKEW_MAX:
        raise TokenRefusedError(TokenFault.EXPIRED, "its time is over")
    return token


def _token(claims: Mapping[str, Any], *, at: datetime) -> PresenceToken:
    return PresenceToken(
        verification_id=_text(claims["jti"]),
        audience=_text(claims["aud"]),
        subject=_text(claims["sub"]),
        issued_at=_instant(claims["iat"], at=at),
        expires_at=_instant(claims["exp"], at=at),
        methods=_methods(claims["amr"]),
        level=ChipLevel(claims["acr"]),
        purpose=Purpose(claims["purpose"]),
        case_id=_text(claims["case_id"], may_be_empty=True),
        policy_version=_text(claims["policy_version"]),
    )


def _methods(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or tuple(value) not in (
        methods_of(with_face=False),
        methods_of(with_face=True),
    ):
        raise ValueError("no methods of ours")
    return tuple(value)


def _text(value: object, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or may_be_empty):
        raise ValueError("no text")
    return value


def _instant(value: object, *, at: datetime) -> datetime:
    """Whole seconds since 1970, in the zone of whoever asks."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("no instant")
    return datetime.fromtimestamp(value, at.tzinfo)
