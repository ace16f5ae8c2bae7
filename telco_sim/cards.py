"""Identity cards, the authority that issues them, and ways to forge them.

Owns the private keys: a country signing authority's, its document signers', and the one inside each
card. It refuses to know any verifier. Keys come from the system's random
generator and cannot be seeded: two runs of one simulation make cards of equal content and
different signatures.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from telco_sim import pki
from telco_sim.chip_keys import ChipKeys, answer, new_chip_key
from telco_sim.clock import start_of_vietnamese_day
from telco_sim.data_groups import (
    CardDates,
    encode_dg1,
    encode_dg2,
    encode_dg13,
    encode_dg14,
    encode_dg15,
)
from telco_sim.der import explicit_ec_public_key, rsa_public_key
from telco_sim.document_signers import (
    DocumentSigner,
    Issuer,
    SignerDesign,
    make_signer,
    new_serial_number,
)
from telco_sim.population import Citizen

DEFAULT_AUTHORITY_NAME = "CSCA Can cuoc Mo phong"

_ORGANIZATION = "Simulated Ministry - not a real authority"

_CSCA_VALID_YEARS = 30
_CSCA_SIGNS_YEARS = 5
"""Doc 9303-12, 4.1.5 recommends three to five years of use of a CSCA key."""

_SHORTEST_QUARTER_DAYS = 90

_CRL_DAYS = 90
"""Doc 9303-12, 4.1.4: a revocation list is issued at least every 90 days."""

_RENEWAL_AGES_YEARS = (14, 25, 40, 60)
_RENEWAL_GRACE_YEARS = 2
"""Law 26/2023/QH15, article 21: a card made within two years before an age holds to the next."""


@dataclass(frozen=True, slots=True)
class Card:
    """One chip: files that anybody may read and a private key that never leaves.

    Attributes:
        personal_id: Whose card it says it is.
        dates: Issue and expiry.
        signer_serial_number: Serial number of the certificate of its document signer.
        sod: EF.SOD.
        data_groups: Bytes of each data group by its number.
    """

    personal_id: str
    dates: CardDates
    signer_serial_number: int
    sod: bytes = field(repr=False)
    data_groups: Mapping[int, bytes] = field(repr=False)
    _active_authentication_key: rsa.RSAPrivateKey = field(repr=False, compare=False)

    def answer(self, nonce: bytes) -> bytes:
        """Prove possession of the key of DG15: active authentication (Doc 9303-11, 6.1).

        Args:
            nonce: The server's challenge, 8 bytes.

        Returns:
            The signature, as long as the modulus.

        Raises:
            ValueError: The nonce has another length.
        """
        return answer(nonce, key=self._active_authentication_key)


Alter = Callable[[Citizen, CardDates], Mapping[int, bytes]]
"""Makes data groups of a card in another way than they should be; they are signed all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDesign:
    """How a card is made; the defaults make a proper one.

    Attributes:
        signer: How its document signer is made.
        digest: Hash of the data groups in EF.SOD, `sha256` or `sha1`.
        expires_on: Last day of the card; None: what the law says.
        alter: Makes data groups that take the place of proper ones.
    """

    signer: SignerDesign = field(default_factory=SignerDesign)
    digest: str = "sha256"
    expires_on: date | None = None
    alter: Alter | None = None


class Companion(StrEnum):
    """An authority beside the real one that verifiers know as well, with something wrong."""

    LATE = "late"
    """Its revocation list is long overdue."""
    SILENT = "silent"
    """It publishes no revocation list."""
    REVOKED = "revoked"
    """It revoked every document signer it had."""
    NEIGHBOUR = "neighbour"
    """It is another country's."""


