"""`make fuzz`: throw mutated files at the parsers and say what came of it.

Owns the command line and the two engines: atheris, which follows coverage and keeps what reached
new code, and Hypothesis mutations, which need nothing but the tests' own libraries. Each target
runs in a process of its own: a fuzzer does not come back.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

ENGINES = ("atheris", "hypothesis")
TARGET_NAMES = (
    *("sod", "dg1", "dg2", "dg13"),
    *("request", "policy", "columns", "progress", "key_ring", "key_set", "signed"),
)
INPUT_OCTETS_MAX = 16 * 1024
EXAMPLES_SLICE = 10_000
CORPUS_FILES_MAX = 48
"""Kept for each target: the smallest that reached new code."""


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for and print a line for each target."""
    options = _read_options(arguments)
    if options.in_process:
        return _run_one(options)
    failures = 0
    total = 0
    for name in options.targets:
        outcome = _run_child(name, options)
        failures += outcome is None
        if outcome is not None:
            total += outcome["n"]
            print(
                f"{options.engine} {name}: {outcome['n']} inputs, {outcome['refused']} refused "
                f"with a code, at most {outcome['time_s_worst'] * 1000:.1f} ms, "
                f"and {outcome['memory_octets_worst'] / 2**20:.1f} MB for one",
                flush=True,
            )
    print(f"{total} inputs in all, {failures} of {len(options.targets)} targets failed")
    return 1 if failures else 0


def _read_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGET_NAMES)
    parser.add_argument("--engine", choices=ENGINES, default="atheris")
    parser.add_argument("--runs", type=int, default=10_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add to the corpus in the tree")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--outcome", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.targets = list(options.targets) or list(TARGET_NAMES)
    return options


def _run_child(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """Fuzz one target in a process of its own; None when it failed, which it has said itself."""
    with tempfile.TemporaryDirectory(prefix="subid-fuzz-") as folder:
        outcome = Path(folder) / "outcome.json"
        command = [sys.executable, "-m", "tests.fuzz", name, "--in-process"]
        command += ["--engine", options.engine, "--runs", str(options.runs)]
        command += ["--seed", str(options.seed), "--outcome", str(outcome)]
        command += ["--keep"] if options.keep else []
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if ended.returncode != 0 or not outcome.exists():
            print(ended.stderr)
            print(f"{options.engine} {name}: FAILED with exit code {ended.returncode}")
            return None
        found: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
        return found


def _run_one(options: argparse.Namespace) -> int:
    (name,) = options.targets
    if options.engine == "atheris":
        return _run_atheris(name, options)
    return _run_hypothesis(name, options)


def _run_hypothesis(name: str, options: argparse.Namespace) -> int:
    # Imported on use: each engine runs without the other.
    from hypothesis import HealthCheck, given, seed, settings  # noqa: PLC0415 - see above
    from hypothesis import strategies as st  # noqa: PLC0415 - see above

    from tests.fuzz.chip_targets import Measurements  # noqa: PLC0415 - see above
    from tests.fuzz.targets import ALL_TARGETS  # noqa: PLC0415 - see above
    from tests.properties.biometrics.chip.mutations import (  # noqa: PLC0415 - see above
        Mutation,
        damage,
        mutations,
    )

    target, measurements = ALL_TARGETS[name], Measurements()

    def examine(octets: bytes, steps: list[Mutation]) -> None:
        target.examine(damage(octets, steps), measurements)

    inputs = given(octets=st.sampled_from(target.corpus()), steps=mutations)
    # In slices, for Hypothesis remembers every example of one run.
    for at, start in enumerate(range(0, options.runs, EXAMPLES_SLICE)):
        limits = settings(
            max_examples=min(EXAMPLES_SLICE, options.runs - start),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(options.seed + at)(limits(inputs(examine)))()
    _write(options.outcome, asdict(measurements))
    return 0


def _run_atheris(name: str, options: argparse.Namespace) -> int:
    import atheris  # noqa: PLC0415 - a dependency of `make fuzz` alone

    with atheris.instrument_imports(include=["biometrics", "asn1crypto", "identity", "joserfc"]):
        from tests.fuzz.chip_targets import (  # noqa: PLC0415 - instrumented while imported
            CORPUS,
            Measurements,
        )
        from tests.fuzz.targets import ALL_TARGETS  # noqa: PLC0415 - instrumented while imported

    target, measurements = ALL_TARGETS[name], Measurements()
    folder = Path(tempfile.mkdtemp(prefix=f"subid-fuzz-{name}-"))
    for at, octets in enumerate(target.corpus()):
        (folder / f"seed-{at:04}").write_bytes(octets)

    def examine(octets: bytes) -> None:
        target.examine(octets, measurements)
        if measurements.n == options.runs:
            _write(options.outcome, asdict(measurements))
            if options.keep:
                _keep(folder, CORPUS / name)
            # libFuzzer would leave by a crash of its own; all is written.
            os._exit(0)

    flags = [
        f"-seed={options.seed}",
        f"-max_len={INPUT_OCTETS_MAX}",
        f"-artifact_prefix={tempfile.gettempdir()}/subid-fuzz-{name}-",
        "-rss_limit_mb=0",  # measured for each input instead
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *flags, str(folder)], examine)
    atheris.Fuzz()
    return 1  # not reached: `examine` leaves


def _write(path: Path | None, outcome: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(outcome), encoding="utf-8")


def _keep(found: Path, corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    new = [path for path in found.iterdir() if not path.name.startswith("seed-")]
    room = CORPUS_FILES_MAX - len(list(corpus.iterdir()))
    for path in sorted(new, key=lambda path: (path.stat().st_size, path.name))[: max(0, room)]:
        (corpus / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
