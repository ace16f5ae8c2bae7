"""Fails when a name that we give, in code or contract, uses a word that has a better one.

Names are split into words (`decisionThreshold`, `decision_threshold`), and the lists in
`pyproject.toml`, [tool.subid.vocabulary], are matched against them, several words in a row too.
Only definitions count: a library's name is the library's.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("identity", "biometrics", "telco_sim", "tests")
Avoided = Mapping[tuple[str, ...], str]
Named = tuple[Path, int, str]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_PROTO_NAME = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b")
_PROTO_PROSE = re.compile(r"//[^\n]*|\"[^\"\n]*\"")


def main() -> int:
    """Check every file, definition and proto of ours."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = table["tool"]["subid"]["vocabulary"]
    found = [
        *faults(_file_names(), _as_words(lists["files"]), allowed={}),
        *faults(_defined_names(), _as_words(lists["names"]), allowed=lists["allowed"]),
    ]
    print("\n".join(found) or f"vocabulary: {len(lists['names'])} words avoided everywhere")
    return 1 if found else 0


def faults(names: Iterator[Named], avoided: Avoided, *, allowed: Mapping[str, str]) -> list[str]:
    """A line for each name that should be another."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {name}: say {instead}"
        for path, line, name in names
        if name not in allowed and (instead := better(name, avoided))
    ]


def better(name: str, avoided: Avoided) -> str:
    """What to say instead of a name; empty when it is fine."""
    parts = words(name)
    for avoid, instead in avoided.items():
        width = len(avoid)
        if any(tuple(parts[i : i + width]) == avoid for i in range(len(parts) - width + 1)):
            return instead
    return ""


def words(name: str) -> Sequence[str]:
    """The lower-case words of a name."""
    return [word.lower() for word in _WORD.findall(name)]


def _as_words(table: Mapping[str, str]) -> Avoided:
    return {tuple(name.split("_")): instead for name, instead in table.items()}


def _file_names() -> Iterator[Named]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py" or path.is_dir():
                yield path, 0, path.stem


def _defined_names() -> Iterator[Named]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = _defined(node)
                if name:
                    yield path, getattr(node, "lineno", 0), name
    for path in sorted((ROOT / "protos" / "subid").rglob("*.proto")):
        yield from _proto_names(path)


def _defined(node: ast.AST) -> str:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.arg():
            return node.arg
        case ast.Name(ctx=ast.Store()):
            return node.id
        case ast.Attribute(ctx=ast.Store()):
            return node.attr
        case _:
            return ""


def _proto_names(path: Path) -> Iterator[Named]:
    text = _PROTO_PROSE.sub("", path.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _PROTO_NAME.finditer(line):
            yield path, number, match.group()


if __name__ == "__main__":
    sys.exit(main())