class CardAuthority:
    """A country signing authority (CSCA), its document signers (DSC), and the cards they make.

    Each document signer serves one quarter of a year, as real ones do.
    """

    def __init__(
        self,
        *,
        established_on: date,
        name: str = DEFAULT_AUTHORITY_NAME,
        country: str = "VN",
        active_authentication_keys: int | None = None,
    ) -> None:
        """Make the CSCA key, brainpoolP512r1 with explicit parameters, and its certificate.

        Args:
            established_on: First day of the certificate, which holds for 30 years; its key signs
                for five. Cards cannot be issued earlier or after that.
            name: Common name.
            country: ISO 3166-1 alpha-2 code.
            active_authentication_keys: None gives each card a key of its own (some 0.1 s each);
                a number makes that many and shares them round among the cards, for large
                populations.
        """
        self._key = ec.generate_private_key(ec.BrainpoolP512R1())
        self._established_on = established_on
        self._signs_until = _plus_years(established_on, _CSCA_SIGNS_YEARS)
        self._name, self._country = name, country
        self._certificate = self._make_certificate()
        self._signers: dict[tuple[date, SignerDesign], DocumentSigner] = {}
        self._revoked: dict[int, datetime] = {}
        self._crl_count = 0
        self._chip_keys = ChipKeys(active_authentication_keys)
        self._companions: dict[Companion, CardAuthority] = {}

    @property
    def name(self) -> str:
        """Its common name."""
        return self._name

    @property
    def established_on(self) -> date:
        """First day of its certificate."""
        return self._established_on

    def companion(self, kind: Companion) -> "CardAuthority":
        """Return an authority beside this one, founded on the same day when first asked for."""
        if kind not in self._companions:
            self._companions[kind] = CardAuthority(
                established_on=self._established_on,
                name=f"{self._name} ({kind})",
                country="LA" if kind is Companion.NEIGHBOUR else self._country,
                active_authentication_keys=1,
            )
        return self._companions[kind]

    @property
    def certificate(self) -> bytes:
        """The CSCA certificate in DER: what a verifier must trust."""
        return bytes(self._certificate.dump())

    def issue(
        self,
        citizen: Citizen,
        *,
        portrait: bytes,
        issued_on: date,
        signer_ends_on: date | None = None,
        has_chip_authentication: bool = False,
        design: CardDesign | None = None,
    ) -> Card:
        """Issue a card.

        Args:
            citizen: The holder.
            portrait: JPEG or JPEG 2000 file for DG2.
            issued_on: Day of issue; decides the expiry and the document signer.
            signer_ends_on: Last day of the document signer's certificate; by default 20 years
                after it started. An early day makes a card that outlives its signer.
            has_chip_authentication: Whether to add DG14.
            design: How card and signer are made; by default properly.

        Raises:
            ValueError: The authority does not sign on that day, or the portrait is neither format.
        """
        design = design or CardDesign()
        if signer_ends_on is not None:
            design = replace(design, signer=replace(design.signer, ends_on=signer_ends_on))
        signer = self._signer(issued_on, design=design.signer)
        expires_on = expiry_of(birth_date=citizen.birth_date, issued_on=issued_on)
        dates = CardDates(issued_on, design.expires_on or expires_on)
        authentication_key = self._chip_keys.take()
        data_groups = {
            1: encode_dg1(citizen, dates=dates),
            2: encode_dg2(portrait),
            13: encode_dg13(citizen, dates=dates, chip_serial=secrets.token_hex(8).upper()),
            15: encode_dg15(rsa_public_key(authentication_key.public_key())),
        }
        if has_chip_authentication:
            data_groups[14] = _new_chip_authentication_file()
        if design.alter is not None:
            data_groups |= design.alter(citizen, dates)
        sod = signer.sign_document(
            data_groups, signed_at=_office_hour(issued_on), digest=design.digest
        )
        return Card(
            personal_id=citizen.personal_id,
            dates=dates,
            signer_serial_number=signer.certificate.serial_number,
            sod=sod,
            data_groups=MappingProxyType(data_groups),
            _active_authentication_key=authentication_key,
        )

    def revoke_signer_of(self, card: Card, *, at: datetime) -> None:
        """Put the document signer of a card on all revocation lists from now on.

        Raises:
            ValueError: This authority did not make the card.
        """
        own_serial_numbers = {signer.certificate.serial_number for signer in self._signers.values()}
        if card.signer_serial_number not in own_serial_numbers:
            raise ValueError("another authority made this card")
        self._revoked[card.signer_serial_number] = at

    def revoke_all_signers(self, *, until: date, at: datetime) -> None:
        """Put the proper document signers of all quarters up to a day on all lists from now on."""
        days = range(0, (until - self._established_on).days, _SHORTEST_QUARTER_DAYS)
        for day in (*(self._established_on + timedelta(days=each) for each in days), until):
            signer = self._signer(day, design=SignerDesign())
            self._revoked[signer.certificate.serial_number] = at

    def revocation_list(
        self, *, at: datetime, good_for: timedelta = timedelta(days=_CRL_DAYS)
    ) -> bytes:
        """Return a fresh CRL in DER.

        Args:
            at: Instant of issue, aware.
            good_for: When the next one is due; 90 days at most in the real world.
        """
        self._crl_count += 1
        return pki.revocation_list(
            self._revoked,
            issuer=self._certificate,
            number=self._crl_count,
            issued_at=at,
            next_at=at + good_for,
            sign=self._sign,
        )

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(hashes.SHA512()))

    def _make_certificate(self) -> x509.Certificate:
        request = pki.CertificateRequest(
            serial_number=new_serial_number(),
            subject=pki.distinguished_name(
                common_name=self._name, organization=_ORGANIZATION, country=self._country
            ),
            public_key=explicit_ec_public_key(self._key.public_key()),
            validity=pki.Validity(
                starts_at=start_of_vietnamese_day(self._established_on),
                ends_at=start_of_vietnamese_day(
                    _plus_years(self._established_on, _CSCA_VALID_YEARS)
                ),
                signing_ends_at=start_of_vietnamese_day(self._signs_until),
            ),
        )
        return pki.country_signing_certificate(request, sign=self._sign)

    def _signer(self, issued_on: date, *, design: SignerDesign) -> DocumentSigner:
        """Return the signer of a quarter, made when first asked for."""
        if not self._established_on <= issued_on < self._signs_until:
            raise ValueError(
                f"this authority signs from {self._established_on} to {self._signs_until}, "
                f"not on {issued_on}"
            )
        quarter = date(issued_on.year, (issued_on.month - 1) // 3 * 3 + 1, 1)
        starts_on = max(quarter, self._established_on)
        key = (starts_on, design)
        if key not in self._signers:
            issuer = Issuer(
                certificate=self._certificate,
                sign=self._sign,
                organization=_ORGANIZATION,
                country=self._country,
            )
            self._signers[key] = make_signer(design, issuer=issuer, starts_on=starts_on)
        return self._signers[key]


def expiry_of(*, birth_date: date, issued_on: date) -> date | None:
    """Return the day until which a card issued on a day is good; None means without limit.

    A card is renewed at 14, 25, 40 and 60 years of age, and one made within the two years before
    holds to the age after (Law 26/2023/QH15, article 21).
    """
    for age_years in _RENEWAL_AGES_YEARS:
        if issued_on < _plus_years(birth_date, age_years - _RENEWAL_GRACE_YEARS):
            return _plus_years(birth_date, age_years)
    return None


def swap_portrait(card: Card, *, portrait: bytes) -> Card:
    """Forge: put another face into DG2; the signed hash still is that of the old one."""
    return replace_data_group(card, number=2, content=encode_dg2(portrait))


def swap_holder(card: Card, *, citizen: Citizen) -> Card:
    """Forge: write another person into DG1 and DG13, and leave EF.SOD as it is."""
    dates = card.dates
    chip_serial = "0" * 16
    forged = replace_data_group(card, number=1, content=encode_dg1(citizen, dates=dates))
    forged = replace_data_group(
        forged, number=13, content=encode_dg13(citizen, dates=dates, chip_serial=chip_serial)
    )
    return replace(forged, personal_id=citizen.personal_id)


def replace_data_group(card: Card, *, number: int, content: bytes) -> Card:
    """Forge: exchange the bytes of one data group, or add one that EF.SOD does not know."""
    return replace(card, data_groups=MappingProxyType({**card.data_groups, number: content}))


def clone_without_key(card: Card) -> Card:
    """Forge: copy all files onto a blank chip; it answers with a key that DG15 does not hold."""
    return replace(card, _active_authentication_key=new_chip_key())


def _new_chip_authentication_file() -> bytes:
    """Return a DG14 whose private key is thrown away: no reader here asks for its use."""
    public_key = ec.generate_private_key(ec.BrainpoolP384R1()).public_key()
    return encode_dg14(explicit_ec_public_key(public_key))


def _office_hour(day: date) -> datetime:
    return start_of_vietnamese_day(day) + timedelta(hours=9)


def _plus_years(day: date, years: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + years, day.month, 28 if is_leap_day else day.day)
