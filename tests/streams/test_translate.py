"""Translate: entries under the right partition, rejections with their place, ticks behind everything before them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.events import Entry, EntryKind, entry_from_json
from schemas.reading import Reading, ReadingContext
from schemas.reading.result import Notes
from schemas.rejection import IgnoreReason, Rejection, RejectionReason
from schemas.values import PatientRef
from streams.ports import Arrived, NotAcknowledged, milliseconds_of
from streams.topics import SOURCES, Subject, TopicNames, partition_of
from streams.translate import Translate, Translation, write_known_at
from tests.streams.fakes import FakeLog, World
from tests.streams.toy import START, lab_fact, patient_in

NAMES = TopicNames("t")
INTAKE, LAB, LOG, REJECTED = (NAMES[s] for s in (Subject.INTAKE, Subject.LAB, Subject.LOG, Subject.REJECTED))
FEEDS = {"lab": ReadingContext(feed="lab", zone=ZoneInfo("Asia/Seoul"), secret=b"s", live_from=START)}
SECOND = timedelta(seconds=1)


def read_toy(raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading:
    """`{"patients": {key: value}}`, or a word that makes a rejection or nothing."""
    notes = Notes(context, raw)
    notes.name_message(headers.get("control_id", b"").decode() or notes.message)
    try:
        body = json.loads(raw)
    except ValueError:
        notes.reject(RejectionReason.NOT_JSON, "not JSON")
        return notes.finish(())
    entries = tuple(
        Entry(
            event_id=notes.event_id(str(position)),
            patient=PatientRef(key=key, authority="toy", id="x"),
            feed=context.feed,
            zone=context.zone_name,
            live_from=context.live_from,
            facts=(lab_fact(key, f"{notes.message}/{key}", value, START),),
        )
        for position, (key, value) in enumerate(body.get("patients", {}).items())
    )
    if "fail" in body:
        raise RuntimeError(body["fail"])
    for part in body.get("bad", ()):
        notes.reject(RejectionReason.TIME_MISSING, "no time", part)
    for _ in range(body.get("ignored", 0)):
        notes.ignore(IgnoreReason.NO_RULE_READS_IT, "code")
    return notes.finish(entries)


class Process:
    """One translate over a world, holding all sources of some partitions."""

    def __init__(self, world: World, partitions: Sequence[int] = range(12), *, explicit: bool = False) -> None:
        self.log = FakeLog(world)
        self.translate = Translate(
            log=self.log,
            readers={"toy": read_toy, "event": read_toy},
            feeds=FEEDS,
            topics=NAMES,
            partitions=12,
            explicit_known_at=explicit,
        )
        self.sources = [(NAMES[subject], partition) for subject in SOURCES for partition in partitions]
        self.translate.assigned(self.sources)

    async def take(self, *arrived: Arrived) -> Translation:
        return await self.translate.take(arrived)


def message(
    partition: int, body: object, *, offset: int = 0, at: datetime = START, topic: str = INTAKE, **headers: str
) -> Arrived:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"feed": "lab", "protocol": "toy", **headers}
    pairs = tuple((name, value.encode()) for name, value in given.items())
    return Arrived(topic, partition, offset, milliseconds_of(at), b"key", raw, pairs)


def tick(topic: str, partition: int, at: datetime, known_at: datetime | None = None) -> Arrived:
    headers = [("kind", b"tick")]
    if known_at is not None:
        headers.append(("known_at", write_known_at(known_at)))
    return Arrived(topic, partition, 99, milliseconds_of(at), b"~tick", b"", headers)


def entries(world: World) -> list[tuple[int, Entry]]:
    return [(row.partition, entry_from_json(row.value or b"")) for row in world.records(LOG)]


@pytest.fixture
def world() -> World:
    return World()


async def test_one_entry_a_message_and_patient_in_the_partition_of_its_key(world: World) -> None:
    keys = [patient_in(3), patient_in(7)]

    outcome = await Process(world).take(message(3, {"patients": dict.fromkeys(keys, "2")}))

    assert [(partition, entry.patient.key) for partition, entry in entries(world) if entry.patient] == [
        (3, keys[0]),
        (7, keys[1]),
    ]
    assert all(partition_of((row.key or b""), 12) == row.partition for row in world.records(LOG))
    assert outcome.outcomes["lab", "translated"] == 1
    assert (INTAKE, 3) in outcome.done


async def test_the_stamp_of_intake_is_known_at(world: World) -> None:
    await Process(world).take(message(3, {"patients": {patient_in(3): "2"}}, at=START + SECOND))

    (_, entry), *_ = entries(world)
    assert entry.known_at == START + SECOND
    assert (entry.zone, entry.live_from) == ("Asia/Seoul", START)


@pytest.mark.parametrize(("explicit", "expected"), [(False, START), (True, START - 30 * SECOND)])
async def test_a_known_at_header_rules_only_where_the_setting_says_so(
    world: World, explicit: bool, expected: datetime
) -> None:
    header = write_known_at(START - 30 * SECOND).decode()
    await Process(world, explicit=explicit).take(message(3, {"patients": {patient_in(3): "2"}}, known_at=header))

    (_, entry), *_ = entries(world)
    assert entry.known_at == expected


async def test_the_same_bytes_again_have_the_same_event_id(world: World) -> None:
    process = Process(world)
    body = {"patients": {patient_in(3): "2"}}
    await process.take(message(3, body, control_id="c1"))
    await process.take(message(3, body, offset=1, control_id="c1"))
    await process.take(message(3, {"patients": {patient_in(3): "3"}}, offset=2, control_id="c1"))

    first, again, other = (entry.event_id for _, entry in entries(world))
    assert first == again != other


async def test_what_cannot_be_read_is_held_with_its_place(world: World) -> None:
    outcome = await Process(world).take(message(5, b"\xff\xff", offset=41))

    (row,) = world.records(REJECTED)
    rejection = Rejection.model_validate_json(row.value or b"")
    assert (rejection.reason, rejection.original_topic) == (RejectionReason.NOT_JSON, INTAKE)
    assert (rejection.original_partition, rejection.original_offset) == (5, 41)
    assert (row.partition, row.key) == (5, b"key")
    assert outcome.outcomes["lab", "rejected"] == 1


async def test_a_partly_readable_message_is_both(world: World) -> None:
    outcome = await Process(world).take(message(3, {"patients": {patient_in(3): "2"}, "bad": ["entry[1]"]}))

    assert outcome.outcomes["lab", "partly"] == 1
    assert (len(world.records(LOG)), len(world.records(REJECTED))) == (1, 1)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"feed": "nobody"}, RejectionReason.UNKNOWN_FEED),
        ({"feed": ""}, RejectionReason.UNKNOWN_FEED),
        ({"protocol": "x12"}, RejectionReason.UNSUPPORTED_TYPE),
        ({"protocol": ""}, RejectionReason.UNSUPPORTED_TYPE),
    ],
)
async def test_an_unknown_feed_or_protocol_is_a_rejection(
    world: World, headers: dict[str, str], reason: RejectionReason
) -> None:
    await Process(world).take(message(3, {"patients": {patient_in(3): "2"}}, **headers))

    (row,) = world.records(REJECTED)
    assert Rejection.model_validate_json(row.value or b"").reason == reason


async def test_an_inlet_record_is_an_event_of_the_feed_in_its_source(world: World) -> None:
    record = message(3, {"patients": {patient_in(3): "2"}}, topic=LAB, protocol="", feed="")
    record = Arrived(record.topic, 3, 0, record.stamp_ms, None, record.value, (("ce_source", b"/site/seoul/feed/lab"),))
    await Process(world).take(record)

    (_, entry), *_ = entries(world)
    assert entry.feed == "lab"


async def test_a_reader_that_fails_holds_its_message_only(world: World) -> None:
    outcome = await Process(world).take(
        message(3, {"fail": "900101-1234567"}), message(3, {"patients": {patient_in(3): "2"}}, offset=1)
    )

    (row,) = world.records(REJECTED)
    assert Rejection.model_validate_json(row.value or b"").detail.startswith("the reader failed: RuntimeError at")
    assert "900101" not in (row.value or b"").decode()
    assert len(entries(world)) == 1
    assert outcome.outcomes["lab", "rejected"] == 1


async def test_an_entry_too_large_for_the_log_is_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.translate.ENTRY_LIMIT", 100)

    await Process(world).take(message(3, {"patients": {patient_in(3): "2"}}))

    (row,) = world.records(REJECTED)
    assert Rejection.model_validate_json(row.value or b"").reason == RejectionReason.TOO_LARGE
    assert not entries(world)


async def test_a_message_without_use_is_ignored_and_counted(world: World) -> None:
    outcome = await Process(world).take(message(3, {"ignored": 2}))

    assert outcome.outcomes["lab", "ignored"] == 1
    assert outcome.ignored["no-rule-reads-it", "code"] == 2
    assert not world.history


# --- ticks ---


async def test_a_tick_passes_when_every_source_has_shown_it(world: World) -> None:
    process = Process(world)
    for number, (topic, partition) in enumerate(process.sources):
        assert not entries(world), f"after {number} of {len(process.sources)}"
        await process.take(tick(topic, partition, START + number * SECOND / 100))

    ticked = entries(world)
    assert [partition for partition, _ in ticked] == list(range(12))
    assert {entry.known_at for _, entry in ticked} == {START}, "the smallest of the newest"
    assert {entry.kind for _, entry in ticked} == {EntryKind.TICK}


async def test_a_tick_stands_behind_a_message_from_a_slower_partition(world: World) -> None:
    process = Process(world)
    key = patient_in(3)
    await process.take(*(tick(topic, partition, START) for topic, partition in process.sources if topic != LAB))
    waiting = message(7, {"patients": {key: "2"}}, topic=LAB, at=START - SECOND)
    await process.take(waiting, *(tick(LAB, partition, START) for partition in range(12)))

    kinds = [entry.kind for partition, entry in entries(world) if partition == 3]
    assert kinds == [EntryKind.FACTS, EntryKind.TICK]


async def test_entries_of_a_batch_are_acknowledged_before_its_ticks(world: World) -> None:
    process = Process(world)
    process.log.fail = lambda record: record.topic == LOG and b'"facts"' in (record.value or b"")
    batch = [message(3, {"patients": {patient_in(3): "2"}}), *(tick(t, p, START) for t, p in process.sources)]

    with pytest.raises(NotAcknowledged):
        await process.take(*batch)

    assert not world.history


async def test_a_tick_is_written_once_and_only_where_we_read_intake(world: World) -> None:
    process = Process(world, partitions=(2, 5))
    ticks = [tick(topic, partition, START) for topic, partition in process.sources]
    await process.take(*ticks)
    await process.take(*ticks)

    assert [partition for partition, _ in entries(world)] == [2, 5]


async def test_after_an_assignment_no_tick_passes_until_all_are_seen_again(world: World) -> None:
    process = Process(world, partitions=(2,))
    await process.take(*(tick(topic, partition, START) for topic, partition in process.sources))
    process.translate.assigned([(NAMES[subject], 5) for subject in SOURCES])
    await process.take(*(tick(topic, partition, START + SECOND) for topic, partition in process.sources))

    assert len(entries(world)) == 1


async def test_accelerated_ticks_carry_their_own_time(world: World) -> None:
    process = Process(world, partitions=(2,), explicit=True)
    later = START + timedelta(days=3)
    await process.take(*(tick(topic, partition, START, later) for topic, partition in process.sources))

    assert [entry.known_at for _, entry in entries(world)] == [later.astimezone(UTC)]


async def test_a_source_given_up_in_flight_is_not_committed(world: World) -> None:
    process = Process(world)
    process.log.before_send = lambda records: process.translate.revoked([(INTAKE, 3)])

    outcome = await process.take(
        message(3, {"patients": {patient_in(3): "2"}}), message(4, {"patients": {patient_in(4): "2"}})
    )

    assert outcome.done == {(INTAKE, 4)}
