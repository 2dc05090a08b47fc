"""A run of both bodies over a synthetic ward, in memory, with real rules and real meters: what scrapes look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from schemas.reading import ReadingContext
from streams.medicine import RulesMedicine, load_activation
from streams.monitor import Monitor
from streams.ports import Arrived, Meters
from streams.readers import build_readers
from streams.simulator.event_writer import FEED, structured_event
from streams.simulator.pathway import ZONE
from streams.simulator.ward import simulate
from streams.topics import SOURCES, Subject, TopicNames
from streams.translate import HEADER_KIND, HEADER_KNOWN_AT, KIND_TICK, Translate, write_known_at
from tests.streams.fakes import FakeLog, FakeStore, World

NAMES = TopicNames("t")
PARTITIONS = 2
_STAMP = datetime(2026, 1, 1, tzinfo=UTC)


class WardRun:
    """Feed it; the meters count as they would in a worker that holds every partition."""

    def __init__(self, meters: Meters, *, feeds: Sequence[str] = (FEED,)) -> None:
        self.world = World()
        log, store = FakeLog(self.world), FakeStore(self.world)
        contexts = {
            feed: ReadingContext(feed=feed, zone=ZONE, secret=b"a secret of tests", obeys_known_at=True)
            for feed in feeds
        }
        self.translate = Translate(
            log=log,
            readers=build_readers(),
            feeds=contexts,
            topics=NAMES,
            partitions=PARTITIONS,
            meters=meters,
            explicit_known_at=True,
        )
        self.monitor = Monitor(
            log=log,
            store=store,
            medicine=RulesMedicine(),
            topics=NAMES,
            partitions=PARTITIONS,
            default_policy=load_activation("kr-panel"),
            meters=meters,
        )
        self._sources = [(NAMES[subject], partition) for subject in SOURCES for partition in range(PARTITIONS)]
        self.translate.assigned(self._sources)
        for partition in range(PARTITIONS):
            self.monitor.assigned(partition, begins_at=0)
        self._offset = 0
        self._read = [0] * PARTITIONS

    async def send(self, body: bytes, *, feed: str = FEED, protocol: str = "event", at: datetime) -> None:
        """One message through both bodies."""
        headers = (("feed", feed.encode()), ("protocol", protocol.encode()), (HEADER_KNOWN_AT, write_known_at(at)))
        await self._take(NAMES[Subject.INTAKE], 0, body, headers)
        await self._judge()

    async def tick(self, at: datetime) -> None:
        """Time passes in every partition."""
        for topic, partition in self._sources:
            await self._take(topic, partition, b"", ((HEADER_KIND, KIND_TICK), (HEADER_KNOWN_AT, write_known_at(at))))
        await self._judge()

    async def _take(self, topic: str, partition: int, body: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
        self._offset += 1
        await self.translate.take([Arrived(topic, partition, self._offset, 0, None, body, headers)])

    def log_of(self, partition: int) -> list[Arrived]:
        """A partition of the patient log as a consumer gets it."""
        return self.world.offer(NAMES[Subject.LOG], partition, at=_STAMP)

    async def _judge(self) -> None:
        for partition in range(PARTITIONS):
            rows = self.log_of(partition)
            await self.monitor.take(rows[self._read[partition] :])
            self._read[partition] = len(rows)


def ward_messages(patients: int, weeks: int, seed: int = 11) -> Iterator[tuple[datetime, bytes]]:
    """The events of a ward in the order in which they become known."""
    for happening in simulate(patients, weeks, seed):
        yield happening.known_at, structured_event(happening)


async def run_ward(run: WardRun, messages: Sequence[tuple[datetime, bytes]]) -> None:
    """Send them all, with a tick a day."""
    ticked = messages[0][0]
    for at, body in messages:
        while at - ticked > timedelta(days=1):
            ticked += timedelta(days=1)
            await run.tick(ticked)
        await run.send(body, at=at)
    await run.tick(messages[-1][0] + timedelta(hours=1))
