"""Several numbers of a few people, each with its record and its part of the log; what one sends another is heard."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.history import all_facts, open_history
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.record import Record, read_record, write_record
from rules.watch import Heard, Stepped, step
from schemas.alerts import Transition
from schemas.events import Entry, EntryKind, Fact, PatientsMerged, entry_from_json
from schemas.values import PatientRef, Source
from tests.rules.bedside import ZONE, policy


def number(name: str) -> PatientRef:
    """The number with this name."""
    return PatientRef(key=name * 32, authority="urn:ward", id=f"P-{name}")


def under(name: str, facts: Iterable[Fact]) -> list[Fact]:
    """Facts as they come for this number, with ids of their own."""
    return [
        fact.model_copy(update={"origin_key": number(name).key, "fact_id": f"{name}|{fact.fact_id}"}) for fact in facts
    ]


@dataclass
class Town:
    """Every number is a partition of its own: only what one sender says to one receiver has an order."""

    using: Policy = field(default_factory=policy)
    records: dict[str, Record] = field(default_factory=dict)
    queues: dict[str, deque[Entry]] = field(default_factory=lambda: defaultdict(deque))
    offsets: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stored: dict[str, bytes] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    said: int = 0
    between: list[tuple[str, Entry]] = field(default_factory=list)
    """Everything that numbers sent to each other, with whom it was for."""

    # --- what comes from outside ---

    def message(self, name: str, facts: Iterable[Fact], known: datetime) -> None:
        """A message for a number, not yet heard."""
        self._send(name, Entry(facts=tuple(facts), patient=number(name), feed="lab", zone=ZONE, known_at=known))

    def merge(self, retired: str, survivor: str, known: datetime, *, is_undone: bool = False) -> None:
        """One number is another's from here on, or not any more."""
        merge = PatientsMerged(
            survivor=number(survivor),
            retired=number(retired),
            is_undone=is_undone,
            source=Source(feed="adt", message="m"),
        )
        kind = EntryKind.UNMERGE if is_undone else EntryKind.MERGE
        self._send(retired, Entry(kind=kind, patient=number(retired), zone=ZONE, known_at=known, merge=merge))

    def _send(self, name: str, entry: Entry) -> None:
        self.said += 1
        self.queues[number(name).key].append(entry.model_copy(update={"event_id": f"e{self.said}"}))

    # --- one step ---

    @property
    def busy(self) -> list[str]:
        """Numbers for which something waits."""
        return sorted(key for key, queue in self.queues.items() if queue)

    def hear(self, key: str) -> Stepped:
        """The next entry of a number."""
        return self.take(key, self.queues[key].popleft())

    def take(self, key: str, entry: Entry) -> Stepped:
        """An entry, as if it were the next."""
        entry = entry_from_json(entry.to_json())
        assert entry.known_at is not None
        heard = Heard(entry.known_at, 0, self.offsets[key])
        self.offsets[key] += 1
        stepped = step(self.records.get(key), entry, heard, self.using)
        if stepped.needs:
            behind = {name: self.stored[name] for name in stepped.needs}
            stepped = step(self.records.get(key), entry, heard, self.using, behind)
        assert not stepped.needs
        self.stored.update(stepped.segments or {})
        self.records[key] = read_record(write_record(stepped.record))
        self.transitions.extend(stepped.transitions)
        self.outcomes.extend((outcome.kind, outcome.outcome) for outcome in stepped.outcomes)
        if stepped.refused:
            self.refused.append((key, stepped.refused))
        for sent in stepped.sends:
            assert sent.patient is not None
            self.queues[sent.patient.key].append(sent)
            self.between.append((sent.patient.key, sent))
        return stepped

    def settle(self) -> None:
        """Until nothing waits."""
        while self.busy:
            self.hear(self.busy[0])

    def pass_time(self, until: datetime) -> None:
        """A tick for every number that has a check before it."""
        for key in sorted(self.records):
            self.take(key, Entry(kind=EntryKind.TICK, event_id="tick", known_at=until))

    # --- what is known of it ---

    def record(self, name: str) -> Record:
        """The record of a number."""
        return self.records[number(name).key]

    def home(self, key: str) -> str:
        """The number that stands for this one now."""
        seen = set()
        while key in self.records and (to := self.records[key].kin.moved_to) is not None:
            assert key not in seen, "the tombstones lead in a circle"
            seen.add(key)
            key = to.key
        return key

    def facts(self, key: str) -> tuple[AnyKept, ...]:
        """All facts of a record, its segments included."""
        record = self.records[key]
        history = open_history(record)
        return all_facts(history, {segment.name: self.stored[segment.name] for segment in record.segments})


LATER = timedelta(days=31)
