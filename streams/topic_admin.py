"""`topics apply | check | list`: the table of topics against a real cluster, through kafka-python's admin client.

Applies what is missing and changes nothing that exists: a partition count, a cleanup policy or a
retention that differs is said in a sentence and left to people, because each of them decides about data.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streams.refusals import Refusal
from streams.topics import TOPICS, Cleanup, Stamp, Subject, TopicRow

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from streams.settings import Settings

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_FOR_EVER: Final = "-1"
_KNOWN_WITHIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A row of the table as this installation wants it."""

    row: TopicRow
    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


def wanted_topics(settings: Settings) -> tuple[WantedTopic, ...]:
    """The table with the installation's prefix, partition count, copies and retention put to it."""
    return tuple(
        WantedTopic(
            row=row,
            name=settings.topics[row.subject],
            partitions=settings.partitions,
            replication_factor=settings.kafka.replication_factor,
            configs=_configs(row, settings),
        )
        for row in TOPICS
    )


def _configs(row: TopicRow, settings: Settings) -> dict[str, str]:
    configs = {
        "cleanup.policy": row.cleanup.value,
        "message.timestamp.type": row.stamp.value,
        "min.insync.replicas": str(settings.kafka.min_insync_replicas),
        "max.message.bytes": str(row.max_message_bytes),
        "unclean.leader.election.enable": "false",
    }
    if row.cleanup is Cleanup.DELETE:
        days = settings.retention_days or row.retention_days
        configs["retention.ms"] = _FOR_EVER if days is None else str(days * _DAY_MS)
    else:
        configs["retention.ms"] = _FOR_EVER
    if row.min_compaction_lag_hours is not None:
        configs["min.compaction.lag.ms"] = str(row.min_compaction_lag_hours * _HOUR_MS)
    return configs


class TopicsRefused(Refusal):
    """The cluster did not make the topics; the message says why."""


def apply_topics(admin: KafkaAdminClient, settings: Settings) -> tuple[str, ...]:
    """Create what is missing and wait until it can be used; the names created. What exists is left as it is."""
    from kafka.errors import TopicAlreadyExistsError, for_code

    existing = set(admin.list_topics())
    missing = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication_factor,
            "configs": topic.configs,
        }
        for topic in wanted_topics(settings)
        if topic.name not in existing
    }
    if not missing:
        return ()
    answer = admin.create_topics(missing, raise_errors=False)
    created, refused = [], []
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        if topic["error_code"] == 0:
            created.append(topic["name"])
        elif error is not TopicAlreadyExistsError:  # another process may apply the same table at the same moment
            refused.append(f"{topic['name']} was not created: {topic.get('error_message') or error.__name__}.")
    if refused:
        raise TopicsRefused("\n".join(refused))
    _wait_for(admin, list(missing))
    return tuple(name for name in missing if name in created)


def _wait_for(admin: KafkaAdminClient, names: Sequence[str]) -> None:
    """A topic that was made is known to every broker a little later."""
    deadline = time.monotonic() + _KNOWN_WITHIN_SECONDS
    while True:
        ready = {
            topic["name"]
            for topic in admin.describe_topics(list(names))
            if not topic["error_code"]
            and topic["partitions"]
            and all(each["leader_id"] >= 0 for each in topic["partitions"])
        }
        if ready.issuperset(names):
            return
        if time.monotonic() > deadline:
            raise TopicsRefused(
                f"Topics were created and have no leader yet: {', '.join(sorted(set(names) - ready))}. Look at the "
                "brokers' logs, then run `myelowatch topics check`."
            )
        time.sleep(0.05)


