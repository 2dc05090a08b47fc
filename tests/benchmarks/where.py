"""Where the time of a report goes: both bodies over memory, sampled a thousand times a second of processor time.

A sample counts for the innermost of the areas below that is on the stack, so that the table adds up.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from streams.medicine import RulesMedicine
from streams.monitor import Monitor
from streams.ports import Arrived, Outgoing, Put, milliseconds_of
from streams.readers import read_event_message
from streams.simulator.event_writer import FEED
from streams.topics import DEFAULT_PARTITIONS, Subject, TopicNames, partition_of
from streams.translate import Translate, write_known_at
from tests.benchmarks.load import CONTEXT, default_policy, load_ward

_NAMES: Final = TopicNames()
_HEADERS: Final = (("feed", FEED.encode()), ("protocol", b"event"))

_AREAS: Final = (
    ("rules/", "assess", "ask the rules"),
    ("rules/alerting.py", "", "reconcile with the register"),
    ("rules/telling.py", "", "put transitions into words"),
    ("rules/record.py", "read_record", "record: decode"),
    ("rules/record.py", "write_record", "record: encode"),
    ("rules/record.py", "pack_chunk", "record: pack older facts"),
    ("rules/record.py", "write_fact", "record: pack new facts"),
    ("rules/counts.py", "", "fold counts, episodes, holds"),
    ("rules/course.py", "", "fold the course"),
    ("rules/history.py", "", "place facts"),
    ("rules/picture.py", "", "facts to their kept form"),
    ("rules/watch.py", "", "the step around them"),
    ("schemas/events/entry.py", "entry_from_json", "entry: decode"),
    ("schemas/values/frozen.py", "to_json", "entry and transitions: encode"),
    ("schemas/", "", "read the message"),
    ("streams/state.py", "", "state frames and checksums"),
    ("streams/translate.py", "", "translate itself"),
    ("streams/monitor.py", "", "monitor itself"),
    ("streams/observability/", "", "meters"),
    ("prometheus_client/", "", "meters"),
    ("streams/agents/table.py", "", "state table and RocksDB"),
    ("streams/agents/", "", "shell and ports around the bodies"),
    ("aiokafka/", "", "Kafka client"),
    ("faust/", "", "engine"),
    ("mode/", "", "engine"),
    ("asyncio/", "", "event loop"),
)
"""(file or folder, function or any, what it is), the narrower first."""


class _Memory:
    """Log and store at once."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        self.held: dict[int, dict[bytes, bytes]] = defaultdict(dict)

    async def send(self, records: Sequence[Outgoing]) -> None:
        for record in records:
            self.sent[record.topic, record.partition].append(record)

    def get(self, partition: int, key: bytes) -> bytes | None:
        return self.held[partition].get(key)

    async def put(self, records: Sequence[Put]) -> None:
        for record in records:
            if record.value is not None:
                self.held[record.partition][record.key] = record.value

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self.held[partition].items())


def measure_where(patients: int = 100, days: int = 31) -> tuple[list[tuple[str, float]], float]:
    """(area, share of the time) from the largest, and microseconds of one processor a report for both bodies."""
    memory = _Memory()
    medicine = RulesMedicine()
    medicine.read_policy(default_policy())
    monitor = Monitor(
        log=memory,
        store=memory,
        medicine=medicine,
        topics=_NAMES,
        partitions=DEFAULT_PARTITIONS,
        default_policy=default_policy(),
    )
    translate = Translate(
        log=memory,
        readers={"event": read_event_message},
        feeds={FEED: CONTEXT},
        topics=_NAMES,
        partitions=DEFAULT_PARTITIONS,
        explicit_known_at=True,
    )
    intake = _NAMES[Subject.INTAKE]
    for partition in range(DEFAULT_PARTITIONS):
        monitor.assigned(partition, begins_at=0)
    translate.assigned((intake, partition) for partition in range(DEFAULT_PARTITIONS))
    messages = list(load_ward(patients, days, every=1))
    reports = sum(message.is_report for message in messages)
    offsets = [0] * DEFAULT_PARTITIONS
    rows = []
    for message in messages:
        partition = partition_of(message.key, DEFAULT_PARTITIONS)
        headers = (*_HEADERS, ("known_at", write_known_at(message.known_at)))
        stamp = milliseconds_of(message.known_at)
        rows.append(Arrived(intake, partition, offsets[partition], stamp, message.key, message.value, headers))
        offsets[partition] += 1
    began = time.process_time()
    with sampling() as found:
        asyncio.run(_through(translate, monitor, memory, rows))
    seconds = time.process_time() - began
    return shares(found), 1e6 * seconds / reports


@contextmanager
def sampling() -> Iterator[Counter[str]]:
    """Counts samples by area while it lasts; only in the main thread of a process."""
    found: Counter[str] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        found[_area(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def shares(found: Counter[str]) -> list[tuple[str, float]]:
    """(area, share of the samples) from the largest."""
    total = found.total() or 1
    return [(area, count / total) for area, count in found.most_common()]


async def _through(translate: Translate, monitor: Monitor, memory: _Memory, rows: list[Arrived]) -> None:
    log = _NAMES[Subject.LOG]
    read = [0] * DEFAULT_PARTITIONS
    for start in range(0, len(rows), 200):
        await translate.take(rows[start : start + 200])
        batch = []
        for partition in range(DEFAULT_PARTITIONS):
            written = memory.sent[log, partition]
            batch.extend(
                Arrived(log, partition, offset, 0, written[offset].key, written[offset].value)
                for offset in range(read[partition], len(written))
            )
            read[partition] = len(written)
        await monitor.take(batch)


def _area(frame: FrameType | None) -> str:
    while frame is not None:
        code = frame.f_code
        for place, function, area in _AREAS:
            if f"/{place}" in code.co_filename and (not function or code.co_name == function):
                return area
        frame = frame.f_back
    return "the rest"
