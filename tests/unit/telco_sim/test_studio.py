"""Cards, faces and poor photographs."""

import io
from datetime import date, timedelta

import numpy as np
import pytest
from PIL import Image

from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographLibrary
from telco_sim.population import Citizen, draw_population
from telco_sim.studio import PoorPhotograph, Studio
from tests.unit.telco_sim.credulous_world import faceless, library

TODAY = date(2026, 11, 21)
PEOPLE = [
    each
    for each in draw_population(200, seed=1, today=TODAY)
    if each.birth_date.year <= TODAY.year - 17
]


@pytest.fixture
def studio() -> Studio:
    authority = CardAuthority(
        established_on=TODAY - timedelta(days=1_200), active_authentication_keys=1
    )
    return Studio(library(), authority=authority, seed=1, today=TODAY)


def test_a_citizen_has_one_card(studio: Studio, citizen: Citizen) -> None:
    assert studio.card_of(citizen) is studio.card_of(citizen)
    assert studio.card_of(citizen).personal_id == citizen.personal_id


def test_every_card_is_good_for_a_year(studio: Studio) -> None:
    for citizen in PEOPLE:
        dates = studio.card_of(citizen).dates
        assert dates.issued_on < TODAY
        assert dates.expires_on is None or dates.expires_on > TODAY + timedelta(days=300)


def test_visits_have_photographs_of_their_own(studio: Studio, citizen: Citizen) -> None:
    first, second = (studio.evidence_of(citizen, visit=visit) for visit in (0, 1))
    assert first.card is second.card
    assert first.photographs != second.photographs


def test_no_photograph_is_taken_twice(studio: Studio, citizen: Citizen) -> None:
    taken = [studio.photographs_of(citizen, visit=visit) for visit in (0, 0, 0, 1, 1)]
    assert len(set(taken)) == len(taken)


def test_two_people_have_one_face_or_two(studio: Studio) -> None:
    first = PEOPLE[0]
    alike = [each for each in PEOPLE if not studio.has_other_face(each, than=first)]
    others = [each for each in PEOPLE if studio.has_other_face(each, than=first)]
    assert len(alike) > 10
    assert len(others) > 10
    assert {studio.portrait_of(each) for each in alike} == {studio.portrait_of(first)}
    assert studio.portrait_of(others[0]) != studio.portrait_of(first)


def test_one_face_is_not_enough() -> None:
    authority = CardAuthority(established_on=TODAY, active_authentication_keys=1)
    with pytest.raises(ValueError, match="two faces"):
        Studio(PhotographLibrary((faceless(80),)), authority=authority, seed=1, today=TODAY)


@pytest.mark.parametrize("poor", PoorPhotograph)
def test_a_poor_photograph_is_an_image_of_the_same_size(
    poor: PoorPhotograph, studio: Studio, citizen: Citizen
) -> None:
    (good, *_) = studio.photographs_of(citizen)
    with (
        Image.open(io.BytesIO(good)) as sharp,
        Image.open(io.BytesIO(studio.poor_photograph_of(citizen, poor))) as spoilt,
    ):
        assert spoilt.size == sharp.size
        if poor is PoorPhotograph.TOO_DARK:
            assert np.asarray(spoilt).mean() < 10 < np.asarray(sharp).mean()
