"""The one table of topics: what each is called, who writes and reads it, and how Kafka must hold it.

`TOPICS` is the table; `topic_table` puts an installation's prefix, partition count and retention to it.
`apply_topics` creates what is missing, `check_topics` says in sentences what is not as the table asks.
Both talk to the broker through kafka-python's admin client and change nothing that already exists.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

DEFAULT_PREFIX: Final = "onc"
DEFAULT_PARTITIONS: Final = 12
_WORD: Final = struct.Struct("<I")
_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000


class Cleanup(StrEnum):
    """How Kafka forgets."""

    DELETE = "delete"
    COMPACT = "compact"


class Stamp(StrEnum):
    """Whose time a record carries."""

    BROKER = "LogAppendTime"
    PRODUCER = "CreateTime"


class Subject(StrEnum):
    """The topics by what they hold; the value is the name without the prefix."""

    INTAKE = "intake.message.v1"
    LAB = "lab.result.v1"
    DISPENSE = "pharmacy.dispense.v1"
    PATIENT_FACT = "patient.fact.v1"
    REJECTED = "intake.rejected.v1"
    LOG = "patient.log.v1"
    STATE = "patient.state-changelog"
    LIFECYCLE = "alert.lifecycle.v1"
    CURRENT = "alert.current.v1"
    ATTENTION = "alert.attention.v1"
    SHADOW = "alert.shadow.v1"
    SHADOW_STATE = "patient.shadow-changelog"


INLETS: Final = (Subject.LAB, Subject.DISPENSE, Subject.PATIENT_FACT)
SOURCES: Final = (Subject.INTAKE, *INLETS)
"""What translate reads, and where the ticker writes."""


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One line of the table. `retention_days` None keeps for ever."""

    subject: Subject
    key: str
    content: str
    writers: str
    readers: str
    cleanup: Cleanup
    retention_days: int | None
    stamp: Stamp = Stamp.BROKER
    min_compaction_lag_hours: int | None = None
    max_message_bytes: int = 1_048_576


TOPICS: Final = (
    TopicRow(
        Subject.INTAKE,
        "patient, or feed where unreadable",
        "bytes as received with headers (feed, protocol, control_id, sha256, ack); ticks",
        "gateway, intake, send, rejected retry, ticker",
        "translate",
        Cleanup.DELETE,
        400,
        max_message_bytes=10_485_760,
    ),
    TopicRow(
        Subject.LAB,
        "any",
        "inlet: lab results as our events (CloudEvents 1.0); ticks",
        "a hospital's own producers, ticker",
        "translate",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.DISPENSE,
        "any",
        "inlet: medicine events as our events (CloudEvents 1.0); ticks",
        "a hospital's own producers, ticker",
        "translate",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.PATIENT_FACT,
        "any",
        "inlet: what no standard message names, as our events (CloudEvents 1.0); ticks",
        "a hospital's own producers, the console, ticker",
        "translate",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.REJECTED,
        "same as the original",
        "rejections and quarantined entries with reason and place of the original",
        "translate, monitor, rejected",
        "operators",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.LOG,
        "patient",
        "the one ordered history: facts of one message, tick, policy activation, merges and what they move",
        "translate, monitor (moves), policy command",
        "monitor",
        Cleanup.DELETE,
        400,
        max_message_bytes=10_485_760,
    ),
    TopicRow(
        Subject.STATE,
        "patient; ~p marker; ~policy",
        "state records",
        "monitor",
        "monitor",
        Cleanup.COMPACT,
        None,
        min_compaction_lag_hours=24,
    ),
    TopicRow(
        Subject.LIFECYCLE,
        "patient",
        "the notification topic: transitions",
        "monitor",
        "desk, any consumer",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.CURRENT,
        "alert id",
        "newest state of each open alert, tombstone when closed",
        "monitor",
        "any consumer",
        Cleanup.COMPACT,
        None,
    ),
    TopicRow(
        Subject.ATTENTION,
        "patient",
        "pages, acknowledgements, snoozes, escalations, feedback",
        "desk",
        "desk, any consumer",
        Cleanup.DELETE,
        400,
    ),
    TopicRow(
        Subject.SHADOW,
        "patient",
        "transitions of a policy on trial",
        "shadow monitor",
        "any consumer",
        Cleanup.DELETE,
        90,
    ),
    TopicRow(
        Subject.SHADOW_STATE,
        "patient; ~p marker; ~policy",
        "state records under the policy on trial",
        "shadow monitor",
        "shadow monitor",
        Cleanup.COMPACT,
        None,
        min_compaction_lag_hours=24,
    ),
)


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The names of an installation: `names[Subject.LOG]`."""

    prefix: str = DEFAULT_PREFIX

    def __getitem__(self, subject: Subject) -> str:
        return f"{self.prefix}.{subject.value}"

    def subject_of(self, topic: str) -> Subject | None:
        """What a topic holds; None for a topic that is not ours."""
        prefix = self.prefix + "."
        if not topic.startswith(prefix):
            return None
        try:
            return Subject(topic[len(prefix) :])
        except ValueError:
            return None


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2 as Kafka's own default, so that producers in any language agree."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 with the seed of Kafka's Java client (org.apache.kafka.common.utils.Utils)."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    size = len(data)
    whole = size & ~3
    hashed = 0x9747B28C ^ size
    for (word,) in _WORD.iter_unpack(data[:whole]):
        word = (word * multiplier) & mask
        word ^= word >> 24
        word = (word * multiplier) & mask
        hashed = ((hashed * multiplier) & mask) ^ word
    if size > whole:
        hashed ^= int.from_bytes(data[whole:], "little")
        hashed = (hashed * multiplier) & mask
    hashed ^= hashed >> 13
    hashed = (hashed * multiplier) & mask
    return hashed ^ (hashed >> 15)
