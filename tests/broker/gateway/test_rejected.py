"""What is refused is held, shown, mended and read again: through the door, translate and the command."""

from __future__ import annotations

import json
from pathlib import Path

from streams.broker import LaptopKafka
from streams.topics import Subject
from tests.broker.gateway.door import FIELD_MAP, Door, message
from tests.broker.gateway.test_files import run
from tests.broker.pipeline import WorkerProcess, wait_until

WORKER = {"MYELOWATCH_WORKER__STORE": "memory", "MYELOWATCH_WORKER__SESSION_SECONDS": "3",
          "MYELOWATCH_WORKER__HEARTBEAT_SECONDS": "0.5"}  # fmt: skip


def test_list_show_retry_drop(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door", **WORKER)
    with door.open() as gateway, gateway.client() as client:
        assert client.send(message(1, processing="T")).code == "AR"
        assert client.send(message(2, kind="BAR^P01")).code == "AR"
        assert client.send(message(3)).code == "AA"
    worker = WorkerProcess(door.environment, "streams", "worker")
    try:
        wait_until(lambda: len(door.kept(Subject.REJECTED)) == 2, "both rejections", worker)
        listed = run(door, "rejected", "list", "--json")
        held = {each["rejections"][0]["reason"]: each for each in map(json.loads, listed.stdout.splitlines())}
        assert set(held) == {"not-production", "unsupported-type"}, listed.stderr
        test = held["not-production"]
        assert "Canary" not in listed.stdout
        shown = run(door, "rejected", "show", test["id"])
        assert "only processing id P is taken here" in shown.stdout
        assert "Canary" not in shown.stdout
        assert "Canary^Synthetic" in run(door, "rejected", "show", test["id"], "--original").stdout
        assert run(door, "rejected", "retry").returncode == 2
        assert run(door, "rejected", "show", "zzz").returncode == 2
    finally:
        worker.kill()
    # The site decides to take test messages: the map says so, and what was held is read again.
    (door.folder / "lab.yaml").write_text(FIELD_MAP + "processing_ids: [P, T]\n", encoding="utf-8")
    worker = WorkerProcess(door.environment, "streams", "worker")
    try:
        before = len(door.kept(Subject.LOG))
        retried = run(door, "rejected", "retry", test["id"])
        assert "1 message sent to be read again." in retried.stdout, retried.stderr
        wait_until(lambda: len(door.kept(Subject.LOG)) > before, "its facts on the log", worker)
        assert "1 message given up." in run(door, "rejected", "drop", "--all", "--reason", "unsupported-type").stdout
        assert run(door, "rejected", "list").stdout == ""
        fates = [
            json.loads(line)["fate"] for line in run(door, "rejected", "list", "--closed", "--json").stdout.splitlines()
        ]
        assert sorted(fates) == ["dropped", "retried"]
    finally:
        worker.kill()
