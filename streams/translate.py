"""The body of translate: bytes of intake and the inlets in, entries of the patient log or rejections out.

Reads `intake.message.v1` and the inlets. Writes `patient.log.v1` and `intake.rejected.v1`. Keeps, for each
partition it reads, the newest tick it has seen: nothing that a crash could lose. Knows no engine, as monitor.

**What an acknowledgement means here.** When `take` returns, every entry and rejection made of the batch is
acknowledged by the broker, so the offsets of the batch may be committed. A crash before the commit
translates the messages again: the same facts with the same ids at a later place in the log, which the
medicine places once.

**`known_at`.** The broker's stamp of the message (LogAppendTime) is written into the entry and rules from
then on; the log's own stamp never does. Only where `explicit_known_at` is set (demo at speed, tests, files)
a header `known_at` rules instead.

**Which partition.** Always the one of the patient key, computed here (`topics.partition_of`), never left
to a producer. A message keyed by its patient is translated into the partition number it came from. A
message for several patients, one keyed by its feed, or an inlet record under a foreign key lands in others.

**Ticks, and why one waits for the others.** A tick in the log is a watermark: *everything that was kept
before this instant stands before this place*, so that no overdue alert fires over a backlog. If a tick were
copied as soon as it is read in intake partition 3, an inlet record still waiting in partition 7, for a
patient of log partition 3, would come behind it. So translate writes into each log partition it is
responsible for (those whose intake partition it reads) the *smallest* of the newest ticks of all source
partitions it reads, intake and inlets, and only after every entry it made of what stood before them is
acknowledged. For that the ticker writes a tick to every partition of intake **and of the inlets**. A tick
that is held back is not lost with its committed offset: the next one, ten seconds later, says more.

What is left: with several workers each knows its own partitions only, so a message that crosses from a
partition of one worker to a patient of another can come behind a tick by as much as the first lags
behind the second. It cannot happen to messages keyed by their patient, which is all that the gateway and
`send` write. If it happens, the fact is placed by its clinical time and the alert it disproves is withdrawn
(`evidence-arrived-late`). Until every source partition has shown its first tick after an assignment, none
is written: late is safe here, early is not.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import orjson

from schemas.events import Entry, EntryKind
from schemas.events.lab_result import LabResultReported
from schemas.reading import Outcome as ReadingOutcome
from schemas.reading import Reading, ReadingContext
from schemas.reading.stamp import short_id
from schemas.rejection import Rejection, RejectionReason
from schemas.values import Source
from streams.ports import Arrived, Log, Meters, NoMeters, Outgoing, instant_of, where_raised
from streams.topics import Subject, TopicNames, partition_of

TICK_KEY: Final = b"~tick"
"""Key of ticks, for people who look at a topic; the partition is always explicit."""

ENTRY_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one entry at most; the log takes records of 10 MiB with their overhead."""

_READ_A_TURN: Final = 32
"""Messages between two turns of the event loop."""

HEADER_KIND: Final = "kind"
HEADER_FEED: Final = "feed"
HEADER_PROTOCOL: Final = "protocol"
HEADER_CONTROL_ID: Final = "control_id"
HEADER_SHA256: Final = "sha256"
HEADER_KNOWN_AT: Final = "known_at"
KIND_TICK: Final = b"tick"

HEADER_ACK: Final = "ack"
"""How the front door answered the sender; where it stands, the door has counted the message as received."""
HEADER_REFUSED: Final = "refused"
"""A `RejectionReason`: kept by the front door for people to see, and refused to its sender. Never read for facts."""
HEADER_BECAUSE: Final = "because"
"""What the sender was told of a refusal: names the place and the fault, never content."""
HEADER_HISTORICAL: Final = "historical"
"""Part of a backfill: what it says was effective before it came, whatever the feed's `live_from`, and pages nobody."""

PROTOCOL_EVENT: Final = "event"
PROTOCOL_FHIR: Final = "fhir"
PROTOCOL_HL7: Final = "hl7v2"


