"""Cards of every kind that a verifier must tell apart, each under a name.

Owns how each is made, and which code a correct verifier answers. It refuses to know verifiers, and
how somebody comes by such a card.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from telco_sim.cards import (
    Alter,
    Card,
    CardAuthority,
    CardDesign,
    Companion,
    clone_without_key,
    replace_data_group,
)
from telco_sim.data_groups import CardDates, encode_dg1, encode_dg2, encode_dg13
from telco_sim.document_signers import SignerDesign, SignerKey
from telco_sim.pki import add_unsigned_attribute
from telco_sim.population import Citizen

_DAY = timedelta(days=1)
_CHIP_SERIAL = "0" * 16
_DG1, _DG2, _DG13, _DG14, _DG15 = 1, 2, 13, 14, 15
_ZONE_LENGTH, _LINE_LENGTH = 90, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a card is made from.

    Attributes:
        authority: Who makes it, unless the kind needs another.
        citizen: Whose data are in it.
        portrait: JPEG or JPEG 2000 file.
        issued_on: Day of issue.
        today: The day on which it is shown.
    """

    authority: CardAuthority
    citizen: Citizen = field(repr=False)
    portrait: bytes = field(repr=False)
    issued_on: date
    today: date

    def issue(self, design: CardDesign | None = None, *, by: CardAuthority | None = None) -> Card:
        """Have the card issued, in some other way than it should be."""
        return (by or self.authority).issue(
            self.citizen, portrait=self.portrait, issued_on=self.issued_on, design=design
        )

    def issue_signed(self, **signer: Any) -> Card:  # noqa: ANN401 - whatever the design takes
        """Have it signed by somebody who should not."""
        return self.issue(CardDesign(signer=SignerDesign(**signer)))

    def issue_altered(self, alter: Alter) -> Card:
        """Have other data groups signed than should be."""
        return self.issue(CardDesign(alter=alter))

    def issue_contradicting(self, **other: Any) -> Card:  # noqa: ANN401 - whatever a citizen has
        """Have other data of the citizen signed in DG13 than in DG1."""

        def alter(citizen: Citizen, dates: CardDates) -> Mapping[int, bytes]:
            changed = replace(citizen, **other)
            return {_DG13: encode_dg13(changed, dates=dates, chip_serial=_CHIP_SERIAL)}

        return self.issue_altered(alter)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKind:
    """One kind of card.

    Attributes:
        name: What it is called.
        tried: What somebody who shows it tries.
        code: What a verifier must answer; alternatives are separated by a vertical bar; empty for
            cards that must pass.
        make: Makes one.
        is_for_a_person: Nothing speaks against it, and something could not be checked: a person
            must look.
    """

    name: str
    tried: str
    code: str
    make: Callable[[Order], Card]
    is_for_a_person: bool = False


def _portraits(*portraits: bytes) -> Alter:
    return lambda _citizen, _dates: {_DG2: encode_dg2(*portraits)}


def _other_state(citizen: Citizen, dates: CardDates) -> Mapping[int, bytes]:
    return {_DG1: encode_dg1(citizen, dates=dates, state="LAO")}


def _wrong_check_digit(citizen: Citizen, dates: CardDates) -> Mapping[int, bytes]:
    """The birth date's check digit, the seventh place of the second line, is another."""
    dg1 = bytearray(encode_dg1(citizen, dates=dates))
    place = len(dg1) - _ZONE_LENGTH + _LINE_LENGTH + 6
    dg1[place] = ord("0") + (dg1[place] - ord("0") + 1) % 10
    return {_DG1: bytes(dg1)}


def _flipped_signature(order: Order) -> Card:
    """The last byte of EF.SOD is the last of its signature."""
    return _with_sod(order.issue(), lambda sod: sod[:-1] + bytes([sod[-1] ^ 1]))


