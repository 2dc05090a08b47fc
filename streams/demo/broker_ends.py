"""The demo's own ends at the broker: it feeds intake, listens to the notification topic, and counts.

The feeder keeps the ward's time: a message is sent when its `known_at` has come, and behind the messages
a tick goes to every source partition, so that time passes in the pipeline exactly as fast as in the ward.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from queue import Queue
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from schemas.alerts import Transition
from schemas.events import EntryKind, entry_from_json
from schemas.values.patient import build_patient_key
from streams.connections import client_options
from streams.demo.screen import Ward
from streams.intake import Intake
from streams.medicine import RulesMedicine, load_activation
from streams.ports import Arrived
from streams.replay import fold_log
from streams.settings import Settings
from streams.simulator.event_writer import FEED, structured_event
from streams.simulator.fhir_writer import fhir_line
from streams.simulator.happenings import Happening
from streams.simulator.people import AUTHORITY
from streams.ticker import Ticker
from streams.topic_reading import read_topic
from streams.topics import SOURCES, Subject
from streams.translate import HEADER_KIND, KIND_TICK, PROTOCOL_EVENT, PROTOCOL_FHIR

TICKS_A_SECOND: Final = 2
"""Ticks a second of real time; at the usual speed that is one for about a day of the ward."""

LOOK_SECONDS: Final = 0.05
"""How often the feeder looks what is due."""

POLL_MILLISECONDS: Final = 200
"""How long the listener waits for transitions before it looks whether it should end."""


class Feeder(threading.Thread):
    """Sends the ward's messages when their time has come, and the ticks behind them.

    `speed` is seconds of the ward for one second of real time. Every third patient's messages go as
    FHIR, the others' as our own events: the same rules see both. `sent` messages and `ticks` are what
    the broker has confirmed.
    """

    def __init__(self, settings: Settings, happenings: Sequence[Happening], ward: Ward, speed: float) -> None:
        super().__init__(name="feeder", daemon=True)
        self._intake = Intake(settings)
        self._ticker = Ticker(settings)
        self._ticks_a_round = len(SOURCES) * settings.partitions
        self._secret = settings.secret()
        self._happenings = happenings
        self._ward = ward
        self._speed = speed
        self._ended = threading.Event()
        self.sent = 0
        self.ticks = 0
        self.failure: Exception | None = None

    def end(self) -> None:
        """Send no more messages; the last tick is still written."""
        self._ended.set()

    def run(self) -> None:
        """Feed until everything is sent or `end` is called; then a last tick, and wait for the broker."""
        try:
            self._feed()
            self._tick()
        except Exception as error:  # noqa: BLE001 - handed to the main thread, which says it
            self.failure = error
        finally:
            self._intake.close()
            self._ticker.close()

    def _feed(self) -> None:
        ward = self._ward
        began = time.monotonic()
        next_tick = 0.0
        place = 0
        while ward.now < ward.closes_at and not self._ended.is_set():
            passed = time.monotonic() - began
            now = min(ward.closes_at, ward.opens_at + timedelta(seconds=passed * self._speed))
            while place < len(self._happenings) and self._happenings[place].known_at <= now:
                self._send(self._happenings[place])
                place += 1
            ward.now = now
            if passed >= next_tick:
                self._tick()
                next_tick = passed + 1 / TICKS_A_SECOND
            self._ended.wait(LOOK_SECONDS)

    def _send(self, happening: Happening) -> None:
        is_fhir = int(happening.patient.rpartition("-")[2]) % 3 == 0
        self._intake.send(
            fhir_line(happening) if is_fhir else structured_event(happening),
            feed=FEED,
            protocol=PROTOCOL_FHIR if is_fhir else PROTOCOL_EVENT,
            control_id=happening.message,
            patient_key=build_patient_key(AUTHORITY, happening.patient, self._secret),
            known_at=happening.known_at,
        )
        self._ward.messages += 1
        self._ward.kinds[type(happening.what).__name__.lower()] += 1

    def _tick(self) -> None:
        # Everything sent so far is kept before time goes on: a tick says exactly that.
        self.sent = self._intake.settle()
        self._ticker.tick(self._ward.now)
        self.ticks += self._ticks_a_round


class Listener(threading.Thread):
    """Reads the notification topic from its beginning and hands every transition on, as it comes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="listener", daemon=True)
        self.heard: Queue[Transition] = Queue()
        self.records = 0
        self.ids: set[str] = set()
        self.failure: Exception | None = None
        self._ended = threading.Event()
        self._consumer: Any = KafkaConsumer(**client_options(settings.kafka), enable_auto_commit=False)
        topic = settings.topics[Subject.LIFECYCLE]
        self._consumer.assign([TopicPartition(topic, partition) for partition in range(settings.partitions)])
        self._consumer.seek_to_beginning()

    def end(self) -> None:
        """Stop listening."""
        self._ended.set()

    def run(self) -> None:
        """Listen until `end`."""
        try:
            while not self._ended.is_set():
                for records in self._consumer.poll(timeout_ms=POLL_MILLISECONDS).values():
                    for record in records:
                        transition = Transition.model_validate_json(record.value)
                        self.ids.add(transition.transition_id)
                        self.heard.put(transition)
                        self.records += 1
        except Exception as error:  # noqa: BLE001 - handed to the main thread, which says it
            self.failure = error
        finally:
            self._consumer.close()


