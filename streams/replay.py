"""The same bodies over files or a dump of the log, without a broker: try it, backtest, and the oracle of crash tests.

`fold_log` runs monitor over the records of a patient log, partition by partition, in offset order: what
it says is what the log means, whatever happened to the processes that read it. `ReplayOfFiles` makes a
log of files first: the readers of translate read each message, the entries are put in the order in which
they could be known, and a tick is heard whenever the next check of any patient falls due, at its own instant.

Nothing here reads a clock, and nothing is written outside memory: running twice gives the same bytes.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from schemas.alerts import Transition
from schemas.events import Entry, EntryKind, PolicyActivation
from schemas.events.entry import entry_from_json
from schemas.reading import Reading, ReadingContext
from schemas.rejection import Rejection, RejectionReason
from schemas.values import PatientRef
from streams.monitor import Monitor, Outcome
from streams.ports import Arrived, Heard, Medicine, NoMeters, Outgoing, Put, milliseconds_of
from streams.state import Frame, is_patient_key, read_frame
from streams.topics import DEFAULT_PARTITIONS, Subject, TopicNames

_BATCH: Final = 500
_NAMES: Final = TopicNames()


class LogUnreadable(ValueError):
    """A dump of the log cannot be used; the message names the line."""


@dataclass(slots=True)
class ReplayResult:
    """All that a replay says. `state` holds the frames of every partition and key, as the changelog would."""

    transitions: list[Transition] = field(default_factory=list)
    state: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    facts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(kind, outcome)."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Facts that no rule needs, by reason."""
    facts_offered: int = 0
    entries: int = 0
    ticks: int = 0
    quarantined: int = 0
    held_aside: list[bytes] = field(default_factory=list)
    """Rejections and entries in quarantine, as they would stand on their topic."""

    def records(self) -> Mapping[bytes, Frame]:
        """The final record of every patient, by key."""
        return {key: read_frame(raw) for (_, key), raw in sorted(self.state.items()) if is_patient_key(key)}

    def fact_total(self, outcome: str) -> int:
        """Facts of any kind with this outcome."""
        return sum(count for (_, word), count in self.facts.items() if word == outcome)


