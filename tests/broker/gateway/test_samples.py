"""Every published sample through the real socket: each is answered, nothing hangs, and the equations balance."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from schemas.hl7v2 import FeedMap, MessageUnreadable, peek, split_batch
from streams.broker import LaptopKafka
from streams.gateway.mllp_client import NoAnswer
from streams.readers import build_contexts, build_readers
from streams.topics import Subject
from streams.translate import Translate
from tests.broker.gateway.door import Door, Gateway
from tests.broker.gateway.test_web import ask
from tests.streams.fakes import FakeLog, World

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
EVERYTHING = "processing_ids: [P, T, D]\n"
PAGE = Path(__file__).parents[3] / "docs" / "hl7v2-samples.md"
HEAD = """# Published HL7 v2 samples through the front door

Written by a test (`tests/broker/gateway/test_samples.py`) that sends each of {files} files by three publishers through a
real MLLP socket to the real Kafka, with a field map that takes processing ids P, T and D and is the standard's own otherwise. `outcome`
is what translate makes of what was kept: rejected and partly are listed for people, with the reason.

| message type | answer | outcome | files |
| --- | --- | --- | ---: |"""


def send(gateway: Gateway, raw: bytes) -> str:
    """The code of the answer; `none` where the connection was closed without one."""
    with gateway.client(seconds=3) as client:
        try:
            return client.send(raw).code
        except NoAnswer as error:
            if b"|NE|NE" in raw.replace(b"\n", b"\r").split(b"\r")[0]:
                return "none, as asked"
            return "hangs" if "in time" in str(error) else "none"


def type_of(raw: bytes) -> str:
    try:
        split_batch(raw)
        header = peek(raw, FeedMap(processing_ids=("P", "T", "D")))
    except MessageUnreadable:
        return "not HL7"
    return header.message_type


async def translated(door: Door, maps: dict[str, FeedMap]) -> dict[str, str]:
    """What became of each kept message, by SHA-256; and the equation of messages."""
    found: dict[str, str] = {}
    for record in door.kept():
        log = FakeLog(World())
        body = Translate(
            log=log,
            readers=build_readers(maps),
            feeds=build_contexts(door.settings),
            topics=door.settings.topics,
            partitions=door.settings.partitions,
        )
        body.assigned([(record.topic, record.partition)])
        outcome = await body.take([record])
        assert outcome.messages == sum(outcome.outcomes.values()) == 1
        ((_, word),) = outcome.outcomes
        found[(record.header("sha256") or b"").decode()] = word
    return found


@pytest.mark.slow
async def test_every_hl7_sample(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    folder = DATA / "hl7v2"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here: the published samples are not tried")
    # Publishers use one control id in many files; the window in which that is a fault is closed here.
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_GATEWAY__DUPLICATE_HOURS="0.0000001")
    (door.folder / "lab.yaml").write_text(EVERYTHING, encoding="utf-8")
    files = sorted(each for each in folder.rglob("*.hl7"))
    assert len(files) >= 170
    table: Counter[tuple[str, str, str]] = Counter()
    rows: list[tuple[str, str, str, str]] = []
    with door.open() as gateway:
        for file in files:
            raw = file.read_bytes().strip(b"\x0b\x1c")
            rows.append((file.relative_to(folder).as_posix(), type_of(raw), send(gateway, raw), _digest(raw)))
        assert gateway.process.poll() is None
        assert not any('"level":"error"' in line for line in gateway.lines), gateway.output
    outcomes = await translated(door, {"lab": FeedMap(processing_ids=("P", "T", "D"))})
    for name, kind, code, digest in rows:
        outcome = outcomes.get(digest, "in a batch" if code in ("AA", "CA") else "not kept")
        table[kind, code, outcome] += 1
        assert code != "hangs", name
        if kind != "not HL7":
            assert code != "none", f"{name}: its MSH can be read and it got no answer"
    assert sum(table.values()) == len(files)
    lines = [f"| {kind} | {code} | {outcome} | {count} |" for (kind, code, outcome), count in sorted(table.items())]
    page = "\n".join([HEAD.format(files=len(files)), *lines]) + "\n"
    if os.environ.get("MYELOWATCH_TEST_WRITE"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "write it anew: MYELOWATCH_TEST_WRITE=1 pytest -k every_hl7_sample"


def _digest(raw: bytes) -> str:
    import hashlib

    return hashlib.sha256(raw).hexdigest()


@pytest.mark.slow
def test_every_fhir_sample(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    folder = DATA / "fhir"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here: the published samples are not tried")
    door = Door(
        kafka,
        topic_prefix,
        tmp_path / "door",
        MYELOWATCH_GATEWAY__REQUESTS_A_SECOND="1000",
        MYELOWATCH_GATEWAY__BODY_BYTES="8388608",
    )
    found: Counter[int] = Counter()
    with door.open() as gateway:
        for file in sorted(folder.rglob("*.json")):
            status, told, _ = ask(gateway, "/fhir", file.read_bytes())
            assert status in (202, 422), (file.name, told)
            found[status] += 1
    assert found[202] > found[422]
    assert len(door.kept(Subject.INTAKE)) == sum(found.values())
