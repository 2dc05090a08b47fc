"""Two thousand worlds: nothing lost, nothing invented, nothing wrong; and every named situation was met."""

from __future__ import annotations

import asyncio

import pytest

from streams.medicine import RulesMedicine
from streams.replay import fold_log_async
from tests.simulation.campaign import command, run_campaign
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.oracle import PartitionFold
from tests.simulation.situations import never_seen
from tests.simulation.story import log_of, tell_story
from tests.simulation.world import run_seed

pytestmark = pytest.mark.simulation

SEEDS = 2_000


@pytest.mark.slow
def test_two_thousand_seeds_break_no_promise() -> None:
    tally = run_campaign(SEEDS)

    assert not tally.broken, "\n".join(
        f"seed {seed}: {broken}\n  {command(seed)}" for seed, broken in sorted(tally.broken.items())[:5]
    )
    assert tally.seeds == SEEDS
    assert never_seen(tally.situations) == []
    assert tally.faults.total() >= 10_000
    assert tally.transitions >= 20_000


@pytest.mark.parametrize("seed", [0, 7, 21, 39, 64, 79, 133, 135, 1_000])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first = run_seed(seed, with_trace=True)
    second = run_seed(seed, with_trace=True)

    assert first.trace == second.trace
    assert first.digest == second.digest
    assert first.broken is None


@pytest.mark.parametrize("number", [1, 2, 5, 11])
def test_two_oracles_agree(number: int) -> None:
    """The plain fold of this room, and the product's own replay of a log."""
    story = tell_story(number, as_log=True)
    records = log_of(story)
    medicine = RulesMedicine()
    folds = [
        PartitionFold(partition, story.partitions, medicine, story.default_policy)
        for partition in range(story.partitions)
    ]
    for record in records:
        folds[record.partition].fold((record,))

    replayed = asyncio.run(
        fold_log_async(records, medicine=medicine, default_policy=story.default_policy, partitions=story.partitions)
    )

    said = {spoken.transition.transition_id: spoken.value for fold in folds for spoken in fold.in_order}
    assert {each.transition_id: each.to_json() for each in replayed.transitions} == said
    kept = {key: fold.patients[key].history[-1].payload for fold in folds for key in fold.patients}
    assert {key.decode(): frame.payload for key, frame in replayed.records().items()} == kept
    assert len(replayed.held_aside) == sum(len(fold.aside) for fold in folds)


def test_a_rule_that_fails_is_planted_for_one_patient_at_one_instant() -> None:
    story = next(story for story in (tell_story(number, as_log=True) for number in range(1, 60)) if story.failing)
    records = log_of(story)
    medicine = SimulatedMedicine(story.failing)
    folds = [
        PartitionFold(partition, story.partitions, medicine, story.default_policy)
        for partition in range(story.partitions)
    ]
    for record in records:
        folds[record.partition].fold((record,))

    failed = {aside.key for fold in folds for aside in fold.aside if aside.reason == "rule-failed"}
    assert failed <= {key for key, _ in story.failing}
