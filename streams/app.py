"""`build_app(settings)`: the worker's Faust application, put together. Nothing happens at import.

One process runs both agents: `translate` over intake and the inlets, `monitor` over the patient log. All
their topics and the changelog have the same partition count, so the group's assignor (which puts topics
of equal count together) gives partition n of each of them to the same worker; `recovered` refuses to go on
where it did not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from faust.types import TP

from schemas.events import PolicyActivation
from schemas.reading import ReadingContext
from streams.agents.engine import App, TableManager
from streams.agents.log import FaustLog
from streams.agents.shell import Shell, Take, end_process
from streams.agents.table import StateTable
from streams.connections import tls_context
from streams.monitor import Monitor
from streams.ports import Arrived, Medicine, Meters, MustStop, NoMeters
from streams.settings import Security
from streams.topics import SOURCES, Subject
from streams.translate import Reader, Translate

if TYPE_CHECKING:
    from streams.settings import Settings

STATE_VERSION: Final = 1
"""Part of the group's name: a new number starts a new group that builds its state anew from the log."""


@dataclass(slots=True)
class Parts:
    """What the application is made of; tests put others in."""

    medicine: Medicine
    default_policy: PolicyActivation
    readers: Mapping[str, Reader]
    contexts: Mapping[str, ReadingContext]
    meters: Meters = field(default_factory=NoMeters)
    on_ready: Callable[[Sequence[int]], None] = lambda partitions: None
    """Partitions are assigned and their state is recovered."""
    on_waiting: Callable[[], None] = lambda: None
    """Partitions were given up; recovery has begun."""
    on_turn: Callable[[], None] = lambda: None
    """The loop turns: called every second."""


def build_app(settings: Settings, parts: Parts, *, is_trial: bool = False) -> App:
    """The application; `app.monitor_body`, `app.translate_body` and `app.state_table` are its parts.

    With `is_trial` it is the shadow monitor: it judges the same log by a policy on trial, translates nothing, has a
    group and a changelog of its own, and writes to `alert.shadow.v1` what it would say.
    """
    names = settings.topics
    worker = settings.worker
    group = trial_group_name(settings) if is_trial else group_name(settings)
    app = App(group, **_options(settings, "shadow" if is_trial else "engine"))
    app.fetch_wait_ms = worker.fetch_wait_milliseconds
    table = StateTable(
        app,
        name="patient.shadow" if is_trial else "patient.state",
        changelog=names[Subject.SHADOW_STATE if is_trial else Subject.STATE],
        folder=None if worker.store == "memory" else settings.state / "worker" / _folder_name(settings, group),
        partitions=settings.partitions,
        acknowledge_within=worker.acknowledge_within_seconds,
        on_recovered=lambda partitions, repaired: recovered(partitions, repaired),  # noqa: PLW0108 - defined below
    )
    app.tables.add(table)
    log = FaustLog(app, acknowledge_within=worker.acknowledge_within_seconds)
    monitor = Monitor(
        log=log,
        store=table,
        medicine=parts.medicine,
        topics=names,
        partitions=settings.partitions,
        default_policy=parts.default_policy,
        meters=parts.meters,
        lifecycle=Subject.SHADOW if is_trial else Subject.LIFECYCLE,
        cached_records=worker.cached_records,
    )
    translate = Translate(
        log=log,
        readers=parts.readers,
        feeds=parts.contexts,
        topics=names,
        partitions=settings.partitions,
        meters=parts.meters,
        explicit_known_at=settings.explicit_known_at,
    )
    log_topic = names[Subject.LOG]
    translated = () if is_trial else SOURCES
    sources = [names[subject] for subject in translated]

    async def take_entries(arrived: Sequence[Arrived]) -> list[tuple[str, int]]:
        return [(log_topic, partition) for partition in (await monitor.take(arrived)).done]

    async def take_messages(arrived: Sequence[Arrived]) -> frozenset[tuple[str, int]]:
        return (await translate.take(arrived)).done

    within = worker.batch_milliseconds / 1000
    bodies: dict[str, tuple[Take, list[str]]] = {"monitor": (take_entries, [log_topic])}
    if not is_trial:
        bodies["translate"] = (take_messages, sources)
    shells = {
        name: Shell(app, name, take, topics=topics, batch=worker.batch_entries, within=within)
        for name, (take, topics) in bodies.items()
    }
    for name, (_, topics) in bodies.items():
        app.agent(_topic(app, topics), name=name)(shells[name].run)

    async def hand_over() -> None:
        """Let the running batches end and commit them: less for the next owner to do again."""
        limit = min(worker.session_seconds / 3, worker.acknowledge_within_seconds)
        ended = [await shell.close(limit) for shell in shells.values()]
        if all(ended):
            await app.consumer.commit()

    def given_up() -> None:
        for shell in shells.values():
            shell.is_open = False
        for partition in monitor.partitions:
            monitor.revoked(partition)
        translate.revoked(list(translate.sources))
        parts.on_waiting()

    async def recovered(partitions: Sequence[int], repaired: int) -> None:
        try:
            await _recovered(partitions, repaired)
        except BaseException as error:  # noqa: BLE001 - the engine would only log it and go on
            end_process("recovery", error)

    async def _recovered(partitions: Sequence[int], repaired: int) -> None:
        generation = app.consumer_generation_id
        assigned = {(tp.topic, tp.partition) for tp in app.consumer.assignment()}
        for subject in (*translated, Subject.LOG):
            mine = sorted(partition for topic, partition in assigned if topic == names[subject])
            if mine != list(partitions):
                raise MustStop(
                    f"This worker got partitions {mine} of {names[subject]} and the state of {list(partitions)}: the "
                    "topics have different partition counts. Run `myelowatch topics check`."
                )
        begins = await app.consumer.earliest_offsets(*(TP(log_topic, partition) for partition in partitions))
        if app.consumer_generation_id != generation:
            return
        for partition in partitions:
            monitor.assigned(partition, begins_at=begins.get(TP(log_topic, partition)))
        translate.assigned((names[subject], partition) for subject in translated for partition in partitions)
        app.open_shells()
        structlog.get_logger("streams.app").info("partitions are ready", partitions=list(partitions), records=repaired)
        parts.on_ready(partitions)

    def open_shells() -> None:
        for shell in shells.values():
            shell.open()

    def check_progress(now: float) -> None:
        for shell in shells.values():
            shell.check_progress(now)

    app.open_shells = open_shells  # type: ignore[method-assign]
    app.check_progress = check_progress  # type: ignore[method-assign]
    app.hand_over = hand_over  # type: ignore[method-assign]
    app.given_up = given_up  # type: ignore[method-assign]
    app.monitor_body = monitor
    app.translate_body = translate
    app.state_table = table
    return app


