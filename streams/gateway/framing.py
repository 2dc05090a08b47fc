"""MLLP framing: bytes as they come from a socket to whole frames, whatever the sizes of the pieces.

A frame is `<VT> message <FS><CR>` (HL7 v2 transport specification, MLLP release 1). Strict where leniency
could lose half of a message: an end block without its CR does not end a message, because a stray FS in a text would
otherwise cut the message in two and have the first half acknowledged. What is not a frame comes out as
`Broken` with its first bytes, so that the sender can be told. Never holds more than `limit` bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\r"

_VT: Final = 0x0B
_FS: Final = 0x1C
_CR: Final = 0x0D
_MARK: Final = re.compile(rb"[\x0b\x1c]")
_BETWEEN: Final = b"\r\n \t\x00"
"""Bytes that some senders leave between frames; nothing is lost by passing over them."""
_BEGINS: Final = (b"MSH", b"FHS", b"BHS")
_HEAD_BYTES: Final = 4096
"""Kept of a frame that is not taken: enough for any MSH segment, little enough for thousands of them."""


class Fault(StrEnum):
    """Why bytes are not a frame; the sender reads the sentence in ERR-8."""

    TOO_LARGE = "too-large"
    START_INSIDE = "start-inside"
    END_WITHOUT_CR = "end-without-cr"
    NO_START = "no-start"


SENTENCES: Final = {
    Fault.TOO_LARGE: "the message is larger than this port takes",
    Fault.START_INSIDE: "a start block (0x0B) stands inside the message",
    Fault.END_WITHOUT_CR: "the end block (0x1C) is not followed by a carriage return (0x0D)",
    Fault.NO_START: "the message does not begin with a start block (0x0B)",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message, as received."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """What was no whole message: its first bytes, for its MSH, and why."""

    head: bytes
    fault: Fault
    is_endless: bool = False
    """The sender does not come to an end: nothing that follows on this connection can be placed."""


class Framer:
    """Collects the frames of one connection."""

    def __init__(self, limit: int, *, endless: int | None = None) -> None:
        """`limit` bytes a message; beyond `endless` (default 4 times that) the frame is given up before its end."""
        self._limit = limit
        self._endless = endless if endless is not None else 4 * limit
        self._head_bytes = min(_HEAD_BYTES, limit)
        self._held = bytearray()
        self._size = 0
        self._is_inside = False
        self._after_fs = False
        self._fault: Fault | None = None
        self.is_given_up = False

    @property
    def is_inside(self) -> bool:
        """A frame has begun and not ended."""
        return self._is_inside

    @property
    def size(self) -> int:
        """Bytes of the frame so far, those not kept included."""
        return self._size

    def feed(self, data: bytes) -> list[Frame | Broken]:
        """Take the next bytes; everything that ended with them, in order. After an endless frame nothing is taken."""
        out: list[Frame | Broken] = []
        place = 0
        while place < len(data) and not self.is_given_up:
            place = self._inside(data, place, out) if self._is_inside else self._between(data, place)
        return out

    def abandon(self) -> Broken | None:
        """The connection ends or time is up: what had begun, if anything had."""
        if not self._is_inside:
            return None
        found = Broken(self._head(), self._fault or (Fault.END_WITHOUT_CR if self._after_fs else Fault.TOO_LARGE), True)
        self._reset()
        return found

    def _between(self, data: bytes, place: int) -> int:
        while place < len(data) and data[place] in _BETWEEN:
            place += 1
        if place < len(data):
            self._is_inside = True
            if data[place] == _VT:
                return place + 1
            self._fault = Fault.NO_START
        return place

    def _inside(self, data: bytes, place: int, out: list[Frame | Broken]) -> int:
        if self._after_fs:
            self._after_fs = False
            if data[place] == _CR:
                out.append(self._finish())
                return place + 1
            self._fault = self._fault or Fault.END_WITHOUT_CR
        found = _MARK.search(data, place)
        upto = len(data) if found is None else found.start()
        self._keep(data, place, upto)
        if self._is_hopeless():
            head = self._head() if self._size > self._endless else b""
            out.append(Broken(head, self._fault or Fault.TOO_LARGE, is_endless=True))
            self.is_given_up = True
            self._reset()
            return upto
        if found is None:
            return upto
        if data[upto] == _FS:
            self._after_fs = True
            return upto + 1
        out.append(Broken(self._head(), self._fault or Fault.START_INSIDE))
        self._reset()
        self._is_inside = True
        return upto + 1

    def _keep(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > self._limit and self._fault is None:
            self._fault = Fault.TOO_LARGE
        if self._fault is None:
            self._held += data[start:end]
        else:
            # Only the head of what is not taken: a hostile sender must not fill the memory.
            del self._held[self._head_bytes :]
            self._held += data[start : start + min(end - start, self._head_bytes - len(self._held))]

    def _is_hopeless(self) -> bool:
        if self._size > self._endless:
            return True
        if self._fault is not Fault.NO_START or not self._held:
            return False
        return not any(bytes(self._held[:3]) == each[: len(self._held)] for each in _BEGINS)

    def _finish(self) -> Frame | Broken:
        done = Frame(bytes(self._held)) if self._fault is None else Broken(self._head(), self._fault)
        self._reset()
        return done

    def _head(self) -> bytes:
        return bytes(self._held[: self._head_bytes])

    def _reset(self) -> None:
        self._held = bytearray()
        self._size = 0
        self._is_inside = self._after_fs = False
        self._fault = None


def count_delimiters(payload: bytes) -> int:
    """Delimiters by the message's own MSH-1 and MSH-2 and its segment ends; cheap, before anything parses it."""
    own = payload[3:8] if payload[:3] in _BEGINS else b"|^~\\&"
    return len(payload) - len(payload.translate(None, bytes(own) + b"\r\n"))


def wrap(message: bytes) -> bytes:
    """A message as a frame."""
    return START + message + END
