"""Batches and files (HL7 v2.5.1, 2.10.3): FHS, BHS, messages, BTS, FTS; the counts must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas.hl7v2.charset import strip_start
from schemas.hl7v2.faults import ErrorCode, Fault, MessageUnreadable
from schemas.hl7v2.separators import read_separators
from schemas.rejection import RejectionReason

_ENVELOPE: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
_LINES: Final = re.compile(rb"[^\r\n]*[\r\n]*")
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Batch:
    """`messages` each as sent, from MSH to the line end of its last segment; `faults` say what does not agree."""

    messages: tuple[bytes, ...]
    faults: tuple[Fault, ...] = ()
    has_envelope: bool = False


def split_batch(raw: bytes) -> Batch:
    """One message, several one after the other, or batches in their envelopes.

    Counts in BTS-1 and FTS-1 are checked where they are given; a BHS without its BTS is a batch cut off. Raises
    `MessageUnreadable` where no MSH, BHS or FHS comes first, and nothing else.
    """
    begun = strip_start(raw)
    if not begun.startswith((b"MSH", *_ENVELOPE[:2])):
        reason = RejectionReason.EMPTY if not begun else RejectionReason.WRONG_SHAPE
        raise MessageUnreadable(reason, "the bytes do not begin with MSH, BHS or FHS")
    separator = read_separators(begun[:16].decode("latin-1")).field.encode("latin-1")
    return _Splitting(separator).split(begun)


class _Splitting:
    """Walks over the lines of a batch once."""

    def __init__(self, separator: bytes) -> None:
        self._separator = separator
        self._messages: list[list[bytes]] = []
        self._faults: list[Fault] = []
        self._batches = 0
        self._in_batch = 0
        self._is_batch_open = False
        self._is_file_open = False
        self._has_envelope = False
        self._is_in_message = False

    def split(self, begun: bytes) -> Batch:
        for match in _LINES.finditer(begun):
            line = match.group()
            name = line[:3]
            if name == b"MSH" and not line[3:4].isalnum() and line[3:4].strip():
                self._messages.append([line])
                self._in_batch += 1
                self._is_in_message = True
            elif name in _ENVELOPE and line[3:4] in (self._separator, b"\r", b"\n", b""):
                self._take_envelope(name.decode(), line)
            elif self._is_in_message:
                self._messages[-1].append(line)
            elif line.strip():
                self._fault("MSH", 1, "a segment stands between two messages")
        if self._is_batch_open:
            self._fault("BTS", 1, "the batch has no BTS: it was cut off")
        if self._is_file_open:
            self._fault("FTS", 1, "the file has no FTS: it was cut off")
        messages = tuple(b"".join(lines) for lines in self._messages)
        return Batch(messages, tuple(self._faults), self._has_envelope)

    def _take_envelope(self, name: str, line: bytes) -> None:
        self._has_envelope = True
        self._is_in_message = False
        fields = line.rstrip(b"\r\n").decode("latin-1").split(self._separator.decode("latin-1"))
        given = fields[1].strip() if len(fields) > 1 else ""
        if name == "FHS":
            if self._is_file_open or self._messages:
                self._fault("FHS", 1, "a second FHS")
            self._is_file_open = True
        elif name == "BHS":
            if self._is_batch_open:
                self._fault("BHS", 1, "a second BHS before the BTS of the first")
            self._is_batch_open = True
            self._batches += 1
            self._in_batch = 0
        elif name == "BTS":
            if not self._is_batch_open:
                self._fault("BTS", 1, "a BTS without its BHS")
            self._check("BTS", given, self._in_batch, "messages")
            self._is_batch_open = False
        else:
            if not self._is_file_open:
                self._fault("FTS", 1, "an FTS without its FHS")
            self._check("FTS", given, self._batches, "batches")
            self._is_file_open = False

    def _check(self, segment: str, given: str, counted: int, what: str) -> None:
        if given and not _COUNT.fullmatch(given):
            self._fault(segment, 1, f"{segment}-1 is not a count", ErrorCode.DATA_TYPE)
        elif given and int(given) != counted:
            self._fault(segment, 1, f"{segment}-1 says {int(given)} {what}, {counted} came", ErrorCode.DATA_TYPE)

    def _fault(self, segment: str, field: int, text: str, code: ErrorCode = ErrorCode.SEGMENT_SEQUENCE) -> None:
        if len(self._faults) < 20:  # a list for a person
            self._faults.append(Fault(code, text, RejectionReason.BATCH_INCOMPLETE, (segment, 1, field)))
