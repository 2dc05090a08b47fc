"""A short scenario with a crash before every step, and at every pair of steps: no schedule is left to chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest

from streams.ports import Arrived
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.one_worker import OneWorker
from tests.simulation.oracle import PartitionFold
from tests.simulation.story import Story, tell_story
from tests.simulation.worker import LOG

pytestmark = pytest.mark.simulation

ENTRIES = 26
_LIMIT = 2_000
_FIRST = {False: 222, True: 40}
"""With or without merges, to the first story that holds enough: no story before it needs telling."""


class Scenario:
    """The beginning of a story with alerts, absences, a policy and a rule that fails, in one partition.

    With merges the worker writes into the log itself, so that its end is known only afterwards.
    """

    def __init__(self, has_merges: bool) -> None:
        self.has_merges = has_merges
        story, self.rows = _short_story(has_merges)
        self.worker = OneWorker(story, self.rows, SimulatedMedicine(story.failing), _LIMIT)

    def run(self, crashes: frozenset[int], *, is_warm: bool) -> int:
        """All steps of one worker, ended and started again before the steps named; how many there were."""
        ran = self.worker.run(crashes, is_warm=is_warm)
        end = ran.broker.end((LOG, 0))
        assert ran.broker.committed((LOG, 0)) == end
        assert (end > len(self.rows)) == self.has_merges
        return ran.steps


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
