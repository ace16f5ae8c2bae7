"""Where packs lie: those that come with the service, and an administrator's own."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from identity.config import Settings
from identity.domain.policy import PolicyPackError
from identity.policy_files import load_policies, load_policy, read_pack

SHIPPED = "vn-2026-04-15"
OWN = "own-2026-05-01"
TEXT = (resources.files("identity.policies") / f"{SHIPPED}.toml").read_text("utf-8")

Write = Callable[..., Path]


def own_text(version: str = OWN, *, on: str = "2026-05-01") -> str:
    """The shipped pack under another name, from a later day on."""
    text = TEXT.replace(f'version = "{SHIPPED}"', f'version = "{version}"')
    return text.replace("effective_on = 2026-04-15", f"effective_on = {on}")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path)


@pytest.fixture
def write(settings: Settings) -> Write:
    """Put a pack into the administrator's directory."""

    def put(text: str, name: str = OWN) -> Path:
        settings.policies_directory.mkdir(exist_ok=True)
        path = settings.policies_directory / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return put


def test_a_pack_of_the_administrators_own_is_found_beside_the_shipped_ones(write: Write) -> None:
    directory = write(own_text()).parent
    assert load_policy(OWN, directory=directory).version == OWN
    assert load_policy(SHIPPED, directory=directory).version == SHIPPED
    assert load_policy(SHIPPED, directory=directory / "absent").version == SHIPPED
    for folder in (directory, None):
        with pytest.raises(FileNotFoundError, match="no-such-policy"):
            load_policy("no-such-policy", directory=folder)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (SHIPPED, own_text(), "comes with the service"),
        ("own-2026-06-01", own_text(), f"its version is {OWN}, so its name must be {OWN}.toml"),
        ("own-2026-07-01", "version = ", "not TOML"),
        ("own-2026-07-01", own_text("own-2026-07-01").replace("0.40", "0.7"), "verification.face_"),
    ],
)
def test_a_pack_of_ones_own_neither_replaces_another_nor_passes_for_one(
    write: Write, name: str, text: str, says: str
) -> None:
    path = write(text, name)
    with pytest.raises(PolicyPackError, match=says) as caught:
        load_policy(name, directory=path.parent)
    assert str(path) in str(caught.value)


def test_bytes_that_are_no_utf_8_are_refused_and_a_byte_order_mark_is_not(write: Write) -> None:
    path = write("")
    path.write_bytes(b"\xff")
    with pytest.raises(PolicyPackError, match="utf-8"):
        read_pack(path)
    path.write_bytes(b"\xef\xbb\xbf" + own_text().encode())
    assert read_pack(path).version == OWN


def test_what_lies_in_the_directory_and_is_not_chosen_changes_no_rule_but_is_known(
    settings: Settings, write: Write
) -> None:
    write(own_text())
    book = load_policies(settings)
    rules = book.at(datetime(2026, 7, 1, tzinfo=UTC))
    assert rules.verification.version == SHIPPED
    assert rules.track_of(OWN, "T2").policy_version == OWN


def test_a_chosen_pack_applies_from_its_first_day_on(settings: Settings, write: Write) -> None:
    write(own_text())
    chosen = settings.model_copy(update={"policies": f"{settings.policies},{OWN}"})
    book = load_policies(chosen)
    assert book.at(datetime(2026, 4, 30, tzinfo=UTC)).verification.version == SHIPPED
    assert book.at(datetime(2026, 5, 1, tzinfo=UTC)).verification.version == OWN


def test_a_chosen_pack_that_is_not_there_is_told(settings: Settings) -> None:
    chosen = settings.model_copy(update={"policies": f"{settings.policies},own-1"})
    with pytest.raises(FileNotFoundError, match="own-1"):
        load_policies(chosen)


def test_a_pack_given_besides_takes_the_place_of_its_namesake(
    settings: Settings, write: Write
) -> None:
    write(own_text())
    elsewhere = settings.state / f"{OWN}.toml"
    elsewhere.write_text(own_text(on="2026-06-01"), encoding="utf-8")
    book = load_policies(settings, more=[read_pack(elsewhere)])
    assert [day.isoformat() for day in book.change_days] == ["2026-04-15", "2026-06-01"]


def test_a_pack_given_besides_may_be_a_shipped_one_and_not_another_of_its_name(
    settings: Settings,
) -> None:
    path = settings.state / f"{SHIPPED}.toml"
    path.write_text(f"# With a comment.\n{TEXT}", encoding="utf-8")
    assert len(load_policies(settings, more=[read_pack(path)]).packs) == 2
    path.write_text(TEXT.replace("quarantine_days = 45", "quarantine_days = 4"), encoding="utf-8")
    with pytest.raises(PolicyPackError, match=f"a pack {SHIPPED} comes with the service"):
        load_policies(settings, more=[read_pack(path)])