def count_facts(log: Iterable[Arrived]) -> int:
    """Facts in all entries of a patient log, one by one."""
    entries = (entry_from_json(record.value or b"") for record in log)
    return sum(len(entry.facts) for entry in entries if entry.kind is EntryKind.FACTS)


def replay_ids(log: Sequence[Arrived], settings: Settings) -> set[str]:
    """The transitions that a replay of this log says, by id: the same rules in memory, with no broker."""
    result = fold_log(
        log, medicine=RulesMedicine(), default_policy=load_activation(settings.profile), partitions=settings.partitions
    )
    return {transition.transition_id for transition in result.transitions}


class Offsets:
    """What the broker holds, and how far the workers' group has committed."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._admin: Any = KafkaAdminClient(**client_options(settings.kafka))
        self._consumer: Any = KafkaConsumer(**client_options(settings.kafka), enable_auto_commit=False)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
        self._admin.close()

    def ends(self, subjects: Iterable[Subject]) -> dict[Any, int]:
        """The next offset of each partition of these topics."""
        return dict(self._consumer.end_offsets(self._places(subjects)))

    def committed(self, subjects: Iterable[Subject]) -> dict[Any, int]:
        """How far the group is in each partition; 0 where it committed nothing."""
        try:
            offsets = self._admin.list_group_offsets({self._group: None})[self._group]
        except CoordinatorNotAvailableError:  # no group has committed anything on this broker yet
            offsets = {}
        return {place: max(0, offsets[place].offset) if place in offsets else 0 for place in self._places(subjects)}

    def count_records(self, subjects: Iterable[Subject]) -> int:
        """Records held of these topics."""
        return sum(self.ends(subjects).values())

    def read_log(self) -> list[Arrived]:
        """The patient log as it stands."""
        return list(read_topic(self._settings, Subject.LOG))

    def count_waiting(self) -> int:
        """Messages on the source topics that lie behind the group's offsets; ticks are no messages."""
        behind = self.committed(SOURCES)
        return sum(
            1
            for subject in SOURCES
            for record in read_topic(self._settings, subject)
            if record.offset >= behind[TopicPartition(record.topic, record.partition)]
            and record.header(HEADER_KIND) != KIND_TICK
        )

    def _places(self, subjects: Iterable[Subject]) -> list[Any]:
        return [
            TopicPartition(self._settings.topics[subject], partition)
            for subject in subjects
            for partition in range(self._settings.partitions)
        ]
