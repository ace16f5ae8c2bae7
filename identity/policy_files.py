"""Policy packs in files: those that come with the service, and an administrator's own.

Owns where packs lie and which of them apply. What a pack may say is `identity.domain`'s.
"""

from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
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
    built_in = _built_in(name)
    own = None if directory is None else directory / f"{name}{_SUFFIX}"
    if own is None or not own.exists():
        if not built_in.is_file():
            place = "" if directory is None else f", nor in {directory}"
            raise FileNotFoundError(f"no pack {name} comes with the service{place}")
        return parse_policy_pack(built_in.read_text(encoding="utf-8"))
    if built_in.is_file():
        raise PolicyPackError(f"{own}: a pack of this name comes with the service: give it another")
    return read_pack(own)


def read_pack(path: Path) -> PolicyPack:
    """A pack from any file.

    Raises:
        OSError: It cannot be read.
        PolicyPackError: It is broken, or its version is not the file's name; the message names the
            file and the place.
    """
    try:
        # Some editors put a byte order mark before the first line, which TOML does not know.
        pack = parse_policy_pack(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # PolicyPackError, or bytes that are no UTF-8
        raise PolicyPackError(f"{path}: {error}") from error
    if path.name != f"{pack.version}{_SUFFIX}":
        raise PolicyPackError(
            f"{path}: its version is {pack.version}, so its name must be {pack.version}{_SUFFIX}"
        )
    return pack


def load_policies(settings: Settings, *, more: Sequence[PolicyPack] = ()) -> PolicyBook:
    """The packs that the settings choose, and all others, which stored cases may name.

    Args:
        settings: The settings.
        more: Packs that would apply too, each in the place of its namesake in the directory.

    Raises:
        FileNotFoundError: There is none of a chosen name.
        PolicyPackError: One is broken, or they do not go together.
    """
    directory = settings.policies_directory
    given = {pack.version for pack in more}
    chosen = [name for name in settings.policy_names if name not in given]
    others = sorted(_names(directory) - given - set(chosen))
    for pack in more:
        _refuse_replaced(pack)
    return PolicyBook(
        [*(load_policy(name, directory=directory) for name in chosen), *more],
        past=[load_policy(name, directory=directory) for name in others],
    )


def _refuse_replaced(pack: PolicyPack) -> None:
    """A pack that comes with the service may be named, and not be another under its name."""
    if _built_in(pack.version).is_file() and load_policy(pack.version).digest != pack.digest:
        raise PolicyPackError(f"a pack {pack.version} comes with the service: give it another name")


def _built_in(name: str) -> Traversable:
    return resources.files("identity.policies") / f"{name}{_SUFFIX}"


def _names(directory: Path) -> set[str]:
    built_in = {each.name for each in resources.files("identity.policies").iterdir()}
    own = {each.name for each in directory.glob(f"*{_SUFFIX}")} if directory.is_dir() else set()
    names = (name for name in built_in | own if name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX) for name in names}
