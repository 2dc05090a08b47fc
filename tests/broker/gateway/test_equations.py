"""Promise 1 at the door: every message received is in exactly one place, by feed, over the gateway and the worker."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from pathlib import Path

from streams.broker import LaptopKafka
from tests.broker.gateway.door import Door, message
from tests.broker.gateway.test_rejected import WORKER
from tests.broker.gateway.test_web import ask, observation
from tests.broker.pipeline import WorkerProcess, wait_until

SAMPLE = re.compile(r"^myelowatch_(messages_(?:received|translated)_total)\{([^}]*)\} ([0-9.]+)$", re.MULTILINE)


def totals(*ports: int) -> dict[str, Counter[str]]:
    """Messages by feed: received, and what became of them."""
    found = {"messages_received_total": Counter[str](), "messages_translated_total": Counter[str]()}
    for port in ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text = page.read().decode()
        assert "Canary" not in text
        for name, labels, value in SAMPLE.findall(text):
            feed = re.search(r'feed="([^"]*)"', labels)
            assert feed is not None
            found[name][feed.group(1)] += int(float(value))
    return found


def test_received_is_translated_partly_ignored_or_rejected(
    kafka: LaptopKafka, topic_prefix: str, tmp_path: Path
) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door", **WORKER)
    worker = WorkerProcess(door.environment, "streams", "worker")
    try:
        with door.open() as gateway, gateway.client() as client:
            for number in range(20):
                client.send(message(number))
            client.send(message(3))  # the same again
            client.send(message(3, value="1"))  # its id, other bytes
            client.send(message(3, value="1"))
            client.send(message(30, kind="BAR^P01"))
            client.send(message(31, processing="T"))
            client.send(message(32, note="|" * 60_000))  # too many delimiters: not kept
            ask(gateway, "/fhir", observation())
            ask(gateway, "/fhir", b"{")
            ask(gateway, "/fhir", b"<a/>", kind="application/xml")
            for _ in range(2):
                ask(gateway, "/fhir", observation(), Idempotency_Key="k")
            served = re.compile(r'"metrics are served".*?"port":(\d+)')
            wait_until(lambda: served.search(worker.output), "the worker's metrics", worker)
            metrics = served.search(worker.output)
            assert metrics is not None
            ports = (gateway.metrics, int(metrics.group(1)))

            def balanced() -> bool:
                found = totals(*ports)
                return found["messages_received_total"] == found["messages_translated_total"]

            wait_until(balanced, "the equation to balance", worker)
            received = totals(*ports)["messages_received_total"]
            assert received == {"lab": 26, "fhir": 5}
    finally:
        worker.kill()
