"""Cards of every kind: named once, different from a proper one where they should be."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asn1crypto import cms, crl, parser

from telco_sim.card_kinds import GENUINE, KINDS, REMARKED, CardKind, Order
from telco_sim.cards import CardAuthority, Companion
from telco_sim.population import Citizen

TODAY = date(2024, 11, 1)
ISSUED_ON = date(2024, 8, 1)


@pytest.fixture(scope="module")
def order(authority: CardAuthority, citizen: Citizen, portrait: bytes) -> Order:
    return Order(
        authority=authority, citizen=citizen, portrait=portrait, issued_on=ISSUED_ON, today=TODAY
    )


def test_every_kind_has_a_name_and_a_trick_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len({kind.tried for kind in KINDS}) == len(KINDS)
    assert [kind for kind in KINDS if not kind.code] == [GENUINE, REMARKED]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_can_be_made_for_anybody(kind: CardKind, order: Order, citizen: Citizen) -> None:
    card = kind.make(order)
    assert card.personal_id == citizen.personal_id
    assert card.dates.issued_on == ISSUED_ON
    leap = replace(order, citizen=replace(citizen, birth_date=date(1988, 2, 29)))
    assert kind.make(leap).data_groups[1] != card.data_groups[1]


def test_a_remark_changes_nothing_that_is_signed(order: Order) -> None:
    remarked = REMARKED.make(order).sod
    signed = cms.ContentInfo.load(parser.parse(remarked)[4])["content"]
    (signer,) = signed["signer_infos"]
    assert [each["type"].dotted for each in signer["unsigned_attrs"]] == [
        "1.2.840.113549.1.9.16.2.4"
    ]
    assert len(signer["signed_attrs"]) == 3
    assert remarked != order.issue().sod


def test_companions_are_founded_once_and_have_names_of_their_own(authority: CardAuthority) -> None:
    companions = [authority.companion(kind) for kind in Companion]
    assert [authority.companion(kind) for kind in Companion] == companions
    assert len({each.certificate for each in (*companions, authority)}) == len(Companion) + 1
    assert len({each.name for each in (*companions, authority)}) == len(Companion) + 1


def test_all_signers_of_an_authority_are_revoked_whatever_the_quarter(
    citizen: Citizen, portrait: bytes
) -> None:
    authority = CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=1)
    until = date(2024, 11, 1)
    at = datetime(2024, 11, 2, tzinfo=UTC)
    authority.revoke_all_signers(until=until, at=at)
    listed = crl.CertificateList.load(authority.revocation_list(at=at))["tbs_cert_list"]
    serials = {each["user_certificate"].native for each in listed["revoked_certificates"]}
    days = (until - date(2022, 1, 10)).days
    cards = [
        authority.issue(citizen, portrait=portrait, issued_on=until - timedelta(days=age))
        for age in range(0, days, 30)
    ]
    assert {card.signer_serial_number for card in cards} == serials
    assert len(serials) == 12
