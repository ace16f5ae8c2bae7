"""Fixtures of the chip tests: one good card, its state's trust profile, and how to verify.

Owns nothing else; `chip_files` makes the cards and `issuer` signs them.
"""

from collections.abc import Callable
from datetime import datetime

import pytest

from biometrics.chip.report import ChipReport
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import ActiveEvidence, verify_chip
from tests.unit.biometrics.chip.chip_files import Card, make_card
from tests.unit.biometrics.chip.issuer import NOW

Verify = Callable[..., ChipReport]


@pytest.fixture
def card() -> Card:
    """A card that passes every check."""
    return make_card()


@pytest.fixture
def trust(card: Card) -> TrustProfile:
    """Trusts the card's authority, without a revocation list."""
    return TrustProfile.from_certificates(
        name="vn-test", country="VN", certificates=[card.authority.certificate]
    )


@pytest.fixture
def verify(trust: TrustProfile) -> Verify:
    """Verifies a card under the trust profile, or under another."""

    def _verify(
        card: Card,
        *,
        profile: TrustProfile | None = None,
        at: datetime = NOW,
        active: ActiveEvidence | None = card_answer,
    ) -> ChipReport:
        answer = card.active if active is card_answer else active
        return verify_chip(card.files, trust=profile or trust, at=at, active=answer)

    return _verify


card_answer = ActiveEvidence(nonce=b"", signature=b"")
"""Stands for the card's own answer, since None means that there is none."""
