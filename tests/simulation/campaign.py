"""Many seeds over all processors, and what they say together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.mutants import MUTANTS, NONE
from tests.simulation.world import SEEDS_A_STORY, Report, run_seed


@dataclass(slots=True)
class Tally:
    """The sum of many seeds."""

    seeds: int = 0
    steps: int = 0
    entries: int = 0
    transitions: int = 0
    doubles: int = 0
    stale_current: int = 0
    commits: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Count one seed."""
        self.seeds += 1
        self.steps += report.steps
        self.entries += report.entries
        self.transitions += report.transitions
        self.doubles += report.doubles
        self.stale_current += report.stale_current
        self.commits += report.commits
        self.faults.update(report.faults)
        self.situations.update(report.situations)
        if report.broken is not None:
            self.broken[report.seed] = report.broken

    def merge(self, other: Tally) -> None:
        """Count what another process counted."""
        self.seeds += other.seeds
        self.steps += other.steps
        self.entries += other.entries
        self.transitions += other.transitions
        self.doubles += other.doubles
        self.stale_current += other.stale_current
        self.commits += other.commits
        self.faults.update(other.faults)
        self.situations.update(other.situations)
        self.broken.update(other.broken)


def run_range(
    first: int, last: int, mutant: str = NONE.name, *, until_broken: bool = False, only_outcomes: bool = False
) -> Tally:
    """Seeds from `first` below `last`, here and now."""
    tally = Tally()
    planted = MUTANTS.get(mutant, NONE)
    for seed in range(first, last):
        tally.add(run_seed(seed, planted, only_outcomes=only_outcomes))
        if until_broken and tally.broken:
            break
    return tally


def run_campaign(
    seeds: int,
    first: int = 0,
    mutant: str = NONE.name,
    *,
    jobs: int | None = None,
    done: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """All seeds, a story at a time to each processor; `done` hears of each piece."""
    tally = Tally()
    with ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=get_context("spawn")) as pool:
        pieces = [pool.submit(run_range, start, end, mutant) for start, end in _pieces(first, first + seeds)]
        for piece in as_completed(pieces):
            part = piece.result()
            tally.merge(part)
            done(part)
    return tally


def _pieces(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Seeds of one story stay together: what can be prepared for a story is prepared once."""
    start = first
    while start < last:
        end = min(last, (start // SEEDS_A_STORY + 1) * SEEDS_A_STORY)
        yield start, end
        start = end


SETS = 10
SEEDS_A_SET = 300


@dataclass(slots=True)
class Caught:
    """In how many sets of seeds a planted bug was caught."""

    sets: int = 0
    by_outcome: int = 0
    """With the order of writes not looked at: by the harm it does."""


def catch_rates(first: int = 0, *, jobs: int | None = None) -> dict[str, Caught]:
    """Every planted bug in ten disjoint sets of seeds, each until it is caught."""
    rates = {name: Caught() for name in MUTANTS}
    with ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=get_context("spawn")) as pool:
        pieces = {
            pool.submit(_is_caught, first + number * SEEDS_A_SET, name, only_outcomes=only_outcomes): (
                name,
                only_outcomes,
            )
            for name in MUTANTS
            for number in range(SETS)
            for only_outcomes in (False, True)
        }
        for piece in as_completed(pieces):
            name, only_outcomes = pieces[piece]
            if only_outcomes:
                rates[name].by_outcome += piece.result()
            else:
                rates[name].sets += piece.result()
    return rates


def _is_caught(first: int, name: str, *, only_outcomes: bool) -> bool:
    tally = run_range(first, first + SEEDS_A_SET, name, until_broken=True, only_outcomes=only_outcomes)
    return bool(tally.broken)


def command(seed: int, mutant: str = NONE.name) -> str:
    """What replays a seed."""
    planted = "" if mutant == NONE.name else f" --mutant {mutant}"
    return f"python -m tests.simulation --seeds 1 --first {seed}{planted}"