class _MemoryLog:
    """Acknowledges at once and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def send(self, records: Sequence[Outgoing]) -> None:
        self.sent.extend(records)


class _MemoryStore:
    """Acknowledges at once and keeps what was put."""

    def __init__(self) -> None:
        self.held: dict[int, dict[bytes, bytes]] = defaultdict(dict)

    def get(self, partition: int, key: bytes) -> bytes | None:
        return self.held[partition].get(key)

    async def put(self, records: Sequence[Put]) -> None:
        for record in records:
            if record.value is None:
                self.held[record.partition].pop(record.key, None)
            else:
                self.held[record.partition][record.key] = record.value

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self.held[partition].items())


class _NextCheck(NoMeters):
    """Hears from monitor when the next check of a partition is due."""

    def __init__(self) -> None:
        self.earliest: datetime | None = None

    def checks(self, partition: int, pending: int, earliest_due: datetime | None) -> None:
        self.earliest = earliest_due


class _Listening:
    """The medicine as it is; what became of each fact is heard with its reason."""

    def __init__(self, medicine: Medicine) -> None:
        self._medicine = medicine
        self.ignored: Counter[str] = Counter()

    def step(self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None) -> Any:
        stepped = self._medicine.step(record, entry, heard, policy, history)
        if not stepped.needs:
            self.ignored.update(each.reason or "no reason" for each in stepped.outcomes if each.outcome == "ignored")
        return stepped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._medicine, name)


class _Judge:
    """Monitor over memory, and the tally of what it answers."""

    def __init__(self, medicine: Medicine, policy: PolicyActivation, partitions: int) -> None:
        self.log = _MemoryLog()
        self.store = _MemoryStore()
        self.next = _NextCheck()
        self.result = ReplayResult()
        self._listening = _Listening(medicine)
        self.monitor = Monitor(
            log=self.log,
            store=self.store,
            medicine=self._listening,
            topics=_NAMES,
            partitions=partitions,
            default_policy=policy,
            meters=self.next,
        )
        self._rejected_topic = _NAMES[Subject.REJECTED]
        self.moves: list[Outgoing] = []
        """What numbers of a patient said to each other: in a dump it stands in the log already."""

    async def take(self, arrived: Sequence[Arrived]) -> Outcome:
        outcome = await self.monitor.take(arrived)
        result = self.result
        result.transitions.extend(outcome.transitions)
        result.facts.update(outcome.facts)
        result.entries += outcome.entries
        result.ticks += outcome.ticks
        result.quarantined += outcome.quarantined
        if self.log.sent:
            held = (each.value for each in self.log.sent if each.topic == self._rejected_topic)
            result.held_aside.extend(value for value in held if value is not None)
            self.moves.extend(each for each in self.log.sent if each.topic == _NAMES[Subject.LOG])
            self.log.sent.clear()
        return outcome

    def finish(self) -> ReplayResult:
        self.result.ignored = self._listening.ignored
        self.result.state = {
            (partition, key): value
            for partition, held in sorted(self.store.held.items())
            for key, value in held.items()
        }
        return self.result


# --- a patient log ---


async def fold_log_async(
    records: Iterable[Arrived], *, medicine: Medicine, default_policy: PolicyActivation, partitions: int
) -> ReplayResult:
    """Run monitor over the records of a patient log: each partition in offset order, one after the other."""
    by_partition: dict[int, list[Arrived]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(record)
    judge = _Judge(medicine, default_policy, partitions)
    for partition in sorted(by_partition):
        rows = sorted(by_partition[partition], key=lambda row: row.offset)
        judge.monitor.assigned(partition, begins_at=rows[0].offset)
        for start in range(0, len(rows), _BATCH):
            await judge.take(rows[start : start + _BATCH])
            judge.moves.clear()
    result = judge.finish()
    result.facts_offered = sum(_facts_in(record) for rows in by_partition.values() for record in rows)
    return result


def fold_log(
    records: Iterable[Arrived], *, medicine: Medicine, default_policy: PolicyActivation, partitions: int
) -> ReplayResult:
    """`fold_log_async` where no event loop runs."""
    return asyncio.run(fold_log_async(records, medicine=medicine, default_policy=default_policy, partitions=partitions))


def _facts_in(record: Arrived) -> int:
    try:
        entry = entry_from_json(record.value or b"")
    except ValueError:
        return 0
    # What is sent on from one number to another was counted where it came.
    return len(entry.facts) if entry.kind is EntryKind.FACTS else 0


def write_dump_line(record: Arrived) -> bytes:
    """One record of the log as one line: the value as JSON where that keeps its bytes, else in base64."""
    line: dict[str, Any] = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.stamp_ms,
    }
    if record.key is not None:
        try:
            line["key"] = record.key.decode()
        except UnicodeDecodeError:
            line["key_base64"] = base64.b64encode(record.key).decode()
    if record.value is not None:
        parsed = _parsed(record.value)
        if parsed is not None and orjson.dumps(parsed) == record.value:
            line["value"] = parsed
        else:
            line["value_base64"] = base64.b64encode(record.value).decode()
    if record.headers:
        line["headers"] = [[name, base64.b64encode(value).decode()] for name, value in record.headers]
    return orjson.dumps(line)


def write_dump_head(partitions: int) -> bytes:
    """The first line of a dump: how many partitions the log has, since keys are checked against it."""
    return orjson.dumps({"dump": "patient-log", "partitions": partitions})


def read_dump(lines: Iterable[bytes]) -> tuple[int, list[Arrived]]:
    """The partition count and the records of a dump; raises `LogUnreadable` with the line."""
    partitions, records = 0, []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = _parsed(line)
        if not isinstance(row, dict):
            raise LogUnreadable(f"Line {number} is not a JSON object.")
        if row.get("dump") == "patient-log" and isinstance(row.get("partitions"), int):
            partitions = row["partitions"]
            continue
        try:
            records.append(_read_dump_row(row))
        except (KeyError, TypeError, ValueError):
            raise LogUnreadable(
                f"Line {number} is not a record of the log: it needs partition, offset, timestamp and value."
            ) from None
    highest = max((record.partition for record in records), default=-1)
    return partitions or max(DEFAULT_PARTITIONS, highest + 1), records


def _read_dump_row(row: Mapping[str, Any]) -> Arrived:
    return Arrived(
        topic=_NAMES[Subject.LOG],
        partition=_whole(row["partition"]),
        offset=_whole(row["offset"]),
        stamp_ms=_stamp(row["timestamp"]),
        key=_bytes_of(row, "key"),
        value=_bytes_of(row, "value"),
        headers=tuple((str(name), base64.b64decode(value, validate=True)) for name, value in row.get("headers") or ()),
    )


def _bytes_of(row: Mapping[str, Any], name: str) -> bytes | None:
    """A text as it is, an object as compact JSON, anything else in base64 under `<name>_base64`."""
    packed = row.get(f"{name}_base64")
    if packed is not None:
        return base64.b64decode(packed, validate=True)
    found = row.get(name)
    match found:
        case None:
            return None
        case str():
            return found.encode()
        case dict():
            return orjson.dumps(found)
        case _:
            raise TypeError


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _stamp(value: object) -> int:
    """Milliseconds since 1970, or an instant with its zone."""
    if isinstance(value, str):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return milliseconds_of(instant.astimezone(UTC))
    return _whole(value)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


# --- files ---


@dataclass(frozen=True, slots=True)
class FileMessage:
    """One message of the input; `name` is its place in the input, for people."""

    body: bytes
    protocol: str
    feed: str
    name: str


FileReader = Callable[[bytes, ReadingContext], Reading]
"""Bytes of one protocol to entries that carry when each could be known."""

_STRANGERS: Final = frozenset({RejectionReason.NO_PATIENT, RejectionReason.NO_IDENTITY})
"""Rejections that another file of the same input may mend: the Patient can come after what refers to it."""


@dataclass(slots=True)
class ReplayOutcome:
    """What a replay of files says, with both sides of the equations of promise 1."""

    result: ReplayResult = field(default_factory=ReplayResult)
    received: int = 0
    waiting: int = 0
    """Messages of which nothing could be known by the end."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Messages translated, partly, ignored, rejected."""
    rejections: list[Rejection] = field(default_factory=list)
    ignored_parts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(reason, what)."""
    unread_parts: Counter[str] = field(default_factory=Counter)
    facts_waiting: int = 0
    until: datetime | None = None


@dataclass(slots=True)
class _Read:
    """One message and what its reader made of it."""

    message: FileMessage
    reading: Reading


def _has_strangers(read: _Read) -> bool:
    """Whether a patient could not be known, or only by the number of a resource: readers then take the feed's name."""
    reading = read.reading
    return any(rejection.reason in _STRANGERS for rejection in reading.rejections) or any(
        entry.patient is not None and entry.patient.authority == read.message.feed for entry in reading.entries
    )


