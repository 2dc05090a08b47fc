"""What we change in the stream engine, all of it in one place: transport, consumer, producer, application.

Reads nothing, writes nothing by itself. Each change answers a fault that was measured or read in Faust 0.15.3
(the versions are pinned; `tests/streams/test_engine.py` and the kills of `tests/broker/test_pipeline.py` hold each):

* **Acknowledgement is ours alone.** The engine acknowledges whatever leaves an agent's loop, by an
  exception or a cancelled task too. Our source topics are declared with `acks=False`, so nothing in the
  engine can acknowledge, and `Consumer.acknowledge` - called by the shell after everything is durable -
  is the only way an offset becomes committable. What is committed never passes over a missing offset.
* **The fetch waits as long as the settings say**, not 1.5 s: a record of a partition that was not part of
  the fetch under way waits for its end.
* **The drain loop** hands messages to the streams without making two tasks for each.
* **The producer is idempotent** with `acks=all`: records of one partition can neither change places nor
  stand twice because of a retry.
* **Recovery ends with the flow stopped.** The engine resumes the source partitions while messages flow, then
  seeks, then clears the queues: what was fetched between the seek and the clearing was dropped and never
  read again (its partition stood still for ever, found by killing workers under load).
* **The changelog is read in batches**, and a store that fails then ends the process instead of being logged.
* **A partition without a committed offset is sought to its beginning.** The client's `seek_to_committed` leaves
  it where prefetching had moved it, and the records before that place were never delivered.
* **A stall ends the process.** `Consumer.read_up_to` lets the worker see that records were fetched and not
  handled while nothing runs (`streams.worker`): whatever the engine drops, a restart reads again.
* **A rebalance first lets the running batch end** (for a bounded time), commits it, and only then gives the
  partitions up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import faust
import faust.tables.manager as faust_tables
import faust.tables.recovery as faust_recovery
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.agents.shell import end_process

_YIELD_EVERY: Final = 100
_RECOVERY_BATCH: Final = 2_000
_LOOK_AGAIN_SECONDS: Final = 1.0


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Makes the Kafka consumer with our fetch wait."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # The driver fixes it at 1500 ms and the consumer reads it when it starts its fetcher.
        consumer._fetch_max_wait_ms = self.app.fetch_wait_ms
        return consumer


class Consumer(driver.Consumer):
    """Acknowledges only what it is told to, and drains in one task."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sought: dict[TP, int] = {}
        """Where reading of each source partition began after the last assignment."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def acknowledge(self, tp: TP, offsets: Iterable[int]) -> None:
        """These offsets are durably done; the next commit may pass them as far as they are without a gap."""
        committed = self._committed_offset[tp]
        acked, index = self._acked[tp], self._acked_index[tp]
        for offset in offsets:
            if (committed is None or offset >= committed) and offset not in index:
                index.add(offset)
                acked.append(offset)

    async def perform_seek(self) -> None:
        """To the committed offsets, and to the beginning where nothing was committed yet."""
        await super().perform_seek()
        sources = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        fresh = [tp for tp in sources if not self._committed_offset[tp]]
        begins = await self.earliest_offsets(*fresh) if fresh else {}
        if begins:
            await self.seek_wait(begins)
        self.sought = {tp: self._committed_offset[tp] or begins.get(tp, 0) for tp in sources}

    def read_up_to(self, tp: TP) -> int | None:
        """The offset up to which records of a partition were taken from the client; None where that is not known."""
        client = self._thread._consumer
        subscription = None if client is None else client._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None or tp not in assignment.tps else assignment.state_value(tp)
        return state._position if state is not None and state.has_valid_position else None

    def _new_offset(self, tp: TP) -> int | None:
        """The next offset to commit: as far as acknowledged offsets follow the committed one without a gap.

        The engine's own passes over one missing offset right behind the committed one.
        """
        acked = sorted(self._acked[tp])
        committed = self._committed_offset[tp]
        if not acked or (committed is not None and acked[0] > committed):
            return None
        count = 1
        while count < len(acked) and acked[count] == acked[count - 1] + 1:
            count += 1
        self._acked[tp] = acked[count:]
        self._acked_index[tp].difference_update(acked[:count])
        return acked[count - 1] + 1

    async def _drain_messages(self, fetcher: Any) -> None:
        """The engine's loop without a task a message: a message that must wait for flow control is raced only then."""
        flow_control = self.app.flow_control
        sleep = asyncio.sleep
        since_yield = 0
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                # getmany may answer without ever letting the loop turn.
                await sleep(0)
                if self.should_stop:
                    break
                async for tp, message in self.getmany(timeout=1.0):
                    since_yield += 1
                    if since_yield > _YIELD_EVERY:
                        await sleep(0)
                        since_yield = 0
                    offset, read = message.offset, self._read_offset[tp]
                    if read is not None and offset < read:
                        continue
                    if flow_control.is_active() and not self.suspend_flow.is_set():
                        await self.callback(message)
                    else:
                        await self.wait_first(self.callback(message), self.suspend_flow.wait())
                    self._read_offset[tp] = offset
        except ConsumerStoppedError:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise


