"""A simulated worker: the product's bodies behind simulated ports, advanced one step at a time.

A body is a coroutine and every await on a port is a step: between any two of them the driver may let others
go on, pause the process, or end it. `Process` is one life of a worker, from start to crash; `Disk` is what a
crash leaves on its machine. Groups, rebalances and commits work as `streams.app` and the engine have them: a
rebalance takes everything from everybody who hears of it, then everybody recovers what they are given.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from streams.monitor import HEADER_KIND, KIND_MOVE, Monitor, Outcome
from streams.ports import Arrived, NotAcknowledged, Outgoing, Put
from streams.state import is_newer
from streams.topics import INLETS, Subject, TopicNames
from streams.translate import Translate, Translation
from tests.simulation.broker import Place, SimulatedBroker
from tests.simulation.story import CONTEXT, read_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.events import PolicyActivation
    from schemas.reading import Reading, ReadingContext
    from streams.ports import Medicine
    from tests.simulation.mutants import Mutant
    from tests.simulation.situations import Situations

NAMES = TopicNames("sim")
LOG = NAMES[Subject.LOG]
LIFECYCLE = NAMES[Subject.LIFECYCLE]
CURRENT = NAMES[Subject.CURRENT]
REJECTED = NAMES[Subject.REJECTED]
INTAKE = NAMES[Subject.INTAKE]
SOURCES = (INTAKE, *(NAMES[subject] for subject in INLETS))

_PATIENCE = 40
"""Steps a sender waits for a broker that is away before it gives up."""


@types.coroutine
def step(name: str) -> Generator[str, None, None]:
    """Let everybody else go on."""
    yield name


class Chances:
    """What the world does to a process, drawn from the seed; quiet once the faults have healed."""

    def __init__(self, chance: Random, *, failing: float, slow: float, doubled: float) -> None:
        """Shares of sends that fail, are slow, or are written twice."""
        self.random = chance
        self.failing = failing
        self.slow = slow
        self.doubled = doubled
        self.is_quiet = False

    def draw(self, share: float) -> bool:
        """Whether it happens now."""
        return not self.is_quiet and share > 0 and self.random.random() < share


@dataclass(slots=True)
class Shelf:
    """The frames of a partition on a worker's disk, and up to where they follow the changelog."""

    frames: dict[bytes, bytes] = field(default_factory=dict)
    reached: int = 0
    """The first changelog offset that is not in it for certain."""


@dataclass(slots=True)
class Disk:
    """What is left of a worker after a crash."""

    shelves: dict[int, Shelf] = field(default_factory=dict)


class SimulatedLog:
    """The `Log` port: records land one by one, the acknowledgement comes last, and each of it may not happen."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def send(self, records: Sequence[Outgoing]) -> None:
        """See `streams.ports.Log`."""
        process = self._process
        phase = _PHASES.get(records[0].topic, "send")
        if (HEADER_KIND, KIND_MOVE) in records[0].headers:
            phase = "moves"
        await process.write(phase, _interleaved(records, process.chances), process.broker.append)


class SimulatedStore:
    """The `Store` port: a changelog in the broker and shelves on the worker's disk."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.shelves: dict[int, Shelf] = {}

    def get(self, partition: int, key: bytes) -> bytes | None:
        """See `streams.ports.Store`."""
        shelf = self.shelves.get(partition)
        return None if shelf is None else shelf.frames.get(key)

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """See `streams.ports.Store`."""
        shelf = self.shelves.get(partition)
        return iter(()) if shelf is None else iter(list(shelf.frames.items()))

    async def put(self, records: Sequence[Put]) -> None:
        """See `streams.ports.Store`."""
        process = self._process
        phase = "segments" if b"/" in records[0].key and not records[0].key.startswith(b"~") else "records"
        places: list[tuple[Put, int]] = []

        def land(record: Put) -> int:
            offset = process.broker.keep(record.partition, record.key, record.value)
            places.append((record, offset))
            return offset

        await process.write(phase, list(records), land)
        for record, offset in places:
            self.show(record, offset)

    def show(self, record: Put, offset: int) -> None:
        """Let readers see what was acknowledged; never an older frame over a newer one."""
        shelf = self.shelves.get(record.partition)
        if shelf is None or record.value is None:
            return
        mutant = self._process.mutant
        if mutant.overwrites_newer or is_newer(record.value, shelf.frames.get(record.key)):
            shelf.frames[record.key] = record.value
        # Somebody else's record may lie between: the shelf has not seen it, and must read it at the next recovery.
        if offset == shelf.reached or mutant.claims_gaps:
            shelf.reached = max(shelf.reached, offset + 1)


