"""The shell around a body: batches of events in, the body, then - and only then - the acknowledgement.

Nothing leaves the loop of an agent but a finished batch. Whatever else happens ends the process at once,
without an acknowledgement: the engine would take an exception as "done", or stay alive and silent. What was
not acknowledged is read again by whoever gets the partition.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import structlog
from faust.types import TP

from streams.ports import Arrived, MustStop

EXIT_UNSAFE: Final = 70
"""The process ended because something was not acknowledged or not expected; start it again."""
EXIT_UNUSABLE: Final = 2
"""The process ended because somebody must do something first; the sentence says what."""

STALLED_SECONDS: Final = 20.0
"""Records that were fetched and not handled for so long, while nothing runs, will not come any more."""


class Stalled(RuntimeError):
    """The engine dropped records between the client and the agent."""


Take = Callable[[Sequence[Arrived]], Awaitable[Iterable[tuple[str, int]]]]
"""A body: the records of a batch to the (topic, partition) pairs that are durably done."""


class Shell:
    """Runs one body over the batches of one stream."""

    def __init__(self, app: Any, name: str, take: Take, *, topics: Iterable[str], batch: int, within: float) -> None:
        """`batch` records or `within` seconds, whichever comes first."""
        self._app = app
        self._name = name
        self._topics = frozenset(topics)
        self._take = take
        self._batch = batch
        self._within = within
        self._idle = asyncio.Event()
        self._idle.set()
        self.is_open = False
        """False from the moment partitions are given up until recovery has ended."""
        self._handled: dict[TP, int] = {}
        self._behind: dict[TP, tuple[int, int]] = {}
        self._behind_since = 0.0

    def open(self) -> None:
        """Partitions are assigned and recovered: take batches again."""
        self._handled.clear()
        self._behind.clear()
        self.is_open = True

    def check_progress(self, now: float) -> None:
        """End the process where records were fetched and never came here: whatever dropped them, a restart reads them.

        Called every second or so with a steady clock.
        """
        consumer = self._app.consumer
        behind: dict[TP, tuple[int, int]] = {}
        if self.is_open and self._idle.is_set():
            for tp, start in consumer.sought.items():
                handled = self._handled.get(tp, start)
                read = consumer.read_up_to(tp) if tp.topic in self._topics else None
                if read is not None and read > handled:
                    behind[tp] = (handled, read)
        if not behind or behind != self._behind:
            self._behind, self._behind_since = behind, now
        elif now - self._behind_since > STALLED_SECONDS:
            end_process("progress", Stalled(f"{len(behind)} partitions stand still"))

    async def run(self, stream: Any) -> None:
        """The agent's loop."""
        try:
            async for events in stream.take_events(self._batch, within=self._within):
                await self._one(events)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - nothing may reach the engine
            end_process(self._name, error)

    async def _one(self, events: Sequence[Any]) -> None:
        generation = self._app.consumer_generation_id
        fresh = [event.message for event in events if event.message.generation_id == generation] if self.is_open else []
        if not fresh:
            return
        self._idle.clear()
        try:
            done = set(await self._take([_arrived(message) for message in fresh]))
        finally:
            self._idle.set()
        if self._app.consumer_generation_id != generation:
            return
        offsets: dict[TP, list[int]] = {}
        for message in fresh:
            self._handled[message.tp] = message.offset + 1
            if (message.topic, message.partition) in done:
                offsets.setdefault(message.tp, []).append(message.offset)
        for tp, finished in offsets.items():
            self._app.consumer.acknowledge(tp, finished)

    async def close(self, within: float) -> bool:
        """Take no new batch and let the running one end; whether it did in time."""
        self.is_open = False
        try:
            await asyncio.wait_for(self._idle.wait(), within)
        except TimeoutError:
            return False
        return True


def _arrived(message: Any) -> Arrived:
    return Arrived(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        stamp_ms=round(message.timestamp * 1000),
        key=message.key,
        value=message.value,
        # Kafka allows a header without a value; it says nothing.
        headers=[(name, value) for name, value in message.headers or () if value is not None],
    )


def end_process(where: str, error: BaseException) -> None:
    """End now: no hook, no handler, no commit runs after this."""
    log = structlog.get_logger("streams.agents.shell")
    if isinstance(error, MustStop):
        print(str(error), file=sys.stderr, flush=True)
        code = EXIT_UNUSABLE
    else:
        log.critical(
            "the worker ends: a batch could not be finished", error=error, exit_code=EXIT_UNSAFE, exc_info=error
        )
        code = EXIT_UNSAFE
    logging.shutdown()
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)
