"""The one producer of the door: messages to intake, each confirmed by all copies before anybody is told so.

kafka-python's producer works in threads of its own; here one more feeds it, so that a broker that is away
blocks that thread and never the loop that answers senders. Confirmations come back to the loop in bunches:
at a thousand a second, waking it for each would cost more than the messages. The producer is idempotent, so its
own repeats are not on the topic twice.

**What a failed future means.** Not that the message is not on the topic: only that nobody can promise it. The sender is
told AE and sends again; if the message was kept all the same, it is there twice, and translate makes the same
facts with the same ids of both.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from streams.connections import build_producer
from streams.ports import Headers, NotAcknowledged, instant_of
from streams.settings import Settings
from streams.topics import Subject, partition_of

_BLOCKED_MS: Final = 4_000
"""How long one message may wait for the brokers to be found at all."""
_REQUEST_MS: Final = 10_000
_DELIVERY_MS: Final = 30_000
"""After this the producer gives a message up. Longer than a broker's restart: what waits is then kept, not sent again."""
_REBUILD_SECONDS: Final = 1.0
_LARGEST_RECORD: Final = 10_485_760
"""What the topic takes; the limits of the settings lie below it."""
_BATCH_BYTES: Final = 262_144


class Overloaded(NotAcknowledged):
    """More waits for the brokers than the settings allow; nothing was handed over."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a message is, and the broker's stamp for it: the one clock."""

    partition: int
    offset: int
    at: datetime


@dataclass(slots=True)
class _Waiting:
    key: bytes
    value: bytes
    headers: Headers
    future: asyncio.Future[Kept]
    since: float


class Committer:
    """Keeps messages. Built in the loop that awaits; `close` ends its thread."""

    def __init__(self, settings: Settings, *, build: Callable[..., Any] = build_producer) -> None:
        """Start the thread; connecting happens there, so a broker that is away is no fault here."""
        self._settings = settings
        self._build = build
        self._topic = settings.topics[Subject.INTAKE]
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._settled: deque[tuple[_Waiting, Kept | BaseException]] = deque()
        self._is_woken = False
        self._waiting = 0
        self._waiting_bytes = 0
        self._producer: Any = None
        self._is_closed = False
        self._is_empty: asyncio.Event | None = None
        self._log = structlog.get_logger("streams.gateway")
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Messages that the brokers have not confirmed yet."""
        return self._waiting

    def keep(self, key: str, value: bytes, headers: Headers) -> asyncio.Future[Kept]:
        """Hand a message over; the future ends with its place, or with `NotAcknowledged`. Raises `Overloaded`.

        A caller that stops waiting does not take the message back: shield the future.
        """
        limits = self._settings.gateway
        if self._is_closed:
            raise Overloaded("the door is closing")
        if self._waiting >= limits.waiting_messages or self._waiting_bytes + len(value) > limits.waiting_bytes:
            raise Overloaded("too much waits for the brokers")
        future: asyncio.Future[Kept] = self._loop.create_future()
        # Whoever asked may have gone; without this, Python complains about a fault that nobody looked at.
        future.add_done_callback(_look)
        self._waiting += 1
        self._waiting_bytes += len(value)
        self._queue.put(_Waiting(key.encode(), value, headers, future, time.monotonic()))
        return future

    async def close(self, seconds: float = 10.0) -> None:
        """Take nothing more, wait for what waits, disconnect."""
        self._is_closed = True
        if self._waiting:
            self._is_empty = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._is_empty.wait()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, seconds)

    # --- in the thread ---

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # tried again with the first message
            self._connect()
        while (item := self._queue.get()) is not None:
            if time.monotonic() - item.since > _DELIVERY_MS / 1000:
                self._settle(item, NotAcknowledged("it waited too long for the brokers"))
                continue
            try:
                self._send(item)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sender keeps the message
                self._failed(item, error)
        if self._producer is not None:
            with contextlib.suppress(Exception):
                self._producer.close(timeout=2)

    def _connect(self) -> None:
        self._producer = self._build(
            self._settings.kafka,
            linger_ms=self._settings.gateway.linger_milliseconds,
            max_block_ms=_BLOCKED_MS,
            request_timeout_ms=_REQUEST_MS,
            delivery_timeout_ms=_DELIVERY_MS,
            max_request_size=_LARGEST_RECORD,
            batch_size=_BATCH_BYTES,
            compression_type=None,
        )

    def _send(self, item: _Waiting) -> None:
        if self._producer is None:
            self._connect()
        partition = partition_of(item.key, self._settings.partitions)
        sent = self._producer.send(
            self._topic, key=item.key, value=item.value, partition=partition, headers=list(item.headers)
        )
        sent.add_callback(lambda row: self._settle(item, Kept(row.partition, row.offset, instant_of(row.timestamp))))
        sent.add_errback(lambda error: self._settle(item, error))

    def _failed(self, item: _Waiting, error: Exception) -> None:
        from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

        self._settle(item, error)
        if isinstance(error, KafkaTimeoutError | MessageSizeTooLargeError):
            return
        # An idempotent producer that lost its place with the broker refuses everything from then on: begin anew.
        self._log.warning("the producer is built anew", error=error)
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                producer.close(timeout=0)
        time.sleep(_REBUILD_SECONDS)

    def _settle(self, item: _Waiting, answer: Kept | BaseException) -> None:
        """From any thread: the loop learns it, with others that come at the same time."""
        self._settled.append((item, answer))
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and so has everybody who waited
                self._loop.call_soon_threadsafe(self._tell)

    # --- in the loop ---

    def _tell(self) -> None:
        # First the flag: what is appended from here on wakes the loop again.
        self._is_woken = False
        while self._settled:
            item, answer = self._settled.popleft()
            self._waiting -= 1
            self._waiting_bytes -= len(item.value)
            if item.future.done():
                continue
            if isinstance(answer, Kept):
                item.future.set_result(answer)
            else:
                fault = NotAcknowledged(f"not confirmed: {type(answer).__name__}")
                fault.__cause__ = answer if isinstance(answer, Exception) else None
                item.future.set_exception(fault)
        if self._is_empty is not None and not self._waiting:
            self._is_empty.set()


def _look(future: asyncio.Future[Kept]) -> None:
    if not future.cancelled():
        future.exception()
