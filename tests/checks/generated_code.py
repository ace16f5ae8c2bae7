"""Fails when the committed generated code is not what the protos generate."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "protos" / "gen"


def main() -> int:
    """Generate anew and compare file by file."""
    with tempfile.TemporaryDirectory() as directory:
        fresh = Path(directory)
        command = ["make", "--no-print-directory", "-s", "protos", f"PROTOS_OUT={fresh}"]
        subprocess.run(command, cwd=ROOT, check=True)
        expected = _files(fresh)
        committed = _files(COMMITTED)
        stale = sorted(expected ^ committed)
        _, differing, broken = filecmp.cmpfiles(
            fresh, COMMITTED, [str(path) for path in expected & committed], shallow=False
        )
    wrong = [*map(str, stale), *differing, *broken]
    for path in wrong:
        print(f"protos/gen/{path} is not what the protos generate: run `make protos`")
    return 1 if wrong else 0


def _files(directory: Path) -> set[Path]:
    return {path.relative_to(directory) for path in directory.rglob("*.py*") if path.is_file()} - {
        path.relative_to(directory) for path in directory.rglob("__pycache__/*")
    }


if __name__ == "__main__":
    sys.exit(main())
