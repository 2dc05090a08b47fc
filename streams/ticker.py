"""The ticker: time itself, as records. Every few seconds one tick into every partition that translate reads.

Writes `intake.message.v1` *and the inlets*, each partition explicitly (a tick under a key would reach one
partition only). The broker's stamp on the tick is the time it tells. Two tickers are harmless: a tick says
"everything before me has been kept by now", and a second one says it again. Keeps nothing.

Ticks go to the inlets too because translate lets a tick pass only when every source partition has shown
it (`streams.translate`): otherwise time could overtake an inlet record that waits in another partition.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from streams.connections import build_producer, connect_admin
from streams.ports import NotAcknowledged
from streams.topic_admin import check_topics
from streams.topics import SOURCES
from streams.translate import HEADER_KIND, HEADER_KNOWN_AT, KIND_TICK, TICK_KEY, write_known_at
from streams.worker import TopicsUnusable

if TYPE_CHECKING:
    from streams.settings import Settings

_ACKNOWLEDGE_SECONDS: Final = 30.0


class Ticker:
    """Writes ticks; one producer, to be closed."""

    def __init__(self, settings: Settings) -> None:
        """Connect; raises `BrokersAway` with a sentence."""
        self._places = [
            (settings.topics[subject], partition) for subject in SOURCES for partition in range(settings.partitions)
        ]
        self._producer: Any = build_producer(settings.kafka, linger_ms=0)

    def tick(self, known_at: datetime | None = None) -> None:
        """One tick everywhere, acknowledged. `known_at` rules where the settings say so (demo at speed)."""
        headers = [(HEADER_KIND, KIND_TICK)]
        if known_at is not None:
            headers.append((HEADER_KNOWN_AT, write_known_at(known_at)))
        try:
            sent = [
                self._producer.send(topic, key=TICK_KEY, value=b"", partition=partition, headers=headers)
                for topic, partition in self._places
            ]
            for future in sent:
                future.get(timeout=_ACKNOWLEDGE_SECONDS)
        except Exception as error:
            raise NotAcknowledged(f"a tick was not acknowledged: {type(error).__name__}") from error

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(timeout=5)


def run_ticker(
    settings: Settings,
    stop: threading.Event,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Tick until told to stop. A broker that is away is waited for: the next tick says what this one would have."""
    log = structlog.get_logger("streams.ticker")
    admin = connect_admin(settings.kafka, say=say)
    try:
        wrong = check_topics(admin, settings, SOURCES)
    finally:
        admin.close()
    if wrong:
        raise TopicsUnusable("\n".join(wrong))
    ticker = Ticker(settings)
    failed = 0
    try:
        while not stop.is_set():
            try:
                ticker.tick()
            except NotAcknowledged as error:
                failed += 1
                log.warning("no tick was acknowledged", attempt=failed, error=error.__cause__ or error)
            else:
                failed = 0
                on_tick()
            stop.wait(settings.tick_seconds)
    finally:
        ticker.close()
