"""A short scenario with a crash before every step, and at every pair of steps: no schedule is left to chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest

from streams.ports import Arrived, Outgoing
from streams.topics import Subject
from tests.simulation.broker import SimulatedBroker
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.mutants import NONE
from tests.simulation.oracle import PartitionFold
from tests.simulation.promises import Promises
from tests.simulation.situations import Situations
from tests.simulation.story import Story, tell_story
from tests.simulation.worker import LOG, NAMES, Chances, Disk, Process
from tests.simulation.world import _reading, _Told

pytestmark = pytest.mark.simulation

ENTRIES = 26
_LIMIT = 2_000
_FIRST = {False: 222, True: 40}
"""With or without merges, to the first story that holds enough: no story before it needs telling."""


class Steady:
    """Stands for chance where nothing is to be left to it: always the middle."""

    def randint(self, low: int, high: int) -> int:
        return (low + high) // 2

    def random(self) -> float:
        return 0.99

    def choice(self, choices: Sequence[Any]) -> Any:
        return choices[len(choices) // 2]

    def shuffle(self, items: list[Any]) -> None:
        """As they are."""


class Scenario:
    """The beginning of a story with alerts, absences, a policy and a rule that fails, in one partition.

    With merges the worker writes into the log itself, so that its end is known only afterwards.
    """

    def __init__(self, has_merges: bool) -> None:
        self.has_merges = has_merges
        self.story, self.rows = _short_story(has_merges)
        self.medicine = SimulatedMedicine(self.story.failing)
        self.told = _Told(self.story, self.medicine, [], {})

    def run(self, crashes: frozenset[int], *, is_warm: bool) -> int:
        """All steps of one worker, ended and started again before the steps named; how many there were."""
        situations = Situations()
        fold = PartitionFold(0, 1, self.medicine, self.story.default_policy, self.told.decode)
        promises = Promises([fold], situations, self.told.decode)
        broker = SimulatedBroker(1, promises, NAMES[Subject.STATE])
        promises.broker = broker
        for row in self.rows:
            broker.append(Outgoing(LOG, 0, row.key, row.value, tuple(row.headers)), row.stamp_ms)
        broker.group.assign([0], 0)
        disk = Disk()
        chances = Chances(Steady(), failing=0.0, slow=0.0, doubled=0.0)  # type: ignore[arg-type]
        process = self._start(broker, disk, chances, situations, promises, 1)
        step = 0
        with _reading(self.told.decode):
            while tasks := process.choices():
                if step in crashes:
                    process.close()
                    if not is_warm:
                        disk.shelves.clear()
                    process = self._start(broker, disk, chances, situations, promises, process.life + 1)
                    tasks = process.choices()
                step += 1
                assert step < _LIMIT
                process.advance(tasks[0])
            promises.at_the_end({0: process})
            assert broker.committed((LOG, 0)) == broker.end((LOG, 0))
            assert (broker.end((LOG, 0)) > len(self.rows)) == self.has_merges
        return step

    def _start(
        self,
        broker: SimulatedBroker,
        disk: Disk,
        chances: Chances,
        situations: Situations,
        promises: Promises,
        life: int,
    ) -> Process:
        process = Process(
            0,
            life,
            broker,
            disk,
            chances,
            self.medicine,
            self.story.default_policy,
            situations,
            NONE,
            translates=False,
            write_every=2,
            cached_records=16,
            trace=lambda text: None,
            witness=promises,
        )
        process.given(broker.group.partitions_of(0), broker.group.generation)
        return process


def _short_story(has_merges: bool) -> tuple[Story, list[Any]]:
    for number in range(_FIRST[has_merges], 400):
        story = tell_story(number, as_log=True)
        if story.partitions != 1 or not story.failing or story.has_merges != has_merges:
            continue
        for start in range(0, max(1, len(story.sent) - ENTRIES), 8):
            rows = list(story.sent[start : start + ENTRIES])
            said, aside, has_policy, moves = _weigh(story, rows)
            if said >= 6 and aside and has_policy and (moves >= 2 or not has_merges):
                return story, rows
    raise AssertionError("no story begins with enough")


def _weigh(story: Story, rows: Sequence[Any]) -> tuple[int, int, bool, int]:
    fold = PartitionFold(0, 1, SimulatedMedicine(story.failing), story.default_policy)
    for offset, row in enumerate(rows):
        fold.fold((Arrived(LOG, 0, offset, row.stamp_ms, row.key, row.value, row.headers),))
    has_policy = any(row.key == b"~policy" for row in rows)
    return len(fold.in_order), sum(1 for aside in fold.aside if aside.key), has_policy, len(fold.handed_on)


@pytest.fixture(scope="module", params=[False, True], ids=["no merges", "merges"])
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return Scenario(has_merges=request.param)


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_crash_before_any_step(scenario: Scenario, is_warm: bool) -> None:
    steps = scenario.run(frozenset(), is_warm=is_warm)
    assert steps >= 30
    for crash in range(steps):
        scenario.run(frozenset({crash}), is_warm=is_warm)


@pytest.mark.long
def test_two_crashes_at_any_pair_of_steps(scenario: Scenario) -> None:
    steps = scenario.run(frozenset(), is_warm=False)
    for pair in combinations(range(steps + 10), 2):
        scenario.run(frozenset(pair), is_warm=False)