class Process:
    """One life of a worker."""

    def __init__(
        self,
        number: int,
        life: int,
        broker: SimulatedBroker,
        disk: Disk,
        chances: Chances,
        medicine: Medicine,
        default_policy: PolicyActivation,
        situations: Situations,
        mutant: Mutant,
        *,
        translates: bool,
        write_every: int,
        cached_records: int,
        trace: Callable[[str], None],
        witness: Any,
    ) -> None:
        self.number = number
        self.life = life
        self.broker = broker
        self.disk = disk
        self.chances = chances
        self.seen = situations
        self.mutant = mutant
        self.trace = trace
        self.witness = witness
        self.log = SimulatedLog(self)
        self.store = SimulatedStore(self)
        self.monitor: Monitor = mutant.monitor(
            log=self.log,
            store=self.store,
            medicine=mutant.medicine(medicine),
            topics=NAMES,
            partitions=broker.partitions,
            default_policy=default_policy,
            write_every=write_every,
            cached_records=cached_records,
        )
        mutant.know(self.monitor, self)
        self.translate: Translate | None = None
        if translates:
            self.translate = mutant.translate(
                log=self.log,
                readers={"event": _read},
                feeds={CONTEXT.feed: CONTEXT},
                topics=NAMES,
                partitions=broker.partitions,
            )
        self.is_open = False
        self.is_ended = False
        self.generation = -1
        self.running: dict[str, Coroutine[Any, Any, None]] = {}
        self.at: dict[str, str] = {}
        """Where each running task waits."""
        self.positions: dict[Place, int] = {}
        self.finished: dict[Place, int] = {}
        self.in_flight: tuple[list[Any], Callable[[Any], Any]] | None = None
        """What a write has not appended yet: a ghost may still land after the process is gone."""

    # --- writing, step by step ---

    async def write(self, phase: str, records: list[Any], land: Callable[[Any], int]) -> None:
        """Append the records one by one, with a step before, after, and sometimes between."""
        chances, broker = self.chances, self.broker
        await step(f"{phase}:before")
        await self._until_up(phase)
        if chances.draw(chances.slow):
            for _ in range(chances.random.randint(1, 12)):
                await step(f"{phase}:slow")
        refused_at = chances.random.randint(0, len(records)) if chances.draw(chances.failing) else -1
        pause_at = chances.random.randint(1, len(records)) if not chances.is_quiet and len(records) > 1 else -1
        is_doubled = chances.draw(chances.doubled)
        waiting = list(records)
        self.in_flight = (waiting, land)
        count = 0
        while waiting:
            if count == refused_at:
                self._refuse(phase)
            if count == pause_at:
                await step(f"{phase}:some")
                if not broker.is_up:
                    await self._until_up(phase)
            land(waiting.pop(0))
            count += 1
        if is_doubled and phase in ("say", "show", "entries", "moves"):
            self.seen.add(f"records of {phase} written twice by a retry")
            for record in records:
                land(record)
        await step(f"{phase}:unacknowledged")
        if count == refused_at:
            self._refuse(phase)
        self.in_flight = None

    def _refuse(self, phase: str) -> None:
        self.seen.add(f"{phase} not acknowledged")
        raise NotAcknowledged(phase)

    async def _until_up(self, phase: str) -> None:
        waited = 0
        while not self.broker.is_up:
            self.seen.add(f"{phase} while the broker was away")
            waited += 1
            if waited > _PATIENCE and not self.chances.is_quiet:
                raise NotAcknowledged("the broker is away")
            await step(f"{phase}:away")

    # --- partitions come and go ---

    def given_up(self) -> None:
        """Everything is somebody else's until recovery has ended again."""
        if self.monitor.partitions and "monitor" in self.running:
            self.seen.add("partitions given up in the middle of a batch")
        self.is_open = False
        for partition in self.monitor.partitions:
            self.monitor.revoked(partition)
        if self.translate is not None:
            self.translate.revoked([(topic, p) for topic in SOURCES for p in range(self.broker.partitions)])
        self.finished.clear()
        recovering = self.running.pop("recovery", None)
        if recovering is not None:
            self.seen.add("rebalance in the middle of a recovery")
            recovering.close()

    def given(self, partitions: list[int], generation: int) -> None:
        """Recover these, then read on."""
        self.generation = generation
        for partition in [each for each in self.store.shelves if each not in partitions]:
            self.disk.shelves[partition] = self.store.shelves.pop(partition)
        self.running["recovery"] = self._recover(partitions)

    async def _recover(self, partitions: list[int]) -> None:
        broker = self.broker
        ends = {partition: len(broker.changelog[partition]) for partition in partitions}
        await step("recovery:begun")
        repairs: list[Put] = []
        shadows: dict[int, list[bytes]] = {}
        for partition in partitions:
            shelf = self.store.shelves.get(partition) or self.disk.shelves.pop(partition, None) or Shelf()
            self.store.shelves[partition] = shelf
            shadowed: set[bytes] = set()
            rows = broker.changelog[partition]
            for place in range(shelf.reached, ends[partition]):
                row = rows[place]
                if row is None:
                    continue
                key, value = row
                if value is None:
                    shelf.frames.pop(key, None)
                elif self.mutant.wins(value, shelf.frames.get(key)):
                    shelf.frames[key] = value
                    shadowed.discard(key)
                else:
                    shadowed.add(key)
            shelf.reached = max(shelf.reached, ends[partition])
            if shadowed:
                shadows[partition] = sorted(shadowed)
                repairs.extend(Put(partition, key, shelf.frames[key]) for key in sorted(shadowed))
        await step("recovery:read")
        if repairs:
            if any(not put.key.startswith(b"~") for put in repairs):
                self.seen.add("a patient's older record stood behind a newer one at recovery")
            await self.store.put(repairs)
        await step("recovery:repaired")
        if self.generation != broker.group.generation:
            return
        for partition in partitions:
            self.monitor.assigned(partition, begins_at=0)
            self.witness.recovered(self, partition, ends[partition])
            self.positions[LOG, partition] = broker.committed((LOG, partition))
            for topic in SOURCES:
                self.positions[topic, partition] = broker.committed((topic, partition))
        if self.translate is not None:
            self.translate.assigned([(topic, partition) for topic in SOURCES for partition in partitions])
        self.is_open = True

    # --- one step ---

    def choices(self) -> list[str]:
        """What this process could do next."""
        found = list(self.running)
        if self.is_open:
            if "monitor" not in self.running and self._unread((LOG,)):
                found.append("monitor")
            if self.translate is not None and "translate" not in self.running and self._unread(SOURCES):
                found.append("translate")
            if self.finished:
                found.append("commit")
        return found

    def _unread(self, topics: Sequence[str]) -> bool:
        held, positions = self.broker.topics, self.positions
        for topic in topics:
            for partition in self.monitor._held:
                place = (topic, partition)
                rows = held.get(place)
                if rows is not None and positions[place] < len(rows):
                    return True
        return False

    def advance(self, task: str) -> None:
        """Let one task do its next step; raises whatever ends the process."""
        if task == "commit":
            self._commit()
            return
        coroutine = self.running.get(task)
        if coroutine is None:
            coroutine = self._begin(task)
            self.running[task] = coroutine
        try:
            waits_at = coroutine.send(None)
        except StopIteration:
            self.running.pop(task, None)
            self.at.pop(task, None)
        except BaseException:
            self.running.pop(task, None)
            raise
        else:
            self.at[task] = waits_at or "turn"

    def _begin(self, task: str) -> Coroutine[Any, Any, None]:
        topics = (LOG,) if task == "monitor" else SOURCES
        batch: list[Arrived] = []
        chance = self.chances.random
        partitions = sorted(self.monitor.partitions)
        chance.shuffle(partitions)
        for partition in partitions:
            for topic in topics:
                place = (topic, partition)
                rows = self.broker.read(place, self.positions[place], chance.choice((1, 2, 5, 12, 30)))
                self.positions[place] += len(rows)
                batch.extend(rows)
        return self._take_entries(batch) if task == "monitor" else self._take_messages(batch)

    async def _take_entries(self, batch: list[Arrived]) -> None:
        generation = self.generation
        self.mutant.begin(self.monitor, batch)
        outcome = await self.monitor.take(self.mutant.order(batch))
        self.witness.judged(batch, outcome)
        self._note(batch, outcome)
        if self.generation != generation or not self.is_open:
            return
        self._finish(batch, {(LOG, partition) for partition in outcome.done})

    async def _take_messages(self, batch: list[Arrived]) -> None:
        assert self.translate is not None
        generation = self.generation
        outcome = await self.translate.take(batch)
        self.witness.translated(batch, outcome)
        if self.generation != generation or not self.is_open:
            return
        self._finish(batch, set(outcome.done))

    def _finish(self, batch: list[Arrived], done: set[Place]) -> None:
        for record in batch:
            place = (record.topic, record.partition)
            if place in done:
                self.finished[place] = max(self.finished.get(place, 0), record.offset + 1)

    def _note(self, batch: list[Arrived], outcome: Outcome) -> None:
        for partition, held in self.monitor._held.items():
            newest = held.policies[-1][0] if held.policies else -1
            if outcome.entries and any(row.partition == partition and row.offset < newest for row in batch):
                self.seen.add("an entry was judged by an older policy than the newest known")
        if outcome.redelivered:
            self.seen.add("an entry that was already applied came again")
        if outcome.ticks > 1:
            self.seen.add("several ticks in one batch")

    def _commit(self) -> None:
        for place, offset in sorted(self.finished.items()):
            if not self.broker.commit(self.generation, self.number, place, offset):
                self.seen.add("the commit of a former owner was refused")
                self.finished.clear()
                raise Fenced
        self.finished.clear()

    def close(self) -> None:
        """The process is gone; what it had not sent is lost."""
        if self.is_ended:
            return
        self.is_ended = True
        for coroutine in self.running.values():
            coroutine.close()
        self.running.clear()
        for partition, shelf in self.store.shelves.items():
            self.disk.shelves[partition] = shelf


class Fenced(Exception):
    """The group told this process that it is no member any more."""


_PHASES = {LIFECYCLE: "say", REJECTED: "say", CURRENT: "show", LOG: "entries"}


def _interleaved(records: Sequence[Outgoing], chances: Chances) -> list[Outgoing]:
    """Records of one partition of one topic keep their order; those of different ones need not."""
    by_place: dict[Place, list[Outgoing]] = {}
    for record in records:
        by_place.setdefault((record.topic, record.partition), []).append(record)
    if len(by_place) == 1 or chances.is_quiet:
        return list(records)
    groups = list(by_place.values())
    chances.random.shuffle(groups)
    return [record for group in groups for record in group]


def _read(raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading:
    return read_once(raw, context.received_at)


def translation_total(outcome: Translation) -> int:
    """Messages by what became of them: the right side of the first equation of promise 1."""
    return sum(outcome.outcomes.values())
