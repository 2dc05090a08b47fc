"""The simulated Kafka: what survives every process. Topics, the changelog, committed offsets, one consumer group.

It does exactly what it is told and decides nothing by chance. Everything appended is shown to `Promises` at
once, so that a broken promise is noticed at the step that breaks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from streams.ports import Arrived, Outgoing

Place = tuple[str, int]
"""A topic and a partition."""


class Witness(Protocol):
    """Sees all that is kept, at the moment it is kept."""

    def appended(self, topic: str, partition: int, offset: int, record: Arrived) -> None: ...
    def kept(self, partition: int, key: bytes, value: bytes | None) -> None: ...
    def committed(self, topic: str, partition: int, offset: int) -> None: ...


@dataclass(slots=True)
class Group:
    """The consumer group of the workers: who is in, who has which partition, in which generation."""

    partitions: int
    members: list[int] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)
    generation: int = 0

    def assign(self, members: Iterable[int], first: int) -> None:
        """A new generation; partitions go round from the member at place `first`."""
        self.members = sorted(members)
        self.generation += 1
        count = len(self.members)
        self.owner = (
            {partition: self.members[(partition + first) % count] for partition in range(self.partitions)}
            if count
            else {}
        )

    def partitions_of(self, member: int) -> list[int]:
        """What a member has."""
        return [partition for partition, owner in self.owner.items() if owner == member]


class SimulatedBroker:
    """See the module."""

    def __init__(self, partitions: int, witness: Witness, changelog: str) -> None:
        self.partitions = partitions
        self.topics: dict[Place, list[Arrived]] = {}
        self.changelog: list[list[tuple[bytes, bytes | None] | None]] = [[] for _ in range(partitions)]
        """A record that compaction took away leaves its place."""
        self.offsets: dict[Place, int] = {}
        self.group = Group(partitions)
        self.clock_ms = 0
        self.is_up = True
        self._witness = witness
        self._changelog_topic = changelog

    def append(self, record: Outgoing, stamp_ms: int | None = None) -> int:
        """Keep one record; its offset."""
        place = (record.topic, record.partition)
        rows = self.topics.get(place)
        if rows is None:
            rows = self.topics[place] = []
        stamp = self.clock_ms if stamp_ms is None else stamp_ms
        arrived = Arrived(
            record.topic, record.partition, len(rows), stamp, record.key, record.value, tuple(record.headers)
        )
        rows.append(arrived)
        self._witness.appended(record.topic, record.partition, arrived.offset, arrived)
        return arrived.offset

    def keep(self, partition: int, key: bytes, value: bytes | None) -> int:
        """Keep one record of the changelog; its offset."""
        rows = self.changelog[partition]
        rows.append((key, value))
        self._witness.kept(partition, key, value)
        return len(rows) - 1

    def commit(self, generation: int, member: int, place: Place, offset: int) -> bool:
        """Commit an offset; refused to whoever is not of the present generation."""
        group = self.group
        if generation != group.generation or group.owner.get(place[1]) != member:
            return False
        self.offsets[place] = offset
        self._witness.committed(place[0], place[1], offset)
        return True

    def committed(self, place: Place) -> int:
        """Where a new owner reads on."""
        return self.offsets.get(place, 0)

    def end(self, place: Place) -> int:
        """The offset after the last record."""
        rows = self.topics.get(place)
        return 0 if rows is None else len(rows)

    def read(self, place: Place, start: int, most: int) -> list[Arrived]:
        """Records from an offset on."""
        rows = self.topics.get(place)
        return [] if rows is None else rows[start : start + most]

    def compact(self, partition: int, below: int) -> int:
        """Take away every record that a later one of the same key replaces; the log from `below` on is too young."""
        rows = self.changelog[partition]
        newest = {row[0]: place for place, row in enumerate(rows[:below]) if row is not None}
        taken = 0
        for place in range(below):
            row = rows[place]
            if row is not None and newest[row[0]] != place:
                rows[place] = None
                taken += 1
        return taken
