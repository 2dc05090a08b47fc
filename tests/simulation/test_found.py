"""What the simulation found in monitor, each as the smallest case that shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.topics import Subject
from tests.streams.fakes import World, write_entry
from tests.streams.test_monitor import LOG, Process, said
from tests.streams.toy import START, facts_entry, lab_fact, patient_in, tick_entry

pytestmark = pytest.mark.simulation

DAY = timedelta(days=1)


async def test_a_check_is_planned_by_a_record_that_was_kept_after_the_partition_was_taken() -> None:
    """A batch under way at a rebalance was kept after the due checks had been rebuilt; its entries come again."""
    world = World()
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "5", START), known_at=START))
    process, before = Process(world), Process(world)
    await before.run()
    process.store.held = before.store.held
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))

    outcome = await process.run()

    assert outcome.redelivered == 1
    assert [each.rule for each in said(world)] == ["toy-silent"]


async def test_a_check_that_was_run_before_the_partition_was_taken_is_not_run_again_at_the_same_tick() -> None:
    """The same with a tick: what it planned stands in the record, not in the checks that were rebuilt before."""
    world = World()
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "5", START), known_at=START))
    process, before = Process(world), Process(world)
    await before.run()
    process.store.held = before.store.held
    process.monitor.assigned(3)
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))
    await before.run(start=1)
    assert process.monitor._held[3].due != before.monitor._held[3].due

    outcome = await process.run()

    assert outcome.checks == 0
    assert process.monitor._held[3].due == before.monitor._held[3].due
    assert [each.rule for each in said(world)] == ["toy-silent"]


def test_a_batch_of_the_former_holder_is_not_shown_to_the_next() -> None:
    """Partition 5 is given up and taken back while the batch waits at partition 3: the next holder begins anew."""
    world = World()
    for partition, count in ((3, 20), (5, 4)):
        for number in range(count):
            key = patient_in(partition, nth=number)
            entry = facts_entry(key, lab_fact(key, f"f{number}", "0.4", START), known_at=START)
            write_entry(world, LOG, partition, entry)
    process = Process(world, partitions=(3, 5))
    batch = [*world.offer(LOG, 3, at=START), *world.offer(LOG, 5, at=START, start=2)]
    taking = process.monitor.take(batch)

    assert taking.send(None) is None, "monitor lets the others have a turn"
    process.monitor.revoked(5)
    process.monitor.assigned(5, begins_at=0)
    while True:
        try:
            taking.send(None)
        except StopIteration as stop:
            outcome = stop.value
            break

    assert outcome.done == {3}
    assert {row.partition for row in world.records(world_topic())} == {3}
    assert process.monitor._held[5].expected is None


def world_topic() -> str:
    """The notification topic of the fakes."""
    return LOG.replace(Subject.LOG, Subject.LIFECYCLE)