def _without_key_file(order: Order) -> Card:
    card = order.issue()
    kept = {number: file for number, file in card.data_groups.items() if number != _DG15}
    return replace(card, data_groups=MappingProxyType(kept))


def _unsigned_group(order: Order) -> Card:
    """DG14 of a card that has one, on a card that has none."""
    other = order.authority.issue(
        order.citizen,
        portrait=order.portrait,
        issued_on=order.issued_on,
        has_chip_authentication=True,
    )
    return replace_data_group(order.issue(), number=_DG14, content=other.data_groups[_DG14])


def _same_name(order: Order) -> Card:
    """An authority made at home that calls itself as the real one does."""
    at_home = CardAuthority(
        established_on=order.authority.established_on,
        name=order.authority.name,
        active_authentication_keys=1,
    )
    return order.issue(by=at_home)


def _with_sod(card: Card, change: Callable[[bytes], bytes]) -> Card:
    return replace(card, sod=change(card.sod))


def _remarked(order: Order) -> Card:
    return _with_sod(order.issue(), add_unsigned_attribute)


def _expired(order: Order) -> Card:
    return order.issue(CardDesign(expires_on=order.today - _DAY))


def _by(companion: Companion) -> Callable[[Order], Card]:
    return lambda order: order.issue(by=order.authority.companion(companion))


