"""One state record on the changelog: a checked head of ours, then the bytes of whoever owns them.

Reads and writes nothing by itself. The head carries what recovery needs without decoding a record: the
offset of the newest log entry that is applied in it, the next check, and whether the patient is
monitored. Keys of a partition:

* the patient key: the patient's record;
* `<patient key>/...`: a segment of older history of that patient, written before the record that points to it;
* `~p<partition>`: the marker, the highest offset of the log that is applied in this partition;
* `~policy/<offset>`: a policy activation, by the place in the log where it takes effect.

**The highest applied offset wins** (`is_newer`), not the last one written. A worker that was paused past
its session may still write records when it wakes; what it writes is right for the offset it carries and
older than what the new owner has written since. Whoever rebuilds a partition from the changelog keeps the
highest for each key and writes it again where an older one stands behind it (`Recovery`), so that
compaction, which keeps the last one, cannot bring the older back. `min.compaction.lag.ms` gives it a day.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Final

_HEAD: Final = struct.Struct(">3sBIBqqH")
_CHECKED_FROM: Final = 8
_MAGIC: Final = b"MYW"
_VERSION: Final = 1
_NEVER: Final = -(1 << 63)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

OWN: Final = b"~"
"""First byte of the keys that are not a patient's."""
POLICY_PREFIX: Final = b"~policy/"


class FrameDamaged(ValueError):
    """The bytes are not a state record, or were changed since they were written."""


class Mark(IntFlag):
    """What the head says about a patient."""

    NONE = 0
    NOT_MONITORED = 1
    HAS_OPEN_ALERTS = 2
    WATCHED = 4
    UNWATCHED = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A state record. `applied` is a log offset; `reason` says why a patient is not monitored."""

    applied: int
    payload: bytes
    next_check: datetime | None = None
    marks: Mark = Mark.NONE
    reason: str = ""

    @property
    def is_monitored(self) -> bool:
        """False where an entry of this patient is in quarantine."""
        return not self.marks & Mark.NOT_MONITORED

    def to_bytes(self) -> bytes:
        """Same frame, same bytes."""
        reason = self.reason.encode()
        next_check = _NEVER if self.next_check is None else (self.next_check - _EPOCH) // _MICROSECOND
        head = _HEAD.pack(_MAGIC, _VERSION, 0, self.marks, self.applied, next_check, len(reason))
        body = head[_CHECKED_FROM:] + reason + self.payload
        return head[:4] + zlib.crc32(body).to_bytes(4, "big") + body


def read_frame(raw: bytes) -> Frame:
    """Bytes to frame; raises `FrameDamaged` on anything else."""
    if len(raw) < _HEAD.size:
        raise FrameDamaged("shorter than its head")
    magic, version, checksum, marks, applied, next_check, reason_size = _HEAD.unpack_from(raw)
    if magic != _MAGIC or version != _VERSION:
        raise FrameDamaged("not a state record of this format")
    if zlib.crc32(memoryview(raw)[_CHECKED_FROM:]) != checksum:
        raise FrameDamaged("the checksum does not match")
    body = _HEAD.size + reason_size
    return Frame(
        applied=applied,
        payload=raw[body:],
        next_check=None if next_check == _NEVER else _EPOCH + next_check * _MICROSECOND,
        marks=Mark(marks),
        reason=raw[_HEAD.size : body].decode(),
    )


def applied_in(raw: bytes) -> int | None:
    """The applied offset of a frame, without checking the rest; None where the bytes are no frame."""
    if len(raw) < _HEAD.size or raw[:3] != _MAGIC:
        return None
    offset: int = _HEAD.unpack_from(raw)[4]
    return offset


def is_newer(candidate: bytes, held: bytes | None) -> bool:
    """Whether `candidate` replaces `held`: at least its applied offset. Damaged bytes never replace a frame."""
    if held is None:
        return True
    theirs = applied_in(candidate)
    ours = applied_in(held)
    if theirs is None:
        return ours is None
    return ours is None or theirs >= ours


class Recovery:
    """Rebuilds one partition from its changelog, in the order written; `to_repair` is to be written again."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self.held: dict[bytes, bytes] = {}
        self._shadowed: set[bytes] = set()

    def read(self, key: bytes, value: bytes | None) -> None:
        """One changelog record; a tombstone forgets the key."""
        if value is None:
            self.held.pop(key, None)
            self._shadowed.discard(key)
        elif is_newer(value, self.held.get(key)):
            self.held[key] = value
            self._shadowed.discard(key)
        else:
            self._shadowed.add(key)

    def to_repair(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys behind whose newest frame an older one was written, with the frame to write again."""
        for key in sorted(self._shadowed):
            yield key, self.held[key]


def marker_key(partition: int) -> bytes:
    """Where the marker of a partition is kept."""
    return b"~p%d" % partition


def policy_key(offset: int) -> bytes:
    """Where a policy activation is kept; sorts by offset."""
    return b"%s%020d" % (POLICY_PREFIX, offset)


def is_patient_key(key: bytes) -> bool:
    """Whether a key holds a patient's record (not a segment, marker or policy)."""
    return not key.startswith(OWN) and b"/" not in key
