"""The composition root: policies and anchors read, the database opened, the clock chosen."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from biometrics.face.operating_point_file import to_json
from identity.bootstrap import (
    load_proven_face_setup,
    load_trust,
    make_clock,
    open_database,
    prepare,
    running_server,
)
from identity.config import DEFAULT_POLICIES, Settings
from identity.domain.errors import StorageUnavailableError
from identity.domain.settlement import Change
from identity.domain.verification import RegulatedRates
from identity.policy_files import load_policies
from identity.security.keys import KeyFileError
from identity.services.clock import SimulatedClock, SystemClock
from identity.services.face_setup import FaceSetupError
from identity.services.settle_subscriptions import settle_subscription
from identity.services.trust_records import TrustError
from identity.storage.database import Database
from identity.storage.policy_packs import ChangedPackError, MissingPackError
from identity.storage.registry import ForeignKeysError
from identity.storage.tables import enforcement_clock
from telco_sim.cards import CardAuthority
from tests.databases import own_database
from tests.unit.identity.makers import make_call, rules, store_citizen, store_number
from tests.unit.identity.services.points import PROVEN, public_pem


@pytest.fixture(scope="module")
def card_authority() -> CardAuthority:
    return CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=2)


def test_a_regulated_policy_is_served_with_a_signed_point_that_shows_its_rates(
    tmp_path: Path,
) -> None:
    rates = RegulatedRates(far_max=1e-4, frr_max=0.05)
    bound = replace(rules(), verification=replace(rules().verification, regulated=rates))
    key, point, pem = Ed25519PrivateKey.generate(), tmp_path / "point", tmp_path / "key"
    point.write_bytes(to_json(PROVEN, sign_key=key))
    pem.write_bytes(public_pem(key))
    proven = Settings(state=tmp_path, operating_point=point, operating_point_key=pem)
    assert load_proven_face_setup(proven, bound).operating_point == PROVEN
    unsigned = proven.model_copy(update={"operating_point_key": None})
    assert load_proven_face_setup(unsigned, rules()).operating_point == PROVEN
    with pytest.raises(FaceSetupError, match="nobody vouches for it"):
        load_proven_face_setup(unsigned, bound)
    pem.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    with pytest.raises(FaceSetupError, match="another key than the trusted one"):
        load_proven_face_setup(proven, bound)


def test_anchors_are_read_by_their_suffix_and_the_rest_is_left(
    tmp_path: Path, card_authority: CardAuthority
) -> None:
    (tmp_path / "csca.der").write_bytes(card_authority.certificate)
    (tmp_path / "README.txt").write_text("not a certificate")
    (tmp_path / "csca.der.bak").write_bytes(b"damaged")
    store = load_trust(tmp_path, rules()).loaded.store
    assert [len(profile.anchors) for profile in store.profiles.values()] == [1, 0, 0]


@pytest.mark.parametrize("name", ["csca.der", "csca.pem", "csca.crt", "csca.cer", "list.crl"])
def test_an_anchor_that_is_none_is_told(
    tmp_path: Path, card_authority: CardAuthority, name: str
) -> None:
    (tmp_path / "good.der").write_bytes(card_authority.certificate)
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(TrustError):
        load_trust(tmp_path, rules())


def test_no_anchors_at_all_trust_nobody(tmp_path: Path) -> None:
    for directory in (tmp_path / "absent", tmp_path):
        store = load_trust(directory, rules()).loaded.store
        assert not any(profile.anchors for profile in store.profiles.values())


def test_a_policy_that_names_no_trust_profile_is_told(tmp_path: Path) -> None:
    named = replace(rules().verification, trust_profile="vn-none")
    unknown = replace(rules(), verification=named)
    with pytest.raises(TrustError, match="no trust profile 'vn-none'"):
        load_trust(tmp_path, unknown)


@pytest.fixture
def scratch_url(postgres_url: str) -> Iterator[str]:
    """A database of its own, at head and not bound to any keys."""
    with own_database(postgres_url, f"bootstrap_{uuid4().hex}") as url:
        yield url


def settings_of(state: Path, database_url: str) -> Settings:
    return Settings(state=state, database=database_url)


def test_a_database_is_opened_with_keys_that_are_made_once(
    tmp_path: Path, scratch_url: str
) -> None:
    settings = settings_of(tmp_path / "state", scratch_url)
    with open_database(settings) as first:
        prepare(first)
        sealed = first.sealer.seal(b"x", context=b"here")
        first.ping()
    with open_database(settings) as second:
        prepare(second)
        assert second.sealer.open(sealed, context=b"here") == b"x"
    (tmp_path / "state" / "keys.json").chmod(0o644)
    with pytest.raises(KeyFileError), open_database(settings):
        pass


def test_a_lost_key_file_is_not_made_anew_for_a_database_that_has_keys(
    tmp_path: Path, scratch_url: str
) -> None:
    settings = settings_of(tmp_path, scratch_url)
    with open_database(settings) as database:
        prepare(database)
    keys = (tmp_path / "keys.json").rename(tmp_path / "backup.json")
    with pytest.raises(KeyFileError, match="is missing"), open_database(settings):
        pass
    assert not (tmp_path / "keys.json").exists()
    keys.rename(tmp_path / "keys.json")
    with open_database(settings) as database:
        prepare(database)


def test_keys_of_another_registry_are_refused(tmp_path: Path, scratch_url: str) -> None:
    ours = settings_of(tmp_path / "ours", scratch_url)
    theirs = settings_of(tmp_path / "theirs", scratch_url)
    with open_database(ours) as first, open_database(theirs) as second:
        # Both came before anybody had claimed it; the first to prepare it keeps it.
        prepare(first)
        with pytest.raises(ForeignKeysError):
            prepare(second)
    with pytest.raises(ForeignKeysError), open_database(theirs):
        pass


OWN = "own-1,vn-decree-49-2017"


def start_and_stop(settings: Settings) -> None:
    async def start() -> None:
        async with running_server(settings):
            pass

    asyncio.run(start())


def test_a_server_does_not_start_without_the_pack_of_open_cases(
    tmp_path: Path, scratch_url: str
) -> None:
    settings = Settings(
        state=tmp_path, database=scratch_url, listen="127.0.0.1:0", face_workers=1, policies=OWN
    )
    shipped = (resources.files("identity.policies") / "vn-2026-04-15.toml").read_text("utf-8")
    own = settings.policies_directory / "own-1.toml"
    own.parent.mkdir()
    own.write_text(shipped.replace('version = "vn-2026-04-15"', 'version = "own-1"'), "utf-8")
    start_and_stop(settings)
    rules = load_policies(settings).at(datetime.now(UTC))
    call = replace(make_call(at=datetime.now(UTC)), rules=rules)
    with open_database(settings) as database, database.transaction() as uow:
        item = store_number(uow, store_citizen(uow), verified_at=None)
        settle_subscription(uow, call, item, Change(before=item.service_state))
        (case,) = uow.cases.list_open([item])[item.subscription_id]
        assert case.policy_version == "own-1"
    # Another one applies now: the case goes on under its own, which must lie there for it.
    other = settings.model_copy(update={"policies": DEFAULT_POLICIES})
    start_and_stop(other)
    kept = own.rename(tmp_path / "own-1.toml")
    refused = r"the policy pack own-1 was in use and is not here: put it back"
    with pytest.raises(MissingPackError, match=refused):
        start_and_stop(other)
    kept.rename(own)
    own.write_text(own.read_text("utf-8").replace("after_hours = 720", "after_hours = 700"))
    for each in (settings, other):
        with pytest.raises(ChangedPackError, match="put it back"):
            start_and_stop(each)


def test_a_database_that_cannot_be_reached_costs_no_keys(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StorageUnavailableError), open_database(settings):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_real_clock_is_taken_unless_asked_otherwise(tmp_path: Path, database: Database) -> None:
    assert isinstance(make_clock(Settings(state=tmp_path), database), SystemClock)


def test_a_simulated_clock_goes_on_where_enforcement_stood(
    tmp_path: Path, database: Database
) -> None:
    settings = Settings(state=tmp_path, simulated_clock=True)
    far = datetime.now(UTC) + timedelta(days=3_650)
    with database.transaction() as uow:
        before = uow.cases.ran_until()
        uow.cases.set_ran_until(far)
    try:
        clock = make_clock(settings, database)
        assert isinstance(clock, SimulatedClock)
        assert clock.now() == far
        with database.transaction() as uow:
            uow.connection.execute(delete(enforcement_clock))
        present = make_clock(settings, database).now()
        assert abs(present - datetime.now(UTC)) < timedelta(minutes=1)
    finally:
        with database.transaction() as uow:
            uow.connection.execute(delete(enforcement_clock))
            if before is not None:
                uow.cases.set_ran_until(before)


_COLLECT = """
import gc
from identity.bootstrap import GARBAGE_THRESHOLD, tune_interpreter
before = gc.get_threshold()
assert before[0] < GARBAGE_THRESHOLD, before
kept = gc.get_freeze_count()
tune_interpreter()
assert gc.get_threshold()[0] == GARBAGE_THRESHOLD
assert gc.get_freeze_count() > kept + 10_000
assert gc.isenabled()


class Node:
    def __del__(self):
        freed.append(self)


freed = []
node = Node()
node.itself = node
del node
gc.collect()
assert len(freed) == 1
print(gc.get_freeze_count() > 10_000)
"""


def test_garbage_is_looked_for_rarely_and_found_all_the_same() -> None:
    """In a process of its own: it is for good, and for all of a process."""
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
