"""A message as a tree, parsed by the `hl7` library, with fields by number: text meant, or None where nothing is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import hl7

from schemas.codes.tables import CodeTables
from schemas.hl7v2.charset import strip_start
from schemas.hl7v2.escapes import unescape
from schemas.hl7v2.feed_map import FeedMap
from schemas.hl7v2.header import Header
from schemas.hl7v2.separators import Separators
from schemas.hl7v2.timing import read_dtm
from schemas.reading.context import ReadingContext
from schemas.reading.result import Notes, name_part
from schemas.rejection import RejectionReason
from schemas.values import Coding, When

SEGMENTS: Final = frozenset(
    {
        *("EVN", "PID", "MRG", "PV1", "ORC", "OBR", "OBX", "NTE", "SPM", "TQ1"),
        *("RXO", "RXE", "RXD", "RXA", "RXR", "RXC", "DG1", "PRB", "AL1", "IAM", "PR1"),
    }
)
"""Segments that are read; any other is counted by its name."""
_STRUCTURE: Final = frozenset({"MSH", "SFT", "UAC", "DSC", "BTS", "FTS", "BHS", "FHS"})
_MOST_DELIMITERS: Final = 50_000
"""In the segments that are read, their ends among them: the parser takes about two microseconds for each."""
_LONGEST_CODE: Final = 200
_NULL: Final = '""'


def _plain(sequence: Any, **_: Any) -> Any:
    return sequence


def _segment(sequence: Any, **_: Any) -> Any:
    # A function of its own: the library knows the level of a segment, where MSH is special, by comparing these.
    return sequence


class _Lists(hl7.Factory):  # type: ignore[misc]
    """Plain lists for every level: the library's own classes carry the separators with them and take twice as long."""

    create_message = staticmethod(_plain)
    create_segment = staticmethod(_segment)
    create_field = staticmethod(_plain)
    create_repetition = staticmethod(_plain)
    create_component = staticmethod(_plain)


Repetition = list[list[str]]
"""Components of sub-components."""


class Segment:
    """One segment. Fields count from 1, components and sub-components too, repetitions from 0."""

    __slots__ = ("_fields", "_message", "name", "number")

    def __init__(self, name: str, number: int, fields: list[Any], message: Message) -> None:
        """`number` counts the segments of this name in the message, from 1."""
        self.name = name
        self.number = number
        self._fields = fields
        self._message = message

    @property
    def place(self) -> str:
        """`OBX[3]`: where in the message a person finds it."""
        return f"{self.name}[{self.number}]"

    def repetitions(self, number: int) -> list[Repetition]:
        """All repetitions of a field, as sent."""
        if number >= len(self._fields):
            return []
        whole = self._fields[number]
        if not whole or isinstance(whole[0], str):
            return [[[whole[0] if whole else ""]]]
        return [[[each[0]]] if each and isinstance(each[0], str) else each for each in whole]

    def text(self, number: int, component: int = 1, sub: int = 1, repetition: int = 0) -> str | None:
        """The text meant by one sub-component; None where it is empty, absent, or the null of two quotes."""
        repeated = self.repetitions(number)
        return self.part(repeated[repetition], component, sub) if repetition < len(repeated) else None

    def part(self, repetition: Repetition, component: int, sub: int = 1) -> str | None:
        """The same of a repetition in hand."""
        if component > len(repetition) or sub > len(repetition[component - 1]):
            return None
        sent = repetition[component - 1][sub - 1]
        if not sent or sent == _NULL:
            return None
        header = self._message.header
        return unescape(sent, header.separators, header.codec).strip() or None

    def printed(self, number: int) -> str | None:
        """The whole field as sent, separators and all, with its escapes meant: for people and for the site's map."""
        marks, written = self._message.header.separators, self.sent(number)
        if not written or written == _NULL:
            return None
        return unescape(written, marks, self._message.header.codec).strip() or None

    def sent(self, number: int) -> str:
        """The whole field as sent, nothing unescaped."""
        marks = self._message.header.separators
        return marks.repetition.join(_join(each, marks) for each in self.repetitions(number))

    def identifier(self, number: int) -> str | None:
        """An entity identifier (EI, CX, EIP): its components without the empty ones at the end, as one text."""
        repeated = self.repetitions(number)
        if not repeated or self.part(repeated[0], 1) is None:
            return None
        marks = self._message.header.separators
        return _join(repeated[0], marks).rstrip(marks.component + marks.sub)

    def codings(self, number: int, default_system: str | None = None) -> tuple[Coding, ...]:
        """The codes of a CE, CWE or CNE field with what the site's map says they mean."""
        found: list[Coding] = []
        for repetition in self.repetitions(number):
            found.extend(self.codings_in(repetition, default_system))
        return tuple(found)

    def codings_in(self, repetition: Repetition, default_system: str | None = None) -> Iterator[Coding]:
        """First code, alternate, second alternate (v2.7)."""
        for first, system_at in ((1, 3), (4, 6), (10, 12)):
            code = self.part(repetition, first)
            system = self.part(repetition, system_at) or (default_system if first == 1 else None) or ""
            if code is not None and len(code) <= _LONGEST_CODE and len(system) <= _LONGEST_CODE:
                words = self.part(repetition, first + 1)
                shown = words[:_LONGEST_CODE] if words is not None else None
                yield from self._message.feed_map.meanings(system, code, shown, self._message.codes)

    def time(self, number: int, component: int = 1, sub: int = 1) -> tuple[When | None, bool]:
        """A time, and whether it may be used: False after a rejection, which names the field."""
        text = self.text(number, component, sub)
        precision = self.text(number, 2) if component == 1 and sub == 1 else None
        reading = read_dtm(text, self._message.notes.context, precision)
        if reading.reason is not None:
            self.reject(reading.reason, reading.named(f"{self.name}-{number}"))
            return None, False
        return reading.when, True

    def reject(self, reason: RejectionReason, detail: str) -> None:
        """Keep this segment as unusable."""
        self._message.notes.reject(reason, detail, self.place)

    def leave(self, what: str) -> None:
        """Count a part of the segment that is not read."""
        self._message.notes.leave(f"{self.name}-{what}")


