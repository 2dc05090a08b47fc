"""The commands against the real broker: from an empty cluster to an explained alert, and the oracle of its log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.alerts import Transition
from streams.broker import LaptopKafka
from streams.cli import main
from streams.policy_commands import profile_text
from streams.settings import Settings, load_settings
from streams.topic_reading import dump_log, read_topic
from streams.topics import Subject
from tests.streams.test_replay_command import PATIENT, bundle, count, supply

HOUSE = Path(__file__).parents[2]


@pytest.fixture
def installation(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings by environment, as an operator would have them."""
    for name in [name for name in os.environ if name.startswith("MYELOWATCH_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "BROKERS": kafka.bootstrap,
        "PREFIX": topic_prefix,
        "PARTITIONS": "3",
        "KEY_SECRET": "0123456789abcdef",
        "FEEDS__LAB__TIMEZONE": "Asia/Seoul",
        "STATE": str(tmp_path / "state"),
        "TICK_SECONDS": "0.5",
    }.items():
        monkeypatch.setenv(f"MYELOWATCH_{name}", value)
    return load_settings()


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def wait_for(condition: object, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            pytest.fail("the condition did not come true in time")
        time.sleep(0.1)


def test_doctor_says_what_is_missing_and_then_that_all_is_well(
    installation: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run("doctor", capsys=capsys)
    assert code == 1
    assert "wrong  topics" in out
    assert "myelowatch topics apply" in out
    assert run("topics", "apply", capsys=capsys)[0] == 0
    code, out, _ = run("doctor", capsys=capsys)
    assert code == 0, out
    assert {line.split()[0] for line in out.splitlines()} == {"ok"}
    for what in ("settings", "feeds", "key secret", "policy", "broker", "topics", "clock", "backlog"):
        assert what in out
    monkeypatch.setenv("MYELOWATCH_PROFILE", "nobody")
    monkeypatch.delenv("MYELOWATCH_KEY_SECRET")
    monkeypatch.delenv("MYELOWATCH_FEEDS__LAB__TIMEZONE")
    code, out, _ = run("doctor", capsys=capsys)
    assert code == 1
    for what in ("wrong  policy", "wrong  key secret", "wrong  feeds", "ok     topics"):
        assert what in out


def test_a_broker_that_is_away_is_a_sentence_and_no_hang(
    installation: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MYELOWATCH_BROKERS", "127.0.0.1:1")
    monkeypatch.setenv("MYELOWATCH_KAFKA__PATIENCE_SECONDS", "0.2")
    path = tmp_path / "a.json"
    path.write_text(json.dumps(PATIENT))
    started = time.monotonic()
    for arguments in (("send", "fhir", str(path)), ("explain", "abc"), ("worker",)):
        code, _, err = run(*arguments, capsys=capsys)
        assert code == 2, arguments
        assert "127.0.0.1:1" in err
        assert "Traceback" not in err
    assert run("doctor", capsys=capsys)[0] == 1
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "arguments", [("tick",), ("worker",), ("send", "fhir", "{file}"), ("policy", "activate", "kr-panel")]
)
def test_topics_that_are_missing_are_a_sentence(
    installation: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(PATIENT))
    code, _, err = run(*(each.format(file=path) for each in arguments), capsys=capsys)
    assert code == 2
    assert "topics apply" in err


class Roles:
    """`myelowatch up` as a process."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "up.log"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", "up"], cwd=HOUSE, stdout=file, stderr=subprocess.STDOUT
            )

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def port(self, role: str) -> int | None:
        found = [each["port"] for each in self.lines() if each.get("role") == role and "port" in each]
        return int(str(found[-1])) if found else None

    def get(self, role: str, path: str) -> str | None:
        port = self.port(role)
        if port is None:
            return None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(45)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@pytest.fixture
def roles(installation: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Roles]:
    assert run("topics", "apply", capsys=capsys)[0] == 0
    running = Roles(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_from_a_file_to_an_explained_alert(
    installation: Settings, roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(lambda: (roles.get("worker", "/readyz"), roles.get("ticker", "/readyz")) == ("ready\n", "ready\n"))

    today = datetime.now(UTC)
    days = [(today - timedelta(days=ago)).date().isoformat() for ago in (9, 2)]
    path = tmp_path / "course.json"
    path.write_text(json.dumps(bundle(PATIENT, supply(days[0]), count(days[0], "3.1", 1), count(days[1], "0.4", 2))))
    code, out, err = run("send", "fhir", str(path), capsys=capsys)
    assert (code, err) == (0, "")
    assert "1 message kept" in out

    def transitions() -> list[Transition]:
        return [Transition.model_validate_json(row.value or b"") for row in read_topic(installation, Subject.LIFECYCLE)]

    wait_for(lambda: any(each.rule == "anc-hold" for each in transitions()))
    (hold,) = [each for each in transitions() if each.rule == "anc-hold"]
    code, out, _ = run("explain", hold.alert_id, capsys=capsys)
    assert code == 0
    assert "400 cells/uL" in out
    assert "it would not stand" in " ".join(out.split()), "the facts of the patient log say what would flip it"
    code, out, _ = run("codes", "unmapped", capsys=capsys)
    assert (code, out) == (0, "Every code that came is known, or set aside by a site map.\n")

    # Another policy, active and with its own hash, judges from its place in the log on.
    site = tmp_path / "site.yaml"
    site.write_text(profile_text("kr-panel").replace('anc_severe: {value: "500"', 'anc_severe: {value: "300"'))
    code, out, _ = run("policy", "activate", str(site), capsys=capsys)
    assert code == 0
    assert "3 partitions" in out
    wait_for(lambda: any(each.cause == "policy-change" for each in transitions()))
    digest = out.split("hash ")[1].split(")")[0]
    wait_for(lambda: f'hash="{digest}"' in (roles.get("worker", "/metrics") or ""))

    metrics = roles.get("worker", "/metrics") or ""
    assert 'myelowatch_messages_translated_total{feed="lab",outcome="translated"} 1.0' in metrics
    assert "myelowatch_heartbeat_age_seconds{partition=" in metrics
    assert "4711" not in metrics + roles.log.read_text()

    # The oracle: the log alone gives the same transitions.
    dump = tmp_path / "log.ndjson"
    dump_log(installation, dump)
    code, out, _ = run("replay", str(dump), "--format", "log", capsys=capsys)
    assert code == 0
    assert {json.loads(line)["transition_id"] for line in out.splitlines()} == {
        each.transition_id for each in transitions()
    }
    assert roles.stop() == 0
