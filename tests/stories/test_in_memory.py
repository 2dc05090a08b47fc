"""Every story in memory: the step, what is said, and nothing else of the rules it is about."""

from __future__ import annotations

import pytest

from rules.policy.reading import Policy
from rules.record import Record, read_record, write_record
from rules.watch import Heard, step
from schemas.alerts import Transition
from schemas.events import Entry, EntryKind
from schemas.inlet import read_event
from schemas.reading import ReadingContext
from tests.rules.bedside import policy
from tests.stories.telling import ZONE, Step, Story, body_of, read_stories

CONTEXT = ReadingContext(feed="story", zone=ZONE, secret=b"stories", obeys_known_at=True)
STORIES = read_stories()


class Ward:
    """One patient's record, stepped through entries in order of time."""

    def __init__(self, using: Policy) -> None:
        self.using = using
        self.record: Record | None = None
        self.offset = 0

    def hear(self, entry: Entry, heard: Heard) -> tuple[Transition, ...]:
        stepped = step(self.record, entry, heard, self.using)
        assert stepped.needs == ()
        self.offset += 1
        self.record = read_record(write_record(stepped.record))
        return stepped.transitions


def entries_of(told: Step) -> list[Entry]:
    """What translate makes of the step's event; time passing is a tick."""
    if told.event is None:
        return [Entry(kind=EntryKind.TICK, event_id="tick", known_at=told.known_at)]
    reading = read_event(body_of(told), None, CONTEXT)
    assert reading.rejections == ()
    return list(reading.entries)


def said(transition: Transition) -> str:
    """A transition as stories write it."""
    parts = [transition.transition, transition.rule, transition.reason, transition.severity]
    return " ".join(str(part) for part in parts if part is not None)


def said_by_step(story: Story) -> list[list[Transition]]:
    """The transitions of each step, those of due checks before it included."""
    ward = Ward(policy())
    out = []
    for told in story.steps:
        spoken: list[Transition] = []
        for entry in entries_of(told):
            spoken.extend(ward.hear(entry, Heard(told.known_at, 0, ward.offset)))
        out.append(spoken)
    return out


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.name}: {story.sentence}")
def test_story(story: Story) -> None:
    for told, spoken in zip(story.steps, said_by_step(story), strict=True):
        heard = sorted(said(transition) for transition in spoken if transition.rule in story.about)
        assert heard == sorted(told.says), f"step {told.event_id}"
