"""A log and a store with memory: they keep what was sent in the order it was acknowledged, and can fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from schemas.events import Entry
from streams.ports import Arrived, NotAcknowledged, Outgoing, Put, milliseconds_of
from streams.state import Recovery


class World:
    """What the broker keeps: survives a crash of the process in front of it."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        self.changelog: dict[int, list[Put]] = defaultdict(list)
        self.history: list[Outgoing | Put] = []

    def records(self, topic: str) -> list[Outgoing]:
        """Everything on a topic, by partition and offset."""
        return [each for (name, _), rows in sorted(self.topics.items()) if name == topic for each in rows]

    def offer(self, topic: str, partition: int, *, at: datetime, start: int = 0) -> list[Arrived]:
        """A partition of a topic as a consumer gets it."""
        rows = self.topics[topic, partition]
        return [
            Arrived(topic, partition, offset, milliseconds_of(at), row.key, row.value, row.headers)
            for offset, row in enumerate(rows)
            if offset >= start
        ]


class FakeLog:
    """Acknowledges at once, unless `fail` says no for a record; fails before or after writing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fail: Callable[[Outgoing], bool] = lambda record: False
        self.before_send: Callable[[Sequence[Outgoing]], None] = lambda records: None

    async def send(self, records: Sequence[Outgoing]) -> None:
        self.before_send(records)
        await asyncio.sleep(0)
        for record in records:
            if self.fail(record):
                raise NotAcknowledged(record.topic)
            self.world.topics[record.topic, record.partition].append(record)
            self.world.history.append(record)


class FakeStore:
    """A changelog in the world, and what one process has of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        self.fail: Callable[[Put], bool] = lambda record: False
        self.before_put: Callable[[Sequence[Put]], None] = lambda records: None

    def recover(self, partition: int) -> None:
        """Rebuild a partition as a new owner does."""
        recovery = Recovery()
        for put in self.world.changelog[partition]:
            recovery.read(put.key, put.value)
        for key, value in recovery.to_repair():
            self.world.changelog[partition].append(Put(partition, key, value))
        self.held[partition] = recovery.held

    def get(self, partition: int, key: bytes) -> bytes | None:
        return self.held[partition].get(key)

    async def put(self, records: Sequence[Put]) -> None:
        self.before_put(records)
        await asyncio.sleep(0)
        for record in records:
            if self.fail(record):
                raise NotAcknowledged("changelog")
            self.world.changelog[record.partition].append(record)
            self.world.history.append(record)
        for record in records:
            if record.value is None:
                self.held[record.partition].pop(record.key, None)
            else:
                self.held[record.partition][record.key] = record.value

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self.held[partition].items())


class FixedClock:
    """Stands still."""

    def now(self) -> datetime:
        return datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def write_entry(world: World, topic: str, partition: int, entry: Entry, key: bytes | None = None) -> int:
    """Append an entry to the patient log; its offset."""
    rows = world.topics[topic, partition]
    rows.append(Outgoing(topic, partition, key, entry.to_json()))
    return len(rows) - 1