def _join(repetition: Repetition, marks: Separators) -> str:
    return marks.component.join(marks.sub.join(component) for component in repetition)


@dataclass(slots=True)
class Message:
    """One message with its feed: what every reader of a segment needs."""

    header: Header
    notes: Notes
    feed_map: FeedMap
    codes: CodeTables
    sent: When | None = None
    """MSH-7: when the sender said it."""
    segments: list[Segment] = field(default_factory=list)

    @property
    def context(self) -> ReadingContext:
        """The feed's settings."""
        return self.notes.context


def parse(raw: bytes, message: Message) -> bool:
    """Fill in the segments; False after a rejection."""
    header = message.header
    text = strip_start(raw).decode(header.codec)
    lines = segment_lines(text, header.separators)
    wanted: list[str] = []
    for line in lines[1:]:
        name = line[:3]
        if name in SEGMENTS:
            wanted.append(line.rstrip(header.separators.field + " \t"))
        elif name not in _STRUCTURE:
            message.notes.leave(f"segment {name_part(name)}")
    marks = header.separators
    encoding = marks.component + marks.repetition + marks.escape + marks.sub
    joined = "\r".join(wanted)
    if sum(joined.count(mark) for mark in ("\r", marks.field, *encoding)) > _MOST_DELIMITERS:
        message.notes.reject(RejectionReason.TOO_LARGE, f"more than {_MOST_DELIMITERS} delimiters in one message")
        return False
    head = f"MSH{marks.field}{encoding}{marks.field}"
    tree: Sequence[list[Any]] = hl7.parse(f"{head}\r{joined}" if joined else head, factory=_Lists)
    seen: Counter[str] = Counter()
    for fields in tree[1:]:
        name = fields[0] if isinstance(fields[0], str) else fields[0][0]
        seen[name] += 1
        message.segments.append(Segment(name, seen[name], fields, message))
    return True


def segment_lines(text: str, separators: Separators) -> list[str]:
    """Segments by CR, LF or both. A line that is no segment is the rest of the one before: a line break in a text."""
    lines: list[list[str]] = []
    for line in text.replace("\r\n", "\r").replace("\n", "\r").split("\r"):
        if _is_segment(line, separators):
            lines.append([line])
        elif line.strip(" \t\x1c\x00") and lines:
            lines[-1].append(line)
    return ["\n".join(parts) for parts in lines]


def _is_segment(line: str, separators: Separators) -> bool:
    name = line[:3]
    return (
        len(name) == 3
        and name.isascii()
        and name.isalnum()
        and name.isupper()
        and name[0].isalpha()
        and line[3:4] in ("", separators.field)
    )