class Reader(Protocol):
    """Bytes of one protocol, with the headers they came under, to entries. Never raises on what a sender sends."""

    def __call__(self, raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading: ...


@dataclass(slots=True)
class Translation:
    """What became of a batch. `done` are the (topic, partition) pairs whose offsets may be committed."""

    done: frozenset[tuple[str, int]] = frozenset()
    messages: int = 0
    entries: int = 0
    rejections: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(feed, translated | partly | ignored | rejected)."""
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(reason, what)."""
    unread: Counter[str] = field(default_factory=Counter)
    ticks: int = 0


@dataclass(slots=True)
class _Source:
    """One source partition read by this process."""

    newest_tick: datetime | None = None
    is_lost: bool = False


class Translate:
    """Turns messages into entries. One task at a time calls `take`."""

    def __init__(
        self,
        *,
        log: Log,
        readers: Mapping[str, Reader],
        feeds: Mapping[str, ReadingContext],
        topics: TopicNames,
        partitions: int,
        meters: Meters | None = None,
        explicit_known_at: bool = False,
    ) -> None:
        """`readers` by protocol; a record of an inlet without a protocol header is an `event`."""
        self._log = log
        self._readers = readers
        self._feeds = feeds
        self._topics = topics
        self._partitions = partitions
        self._meters: Meters = meters or NoMeters()
        self._explicit_known_at = explicit_known_at
        self._intake = topics[Subject.INTAKE]
        self._log_topic = topics[Subject.LOG]
        self._rejected_topic = topics[Subject.REJECTED]
        self._sources: dict[tuple[str, int], _Source] = {}
        self._passed: dict[int, datetime] = {}

    # --- partitions come and go ---

    @property
    def sources(self) -> frozenset[tuple[str, int]]:
        """The (topic, partition) pairs held now."""
        return frozenset(self._sources)

    def assigned(self, sources: Iterable[tuple[str, int]]) -> None:
        """Take (topic, partition) pairs; a tick passes again when each of them has shown one."""
        for source in sources:
            self._sources[source] = _Source()
            self._passed.pop(source[1], None)

    def revoked(self, sources: Iterable[tuple[str, int]]) -> None:
        """Give pairs up at once."""
        for source in sources:
            lost = self._sources.pop(source, None)
            if lost is not None:
                lost.is_lost = True

    # --- the batch ---

    async def take(self, arrived: Sequence[Arrived]) -> Translation:
        """Translate a batch (any mix of sources, in offset order within each) and have it acknowledged."""
        outcome = Translation()
        taking: dict[tuple[str, int], _Source] = {}
        outgoing: list[Outgoing] = []
        ticks: dict[tuple[str, int], datetime] = {}
        for number, record in enumerate(arrived, start=1):
            if number % _READ_A_TURN == 0:
                await asyncio.sleep(0)
            place = (record.topic, record.partition)
            source = self._sources.get(place)
            if source is None or taking.setdefault(place, source) is not source:
                continue
            if record.header(HEADER_KIND) == KIND_TICK:
                at = self._known_at(record)
                ticks[place] = max(at, ticks.get(place, at))
            else:
                outgoing.extend(self._translate(record, outcome))
        if outgoing:
            await self.send_entries(outgoing)
        for place, at in ticks.items():
            source = taking[place]
            if source.newest_tick is None or at > source.newest_tick:
                source.newest_tick = at
        await self.pass_ticks(outcome)
        outcome.done = frozenset(place for place, source in taking.items() if not source.is_lost)
        return outcome

    async def send_entries(self, outgoing: Sequence[Outgoing]) -> None:
        """Everything made of the messages, before any tick of the same batch."""
        await self._log.send(outgoing)

    async def pass_ticks(self, outcome: Translation) -> None:
        """The instant up to which all our sources have been read, into each log partition of ours."""
        newest = [source.newest_tick for source in self._sources.values()]
        if not newest or any(at is None for at in newest):
            return
        watermark = min(at for at in newest if at is not None)
        outgoing: list[Outgoing] = []
        for topic, partition in sorted(self._sources):
            passed = self._passed.get(partition)
            if topic == self._intake and (passed is None or watermark > passed):
                outgoing.append(self.tick(partition, watermark))
                self._passed[partition] = watermark
        if outgoing:
            await self._log.send(outgoing)
            outcome.ticks += len(outgoing)

    def tick(self, partition: int, at: datetime) -> Outgoing:
        """A tick of the patient log."""
        entry = Entry(kind=EntryKind.TICK, event_id=f"tick:{at.isoformat()}", known_at=at)
        return Outgoing(self._log_topic, partition, TICK_KEY, entry.to_json(), ((HEADER_KIND, KIND_TICK),))

    # --- one message ---

    def _translate(self, record: Arrived, outcome: Translation) -> list[Outgoing]:
        headers = dict(record.headers)
        body = record.value or b""
        feed_name, protocol = feed_and_protocol(record, self._topics)
        digest = _text(headers.get(HEADER_SHA256)) or hashlib.sha256(body).hexdigest()
        outcome.messages += 1
        if HEADER_ACK not in headers:
            self._meters.message_received(feed_name, protocol)
        context = self._feeds.get(feed_name)
        reader = self._readers.get(protocol)
        if context is None or reader is None:
            reason = RejectionReason.UNKNOWN_FEED if context is None else RejectionReason.UNSUPPORTED_TYPE
            detail = "no feed of this name is configured" if context is None else "no reader for this protocol"
            source = Source(feed="" if context is None else feed_name, message=digest[:32])
            self._tell(outcome, feed_name, ReadingOutcome.REJECTED)
            return [self._rejected(record, Rejection(reason=reason, detail=detail, source=source), digest, outcome)]
        refused = _refused(headers, feed_name, digest)
        if refused is not None:
            self._tell(outcome, feed_name, ReadingOutcome.REJECTED)
            return [self._rejected(record, refused, digest, outcome)]
        known_at = self._known_at(record)
        if HEADER_HISTORICAL in headers:
            context = replace(context, live_from=known_at)
        try:
            reading = reader(body, headers, replace(context, received_at=known_at))
        except Exception as error:  # noqa: BLE001 - a reader that fails at one message must not stop the others
            reading = _failed(feed_name, digest, error)
        outgoing = []
        for entry in reading.entries:
            patient = entry.patient
            assert patient is not None, "a reader gives every entry its patient"
            if entry.known_at is None or not self._explicit_known_at:
                entry = entry.model_copy(update={"known_at": known_at})
            key, value = patient.key.encode(), entry.to_json()
            if len(value) > ENTRY_LIMIT:
                # The broker would refuse it for ever, and the worker would end at it for ever.
                source = Source(feed=feed_name, message=digest[:32])
                refusal = Rejection(reason=RejectionReason.TOO_LARGE, detail=f"{len(value)} bytes", source=source)
                outgoing.append(self._rejected(record, refusal, digest, outcome))
                continue
            outgoing.append(Outgoing(self._log_topic, partition_of(key, self._partitions), key, value))
            outcome.entries += 1
            self._measure(entry.facts, known_at)
        self._tell(outcome, feed_name, reading.outcome)
        for ignored in reading.ignored:
            outcome.ignored[ignored.reason, ignored.what] += ignored.count
        outcome.unread.update(reading.unread)
        outgoing.extend(self._rejected(record, each, digest, outcome) for each in reading.rejections)
        return outgoing

    def _rejected(self, record: Arrived, rejection: Rejection, digest: str, outcome: Translation) -> Outgoing:
        """A rejection with the place of the original, where the original's partition is."""
        placed = rejection.model_copy(
            update={
                "original_topic": record.topic,
                "original_partition": record.partition,
                "original_offset": record.offset,
                "sha256": digest,
                "rejected_at": self._known_at(record),
            }
        )
        outcome.rejections += 1
        self._meters.message_rejected(placed.source.feed, placed.reason)
        return Outgoing(
            self._rejected_topic, record.partition, record.key, placed.to_json(), ((HEADER_KIND, b"rejection"),)
        )

    def _known_at(self, record: Arrived) -> datetime:
        if self._explicit_known_at:
            header = record.header(HEADER_KNOWN_AT)
            if header is not None:
                explicit = read_known_at(header)
                if explicit is not None:
                    return explicit
        return instant_of(record.stamp_ms)

    def _tell(self, outcome: Translation, feed: str, word: str) -> None:
        outcome.outcomes[feed, word] += 1
        self._meters.message_translated(feed, word)

    def _measure(self, facts: Sequence[Any], known_at: datetime) -> None:
        for fact in facts:
            if isinstance(fact, LabResultReported):
                self._meters.event_lag((known_at - fact.when.latest).total_seconds())
                if fact.doubt is not None and fact.normalised is None:
                    self._meters.result_unassessable(fact.analyte or "", fact.doubt)


def _refused(headers: Mapping[str, bytes], feed: str, digest: str) -> Rejection | None:
    """What the front door refused and kept for people to see."""
    said = headers.get(HEADER_REFUSED)
    if said is None:
        return None
    try:
        reason = RejectionReason(_text(said))
    except ValueError:
        reason = RejectionReason.WRONG_SHAPE
    control_id = _text(headers.get(HEADER_CONTROL_ID))
    source = Source(feed=feed, message=short_id(control_id) if control_id else digest[:32])
    return Rejection(reason=reason, detail=_text(headers.get(HEADER_BECAUSE)) or "refused at the door", source=source)


def _failed(feed: str, digest: str, error: Exception) -> Reading:
    """What a fault of a reader becomes: the message is held, with the kind and place of the fault."""
    detail = f"the reader failed: {where_raised(error)}"
    source = Source(feed=feed, message=digest[:32])
    return Reading(rejections=(Rejection(reason=RejectionReason.WRONG_SHAPE, detail=detail, source=source),))


def write_known_at(instant: datetime) -> bytes:
    """The value of a `known_at` header."""
    return instant.astimezone(UTC).isoformat().encode()


def read_known_at(raw: bytes) -> datetime | None:
    """A `known_at` header; None where it is no instant with a zone."""
    try:
        instant = datetime.fromisoformat(raw.decode())
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant.astimezone(UTC)


def feed_and_protocol(record: Arrived, topics: TopicNames) -> tuple[str, str]:
    """Which feed a message came by and which protocol it is in; empty where it does not say."""
    headers = dict(record.headers)
    is_intake = record.topic == topics[Subject.INTAKE]
    protocol = _text(headers.get(HEADER_PROTOCOL)) or ("" if is_intake else PROTOCOL_EVENT)
    feed = _text(headers.get(HEADER_FEED)) or _feed_of_source(_source(headers, record.value or b""))
    return feed, protocol


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode("utf-8", "replace")


def _source(headers: Mapping[str, bytes], body: bytes) -> str:
    """The CloudEvents source: a header in binary mode, a member of the JSON in structured mode."""
    header = headers.get("ce_source")
    if header is not None:
        return _text(header)
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    source = event.get("source") if isinstance(event, dict) else None
    return source if isinstance(source, str) else ""


def _feed_of_source(source: str) -> str:
    """The feed in a CloudEvents source such as `/site/seoul/feed/lab`; empty where there is none."""
    parts = source.rsplit("/", 2)
    return parts[-1] if len(parts) == 3 and parts[-2] == "feed" else ""