GENUINE = CardKind(name="genuine card", tried="nothing", code="", make=Order.issue)
REMARKED = CardKind(
    name="card with a remark",
    tried="make one card look like two: add an unsigned attribute to EF.SOD",
    code="",
    make=_remarked,
)
_SIGNERS = (
    CardKind(
        name="expired signer",
        tried="show a card whose document signer's certificate has run out",
        code="DSC_EXPIRED",
        make=lambda order: order.issue_signed(ends_on=order.today - _DAY),
    ),
    CardKind(
        name="signer of the future",
        tried="show a card whose document signer is not valid yet",
        code="DSC_NOT_YET_VALID",
        make=lambda order: order.issue_signed(starts_on=order.today + 2 * _DAY),
    ),
    CardKind(
        name="signer from before the key",
        tried="show a card whose signer is older than the authority's key",
        code="DSC_OUTSIDE_CSCA_KEY_PERIOD",
        make=lambda order: order.issue_signed(starts_on=order.authority.established_on - 2 * _DAY),
    ),
    CardKind(
        name="signer that may sign certificates",
        tried="show a card that an authority's own key signed",
        code="DSC_IS_CA",
        make=lambda order: order.issue_signed(usages=("digital_signature", "key_cert_sign")),
    ),
    CardKind(
        name="signer for something else",
        tried="show a card that a key for contracts signed",
        code="DSC_KEY_USAGE",
        make=lambda order: order.issue_signed(usages=("digital_signature", "non_repudiation")),
    ),
    CardKind(
        name="weak key",
        tried="show a card signed with RSA of 1,024 bits",
        code="WEAK_KEY",
        make=lambda order: order.issue_signed(key=SignerKey.RSA_1024),
    ),
    CardKind(
        name="SHA-1 signature",
        tried="show a card whose signature hashes with SHA-1",
        code="WEAK_HASH",
        make=lambda order: order.issue_signed(has_sha1=True),
    ),
    CardKind(
        name="revoked signer",
        tried="show a card whose document signer was revoked",
        code="DSC_REVOKED",
        make=_by(Companion.REVOKED),
    ),
    CardKind(
        name="neighbour's card",
        tried="show a card with a citizen's data that another country's authority signed",
        code="COUNTRY_MISMATCH",
        make=_by(Companion.NEIGHBOUR),
    ),
    CardKind(
        name="authority of the same name",
        tried="sign a card at home, under the name of the real authority",
        code="TRUST_ANCHOR_NOT_FOUND",
        make=_same_name,
    ),
    CardKind(
        name="stale revocation list",
        tried="show a card whose authority's revocation list is long overdue",
        code="CRL_STALE",
        make=_by(Companion.LATE),
        is_for_a_person=True,
    ),
    CardKind(
        name="no revocation list",
        tried="show a card whose authority publishes no revocation list",
        code="CRL_MISSING",
        make=_by(Companion.SILENT),
        is_for_a_person=True,
    ),
)
_CONTENTS = (
    CardKind(
        name="SHA-1 hashes",
        tried="show a card whose files are hashed with SHA-1",
        code="WEAK_HASH",
        make=lambda order: order.issue(CardDesign(digest="sha1")),
    ),
    CardKind(
        name="expired card",
        tried="show a card that ended yesterday",
        code="DOCUMENT_EXPIRED",
        make=_expired,
    ),
    CardKind(
        name="two faces",
        tried="show a card with two portraits, one for each purpose",
        code="DG2_FACE_COUNT",
        make=lambda order: order.issue_altered(_portraits(order.portrait, order.portrait)),
    ),
    CardKind(
        name="broken portrait",
        tried="show a card whose portrait ends in the middle",
        code="IMAGE_DECODE",
        make=lambda order: order.issue_altered(
            _portraits(order.portrait[: -len(order.portrait) // 2])
        ),
    ),
    CardKind(
        name="other birth date in DG13",
        tried="show a card that tells two birth dates",
        code="DOB_MISMATCH",
        make=lambda order: order.issue_contradicting(
            birth_date=order.citizen.birth_date.replace(
                year=order.citizen.birth_date.year - 1, day=1
            )
        ),
    ),
    CardKind(
        name="other personal ID in DG13",
        tried="show a card that tells two personal IDs",
        code="PIN_MISMATCH",
        make=lambda order: order.issue_contradicting(
            personal_id=order.citizen.personal_id[:-1] + str(9 - int(order.citizen.personal_id[-1]))
        ),
    ),
    CardKind(
        name="other name in DG13",
        tried="show a card that tells two names",
        code="NAME_MISMATCH",
        make=lambda order: order.issue_contradicting(full_name="Trịnh Khác Tên"),
    ),
    CardKind(
        name="other issuing state",
        tried="show a card whose zone names another state than its signer's",
        code="COUNTRY_MISMATCH",
        make=lambda order: order.issue_altered(_other_state),
    ),
    CardKind(
        name="wrong check digit",
        tried="show a card whose zone was mistyped",
        code="MRZ_CHECK_DIGIT",
        make=lambda order: order.issue_altered(_wrong_check_digit),
    ),
)
_FORGERIES = (
    CardKind(
        name="flipped signature",
        tried="change one bit of the state's signature",
        code="SOD_SIGNATURE_INVALID",
        make=_flipped_signature,
    ),
    CardKind(
        name="cut EF.SOD",
        tried="cut the last byte of EF.SOD off",
        code="TLV_TRUNCATED",
        make=lambda order: _with_sod(order.issue(), lambda sod: sod[:-1]),
    ),
    CardKind(
        name="lengthened EF.SOD",
        tried="hang a byte on EF.SOD",
        code="SOD_TRAILING_DATA",
        make=lambda order: _with_sod(order.issue(), lambda sod: sod + b"\x00"),
    ),
    CardKind(
        name="data group from another card",
        tried="add a data group that EF.SOD does not list",
        code="DG_NOT_IN_SOD",
        make=_unsigned_group,
    ),
    CardKind(
        name="missing DG15",
        tried="leave out the file with the chip's public key",
        code="DG_MISSING",
        make=_without_key_file,
    ),
    CardKind(
        name="clone with a key of its own",
        tried="copy all files to a chip that lacks the private key",
        code="AA_HEADER|AA_TRAILER|AA_DIGEST|AA_SIG_LENGTH",
        make=lambda order: clone_without_key(order.issue()),
    ),
)

KINDS = (GENUINE, REMARKED, *_SIGNERS, *_CONTENTS, *_FORGERIES)
"""Every kind, each with a name of its own."""
