"""Policy packs in files: those that come with the service, and an administrator's own.

Owns where packs lie and which of them apply. What a pack may say is `identity.domain`'s.
"""

from importlib import resources
from pathlib import Path

from identity.config import Settings
from identity.domain.policy import PolicyPack, PolicyPackError
from identity.domain.policy_book import PolicyBook
from identity.domain.policy_text import parse_policy_pack

_SUFFIX = ".toml"


def load_policy(name: str, *, directory: Path | None = None) -> PolicyPack:
    """A policy pack by its name.

    Args:
        name: One that comes with the service, or one of the directory.
        directory: Where an administrator's own packs lie.

    Raises:
        FileNotFoundError: There is none of this name.
        PolicyPackError: It is broken, or names another version than its file: a stored verdict
            finds its policy by the version.
    """
    built_in = resources.files("identity.policies") / f"{name}{_SUFFIX}"
    own = None if directory is None else directory / f"{name}{_SUFFIX}"
    if own is None or not own.exists():
        return parse_policy_pack(built_in.read_text(encoding="utf-8"))
    if built_in.is_file():
        raise PolicyPackError(f"{own}: a pack of this name comes with the service: give it another")
    pack = read_pack(own)
    if pack.version != name:
        raise PolicyPackError(f"{own}: its version is {pack.version}, and must be {name}")
    return pack


def read_pack(path: Path) -> PolicyPack:
    """A pack from any file.

    Raises:
        OSError: It cannot be read.
        PolicyPackError: It is broken; the message names the file and the place.
    """
    try:
        return parse_policy_pack(path.read_text(encoding="utf-8"))
    except ValueError as error:  # PolicyPackError, or bytes that are no UTF-8
        raise PolicyPackError(f"{path}: {error}") from error


def load_policies(settings: Settings) -> PolicyBook:
    """The packs that the settings choose, and all others, which stored cases may name.

    Raises:
        FileNotFoundError: There is none of a chosen name.
        PolicyPackError: One is broken, or they do not go together.
    """
    directory = settings.policies_directory
    chosen = settings.policy_names
    others = sorted(_names(directory) - set(chosen))
    return PolicyBook(
        [load_policy(name, directory=directory) for name in chosen],
        past=[load_policy(name, directory=directory) for name in others],
    )


def _names(directory: Path) -> set[str]:
    built_in = {each.name for each in resources.files("identity.policies").iterdir()}
    own = {each.name for each in directory.glob(f"*{_SUFFIX}")} if directory.is_dir() else set()
    names = (name for name in built_in | own if name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX) for name in names}
