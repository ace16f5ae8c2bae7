"""Reading from a pack's TOML what holds abuse back: failures, photographs, look-ups.

Owns the keys of these sections and their bounds. What they mean is said where they are used.
"""

from datetime import timedelta

from identity.domain.lookup_watch import LookupPolicy
from identity.domain.policy_section import Section
from identity.domain.probe_replay import ProbePolicy
from identity.domain.throttle import ThrottlePolicy

# At most what NIST SP 800-63B-4, 3.2.3, allows; a wait of at least what it demands.
_THROTTLE_BOUNDS = {
    "free_failures": (1, 5),
    "first_wait_s": (30, 3_600),
    "wait_max_s": (30, 86_400),
    "failures_max": (2, 50),
    "closed_days": (1, 366),
}
_PROBE_DAYS_MAX = 3_660
_JUDGED_FROM_MAX = 1_000_000

THROTTLE_KEYS = frozenset(_THROTTLE_BOUNDS)
PROBE_KEYS = frozenset({"kept_days"})
LOOKUP_KEYS = frozenset({"unknown_share_max", "sequential_share_max", "judged_from"})


def throttle_of(section: Section) -> ThrottlePolicy:
    """How long verifications that fail in a row make the next one wait."""
    found = {key: section.whole(key, *bounds) for key, bounds in _THROTTLE_BOUNDS.items()}
    if found["wait_max_s"] < found["first_wait_s"]:
        raise section.fault("wait_max_s", " must not be less than first_wait_s")
    if found["failures_max"] <= found["free_failures"]:
        raise section.fault("failures_max", " must be more than free_failures")
    return ThrottlePolicy(
        free_failure_count=found["free_failures"],
        first_wait=timedelta(seconds=found["first_wait_s"]),
        wait_max=timedelta(seconds=found["wait_max_s"]),
        failure_count_max=found["failures_max"],
        closed_for=timedelta(days=found["closed_days"]),
    )


def probes_of(section: Section) -> ProbePolicy:
    """How long photographs are known again."""
    return ProbePolicy(kept=timedelta(days=section.whole("kept_days", 1, _PROBE_DAYS_MAX)))


def lookups_of(section: Section) -> LookupPolicy:
    """When callers that ask about nobody are stopped."""
    return LookupPolicy(
        unknown_share_max=section.share("unknown_share_max"),
        sequential_share_max=section.share("sequential_share_max"),
        judged_from=section.whole("judged_from", 1, _JUDGED_FROM_MAX),
    )
