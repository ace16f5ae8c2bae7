"""What is looked at in files: keys, callers, anchors, packs, networks, backups and the disk.

Owns which of them are looked at and the bounds of what is well, but for callers and backups. Reads
only, and makes nothing: not even the files that a first start would make.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from identity.audit.key_chain import KEY_FILE, read_key_file
from identity.bootstrap import key_source, load_proven_face_setup
from identity.config import Settings
from identity.doctor_backups import look_at_backups
from identity.doctor_callers import LIST_HOURS_MIN, CallerDoctor
from identity.domain.policy_book import PolicyBook, Rules
from identity.finding import Finding, Look, failed, ok, warning
from identity.policy_files import load_policies
from identity.services.trust_store import LoadedTrust, load_trust
from identity.state_directory import free_bytes

ANCHOR_DAYS_MIN = 90
"""The same of a card authority: its successor is asked for in another house."""

FREE_FACTOR = 4
"""Below so many times the reserve the disk is told of before it counts as full."""


@dataclass(frozen=True)
class FileDoctor:
    """Looks at files.

    Attributes:
        settings: The settings.
        at: The present.
        callers: Directory of callers' certificates, if any is to be looked at.
    """

    settings: Settings
    at: datetime
    callers: Path | None = None

    @cached_property
    def policies(self) -> PolicyBook:
        """The packs that apply.

        Raises:
            OSError: One is missing.
            PolicyPackError: One is broken, or they do not go together.
        """
        return load_policies(self.settings)

    @property
    def rules(self) -> Rules:
        """What applies now; raises as `policies`."""
        return self.policies.at(self.at)

    def looks(self) -> Iterator[Look]:
        """Everything that is looked at, in the order in which the service needs it."""
        state = self.settings.state
        yield (
            "keys",
            self.keys,
            f"restore the keys from their backup, or chmod 600 {state}/keys.json",
        )
        yield "audit-key", self.audit_key, f"restore {state}/{KEY_FILE} from its backup"
        yield from CallerDoctor(self.settings, self.at, self.callers).looks()
        yield "trust", self.trust, "see `identity trust list`"
        yield "policies", self.packs, "see `identity policy check`"
        yield (
            "face-model",
            self.face_model,
            "see `biometrics models verify` and SUBID_OPERATING_POINT",
        )
        yield "backups", self.backups, "see the directory that `backups` names"
        yield "disk", self.disk, "see the disk that the state directory lies on"

    def keys(self) -> Finding:
        """Whether the key ring is there, whole, and its owner's alone."""
        source = key_source(self.settings)
        ring = source.read()
        if ring is None:
            return warning(
                "keys",
                f"{source.name} holds no keys yet",
                "none are needed before the first start, which makes them; later, restore them",
            )
        return ok("keys", f"{source.name} holds {len(ring.sealing)}, {ring.active_id} is active")

    def trust(self) -> Finding:
        """Whether any card could pass, and for how long."""
        name, profile = "trust", self.rules.verification.trust_profile
        loaded = load_trust(self.settings.trust_directory)
        if not loaded.can_pass(profile, self.at):
            return failed(
                name,
                f"no card can pass by {profile}: it has no anchor, or no current revocation list",
                "see `identity trust list`, and import what is missing",
            )
        if ending := loaded.ending(self.at, within_days=ANCHOR_DAYS_MIN):
            days = round(ending[0].days_left(self.at))
            return warning(
                name,
                f"an anchor of {ending[0].profile} ends, or stops signing, in {days} days",
                "ask its authority for the next one",
            )
        return self._of_lists(loaded)

    def _of_lists(self, loaded: LoadedTrust) -> Finding:
        soon = self.at + timedelta(hours=LIST_HOURS_MIN)
        lists = loaded.lists()
        for status in lists:
            if not (status.is_signed and status.crl.is_current(soon)):
                return warning(
                    "trust",
                    f"a revocation list of {status.profile} runs out within {LIST_HOURS_MIN} hours,"
                    " has run out, or is signed by no anchor",
                    "import a new one with `identity trust import-crl`",
                )
        oldest = max((status.age_days(self.at) for status in lists), default=0.0)
        count = len(loaded.store.anchors())
        return ok("trust", f"{count} anchors; the oldest revocation list is of {oldest:.1f} days")

    def packs(self) -> Finding:
        """Whether the policy packs that are chosen can be used together."""
        chosen = [pack.version for pack in self.policies.chosen]
        return ok("policies", f"{', '.join(chosen)} apply")

    def face_model(self) -> Finding:
        """Whether the network that compares faces is the one that the thresholds were set for."""
        setup = load_proven_face_setup(self.settings, self.rules)
        setup.make_engine().warm_up()
        return ok(
            "face-model", f"{setup.model} at {setup.precision}, digest {setup.model_digest[:16]}…"
        )

    def audit_key(self) -> Finding:
        """Whether the key that the audit log is signed with is there, and its owner's alone."""
        name, path = "audit-key", self.settings.state / KEY_FILE
        if not path.exists():
            return warning(
                name,
                f"{path} is not there",
                "the first start makes it; later, restore it from its backup",
            )
        read_key_file(path)
        return ok(name, f"{path} holds one")

    def backups(self) -> Finding:
        """How old the newest whole backup is."""
        return look_at_backups(self.settings, self.at)

    def disk(self) -> Finding:
        """How much may still be written."""
        name, state = "disk", self.settings.state
        free, reserve = free_bytes(_existing(state)) >> 20, self.settings.disk_reserve_mb
        said = f"{free:,} MiB are free where {state} lies"
        todo = "make room: PostgreSQL stops when it cannot write"
        if free < reserve:
            return failed(name, f"{said}, less than the reserve of {reserve:,}", todo)
        return warning(name, said, todo) if free < FREE_FACTOR * reserve else ok(name, said)


def _existing(directory: Path) -> Path:
    """The directory, or the nearest above it that is there."""
    return next(
        each for each in (directory.absolute(), *directory.absolute().parents) if each.exists()
    )
