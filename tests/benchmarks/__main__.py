"""`make bench`: run the benchmarks, print a table, write bench-report.json."""

import os
import sys

# As in tests/conftest.py, and for the same reason.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from pathlib import Path

from tests.benchmarks import (
    accesses,
    audit,
    chip,
    contacts,
    directives,
    enforcement,
    face,
    match,
    overload,
    privacy,
    registry,
    verification,
    watchers,
)
from tests.benchmarks.harness import (
    ROOT,
    Benchmark,
    NotMeasurableError,
    Run,
    print_report,
    write_report,
)

BENCHMARKS: dict[str, Run] = {
    "get_contact": contacts.get_contact,
    "batch_get_contacts": contacts.batch_get_contacts,
    "list_accesses": accesses.list_accesses,
    "complete_verification": verification.complete_verification,
    "chip_passive": chip.passive_authentication,
    "chip_passive_known_signer": chip.passive_authentication_known_signer,
    "chip_load_anchors": chip.load_anchors,
    "face_verify_large": face.verify_large,
    "face_verify_large_bf16": face.verify_large_bf16,
    "face_verify_small": face.verify_small,
    "face_verify_small_bf16": face.verify_small_bf16,
    "face_probe_720p": face.probe_720p,
    "face_probe_1080p": face.probe_1080p,
    "face_portrait_jpeg2000": face.portrait_jpeg2000,
    "face_embedder": face.embedder,
    "face_two_processes": face.two_processes,
    "import_subscriptions": registry.import_rate,
    "match_records": match.match_records,
    "link_registry": registry.link_rate,
    "registry_growth": registry.growth,
    "secrets_for_all": privacy.secrets_for_all,
    "sealing_rate": audit.sealing_rate,
    "sealing_cost": audit.sealing_cost,
    "wave": enforcement.wave,
    "enforcement_clock": enforcement.clock,
    "directives": directives.directives,
    "idle_operators": directives.idle_operators,
    "overload": overload.overload,
    "overload_heeded": overload.overload_heeded,
    "idle_watchers": watchers.idle_watchers,
    "server_memory": face.memory,
    "face_import": face.import_time,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
        return 2
    results: list[Benchmark] = []
    for name in names or list(BENCHMARKS):
        print(f"{name} …", flush=True)
        try:
            results.append(BENCHMARKS[name]())
        except NotMeasurableError as error:
            print(f"not measured: {error}")
    print_report(results)
    write_report(results, Path(ROOT, "bench-report.json"))
    return 0 if all(result.is_met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
