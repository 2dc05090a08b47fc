"""Reading a topic from its beginning to its present end, with no group: for `explain`, dumps and tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from streams.connections import client_options, connect_admin
from streams.ports import Arrived, milliseconds_of
from streams.refusals import Refusal
from streams.replay import write_dump_head, write_dump_line
from streams.settings import Settings
from streams.topics import Subject

_POLL_MS: Final = 1_000
_SILENT_POLLS: Final = 30
"""Polls without a record, with records still to come, before the broker is taken to be stuck."""


def read_topic(
    settings: Settings,
    subject: Subject,
    *,
    patience_seconds: float | None = None,
    since: datetime | None = None,
) -> Iterator[Arrived]:
    """Every record that the topic holds now, by partition in offset order (partitions may interleave).

    With `since`, only from the first record that the broker stamped then or later.
    """
    from kafka import KafkaConsumer, TopicPartition

    name = settings.topics[subject]
    # The admin client waits for brokers that are away, and says in a sentence when they stay away.
    connect_admin(settings.kafka, patience_seconds=patience_seconds).close()
    consumer = KafkaConsumer(
        **client_options(settings.kafka), enable_auto_commit=False, auto_offset_reset="earliest", group_id=None
    )
    try:
        found = consumer.partitions_for_topic(name)
        if not found:
            raise Refusal(f"The topic {name} is not there. `myelowatch topics apply` creates what is missing.")
        places = [TopicPartition(name, partition) for partition in sorted(found)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning(*places)
        if since is not None:
            stamps = consumer.offsets_for_times(dict.fromkeys(places, milliseconds_of(since)))
            for place in places:
                found_at = stamps.get(place)
                consumer.seek(place, ends[place] if found_at is None else found_at.offset)
        left = {place for place in places if consumer.position(place) < ends[place]}
        silent = 0
        while left:
            polled = consumer.poll(timeout_ms=_POLL_MS)
            silent = 0 if polled else silent + 1
            if silent > _SILENT_POLLS:
                raise Refusal(f"The topic {name} holds records that the broker does not deliver. Is it healthy?")
            for place, records in polled.items():
                for record in records:
                    if record.offset < ends[place]:
                        yield Arrived(
                            topic=record.topic,
                            partition=record.partition,
                            offset=record.offset,
                            stamp_ms=record.timestamp,
                            key=record.key,
                            value=record.value,
                            headers=tuple(record.headers or ()),
                        )
            left = {place for place in left if consumer.position(place) < ends[place]}
    finally:
        consumer.close()


def dump_log(settings: Settings, file: Path) -> int:
    """The patient log as it stands now, for `myelowatch replay --format log`; answers how many records it holds."""
    count = 0
    with file.open("wb") as stream:
        stream.write(write_dump_head(settings.partitions) + b"\n")
        for record in read_topic(settings, Subject.LOG):
            stream.write(write_dump_line(record) + b"\n")
            count += 1
    return count
