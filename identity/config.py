"""Settings, read once.

Owns their names, defaults and limits. A setting comes from the command line, from `SUBID_…` in the
environment, or from one file (`identity.config_file`); nothing else of the service reads any.
"""

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PORT_MAX = 65_535
DEFAULT_POLICIES = "vn-2026-04-15,vn-decree-49-2017"

DISK_RESERVE_MB = 1024
"""Free space under which the state directory counts as full. PostgreSQL stops when its log finds
none: this is a quarter of the log that the embedded one may keep (`max_wal_size`), so an
administrator hears of it some checkpoints before."""

DISK_RESERVE_MAX_MB = 1 << 30
"""A pebibyte."""


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
        server_names: DNS names and addresses, with commas between, that the server's certificate
            has beyond those of the machine itself.
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
        request_threads: Threads that answer calls. More of them keep Python's lock from the event
            loop, which then refuses late: with 12, asked for twice what could be done, refusals
            took 1.3 s (median, n = 228), with 4 they took 10 ms (n = 458), for as much done (two
            cores, each with its database beside it). A database far away is worth more of them.
        simulated_clock: Take the time from AdvanceEnforcement instead of the machine.
        metrics_listen: `host:port` to serve Prometheus metrics on; None serves none.
        metrics_beyond_loopback: Serve them on other addresses than this machine's own too. They
            hold no personal data, and nobody is asked for a certificate.
        traces_endpoint: URL that traces are sent to, by OTLP over HTTP; None makes none.
        backups: Directory of base backups and of the embedded database's archived log, outside of
            the state directory. Once it was named the log is archived, until `identity backup off`.
        disk_reserve_mb: Free space under which the state directory counts as full, in MiB.
    """

    model_config = SettingsConfigDict(env_prefix="SUBID_", frozen=True, extra="forbid")

    state: Path = Field(default_factory=default_state)
    database: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    key_source: str = Field(default="file", pattern=r"^[a-z0-9][a-z0-9-]*$")
    key_ring: SecretStr | None = None
    accept_lost_keys: bool = False
    listen: str = Field(default="127.0.0.1:50551", pattern=r"^.+:[0-9]{1,5}$")
    server_names: str = Field(default="", pattern=r"^([A-Za-z0-9.:-]+(,[A-Za-z0-9.:-]+)*)?$")
    trust_anchors: Path | None = None
    policies: str = Field(default=DEFAULT_POLICIES, pattern=r"^[a-z0-9-]+(,[a-z0-9-]+)*$")
    face_workers: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 4), ge=1, le=64)
    face_model: str = Field(default="dlib-resnet29", pattern=r"^[a-z0-9][a-z0-9-]*$")
    face_precision: Literal["fp32", "bf16"] = "fp32"
    models: Path | None = None
    operating_point: Path | None = None
    operating_point_key: Path | None = None
    request_threads: int = Field(default=4, ge=1, le=64)
    simulated_clock: bool = False
    metrics_listen: str | None = Field(default=None, pattern=r"^.+:[0-9]{1,5}$")
    metrics_beyond_loopback: bool = Field(default=False, validate_default=True)
    traces_endpoint: str | None = Field(default=None, pattern=r"^https?://[^@/?#]+(/[^?#]*)?$")
    backups: Path | None = None
    disk_reserve_mb: int = Field(default=DISK_RESERVE_MB, ge=0, le=DISK_RESERVE_MAX_MB)

    @field_validator(
        "state",
        "trust_anchors",
        "models",
        "operating_point",
        "operating_point_key",
        "backups",
        mode="before",
    )
    @classmethod
    def _names_a_place(cls, path: object) -> object:
        # Nothing would be wherever a command is run, and no name of a file has a NUL in it.
        if path is not None and (not str(path) or "\0" in str(path)):
            raise ValueError("it must name a place: not empty, without a NUL")
        return path

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _port_exists(cls, listen: str | None) -> str | None:
        # gRPC would take a larger one modulo 65,536 and serve where nobody looks.
        if listen is not None and int(listen.rpartition(":")[2]) > PORT_MAX:
            raise ValueError(f"a port is 0 to {PORT_MAX}")
        return listen

    @field_validator("metrics_beyond_loopback")
    @classmethod
    def _is_said(cls, may_leave: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's form
        listen = info.data.get("metrics_listen")
        if listen is not None and not may_leave and not is_loopback(listen):
            raise ValueError("metrics_listen names another address than loopback: say so here")
        return may_leave

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
    def server_host_names(self) -> tuple[str, ...]:
        """Names of the server beyond the machine's own."""
        return tuple(filter(None, self.server_names.split(",")))

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


def is_loopback(address: str) -> bool:
    """Whether `host:port` can be reached from this machine only."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
