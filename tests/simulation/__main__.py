"""`python -m tests.simulation`: many seeds, a single one with its trace, or a planted bug.

Writes `results/simulation.json` where the run is long enough to be evidence.
"""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.results import write_results
from tests.simulation.campaign import SEEDS_A_SET, SETS, Tally, catch_rates, command, run_campaign
from tests.simulation.mutants import MUTANTS, NONE
from tests.simulation.situations import never_seen
from tests.simulation.world import run_seed

_ENOUGH = 2_000
"""Seeds from which every named situation must have been met."""
_EVIDENCE = 20_000
"""Seeds from which a run is written down."""


def main() -> int:
    """Run what was asked for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default=NONE.name, help="plant this bug")
    parser.add_argument(
        "--mutants", action="store_true", help="plant every bug in ten sets of seeds each; say how often it is caught"
    )
    parser.add_argument("--jobs", type=int, default=None, help="processes; all processors without it")
    parser.add_argument("--lines", type=int, default=200, help="lines of the trace shown for a single seed")
    arguments = parser.parse_args()
    if arguments.mutants:
        return _mutants(arguments.first, arguments.jobs)
    if arguments.seeds == 1:
        return _one(arguments.first, arguments.mutant, arguments.lines)
    return _many(arguments.seeds, arguments.first, arguments.mutant, arguments.jobs)


def _one(seed: int, mutant: str, lines: int) -> int:
    report = run_seed(seed, MUTANTS.get(mutant, NONE), with_trace=True)
    print("\n".join(report.trace[-lines:]))
    print(f"seed {seed}: {report.entries} entries, {report.transitions} transitions, {report.steps} steps")
    print(f"trace {report.digest}")
    if report.broken is None:
        print("Every promise held.")
        return 0
    print(f"BROKEN {report.broken}")
    return 1


def _many(seeds: int, first: int, mutant: str, jobs: int | None) -> int:
    console = Console(stderr=True)
    began = time.monotonic()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("seeds", total=seeds)
        tally = run_campaign(seeds, first, mutant, jobs=jobs, done=lambda part: progress.advance(bar, part.seeds))
    seconds = time.monotonic() - began
    _print(tally, seconds)
    missed = never_seen(tally.situations) if mutant == NONE.name and seeds >= _ENOUGH else []
    for name in missed:
        print(f"NEVER SEEN {name}")
    for seed, broken in sorted(tally.broken.items())[:10]:
        print(f"BROKEN seed {seed}: {broken}\n  {command(seed, mutant)}")
    if mutant == NONE.name and seeds >= _EVIDENCE:
        path = write_results(
            "simulation",
            first_seed=first,
            seeds=tally.seeds,
            seconds=round(seconds, 1),
            entries=tally.entries,
            steps=tally.steps,
            transitions=tally.transitions,
            transitions_said_again=tally.doubles,
            commits=tally.commits,
            faults=dict(sorted(tally.faults.items())),
            fault_total=tally.faults.total(),
            situations=dict(sorted(tally.situations.items())),
            never_seen=missed,
            violations=len(tally.broken),
        )
        print(f"written to {path}")
    return 1 if tally.broken or missed else 0


def _mutants(first: int, jobs: int | None) -> int:
    """Each planted bug in ten disjoint sets of seeds; nine must catch it."""
    rates = catch_rates(first, jobs=jobs)
    for name, caught in rates.items():
        print(
            f"{name:26} caught in {caught.sets} of {SETS} sets of {SEEDS_A_SET} seeds, by outcome alone in {caught.by_outcome}"
        )
    path = write_results(
        "mutants",
        sets=SETS,
        seeds_a_set=SEEDS_A_SET,
        caught={name: {"sets": caught.sets, "by_outcome_alone": caught.by_outcome} for name, caught in rates.items()},
    )
    print(f"written to {path}")
    return 0 if all(caught.sets >= SETS - 1 for caught in rates.values()) else 1


def _print(tally: Tally, seconds: float) -> None:
    print(
        f"{tally.seeds} seeds in {seconds:.0f} s: {tally.entries:,} entries, {tally.transitions:,} transitions "
        f"({tally.doubles:,} said again with the same id), {tally.commits:,} commits, {tally.steps:,} steps"
    )
    faults = tally.faults.total()
    print(f"{faults:,} faults: " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(tally.faults.items())))
    if faults and not tally.broken:
        print(f"0 violations: with 95 % confidence fewer than {3 / faults:.1e} a fault (rule of three)")
    print(f"{len(tally.broken)} violations; current alerts left stale by a late writer: {tally.stale_current}")


if __name__ == "__main__":
    sys.exit(main())
