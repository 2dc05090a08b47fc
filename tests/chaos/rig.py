"""The rig: a broker of its own, two workers as processes, a feed with a ticker in explicit time, and faults.

Everything that the rig starts it ends by its own process id. It supervises the workers as `myelowatch up` does:
one that ends for whatever reason is started again, one that asks for a person (exit 2) is a failure of the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from streams.broker import LaptopKafka
from streams.connections import connect_admin
from streams.intake import Intake
from streams.settings import Settings, load_settings
from streams.simulator.event_writer import FEED
from streams.ticker import Ticker
from streams.topic_admin import apply_topics
from streams.topics import SOURCES, Subject
from tests.benchmarks.load import SECRET
from tests.chaos.feed import FeedItem, feed
from tests.chaos.worker import APPLIED_AT_LEAST, POINTS

if TYPE_CHECKING:
    from tests.chaos.plan import Plan

ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 240.0


class RunFailed(RuntimeError):
    """The run cannot be finished; the message says at what."""


@dataclass(slots=True)
class Worker:
    """One worker's place; processes come and go in it."""

    number: int
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    applied: int = 0
    """Entries applied since its last recovery, as far as it has said."""
    ready: bool = False
    is_stopped: bool = False
    starts: int = 0
    recoveries: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """A new process."""
        self.ready, self.applied, self.is_stopped = False, 0, False
        base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.worker"],
            env={**base, **self.environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.starts += 1
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if process is not self.process:
                continue
            if line.startswith("ready"):
                self.ready, self.applied = True, 0
                self.recoveries += 1
            elif line.startswith("applied "):
                self.applied = int(line.split()[1])
            else:
                self.lines.append(line.rstrip())
                del self.lines[:-400]

    @property
    def is_alive(self) -> bool:
        """A process runs here (paused or not)."""
        return self.process is not None and self.process.poll() is None

    @property
    def is_fit(self) -> bool:
        """It has applied enough since its recovery for a fault to mean something."""
        return self.is_alive and self.ready and not self.is_stopped and self.applied >= APPLIED_AT_LEAST

    def signal(self, number: signal.Signals) -> None:
        """To this process and no other."""
        assert self.process is not None
        self.process.send_signal(number)

    def died_at(self) -> list[dict[str, Any]]:
        """The aimed ends of its processes, as they wrote them down."""
        path = self.folder / "died.ndjson"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Rig:
    """See the module."""

    def __init__(self, folder: Path, plan: Plan, *, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.say = say
        self.chance = Random(f"chaos/{plan.seed}")
        self.broker = LaptopKafka(folder / "broker", die_with_parent=True)
        self.broker.start()
        self.environment = {
            "MYELOWATCH_BROKERS": self.broker.bootstrap,
            "MYELOWATCH_PREFIX": "chaos",
            "MYELOWATCH_PARTITIONS": str(plan.partitions),
            "MYELOWATCH_KEY_SECRET": SECRET.decode(),
            "MYELOWATCH_FEEDS": json.dumps({FEED: {"timezone": "Asia/Seoul"}}),
            "MYELOWATCH_EXPLICIT_KNOWN_AT": "true",
            "MYELOWATCH_WORKER__SESSION_SECONDS": str(plan.session_seconds),
            "MYELOWATCH_WORKER__HEARTBEAT_SECONDS": str(plan.session_seconds / 4),
            "MYELOWATCH_LOG_LEVEL": "warning",
        }
        self.settings: Settings = load_settings({**self.environment, "MYELOWATCH_STATE": str(folder)})
        admin = connect_admin(self.settings.kafka)
        apply_topics(admin, self.settings)
        admin.close()
        self.workers = [self._worker(folder, number) for number in range(2)]
        self.sent: set[str] = set()
        self.reports = 0
        self.messages = 0
        self.ticks = 0
        self.resent = 0
        self.faults: Counter[str] = Counter()
        self.failures: list[str] = []
        self.faults_done = threading.Event()
        self.feed_done = threading.Event()
        self._stop = threading.Event()
        self._points: list[str] = []
        """Points not aimed at yet in this turn: each comes before any comes again."""
        self._intake: Intake | None = None
        self._ticker: Ticker | None = None

    def _worker(self, folder: Path, number: int) -> Worker:
        """The first on disk with a stable name (static membership), the second in memory without."""
        own = folder / f"worker-{number}"
        own.mkdir(parents=True, exist_ok=True)
        kind = (
            {"MYELOWATCH_WORKER__INSTANCE_ID": "chaos-0", "MYELOWATCH_WORKER__STORE": "rocksdb"}
            if number == 0
            else {"MYELOWATCH_WORKER__STORE": "memory"}
        )
        environment = {**self.environment, **kind, "MYELOWATCH_STATE": str(own), "CHAOS_FOLDER": str(own)}
        if self.plan.mutant:
            environment["CHAOS_MUTANT"] = self.plan.mutant
        return Worker(number, own, environment)

    # --- the run ---

    def run(self) -> None:
        """Feed under faults, then drain and stop in order."""
        for worker in self.workers:
            worker.start()
        feeding = threading.Thread(target=self._feed, daemon=True)
        supervising = threading.Thread(target=self._supervise, daemon=True)
        feeding.start()
        supervising.start()
        try:
            self._break_things()
            self.faults_done.set()
            self._wait(self.feed_done.is_set, "the feed to end")
            self.say("all is sent; waiting until all is read")
            self._wait(self._is_drained, "the workers to read everything")
        finally:
            self._stop.set()
            supervising.join(10)
            self._stop_workers()

    def close(self) -> None:
        """End whatever is left."""
        self._stop.set()
        for worker in self.workers:
            if worker.is_alive:
                worker.signal(signal.SIGKILL)
        self.broker.stop()

    def _wait(self, condition: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if self.failures:
                raise RunFailed("; ".join(self.failures))
            if time.monotonic() > deadline:
                raise RunFailed(f"waited {patience:.0f} s for {what}: {self._standing()}")
            time.sleep(0.1)

    def _standing(self) -> str:
        parts = []
        for worker in self.workers:
            code = None if worker.process is None else worker.process.poll()
            tail = " | ".join(worker.lines[-5:])
            parts.append(f"worker {worker.number}: alive {worker.is_alive} ({code}), ready {worker.ready}: {tail}")
        return "; ".join(parts)

    # --- the feed ---

    def _feed(self) -> None:
        try:
            self._feed_on()
        except Exception as error:  # noqa: BLE001 - shown by whoever waits
            self.failures.append(f"the feed failed: {type(error).__name__}: {error}")
        finally:
            self._intake, self._ticker = _closed(self._intake), _closed(self._ticker)
            self.feed_done.set()

    def _feed_on(self) -> None:
        """At a steady rate while things break, and as fast as may be once nothing does any more."""
        plan = self.plan
        batch: list[FeedItem] = []
        for item in feed(plan.patients, plan.seed):
            if self._stop.is_set():
                return
            if item.message is not None:
                batch.append(item)
                if len(batch) < 10:
                    continue
            self._send(batch)
            if not self.faults_done.is_set():
                time.sleep(len(batch) / plan.rate)
            batch = []
            if item.message is None:
                self._tick(item)
                if self.faults_done.is_set() and self.reports >= plan.reports:
                    return

    def _send(self, batch: list[FeedItem]) -> None:
        """Until the broker has all of them; what it may have had already is sent again."""
        while not self._stop.is_set():
            try:
                intake = self._intake = self._intake or Intake(self.settings)
                for item in batch:
                    message = item.message
                    assert message is not None
                    intake.send(
                        message.value,
                        feed=FEED,
                        protocol="event",
                        patient_key=message.key.decode(),
                        known_at=message.known_at,
                    )
                intake.settle()
            except Exception as error:  # noqa: BLE001 - the broker is away: kafka-python raises many kinds
                self.resent += len(batch)
                self.say(f"  sent again: {type(error).__name__}")
                self._intake = _closed(self._intake)
                time.sleep(0.5)
            else:
                self.messages += len(batch)
                self.reports += sum(item.is_report for item in batch)
                self.sent.update(item.name for item in batch if item.name)
                return

    def _tick(self, item: FeedItem) -> None:
        while not self._stop.is_set():
            try:
                self._ticker = self._ticker or Ticker(self.settings)
                self._ticker.tick(item.known_at)
            except Exception:  # noqa: BLE001 - as above
                self._ticker = _closed(self._ticker)
                time.sleep(0.5)
            else:
                self.ticks += 1
                return

    # --- the workers ---

    def _supervise(self) -> None:
        while not self._stop.is_set():
            for worker in self.workers:
                if worker.process is None or worker.process.poll() is None:
                    continue
                code = worker.process.returncode
                worker.ends[str(code)] += 1
                if code in (0, 2):
                    self.failures.append(f"worker {worker.number} ended with {code}: {' | '.join(worker.lines[-8:])}")
                    return
                time.sleep(0.3)
                worker.start()
            time.sleep(0.1)

    def _stop_workers(self) -> None:
        for worker in self.workers:
            if worker.is_alive:
                if worker.is_stopped:
                    worker.signal(signal.SIGCONT)
                worker.signal(signal.SIGTERM)
        for worker in self.workers:
            if worker.process is None:
                continue
            try:
                worker.process.wait(20)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait(10)

    def committed(self, subject: Subject) -> dict[int, int]:
        """Offsets committed by the group."""
        from streams.app import group_name

        admin = connect_admin(self.settings.kafka)
        try:
            offsets = admin.list_group_offsets({group_name(self.settings): None})[group_name(self.settings)]
        except Exception:  # noqa: BLE001 - the coordinator is coming up
            return {}
        finally:
            admin.close()
        topic = self.settings.topics[subject]
        return {place.partition: row.offset for place, row in offsets.items() if place.topic == topic}

    def ends(self, subject: Subject) -> dict[int, int]:
        """The end of every partition of a topic."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka.servers)
        try:
            topic = self.settings.topics[subject]
            places = [TopicPartition(topic, partition) for partition in range(self.settings.partitions)]
            return {place.partition: offset for place, offset in consumer.end_offsets(places).items()}
        finally:
            consumer.close()

    def _is_drained(self) -> bool:
        for subject in (*SOURCES, Subject.LOG):
            ends, committed = self.ends(subject), self.committed(subject)
            if any(end > 0 and committed.get(partition) != end for partition, end in ends.items()):
                time.sleep(1)
                return False
        return True

    # --- faults ---

    def _break_things(self) -> None:
        self._wait(lambda: all(worker.ready for worker in self.workers), "both workers to be ready")
        faults: Mapping[str, Callable[[], None]] = {
            "aimed-kill": self._aimed_kill,
            "kill": self._kill,
            "broker-kill": self._kill_broker,
            "broker-restart": self._restart_broker,
            "pause": lambda: self._pause(*self.plan.short_pause),
            "long-pause": lambda: self._pause(*self.plan.long_pause),
        }
        order = self.plan.faults()
        self.chance.shuffle(order)
        for number, kind in enumerate(order, start=1):
            self.say(f"fault {number} of {len(order)}: {kind} ({self.reports} reports sent)")
            faults[kind]()
            self.faults[kind] += 1
            time.sleep(self.chance.uniform(0.2, 1.5))

    def _fit(self) -> Worker:
        """A worker that has applied enough since its recovery; the other one may be down."""
        found: list[Worker] = []

        def look() -> bool:
            found[:] = [worker for worker in self.workers if worker.is_fit]
            return bool(found)

        self._wait(look, f"a worker that has applied {APPLIED_AT_LEAST} entries since its recovery")
        return self.chance.choice(found)

    def _aimed_kill(self) -> None:
        """The process kills itself at the point; until it does the feed goes on."""
        victim = self._fit()
        before = len(victim.died_at())
        if not self._points:
            self._points = self.chance.sample(POINTS, len(POINTS))
        aim = {"point": self._points.pop(), "skip": self.chance.randint(0, 3)}
        (victim.folder / "aim.json").write_text(json.dumps(aim), encoding="utf-8")
        self._wait(lambda: len(victim.died_at()) > before, f"worker {victim.number} to die at {aim['point']}")

    def _kill(self) -> None:
        victim = self._fit()
        time.sleep(self.chance.uniform(0, 2))
        if victim.is_alive:
            victim.signal(signal.SIGKILL)

    def _kill_broker(self) -> None:
        self.broker.kill()
        time.sleep(self.chance.uniform(1, 8))
        self.broker.restart()

    def _restart_broker(self) -> None:
        self.broker.restart()

    def _pause(self, shortest: float, longest: float) -> None:
        victim = self._fit()
        victim.signal(signal.SIGSTOP)
        victim.is_stopped = True
        time.sleep(self.chance.uniform(shortest, longest))
        victim.signal(signal.SIGCONT)
        victim.is_stopped = False

    def aimed(self) -> Counter[str]:
        """At which points workers died."""
        return Counter(died["point"] for worker in self.workers for died in worker.died_at())


def _closed(client: Intake | Ticker | None) -> None:
    """Let go of a client that may hang on a broker that is away; answers None, for the place it had."""
    if client is not None:
        with contextlib.suppress(Exception):
            client.close()
