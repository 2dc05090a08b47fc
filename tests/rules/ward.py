"""Synthetic patients of the simulator walked through the rules in memory, one record each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from rules.policy.reading import Policy
from rules.record import Record
from rules.watch import Heard, step
from schemas.alerts import Transition
from schemas.inlet import read_event
from schemas.reading import ReadingContext
from streams.simulator import Happening
from streams.simulator.event_writer import structured_event

CONTEXT = ReadingContext(
    feed="synthetic-ward", zone=ZoneInfo("Asia/Seoul"), secret=b"a secret of these tests", obeys_known_at=True
)


def walked(
    happenings: Iterable[Happening], using: Policy, look: Callable[[Record], None] | None = None
) -> tuple[dict[str, Record], list[tuple[str, Transition]]]:
    """Each patient's last record, and every transition with its patient; `look` sees each record as it becomes."""
    records: dict[str, Record] = {}
    told: list[tuple[str, Transition]] = []
    behind: dict[str, bytes] = {}
    for offset, happening in enumerate(happenings):
        who = happening.patient
        for entry in read_event(structured_event(happening), None, CONTEXT, "file").entries:
            heard = Heard(happening.known_at, 0, offset)
            stepped = step(records.get(who), entry, heard, using)
            if stepped.needs:
                stepped = step(records[who], entry, heard, using, {name: behind[name] for name in stepped.needs})
            behind.update(stepped.segments or {})
            records[who] = stepped.record
            told.extend((who, transition) for transition in stepped.transitions)
            if look is not None:
                look(stepped.record)
    return records, told