class Recovery(faust_recovery.Recovery):
    """Reads the changelog in batches, and ends with the flow stopped."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Nothing is delivered between the end of recovery and the clearing of the queues."""
        self.app.consumer.stop_flow()
        self.app.flow_control.suspend()
        await super().on_recovery_completed(generation_id)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """The engine's task, a batch at a time: it made a timer and looked at every partition for each record."""
        queue = self.tables.changelog_queue
        while not self.should_stop:
            self.signal_recovery_end.clear()
            try:
                events = [await asyncio.wait_for(queue.get(), _LOOK_AGAIN_SECONDS)]
            except TimeoutError:
                events = []
            while len(events) < _RECOVERY_BATCH and not queue.empty():
                events.append(queue.get_nowait())
            try:
                self._apply(events)
            except Exception as error:  # noqa: BLE001 - a store that fails (disk full) must not be taken for recovered
                end_process("recovery", error)
            if self.in_recovery and not self.need_recovery():
                self._set_recovery_ended()
                self.signal_recovery_end.set()

    def _apply(self, events: Sequence[Any]) -> None:
        fresh: dict[Any, list[Any]] = {}
        for event in events:
            tp, offset = event.message.tp, event.message.offset
            if tp not in self.active_tps:
                continue  # of an assignment that has ended
            seen = self.active_offsets.get(tp)
            if seen is None or offset > seen:
                self.active_offsets[tp] = offset
                fresh.setdefault(self.tp_to_table[tp], []).append(event)
        for table, batch in fresh.items():
            table.apply_changelog_batch(batch)


class TableManager(faust_tables.TableManager):
    """Our recovery."""

    _recovery: Recovery | None = None

    async def on_start(self) -> None:
        # The engine sleeps a second first; the agents have started by now, and the conductor waits for us.
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Made on first use, as the engine's own."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class Producer(driver.Producer):
    """Idempotent, acknowledged by all in-sync copies."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class Transport(driver.Transport):
    """Our consumer and producer."""

    Consumer = Consumer
    Producer = Producer


class App(faust.App):
    """The application: our transport, and a hand-over before partitions are given up."""

    fetch_wait_ms: int = 100
    monitor_body: Any = None
    translate_body: Any = None
    state_table: Any = None

    async def hand_over(self) -> None:
        """Let what is running end, then commit; called before partitions are given up. `build_app` says how."""

    def given_up(self) -> None:
        """No partition is ours any more until recovery has ended again. `build_app` says how."""

    def open_shells(self) -> None:
        """Partitions are assigned and recovered. `build_app` says how."""

    def check_progress(self, now: float) -> None:
        """End the process where the engine has stalled; called every second. `build_app` says how."""

    def _create_directories(self) -> None:
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        super()._create_directories()

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        if not self.should_stop:
            await self.hand_over()
        self.given_up()
        await super()._on_partitions_revoked(revoked)
