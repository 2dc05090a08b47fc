"""`python -m tests.mutation`: plant mistakes into the rules, family by family, and see whether the tests notice.

Works on a copy of the tree, in an environment of its own (`make mutation` makes it). A family whose files,
tests and policies are as they were is not run again. Writes `results/mutation.json`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import yaml

from tests.mutation.plan import CORE, HOUSE, families, hash_of, mutated, sources, tests_of
from tests.mutation.score import Score, read_mutants, tally
from tests.results import FOLDER, commit, write_results

GOAL: Final = 90.0
_COPIED: Final = ("rules", "schemas", "streams", "tests", "docs", "deploy", "pyproject.toml")
_REASONS: Final = Path(__file__).with_name("reasons.yaml")


def main() -> int:
    """Run what was asked for; 1 if a family is below the goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--family", action="append", choices=families(), help="only this one; may be repeated")
    parser.add_argument("--mutmut", default="mutmut", help="the command of the tool")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--again", action="store_true", help="run also what is as it was")
    parser.add_argument("--no-goal", action="store_true", help=f"report, and do not fail below {GOAL} percent")
    arguments = parser.parse_args()
    tool = subprocess.run(
        [arguments.mutmut, "--version"], capture_output=True, text=True, cwd=_neutral()
    ).stdout.strip()
    known = _known()
    for family in arguments.family or families():
        now = hash_of(family, tool)
        held = known.get(family, {})
        if held.get("source_hash") == now and not arguments.again:
            print(f"{family:14} {held['score_percent']:5} %  as it was ({held['counted']} mutants)")
            continue
        began = time.monotonic()
        score = _run(family, arguments.mutmut, arguments.jobs)
        known[family] = {
            "source_hash": now,
            "commit": commit(),
            "seconds": round(time.monotonic() - began),
            **score.as_json(),
        }
        write_results("mutation", tool=tool, goal_percent=GOAL, families=dict(sorted(known.items())))
        print(
            f"{family:14} {score.percent:5} %  {score.noticed} of {score.counted} noticed, "
            f"{score.wording} that change only wording left out"
        )
    below = {
        family: row["score_percent"]
        for family, row in known.items()
        if family in (arguments.family or families()) and row["score_percent"] < GOAL
    }
    for family, percent in below.items():
        print(f"{family}: {percent} % is below {GOAL} %; results/mutation.json lists what survived.", file=sys.stderr)
    return 1 if below and not arguments.no_goal else 0


def _known() -> dict[str, Any]:
    path = FOLDER / "mutation.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))["families"]) if path.is_file() else {}


def _neutral() -> Path:
    """A folder with a configuration: the tool refuses to say its version without one."""
    folder = HOUSE / ".myelowatch" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "setup.cfg").write_text("[mutmut]\nsource_paths=.\n", encoding="utf-8")
    return folder


def _run(family: str, mutmut: str, jobs: int) -> Score:
    work = HOUSE / ".myelowatch" / "mutation" / family
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        if (HOUSE / name).is_dir():
            shutil.copytree(HOUSE / name, work / name, ignore=ignored)
        else:
            shutil.copy(HOUSE / name, work / name)
    (work / "setup.cfg").write_text(_configuration(family), encoding="utf-8")
    log = work / "log.txt"
    with log.open("wb") as stream:
        done = subprocess.run([mutmut, "run", "--max-children", str(jobs)], cwd=work, stdout=stream, stderr=stream)
    mutants = read_mutants(work, [path.relative_to(HOUSE).as_posix() for path in sources(family)])
    unchecked = sum(each.outcome == "not checked" for each in mutants)
    if not mutants or unchecked:
        end = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n")[-2000:]
        raise SystemExit(f"{family}: the tool ended with {done.returncode} and left {unchecked} unchecked.\n{end}")
    reasons = yaml.safe_load(_REASONS.read_text(encoding="utf-8"))["reasons"] or {}
    return tally(mutants, reasons)


def _configuration(family: str) -> str:
    others = [name for name in _COPIED if name != "rules"]
    # The tool's `*` crosses folders: for the core the families are named as what is left alone.
    spared = [] if family != CORE else [f"rules/{other}/*.py" for other in (*families(), "policy") if other != CORE]
    return "\n".join(
        [
            "[mutmut]",
            "source_paths=rules",
            f"only_mutate={mutated(family)}",
            *(["do_not_mutate=", *(f"    {each}" for each in spared)] if spared else []),
            "also_copy=",
            *(f"    {name}" for name in others),
            "pytest_add_cli_args=",
            "    -p",
            "    no:cacheprovider",
            "pytest_add_cli_args_test_selection=",
            *(f"    {place}" for place in tests_of(family)),
            # A whole sentence is not mutated at all: most of the mutants it would give change only words.
            "do_not_mutate_patterns=",
            r"    ^\s*(title|message)=",
            r'    ^\s*f?"',
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
