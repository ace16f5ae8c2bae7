"""The file of settings: what it may say, who may read it, and which source wins."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.config import Settings
from identity.config_file import (
    COMMAND_LINE,
    DEFAULT,
    ENVIRONMENT,
    FILE_BYTES_MAX,
    MASK,
    SettingsError,
    load_settings,
    read_settings_file,
    unread_variables,
)

PASSWORD = "geheim:@/x"  # noqa: S105 - what must not be shown


def written(path: Path, text: str, *, mode: int = 0o644) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def fault_of(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings({}, file=path)
    return str(caught.value)


def test_the_command_line_goes_before_the_environment_the_file_and_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'listen = "127.0.0.1:1"\nface_workers = 1\nrequest_threads = 1\n'
    path = written(tmp_path / "subid.toml", text)
    monkeypatch.setenv("SUBID_FACE_WORKERS", "2")
    monkeypatch.setenv("subid_request_threads", "2")
    loaded = load_settings({"request_threads": 3}, file=path)
    settings = loaded.settings
    assert (settings.listen, settings.face_workers, settings.request_threads) == (
        "127.0.0.1:1",
        2,
        3,
    )
    names = ("listen", "face_workers", "request_threads", "simulated_clock")
    origins = [loaded.origins[name] for name in names]
    assert origins == [str(path), ENVIRONMENT, COMMAND_LINE, DEFAULT]


@pytest.mark.parametrize("variable", ["SUBID_CONFIG", "subid_config"])
def test_the_environment_names_the_file_and_the_command_line_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    named = written(tmp_path / "named.toml", "face_workers = 1")
    other = written(tmp_path / "other.toml", "face_workers = 3")
    monkeypatch.setenv(variable, str(named))
    assert load_settings({}).settings.face_workers == 1
    assert load_settings({}, file=other).settings.face_workers == 3
    monkeypatch.setenv(variable, "")
    assert load_settings({}).file is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('listn = "x"', "listn: there is no such setting; do you mean listen?"),
        ("[server]\nx = 1", "server: there is no such setting"),
        ('face_workers = "4"', "face_workers: Input should be a valid integer"),
        ("face_workers = 4.0", "face_workers: Input should be a valid integer"),
        ("face_workers = true", "face_workers: Input should be a valid integer"),
        ('simulated_clock = "yes"', "simulated_clock: Input should be a valid boolean"),
        ("simulated_clock = 1", "simulated_clock: Input should be a valid boolean"),
        ("state = 1", "state: Input"),
        ("listen = ['a']", "listen: Input should be a valid string"),
        ("face_workers = 65", "face_workers: Input should be less than or equal to 64"),
        ('listen = "127.0.0.1:65536"', "listen: a port is 0 to 65535"),
        ('metrics_listen = "0.0.0.0:1"', "another address than loopback"),
        ('traces_endpoint = "http://user:x@host/"', "traces_endpoint: String should match"),
        ("face_workers", "Expected '='"),
        ("face_workers = 1\nface_workers = 1", "overwrite"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_key_and_its_file(
    tmp_path: Path, text: str, said: str
) -> None:
    path = written(tmp_path / "subid.toml", text, mode=0o600)
    told = fault_of(path)
    assert "\n" not in told
    assert said in told
    assert str(path) in told or "metrics_beyond_loopback" in told


def test_a_fault_of_the_environment_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "subid.toml", "face_workers = 1")
    monkeypatch.setenv("SUBID_FACE_WORKERS", "0")
    assert fault_of(path) == "face_workers: Input should be greater than or equal to 1"


def test_what_is_no_readable_regular_file_is_told(tmp_path: Path) -> None:
    pipe, large, octets = tmp_path / "pipe", tmp_path / "large", tmp_path / "octets"
    os.mkfifo(pipe)
    large.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    octets.write_bytes(b"\xff")
    assert fault_of(pipe) == f"{pipe}: no regular file"
    assert fault_of(large) == f"{large}: larger than it can be"
    assert fault_of(octets) == f"{octets}: not UTF-8"
    assert fault_of(tmp_path) == f"{tmp_path}: Is a directory"
    absent = tmp_path / "absent"
    assert fault_of(absent) == f"{absent}: No such file or directory"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key_ring", "anything"),
        ("database", "postgresql://subid:secret@host/subid"),
        ("database", "postgresql://host/subid?user=subid&password=secret"),
    ],
)
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644])
def test_a_secret_that_others_may_read_is_refused_and_not_shown(
    tmp_path: Path, name: str, value: str, mode: int
) -> None:
    path = written(tmp_path / "subid.toml", f'{name} = "{value}"', mode=mode)
    assert fault_of(path) == (f"{path}: {name}: a secret that others may read: chmod 600 the file")
    path.chmod(0o600)
    assert load_settings({}, file=path).origins[name] == str(path)


def test_a_file_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    text = 'database = "postgresql://host/subid"\nface_workers = 1\n'
    assert read_settings_file(written(tmp_path / "subid.toml", text))["face_workers"] == 1


def test_secrets_are_not_shown() -> None:
    url = f"postgresql://subid:{PASSWORD}@host/subid?password={PASSWORD}"
    shown = load_settings({"database": url, "key_ring": PASSWORD}).shown()
    assert shown["key_ring"] == MASK
    assert shown["database"].startswith(f"postgresql://subid:{MASK}@host/subid")
    assert PASSWORD not in str(shown)
    assert shown.keys() == Settings.model_fields.keys()


def test_variables_that_are_misspelt_are_named() -> None:
    names = ["SUBID_LISTEN", "SUBID_LISTN", "subid_config", "PATH", "subid_x"]
    assert unread_variables(names) == ["SUBID_LISTN", "subid_x"]


@given(content=st.binary(max_size=300))
def test_no_file_does_anything_but_be_read_or_be_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        read_settings_file(path)
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017 - refusing is one of two good ends


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "subid.toml", "face_workers = 1", mode=mode)
    assert fault_of(path) == f"{path} can be written by others: chmod go-w"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_file_in_a_directory_that_others_can_write_in_is_refused(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = written(folder / "subid.toml", "face_workers = 1")
    linked = tmp_path / "linked.toml"
    linked.symlink_to(path)
    folder.chmod(mode)
    for each in (path, linked):
        assert fault_of(each) == f"{folder} can be written by others: chmod go-w"
    folder.chmod(0o1777)  # as /tmp: only owners replace files
    assert load_settings({}, file=path).settings.face_workers == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_or_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = written(folder / "subid.toml", "face_workers = 1")
    for each in (path, folder):
        os.chown(each, 65_534, -1)  # `nobody`, by custom
        assert fault_of(path) == f"{each} belongs to somebody else: chown it"
        os.chown(each, 0, -1)
    assert load_settings({}, file=path).settings.face_workers == 1
