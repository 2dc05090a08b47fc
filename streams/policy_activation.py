"""Putting a policy in force: one entry in every partition of the patient log (design part 7)."""

from __future__ import annotations

from typing import Final

from schemas.events import Entry, EntryKind, PolicyActivation
from streams.connections import build_producer, connect_admin
from streams.refusals import CheckFailed, Refusal
from streams.settings import Settings, load_settings
from streams.topic_admin import check_topics
from streams.topics import Subject

POLICY_KEY: Final = b"~policy"
"""Key of activations, for people who look at the topic; the partition is always explicit."""

_SEND_SECONDS: Final = 30.0


def build_activation_entry(activation: PolicyActivation) -> Entry:
    """The entry; its id comes from what it activates, so that sending it twice is one activation."""
    return Entry(
        kind=EntryKind.POLICY,
        event_id=f"policy:{activation.hash}:{activation.rules_version}",
        policy=activation,
    )


def activate_policy(activation: PolicyActivation, settings: Settings | None = None) -> int:
    """Write the activation to every partition and wait for each to be acknowledged; answers how many there are."""
    settings = settings or load_settings()
    topic = settings.topics[Subject.LOG]
    admin = connect_admin(settings.kafka)
    try:
        wrong = check_topics(admin, settings, (Subject.LOG,))
    finally:
        admin.close()
    if wrong:
        raise Refusal("\n".join([*wrong, "Nothing was written."]))
    producer = build_producer(settings.kafka)
    try:
        value = build_activation_entry(activation).to_json()
        sent = [
            producer.send(topic, key=POLICY_KEY, value=value, partition=partition)
            for partition in range(settings.partitions)
        ]
        failed = []
        for partition, future in enumerate(sent):
            try:
                future.get(timeout=_SEND_SECONDS)
            except Exception as error:  # noqa: BLE001 - the client raises many kinds; the sentence names them all
                failed.append(f"{partition} ({type(error).__name__})")
        if failed:
            raise CheckFailed(
                f"Not acknowledged in partition {', '.join(failed)}: the new policy is in force in the others only. "
                "Run the same command again until all are; doing so twice changes nothing."
            )
        return len(sent)
    finally:
        producer.close()
