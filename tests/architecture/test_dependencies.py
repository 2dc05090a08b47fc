"""What the project leans on is declared, explained and locked, and the files that say so agree."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROOMS = ("schemas", "rules", "streams")
#: Brought and pinned by faust-streaming, whose manners include theirs.
PART_OF_THE_ENGINE = {"aiokafka", "mode-streaming", "rocksdict"}


def name_of(requirement: str) -> str:
    """`Faust_Streaming[rocksdict]==1` to `faust-streaming`, the normal form of PyPI names."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


RUN_TIME = {name_of(each) for each in PROJECT["dependencies"]}
EXTRA_BROKER = {name_of(each) for each in PROJECT["optional-dependencies"]["broker"]}


def locked(name: str) -> dict[str, str]:
    """Package to version."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return {name_of(found[1]): found[2] for found in re.finditer(r"^([^\s#=]+)==([^\s;\\]+)", text, re.MULTILINE)}


def imported(room: str) -> Iterator[tuple[str, Path]]:
    """Every top-level module that a room imports, wherever in a file."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], path


def test_every_run_time_dependency_has_its_reason_in_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == RUN_TIME


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_of_another_package_is_declared(room: str) -> None:
    distributions = packages_distributions()
    declared = RUN_TIME | PART_OF_THE_ENGINE | (EXTRA_BROKER if room == "streams" else set())
    undeclared = {
        f"{path.relative_to(ROOT)}: {module}"
        for module, path in imported(room)
        if module not in sys.stdlib_module_names
        and module not in ROOMS
        and not {name_of(each) for each in distributions.get(module, ())} & declared
    }
    assert not undeclared


@pytest.mark.parametrize("name", ["run", "laptop", "dev", "build", "lock", "mutation"])
def test_a_lock_has_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    versions = locked(name)
    assert versions
    assert text.count("--hash=sha256:") >= len(versions)
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|-e)\b", text, re.MULTILINE)


def test_the_locks_agree_and_hold_what_the_project_declares() -> None:
    run, laptop, dev = locked("run"), locked("laptop"), locked("dev")
    assert run.items() <= laptop.items() <= dev.items()
    assert locked("build").items() <= laptop.items()
    assert run.keys() >= RUN_TIME
    assert laptop.keys() >= EXTRA_BROKER
    assert dev.keys() >= {name_of(each) for each in PROJECT["optional-dependencies"]["dev"]} - {"myelowatch"}
