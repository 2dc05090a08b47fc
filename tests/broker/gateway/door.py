"""What the tests of the front door share: a gateway process on the real Kafka, messages, and what was kept."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams.broker import LaptopKafka
from streams.connections import connect_admin
from streams.gateway.mllp_client import MllpClient
from streams.ports import Arrived
from streams.settings import Settings, load_settings
from streams.topic_admin import apply_topics
from streams.topic_reading import read_topic
from streams.topics import Subject
from tests.broker.pipeline import ROOT, wait_until

TOKEN = "a-token-for-tests-only"
FIELD_MAP = """
senders:
  - {application: LAB, facility: HOSP}
"""


def message(
    number: int | str = 1,
    *,
    patient: str = "P1",
    kind: str = "ORU^R01",
    control_id: str | None = None,
    ack: str = "",
    processing: str = "P",
    version: str = "2.5.1",
    sender: str = "LAB|HOSP",
    value: str = "5.5",
    charset: str = "",
    note: str = "",
    end: str = "\r",
) -> bytes:
    """A synthetic result. `ack` is `MSH-15|MSH-16`."""
    accept, _, application = ack.partition("|")
    head = (
        f"MSH|^~\\&|{sender}|MW|HOSP|20260301120000+0900||{kind}|{control_id or f'C{number}'}|{processing}|{version}"
        f"|||{accept}|{application}||{charset}"
    )
    lines = [
        head,
        f"PID|1||{patient}^^^HOSP^MR||Canary^Synthetic||19600101|F",
        f"OBR|1|O{number}|F{number}|58410-2^CBC^LN|||20260301110000+0900",
        f"OBX|1|NM|718-7^Hemoglobin^LN||{value}|g/dL|12-16|L|||F|||20260301110000+0900",
        *([f"NTE|1||{note}"] if note else []),
    ]
    return (end.join(lines) + end).encode("cp949" if "1001" in charset else "utf-8")


class Door:
    """One gateway process, and the topics of one test."""

    def __init__(self, kafka: LaptopKafka, prefix: str, folder: Path, **environment: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lab.yaml").write_text(FIELD_MAP, encoding="utf-8")
        self.environment = {
            "MYELOWATCH_BROKERS": kafka.bootstrap,
            "MYELOWATCH_PREFIX": prefix,
            "MYELOWATCH_PARTITIONS": "4",
            "MYELOWATCH_STATE": str(folder),
            "MYELOWATCH_KEY_SECRET": "sixteen characters and more",
            "MYELOWATCH_PORTS__MLLP": "0",
            "MYELOWATCH_PORTS__HTTP": "0",
            "MYELOWATCH_METRICS_PORT": "0",
            "MYELOWATCH_FEEDS": (
                f"{{lab: {{timezone: Asia/Seoul, field_map: {folder / 'lab.yaml'}}}, "
                f"fhir: {{timezone: Asia/Seoul, door: {{token_sha256: [{hashlib.sha256(TOKEN.encode()).hexdigest()}]}}}}}}"
            ),
            "MYELOWATCH_GATEWAY__CONNECTIONS_A_PEER": "64",
            **environment,
        }
        self.settings: Settings = load_settings(self.environment)
        admin = connect_admin(self.settings.kafka)
        apply_topics(admin, self.settings)
        admin.close()

    @contextmanager
    def open(self, **environment: str) -> Iterator[Gateway]:
        """A gateway that answers, killed at the end if it still runs."""
        gateway = Gateway({**self.environment, **environment})
        try:
            gateway.wait_until_open()
            yield gateway
        finally:
            gateway.kill()

    def kept(self, subject: Subject = Subject.INTAKE) -> list[Arrived]:
        """Everything on a topic, ticks left out."""
        return [each for each in read_topic(self.settings, subject) if each.header("kind") != b"tick"]

    def accepted(self) -> Counter[str]:
        """Control ids kept to be read, with how often each is there."""
        return Counter(
            (each.header("control_id") or b"").decode() for each in self.kept() if each.header("refused") is None
        )


class Gateway:
    """The process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streams", "gateway"],
            env={**base, **environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def _port(self, pattern: str) -> int:
        found = re.search(pattern, self.output)
        assert found is not None, self.output
        return int(found.group(1))

    @property
    def mllp(self) -> int:
        return self._port(r"MLLP is open at 127\.0\.0\.1:(\d+)")

    @property
    def http(self) -> int:
        return self._port(r"HTTP is open at 127\.0\.0\.1:(\d+)")

    @property
    def metrics(self) -> int:
        return self._port(r'"metrics are served".*?"port":(\d+)')

    def wait_until_open(self) -> None:
        wait_until(lambda: "HTTP is open" in self.output or self.process.poll() is not None, "the gateway to open")
        assert self.process.poll() is None, self.output

    def client(self, **options: Any) -> MllpClient:
        return MllpClient("127.0.0.1", self.mllp, **options)

    def terminate(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        """SIGKILL if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