def group_name(settings: Settings) -> str:
    """The consumer group of the workers."""
    return f"{settings.prefix}.worker.v{STATE_VERSION}"


def trial_group_name(settings: Settings) -> str:
    """The consumer group of the shadow monitor."""
    return f"{settings.prefix}.shadow.v{STATE_VERSION}"


def _folder_name(settings: Settings, group: str) -> str:
    """Two workers of one machine never share a folder: RocksDB locks it."""
    return f"{group}.{settings.worker.instance_id or 'only'}"


def _topic(app: App, names: list[str]) -> Any:
    # acks=False: only our own Consumer.acknowledge makes an offset committable (see agents.engine).
    return app.topic(
        *names,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        acks=False,
        allow_empty=True,
    )


def _options(settings: Settings, folder: str) -> dict[str, Any]:
    worker, kafka = settings.worker, settings.kafka
    request_seconds = max(30.0, worker.session_seconds)
    options: dict[str, Any] = {
        "broker": [f"kafka://{server}" for server in kafka.servers],
        "datadir": settings.state / "worker" / folder,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "autodiscover": False,
        "TableManager": TableManager,
        "web_enabled": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "topic_allow_declare": False,
        "topic_partitions": settings.partitions,
        "processing_guarantee": "at_least_once",
        "store": "memory://",
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": worker.instance_id,
        "consumer_max_fetch_size": 1024 * 1024,
        "broker_session_timeout": worker.session_seconds,
        "broker_heartbeat_interval": worker.heartbeat_seconds,
        "broker_rebalance_timeout": max(30.0, 3 * worker.session_seconds),
        "broker_max_poll_interval": 300.0,
        "broker_request_timeout": request_seconds,
        "broker_commit_interval": worker.commit_seconds,
        "broker_check_crcs": True,
        "stream_wait_empty": False,
        "stream_buffer_maxsize": 4_096,
        "stream_recovery_delay": 0.0,
        "producer_acks": -1,
        "producer_linger": 0.0,
        "producer_max_request_size": 10_485_760,
        "producer_max_batch_size": 262_144,
        "producer_request_timeout": worker.acknowledge_within_seconds,
        "worker_redirect_stdouts": False,
        "cython_optimizations": True,
    }
    if kafka.security is not Security.PLAINTEXT:
        options["broker_credentials"] = _credentials(settings)
    return options


def _credentials(settings: Settings) -> Any:
    from faust.auth import SASLCredentials, SSLCredentials

    kafka = settings.kafka
    context = tls_context(kafka)
    if kafka.security is Security.SSL:
        return SSLCredentials(context=context)
    assert kafka.password is not None, "checked by the settings"
    return SASLCredentials(
        username=kafka.username,
        password=kafka.password.get_secret_value(),
        ssl_context=context,
        mechanism=kafka.mechanism,
    )
