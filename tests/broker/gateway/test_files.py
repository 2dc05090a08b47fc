"""Backfills and the watched folder, through the command, to the real Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from streams.broker import LaptopKafka
from tests.broker.gateway.door import Door, message
from tests.broker.pipeline import ROOT, wait_until


def run(door: Door, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command of ours."""
    base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env={**base, **door.environment, **environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def write_hl7(path: Path, count: int) -> Path:
    path.write_bytes(b"".join(message(number, patient=f"P{number}") for number in range(count)))
    return path


def test_a_backfill_is_history_and_is_not_taken_twice(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door")
    file = write_hl7(tmp_path / "old.hl7", 1_200)
    done = run(door, "intake", str(file), "--feed", "lab")
    assert done.returncode == 0, done.stderr
    assert "1200 messages of 1 files are kept; as history" in done.stdout
    again = run(door, "intake", str(file), "--feed", "lab")
    assert "were taken before" in again.stderr
    live = run(door, "intake", str(write_hl7(tmp_path / "new.hl7", 1)), "--feed", "lab", "--live")
    assert "may page" in live.stdout
    kept = door.kept()
    assert len(kept) == 1_201
    assert [each.header("historical") for each in kept].count(b"1") == 1_200
    assert len({each.key for each in kept}) == 1_200, "each under its patient"
    without = run(door, "intake", str(file))
    assert (without.returncode, "--feed" in without.stderr) == (2, True)


def test_a_backfill_that_was_killed_goes_on(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door")
    file = write_hl7(tmp_path / "old.hl7", 8_000)
    base = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
    first = subprocess.Popen(
        [sys.executable, "-m", "streams", "intake", str(file), "--feed", "lab"],
        env={**base, **door.environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    journal = tmp_path / "door" / "intake"
    wait_until(lambda: list(journal.glob("*.json")), "the first bunch to be noted")
    first.kill()
    first.wait(10)
    (note,) = journal.glob("*.json")
    noted = json.loads(note.read_text(encoding="utf-8"))["kept"]
    assert 0 < noted < 8_000
    done = run(door, "intake", str(file), "--feed", "lab")
    assert f"({noted} of them by an earlier start)" in done.stdout, done.stderr
    values = [each.value for each in door.kept()]
    assert len(set(values)) == 8_000, "nothing is missing"
    assert len(values) - 8_000 <= 500, "at most one bunch twice"


def test_a_watched_folder(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    """A file is moved when all of it is kept; what cannot be read is moved with the reason beside it."""
    folder = tmp_path / "in"
    folder.mkdir()
    folders = [{"path": str(folder), "feed": "lab", "settled_seconds": 0.5, "live": True}]
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_GATEWAY__FOLDERS=json.dumps(folders))
    with door.open() as gateway:
        write_hl7(folder / "a.hl7", 30)
        (folder / "b.json").write_text("not json", encoding="utf-8")
        growing = folder / "c.hl7"
        growing.write_bytes(message(900))
        time.sleep(0.3)
        growing.write_bytes(message(900) + message(901))
        wait_until(lambda: len(list(folder.rglob("taken/*"))) == 2, "two files to be taken")
        wait_until((folder / "refused" / "b.json.why.txt").is_file, "the reason of the third")
        assert not [each for each in folder.iterdir() if each.is_file()]
        assert "neither FHIR JSON" in (folder / "refused" / "b.json.why.txt").read_text(encoding="utf-8")
        assert gateway.terminate() == 0, gateway.output
    assert len(door.kept()) == 32
