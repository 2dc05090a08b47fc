"""The table of topics on a real cluster: applied, checked, and every fault said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import PolicyViolationError

from streams.broker import LaptopKafka
from streams.connections import BrokersAway, connect_admin
from streams.settings import KafkaSettings, Settings, load_settings
from streams.topic_admin import apply_topics, check_topics, wanted_topics
from streams.topics import Subject
from tests.broker.pipeline import wait_until


@pytest.fixture
def settings(kafka: LaptopKafka, topic_prefix: str) -> Settings:
    return load_settings({}, prefix=topic_prefix, partitions=3, kafka={"brokers": kafka.bootstrap})


@pytest.fixture
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    client = connect_admin(settings.kafka)
    yield client
    client.close()


def test_applied_topics_pass_the_check_and_are_left_alone(settings: Settings, admin: KafkaAdminClient) -> None:
    created = apply_topics(admin, settings)
    assert set(created) == {topic.name for topic in wanted_topics(settings)}
    assert check_topics(admin, settings) == ()
    assert apply_topics(admin, settings) == ()


def test_missing_topics_are_named(settings: Settings, admin: KafkaAdminClient) -> None:
    (sentence,) = check_topics(admin, settings, [Subject.LOG, Subject.STATE])
    assert settings.topics[Subject.LOG] in sentence
    assert "topics apply" in sentence


@pytest.mark.parametrize(
    ("subject", "partitions", "configs", "expected"),
    [
        (Subject.LOG, 2, {}, "has 2 partitions and the settings say 3"),
        (Subject.STATE, 3, {"cleanup.policy": "delete"}, "state would be deleted"),
        (Subject.STATE, 3, {"cleanup.policy": "compact,delete"}, "state would be deleted"),
        (Subject.LOG, 3, {"cleanup.policy": "compact"}, "needs delete"),
        (Subject.INTAKE, 3, {"message.timestamp.type": "CreateTime"}, "the one clock"),
    ],
)
def test_a_topic_made_otherwise_is_said(
    settings: Settings,
    admin: KafkaAdminClient,
    subject: Subject,
    partitions: int,
    configs: dict[str, str],
    expected: str,
) -> None:
    (wanted,) = (topic for topic in wanted_topics(settings) if topic.row.subject is subject)
    options: dict[str, Any] = {
        "num_partitions": partitions,
        "replication_factor": 1,
        "configs": {**wanted.configs, **configs},
    }
    admin.create_topics({wanted.name: options}, wait_for_metadata=True)

    sentences = check_topics(admin, settings, [subject])

    assert any(expected in sentence for sentence in sentences), sentences


def test_a_trimmed_changelog_is_said(settings: Settings, admin: KafkaAdminClient) -> None:
    apply_topics(admin, settings)
    name = settings.topics[Subject.STATE]
    producer = KafkaProducer(bootstrap_servers=settings.kafka.servers, acks="all")
    for _ in range(3):
        producer.send(name, key=b"k", value=b"v", partition=1).get(10)
    producer.close()
    # Kafka refuses to trim a compacted topic, so it must have been another policy for a while, as in real accidents.
    resource = _topic_config(name, "delete")
    admin.alter_configs([resource])
    wait_until(lambda: _is_trimmed(admin, TopicPartition(name, 1)), "the broker to hear of the policy and to trim")
    admin.alter_configs([_topic_config(name, "compact")])

    sentences = check_topics(admin, settings, [Subject.STATE])

    assert any("was trimmed in partition 1" in sentence for sentence in sentences), sentences


def _is_trimmed(admin: KafkaAdminClient, place: TopicPartition) -> bool:
    """Trim, unless the broker has not heard yet that the topic is no longer compacted."""
    try:
        admin.delete_records({place: 2})
    except PolicyViolationError:
        return False
    return True


def _topic_config(name: str, cleanup: str) -> Any:
    from kafka.admin import ConfigResource, ConfigResourceType

    return ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": cleanup})


def test_a_broker_that_is_away_is_a_sentence_in_the_time_allowed() -> None:
    with pytest.raises(BrokersAway, match="broker start"):
        connect_admin(KafkaSettings(brokers="127.0.0.1:1"), patience_seconds=0)
