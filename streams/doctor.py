"""`myelowatch doctor`: looks at everything the roles stand on, says what is wrong and how to mend it.

Each line is `ok` or `wrong`; exit 1 if any is wrong. A check that another one needs first is left out
with the reason. To read the broker's clock it writes one tick, which changes nothing: ticks come all the
time, and one more is harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from streams.refusals import ExitCode, Refusal

if TYPE_CHECKING:
    from streams.policy_commands import Use
    from streams.settings import Settings

SKEW_SECONDS_MAX: Final = 2.0
"""More than this between our clock and the broker's: logs and metrics of different machines no longer match."""

LAG_ENTRIES_MAX: Final = 10_000
_PATIENCE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is right, what was seen, and how to mend it."""

    what: str
    is_ok: bool
    seen: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{'ok' if self.is_ok else 'wrong':6} {self.what:10} {self.seen}"
        return f"{line}\n{'':17} -> {self.mend}" if self.mend and not self.is_ok else line


def doctor() -> None:
    """Check settings, policy, broker, topics, clock and workers; say what is wrong and how to mend it."""
    wrong = 0
    for finding in examine():
        typer.echo(str(finding))
        wrong += not finding.is_ok
    if wrong:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def examine(load: Callable[[], Settings] | None = None) -> Iterator[Finding]:
    """Every check in order; the later ones need the earlier ones."""
    from streams.settings import SettingsUnusable, load_settings

    try:
        settings = (load or load_settings)()
    except SettingsUnusable as error:
        for sentence in error.errors:
            yield Finding(
                "settings", False, sentence, "`myelowatch settings` prints what is in force once it can be read."
            )
        return
    yield Finding("settings", True, f"read; topics {settings.prefix}.*, {settings.partitions} partitions")
    yield _feeds(settings)
    yield _secret(settings)
    yield _policy(settings)
    yield from _trial(settings)
    yield from _cluster(settings)


def _feeds(settings: Settings) -> Finding:
    if not settings.feeds:
        return Finding(
            "feeds",
            False,
            "none is configured: every message would be rejected as unknown-feed",
            "Name each sender with its timezone, for example MYELOWATCH_FEEDS__LAB__TIMEZONE=Asia/Seoul.",
        )
    return Finding(
        "feeds", True, ", ".join(f"{name} ({feed.timezone})" for name, feed in sorted(settings.feeds.items()))
    )


def _secret(settings: Settings) -> Finding:
    try:
        settings.secret()
    except Refusal as error:
        return Finding("key secret", False, "not set", str(error))
    return Finding("key secret", True, "set")


def _policy(settings: Settings) -> Finding:
    from streams.policy_commands import Use

    name = str(settings.policy_file) if settings.policy_file is not None else settings.profile
    return _read_policy("policy", name, Use.JUDGE)


def _trial(settings: Settings) -> Iterator[Finding]:
    from streams.policy_commands import Use

    if settings.shadow.policy is not None:
        yield _read_policy("trial", settings.shadow.policy, Use.TRY)


def _read_policy(what: str, name: str, use: Use) -> Finding:
    from streams.policy_commands import load, require_status

    try:
        policy = load(name)
        require_status(policy, use, name)
    except Refusal as error:
        first = str(error).splitlines()[0]
        return Finding(what, False, first, f"`myelowatch policy check {name}` lists everything.")
    return Finding(what, True, f"{policy.profile} {policy.version}, hash {policy.hash}, {policy.approved_by}")


def _cluster(settings: Settings) -> Iterator[Finding]:
    from streams.connections import BrokersAway, connect_admin
    from streams.topic_admin import check_topics

    started = time.monotonic()
    try:
        admin = connect_admin(settings.kafka, patience_seconds=min(_PATIENCE_SECONDS, settings.kafka.patience_seconds))
    except BrokersAway as error:
        yield Finding("broker", False, f"nothing answers at {settings.kafka.brokers}", str(error))
        return
    try:
        nodes = admin.describe_cluster().get("brokers", [])
        milliseconds = (time.monotonic() - started) * 1000
        yield Finding(
            "broker", True, f"{settings.kafka.brokers}: {len(nodes)} node(s), answered in {milliseconds:.0f} ms"
        )
        if len(nodes) < settings.kafka.replication_factor:
            yield Finding(
                "copies",
                False,
                f"{settings.kafka.replication_factor} copies are asked for, {len(nodes)} broker(s) are there",
                "Start the missing brokers, or lower MYELOWATCH_KAFKA__REPLICATION_FACTOR for a trial installation.",
            )
        sentences = check_topics(admin, settings)
        for sentence in sentences:
            yield Finding("topics", False, sentence, "`myelowatch topics apply` creates what is missing.")
        if sentences:
            return
        yield Finding("topics", True, "all there, as the table asks")
        yield _clock(settings)
        yield from _workers(settings, admin)
    finally:
        admin.close()


def _clock(settings: Settings) -> Finding:
    """The broker stamps what it appends: a record of ours tells its clock."""
    from streams.connections import build_producer
    from streams.topics import Subject
    from streams.translate import HEADER_KIND, KIND_TICK, TICK_KEY

    producer = build_producer(settings.kafka)
    try:
        topic = settings.topics[Subject.INTAKE]
        before = time.time()
        kept = producer.send(topic, key=TICK_KEY, value=b"", partition=0, headers=[(HEADER_KIND, KIND_TICK)]).get(30)
        after = time.time()
    finally:
        producer.close()
    stamp = kept.timestamp / 1000
    # The truth lies between the two: what is outside that span is skew.
    skew = max(before - stamp, stamp - after, 0.0)
    seen = f"the broker's differs from ours by {skew:.2f} s at least" if skew else "the broker's agrees with ours"
    mend = "Set both machines to the hospital's time service. Patients are judged by the broker's clock alone."
    return Finding("clock", skew <= SKEW_SECONDS_MAX, seen, mend)


def _workers(settings: Settings, admin: Any) -> Iterator[Finding]:
    """Who is in the group, and how much of the log waits."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    from streams.app import group_name
    from streams.connections import client_options
    from streams.topics import Subject

    group = group_name(settings)
    log = settings.topics[Subject.LOG]
    try:
        offsets = {
            place.partition: each.offset
            for place, each in admin.list_group_offsets([group])[group].items()
            if place.topic == log
        }
        members = len(admin.describe_groups([group])[group].get("members") or ())
    except (KafkaError, KeyError):
        # A cluster that never had a group has no coordinator for one yet.
        offsets, members = {}, 0
    consumer = KafkaConsumer(**client_options(settings.kafka), group_id=None)
    try:
        places = [TopicPartition(log, each) for each in range(settings.partitions)]
        ends, begins = consumer.end_offsets(places), consumer.beginning_offsets(places)
    finally:
        consumer.close()
    lag = sum(ends[place] - max(offsets.get(place.partition, 0), begins[place]) for place in places)
    yield Finding(
        "workers",
        members > 0 or lag == 0,
        f"{members} in the group {group}" if members else f"none runs now in the group {group}",
        "Entries wait and nobody judges them: start a worker with `myelowatch up`.",
    )
    yield Finding(
        "backlog",
        lag <= LAG_ENTRIES_MAX,
        f"{lag:,} entries of the patient log wait",
        "Let the workers drain it, or start another: `myelowatch up --workers 2`.",
    )
