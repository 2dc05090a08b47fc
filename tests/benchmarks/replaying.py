"""Replay: a dump of the log through the same bodies, and files from the first byte."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from schemas.inlet import read_event
from streams.medicine import RulesMedicine
from streams.ports import Arrived
from streams.replay import FileMessage, ReplayOfFiles, fold_log
from streams.topics import DEFAULT_PARTITIONS, Subject, TopicNames, partition_of
from tests.benchmarks.core import Spent
from tests.benchmarks.load import CONTEXT, default_policy, load_ward, to_entries

_LOG = TopicNames()[Subject.LOG]


def measure_log(patients: int = 100, days: int = 31) -> Spent:
    """`replay --format log`: reports a second of one processor."""
    entries = to_entries(load_ward(patients, days, every=1))
    offsets = [0] * DEFAULT_PARTITIONS
    rows = []
    for entry in entries:
        partition = partition_of(entry.key, DEFAULT_PARTITIONS)
        rows.append(Arrived(_LOG, partition, offsets[partition], 0, entry.key, entry.value))
        offsets[partition] += 1
    medicine = RulesMedicine()
    medicine.read_policy(default_policy())
    wall, processor = time.perf_counter(), time.process_time()
    result = fold_log(rows, medicine=medicine, default_policy=default_policy(), partitions=DEFAULT_PARTITIONS)
    return Spent(
        reports=sum(entry.is_report for entry in entries),
        transitions=len(result.transitions),
        wall=time.perf_counter() - wall,
        processor=time.process_time() - processor,
    )


def measure_files(patients: int = 60, days: int = 31) -> Spent:
    """`replay` of our own events: read, put in order, judged."""
    messages = list(load_ward(patients, days, every=1))
    medicine = RulesMedicine()
    medicine.read_policy(default_policy())
    wall, processor = time.perf_counter(), time.process_time()
    replaying = ReplayOfFiles(
        readers={"event": lambda raw, context: read_event(raw, None, context, "file")},
        context=replace(CONTEXT, feed="files"),
        medicine=medicine,
        policy=default_policy(),
    )
    for number, message in enumerate(messages):
        replaying.read(FileMessage(message.value, "event", "files", f"line {number}"))
    outcome = asyncio.run(replaying.run())
    return Spent(
        reports=sum(message.is_report for message in messages),
        transitions=len(outcome.result.transitions),
        wall=time.perf_counter() - wall,
        processor=time.process_time() - processor,
    )
