"""One worker over a stretch of a story, with crashes before chosen steps and nothing else left to chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streams.ports import Outgoing
from streams.topics import Subject
from tests.simulation.broker import SimulatedBroker
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.mutants import NONE
from tests.simulation.oracle import PartitionFold
from tests.simulation.promises import Promises
from tests.simulation.situations import Situations
from tests.simulation.story import Sent, Story
from tests.simulation.worker import LOG, NAMES, Chances, Disk, Process
from tests.simulation.world import _reading, _Told


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


@dataclass(frozen=True, slots=True)
class Ran:
    """How many steps there were, what was met, and the broker as it stood at the end."""

    steps: int
    situations: Situations
    broker: SimulatedBroker


class OneWorker:
    """Rows of the log told to one worker, as often as wanted. With merges the worker writes into the log itself."""

    def __init__(self, story: Story, rows: Sequence[Sent], medicine: SimulatedMedicine, limit: int) -> None:
        """After `limit` steps a run is taken to be stuck."""
        self.story, self.rows, self.medicine, self.limit = story, rows, medicine, limit
        self.told = _Told(story, medicine, [], {})

    def run(self, crashes: frozenset[int], *, is_warm: bool) -> Ran:
        """All steps, ended and started again before the steps named, with or without what is on the disk."""
        situations, partitions = Situations(), range(self.story.partitions)
        folds = [
            PartitionFold(each, len(partitions), self.medicine, self.story.default_policy, self.told.decode)
            for each in partitions
        ]
        promises = Promises(folds, situations, self.told.decode)
        broker = SimulatedBroker(len(partitions), promises, NAMES[Subject.STATE])
        promises.broker = broker
        for row in self.rows:
            broker.append(Outgoing(LOG, row.partition, row.key, row.value, tuple(row.headers)), row.stamp_ms)
        broker.group.assign([0], 0)
        disk, step = Disk(), 0
        chances = Chances(Steady(), failing=0.0, slow=0.0, doubled=0.0)  # type: ignore[arg-type]

        def start(life: int) -> Process:
            process = Process(
                0, life, broker, disk, chances, self.medicine, self.story.default_policy, situations, NONE,
                translates=False, write_every=2, cached_records=16, trace=lambda text: None, witness=promises,
            )  # fmt: skip
            process.given(broker.group.partitions_of(0), broker.group.generation)
            return process

        process = start(1)
        with _reading(self.told.decode):
            while tasks := process.choices():
                if step in crashes:
                    process.close()
                    if not is_warm:
                        disk.shelves.clear()
                    process = start(process.life + 1)
                    tasks = process.choices()
                step += 1
                assert step < self.limit
                process.advance(tasks[0])
            promises.at_the_end(dict.fromkeys(partitions, process))
        return Ran(step, situations, broker)
