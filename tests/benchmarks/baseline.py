"""The neighbours we are compared with in the same run: a plain Faust agent, a raw aiokafka loop, a bare echo.

The first two read the same reports from the same topic, decode the JSON, count a patient's reports and send an
alert for a low neutrophil count: no rules, no history, no acknowledgement before the commit. The echo sends back
what it reads. `python -m tests.benchmarks.baseline faust|aiokafka|echo TOPIC OUT COUNT`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from decimal import Decimal
from typing import Any, Final

from tests.benchmarks.ground import PARTITIONS

_LOW: Final = Decimal("0.5")
_NEUTROPHILS: Final = "-3"


def low_count(value: bytes) -> tuple[str, bool] | None:
    """The patient of a report, and whether its neutrophils are low; None for anything else."""
    event = json.loads(value)
    data = event["data"]
    if "results" not in data:
        return None
    count = next(result["value"] for result in data["results"] if result["id"].endswith(_NEUTROPHILS))
    return data["patient"]["id"], Decimal(count) <= _LOW


class Counted:
    """Says when so many were read, and how long it took from the first."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.count = count
        self.began = 0.0

    def one(self) -> None:
        """One more."""
        self.began = self.began or time.monotonic()
        self.left -= 1
        if self.left == 0:
            said = {"count": self.count, "seconds": time.monotonic() - self.began}
            print("done", json.dumps(said), flush=True)


def run_faust(topic: str, out: str, count: int) -> None:
    """As in the tutorials: one event at a time, a table, `await send`."""
    import faust

    app = faust.App(
        f"{topic}.plain",
        broker=f"kafka://{os.environ['MYELOWATCH_BROKERS']}",
        store="memory://",
        topic_partitions=PARTITIONS,
        web_enabled=False,
        worker_redirect_stdouts=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    counted = Counted(count)
    source = app.topic(topic, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    alerts = app.topic(out, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    table = app.Table("seen", default=int, partitions=PARTITIONS)

    @app.agent(source)
    async def watch(stream: Any) -> None:
        async for value in stream:
            found = low_count(value)
            if found is not None:
                table[found[0]] += 1
                if found[1]:
                    await alerts.send(key=found[0].encode(), value=value)
            counted.one()

    faust.Worker(app, loglevel="error").execute_from_commandline()


async def run_aiokafka(topic: str, out: str, count: int) -> None:
    """Batches, commits after each."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    brokers = os.environ["MYELOWATCH_BROKERS"]
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        group_id=f"{topic}.raw",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all")
    await consumer.start()
    await producer.start()
    counted, seen = Counted(count), {}
    try:
        while True:
            for rows in (await consumer.getmany(timeout_ms=200)).values():
                for row in rows:
                    found = low_count(row.value)
                    if found is not None:
                        seen[found[0]] = seen.get(found[0], 0) + 1
                        if found[1]:
                            await producer.send(out, key=found[0].encode(), value=row.value)
                    counted.one()
            await consumer.commit()
    finally:
        await consumer.stop()
        await producer.stop()


async def run_echo(topic: str, out: str) -> None:
    """Whatever comes goes back at once."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    brokers = os.environ["MYELOWATCH_BROKERS"]
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=brokers, auto_offset_reset="earliest", fetch_max_wait_ms=100)
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all")
    await consumer.start()
    await producer.start()
    print("ready", flush=True)
    try:
        async for row in consumer:
            await producer.send(out, key=row.key, value=row.value)
    finally:
        await consumer.stop()
        await producer.stop()


def main() -> None:
    """See the module."""
    kind, topic, out, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    if kind == "faust":
        run_faust(topic, out, count)
    elif kind == "aiokafka":
        asyncio.run(run_aiokafka(topic, out, count))
    else:
        asyncio.run(run_echo(topic, out))


if __name__ == "__main__":
    main()
