"""What is remembered of one patient between entries, and its bytes.

A record is a header, the register of open alerts, the ledger, the opening balance (the ledger as of
the cut) and the facts since the cut. Recent facts lie open, older ones in compressed chunks; what is
behind the cut lies in immutable segments of their own, read only when a late fact, a merge or a
policy change reaches behind it. The bytes carry a format version and a checksum.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import datetime

import msgspec

from rules.ledger import Ledger
from rules.picture import AnyKept
from schemas.alerts import Severity
from schemas.values import PatientRef

FORMAT = b"MWR1"
HARD_LIMIT_BYTES = 64 * 1024
"""A larger record is quarantined: something is wrong with the patient's feed (design part 7)."""
_DIGEST = 6
_LEVEL = 1
"""Facts of one patient repeat themselves: the fastest level is nearly as small as the best."""


class RecordDamaged(ValueError):
    """The bytes are not a whole record of a format we know."""


class RecordTooLarge(ValueError):
    """The record outgrew its hard limit."""


class Gap(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A rule that applies and cannot be assessed."""

    rule: str
    missing: tuple[str, ...]
    since: datetime


class Alert(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One alert of the register: open, or set aside for a more severe rule."""

    alert_id: str
    rule: str
    subject: str
    since: datetime
    course: int
    raised_at: datetime
    effective_at: datetime
    sequence: int
    severity: Severity
    reason: str | None
    basis: str
    """Digest of what it stands on: evidence, thresholds, reason."""
    title: str
    is_provisional: bool
    is_historical: bool
    episode: int | None
    superseded_by: str | None = None
    continues: str | None = None
    """The alert of another number of this patient that this one carries on."""


class Closed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A closed alert is remembered by id, so that the same subject raised again goes on counting."""

    alert_id: str
    sequence: int
    at: datetime


class Header(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Identity, place in the log, clock and next due check."""

    key: str
    authority: str
    patient_id: str
    partition: int
    offset: int
    clock: datetime
    zone: str
    next_check: datetime | None = None
    live_from: datetime | None = None
    policy: str = ""
    is_enrolled: bool = False
    not_monitored_since: datetime | None = None

    @property
    def patient(self) -> PatientRef:
        """The patient as facts and alerts name them."""
        return PatientRef(key=self.key, authority=self.authority, id=self.patient_id)


class Asking(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When each rule is to be asked again although no new fact concerns it.

    `catalogue` says which catalogue the numbers in `rechecks` are places in; another one asks every rule.
    """

    catalogue: str = ""
    everyone_at: datetime | None = None
    """The next instant that the ledger itself holds in the future: a planned day 1, a stop already recorded."""
    rechecks: dict[int, datetime] = {}


class Ref(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A number, as `PatientRef` names it."""

    key: str
    authority: str
    id: str

    @property
    def patient(self) -> PatientRef:
        """The same as entries name it."""
        return PatientRef(key=self.key, authority=self.authority, id=self.id)


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A number that is part of this one now, and by which neighbours it came: one leaves when no way is left."""

    ref: Ref
    via: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What this number asked to have back and has not got yet."""

    id: str
    origins: tuple[str, ...]


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A numbered part of a move, laid by under a name of its own until the others are here."""

    move: str
    part: int
    name: str


class Arrival(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A move whose facts are placed and whose alerts nobody has judged yet."""

    move: str
    sender: Ref
    alerts: tuple[Alert, ...]
    is_return: bool


class Deferred(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that waits until what this number asked for itself is back."""

    path: tuple[Ref, ...]
    id: str
    origins: tuple[str, ...]


class Kinship(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What this number has to do with others of the same patient (`rules.moving`)."""

    moved_to: Ref | None = None
    """The tombstone: what comes for this number is sent on to that one."""
    move: str = ""
    """The id of the move that retired it."""
    members: dict[str, Member] = {}
    """Numbers that were merged into this one, at any remove, by key."""
    waiting: tuple[Asked, ...] = ()
    """While there is one, facts are kept and no rule is asked: half a history is worse than none for a moment."""
    heard: dict[str, tuple[int, int]] = {}
    """By sender: offset and index of the last entry heard from it."""
    parts: tuple[Part, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    deferred: tuple[Deferred, ...] = ()


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Facts in clinical order, packed; `digests` tells quickly whether one is in here."""

    first: datetime
    last: datetime
    count: int
    digests: bytes
    packed: bytes


class Segment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chunk behind the cut, kept under its own name."""

    name: str
    first: datetime
    last: datetime
    count: int


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """See the module."""

    header: Header
    register: tuple[Alert, ...] = ()
    closed: tuple[Closed, ...] = ()
    gaps: tuple[Gap, ...] = ()
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    opening: bytes = b""
    chunks: tuple[Chunk, ...] = ()
    recent: tuple[msgspec.Raw, ...] = ()
    recent_digests: bytes = b""
    future: tuple[AnyKept, ...] = ()
    segments: tuple[Segment, ...] = ()
    asking: Asking = Asking()
    kin: Kinship = Kinship()


_encoder = msgspec.msgpack.Encoder()
_record_decoder = msgspec.msgpack.Decoder(Record)
_facts_decoder: msgspec.msgpack.Decoder[tuple[AnyKept, ...]] = msgspec.msgpack.Decoder(tuple[AnyKept, ...])
_fact_decoder: msgspec.msgpack.Decoder[AnyKept] = msgspec.msgpack.Decoder(AnyKept)
_ledger_decoder = msgspec.msgpack.Decoder(Ledger)


def write_record(record: Record) -> bytes:
    """Bytes of a record; raises `RecordTooLarge` above the hard limit."""
    body = _encoder.encode(record)
    if len(body) > HARD_LIMIT_BYTES:
        raise RecordTooLarge(f"{len(body)} bytes")
    return FORMAT + zlib.crc32(body).to_bytes(4, "big") + body


def read_record(raw: bytes) -> Record:
    """A record from its bytes; raises `RecordDamaged` when one bit is off."""
    if raw[:4] != FORMAT:
        raise RecordDamaged("unknown format")
    body = memoryview(raw)[8:]
    if zlib.crc32(body).to_bytes(4, "big") != raw[4:8]:
        raise RecordDamaged("the checksum does not match")
    try:
        return _record_decoder.decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise RecordDamaged(f"cannot be decoded: {type(error).__name__}") from None


def write_fact(fact: AnyKept) -> msgspec.Raw:
    """One fact, packed."""
    return msgspec.Raw(_encoder.encode(fact))


def read_fact(raw: msgspec.Raw) -> AnyKept:
    """One packed fact."""
    return _fact_decoder.decode(raw)


def write_ledger(ledger: Ledger) -> bytes:
    """The opening balance, packed: it is read only when history is folded anew."""
    return _encoder.encode(ledger)


def read_ledger(raw: bytes, zone: str) -> Ledger:
    """The opening balance; an empty ledger where there is none yet."""
    return _ledger_decoder.decode(raw) if raw else Ledger(zone=zone)


def pack_chunk(facts: tuple[AnyKept, ...]) -> Chunk:
    """Facts in clinical order to a chunk."""
    return Chunk(
        first=facts[0].at,
        last=facts[-1].at,
        count=len(facts),
        digests=b"".join(fact_digest(fact.id) for fact in facts),
        packed=zlib.compress(_encoder.encode(facts), _LEVEL),
    )


def pack_raw(raws: tuple[msgspec.Raw, ...], digests: bytes) -> Chunk:
    """The same of facts that are packed already; `digests` begins with theirs."""
    return Chunk(
        first=read_fact(raws[0]).at,
        last=read_fact(raws[-1]).at,
        count=len(raws),
        digests=digests[: len(raws) * _DIGEST],
        packed=zlib.compress(_encoder.encode(raws), _LEVEL),
    )


def unpack(packed: bytes) -> tuple[AnyKept, ...]:
    """The facts of a chunk or segment; raises `RecordDamaged`."""
    try:
        return _facts_decoder.decode(zlib.decompress(packed))
    except (zlib.error, msgspec.DecodeError) as error:
        raise RecordDamaged(f"a segment cannot be read: {type(error).__name__}") from None


def segment_of(key: str, chunk: Chunk) -> Segment:
    """The immutable name of a chunk behind the cut: same content, same name."""
    half = 1 if chunk.last.month <= 6 else 2
    digest = hashlib.sha256(chunk.packed).hexdigest()[:12]
    name = f"{key}/{chunk.last.year}-{half}/{digest}"
    return Segment(name, chunk.first, chunk.last, chunk.count)


def fact_digest(fact_id: str) -> bytes:
    """A short fingerprint of a fact id; a clash only costs a slower look."""
    return hashlib.blake2b(fact_id.encode(), digest_size=_DIGEST).digest()


def holds_digest(digests: bytes, digest: bytes) -> bool:
    """Whether a fingerprint is among packed ones."""
    place = digests.find(digest)
    while place >= 0:
        if place % _DIGEST == 0:
            return True
        place = digests.find(digest, place + 1)
    return False