class ReplayOfFiles:
    """Messages in any order in, transitions in the order of time out."""

    def __init__(
        self,
        *,
        readers: Mapping[str, FileReader],
        context: ReadingContext,
        medicine: Medicine,
        policy: PolicyActivation,
    ) -> None:
        """`readers` by protocol; `context` is that of every message but for the feed; the policy judges throughout."""
        self._readers = readers
        self._contexts: dict[str, ReadingContext] = {}
        self._patients: dict[str, PatientRef] = dict(context.patients)
        self._context = replace(context, patients=self._patients)
        self._judge = _Judge(medicine, policy, partitions=1)
        self._read: list[_Read] = []
        self._offset = 0

    def read(self, message: FileMessage) -> Reading:
        """Read one message; its entries wait for their time."""
        reading = self._ask(message)
        self._patients.update(reading.patients)
        self._read.append(_Read(message, reading))
        return reading

    def read_strangers_again(self) -> None:
        """Now that all Patients of the input are known: read again what referred to one that was not yet."""
        for read in self._read:
            if _has_strangers(read):
                read.reading = self._ask(read.message)

    def _ask(self, message: FileMessage) -> Reading:
        context = self._contexts.get(message.feed)
        if context is None:
            context = self._contexts[message.feed] = replace(self._context, feed=message.feed)
        return self._readers[message.protocol](message.body, context)

    @property
    def rejections(self) -> list[Rejection]:
        """Everything that cannot be used, in the order of the input."""
        return [rejection for read in self._read for rejection in read.reading.rejections]

    def entries(self) -> list[Entry]:
        """All entries in the order in which they could be known; ties by place in the input, then event id."""
        entries = [entry for read in self._read for entry in read.reading.entries]
        first: dict[str, datetime] = {}
        for entry in entries:
            if entry.known_at is not None and entry.patient is not None:
                key = entry.patient.key
                first[key] = min(entry.known_at, first.get(key, entry.known_at))
        earliest = min(first.values(), default=None)
        placed = []
        for place, entry in enumerate(entries):
            known_at = entry.known_at
            if known_at is None and entry.patient is not None:
                # It says nothing about any time: it was known when the patient was first heard of.
                known_at = first.get(entry.patient.key, earliest)
            if known_at is not None:
                entry = entry if entry.known_at == known_at else entry.model_copy(update={"known_at": known_at})
                placed.append((known_at, place, entry.event_id, entry))
        placed.sort(key=lambda row: row[:3])
        return [row[3] for row in placed]

    async def run(self, until: datetime | None = None, heard: Callable[[], None] = lambda: None) -> ReplayOutcome:
        """Hear everything that could be known by `until` (else the last instant), and every check due by then."""
        judge, outcome = self._judge, ReplayOutcome()
        judge.monitor.assigned(0, begins_at=0)
        entries = self.entries()
        if until is None and entries:
            until = entries[-1].known_at
        outcome.until = until
        in_time = set()
        for entry in entries:
            known_at = entry.known_at
            assert known_at is not None
            if until is not None and known_at > until:
                outcome.facts_waiting += len(entry.facts)
                continue
            in_time.add(entry.event_id)
            await self._tick_up_to(known_at)
            await self._hear(entry)
            judge.result.facts_offered += len(entry.facts)
            heard()
        if until is not None:
            await self._tick_up_to(until)
        outcome.result = judge.finish()
        self._account(outcome, in_time)
        return outcome

    def _account(self, outcome: ReplayOutcome, in_time: set[str]) -> None:
        """Where each message went."""
        for read in self._read:
            reading = read.reading
            outcome.received += 1
            outcome.rejections.extend(reading.rejections)
            if reading.entries and not any(entry.event_id in in_time for entry in reading.entries):
                outcome.waiting += 1
                continue
            outcome.outcomes[reading.outcome] += 1
            for ignored in reading.ignored:
                outcome.ignored_parts[ignored.reason, ignored.what] += ignored.count
            outcome.unread_parts.update(reading.unread)

    async def _tick_up_to(self, instant: datetime) -> None:
        """One tick for each instant at which a check falls due, in order."""
        while (due := self._judge.next.earliest) is not None and due <= instant:
            await self._hear(Entry(kind=EntryKind.TICK, event_id=f"tick:{due.isoformat()}", known_at=due))

    async def _hear(self, entry: Entry) -> None:
        key = b"~tick" if entry.patient is None else entry.patient.key.encode()
        waiting = deque([(key, entry.to_json())])
        while waiting:
            key, value = waiting.popleft()
            record = Arrived(_NAMES[Subject.LOG], 0, self._offset, 0, key, value)
            self._offset += 1
            await self._judge.take([record])
            waiting.extend((each.key or b"", each.value or b"") for each in self._judge.moves)
            self._judge.moves.clear()
