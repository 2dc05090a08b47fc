"""Every story again, all patients at once, through the real Kafka and the real agents.

One worker reads all stories in order of time with a tick each day. What stands on the notification
topic must be what each story says, with the transition ids of the same story in memory, and what the
dump of the patient log means when it is folded without a broker.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from rules.record import Record, read_record, write_record
from rules.watch import Heard, step
from schemas.alerts import Transition
from schemas.events import Entry, EntryKind
from schemas.values.patient import build_patient_key
from streams.broker import LaptopKafka
from streams.intake import Intake
from streams.medicine import RulesMedicine, load_activation
from streams.replay import fold_log
from streams.settings import load_settings
from streams.state import is_patient_key, marker_key, read_frame
from streams.ticker import Ticker
from streams.topics import Subject
from tests.broker.pipeline import Pipeline, WorkerProcess
from tests.rules.bedside import policy
from tests.stories.telling import body_of, instant
from tests.stories.test_in_memory import STORIES, entries_of, said

SECRET = "stories of the ward"
LAST_DAY = 130


class Telling(Pipeline):
    """The pipeline with the product's own readers, rules and one feed."""

    def __init__(self, kafka: LaptopKafka, prefix: str, folder: Path) -> None:
        super().__init__(kafka, prefix, folder)
        feeds = {"story": {"timezone": "Asia/Seoul"}}
        self.environment |= {
            "MYELOWATCH_FEEDS": json.dumps(feeds),
            "MYELOWATCH_KEY_SECRET": SECRET,
            "MYELOWATCH_EXPLICIT_KNOWN_AT": "true",
        }
        self.settings = load_settings(self.environment)

    def tell(self) -> None:
        """All steps of all stories in order of time, a tick each midnight between them."""
        steps = sorted(
            ((told.known_at, story, told) for story in STORIES for told in story.steps if told.event is not None),
            key=lambda row: (row[0], row[2].event_id),
        )
        ticks = [instant(day, 0) for day in range(1, LAST_DAY)]
        intake, ticker = Intake(self.settings), Ticker(self.settings)
        for known_at, story, told in steps:
            while ticks and ticks[0] <= known_at:
                intake.settle()
                ticker.tick(ticks.pop(0))
            key = build_patient_key("urn:story", story.patient_id, SECRET.encode())
            intake.send(
                body_of(told),
                feed="story",
                protocol="event",
                control_id=told.event_id,
                patient_key=key,
                known_at=known_at,
            )
        intake.settle()
        for tick in ticks:
            ticker.tick(tick)
        intake.close()
        ticker.close()


def in_memory(story_name: str) -> list[Transition]:
    """The same story with the same ticks, stepped without a broker."""
    story = next(story for story in STORIES if story.name == story_name)
    ticks = [(instant(day, 0), Entry(kind=EntryKind.TICK, event_id="tick")) for day in range(1, LAST_DAY)]
    heard = [(told.known_at, entry) for told in story.steps if told.event is not None for entry in entries_of(told)]
    record: Record | None = None
    out: list[Transition] = []
    for offset, (at, entry) in enumerate(sorted([*ticks, *heard], key=lambda row: row[0])):
        if record is None and entry.kind is EntryKind.TICK:
            continue
        stepped = step(record, entry, Heard(at, 0, offset), policy())
        record = read_record(write_record(stepped.record))
        out.extend(stepped.transitions)
    return out


@pytest.mark.slow
def test_stories_through_the_broker_say_what_they_say_in_memory(
    kafka: LaptopKafka, topic_prefix: str, tmp_path: Path
) -> None:
    telling = Telling(kafka, topic_prefix, tmp_path)
    worker = WorkerProcess(telling.environment, module="tests.stories.story_worker")
    try:
        worker.wait_until_ready()
        telling.tell()
        telling.wait_until_drained(worker)
    finally:
        worker.kill()

    on_topic: dict[str, list[Transition]] = defaultdict(list)
    for transition in telling.said():
        on_topic[transition.patient.id].append(transition)
    for story in STORIES:
        expected = [line for told in story.steps for line in told.says]
        heard = on_topic[story.patient_id]
        assert len({t.transition_id for t in heard}) == len(heard)
        until = max(told.known_at for told in story.steps) + timedelta(seconds=1)
        about = sorted(said(t) for t in heard if t.rule in story.about and t.at <= until)
        assert about == sorted(expected), story.name
        ours = [(said(t), t.at, t.sequence) for t in in_memory(story.name)]
        assert [(said(t), t.at, t.sequence) for t in heard] == ours, story.name

    oracle = fold_log(
        telling.read(Subject.LOG),
        medicine=RulesMedicine(),
        default_policy=load_activation("kr-panel"),
        partitions=telling.settings.partitions,
    )
    assert {t.transition_id for t in telling.said()} == {t.transition_id for t in oracle.transitions}
    state = telling.state()
    assert {k: read_frame(raw) for k, raw in state.items() if is_patient_key(k)} == dict(oracle.records())
    for partition, offset in telling.committed().items():
        assert offset <= read_frame(state[marker_key(partition)]).applied + 1
