"""What translate makes of what the door writes beside a message: refused, counted already, history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
from prometheus_client import CollectorRegistry

from schemas.reading import ReadingContext
from streams.observability.metrics import Role, build_meters
from streams.observability.vocabulary import Vocabulary
from streams.ports import Arrived, milliseconds_of
from streams.readers import build_readers
from streams.topics import Subject, TopicNames
from streams.translate import Translate, Translation
from tests.broker.gateway.door import message
from tests.streams.fakes import FakeLog, World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOPICS = TopicNames()


async def translate(world: World, registry: CollectorRegistry, **headers: bytes) -> Translation:
    context = ReadingContext(
        feed="lab", zone=ZoneInfo("Asia/Seoul"), secret=b"s" * 16, live_from=NOW - timedelta(days=9)
    )
    body = Translate(
        log=FakeLog(world),
        readers=build_readers(),
        feeds={"lab": context},
        topics=TOPICS,
        partitions=1,
        meters=build_meters(registry, Vocabulary(feeds=frozenset({"lab"})), (Role.WORKER,)),
    )
    intake = TOPICS[Subject.INTAKE]
    body.assigned([(intake, 0)])
    given = (("feed", b"lab"), ("protocol", b"hl7v2"), *headers.items())
    return await body.take([Arrived(intake, 0, 7, milliseconds_of(NOW), b"k", message(1), given)])


async def test_what_the_door_refused_is_a_rejection_and_is_never_read() -> None:
    world = World()
    outcome = await translate(
        world, CollectorRegistry(), refused=b"not-production", because=b"only P", control_id=b"C1"
    )
    assert (outcome.entries, outcome.rejections) == (0, 1)
    (record,) = world.records(TOPICS[Subject.REJECTED])
    said = orjson.loads(record.value or b"")
    assert (said["reason"], said["detail"], said["source"]["message"]) == ("not-production", "only P", "C1")
    assert said["original_offset"] == 7


async def test_a_reason_of_another_release_is_still_a_rejection() -> None:
    world = World()
    assert (await translate(world, CollectorRegistry(), refused=b"something new")).rejections == 1
    assert world.records(TOPICS[Subject.LOG]) == []


async def test_what_the_door_counted_is_not_counted_again() -> None:
    for headers, count in (({}, 1.0), ({"ack": b"AA"}, None)):
        registry = CollectorRegistry()
        await translate(World(), registry, **headers)
        labels = {"feed": "lab", "type": "hl7v2", "ack": "none"}
        assert registry.get_sample_value("myelowatch_messages_received_total", labels) == count


async def test_a_backfill_is_history_whatever_the_feed_s_go_live() -> None:
    for headers, live_from in (({}, NOW - timedelta(days=9)), ({"historical": b"1"}, NOW)):
        world = World()
        await translate(world, CollectorRegistry(), **headers)
        (record,) = world.records(TOPICS[Subject.LOG])
        assert datetime.fromisoformat(orjson.loads(record.value or b"")["live_from"]) == live_from
