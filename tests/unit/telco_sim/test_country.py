"""Putting the country together."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import crl, x509

from telco_sim.country import CALLERS, HABITS, found_card_authority, open_callers
from telco_sim.directives import Habit
from telco_sim.measurements import Measurements
from telco_sim.numbering import OPERATORS
from telco_sim.wire import Wiretap
from tests.unit.telco_sim.credulous_service import STARTED_AT, Country
from tests.unit.telco_sim.credulous_world import open_world

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_the_card_authority_gives_its_certificate_and_revocation_list(tmp_path: Path) -> None:
    anchors = tmp_path / "new" / "anchors"
    authority = found_card_authority(now=NOW, trust_anchors=anchors)
    certificates = [path for path in anchors.iterdir() if path.suffix == ".der"]
    lists = [path for path in anchors.iterdir() if path.suffix == ".crl"]
    assert [path.read_bytes() for path in certificates] == [authority.certificate]
    issuer = x509.Certificate.load(authority.certificate).subject
    (revocation_list,) = (crl.CertificateList.load(path.read_bytes()) for path in lists)
    assert revocation_list.issuer == issuer


def test_each_operator_has_a_habit_of_its_own() -> None:
    assert set(HABITS) == set(OPERATORS)
    assert set(HABITS.values()) == set(Habit)


def test_every_caller_has_a_name_of_its_own() -> None:
    names = [each.name for each in CALLERS]
    assert len(set(names)) == len(names)
    assert {each.role for each in CALLERS} == {
        *("operator", "population", "agency", "regulator", "citizen-app")
    }


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    wiretap = Wiretap(Measurements())
    with (
        pytest.raises(FileNotFoundError, match="song-hong"),
        open_callers("127.0.0.1:1", folder=tmp_path, wiretap=wiretap),
    ):
        pytest.fail("nobody could call")


def test_the_clock_of_the_world_is_the_service_s() -> None:
    with open_world(Country(now=STARTED_AT)) as world:
        assert world.clock.now() == STARTED_AT
        assert len(world.people) == world.plan.citizen_count
        assert [each.name for each in world.operators] == list(OPERATORS)
        assert set(world.desks) == set(OPERATORS)
