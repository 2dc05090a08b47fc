"""What the bodies of translate and monitor need of the world: a log, a store, a clock, meters and the medicine.

Nothing here knows Kafka or Faust. The same bodies run under the stream engine, over files, and in a
simulator that crashes them between any two steps: each brings its own `Log` and `Store`.

*Acknowledged* has one meaning in this house: the record is kept where a crash of any process cannot lose
it (on Kafka: `acks=all` answered). Both `Log.send` and `Store.put` return only then; whatever else happens
they raise, and the body ends without allowing the offset to be committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from schemas.alerts import Transition
from schemas.events import Entry, PolicyActivation

Headers = Sequence[tuple[str, bytes]]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class NotAcknowledged(RuntimeError):
    """The broker did not confirm a record in time, or refused it: the process ends, nothing is committed."""


class MustStop(RuntimeError):
    """Going on would be unsafe; the message is a sentence that says what to do. The process ends."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One record as read from a topic. `stamp_ms` is the broker's own time for it, in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def stamp(self) -> datetime:
        """The broker's time for this record."""
        return instant_of(self.stamp_ms)

    def header(self, name: str) -> bytes | None:
        """The last header of that name, as Kafka has it; None where there is none."""
        found = None
        for key, value in self.headers:
            if key == name:
                found = value
        return found


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written; the partition is always explicit, so that producers of all kinds agree."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Log(Protocol):
    """Topics that records are appended to."""

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Write all of them, in order within a partition; return when every one is acknowledged.

        Raises `NotAcknowledged` where that is not certain. Some may have been written all the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class Put:
    """One state record to be kept; `value` None forgets the key."""

    partition: int
    key: bytes
    value: bytes | None


class Store(Protocol):
    """State by partition and key, kept in a changelog and read locally.

    Reads answer what was put and acknowledged. After a change of owner the store holds, for each key, the
    frame with the highest applied offset that was ever written, not the last one written (`streams.state`).
    """

    def get(self, partition: int, key: bytes) -> bytes | None:
        """The kept frame, or None."""
        ...

    async def put(self, records: Sequence[Put]) -> None:
        """Keep all of them; return when every one is acknowledged, and only then show them in `get` and `scan`.

        Raises `NotAcknowledged` where that is not certain.
        """
        ...

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every key of a partition with its frame, in any order."""
        ...


class Clock(Protocol):
    """Wall time, for metrics only: nothing is decided by it (the broker's stamps are the one clock)."""

    def now(self) -> datetime:
        """The present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


class Meters(Protocol):
    """What the bodies count; `streams.observability.metrics.PrometheusMeters` is the real one."""

    def message_received(self, feed: str, message_type: str, ack: str = "none") -> None: ...
    def message_translated(self, feed: str, outcome: str) -> None: ...
    def message_rejected(self, feed: str, reason: str) -> None: ...
    def feed_heard(self, feed: str, at: datetime) -> None: ...
    def fact(self, kind: str, outcome: str, count: int = 1) -> None: ...
    def result_unassessable(self, analyte: str, reason: str) -> None: ...
    def event_lag(self, seconds: float) -> None: ...
    def decision(self, seconds: float) -> None: ...
    def transition(self, rule: str, severity: str, transition: str) -> None: ...
    def alerts_open(self, partition: int, counts: Mapping[tuple[str, str], int]) -> None: ...
    def checks(self, partition: int, pending: int, earliest_due: datetime | None) -> None: ...
    def patients(self, partition: int, watched: int, unwatched: int) -> None: ...
    def tick(self, partition: int, at: datetime) -> None: ...
    def partition_taken(self, partition: int) -> None: ...
    def partition_given_up(self, partition: int) -> None: ...
    def policy(self, profile: str, policy_version: str, policy_hash: str) -> None: ...


class NoMeters:
    """Counts nothing: replay, simulation, tests."""

    def message_received(self, feed: str, message_type: str, ack: str = "none") -> None: ...
    def message_translated(self, feed: str, outcome: str) -> None: ...
    def message_rejected(self, feed: str, reason: str) -> None: ...
    def feed_heard(self, feed: str, at: datetime) -> None: ...
    def fact(self, kind: str, outcome: str, count: int = 1) -> None: ...
    def result_unassessable(self, analyte: str, reason: str) -> None: ...
    def event_lag(self, seconds: float) -> None: ...
    def decision(self, seconds: float) -> None: ...
    def transition(self, rule: str, severity: str, transition: str) -> None: ...
    def alerts_open(self, partition: int, counts: Mapping[tuple[str, str], int]) -> None: ...
    def checks(self, partition: int, pending: int, earliest_due: datetime | None) -> None: ...
    def patients(self, partition: int, watched: int, unwatched: int) -> None: ...
    def tick(self, partition: int, at: datetime) -> None: ...
    def partition_taken(self, partition: int) -> None: ...
    def partition_given_up(self, partition: int) -> None: ...
    def policy(self, profile: str, policy_version: str, policy_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What the counts need to know of a record: its open alerts as (rule, severity), and whether rules run on it."""

    open_alerts: tuple[tuple[str, str], ...] = ()
    is_watched: bool = False
    is_unwatched: bool = False


class SteppedLike(Protocol):
    """The answer of a step; `rules.watch.Stepped` in the product."""

    @property
    def record(self) -> Any: ...
    @property
    def transitions(self) -> Sequence[Transition]: ...
    @property
    def outcomes(self) -> Sequence[Any]: ...
    @property
    def segments(self) -> Mapping[str, bytes] | None: ...
    @property
    def needs(self) -> Sequence[str]: ...
    @property
    def sends(self) -> Sequence[Entry]: ...
    @property
    def refused(self) -> str | None: ...


class Medicine(Protocol):
    """The door into `rules`, and the record's bytes. A record has `.header.next_check` and `.header.offset`."""

    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None
    ) -> SteppedLike:
        """Judge one entry for one patient; pure.

        Names in `needs` and `segments` are whole keys (`<patient key>/...`). `history` holds b"" for a
        segment that was asked for and is not kept.
        """
        ...

    def mark_not_monitored(self, record: Any, since: datetime) -> Any:
        """The same record, saying on all later transitions that an entry of this patient is in quarantine."""
        ...

    def read_record(self, raw: bytes) -> Any:
        """Bytes to record; raises on damaged bytes."""
        ...

    def write_record(self, record: Any) -> bytes:
        """Record to bytes: same record, same bytes."""
        ...

    def read_policy(self, activation: PolicyActivation) -> Any:
        """The activated policy; raises `MustStop` where this version of the rules does not know it."""
        ...

    def standing(self, record: Any) -> Standing:
        """What the counts show of a record."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """When and where in the log an entry was heard: the fields of `rules.watch.Heard`."""

    known_at: datetime
    partition: int
    offset: int


def instant_of(milliseconds: int) -> datetime:
    """The instant of a Kafka time stamp."""
    return _EPOCH + milliseconds * _MILLISECOND


def milliseconds_of(instant: datetime) -> int:
    """An instant as a Kafka time stamp, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def where_raised(error: BaseException) -> str:
    """Kind and place of an exception; its text may hold what must not leave."""
    trace = error.__traceback__
    place = "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
