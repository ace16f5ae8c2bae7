"""Where citizens get their cards and have their photographs taken.

Owns which citizen has which face, whose card was issued when, and what poor photographs look
like. It refuses to know who sees them.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import count
from random import Random
from types import MappingProxyType

from PIL import Image, ImageEnhance, ImageFilter

from telco_sim.camera import retake
from telco_sim.card_kinds import Order
from telco_sim.cards import Card, CardAuthority, expiry_of
from telco_sim.photographs import PhotographedPerson, PhotographLibrary
from telco_sim.population import Citizen
from telco_sim.verifications import Evidence

ACTIVE_AUTHENTICATION_KEYS = 8
"""Cards share so many keys: 0.1 s of work for each would be most of a small simulation."""

_CARD_AGE_DAYS = (30, 900)
"""Cards were issued within the last two and a half years, while the authority's key signed."""

_CARD_GOOD_FOR = timedelta(days=365)
"""Longer than any simulation lasts."""

_PHOTOGRAPHS_PER_VISIT = 1


class PoorPhotograph(StrEnum):
    """Why a photograph shows no face that could be compared."""

    TOO_DARK = "too dark"
    BLURRED = "blurred"
    NO_FACE = "no face"


class Studio:
    """Cards and photographs of a country that borrows the faces of a few people."""

    def __init__(
        self, library: PhotographLibrary, *, authority: CardAuthority, seed: int, today: date
    ) -> None:
        """Open the studio.

        Args:
            library: The people whose faces are borrowed; two at least, or nobody could cheat.
            authority: Issues the cards.
            seed: Any integer.
            today: The day on which every card is good.

        Raises:
            ValueError: The library has fewer than two people.
        """
        if len(library.people) < 2:  # noqa: PLR2004 - one face and another one
            raise ValueError("a country needs two faces at least")
        self._library = library
        self._authority = authority
        self._seed = seed
        self._today = today
        self._cards: dict[str, Card] = {}
        self._photographs: dict[tuple[str, int], tuple[bytes, ...]] = {}
        self._uses: dict[tuple[str, int], Iterator[int]] = {}
        self._portrait = cache(PhotographedPerson.portrait)

    def card_of(self, citizen: Citizen) -> Card:
        """Return the citizen's card, issued when first asked for."""
        if citizen.personal_id not in self._cards:
            self._cards[citizen.personal_id] = self.issue_card(citizen)
        return self._cards[citizen.personal_id]

    def issue_card(self, citizen: Citizen, *, authority: CardAuthority | None = None) -> Card:
        """Return another card with the citizen's data and face, by any authority."""
        return (authority or self._authority).issue(
            citizen,
            portrait=self._portrait(self._face_of(citizen)),
            issued_on=self._issue_day(citizen),
        )

    def order_for(self, citizen: Citizen) -> Order:
        """Return what any card with the citizen's data and face is made from."""
        return Order(
            authority=self._authority,
            citizen=citizen,
            portrait=self.portrait_of(citizen),
            issued_on=self._issue_day(citizen),
            today=self._today,
        )

    def evidence_of(self, citizen: Citizen, *, visit: int = 0) -> Evidence:
        """Return the citizen's own card and own fresh photographs.

        Args:
            citizen: The citizen.
            visit: Each visit has photographs of its own.
        """
        return Evidence(
            card=self.card_of(citizen), photographs=self.photographs_of(citizen, visit=visit)
        )

    def photographs_of(self, citizen: Citizen, *, visit: int = 0) -> tuple[bytes, ...]:
        """Return live photographs of a citizen, no two alike: those of one visit a moment apart."""
        taken = (citizen.personal_id, visit)
        number = next(self._uses.setdefault(taken, count()))
        if taken not in self._photographs:
            generator = self._chance_of(citizen, f"visit {visit}")
            face = self._face_of(citizen)
            self._photographs[taken] = tuple(
                face.probe(generator=generator) for _ in range(_PHOTOGRAPHS_PER_VISIT)
            )
        if number == 0:
            return self._photographs[taken]
        moment = self._chance_of(citizen, f"visit {visit}, moment {number}")
        return tuple(retake(each, generator=moment) for each in self._photographs[taken])

    def poor_photograph_of(self, citizen: Citizen, poor: PoorPhotograph) -> bytes:
        """Return a photograph that shows nothing to compare."""
        (good, *_) = self.photographs_of(citizen, visit=-1)
        with Image.open(io.BytesIO(good)) as image:
            return _jpeg(_POOR[poor](image.convert("RGB")))

    def chance(self, purpose: str) -> Random:
        """Return a generator for one purpose, whatever was drawn for others before."""
        return Random(f"{self._seed}/{purpose}")

    def has_other_face(self, citizen: Citizen, *, than: Citizen) -> bool:
        """Say whether two citizens borrow the faces of different people."""
        return self._face_of(citizen) is not self._face_of(than)

    def portrait_of(self, citizen: Citizen) -> bytes:
        """Return the portrait as it is in the citizen's chip."""
        return self._portrait(self._face_of(citizen))

    def _issue_day(self, citizen: Citizen) -> date:
        """Draw a day of issue; a card that would end soon has been renewed a month ago."""
        newest, oldest = _CARD_AGE_DAYS
        age_days = self._chance_of(citizen, "card").randint(newest, oldest)
        issued_on = self._today - timedelta(days=age_days)
        ends_on = expiry_of(birth_date=citizen.birth_date, issued_on=issued_on)
        if ends_on is not None and ends_on < self._today + _CARD_GOOD_FOR:
            return self._today - timedelta(days=newest)
        return issued_on

    def _face_of(self, citizen: Citizen) -> PhotographedPerson:
        return self._chance_of(citizen, "face").choice(self._library.people)

    def _chance_of(self, citizen: Citizen, purpose: str) -> Random:
        return self.chance(f"{citizen.personal_id}/{purpose}")


def _too_dark(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.02)


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(40))


def _no_face(image: Image.Image) -> Image.Image:
    return Image.linear_gradient("L").resize(image.size).convert("RGB")


_POOR: Mapping[PoorPhotograph, Callable[[Image.Image], Image.Image]] = MappingProxyType(
    {
        PoorPhotograph.TOO_DARK: _too_dark,
        PoorPhotograph.BLURRED: _blurred,
        PoorPhotograph.NO_FACE: _no_face,
    }
)


def _jpeg(image: Image.Image) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()
