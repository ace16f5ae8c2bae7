"""Settings, read once.

Owns their names, defaults and limits. A setting comes from the command line or from `SUBID_…` in
the environment; nothing else of the service reads either.
"""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PORT_MAX = 65_535
DEFAULT_POLICIES = "vn-2026-04-15,vn-decree-49-2017"


def default_state() -> Path:
    """Where the service keeps its data unless told otherwise (XDG base directory)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "subid"


class Settings(BaseSettings):
    """All settings.

    Attributes:
        state: Directory of keys, certificates and the embedded database.
        database: URL of a PostgreSQL of version 15 or later; None runs the embedded one.
        key_source: Where the keys to the data are kept: `file` (`keys.json` in the state
            directory), `environment` (`key_ring`), or an installed adapter of that name.
        key_ring: The keys themselves, as a key file holds them, for `environment`.
        accept_lost_keys: Start although values are sealed with keys that are lost.
        listen: `host:port` to serve on; port 0 takes a free one.
        trust_anchors: Directory of the card authority's certificates (`*.der`, `*.cer`, `*.crt`,
            `*.pem`) and revocation lists (`*.crl`); None means `trust/` under the state directory.
        policies: Names of the policy packs that apply, with commas between: of those that come with
            the service and those in `policies/` under the state directory.
        face_workers: Processes that compare faces.
        face_model: Name of the network that compares faces.
        face_precision: Numbers the built-in network is run with; each has operating points of its
            own.
        models: Directory of installed networks; None means `models/` under the state directory.
        operating_point: File of the thresholds that faces are compared with; None takes the
            provisional one.
        operating_point_key: PEM file of the Ed25519 key that must have signed it.
        request_threads: Threads that answer calls.
        simulated_clock: Take the time from AdvanceEnforcement instead of the machine.
        backups: Directory of base backups and of the embedded database's archived log, outside of
            the state directory. Once it was named the log is archived, until `identity backup off`.
    """

    model_config = SettingsConfigDict(env_prefix="SUBID_", frozen=True, extra="forbid")

    state: Path = Field(default_factory=default_state)
    database: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    key_source: str = Field(default="file", pattern=r"^[a-z0-9][a-z0-9-]*$")
    key_ring: SecretStr | None = None
    accept_lost_keys: bool = False
    listen: str = Field(default="127.0.0.1:50551", pattern=r"^.+:[0-9]{1,5}$")
    trust_anchors: Path | None = None
    policies: str = Field(default=DEFAULT_POLICIES, pattern=r"^[a-z0-9-]+(,[a-z0-9-]+)*$")
    face_workers: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 4), ge=1, le=64)
    face_model: str = Field(default="dlib-resnet29", pattern=r"^[a-z0-9][a-z0-9-]*$")
    face_precision: Literal["fp32", "bf16"] = "fp32"
    models: Path | None = None
    operating_point: Path | None = None
    operating_point_key: Path | None = None
    request_threads: int = Field(default=12, ge=1, le=64)
    simulated_clock: bool = False
    backups: Path | None = None

    @field_validator("listen")
    @classmethod
    def _port_exists(cls, listen: str) -> str:
        # gRPC would take a larger one modulo 65,536 and serve where nobody looks.
        if int(listen.rpartition(":")[2]) > PORT_MAX:
            raise ValueError(f"a port is 0 to {PORT_MAX}")
        return listen

    @model_validator(mode="after")
    def _backups_are_elsewhere(self) -> Self:
        # What ends the one must not end the other.
        if self.backups is not None and self.backups.resolve().is_relative_to(self.state.resolve()):
            raise ValueError("backups: they must be outside of the state directory")
        return self

    @property
    def trust_directory(self) -> Path:
        """Where the card authority's certificates lie."""
        return self.trust_anchors or self.state / "trust"

    @property
    def policy_names(self) -> tuple[str, ...]:
        """The packs that apply, each in its time."""
        return tuple(dict.fromkeys(self.policies.split(",")))

    @property
    def policies_directory(self) -> Path:
        """Where an administrator's own policy packs lie."""
        return self.state / "policies"

    @property
    def models_directory(self) -> Path:
        """Where installed networks lie."""
        return self.models or self.state / "models"
