"""What goes through the real broker: a worker's throughput beside its neighbours, latency beside an echo, recovery."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import orjson

from rules.record import read_record, write_record
from schemas.alerts import TransitionKind
from streams.connections import build_producer
from streams.state import Frame, Mark, marker_key
from streams.topic_reading import read_topic
from streams.topics import Subject, partition_of
from tests.benchmarks.core import CoreWard
from tests.benchmarks.ground import PARTITIONS, Ground, Printing
from tests.benchmarks.load import load_ward, to_entries
from tests.benchmarks.worker import STEP


@dataclass(frozen=True, slots=True)
class Rate:
    """Something a second, and the time it took."""

    count: int
    seconds: float

    @property
    def a_second(self) -> float:
        """The rate."""
        return self.count / self.seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds between a record and what came of it, both by the broker's clock."""

    count: int
    p50: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """Seconds from the start of a process, and of it what recovery took; memory a patient."""

    seconds: float
    empty_seconds: float
    bytes_a_patient: float

    @property
    def recovery_seconds(self) -> float:
        """Without what any start takes."""
        return max(0.0, self.seconds - self.empty_seconds)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Reports through one worker: by the clock, and by what the worker itself took of one processor."""

    reports: int
    seconds: float
    processor: float
    raised: int
    areas: list[tuple[str, float]]
    """Share of the worker's time by area, where it was sampled."""

    @property
    def a_second(self) -> float:
        """Reports a second, everything on the same machine."""
        return self.reports / self.seconds

    @property
    def a_processor_second(self) -> float:
        """Reports a second of the worker's own processor time: what a worker does that has a processor to itself."""
        return self.reports / self.processor


def measure_pipeline(ground: Ground, patients: int, days: int, *, where: bool = False) -> Pipeline:
    """A backlog of reports through one worker: translate and monitor, the patients known before.

    `where` samples the worker, which makes it slower.
    """
    messages = list(load_ward(patients, days, every=1))
    reports = [message for message in messages if message.is_report]
    enrolment = [message for message in messages if not message.is_report]
    ground.send(enrolment)
    with ground.running("tests.benchmarks.worker") as worker:
        _judged(worker, len(enrolment))
    ground.send(reports)
    environment = {"BENCH_WHERE": "1"} if where else {}
    with ground.running("tests.benchmarks.worker", **environment) as worker:
        ready = worker.wait_for("ready")
        said = _judged(worker, len(reports))
        seconds = worker.at[-1] - ready
        began = worker.json_after("ready")["processor"]
        worker.end()
    raised = sum(_kind(row.value) == TransitionKind.RAISED for row in read_topic(ground.settings, Subject.LIFECYCLE))
    areas = [(area, part) for area, part in worker.json_after("where") or ()]
    return Pipeline(said["entries"], seconds, said["processor"] - began, raised, areas)


def _judged(worker: Printing, entries: int) -> dict[str, float]:
    """Wait until a worker has judged so many (to the last five hundred); what it said of it."""
    limit = time.monotonic() + 900
    while True:
        said = worker.json_after("judged")
        if said is not None and said["entries"] // STEP >= entries // STEP:
            found: dict[str, float] = said
            return found
        if time.monotonic() > limit:
            raise RuntimeError(f"the worker judged {said} of {entries}")
        time.sleep(0.05)


def _kind(value: bytes | None) -> str:
    found: str = orjson.loads(value or b"{}")["transition"]
    return found


def measure_baseline(ground: Ground, kind: str, messages: int) -> Rate:
    """A plain Faust agent or a raw aiokafka loop over the same topic."""
    topic, out = ground.topic(Subject.INTAKE), ground.topic(Subject.SHADOW)
    if kind == "faust":
        # Left to the engine, the topic may have no leader yet when it is read, and the worker hangs.
        ground.make_topic(f"{topic}.plain-seen-changelog")
    with ground.running("tests.benchmarks.baseline", kind, topic, out, str(messages)) as process:
        process.wait_for("done")
        done = process.json_after("done")
    return Rate(done["count"], done["seconds"])


