"""Merges with a crash before every step, and at chosen pairs of steps, over two partitions."""

from __future__ import annotations

from itertools import combinations, islice
from random import Random
from typing import Any

import pytest

from schemas.events import EntryKind, entry_from_json
from streams.ports import Outgoing
from streams.topics import Subject
from tests.simulation.broker import SimulatedBroker
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.mutants import NONE
from tests.simulation.oracle import PartitionFold
from tests.simulation.promises import Promises
from tests.simulation.situations import Situations
from tests.simulation.story import MERGES_AS_LOG, Story, tell_story
from tests.simulation.test_every_crash import Steady
from tests.simulation.worker import LOG, NAMES, Chances, Disk, Process
from tests.simulation.world import _reading, _Told

pytestmark = pytest.mark.simulation

ENTRIES = 34
_LIMIT = 4_000


class Scenario:
    """A stretch of a story around a merge that is taken back, told to one worker."""

    def __init__(self) -> None:
        self.story, self.rows = _stretch()

    def run(self, crashes: frozenset[int], *, is_warm: bool) -> tuple[int, Situations]:
        """All steps, ended and started again before the steps named; how many there were, and what was met."""
        medicine = SimulatedMedicine(frozenset())
        told = _Told(self.story, medicine, [], {})
        partitions = self.story.partitions
        folds = [
            PartitionFold(p, partitions, medicine, self.story.default_policy, told.decode) for p in range(partitions)
        ]
        situations = Situations()
        promises = Promises(folds, situations, told.decode)
        broker = SimulatedBroker(partitions, promises, NAMES[Subject.STATE])
        promises.broker = broker
        for row in self.rows:
            broker.append(Outgoing(LOG, row.partition, row.key, row.value, tuple(row.headers)), row.stamp_ms)
        broker.group.assign([0], 0)
        disk, step = Disk(), 0
        chances = Chances(Steady(), failing=0.0, slow=0.0, doubled=0.0)  # type: ignore[arg-type]

        def start(life: int) -> Process:
            process = Process(
                0, life, broker, disk, chances, medicine, self.story.default_policy, situations, NONE,
                translates=False, write_every=2, cached_records=16, trace=lambda text: None, witness=promises,
            )  # fmt: skip
            process.given(broker.group.partitions_of(0), broker.group.generation)
            return process

        process = start(1)
        with _reading(told.decode):
            while tasks := process.choices():
                if step in crashes:
                    process.close()
                    if not is_warm:
                        disk.shelves.clear()
                    process = start(process.life + 1)
                    tasks = process.choices()
                step += 1
                assert step < _LIMIT
                process.advance(tasks[0])
            promises.at_the_end(dict.fromkeys(range(partitions), process))
        return step, situations


def _stretch() -> tuple[Story, list[Any]]:
    """The first stretch of a story in which an alert is carried on, a message forwarded, and facts go back."""
    for number in range(MERGES_AS_LOG, 1_600, 8):
        story = tell_story(number, as_log=True)
        if story.partitions != 2:
            continue
        rows = [row for row in story.sent if row.key not in (b"~policy", b"~tick")]
        for place, row in enumerate(rows):
            if _kind(row.value) is not EntryKind.UNMERGE:
                continue
            stretch = rows[max(0, place - ENTRIES + 8) : place + 8]
            if any(_kind(each.value) is EntryKind.MERGE for each in stretch) and _is_lively(story, stretch):
                return story, stretch
    raise AssertionError("no story has enough in one stretch")


def _kind(value: bytes | None) -> EntryKind | None:
    try:
        return entry_from_json(value or b"").kind
    except ValueError:
        return None


def _is_lively(story: Story, rows: list[Any]) -> bool:
    scenario = object.__new__(Scenario)
    scenario.story, scenario.rows = story, rows
    _, situations = scenario.run(frozenset(), is_warm=False)
    wanted = (
        "an alert was carried on by the surviving number",
        "a message came for a retired number",
        "facts went back after an unmerge",
    )
    return all(situations.count[name] for name in wanted)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario()


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_crash_before_any_step(scenario: Scenario, is_warm: bool) -> None:
    steps, _ = scenario.run(frozenset(), is_warm=is_warm)
    assert steps >= 40
    again = 0
    for crash in range(steps):
        _, situations = scenario.run(frozenset({crash}), is_warm=is_warm)
        again += situations.count["an entry between two numbers was written again"]
    assert again > 0, "some crash came between what was handed on and the tombstone"


@pytest.mark.slow
@pytest.mark.parametrize("count", [150, pytest.param(1_500, marks=pytest.mark.long)])
def test_two_crashes_at_pairs_of_steps(scenario: Scenario, count: int) -> None:
    steps, _ = scenario.run(frozenset(), is_warm=False)
    pairs = list(combinations(range(steps + 10), 2))
    Random("pairs").shuffle(pairs)
    for pair in islice(pairs, count):
        scenario.run(frozenset(pair), is_warm=False)
