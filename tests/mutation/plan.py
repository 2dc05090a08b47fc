"""What is mutated with which tests, and the hash that says whether it was done already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

HOUSE: Final = Path(__file__).resolve().parents[2]
CORE: Final = "core"
"""The modules that stand above the families: the step, the ledger, the view, the equations."""

_SHARED: Final = ("tests/rules/bedside.py", "tests/rules/asking.py", "tests/rules/log.py", "pyproject.toml")


def families() -> tuple[str, ...]:
    """The families of `rules/`, and the core."""
    folders = (each.parent.name for each in (HOUSE / "rules").glob("*/entries.py"))
    return (*sorted(folders), CORE)


def mutated(family: str) -> str:
    """The pattern of the files that are mutated."""
    return "rules/*.py" if family == CORE else f"rules/{family}/*.py"


def sources(family: str) -> list[Path]:
    """The files that are mutated. `*` of the tool's patterns crosses folders; this one does not."""
    folder = HOUSE / "rules" if family == CORE else HOUSE / "rules" / family
    return sorted(folder.glob("*.py"))


def tests_of(family: str) -> list[str]:
    """The tests that must notice: those of the family, or everything under tests/rules for the core."""
    return ["tests/rules"] if family == CORE else [f"tests/rules/{family}"]


def hash_of(family: str, tool: str) -> str:
    """Over everything that could change the score: the family, what it stands on, its tests, the policies, the tool."""
    stands_on = sorted((HOUSE / "rules").glob("*.py"))
    policies = sorted((HOUSE / "rules" / "policy").iterdir())
    words = sorted((HOUSE / "schemas").rglob("*.py")) + sorted((HOUSE / "schemas" / "codes").glob("*.yaml"))
    tested = [each for place in tests_of(family) for each in sorted((HOUSE / place).rglob("*.py"))]
    shared = [HOUSE / name for name in _SHARED]
    own = [HOUSE / "tests" / "mutation" / name for name in ("plan.py", "score.py")]
    return _digest([*sources(family), *stands_on, *policies, *words, *tested, *shared, *own], tool)


def _digest(paths: Iterable[Path], tool: str) -> str:
    digest = hashlib.sha256(tool.encode())
    for path in dict.fromkeys(paths):
        if path.is_file():
            digest.update(path.relative_to(HOUSE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