def measure_latency(ground: Ground, patients: int, seconds: int, rate: int) -> Latency:
    """Reports at a steady rate; from the report in intake to its alert on the notification topic."""
    enrolment = list(load_ward(patients, 1, every=1))
    reports = [message for message in load_ward(patients, seconds * rate // patients + 2, every=1) if message.is_report]
    reports = reports[: seconds * rate]
    with ground.running("tests.benchmarks.worker") as worker:
        worker.wait_for("ready")
        ground.send(enrolment)
        time.sleep(2)
        ground.send(reports, each=_paced(rate))
        time.sleep(3)
    sent = {}
    for row in read_topic(ground.settings, Subject.INTAKE):
        if row.value:
            sent[orjson.loads(row.value)["id"]] = row.stamp_ms
    waits = []
    for row in read_topic(ground.settings, Subject.LIFECYCLE):
        transition = orjson.loads(row.value or b"{}")
        if transition["rule"] != "anc-hold" or transition["transition"] != TransitionKind.RAISED:
            continue
        report = transition["evidence"][0]["source"]["message"]
        waits.append(row.stamp_ms - sent[report])
    return _latency(waits)


def measure_echo(ground: Ground, patients: int, seconds: int, rate: int) -> Latency:
    """The same reports through a process that sends back what it reads."""
    source, out = ground.topic(Subject.INTAKE), ground.topic(Subject.SHADOW)
    reports = [message for message in load_ward(patients, seconds * rate // patients + 2, every=1) if message.is_report]
    reports = reports[: seconds * rate]
    with ground.running("tests.benchmarks.baseline", "echo", source, out, "0") as process:
        process.wait_for("ready")
        time.sleep(1)
        ground.send(reports, each=_paced(rate))
        time.sleep(2)
    sent = {row.value: row.stamp_ms for row in read_topic(ground.settings, Subject.INTAKE)}
    waits = [row.stamp_ms - sent[row.value] for row in read_topic(ground.settings, Subject.SHADOW) if row.value in sent]
    return _latency(waits)


def _paced(rate: int) -> Callable[[], None]:
    """Waits so that calls come at this rate."""
    began = time.monotonic()
    count = 0

    def wait() -> None:
        nonlocal count
        count += 1
        ahead = began + count / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)

    return wait


def _latency(waits: Sequence[float]) -> Latency:
    ordered = sorted(waits)
    if not ordered:
        raise RuntimeError("nothing came back")
    return Latency(
        len(ordered), ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], ordered[-1]
    )


def fill_changelog(ground: Ground, patients: int, *, like: int = 100, days: int = 30) -> tuple[int, list[int]]:
    """State of so many patients, as workers would have left it; records in all and the size of each patient's."""
    ward = CoreWard()
    ward.hear(to_entries(load_ward(like, days, every=3)))
    models = [read_record(raw) for raw in ward.records.values()]
    producer = build_producer(ground.settings.kafka, linger_ms=20, batch_size=262_144)
    topic, sizes = ground.topic(Subject.STATE), []
    for number in range(patients):
        model = models[number % len(models)]
        key = f"{number:032x}"
        record = msgspec.structs.replace(model, header=msgspec.structs.replace(model.header, key=key))
        frame = Frame(0, write_record(record), record.header.next_check, Mark.WATCHED)
        raw = frame.to_bytes()
        sizes.append(len(raw))
        producer.send(topic, key=key.encode(), value=raw, partition=partition_of(key.encode(), PARTITIONS))
    for partition in range(PARTITIONS):
        marker = Frame(applied=0, payload=b"").to_bytes()
        producer.send(topic, key=marker_key(partition), value=marker, partition=partition)
    producer.flush(timeout=300)
    producer.close()
    _begin_log(ground)
    return patients + PARTITIONS, sizes


def _begin_log(ground: Ground) -> None:
    """The entry that the markers speak of, so that the group can begin behind it."""
    from streams.medicine import load_activation
    from streams.policy_activation import activate_policy

    activate_policy(load_activation("kr-panel"), ground.settings)


def measure_recovery(ground: Ground, empty: Ground, patients: int) -> tuple[Recovered, Recovered, list[int]]:
    """Cold (nothing on disk) and warm (RocksDB left by the first start) recovery of so many patients."""
    _, sizes = fill_changelog(ground, patients)
    with empty.running("tests.benchmarks.worker") as process:
        nothing = process.wait_for("ready") - process.began
        nobody = process.resident()
    found = []
    for _ in ("cold", "warm"):
        with ground.running("tests.benchmarks.worker") as process:
            seconds = process.wait_for("ready") - process.began
            time.sleep(1)
            found.append(Recovered(seconds, nothing, (process.resident() - nobody) / patients))
    return found[0], found[1], sorted(sizes)
