"""Merges with a crash before every step, and at chosen pairs of steps, over two partitions."""

from __future__ import annotations

from itertools import combinations, islice
from random import Random
from typing import Any

import pytest

from schemas.events import EntryKind, entry_from_json
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.one_worker import OneWorker
from tests.simulation.story import MERGES_AS_LOG, Story, tell_story

pytestmark = pytest.mark.simulation

ENTRIES = 34
_LIMIT = 4_000


def scenario_of(story: Story, rows: list[Any]) -> OneWorker:
    return OneWorker(story, rows, SimulatedMedicine(frozenset()), _LIMIT)


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
    situations = scenario_of(story, rows).run(frozenset(), is_warm=False).situations
    wanted = (
        "an alert was carried on by the surviving number",
        "a message came for a retired number",
        "facts went back after an unmerge",
    )
    return all(situations.count[name] for name in wanted)


@pytest.fixture(scope="module")
def scenario() -> OneWorker:
    """A stretch of a story around a merge that is taken back, told to one worker."""
    return scenario_of(*_stretch())


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_crash_before_any_step(scenario: OneWorker, is_warm: bool) -> None:
    steps = scenario.run(frozenset(), is_warm=is_warm).steps
    assert steps >= 40
    again = 0
    for crash in range(steps):
        situations = scenario.run(frozenset({crash}), is_warm=is_warm).situations
        again += situations.count["an entry between two numbers was written again"]
    assert again > 0, "some crash came between what was handed on and the tombstone"


@pytest.mark.slow
@pytest.mark.parametrize("count", [150, pytest.param(1_500, marks=pytest.mark.long)])
def test_two_crashes_at_pairs_of_steps(scenario: OneWorker, count: int) -> None:
    steps = scenario.run(frozenset(), is_warm=False).steps
    pairs = list(combinations(range(steps + 10), 2))
    Random("pairs").shuffle(pairs)
    for pair in islice(pairs, count):
        scenario.run(frozenset(pair), is_warm=False)
