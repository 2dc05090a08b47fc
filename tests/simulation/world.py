"""One seed: a story, a few workers, and everything that can happen to them, from one stream of chance.

`run_seed` is deterministic: the same seed gives the same trace, byte for byte, on any machine. Faults happen
until the story is told; then everything heals, the workers read what is left, and the whole is compared.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any, Final

import streams.monitor
from schemas.events import Entry, entry_from_json
from streams.ports import Arrived, MustStop, NotAcknowledged, Outgoing, instant_of
from streams.topics import Subject
from streams.translate import HEADER_FEED, HEADER_KIND, HEADER_PROTOCOL
from tests.simulation.broker import SimulatedBroker
from tests.simulation.medicine import SimulatedMedicine
from tests.simulation.mutants import NONE, Mutant
from tests.simulation.oracle import PartitionFold
from tests.simulation.promises import Broken, Promises
from tests.simulation.situations import Situations
from tests.simulation.story import CONTEXT, Sent, Story, read_once, tell_story
from tests.simulation.worker import LOG, NAMES, SOURCES, Chances, Disk, Fenced, Process

SEEDS_A_STORY: Final = 16
"""So many schedules of faults are run over one story: making it costs more than running it."""

_LIMIT: Final = 60_000
"""Steps after which a seed is taken to be stuck."""

_MESSAGES_EVERY: Final = 8
"""Every so many stories are told as messages, with translate in the path."""


@dataclass(slots=True)
class Report:
    """What a seed did."""

    seed: int
    steps: int = 0
    entries: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)
    transitions: int = 0
    doubles: int = 0
    stale_current: int = 0
    commits: int = 0
    broken: str | None = None
    trace: list[str] = field(default_factory=list)
    digest: str = ""


class Stuck(Broken):
    """The workers do not come to an end."""


@dataclass(slots=True)
class _Told:
    """A story with what can be prepared once for all its seeds."""

    story: Story
    medicine: SimulatedMedicine
    folds: list[PartitionFold]
    entries: dict[bytes, Entry]

    def decode(self, raw: bytes) -> Entry:
        """An entry, read once."""
        entry = self.entries.get(raw)
        if entry is None:
            entry = self.entries[raw] = entry_from_json(raw)
        return entry


@lru_cache(maxsize=2)
def _told(number: int, *, as_log: bool) -> _Told:
    story = tell_story(number, as_log=as_log)
    medicine = SimulatedMedicine(story.failing)
    told = _Told(story, medicine, [], {})
    if as_log and not story.has_merges:
        told.folds = _new_folds(told, medicine)
        offsets: Counter[int] = Counter()
        for row in story.sent:
            arrived = Arrived(LOG, row.partition, offsets[row.partition], row.stamp_ms, row.key, row.value, row.headers)
            offsets[row.partition] += 1
            told.folds[row.partition].fold((arrived,))
    return told


def _new_folds(told: _Told, medicine: SimulatedMedicine) -> list[PartitionFold]:
    story = told.story
    return [
        PartitionFold(partition, story.partitions, medicine, story.default_policy, told.decode)
        for partition in range(story.partitions)
    ]


class Simulation:
    """The world of one seed."""

    def __init__(
        self, seed: int, mutant: Mutant = NONE, *, with_trace: bool = False, only_outcomes: bool = False
    ) -> None:
        number = seed // SEEDS_A_STORY
        as_log = number % _MESSAGES_EVERY != 0
        self.told = _told(number, as_log=as_log)
        self.story = self.told.story
        self.chance = chance = Random(f"seed/{seed}")
        self.mutant = mutant
        self.report = Report(seed)
        self.seen = Situations()
        self.is_remembered = seed % 40 != 39
        medicine = self.told.medicine
        # What workers say to each other between numbers makes a log of its own for every schedule of faults.
        is_fixed = as_log and not self.story.has_merges
        if not self.is_remembered:
            medicine = SimulatedMedicine(self.story.failing, is_remembered=False)
        self.medicine = medicine
        folds = self.told.folds if is_fixed else _new_folds(self.told, medicine)
        self.promises = Promises(folds, self.seen, self.told.decode, only_outcomes=only_outcomes)
        self.broker = SimulatedBroker(self.story.partitions, self.promises, NAMES[Subject.STATE])
        self.promises.broker = self.broker
        self.chances = Chances(
            chance,
            failing=chance.choice((0.0, 0.01, 0.03)),
            slow=chance.choice((0.0, 0.05, 0.2)),
            doubled=chance.choice((0.0, 0.0, 0.05)),
        )
        self.write_every = chance.choice((1, 2, 500))
        self.cached_records = chance.choice((16, 1, 8_192))
        self.workers = chance.choice((1, 2, 2, 3))
        self.disks = [Disk() for _ in range(self.workers)]
        self.lives: list[int] = [0] * self.workers
        self.alive: dict[int, Process] = {}
        self.paused: dict[int, int] = {}
        """Worker to the step at which it goes on."""
        self.down: dict[int, int] = {}
        self.zombies: list[Process] = []
        """Processes that the group has given up and that do not know it."""
        self.ghosts: list[tuple[int, list[Any], Callable[[Any], Any]]] = []
        self.next_sent = 0
        self.step = 0
        self.broker_back_at = 0
        self.planners: dict[str, tuple[int, int]] = {}
        self._with_trace = with_trace
        self._feeding = chance.choice((0.08, 0.2, 0.5))
        self._plan_faults()

    # --- the plan ---

    def _plan_faults(self) -> None:
        chance = self.chance
        count = chance.choice((0, 2, 4, 8, 12))
        horizon = max(60, int(len(self.story.sent) / self._feeding * 0.9))
        self.timed = sorted((chance.randint(1, horizon), self._kind()) for _ in range(count))
        targets = chance.choices(_TARGETS, k=chance.choice((0, 1, 2, 4)))
        self.aimed = [(target, chance.randint(1, 6), chance.choice(("crash", "crash", "pause"))) for target in targets]

    def _kind(self) -> str:
        return self.chance.choice(_KINDS)

    # --- the run ---

    def run(self) -> Report:
        """Tell the story under faults, heal, and compare."""
        report = self.report
        looked_behind = self.medicine.looks_behind
        try:
            with _reading(self.told.decode):
                self._begin()
                self._tell()
                self._heal()
                owners = {partition: self.alive[owner] for partition, owner in self.broker.group.owner.items()}
                self.promises.at_the_end(owners)
        except Broken as error:
            report.broken = str(error)
        finally:
            for process in (*self.alive.values(), *self.zombies):
                process.close()
        report.steps = self.step
        report.entries = sum(self.broker.end((LOG, partition)) for partition in range(self.story.partitions))
        if self.medicine.looks_behind > looked_behind:
            self.seen.add("a late fact reached behind the cut: segments were read")
        report.situations = self.seen.count
        report.transitions = self.promises.transitions
        report.doubles = self.promises.doubles
        report.stale_current = self.promises.stale_current
        report.commits = self.promises.commits
        if self._with_trace:
            text = "\n".join(report.trace)
            report.digest = hashlib.sha256(text.encode()).hexdigest()
        return report

    def _note(self, text: str) -> None:
        if self._with_trace:
            self.report.trace.append(f"{self.step:6d} {text}")

    def _begin(self) -> None:
        for worker in range(self.workers):
            self._start(worker)
        self._rebalance("start")

    def _tell(self) -> None:
        chance, sent = self.chance, self.story.sent
        while self.next_sent < len(sent):
            self.step += 1
            if self.step > _LIMIT:
                raise Stuck(f"after {self.step} steps the story is told to {self.next_sent} of {len(sent)}")
            self._faults_due()
            if chance.random() < self._feeding:
                self._feed()
            else:
                self._work()

    def _heal(self) -> None:
        """Nothing more goes wrong; everybody comes back; all that is there is read and committed."""
        self.chances.is_quiet = True
        self.timed.clear()
        self.aimed.clear()
        self.broker.is_up = True
        self._note("heal")
        for worker in list(self.paused):
            self._resume(worker)
        for zombie in list(self.zombies):
            self._learn(zombie)
        while self.ghosts:
            self._ghost()
        quiet = 0
        while quiet < 3:
            self.step += 1
            for worker in list(self.down):
                self._return(worker)
            if self.step > _LIMIT:
                raise Stuck(f"after {self.step} steps the workers have not come to an end: {self._standing()}")
            if self._work():
                quiet = 0
            elif self._is_read():
                quiet += 1
            else:
                raise Stuck(f"nobody has anything to do, and not all is read: {self._standing()}")

    def _is_read(self) -> bool:
        return all(
            self.broker.committed((topic, partition)) == self.broker.end((topic, partition))
            for topic in (LOG, *SOURCES)
            for partition in range(self.story.partitions)
        )

    def _standing(self) -> str:
        places = {
            place: (self.broker.committed(place), self.broker.end(place))
            for place in sorted(self.broker.topics)
            if self.broker.committed(place) != self.broker.end(place) and place[0] in (LOG, *SOURCES)
        }
        return f"{places}, owners {self.broker.group.owner}, alive {sorted(self.alive)}"

    # --- the story ---

    def _feed(self) -> None:
        row: Sent = self.story.sent[self.next_sent]
        self.next_sent += 1
        if row.stamp_ms < self.broker.clock_ms:
            self.seen.add("the broker's clock stepped back")
        self.broker.clock_ms = row.stamp_ms
        self._note(f"sent {row.topic.value}[{row.partition}] {row.key!r}")
        topic = NAMES[row.topic]
        if topic != LOG and (HEADER_KIND, b"tick") not in row.headers:
            self._owe(topic, row)
        self.broker.append(Outgoing(topic, row.partition, row.key, row.value, row.headers), row.stamp_ms)

    def _owe(self, topic: str, row: Sent) -> None:
        """Tell the promises what a message must become, before anybody can read it."""
        offset = self.broker.end((topic, row.partition))
        record = Arrived(topic, row.partition, offset, row.stamp_ms, row.key, row.value, row.headers)
        headers = dict(row.headers)
        protocol = headers.get(HEADER_PROTOCOL, b"event" if row.topic is not Subject.INTAKE else b"")
        if headers.get(HEADER_FEED) != CONTEXT.feed.encode() or protocol != b"event":
            self.promises.sent(record, [], is_rejected=True)
            return
        known_at = instant_of(row.stamp_ms)
        reading = read_once(row.value or b"", known_at)
        values = [entry.model_copy(update={"known_at": known_at}).to_json() for entry in reading.entries]
        self.promises.sent(record, values, is_rejected=bool(reading.rejections))

    # --- the workers ---

    def _work(self) -> bool:
        """One step of somebody; False where nobody has anything to do."""
        chance = self.chance
        if self.ghosts and chance.random() < 0.02:
            self._ghost()
        if self.zombies and chance.random() < 0.02:
            # Its heartbeat is answered at last.
            awake = [zombie for zombie in self.zombies if zombie.number not in self.paused]
            if awake:
                self._learn(chance.choice(awake))
        awake = [process for worker, process in self.alive.items() if worker not in self.paused]
        if self.zombies:
            awake.extend(zombie for zombie in self.zombies if zombie.number not in self.paused)
        while awake:
            place = int(chance.random() * len(awake))
            tasks = awake[place].choices()
            if tasks:
                self._advance(awake[place], tasks[int(chance.random() * len(tasks))])
                return True
            del awake[place]
        return False

    def _advance(self, process: Process, task: str) -> None:
        if self._with_trace:
            self._note(f"worker {process.number}.{process.life} {task} {process.at.get(task, '')}")
        if process in self.zombies and task in ("monitor", "commit"):
            self.seen.add("two processes held the same partition at once")
        doubles = self.promises.doubles
        try:
            process.advance(task)
        except Fenced:
            self._learn(process)
            return
        except (NotAcknowledged, MustStop) as error:
            if isinstance(error, MustStop):
                raise Broken(f"a worker stopped for good: {error}") from error
            self._note(f"worker {process.number}.{process.life} ends: {error}")
            self._crash(process, "not acknowledged")
            return
        if self.promises.doubles > doubles and process in self.zombies:
            self.seen.add("a zombie wrote an alert again after the new owner")
        if self.aimed:
            self._aim(process, task)

    def _aim(self, process: Process, task: str) -> None:
        """A fault that waits for somebody to stand at a certain place."""
        where = process.at.get(task)
        if where is None or process.number in self.paused or process in self.zombies:
            return
        for number, (target, left, kind) in enumerate(self.aimed):
            if target != where:
                continue
            if left > 1:
                self.aimed[number] = (target, left - 1, kind)
                return
            del self.aimed[number]
            self.report.faults[f"aimed {kind}"] += 1
            if kind == "crash":
                self._crash(process, f"aimed at {where}")
            else:
                self._pause(process.number, is_long=True)
            return

    # --- faults ---

    def _faults_due(self) -> None:
        step = self.step
        while self.timed and self.timed[0][0] <= step:
            self._fault(self.timed.pop(0)[1])
        if self.broker.is_up and not self.paused and not self.down:
            return
        if not self.broker.is_up and step >= self.broker_back_at:
            self.broker.is_up = True
            self._note("the broker is back")
        for worker, at in list(self.paused.items()):
            if step >= at:
                self._resume(worker)
        for worker, at in list(self.down.items()):
            if step >= at:
                self._return(worker)

    def _fault(self, kind: str) -> None:
        chance = self.chance
        running = [worker for worker in self.alive if worker not in self.paused]
        self.report.faults[kind] += 1
        self._note(f"fault {kind}")
        if kind == "crash" and running:
            self._crash(self.alive[chance.choice(running)], "kill")
        elif kind in ("pause", "long-pause") and running:
            self._pause(chance.choice(running), is_long=kind == "long-pause")
        elif kind == "rebalance":
            self._rebalance("asked for")
        elif kind == "broker":
            self.broker.is_up = False
            self.broker_back_at = self.step + chance.randint(5, 60)
        elif kind == "compact":
            partition = chance.randrange(self.story.partitions)
            if self.broker.compact(partition, self.promises.partitions[partition].compactable):
                self.seen.add("the changelog was compacted between two owners")
        elif kind == "power-cut":
            self._cut_power()
        elif kind == "wipe":
            for disk in self.disks:
                disk.shelves.clear()

    def _crash(self, process: Process, why: str) -> None:
        self._note(f"crash of worker {process.number}.{process.life} ({why}) at {sorted(process.at.items())}")
        self._note_crash(process)
        if process.in_flight is not None and process.in_flight[0] and self.chance.random() < 0.3:
            # What was in the socket when the process died may still be taken by the broker, at any later time.
            self.ghosts.append((self.broker.group.generation, *process.in_flight))
        self.paused.pop(process.number, None)
        process.close()
        if process in self.zombies:
            self.zombies.remove(process)
            if process.number not in self.alive:
                self.down[process.number] = self.step + 1
            return
        del self.alive[process.number]
        if self.chance.random() < 0.2:
            self.disks[process.number].shelves.clear()
        if self.chance.random() < 0.4:
            # Back before the group has noticed (static membership): the same partitions, the same generation.
            self._start(process.number)
            again = self.alive[process.number]
            again.given(self.broker.group.partitions_of(process.number), self.broker.group.generation)
            return
        self._rebalance("session over")
        self.down[process.number] = self.step + self.chance.randint(1, 80)

    def _cut_power(self) -> None:
        """Everybody at once; the group notices when the first is back."""
        for process in list(self.alive.values()):
            self._note_crash(process)
            process.close()
            self.paused.pop(process.number, None)
            self.down[process.number] = self.step + self.chance.randint(1, 40)
        self.alive.clear()
        self._rebalance("nobody is left")
        self.seen.add("all workers crashed at once")

    def _note_crash(self, process: Process) -> None:
        for task, where in process.at.items():
            found = _CRASHES.get(where)
            if found is not None and task != "recovery":
                self.seen.add(found)
            if task == "recovery":
                at_repair = where.startswith("records:")
                self.seen.add(
                    "crash while an older record was being repaired"
                    if at_repair
                    else "crash in the middle of a recovery"
                )
        if process.finished:
            self.seen.add("crash between the acknowledged state and the commit")

    def _pause(self, worker: int, *, is_long: bool) -> None:
        self._note(f"pause of worker {worker}{', longer than its session' if is_long else ''}")
        self.paused[worker] = self.step + self.chance.randint(3, 120)
        if not is_long:
            return
        process = self.alive.pop(worker)
        self.zombies.append(process)
        self._rebalance("session over")

    def _resume(self, worker: int) -> None:
        self._note(f"worker {worker} goes on")
        del self.paused[worker]
        for zombie in list(self.zombies):
            if zombie.number != worker:
                continue
            self.seen.add("a paused owner came back as a zombie")
            # It writes on for a while before it hears that it is out.
            for _ in range(0 if self.chances.is_quiet else self.chance.randint(0, 12)):
                tasks = zombie.choices()
                if not tasks or zombie.is_ended or zombie not in self.zombies:
                    break
                self._advance(zombie, self.chance.choice(tasks))
            if zombie in self.zombies and (self.chances.is_quiet or self.chance.random() < 0.7):
                self._learn(zombie)

    def _learn(self, process: Process) -> None:
        """A process hears that the group has gone on without it, and joins again."""
        self._note(f"worker {process.number}.{process.life} hears that it is out")
        if process in self.zombies:
            self.zombies.remove(process)
        if process.number in self.alive and self.alive[process.number] is not process:
            process.close()
            return
        process.given_up()
        self.alive[process.number] = process
        self._rebalance("joined again")

    def _return(self, worker: int) -> None:
        self.down.pop(worker, None)
        if worker in self.alive:
            return
        for zombie in list(self.zombies):
            if zombie.number == worker:
                self._learn(zombie)
                return
        self._start(worker)
        self._rebalance("joined")

    def _start(self, worker: int) -> None:
        self.lives[worker] += 1
        disk = self.disks[worker]
        if self.lives[worker] > 1:
            self.seen.add("a recovery from a warm disk" if disk.shelves else "a recovery from an empty disk")
        self.alive[worker] = Process(
            worker,
            self.lives[worker],
            self.broker,
            disk,
            self.chances,
            self.medicine,
            self.story.default_policy,
            self.seen,
            self.mutant,
            translates=not self.story.is_log,
            write_every=self.write_every,
            cached_records=self.cached_records,
            trace=self._note,
            witness=self.promises,
        )

    def _rebalance(self, why: str) -> None:
        """Everybody who hears of it gives everything up; then all is given out anew."""
        self._note(f"rebalance ({why})")
        for worker, process in list(self.alive.items()):
            if worker in self.paused:
                # It does not answer: out of the group, without knowing.
                self.zombies.append(process)
                del self.alive[worker]
                continue
            if any(held.due for held in process.monitor._held.values()):
                self.seen.add("rebalance with due checks pending")
            if self.chance.random() < 0.5:
                self._hand_over(process)
        for process in list(self.alive.values()):
            process.given_up()
        group = self.broker.group
        group.assign(self.alive, self.chance.randrange(3))
        for worker, process in self.alive.items():
            process.given(group.partitions_of(worker), group.generation)

    def _hand_over(self, process: Process) -> None:
        """Let what is running end and commit it, as a worker does that hears of a rebalance in time."""
        process.is_open = False
        for task in ("monitor", "translate"):
            for _ in range(200):
                if task not in process.running or not self.broker.is_up:
                    break
                try:
                    process.advance(task)
                except NotAcknowledged:
                    process.close()
                    if self.alive.get(process.number) is process:
                        del self.alive[process.number]
                    self.down[process.number] = self.step + 20
                    return
        if process.finished:
            try:
                process.advance("commit")
            except Fenced:
                return

    def _ghost(self) -> None:
        """A record of a dead process is taken by the broker after all."""
        generation, records, land = self.ghosts[0]
        if records:
            self._note("a record of a dead process lands")
            if generation != self.broker.group.generation:
                self.seen.add("what a dead process had sent landed after the new owner had begun")
            land(records.pop(0))
        if not records:
            self.ghosts.pop(0)


_KINDS: Final = (
    "crash",
    "crash",
    "pause",
    "long-pause",
    "long-pause",
    "rebalance",
    "broker",
    "compact",
    "power-cut",
    "wipe",
)
"""Faults that come at a time, the commoner ones twice."""

_TARGETS: Final = (
    "say:before",
    "say:some",
    "say:unacknowledged",
    "say:unacknowledged",
    "show:before",
    "show:unacknowledged",
    "segments:unacknowledged",
    "records:before",
    "records:some",
    "records:some",
    "records:unacknowledged",
    "moves:before",
    "moves:some",
    "moves:unacknowledged",
    "moves:unacknowledged",
    "entries:some",
    "entries:unacknowledged",
    "recovery:begun",
    "recovery:read",
)
"""Places at which a fault may wait for somebody."""

_CRASHES: Final = {
    "say:before": "crash before the first alert was sent",
    "say:some": "crash when some alerts of a batch had landed",
    "moves:before": "crash before facts were handed on",
    "moves:some": "crash when some of what was handed on had landed",
    "moves:unacknowledged": "crash between what was handed on and the tombstone",
    "say:unacknowledged": "crash between an alert and its acknowledgement",
    "show:before": "crash between the acknowledged alert and the state",
    "show:some": "crash between the acknowledged alert and the state",
    "show:unacknowledged": "crash between the acknowledged alert and the state",
    "records:before": "crash between the acknowledged alert and the state",
    "records:some": "crash when some records of a batch had landed",
    "records:unacknowledged": "crash between the state and its acknowledgement",
    "segments:unacknowledged": "crash between a segment and the record that points to it",
    "entries:unacknowledged": "crash between an entry and its acknowledgement",
}


class _reading:  # noqa: N801 - reads as a sentence at its use
    """While a seed runs, monitor reads each entry once."""

    def __init__(self, decode: Callable[[bytes], Entry]) -> None:
        self._decode = decode

    def __enter__(self) -> None:
        self._before = streams.monitor.entry_from_json
        streams.monitor.entry_from_json = self._decode

    def __exit__(self, *_: object) -> None:
        streams.monitor.entry_from_json = self._before


def run_seed(seed: int, mutant: Mutant = NONE, *, with_trace: bool = False, only_outcomes: bool = False) -> Report:
    """Run one seed; `broken` says which promise was broken, if one was."""
    return Simulation(seed, mutant, with_trace=with_trace, only_outcomes=only_outcomes).run()
