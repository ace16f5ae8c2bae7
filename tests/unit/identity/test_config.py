"""Settings: their defaults, their limits, and where they come from."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from identity.config import DEFAULT_POLICIES, Settings, default_state


def test_nothing_given_serves_on_loopback_with_the_embedded_database() -> None:
    settings = Settings()
    assert settings.listen.startswith("127.0.0.1:")
    assert (settings.database, settings.simulated_clock) == (None, False)
    assert settings.policies == DEFAULT_POLICIES
    assert 1 <= settings.face_workers <= 4
    assert settings.state == default_state()
    assert settings.trust_directory == settings.state / "trust"


def test_packs_are_named_with_commas_between_and_each_counts_once() -> None:
    assert Settings().policy_names == ("vn-2026-04-15", "vn-decree-49-2017")
    assert Settings(policies="b,a,b").policy_names == ("b", "a")


def test_trust_anchors_may_lie_elsewhere(tmp_path: Path) -> None:
    assert Settings(state=tmp_path, trust_anchors=tmp_path / "x").trust_directory == tmp_path / "x"


def test_the_server_has_the_names_that_it_is_given() -> None:
    assert Settings().server_host_names == ()
    given = Settings(server_names="identity.example.vn,10.0.0.1,::2")
    assert given.server_host_names == ("identity.example.vn", "10.0.0.1", "::2")
    with pytest.raises(ValidationError):
        Settings(server_names="a, b")


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.listen = "0.0.0.0:1"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:50551", "host:65535"])
def test_an_address_is_a_host_and_a_port(listen: str) -> None:
    assert Settings(listen=listen).listen == listen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen", ""),
        ("listen", "127.0.0.1"),
        ("listen", ":50551"),
        ("listen", "host:"),
        ("listen", "host:port"),
        ("listen", "host:65536"),
        ("listen", "host:-1"),
        ("listen", "host:٣"),
        ("database", "sqlite://"),
        ("database", ""),
        ("policies", "../../etc/passwd"),
        ("policies", ""),
        ("policies", "vn-2026-04-15\n"),
        ("policies", "vn-2026-04-15,"),
        ("policies", ",vn-2026-04-15"),
        ("policies", "vn-2026-04-15, vn-decree-49-2017"),
        ("policy", "vn-2026-04-15"),
        ("face_workers", 0),
        ("face_workers", 65),
        ("request_threads", 0),
        ("no_such_setting", 1),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})
