"""Merges through the bodies over memory: files told under two numbers, and a dump of the log that came of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from schemas.alerts import TransitionKind
from schemas.events import EntryKind, entry_from_json
from schemas.inlet import Merge, PatientFact, PatientIdentity, read_event, write_structured
from schemas.reading import Reading, ReadingContext
from streams.medicine import RulesMedicine, load_activation
from streams.ports import Arrived
from streams.replay import (
    FileMessage,
    ReplayOfFiles,
    ReplayOutcome,
    fold_log,
    read_dump,
    write_dump_head,
    write_dump_line,
)
from streams.replay_command import account
from streams.simulator.event_writer import FEED, SOURCE, structured_event
from streams.simulator.happenings import Happening, Mishap
from streams.simulator.people import AUTHORITY
from streams.simulator.ward import OPENS_ON, Place, walk_place
from streams.topics import Subject, TopicNames
from tests.simulation.story import CONTEXT

WHO, RETIRED = "SIM-MERGE-0", "SIM-MERGE-1"


def course() -> list[Happening]:
    place = Place(WHO, frozenset({Mishap.FALLING_COUNTS, Mishap.MISSED_CBC}), OPENS_ON + timedelta(days=9))
    return sorted(walk_place(place, 8, 7), key=lambda each: each.known_at)


def told(happenings: list[Happening], merged_after: int) -> list[bytes]:
    """The first of them under a number that is then merged into the other."""
    lines = []
    for nth, each in enumerate(happenings):
        early = nth < merged_after
        lines.append(structured_event(each if not early else Happening(**{**fields(each), "patient": RETIRED})))
    fact = Merge(retired=PatientIdentity(authority=AUTHORITY, id=RETIRED))
    event = PatientFact(patient=PatientIdentity(authority=AUTHORITY, id=WHO), fact=fact)
    at = happenings[merged_after].known_at - timedelta(minutes=1)
    lines.append(write_structured(event, event_id="M1", source=SOURCE, time=at, known_at=at))
    return lines


def fields(happening: Happening) -> dict[str, object]:
    return {name: getattr(happening, name) for name in happening.__dataclass_fields__}


def replay(lines: list[bytes]) -> tuple[ReplayOfFiles, ReplayOutcome]:
    def reader(raw: bytes, context: ReadingContext) -> Reading:
        return read_event(raw, None, context, "file")

    files = ReplayOfFiles(
        readers={"event": reader}, context=CONTEXT, medicine=RulesMedicine(), policy=load_activation("kr-panel")
    )
    for place, line in enumerate(lines):
        files.read(FileMessage(line, "event", FEED, f"line {place}"))
    return files, asyncio.run(files.run())


def register(outcome: ReplayOutcome) -> set[tuple[object, ...]]:
    medicine = RulesMedicine()
    records = [medicine.read_record(frame.payload) for frame in outcome.result.records().values()]
    return {
        (alert.rule, alert.subject, alert.since, alert.severity, alert.reason)
        for record in records
        for alert in record.register
        if alert.superseded_by is None
    }


def test_files_told_under_two_numbers_end_as_under_one() -> None:
    happenings = course()
    _, alone = replay([structured_event(each) for each in happenings])
    for merged_after in (1, len(happenings) // 2, len(happenings) - 1):
        _, merged = replay(told(happenings, merged_after))
        assert register(merged) == register(alone)
        raised = [t for t in merged.result.transitions if t.transition is TransitionKind.RAISED]
        alone_raised = [t for t in alone.result.transitions if t.transition is TransitionKind.RAISED]
        new = [(t.rule, t.severity) for t in raised if t.continues is None]
        assert sorted(new) == sorted((t.rule, t.severity) for t in alone_raised), "what goes on is not new"


def test_both_equations_balance_and_twice_gives_the_same_bytes() -> None:
    happenings = course()
    lines = told(happenings, len(happenings) // 2)
    lines.append(structured_event(Happening(**{**fields(happenings[-1]), "patient": RETIRED, "message": "LATE"})))
    (_, first), (_, second) = replay(lines), replay(lines)
    messages, facts = account(first)
    assert messages.balances
    assert facts.balances
    assert facts.forwarded > 0
    assert [t.to_json() for t in first.result.transitions] == [t.to_json() for t in second.result.transitions]


async def test_a_dump_of_a_log_with_merges_means_the_same(tmp_path: Path) -> None:
    """Monitor over a log that it writes to itself; then the dump of that log, folded without it."""
    from streams.monitor import Monitor
    from tests.streams.fakes import FakeLog, FakeStore, World

    names = TopicNames("t")
    topic = names[Subject.LOG]
    world, partitions = World(), 3
    monitor = Monitor(
        log=FakeLog(world), store=FakeStore(world), medicine=RulesMedicine(), topics=names, partitions=partitions,
        default_policy=load_activation("kr-panel"),
    )  # fmt: skip
    for partition in range(partitions):
        monitor.assigned(partition, begins_at=0)
    from streams.ports import Outgoing
    from streams.topics import partition_of

    happenings = course()
    for line in told(happenings, len(happenings) // 2):
        for entry in read_event(line, None, CONTEXT, "file").entries:
            assert entry.patient is not None
            key = entry.patient.key.encode()
            place = (topic, partition_of(key, partitions))
            world.topics[place].append(Outgoing(*place, key, entry.to_json()))
    read = dict.fromkeys(range(partitions), 0)
    said = []
    while True:
        batch = [
            row for p in range(partitions) for row in world.offer(topic, p, at=happenings[0].known_at, start=read[p])
        ]
        if not batch:
            break
        for row in batch:
            read[row.partition] = max(read[row.partition], row.offset + 1)
        said.extend((await monitor.take(batch)).transitions)

    rows: list[Arrived] = [row for p in range(partitions) for row in world.offer(topic, p, at=happenings[0].known_at)]
    kinds = {entry_from_json(row.value or b"").kind for row in rows}
    assert {EntryKind.MOVED, EntryKind.MOVE_ACKNOWLEDGED} <= kinds
    count, dumped = read_dump([write_dump_head(partitions), *map(write_dump_line, rows)])
    folded = await asyncio.to_thread(
        fold_log, dumped, medicine=RulesMedicine(), default_policy=load_activation("kr-panel"), partitions=count
    )
    assert {t.transition_id: t.to_json() for t in folded.transitions} == {t.transition_id: t.to_json() for t in said}
    assert folded.facts_offered == sum(folded.facts.values())
