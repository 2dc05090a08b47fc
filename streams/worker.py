"""Runs one worker: checks what it stands on, starts the application, and ends in one of three ways.

* **Cleanly** (SIGTERM, SIGINT; exit 0): no new batch is taken, the running ones end, their offsets are
  committed, the group is left. A watchdog ends the process if the engine does not come to an end.
* **With a sentence** (exit 2): topics missing or wrong, no broker in the time allowed, a policy these rules
  do not know, state that was lost.
* **At once** (exit 70): something was not acknowledged or not expected. Nothing was committed; whoever
  supervises the process starts it again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import structlog

from streams.refusals import Refusal

if TYPE_CHECKING:
    from streams.app import Parts
    from streams.settings import Settings


_GARBAGE_THRESHOLD: Final = 20_000
_SELDOM_SECONDS: Final = 30.0
_TEMPLATES_KEPT: Final = 500
_CLIENT_LOGGERS: Final = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
)


class TopicsUnusable(Refusal):
    """The topics are not as the table asks; every sentence says what to do."""


def check_ground(settings: Settings, say: Callable[[str], None], *, is_trial: bool = False) -> None:
    """Brokers answer and topics are as they should be; refuses with sentences."""
    from streams.connections import connect_admin
    from streams.topic_admin import check_topics
    from streams.topics import SOURCES, Subject

    live = (*SOURCES, Subject.LOG, Subject.STATE, Subject.LIFECYCLE, Subject.CURRENT, Subject.REJECTED)
    trial = (Subject.LOG, Subject.SHADOW_STATE, Subject.SHADOW)
    admin = connect_admin(settings.kafka, say=say)
    try:
        wrong = check_topics(admin, settings, trial if is_trial else live)
    finally:
        admin.close()
    if wrong:
        raise TopicsUnusable("\n".join(wrong))


def collect_garbage_seldom() -> None:
    """Millions of small objects live for one batch; the default looks through all that stays every few hundred."""
    gc.set_threshold(_GARBAGE_THRESHOLD, 50, 100)


def run_worker(
    settings: Settings,
    parts: Parts | None = None,
    *,
    say: Callable[[str], None] = lambda sentence: print(sentence, file=sys.stderr, flush=True),
    is_trial: bool = False,
) -> int:
    """Run until told to stop; the exit code. Refusals are raised, with sentences.

    With `is_trial` it is the shadow monitor, which judges by the policy on trial and reaches nobody.
    """
    check_ground(settings, say, is_trial=is_trial)
    parts = parts or build_parts(settings, is_trial=is_trial)
    if not is_trial:
        ensure_policy(settings, parts)
    return asyncio.run(_run(settings, parts, is_trial=is_trial))


def ensure_policy(settings: Settings, parts: Parts) -> bool:
    """Begin an empty log with the policy of the settings, so that the log alone says what judged; whether it did.

    Two workers that start at once may both do it: the second activation is of the same policy and changes nothing.
    """
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec

    from streams.connections import connect_admin
    from streams.policy_activation import activate_policy
    from streams.topics import Subject

    topic = settings.topics[Subject.LOG]
    places = {TopicPartition(topic, each): OffsetSpec.LATEST for each in range(settings.partitions)}
    admin = connect_admin(settings.kafka)
    try:
        ends = admin.list_partition_offsets(places)
    finally:
        admin.close()
    if any(end.offset > 0 for end in ends.values()):
        return False
    activate_policy(parts.default_policy, settings)
    return True


def build_parts(settings: Settings, *, is_trial: bool = False, **others: Any) -> Parts:
    """The product's own parts; `others` are meters and hooks (see `streams.app.Parts`)."""
    from streams.app import Parts
    from streams.feed_maps import load_feed_maps
    from streams.medicine import RulesMedicine, load_activation
    from streams.policy_commands import Use
    from streams.readers import build_contexts, build_readers

    if is_trial:
        # The shadow monitor reads the patient log alone: no feed, no key secret.
        medicine, policy = RulesMedicine(), load_activation(trial_policy(settings), Use.TRY)
        return Parts(medicine=medicine, default_policy=policy, readers={}, contexts={}, **others)
    policy_name = str(settings.policy_file) if settings.policy_file is not None else settings.profile
    return Parts(
        medicine=RulesMedicine(),
        default_policy=load_activation(policy_name),
        readers=build_readers(load_feed_maps(settings)),
        contexts=build_contexts(settings),
        **others,
    )


def trial_policy(settings: Settings) -> str:
    """Name or file of the policy on trial, or the sentence that says how to name one."""
    if settings.shadow.policy is None:
        raise Refusal(
            "No policy is on trial. Name its file in MYELOWATCH_SHADOW__POLICY_FILE (its status `shadow` or `active`), "
            "or a profile in MYELOWATCH_SHADOW__PROFILE."
        )
    return settings.shadow.policy


async def _run(settings: Settings, parts: Parts, *, is_trial: bool = False) -> int:
    from streams.agents.shell import end_process
    from streams.app import build_app

    log = structlog.get_logger("streams.worker")
    _quieten_clients()
    app = build_app(settings, parts, is_trial=is_trial)
    app.finalize()
    turning = asyncio.ensure_future(_turn(app, parts.on_turn))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("worker starts", state="starting")
    collect_garbage_seldom()
    starting = asyncio.ensure_future(app.start())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and not stopping.done():
        if starting.exception() is not None:
            end_process("start", starting.exception() or RuntimeError())
        crashed = asyncio.ensure_future(app._crashed.wait())
        await asyncio.wait({stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if crashed.done():
            end_process("engine", app.crash_reason or RuntimeError("the engine ended by itself"))
    log.info("worker stops", state="stopping")
    _watch(settings.worker.stop_within_seconds)
    await app.hand_over()
    await app.stop()
    turning.cancel()
    log.info("worker stopped", state="stopped")
    return 0


async def _turn(app: Any, on_turn: Callable[[], None]) -> None:
    """Every second: say that the loop turns, and look whether the engine brings what it fetched."""
    while True:
        on_turn()
        app.check_progress(time.monotonic())
        await asyncio.sleep(1)


class _Seldom(logging.Filter):
    """Lets each template of a library through once in a while: a broker that is away makes hundreds a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._said.get(record.msg, -_SELDOM_SECONDS) < _SELDOM_SECONDS:
            return False
        if len(self._said) > _TEMPLATES_KEPT:
            self._said.clear()
        self._said[record.msg] = now
        return True


def _quieten_clients() -> None:
    seldom = _Seldom()
    for name in _CLIENT_LOGGERS:
        logging.getLogger(name).addFilter(seldom)


def _watch(seconds: float) -> None:
    """What is durable is committed by now; an engine that does not end is ended."""
    timer = threading.Timer(seconds, _leave, args=(0,))
    timer.daemon = True
    timer.start()


def _leave(code: int) -> Any:
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)
