"""What a run was worth: everything that is on the topics against two oracles of the same log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from schemas.events import EntryKind, entry_from_json
from streams.medicine import RulesMedicine, load_activation
from streams.ports import Arrived
from streams.replay import write_dump_head, write_dump_line
from streams.topic_reading import read_topic
from streams.topics import Subject
from tests.chaos.comparison import (
    Comparison,
    compare_alerts,
    compare_aside,
    compare_markers,
    compare_messages,
    compare_records,
)
from tests.chaos.rig import ROOT, RunFailed
from tests.simulation.oracle import PartitionFold

if TYPE_CHECKING:
    from tests.chaos.rig import Rig


def judge(rig: Rig, folder: Path) -> Comparison:
    """Read every topic, fold the log twice, compare."""
    log = sorted(read_topic(rig.settings, Subject.LOG), key=lambda row: (row.partition, row.offset))
    folds = fold(log, rig.settings.partitions)
    said_twice = [identity for each in folds for identity in each.said_twice]
    if said_twice:
        raise RunFailed(f"the medicine gave one id to two transitions: {said_twice[:3]}")
    expected = {spoken.transition.transition_id: spoken.value for each in folds for spoken in each.in_order}
    replayed = replay_by_command(log, rig.settings.partitions, folder)
    if replayed != expected:
        raise RunFailed(f"the two oracles differ in {len(replayed.items() ^ expected.items())} transitions")
    comparison = Comparison()
    compare_alerts(comparison, _in_order(rig, Subject.LIFECYCLE), expected)
    records = {
        key: (patient.history[-1].offset, patient.history[-1].payload)
        for each in folds
        for key, patient in each.patients.items()
        if patient.history
    }
    held = compare_records(comparison, _in_order(rig, Subject.STATE), records)
    compare_markers(comparison, held, rig.committed(Subject.LOG))
    compare_messages(comparison, rig.sent, _messages_in(log))
    compare_aside(
        comparison,
        _held_aside(rig),
        [(each.partition, aside.offset, aside.key) for each in folds for aside in each.aside],
    )
    return comparison


def fold(log: list[Arrived], partitions: int) -> list[PartitionFold]:
    """The plain fold, one a partition."""
    medicine, policy = RulesMedicine(), load_activation("kr-panel")
    folds = [PartitionFold(partition, partitions, medicine, policy) for partition in range(partitions)]
    for row in log:
        folds[row.partition].fold((row,))
    return folds


def replay_by_command(log: list[Arrived], partitions: int, folder: Path) -> dict[str, bytes]:
    """`myelowatch replay --format log` of a dump of the same log."""
    dump, out = folder / "log.ndjson", folder / "transitions.ndjson"
    with dump.open("wb") as stream:
        stream.write(write_dump_head(partitions) + b"\n")
        for row in log:
            stream.write(write_dump_line(row) + b"\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MYELOWATCH_")}
    ran = subprocess.run(
        [sys.executable, "-m", "streams", "replay", str(dump), "--format", "log", "--out", str(out)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if ran.returncode not in (0, 1):
        raise RunFailed(f"the replay of the log failed: {ran.stderr[-600:]}")
    lines = out.read_bytes().splitlines()
    return {orjson.loads(line)["transition_id"]: line for line in lines}


def _in_order(rig: Rig, subject: Subject) -> list[Arrived]:
    return sorted(read_topic(rig.settings, subject), key=lambda row: (row.partition, row.offset))


def _messages_in(log: list[Arrived]) -> set[str]:
    """The ids of the messages whose facts are in the log."""
    found: set[str] = set()
    for row in log:
        entry = entry_from_json(row.value or b"")
        if entry.kind is EntryKind.FACTS:
            found.update(fact.source.message for fact in entry.facts)
    return found


def _held_aside(rig: Rig) -> set[tuple[int, int, str]]:
    """Entries of the log that are held aside, from the topic of rejections."""
    aside = set()
    log = rig.settings.topics[Subject.LOG]
    for row in read_topic(rig.settings, Subject.REJECTED):
        note = json.loads(row.value or b"{}")
        if note.get("original_topic") == log:
            aside.add((note["original_partition"], note["original_offset"], note.get("patient_key", "")))
    return aside


def rejections_of_messages(rig: Rig) -> Counter[str]:
    """Messages that could not be used, by reason, each place once."""
    places = {}
    log = rig.settings.topics[Subject.LOG]
    for row in read_topic(rig.settings, Subject.REJECTED):
        note = json.loads(row.value or b"{}")
        if note.get("original_topic") != log:
            places[note["original_topic"], note["original_partition"], note["original_offset"]] = note["reason"]
    return Counter(places.values())
