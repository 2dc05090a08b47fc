"""What tests of the whole pipeline share: worker processes, messages in, everything out, and the oracle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError

from schemas.alerts import Transition
from streams.broker import LaptopKafka
from streams.connections import connect_admin
from streams.intake import Intake
from streams.ports import Arrived
from streams.replay import ReplayResult, fold_log
from streams.settings import Settings, load_settings
from streams.state import Recovery, is_patient_key, marker_key, read_frame
from streams.topic_admin import apply_topics
from streams.topic_reading import read_topic
from streams.topics import Subject
from tests.streams.toy import ToyMedicine, patient_in, toy_activation

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Pipeline:
    """Topics under a prefix of one test, and everything that happens on them."""

    def __init__(self, kafka: LaptopKafka, prefix: str, folder: Path, partitions: int = 4, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            "MYELOWATCH_BROKERS": kafka.bootstrap,
            "MYELOWATCH_PREFIX": prefix,
            "MYELOWATCH_PARTITIONS": str(partitions),
            "MYELOWATCH_STATE": str(folder),
            "MYELOWATCH_WORKER__SESSION_SECONDS": "3",
            "MYELOWATCH_WORKER__HEARTBEAT_SECONDS": "0.5",
            "MYELOWATCH_WORKER__STORE": "memory",
            "MYELOWATCH_WORKER__COMMIT_SECONDS": "0.2",
            **environment,
        }
        self.settings: Settings = load_settings(self.environment)
        self._admin = connect_admin(self.settings.kafka)
        apply_topics(self._admin, self.settings)
        self.sent = 0

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()

    @property
    def group(self) -> str:
        from streams.app import group_name

        return group_name(self.settings)

    def send(self, values: Iterable[tuple[str, str]], feed: str = "lab") -> None:
        """Toy messages: (patient key, value)."""
        intake = Intake(self.settings)
        for key, value in values:
            body = json.dumps({"patients": {key: value}}).encode()
            intake.send(body, feed=feed, protocol="toy", control_id=f"m{self.sent}", patient_key=key)
            self.sent += 1
        intake.settle()
        intake.close()

    def send_raw(self, body: bytes, *, protocol: str = "toy", key: str = "k") -> None:
        """Bytes as they are."""
        intake = Intake(self.settings)
        intake.send(body, feed="lab", protocol=protocol, patient_key=key)
        intake.settle()
        intake.close()

    def patients(self, count: int) -> list[str]:
        """Keys spread over all partitions."""
        partitions = self.settings.partitions
        return [patient_in(number % partitions, partitions, number // partitions) for number in range(count)]

    @contextmanager
    def worker(self, **environment: str) -> Iterator[WorkerProcess]:
        """A worker process, killed at the end if it still runs."""
        process = WorkerProcess({**self.environment, **environment})
        try:
            yield process
        finally:
            process.kill()

    def read(self, subject: Subject) -> list[Arrived]:
        """Everything on a topic, to its present end."""
        return list(read_topic(self.settings, subject))

    def said(self) -> list[Transition]:
        """The transitions on the notification topic, repeats included."""
        return [Transition.model_validate_json(row.value or b"") for row in self.read(Subject.LIFECYCLE)]

    def state(self) -> dict[bytes, bytes]:
        """The frames that a new owner would rebuild from the changelog."""
        recoveries: dict[int, Recovery] = {}
        for row in self.read(Subject.STATE):
            recoveries.setdefault(row.partition, Recovery()).read(row.key or b"", row.value)
        return {key: value for recovery in recoveries.values() for key, value in recovery.held.items()}

    def oracle(self) -> ReplayResult:
        """What the log means."""
        return fold_log(
            self.read(Subject.LOG),
            medicine=ToyMedicine(),
            default_policy=toy_activation(),
            partitions=self.settings.partitions,
        )

    def committed(self, subject: Subject = Subject.LOG, group: str | None = None) -> dict[int, int]:
        """Offsets committed by the workers' group, or another one."""
        group = group or self.group
        try:
            offsets = self._admin.list_group_offsets({group: None})[group]
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError):
            return {}  # the first group of a new broker: its topic of offsets is still being made or read
        topic = self.settings.topics[subject]
        return {place.partition: row.offset for place, row in offsets.items() if place.topic == topic}

    def ends(self, subject: Subject = Subject.LOG) -> dict[int, int]:
        """End offsets of a topic."""
        topic = self.settings.topics[subject]
        places = {TopicPartition(topic, each): OffsetSpec.LATEST for each in range(self.settings.partitions)}
        return {place.partition: row.offset for place, row in self._admin.list_partition_offsets(places).items()}

    def is_drained(self) -> bool:
        """All of intake translated, all of the log judged and committed."""
        for subject in (Subject.INTAKE, Subject.LOG):
            committed = self.committed(subject)
            if any(end > 0 and committed.get(partition) != end for partition, end in self.ends(subject).items()):
                return False
        return True

    def wait_until_drained(self, *workers: WorkerProcess) -> None:
        """Wait for that, with a limit."""
        try:
            wait_until(self.is_drained, "the pipeline to drain")
        except AssertionError as error:
            for subject in (Subject.INTAKE, Subject.LOG):
                error.add_note(f"{subject}: committed {self.committed(subject)} of {self.ends(subject)}")
            for worker in workers:
                error.add_note(f"worker {worker.pid} ({worker.exit_code}):\n{worker.output}")
            raise

    def check_against_oracle(self) -> ReplayResult:
        """The same ids, the same records, and no commit beyond the state."""
        oracle = self.oracle()
        assert {t.transition_id for t in self.said()} == {t.transition_id for t in oracle.transitions}
        state = self.state()
        found = {key: read_frame(raw) for key, raw in state.items() if is_patient_key(key)}
        assert found == dict(oracle.records())
        for partition, offset in self.committed().items():
            assert offset <= read_frame(state[marker_key(partition)]).applied + 1
        return oracle


class WorkerProcess:
    """One worker."""

    def __init__(
        self, environment: Mapping[str, str], module: str = "tests.broker.toy_worker", *arguments: str
    ) -> None:
        base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**base, **environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.ready_count > 0 or self._process.poll() is not None, "a worker to be ready", self)
        assert self._process.poll() is None, self.output

    @property
    def ready_count(self) -> int:
        return sum(line.startswith("ready") for line in list(self.lines))

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(5)
        return code

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, then its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()


def wait_until(condition: Callable[[], Any], what: str, process: WorkerProcess | None = None) -> None:
    """Look again until it holds; fail with what was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE:.0f} s for {what}" + (f":\n{process.output}" if process else ""))
        time.sleep(0.1)
