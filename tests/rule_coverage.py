"""`python -m tests.rule_coverage`: lines and branches of `rules/` that its own tests run, family by family."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HOUSE: Final = Path(__file__).resolve().parents[1]
CORE: Final = "core"


@dataclass
class Covered:
    """Counts of one family."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    def add(self, summary: dict[str, Any]) -> None:
        """One file more."""
        self.lines += summary["num_statements"]
        self.lines_run += summary["covered_lines"]
        self.branches += summary.get("num_branches", 0)
        self.branches_run += summary.get("covered_branches", 0)

    @property
    def percent(self) -> float:
        """Lines and branches together, rounded down: 99.99 is not 100."""
        every = self.lines + self.branches
        return int(10_000 * (self.lines_run + self.branches_run) / every) / 100 if every else 100.0


def by_family(report: dict[str, Any]) -> dict[str, Covered]:
    """The figures of a coverage report by folder of `rules/`; modules that stand above the folders are the core."""
    found: dict[str, Covered] = defaultdict(Covered)
    for file, row in report["files"].items():
        parts = Path(file).parts
        found[parts[1] if len(parts) > 2 else CORE].add(row["summary"])
    return dict(sorted(found.items()))


def missing(report: dict[str, Any]) -> list[str]:
    """Every line and branch that no test runs."""
    out = []
    for file, row in sorted(report["files"].items()):
        out += [f"{file}:{line}" for line in row["missing_lines"]]
        out += [f"{file}:{start}->{end}" for start, end in row.get("missing_branches", ())]
    return out


def main() -> int:
    """Measure; 1 if a test failed, or a figure is below what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.rule_coverage", description=__doc__)
    parser.add_argument("--at-least", type=float, default=0.0, help="percent below which it fails")
    parser.add_argument("--jobs", default="2", help="processes of pytest")
    parser.add_argument("--tests", nargs="*", default=["tests/rules"], help="which tests count")
    parser.add_argument("--missing", action="store_true", help="list what no test runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, report_file = Path(folder) / "data", Path(folder) / "report.json"
        settings = Path(folder) / "coveragerc"
        settings.write_text(
            f"[run]\nbranch = true\nsource = rules\nparallel = true\ndata_file = {data}\npatch = subprocess\n"
            "[report]\nexclude_also =\n    if TYPE_CHECKING:\n    assert_never\n",
            encoding="utf-8",
        )
        coverage = [sys.executable, "-m", "coverage"]
        tested = subprocess.run(
            [*coverage, "run", f"--rcfile={settings}", "-m", "pytest", "-q", "-p", "no:cacheprovider",
             "-n", arguments.jobs, *arguments.tests], cwd=HOUSE,
        )  # fmt: skip
        subprocess.run([*coverage, "combine", "--quiet", f"--rcfile={settings}"], cwd=HOUSE, check=True)
        subprocess.run(
            [*coverage, "json", "--quiet", f"--rcfile={settings}", "-o", str(report_file)], cwd=HOUSE, check=True
        )
        report = json.loads(report_file.read_text(encoding="utf-8"))
    figures = by_family(report)
    for family, held in figures.items():
        print(
            f"{family:14} {held.percent:6.2f} %  lines {held.lines_run}/{held.lines}, "
            f"branches {held.branches_run}/{held.branches}"
        )
    if arguments.missing or arguments.at_least:
        for place in missing(report):
            print(f"  not run: {place}")
    below = [family for family, held in figures.items() if held.percent < arguments.at_least]
    if below:
        print(f"Below {arguments.at_least:g} %: {', '.join(below)}", file=sys.stderr)
    return 1 if below or tested.returncode else 0


if __name__ == "__main__":
    raise SystemExit(main())
