"""What is held and cannot be used: each rejection with its place, what became of it, and its original.

The topic of rejections is the register. Translate writes a rejection; a person who had it read again or gave it up writes one
more record under the same key (`kind: retried` or `kind: dropped`). Nothing is deleted. A message sent again is read anew by
today's maps, and refused again where nothing was mended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import ValidationError

from schemas.rejection import Rejection
from streams.connections import build_producer, client_options
from streams.ports import Arrived, NotAcknowledged
from streams.refusals import Refusal
from streams.settings import Settings
from streams.topic_reading import read_topic
from streams.topics import Subject
from streams.translate import HEADER_ACK, HEADER_BECAUSE, HEADER_KIND, HEADER_REFUSED

_KIND_REJECTION: Final = b"rejection"
_ACKNOWLEDGE_SECONDS: Final = 30.0
_POLLS: Final = 30
HEADER_RETRY: Final = "retry_of"
_DOORS_WORDS: Final = frozenset({HEADER_REFUSED, HEADER_BECAUSE, HEADER_ACK, HEADER_RETRY})


class Fate(StrEnum):
    """What became of a rejection."""

    OPEN = "open"
    RETRIED = "retried"
    DROPPED = "dropped"


@dataclass(slots=True)
class Held:
    """One message with everything that was refused of it."""

    id: str
    rejections: list[Rejection]
    key: bytes | None
    partition: int
    fate: Fate = Fate.OPEN

    @property
    def first(self) -> Rejection:
        """The rejection it is listed under."""
        return self.rejections[0]


class OriginalGone(Refusal):
    """Retention has taken the original."""


def read_held(records: Iterable[Arrived]) -> dict[str, Held]:
    """The register as it stands, by id, oldest first."""
    held: dict[str, Held] = {}
    fates: dict[str, Fate] = {}
    for record in records:
        kind = record.header(HEADER_KIND) or b""
        if kind == _KIND_REJECTION:
            _add(held, record)
        elif kind.decode("ascii", "replace") in (Fate.RETRIED, Fate.DROPPED):
            fates[_id_in(record.value)] = Fate(kind.decode())
    for name, fate in fates.items():
        if name in held:
            held[name].fate = fate
    return dict(sorted(held.items(), key=lambda item: (str(item[1].first.rejected_at), item[0])))


def _add(held: dict[str, Held], record: Arrived) -> None:
    try:
        rejection = Rejection.model_validate_json(record.value or b"")
    except ValidationError:
        return
    name = id_of(rejection)
    one = held.setdefault(name, Held(name, [], record.key, record.partition))
    if rejection not in one.rejections:  # a batch translated twice after a crash says the same again
        one.rejections.append(rejection)


def id_of(rejection: Rejection) -> str:
    """Twelve digits from the place of the original: the same for everything that was refused of one message."""
    place = f"{rejection.original_topic}\x1f{rejection.original_partition}\x1f{rejection.original_offset}"
    return hashlib.sha256(place.encode()).hexdigest()[:12]


def _id_in(value: bytes | None) -> str:
    try:
        return str(orjson.loads(value or b"")["id"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


class Register:
    """The rejections of an installation."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read before it is asked for."""
        self._settings = settings
        self._topic = settings.topics[Subject.REJECTED]

    def read(self) -> dict[str, Held]:
        """Everything on the topic of rejections. Raises `Refusal` where it cannot be read."""
        return read_held(read_topic(self._settings, Subject.REJECTED))

    def original(self, held: Held) -> Arrived:
        """The message as received. Raises `OriginalGone`."""
        with self._reader() as read:
            return read(held)

    def retry(self, chosen: Sequence[Held]) -> int:
        """Send them again, to be read by today's maps; how many. Each is marked only when its message is kept."""
        with self._reader() as read:
            originals = [(held, read(held)) for held in chosen]
        producer = self._producer()
        try:
            for held, original in originals:
                headers = [(name, value) for name, value in original.headers if name not in _DOORS_WORDS]
                self._send(
                    producer,
                    original.topic,
                    original.partition,
                    original.key,
                    original.value,
                    [*headers, (HEADER_RETRY, held.id.encode())],
                )
                self._mark(producer, held, Fate.RETRIED)
        finally:
            producer.close(timeout=5)
        return len(originals)

    def drop(self, chosen: Sequence[Held]) -> int:
        """Note that nobody will use them; how many. The originals stay as long as the topic keeps them."""
        producer = self._producer()
        try:
            for held in chosen:
                self._mark(producer, held, Fate.DROPPED)
        finally:
            producer.close(timeout=5)
        return len(chosen)

    def _mark(self, producer: Any, held: Held, fate: Fate) -> None:
        headers = [(HEADER_KIND, fate.value.encode())]
        self._send(producer, self._topic, held.partition, held.key, orjson.dumps({"v": 1, "id": held.id}), headers)

    def _producer(self) -> Any:
        return build_producer(self._settings.kafka, max_request_size=10_485_760)

    @staticmethod
    def _send(
        producer: Any, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[Any]
    ) -> None:
        try:
            sent = producer.send(topic, key=key, value=value, partition=partition, headers=headers)
            sent.get(timeout=_ACKNOWLEDGE_SECONDS)
        except Exception as error:
            raise NotAcknowledged(f"not confirmed: {type(error).__name__}") from error

    @contextmanager
    def _reader(self) -> Iterator[Callable[[Held], Arrived]]:
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(
            **client_options(self._settings.kafka), enable_auto_commit=False, group_id=None, max_poll_records=1
        )

        def read(held: Held) -> Arrived:
            first = held.first
            if first.original_partition is None or first.original_offset is None:
                raise OriginalGone(f"{held.id} names no original.")
            place = TopicPartition(first.original_topic, first.original_partition)
            consumer.assign([place])
            if first.original_offset < consumer.beginning_offsets([place])[place]:
                raise OriginalGone(f"The original of {held.id} is older than the topic keeps messages.")
            consumer.seek(place, first.original_offset)
            for _ in range(_POLLS):
                for rows in consumer.poll(timeout_ms=1_000).values():
                    for row in rows:
                        if row.offset == first.original_offset:
                            return Arrived(
                                row.topic,
                                row.partition,
                                row.offset,
                                row.timestamp,
                                row.key,
                                row.value,
                                tuple(row.headers),
                            )
            raise OriginalGone(f"The original of {held.id} is not where it was.")

        try:
            yield read
        finally:
            consumer.close()
