"""The real Kafka under the benchmarks: a broker of its own, topics under a prefix a measurement, processes that print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from streams.broker import LaptopKafka
from streams.connections import build_producer, connect_admin
from streams.settings import Settings, load_settings
from streams.simulator.event_writer import FEED
from streams.topic_admin import apply_topics
from streams.topics import Subject, partition_of
from streams.translate import write_known_at
from tests.benchmarks.load import SECRET, Message

ROOT: Final = Path(__file__).resolve().parents[2]
PARTITIONS: Final = 12
_PATIENCE: Final = 300.0


class Ground:
    """Topics under one prefix of a running broker."""

    def __init__(self, kafka: LaptopKafka, prefix: str, folder: Path, **more: str) -> None:
        self.environment = {
            "MYELOWATCH_BROKERS": kafka.bootstrap,
            "MYELOWATCH_PREFIX": prefix,
            "MYELOWATCH_PARTITIONS": str(PARTITIONS),
            "MYELOWATCH_STATE": str(folder / prefix),
            "MYELOWATCH_KEY_SECRET": SECRET.decode(),
            "MYELOWATCH_FEEDS": json.dumps({FEED: {"timezone": "Asia/Seoul"}}),
            "MYELOWATCH_EXPLICIT_KNOWN_AT": "true",
            "MYELOWATCH_LOG_LEVEL": "warning",
            **more,
        }
        self.settings: Settings = load_settings(self.environment)
        admin = connect_admin(self.settings.kafka)
        apply_topics(admin, self.settings)
        admin.close()

    def topic(self, subject: Subject) -> str:
        """Its full name."""
        return self.settings.topics[subject]

    def make_topic(self, name: str) -> None:
        """A topic that is none of ours, and wait until it has leaders."""
        admin = connect_admin(self.settings.kafka)
        try:
            admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": {}}})
            while any(each["leader_id"] < 0 for each in admin.describe_topics([name])[0]["partitions"]):
                time.sleep(0.1)
        finally:
            admin.close()

    def send(self, messages: Iterable[Message], *, each: Callable[[], None] = lambda: None) -> int:
        """To intake, as the front door would; how many were acknowledged."""
        producer = build_producer(self.settings.kafka, linger_ms=5, batch_size=131_072)
        topic, count = self.topic(Subject.INTAKE), 0
        for message in messages:
            each()
            producer.send(
                topic,
                key=message.key,
                value=message.value,
                partition=partition_of(message.key, PARTITIONS),
                headers=[
                    ("feed", FEED.encode()),
                    ("protocol", b"event"),
                    ("known_at", write_known_at(message.known_at)),
                ],
            )
            count += 1
        producer.flush(timeout=120)
        producer.close()
        return count

    @contextmanager
    def running(self, module: str, *arguments: str, **environment: str) -> Iterator[Printing]:
        """A process that is killed at the end, if it still runs."""
        process = Printing(["-m", module, *arguments], {**self.environment, **environment})
        try:
            yield process
        finally:
            process.end()


class Printing:
    """A process of ours, and the lines it prints."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, *command],
            env={**base, **environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self.at: list[float] = []
        """When each line was read."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.at.append(time.monotonic())
            self.lines.append(line.rstrip())

    def wait_for(self, word: str, patience: float = _PATIENCE) -> float:
        """The moment a line that begins with the word was read."""
        deadline = time.monotonic() + patience
        while True:
            for at, line in zip(self.at, list(self.lines), strict=False):
                if line.startswith(word):
                    return at
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self.lines[-15:])
                raise RuntimeError(f"no line {word!r} from process {self.pid} ({self._process.poll()}):\n{tail}")
            time.sleep(0.02)

    def json_after(self, word: str) -> Any:
        """What stands behind the word on the last line that begins with it."""
        found = [line for line in self.lines if line.startswith(word)]
        return json.loads(found[-1][len(word) :]) if found else None

    def resident(self) -> int:
        """Bytes of memory it holds."""
        import psutil

        size: int = psutil.Process(self.pid).memory_info().rss
        return size

    def end(self) -> None:
        """In order, else by force."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