def check_topics(
    admin: KafkaAdminClient, settings: Settings, subjects: Iterable[Subject] | None = None
) -> tuple[str, ...]:
    """What is not as the table asks, a sentence each; empty where all is well."""
    chosen = None if subjects is None else frozenset(subjects)
    wanted = [topic for topic in wanted_topics(settings) if chosen is None or topic.row.subject in chosen]
    described = {
        topic["name"]: topic
        for topic in admin.describe_topics([topic.name for topic in wanted])
        if not topic["error_code"]
    }
    present = [topic for topic in wanted if topic.name in described]
    missing = [topic.name for topic in wanted if topic.name not in described]
    sentences = []
    if missing:
        plural = "Topics are" if len(missing) > 1 else "A topic is"
        sentences.append(f"{plural} missing: {', '.join(missing)}. Run `myelowatch topics apply`.")
    configs = _configs_of(admin, [topic.name for topic in present])
    for topic in present:
        sentences.extend(_check_one(topic, described[topic.name], configs[topic.name], settings))
    sentences.extend(_check_trimmed(admin, present, described))
    return tuple(sentences)


def _check_one(topic: WantedTopic, described: dict[str, Any], configs: dict[str, str], settings: Settings) -> list[str]:
    sentences = []
    partitions = described["partitions"]
    if len(partitions) != topic.partitions:
        sentences.append(
            f"{topic.name} has {len(partitions)} partitions and the settings say {topic.partitions}. Keys would land "
            "elsewhere: set MYELOWATCH_PARTITIONS to what the topics have, or move to a new prefix."
        )
    copies = min((len(each["replica_nodes"]) for each in partitions), default=0)
    if copies < topic.replication_factor:
        sentences.append(
            f"{topic.name} is kept {copies} times and should be kept {topic.replication_factor} times: reassign its "
            "partitions."
        )
    cleanup = {each.strip() for each in configs["cleanup.policy"].split(",")}
    if cleanup != {topic.row.cleanup.value}:
        have = ",".join(sorted(cleanup))
        if topic.row.subject in (Subject.STATE, Subject.SHADOW_STATE):
            sentences.append(
                f"{topic.name} has the cleanup policy {have}: patients' state would be deleted. Set it to compact."
            )
        else:
            sentences.append(f"{topic.name} has the cleanup policy {have} and needs {topic.row.cleanup}.")
    if topic.row.stamp is Stamp.BROKER and configs["message.timestamp.type"] != Stamp.BROKER:
        sentences.append(
            f"{topic.name} takes its times from producers: set message.timestamp.type to {Stamp.BROKER}, for the "
            "broker's clock is the one clock."
        )
    if int(configs["min.insync.replicas"]) < settings.kafka.min_insync_replicas:
        sentences.append(
            f"{topic.name} confirms with {configs['min.insync.replicas']} copies and should with "
            f"{settings.kafka.min_insync_replicas}: set min.insync.replicas."
        )
    return sentences


def _check_trimmed(
    admin: KafkaAdminClient, present: Sequence[WantedTopic], described: dict[str, dict[str, Any]]
) -> list[str]:
    """A state topic that no longer begins at 0 although it only compacts was trimmed by somebody."""
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec

    places = {
        TopicPartition(topic.name, each["partition_index"]): OffsetSpec.EARLIEST
        for topic in present
        if topic.row.cleanup is Cleanup.COMPACT
        for each in described[topic.name]["partitions"]
    }
    if not places:
        return []
    trimmed: dict[str, list[int]] = {}
    for place, offset in admin.list_partition_offsets(places).items():
        if offset.offset > 0:
            trimmed.setdefault(place.topic, []).append(place.partition)
    return [
        f"{name} was trimmed in partition{'s' if len(partitions) > 1 else ''} "
        f"{', '.join(map(str, sorted(partitions)))}: records at its beginning are gone. Rebuild it from the patient log "
        "under a new prefix; do not let workers run on it."
        for name, partitions in sorted(trimmed.items())
    ]


def _configs_of(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    from kafka.admin import ConfigResource, ConfigResourceType

    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: str(row["value"]) for key, row in configs.items()} for name, configs in answer.items()}
